import { KeyedQueue } from '../queue.ts';
import type { TokenCache } from './token-cache.ts';
import { transact } from './batch.ts';

/** What an update is made under. */
export interface UpdateOptions {
  /**
   * `epoch` of the handle as it was when the work behind this update began. What the update sets for an account that
   * was signed out since is dropped: a refresh that ends after the sign-out must not bring the account back.
   */
  since?: number;
}

/** A cache that is kept somewhere: a vault, one user's partition, memory. */
export interface CacheHandle {
  /** Sees what other processes wrote. `fn` must not change the cache. */
  read<T>(fn: (cache: TokenCache) => T): Promise<T>;
  /** Resolved: durable, and no other writer was lost. Rejected: nothing has changed. `fn` must not be async. */
  update<T>(fn: (cache: TokenCache) => T, options?: UpdateOptions): Promise<T>;
  /** How many accounts have been signed out, here or elsewhere, as of the last read; see UpdateOptions. */
  readonly epoch?: number;
  /** `update`, after which older copies of what is kept can't be opened by anyone. */
  erase?<T>(fn: (cache: TokenCache) => T): Promise<{ value: T }>;
  /**
   * Runs `task` while no one else who uses what is kept, in this process or another, runs one under the same name. It
   * ends with its holder, however that ends. Not to be nested. Without it, callers exclude each other within their
   * process at most.
   *
   * @throws what the task throws; an error of code `vault_busy` or `partition_busy` where another holder kept it too long
   */
  exclusively?<T>(name: string, task: (signal?: AbortSignal) => Promise<T>): Promise<T>;
}

/** A handle on a cache that lives as long as the process. */
export function inMemory(cache: TokenCache): CacheHandle {
  const queue = new KeyedQueue();
  return {
    read: async (fn) => Promise.resolve(fn(cache)),
    update: async (fn) => Promise.resolve(transact(cache, fn).value),
    exclusively: (name, task) => queue.run(name, () => task()),
  };
}

const queueOf = new WeakMap<CacheHandle, KeyedQueue>();

/** `exclusively` of the handle; for one that has none, among those who use this very handle. */
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
