/** Transactions, and batches of transactions that are committed together. */
import { InvalidArgumentError } from '../errors.ts';
import { type Change, condensed, type Entry, inverse, type Place, placeOf } from './entry.ts';
import { storeOf, type TokenCache } from './token-cache.ts';

/** The result of a transaction. */
export interface Transaction<T> {
  value: T;
  /** One change for each place that differs afterwards; none if the changes cancel out. */
  changes: readonly Change[];
  /** Undoes the transaction and emits a `change` event. */
  undo(): void;
}

/**
 * Runs `fn` as a transaction and emits one `change` event. If `fn` throws, its changes are undone and the error is rethrown.
 *
 * @throws InvalidArgumentError if `fn` returns a promise, since its later changes would be outside of the transaction
 */
export function transact<T>(cache: TokenCache, fn: (cache: TokenCache) => T): Transaction<T> {
  const { value, changes } = storeOf(cache).run(() => {
    const result = fn(cache);
    assertSynchronous(result);
    return result;
  });
  return { value, changes, undo: () => void apply(cache, changes.map(inverse)) };
}

/** @throws InvalidArgumentError if a function that was given a cache returned a promise */
export function assertSynchronous(result: unknown): void {
  if (!isThenable(result)) return;
  Promise.resolve(result).catch(() => undefined); // The caller gets the error below instead.
  throw new InvalidArgumentError(
    'The function that reads or changes a cache must not be async. Its changes were taken back. Await before the call, not inside of it.',
  );
}

/**
 * Applies changes that were made to another cache, with one `change` event.
 *
 * @returns the changes made to this cache
 */
export function apply(cache: TokenCache, changes: Iterable<Change>): Change[] {
  const store = storeOf(cache);
  return store.run(() => {
    for (const change of changes) {
      if (change.after === undefined) store.drop(placeOf(change));
      else store.put(change.after);
    }
  }).changes;
}

/** A change without its `before`: the new contents of a place. */
export interface Step extends Place {
  /** Absent if the place is empty now. */
  readonly after?: Entry;
}

/**
 * Applies changes without a known `before`, with one `change` event.
 *
 * @returns the changes made to this cache
 */
export function replay(cache: TokenCache, steps: Iterable<Step>): Change[] {
  const store = storeOf(cache);
  return store.run(() => {
    for (const step of steps) {
      if (step.after === undefined) store.drop(step);
      else store.put(step.after);
    }
  }).changes;
}

/** A function to run on a cache, and the callbacks for its outcome. */
export interface Job {
  readonly run: (cache: TokenCache) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Returns a job and the promise of its outcome. */
export function jobOf<T>(run: (cache: TokenCache) => T): { job: Job; outcome: Promise<T> } {
  let settle: Omit<Job, 'run'> | undefined;
  const outcome = new Promise<unknown>((resolve, reject) => {
    settle = { resolve, reject };
  }) as Promise<T>;
  if (settle === undefined) throw new TypeError('A promise calls its executor at once.');
  return { job: { run, ...settle }, outcome };
}

/** Jobs that have run and whose changes are not durable yet. */
export interface Batch {
  /** The combined changes of all jobs, one for each place. */
  readonly changes: readonly Change[];
  /** The changes of each job that changed something, in order. */
  readonly updates: readonly (readonly Change[])[];
  /** Call it when the changes are durable: each job resolves with its value, or rejects with the error that it threw. */
  settle(): void;
  /** Call it if they cannot be made durable: rolls the cache back and rejects each job with `error`, or with its own error. */
  withdraw(error: unknown): void;
}

/** Runs jobs in order, each as a transaction. A job that throws changes nothing and does not stop the others. */
export function runBatch(cache: TokenCache, jobs: readonly Job[]): Batch {
  const done: { job: Job; transaction: Transaction<unknown> }[] = [];
  const failed: { job: Job; error: unknown }[] = [];
  for (const job of jobs) {
    try {
      done.push({ job, transaction: transact(cache, job.run) });
    } catch (error) {
      failed.push({ job, error });
    }
  }
  const updates = done.map(({ transaction }) => transaction.changes).filter(({ length }) => length > 0);
  const rejectFailed = (): void => {
    for (const { job, error } of failed) job.reject(error);
  };
  return {
    changes: updates.length === 1 ? (updates[0] ?? []) : condensed(updates.flat()),
    updates,
    settle: () => {
      for (const { job, transaction } of done) job.resolve(transaction.value);
      rejectFailed();
    },
    withdraw: (error) => {
      for (const { transaction } of done.toReversed()) transaction.undo();
      for (const { job } of done) job.reject(error);
      rejectFailed();
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
