import type { TokenCache } from './token-cache.ts';
import { transact } from './transaction.ts';

/** A cache that is kept somewhere: a vault, one user's partition, memory. */
export interface CacheHandle {
  /** Sees what other processes wrote. `fn` must not change the cache. */
  read<T>(fn: (cache: TokenCache) => T): Promise<T>;
  /** Resolved: durable, and no other writer was lost. Rejected: nothing has changed. `fn` must not be async. */
  update<T>(fn: (cache: TokenCache) => T): Promise<T>;
}

/** A handle on a cache that lives as long as the process. */
export function inMemory(cache: TokenCache): CacheHandle {
  return {
    read: async (fn) => Promise.resolve(fn(cache)),
    update: async (fn) => Promise.resolve(transact(cache, fn).value),
  };
}
