/**
 * What became of opening a source. None of these is an error.
 *
 * `empty`: nobody is signed in. `locked`: the keyring has to be unlocked first. `no-permission`: this user may not read it.
 * `sealed`: only the program itself, or another system, can open it. `not-understood`: it is no document of an MSAL library, or it
 * was torn and stayed so. `gone`: it was there a moment ago.
 */
export type SourceState =
  | 'accounts'
  | 'empty'
  | 'locked'
  | 'no-permission'
  | 'sealed'
  | 'not-understood'
  | 'gone';

/** Why there is nothing to read. */
export interface Unread {
  readonly state: Exclude<SourceState, 'accounts' | 'empty'>;
  /** For people: what is the matter, and what to do. */
  readonly problem: string;
}

/** The text of a source, or why there is none. */
export type Content = { readonly text: string; readonly writtenAt: number | null } | Unread;
