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
import { AssertionError } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { outageCases, type ServerControls } from './outage-cases.ts';
import { cachesOver } from './cache-cases.ts';
import { leaseCases, withoutLeases } from './lease-cases.ts';
import { check, type Check, codeAndMessage, type OpenedStores, until } from './check.ts';
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
  /**
   * Rejects with an AssertionError if the store violates the contract. Its message says what the store did, what is promised, and what
   * to change.
   */
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
    Object.entries(checks).map(([name, one]) => ({ name, isAlone, run: () => runWith(open, one) }));
  return [
    ...casesOf({ ...CASES, ...cachesOver, ...(leases ? leaseCases : withoutLeases) }, false),
    ...casesOf(server ? outageCases(server, leases) : {}, true),
  ];
}

async function runWith(open: ConformanceOptions['open'], one: Check): Promise<void> {
  const stores = await open();
  try {
    await one(stores, newKey());
  } catch (cause) {
    if (cause instanceof AssertionError) throw cause;
    const message = `A call failed that must succeed. It threw “${codeAndMessage(cause)}”. Throw only if the store is down, slow or misconfigured, and give the case a working one. \`cause\` has the stack.`;
    throw Object.assign(new AssertionError({ message }), { cause });
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

/** What `read` resolves with, in a form that can be compared and shown. */
async function heldBy(store: PartitionStore, key: string): Promise<unknown> {
  const found: unknown = await store.read(key);
  return isEntry(found) ? plain(found) : found;
}

function isEntry(found: unknown): found is StoredPartition {
  return typeof found === 'object' && found !== null && Reflect.get(found, 'bytes') instanceof Uint8Array;
}

const plain = ({ bytes, version }: StoredPartition) => ({ bytes: Buffer.from(bytes), version });

const forEver = { expected: null, ttl: null };

/** What several cases need first. */
const TOLD = {
  create:
    '`write` did not create an entry where there was none, or did not say so. It must store the bytes and the version, and resolve with true.',
  kept: '`read` does not return what `write` stored. Bytes and version must come back unchanged, and the next read must see each write that has resolved: read from the primary.',
} as const;

const CASES: Record<string, Check> = {
  'reads null for a key that was never written': async ({ store }, key) => {
    check(
      '`read` found something under a key that was never written. Others would see a user who is not signed in as one with tokens. Resolve with null, not with undefined or an empty entry.',
      await heldBy(store, key),
      null,
    );
  },

  'reads what was written, also over another connection': async ({ store, another }, key) => {
    const first = entry('first');
    check(TOLD.create, await store.write(key, first, forEver), true);
    check(TOLD.kept, await heldBy(store, key), plain(first));
    check(
      'Another connection does not read what was written, so a user who signed in at one server is signed out at the next one. Both must use the same data, and reads must not go to a replica that lags behind.',
      await heldBy(another, key),
      plain(first),
    );
  },

  'returns every byte of empty and of large entries': async ({ store }, key) => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    let expected: string | null = null;
    for (const bytes of [Buffer.alloc(0), all, randomBytes(512 * 1024)]) {
      const next = entry(bytes);
      check(
        `\`write\` refused ${bytes.length} bytes. An entry may be empty, and users with many tokens have large ones: allow 512 KiB at least.`,
        await store.write(key, next, { expected, ttl: 60 }),
        true,
      );
      check(
        'Bytes changed on their way through the store, so the entry can’t be opened and the user is signed out. Store binary data, not text: no UTF-8, no cut at a zero.',
        await heldBy(store, key),
        plain(next),
      );
      expected = next.version;
    }
  },

  'does not create an entry where there is one': async ({ store, another }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    const told =
      '`write` with `expected: null` replaced an entry, so tokens that another server stored are lost. null means “only if there is none”: then leave the entry, and resolve with false.';
    check(told, await another.write(key, entry('second'), forEver), false);
    check(told, await heldBy(store, key), plain(first));
  },

  'replaces an entry only if it has the expected version': async ({ store, another }, key) => {
    const [first, second] = [entry('first'), entry('second')];
    await store.write(key, first, forEver);
    check(
      '`write` did not replace an entry of the expected version, so no update succeeds. Compare `expected` with the stored version, store the new entry, and resolve with true.',
      await another.write(key, second, { expected: first.version, ttl: null }),
      true,
    );
    const told =
      '`write` replaced an entry of another version than the expected one, so tokens that another server stored are lost. Compare and replace in one atomic step; if the versions differ, change nothing and resolve with false.';
    check(told, await store.write(key, entry('late'), { expected: first.version, ttl: null }), false);
    check(told, await heldBy(store, key), plain(second));
  },

  'does not replace an entry that was removed': async ({ store, another, seen }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    await another.remove(key);
    const told =
      '`write` stored an entry although the expected one was removed, so a late refresh brings back a user who signed out. Where there is no entry, change nothing and resolve with false unless `expected` is null.';
    check(told, await store.write(key, entry('late'), { expected: first.version, ttl: null }), false);
    await seen?.();
    check(told, await heldBy(store, key), null);
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
    const told =
      'Of 20 writers that expected the same version, not exactly one was told that it had won, or another’s entry is stored: updates that were acknowledged are lost. Compare and replace in one step of the server, such as a script, a transaction or a conditional write, not by a read and a write.';
    check(told, won.filter(Boolean).length, 1);
    check(told, await heldBy(store, key), plain(rivals[won.indexOf(true)] ?? first));
  },

  'removes an entry, and resolves if there is none': async ({ store, another, seen }, key) => {
    await store.write(key, entry('first'), forEver);
    const told =
      '`remove` left the entry, or did not say that it is gone: a user who signed out is still signed in. Delete it for all connections, and resolve with true.';
    check(told, await another.remove(key), true);
    await seen?.();
    check(told, await heldBy(store, key), null);
    const nothing =
      '`remove` of a key without an entry did not resolve with true. A sign-out that is repeated must succeed: there is no entry, which is what was asked for.';
    check(nothing, await store.remove(key), true);
    check(nothing, await store.remove(key, entry('never there').version), true);
  },

  'does not remove an entry that has another version': async ({ store }, key) => {
    const first = entry('first');
    await store.write(key, first, forEver);
    const told =
      '`remove` deleted an entry of another version than the expected one, so tokens that another server has just stored are lost. Compare and delete in one atomic step; if the versions differ, change nothing and resolve with false.';
    check(told, await store.remove(key, entry('other').version), false);
    check(told, await heldBy(store, key), plain(first));
    const own =
      '`remove` did not delete the entry of the expected version: a user who signed out is still signed in.';
    check(own, await store.remove(key, first.version), true);
    check(own, await heldBy(store, key), null);
  },

  'expires an entry after its TTL; touch extends the TTL and changes nothing else': async (
    { store, another },
    key,
  ) => {
    const [short, touched, other] = [entry('short'), entry('touched'), newKey()];
    const [first, renewed, lasting, shortened] = [entry('first'), entry('renewed'), newKey(), newKey()];
    check(TOLD.create, await store.write(other, touched, { expected: null, ttl: 3 }), true);
    await store.touch(other, 60);
    const hastened = newKey();
    check(TOLD.create, await store.write(hastened, first, { expected: null, ttl: 60 }), true);
    await store.touch(hastened, 3);
    check(TOLD.create, await store.write(lasting, first, { expected: null, ttl: 3 }), true);
    check(TOLD.create, await store.write(lasting, renewed, { expected: first.version, ttl: 60 }), true);
    check(TOLD.create, await store.write(shortened, first, forEver), true);
    check(TOLD.create, await store.write(shortened, renewed, { expected: first.version, ttl: 3 }), true);
    // Long enough that even a busy machine gets here before the first TTL would have ended.
    check(TOLD.create, await store.write(key, short, { expected: null, ttl: 3 }), true);
    await until(
      async () => (await another.read(key)) === null,
      'An entry with `ttl: 3` can still be read, so tokens of users who never return stay in the store. `ttl` is in seconds. If the server deletes late, `read` must compare the time.',
    );
    check(
      'An entry that was touched with 60 s expired after its first 3 s, or was changed. `touch` sets a new expiry time and leaves bytes and version as they are.',
      await heldBy(store, other),
      plain(touched),
    );
    check(
      'An entry that was replaced with `ttl: 60` expired after the 3 s of the one before, so active users are signed out. Each `write` sets the expiry time anew.',
      await heldBy(store, lasting),
      plain(renewed),
    );
    await until(
      async () => (await another.read(shortened)) === null,
      'An entry that was replaced with `ttl: 3` keeps the later expiry of the one before, so tokens of users who never return stay in the store. Each `write` sets the expiry time anew.',
    );
    await until(
      async () => (await another.read(hastened)) === null,
      'An entry with `ttl: 60` that was touched with 3 s can still be read. `touch` sets the expiry time to that many seconds from now, whatever it was before.',
    );
    await store.touch(key, 60);
    check(
      '`touch` revived an entry that had expired. An expired entry does not count, even if it is not deleted yet.',
      await heldBy(store, key),
      null,
    );
    const next = entry('next');
    check(
      '`write` with `expected: null` was refused under a key whose entry has expired, so the user can’t sign in again. An expired entry does not count, even if it is not deleted yet.',
      await store.write(key, next, forEver),
      true,
    );
    check(TOLD.kept, await heldBy(store, key), plain(next));
  },

  'creates no entry when touched': async ({ store }, key) => {
    await store.touch(key, 60);
    check(
      '`touch` created an entry, so a user who signed out has an unreadable partition. It must do nothing where there is none.',
      await heldBy(store, key),
      null,
    );
  },

  'keeps entries of different keys independent': async ({ store }, key) => {
    const other = newKey();
    const [mine, theirs] = [entry('mine'), entry('theirs')];
    await store.write(key, mine, forEver);
    await store.write(other, theirs, forEver);
    await store.remove(key);
    const told =
      'Two keys share an entry, so one user gets or removes the tokens of another. Compare the whole key, byte by byte: upper and lower case differ.';
    check(told, await heldBy(store, key), null);
    check(told, await heldBy(store, other), plain(theirs));
    const otherCase = other.replace(/[a-z]/gi, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    check(told, await heldBy(store, otherCase), null);
  },

  'lists and replaces entries for maintenance, if it can': async ({ store, another, seen }, key) => {
    if (store.maintenance === undefined) return;
    const { maintenance } = store;
    const [first, next] = [entry('first'), entry('next')];
    const [gone, short] = [newKey(), newKey()];
    // 300 entries of 5 kB: more than one page of any server.
    const many = Array.from({ length: 300 }, newKey);
    const large = entry(randomBytes(5000));
    for (const one of many) await store.write(one, large, forEver);
    await store.write(key, first, forEver);
    await store.write(gone, entry('gone'), forEver);
    await store.leases?.take(key, { name: newKey(), owner: 'o'.repeat(22), ttl: 60 });
    await store.remove(gone);
    await seen?.();
    const all = new Set<string>();
    for await (const one of maintenance.keys()) all.add(one);
    const toldKeys =
      '`maintenance.keys` must list each stored entry by its key, and neither leases nor removed entries: `reseal` leaves out what is not listed, and the old key is then removed too early.';
    check(
      toldKeys,
      [...all].filter((one) => one.includes(key) || one.includes(gone)),
      [key],
    );
    const missing = many.filter((one) => !all.has(one)).length;
    check(`${toldKeys} Ask for all pages: of ${many.length} more entries, some are missing.`, missing, 0);
    for (const one of many) await store.remove(one);
    const told =
      '`maintenance.replace` must, in one atomic step, replace an entry of the expected version and resolve with true, else change nothing and resolve with false: `reseal` would undo an update.';
    check(told, await maintenance.replace(key, entry('late'), entry('other').version), false);
    check(told, await maintenance.replace(gone, entry('late'), entry('other').version), false);
    check(told, await heldBy(store, gone), null);
    check(told, await maintenance.replace(key, next, first.version), true);
    await seen?.();
    check(told, await heldBy(another, key), plain(next));
    await store.write(short, first, { expected: null, ttl: 5 });
    await maintenance.replace(short, next, first.version); // On a busy machine, it may have expired.
    await until(
      async () => (await another.read(short)) === null,
      '`maintenance.replace` changed when the entry expires: it must keep the time of the entry that it replaces.',
    );
  },
};
