/** Parameters and helpers of the conformance cases. */
import { ok } from 'node:assert/strict';
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

/** Waits until a condition becomes true, such as an expiry or a reconnection. Fails after some seconds. */
export async function until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  ok(false, otherwise);
}
