/** Context that a refresh passes to the cache plugin, which MSAL calls during the refresh. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { CacheHandle } from '../cache/handle.ts';
import type { TokenCache } from '../cache/token-cache.ts';

/** A cache that was read a moment ago. It may be read again without the store, as long as it has this version. */
export interface Seen {
  readonly cache: TokenCache;
  readonly version: number;
}

/** One request to the provider, made by MSAL in its turn. */
export interface Flight {
  /** The cache of the request. */
  readonly handle: CacheHandle;
  /** The memory of the MSAL client that makes the request. */
  readonly tokenCache: object;
  /**
   * `epoch` of the handle when the refresh began. What MSAL writes at its end must not be added to a sign-in that came after a
   * sign-out in between; MSAL itself only checks whether the account exists.
   */
  readonly epoch: number | undefined;
  /** What the holder of the turn has read. Nobody else refreshes meanwhile, so MSAL's memory is filled from it. */
  readonly seen: Seen | undefined;
  /**
   * The memory that was filled in this flight. MSAL reads the cache again before it saves a response. Nobody else may refresh
   * meanwhile, and saving merges with the newest contents, so it does not have to be filled again.
   */
  filled?: object;
}

export const flight = new AsyncLocalStorage<Flight>();

/**
 * Returns the flight of this client or cache. Code that runs within a flight, such as a client assertion's, may use other clients with
 * other users' caches, which it does not concern.
 */
export function flightOf(tokenCache: object, handle: CacheHandle): Flight | undefined {
  const current = flight.getStore();
  return current?.tokenCache === tokenCache || current?.handle === handle ? current : undefined;
}
