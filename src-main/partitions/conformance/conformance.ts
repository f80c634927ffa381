/**
 * `tokenkeep/partitions/conformance`: conformance suites for partition stores and session libraries, for any test runner.
 *
 *     for (const { name, run } of partitionStoreConformance({ open })) test(name, run);
 *     for (const { name, run } of sessionConformance({ serve })) test(name, run);
 *
 * Cases that test expiry take some seconds, so a runner that runs cases concurrently is faster.
 *
 * @module tokenkeep/partitions/conformance
 */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { outageCases, type ServerControls } from './outage-cases.ts';
import { cachesOver } from './cache-cases.ts';
import { leaseCases, withoutLeases } from './lease-cases.ts';
import { type Check, type OpenedStores, until } from './check.ts';
import type { PartitionStore, StoredPartition } from '../partition-store.ts';
import { checkOptions } from '../../options.ts';

export type { Check, OpenedStores } from './check.ts';
export type { ServerControls } from './outage-cases.ts';
export {
  type ServedSessions,
  sessionConformance,
  type SessionConformanceCase,
  type SessionConformanceOptions,
  type SessionVisit,
} from './session-conformance.ts';

/** Options of `partitionStoreConformance`. */
export interface ConformanceOptions {
  /** Called once for each case. Keys are new for each case, so the data may stay. */
  readonly open: () => Promise<OpenedStores>;
  /** Controls of the real server. If present, the suite includes the outage cases. */
  readonly server?: ServerControls;
  /** false: the store has no leases. */
  readonly leases?: boolean;
}

/**
 * One test, for any runner.
 *
 * @example
 * import { test } from 'node:test';
 * import type { ConformanceCase } from 'tokenkeep/partitions/conformance';
 *
 * const register = ({ name, isAlone, run }: ConformanceCase) => test(name, { concurrency: !isAlone }, run);
 */
export interface ConformanceCase {
  readonly name: string;
  /** Whether the case stops or pauses the server, so that no other case may run at the same time. All others may run concurrently. */
  readonly isAlone: boolean;
  /** Rejects with an AssertionError if the store violates the contract. */
  readonly run: () => Promise<void>;
}

/**
 * Returns the conformance cases of a partition store. Each rejects if the store violates the contract.
 *
 * @example
 * import { test } from 'node:test';
 * import { memoryStore } from 'tokenkeep/partitions';
 * import { partitionStoreConformance } from 'tokenkeep/partitions/conformance';
 *
 * const store = memoryStore();
 * const open = () => Promise.resolve({ store, another: store });
 * for (const { name, run } of partitionStoreConformance({ open })) void test(name, run);
 */
export function partitionStoreConformance(options: ConformanceOptions): ConformanceCase[] {
  const {
    open,
    server,
    leases = true,
  } = checkOptions('partitionStoreConformance', options, {
    open: true,
    server: true,
    leases: true,
  });
  const casesOf = (checks: Record<string, Check>, isAlone: boolean): ConformanceCase[] =>
    Object.entries(checks).map(([name, check]) => ({ name, isAlone, run: () => runWith(open, check) }));
  return [
    ...casesOf({ ...CASES, ...cachesOver, ...(leases ? leaseCases : withoutLeases) }, false),
    ...casesOf(server ? outageCases(server, leases) : {}, true),
  ];
}

async function runWith(open: ConformanceOptions['open'], check: Check): Promise<void> {
  const stores = await open();
  try {
    await check(stores, newKey());
  } finally {
    await stores.close?.();
  }
}

function newKey(): string {
  return randomBytes(32).toString('base64url');
}

function entry(bytes: Uint8Array | string): StoredPartition {
  return { bytes: Buffer.from(bytes), version: randomBytes(12).toString('base64url') };
}

async function assertHolds(
  store: PartitionStore,
  key: string,
  expected: StoredPartition | null,
): Promise<void> {
  const found = await store.read(key);
  if (expected === null || found === null) {
    strictEqual(found, expected);
    return;
  }
  strictEqual(found.version, expected.version);
  deepStrictEqual(Buffer.from(found.bytes), Buffer.from(expected.bytes));
}

const forEver = { expected: null, ttl: null };

const CASES: Record<string, Check> = {
  'reads null for a key that was never written': ({ store }, key) => assertHolds(store, key, null),

  'reads what was written, also over another connection': async ({ store, another }, key) => {
    const first = entry('first');
    strictEqual(await store.write(key, first, forEver), true);
    await assertHolds(store, key, first);
    await assertHolds(another, key, first);
  },

  'returns every byte of empty and of large entries': async ({ store }, key) => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    let expected: string | null = null;
    for (const bytes of [Buffer.alloc(0), all, randomBytes(512 * 1024)]) {
      const next = entry(bytes);
      strictEqual(await store.write(key, next, { expected, ttl: 60 }), true);
      await assertHolds(store, key, next);
      expected = next.version;
    }
  },

  'does not create an entry where there is one': async ({ store, another }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    strictEqual(await another.write(key, entry('second'), forEver), false);
    await assertHolds(store, key, first);
  },

  'replaces an entry only if it has the expected version': async ({ store, another }, key) => {
    const [first, second] = [entry('first'), entry('second')];
    await store.write(key, first, forEver);
    strictEqual(await another.write(key, second, { expected: first.version, ttl: null }), true);
    strictEqual(await store.write(key, entry('late'), { expected: first.version, ttl: null }), false);
    await assertHolds(store, key, second);
  },

  'does not replace an entry that was removed': async ({ store, another, seen }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    await another.remove(key);
    strictEqual(await store.write(key, entry('late'), { expected: first.version, ttl: null }), false);
    await seen?.();
    await assertHolds(store, key, null);
  },

  'lets one of many simultaneous writers replace an entry': async ({ store, another }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    const rivals = Array.from({ length: 20 }, (_, index) => entry(`rival ${index}`));
    const won = await Promise.all(
      rivals.map((rival, index) =>
        (index % 2 ? store : another).write(key, rival, { expected: first.version, ttl: null }),
      ),
    );
    strictEqual(won.filter(Boolean).length, 1);
    await assertHolds(store, key, rivals[won.indexOf(true)] ?? null);
  },

  'removes an entry, and resolves if there is none': async ({ store, another, seen }, key) => {
    await store.write(key, entry('first'), forEver);
    strictEqual(await another.remove(key), true);
    await seen?.();
    await assertHolds(store, key, null);
    strictEqual(await store.remove(key), true);
    strictEqual(await store.remove(key, entry('never there').version), true);
  },

  'does not remove an entry that has another version': async ({ store }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    strictEqual(await store.remove(key, entry('other').version), false);
    await assertHolds(store, key, first);
    strictEqual(await store.remove(key, first.version), true);
    await assertHolds(store, key, null);
  },

  'expires an entry after its TTL; touch extends the TTL and changes nothing else': async (
    { store, another },
    key,
  ) => {
    const [short, touched, other] = [entry('short'), entry('touched'), newKey()];
    strictEqual(await store.write(other, touched, { expected: null, ttl: 3 }), true);
    await store.touch(other, 60);
    // Long enough that even a busy machine gets here before the first TTL would have ended.
    strictEqual(await store.write(key, short, { expected: null, ttl: 3 }), true);
    await until(async () => (await another.read(key)) === null, 'the entry did not expire after its TTL');
    await assertHolds(store, other, touched);
    const next = entry('next');
    strictEqual(await store.write(key, next, forEver), true);
    await assertHolds(store, key, next);
  },

  'creates no entry when touched': async ({ store }, key) => {
    await store.touch(key, 60);
    await assertHolds(store, key, null);
  },

  'keeps entries of different keys independent': async ({ store }, key) => {
    const other = newKey();
    const [mine, theirs] = [entry('mine'), entry('theirs')];
    await store.write(key, mine, forEver);
    await store.write(other, theirs, forEver);
    await store.remove(key);
    await assertHolds(store, key, null);
    await assertHolds(store, other, theirs);
  },
};
