import { KeyedQueue } from '../queue.ts';
import type { TokenCache } from './token-cache.ts';
import { transact } from './batch.ts';

/** Options for `update`. */
export interface UpdateOptions {
  /**
   * The `epoch` of the handle when the work behind this update began. Entities for an account that was signed out since are dropped, so
   * that a late refresh cannot bring the account back.
   */
  since?: number;
}

/**
 * Access to a stored cache: a vault, a partition, or memory.
 *
 * @example
 * import type { CacheHandle } from 'tokenkeep';
 *
 * async function usernames(handle: CacheHandle): Promise<string[]> {
 *   return handle.read((cache) => cache.accounts().map(({ username }) => username));
 * }
 */
export interface CacheHandle {
  /** Runs `fn` on the current contents, including changes by other processes. `fn` must not change the cache. */
  read<T>(fn: (cache: TokenCache) => T): Promise<T>;
  /** Runs `fn` in a transaction. Resolves when its changes are durable; rejects if nothing was changed. `fn` must be synchronous. */
  update<T>(fn: (cache: TokenCache) => T, options?: UpdateOptions): Promise<T>;
  /** Number of sign-outs, by any process, as of the last read; see UpdateOptions. */
  readonly epoch?: number;
  /** Like `update`, and makes older copies of the stored data unreadable. */
  erase?<T>(fn: (cache: TokenCache) => T): Promise<{ value: T }>;
  /**
   * Runs `task` while no other task of the same name runs on the same stored cache, in this or any other process. The lock is released
   * when its process ends. Calls must not be nested. Handles without this method exclude callers within one process at most.
   *
   * @throws the error of the task; an error with code `vault_busy` or `partition_busy` if the lock was not released in time
   */
  exclusively?<T>(name: string, task: (signal?: AbortSignal) => Promise<T>): Promise<T>;
}

/**
 * Returns a handle for a cache in memory, which is lost when the process ends.
 *
 * @example
 * import { inMemory, TokenCache } from 'tokenkeep';
 *
 * const handle = inMemory(new TokenCache());
 * const accounts = await handle.read((cache) => cache.accounts());
 */
export function inMemory(cache: TokenCache): CacheHandle {
  const queue = new KeyedQueue();
  return {
    read: async (fn) => Promise.resolve(fn(cache)),
    update: async (fn) => Promise.resolve(transact(cache, fn).value),
    exclusively: (name, task) => queue.run(name, () => task()),
  };
}

const queueOf = new WeakMap<CacheHandle, KeyedQueue>();

/** Calls `exclusively` of the handle. If the handle has none, excludes only callers that use the same handle object. */
export function exclusively<T>(
  handle: CacheHandle,
  name: string,
  task: (signal?: AbortSignal) => Promise<T>,
): Promise<T> {
  if (handle.exclusively !== undefined) return handle.exclusively(name, task);
  const queue = queueOf.get(handle) ?? new KeyedQueue();
  queueOf.set(handle, queue);
  return queue.run(name, () => task());
}
