import type { TokenCache } from '../cache/token-cache.ts';
import type { Sliced } from '../cache/sliced.ts';
import { type RecordChange, transact, transactInSlices, type Transaction } from '../cache/change.ts';
import { paced } from './pace.ts';

/** What a caller wants done to the cache, and waits for. */
export interface Job {
  /** @throws what the caller's function throws; then nothing has changed */
  perform(cache: TokenCache): Performed | Promise<Performed>;
  reject(error: unknown): void;
}

/** Done in memory, and to be settled or undone. */
export interface Performed {
  changes: readonly RecordChange[];
  settle(): void;
  undo(): void;
}

export function jobOf<T>(fn: (cache: TokenCache) => T): { job: Job; outcome: Promise<T> } {
  return jobThat((cache) => transact(cache, fn));
}

/** A job that lets the rest of the process have its turn in between. */
export function slicedJobOf<T>(fn: (cache: TokenCache) => Sliced<T>): { job: Job; outcome: Promise<T> } {
  return jobThat((cache) => paced(transactInSlices(cache, fn)));
}

function jobThat<T>(run: (cache: TokenCache) => Transaction<T> | Promise<Transaction<T>>): {
  job: Job;
  outcome: Promise<T>;
} {
  let resolve: (value: T) => void;
  let reject: (error: unknown) => void;
  const outcome = new Promise<T>((keep, refuse) => {
    resolve = keep;
    reject = refuse;
  });
  const performed = (transaction: Transaction<T>): Performed => ({
    changes: transaction.changes,
    settle: () => resolve(transaction.value),
    undo: () => transaction.undo(),
  });
  const perform = (cache: TokenCache): Performed | Promise<Performed> => {
    const transaction = run(cache);
    return transaction instanceof Promise ? transaction.then(performed) : performed(transaction);
  };
  return { job: { perform, reject: (error) => reject(error) }, outcome };
}
