/**
 * Parameters and helpers of the conformance cases.
 *
 * [Note: told failures] The person who reads a failed case wrote the store or the session library, and has not read the suite. So each
 * failure says what it did, what that means for users or what was promised, and what to change.
 */
import { AssertionError } from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import { TokenkeepError } from '../../errors.ts';
import type { PartitionStore } from '../partition-store.ts';

/**
 * One store, opened twice.
 *
 * @example
 * import type { OpenedStores } from 'tokenkeep/partitions/conformance';
 * import { redisStore } from 'tokenkeep/partitions/redis';
 *
 * const open = (): Promise<OpenedStores> =>
 *   Promise.resolve({ store: redisStore({ client }), another: redisStore({ client }) });
 */
export interface OpenedStores {
  readonly store: PartitionStore;
  /** The same data over another connection, as another process would see it. */
  readonly another: PartitionStore;
  /** For a store with stale reads: resolves when both connections can see every write. */
  readonly seen?: () => Promise<void>;
  /** Called after each case. */
  readonly close?: () => Promise<void>;
}

/**
 * Runs the checks of one case.
 *
 * @param key 43 characters of base64url, unique to this case
 */
export type Check = (stores: OpenedStores, key: string) => Promise<void>;

/** @throws AssertionError [Note: told failures] */
export function check(told: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return;
  throw new AssertionError({
    message: `${told} Found ${shown(found)}, expected ${shown(wanted)}.`,
    actual: found,
    expected: wanted,
    operator: 'deepStrictEqual',
  });
}

function shown(value: unknown): string {
  return inspect(value, { breakLength: Infinity, compact: true, maxArrayLength: 40, maxStringLength: 300 });
}

/** Returns a promise that the case awaits later, or not at all if it fails before: its rejection must not end the test runner. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Returns 'done', or the error's code; the text of an error without one. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: unknown) => (error instanceof TokenkeepError ? error.code : String(error)),
  );
}

export function codeAndMessage(error: unknown): string {
  return error instanceof TokenkeepError ? `${error.code}: ${error.message}` : String(error);
}

/** Waits until a condition becomes true, such as an expiry or a reconnection. Fails after some seconds. */
export async function until(isTrue: () => Promise<boolean>, told: string): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new AssertionError({ message: `${told} Waited for ${(300 * 50) / 1000} s.` });
}
