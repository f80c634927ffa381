/**
 * The result of opening a source. None of the states is an error.
 *
 * `empty`: no user is signed in. `locked`: the keyring must be unlocked first. `no-permission`: the current user cannot read the cache.
 * `sealed`: only the program itself, or another system, can open the cache. `not-understood`: it is not an MSAL document, or it was
 * incomplete each time it was read. `in-use`: its program is writing it. `gone`: it has been removed since it was found.
 */
export type SourceState =
  | 'accounts'
  | 'empty'
  | 'locked'
  | 'no-permission'
  | 'sealed'
  | 'not-understood'
  | 'in-use'
  | 'gone';

/** Explains why a source cannot be read. */
export interface Unread {
  readonly state: Exclude<SourceState, 'accounts' | 'empty'>;
  /** A message to display: the problem and the remedy. */
  readonly problem: string;
}

/** The text of a source, or the reason why it cannot be read. */
export type Content = { readonly text: string; readonly writtenAt: number | null } | Unread;
