import type { TokenCache } from '../cache/token-cache.ts';
import { type RecordChange, transact } from '../cache/transaction.ts';

/** What a caller wants done to the cache, and waits for. */
export interface Job {
  /** @throws what the caller's function throws; then nothing has changed */
  perform(cache: TokenCache): Performed;
  reject(error: unknown): void;
}

/** Done in memory, and to be settled or undone. */
export interface Performed {
  changes: readonly RecordChange[];
  settle(): void;
  undo(): void;
}

export function jobOf<T>(fn: (cache: TokenCache) => T): { job: Job; outcome: Promise<T> } {
  let resolve: (value: T) => void;
  let reject: (error: unknown) => void;
  const outcome = new Promise<T>((keep, refuse) => {
    resolve = keep;
    reject = refuse;
  });
  const perform = (cache: TokenCache): Performed => {
    const transaction = transact(cache, fn);
    return {
      changes: transaction.changes,
      settle: () => resolve(transaction.value),
      undo: () => transaction.undo(),
    };
  };
  return { job: { perform, reject: (error) => reject(error) }, outcome };
}
