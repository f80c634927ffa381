import type { AppBridge } from '../../app/contract.ts';
import type { TokenCacheBridge } from '../../src-main/ipc/contract.ts';

/** Everything of the world outside that the state needs. The window passes the real ones, tests pass fakes. */
export interface Ports {
  tokenCache: TokenCacheBridge;
  app: AppBridge;
  time: Time;
  /** Bytes that nobody can foresee. */
  random: (length: number) => Uint8Array;
}

export interface Time {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Calls once, after that many milliseconds. Returns the function that calls it off. */
  after: (milliseconds: number, call: () => void) => () => void;
}
