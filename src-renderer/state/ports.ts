import type { AppBridge } from '../../app/contract.ts';
import type { AccountList, FirstAccounts, Outcome, TokenCacheBridge } from '../../src-main/ipc/contract.ts';

/** What the state needs from outside. The window passes the real ports, tests pass fakes. */
export interface Ports {
  tokenCache: TokenCacheBridge;
  /** What the window shows before it has a list: all accounts, or the first of many. */
  firstAccounts: () => Promise<Outcome<AccountList | FirstAccounts>>;
  app: AppBridge;
  time: Time;
  visibility: Visibility;
  /** Cryptographically random bytes. */
  random: (length: number) => Uint8Array;
}

/** Whether the user can see the window. */
export interface Visibility {
  isVisible: () => boolean;
  /** Returns a function that unsubscribes. */
  onChange: (listener: () => void) => () => void;
}

export interface Time {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Calls once, after that many milliseconds. Returns a function that cancels the call. */
  after: (milliseconds: number, call: () => void) => () => void;
  /** Milliseconds of a monotonic clock, to measure work. */
  spent: () => number;
  /** Resolves once the window has handled pending input. */
  turn: () => Promise<void>;
  /** Resolves once the window has drawn its changes, or after half a second if nothing is drawn, as in a hidden window. */
  drawn: () => Promise<void>;
}
