import { InvalidArgumentError } from '../errors.ts';
import {
  CACHE_FUNCTION,
  checkArgument,
  checkOptions,
  FUNCTION,
  having,
  TEXT,
  type OptionNames,
  SIGNAL,
} from '../options.ts';
import { type Abortable, KeyedQueue, untilBegun } from '../waiting.ts';
import { storeOf, type TokenCache, transact } from './token-cache.ts';

/**
 * A function of a cache that is not async. Changes that an async function makes after its first `await` would be outside of the
 * transaction, so an async function does not compile and is refused at run time.
 *
 * @example
 * import type { Synchronous } from 'tokenkeep';
 *
 * const count: Synchronous<number> = (cache) => cache.accounts().length;
 */
export type Synchronous<T> = ((cache: TokenCache) => T) &
  (0 extends 1 & T
    ? unknown
    : [Extract<T, PromiseLike<unknown>>] extends [never]
      ? unknown
      : 'The function must not be async. Await before the call, not inside of it.');

/** Options for `update`. Aborting `signal` cancels the update until the function has run. */
export interface UpdateOptions extends Abortable {
  /**
   * The `epoch` of the handle when the work behind this update began. Entities for an account that was signed out since are dropped, so
   * that a late refresh cannot bring the account back.
   */
  since?: number;
}

/** The names of the options of `update`. */
export const UPDATE_OPTIONS: OptionNames<UpdateOptions> = { since: true, signal: SIGNAL };

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
  read<T>(fn: Synchronous<T>, options?: Abortable): Promise<T>;
  /** Runs `fn` in a transaction. Resolves when its changes are durable; rejects if nothing was changed. `fn` must be synchronous. */
  update<T>(fn: Synchronous<T>, options?: UpdateOptions): Promise<T>;
  /** Number of sign-outs, by any process, as of the last read; see UpdateOptions. */
  readonly epoch?: number;
  /** Like `update`, and makes older copies of the stored data unreadable. */
  erase?<T>(fn: Synchronous<T>): Promise<{ value: T }>;
  /**
   * Runs `task` while no other task of the same name runs on the same stored cache, in this or any other process. The lock is released when
   * its process ends. Calls must not be nested. Aborting `signal` cancels the call until the task begins. Handles without this method
   * exclude callers within one process at most.
   *
   * @throws the error of the task; an error with code `vault_busy` or `partition_busy` if the lock was not released in time
   */
  exclusively?<T>(name: string, task: (signal?: AbortSignal) => Promise<T>, options?: Abortable): Promise<T>;
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
  checkArgument('inMemory', 'cache', cache, having('a TokenCache', 'find', 'add'));
  const queue = new KeyedQueue();
  return {
    read: async (fn, options) => {
      checkOptions('read', options, { signal: SIGNAL }).signal?.throwIfAborted();
      checkArgument('read', 'fn', fn, CACHE_FUNCTION);
      const transaction = transact(cache, fn);
      if (transaction.changes.length === 0) return Promise.resolve(transaction.value);
      transaction.undo();
      throw new InvalidArgumentError(
        '`read` is for reading: its function changed the cache, which was taken back. Use `update`.',
      );
    },
    update: async (fn, options) => {
      checkOptions('update', options, UPDATE_OPTIONS).signal?.throwIfAborted();
      checkArgument('update', 'fn', fn, CACHE_FUNCTION);
      storeOf(cache).assertOpen();
      return Promise.resolve(transact(cache, fn).value);
    },
    exclusively: async (name, task, options) => {
      const { signal } = checkExclusively(name, task, options);
      storeOf(cache).assertOpen(); // before the task redeems a refresh token whose successor could not be kept
      return inTurn(queue, name, task, signal);
    },
  };
}

/**
 * Checks the arguments of `exclusively`.
 *
 * @throws InvalidArgumentError with the name in `field`
 */
export function checkExclusively(name: unknown, task: unknown, options: Abortable | undefined): Abortable {
  checkArgument('exclusively', 'name', name, TEXT);
  checkArgument('exclusively', 'task', task, FUNCTION);
  return checkOptions('exclusively', options, { signal: SIGNAL });
}

const signalless = new WeakSet<object>();

/** Marks a task of `exclusively` that does not read its signal: a handle need not create one, which costs as much as a read. */
export function withoutSignal<T>(task: () => Promise<T>): () => Promise<T> {
  signalless.add(task);
  return task;
}

/** Whether a task of `exclusively` needs its signal. */
export const needsSignal = (task: object): boolean => !signalless.has(task);

const queueOf = new WeakMap<CacheHandle, KeyedQueue>();

/** Calls `exclusively` of the handle. If the handle has none, excludes only callers that use the same handle object. */
export function exclusively<T>(
  handle: CacheHandle,
  name: string,
  task: (signal?: AbortSignal) => Promise<T>,
  options: Abortable = {},
): Promise<T> {
  if (handle.exclusively !== undefined) return handle.exclusively(name, task, options);
  const queue = queueOf.get(handle) ?? new KeyedQueue();
  queueOf.set(handle, queue);
  return inTurn(queue, name, task, options.signal);
}

function inTurn<T>(
  queue: KeyedQueue,
  name: string,
  task: (signal?: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  return untilBegun(signal, (begin) =>
    queue.run(name, async () => {
      begin();
      return task(signal);
    }),
  );
}
