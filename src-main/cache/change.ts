/** Changes that happen whole or not at all, and can be taken back, replayed and carried over to another cache. */
import { InvalidArgumentError } from '../errors.ts';
import { freezeJson } from './json.ts';
import { atOneGo, type Sliced } from './sliced.ts';
import type { RecordChange } from './store.ts';
import { storeOf, type TokenCache } from './token-cache.ts';

export type { RecordChange } from './store.ts';

export interface Transaction<T> {
  value: T;
  /** One for each place that is not as it was; none where all was taken back in the end. */
  changes: readonly RecordChange[];
  /** Puts everything back as it was before, with a `change` event; for changes that could not be made durable. */
  undo(): void;
}

/**
 * Runs `fn` on the cache. Where it throws, the cache is as it was, and the error goes on. One `change` event at the end.
 *
 * @throws InvalidArgumentError where `fn` gives a promise: what it does later would be in no transaction
 */
export function transact<T>(cache: TokenCache, fn: (cache: TokenCache) => T): Transaction<T> {
  return atOneGo(
    transactInSlices(cache, function* () {
      const result = fn(cache);
      if (!isThenable(result)) return result;
      Promise.resolve(result).catch(() => undefined); // It ends unheard: the caller learns of the real mistake.
      throw new InvalidArgumentError(
        'The function that changes a cache must not be async. Its changes were taken back; do the waiting before.',
      );
    }),
  );
}

/** `transact` with pauses. */
export function* transactInSlices<T>(
  cache: TokenCache,
  fn: (cache: TokenCache) => Sliced<T>,
): Sliced<Transaction<T>> {
  const { value, changes } = yield* storeOf(cache).runInSlices(() => fn(cache));
  return { value, changes, undo: () => apply(cache, changes.map(inverse)) };
}

/** Makes changes that were made elsewhere: to another cache, by another process. One `change` event. */
export function apply(cache: TokenCache, changes: readonly RecordChange[]): void {
  atOneGo(applyInSlices(cache, changes));
}

/** `apply` with pauses. */
export function* applyInSlices(cache: TokenCache, changes: readonly RecordChange[]): Sliced<void> {
  const store = storeOf(cache);
  yield* store.runInSlices(function* () {
    for (const { section, key, after } of changes) {
      yield;
      if (after === undefined) store.drop(section, key);
      else if (freezeJson(after)) store.put(section, key, after);
      else throw new InvalidArgumentError('A change holds something that is no JSON. Nothing was changed.');
    }
  });
}

function inverse({ section, key, before, after }: RecordChange): RecordChange {
  return {
    section,
    key,
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
