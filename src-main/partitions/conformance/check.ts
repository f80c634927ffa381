/** What a conformance case is given, and how it waits. */
import { ok } from 'node:assert/strict';
import type { PartitionStore } from '../partition-store.ts';

/** One store, opened twice. */
export interface OpenedStores {
  readonly store: PartitionStore;
  /** The same data over another connection, as another process has it. */
  readonly another: PartitionStore;
  /** For a store whose reads may be old for a while: resolves when all that was written can be seen over both connections. */
  readonly seen?: () => Promise<void>;
  /** Called after each case. */
  readonly close?: () => Promise<void>;
}

/**
 * What a case checks.
 *
 * @param key 43 characters of base64url that no other case has
 */
export type Check = (stores: OpenedStores, key: string) => Promise<void>;

/** Waits for what must come true within some seconds: an expiry, a connection that comes back. */
export async function until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  ok(false, otherwise);
}
