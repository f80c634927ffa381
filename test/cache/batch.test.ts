/** Entries, changes and batches, on which vaults and partitions build. */
import { describe, expect, test } from 'vitest';
import { condensed, Entry, eventOf, inverse } from '../../src-main/cache/entry.ts';
import {
  cacheOf,
  type InTurns,
  type Job,
  runBatch,
  runBatchInTurns,
  storeOf,
  TokenCache,
} from '../../src-main/cache/token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { itemsIn, signIn } from './events.ts';

/** Returns a job and the promise of its outcome. */
function jobOf<T>(run: (cache: TokenCache) => T): { job: Job; outcome: Promise<T> } {
  const job: { -readonly [Name in keyof Job]: Job[Name] } = { run, resolve: () => {}, reject: () => {} };
  const outcome = new Promise<T>((resolve, reject) => {
    job.resolve = resolve as Job['resolve'];
    job.reject = reject;
  });
  return { job, outcome };
}

describe('a batch', () => {
  test('runs jobs one after the other, and tells each its outcome when it is settled', async () => {
    const cache = new TokenCache({ now: () => 1000 });
    const first = jobOf((c) => c.add(signIn()).kept.length);
    const failing = jobOf((c) => {
      c.signOutAll();
      throw new RangeError('mine');
    });
    const reading = jobOf((c) => c.accounts().length);
    const batch = runBatch(cache, [first.job, failing.job, reading.job]);
    expect(batch.updates).toHaveLength(1);
    expect(batch.changes).toHaveLength(5);
    batch.settle();
    expect(await first.outcome).toBe(5);
    await expect(failing.outcome).rejects.toThrow(RangeError);
    expect(await reading.outcome).toBe(1);
  });

  test('that is withdrawn leaves the cache as it was, and each job gets the error, or its own', async () => {
    const cache = new TokenCache({ now: () => 1000 });
    cache.add(signIn());
    const before = itemsIn(cache);
    const leaving = jobOf((c) => c.signOut('uid.utid'));
    const failing = jobOf(() => {
      throw new RangeError('mine');
    });
    const batch = runBatch(cache, [leaving.job, failing.job]);
    expect(cache.accounts()).toEqual([]);
    batch.withdraw(new Error('disk full'));
    await expect(leaving.outcome).rejects.toThrow('disk full');
    await expect(failing.outcome).rejects.toThrow('mine');
    expect(itemsIn(cache).toSorted((a, b) => String(a.key).localeCompare(String(b.key)))).toEqual(
      before.toSorted((a, b) => String(a.key).localeCompare(String(b.key))),
    );
  });

  test('may be dropped, and its jobs run again on a newer cache', async () => {
    const job = jobOf((c) => {
      if (c.accounts().length === 0) throw new Error('nobody');
      return c.accounts().length;
    });
    runBatch(new TokenCache(), [job.job]);
    const newer = new TokenCache();
    newer.add(signIn());
    runBatch(newer, [job.job]).settle();
    expect(await job.outcome).toBe(1);
  });

  test('refuses an async job, and only that one fails', async () => {
    const cache = new TokenCache();
    const late = jobOf(async (c) => {
      c.add(signIn());
      await Promise.resolve();
    });
    const batch = runBatch(cache, [late.job]);
    expect(batch.changes).toEqual([]);
    batch.settle();
    await expect(late.outcome).rejects.toThrow(InvalidArgumentError);
  });
});

describe('an entry', () => {
  const value = { client_id: 'app', environment: 'e' };

  test('is checked and frozen when it is made', () => {
    const own = { ...value };
    const entry = Entry.of('AppMetadata', 'k', own);
    expect([entry.isUnderstood, Object.isFrozen(own), entry.entity]).toEqual([true, true, own]);
    expect(Entry.of('AppMetadata', 'k', { client_id: 7 }).entity).toBeNull();
    expect(Entry.of('other', 'k', 1).key).toBeNull();
    expect(() => Entry.of('AppMetadata', 'k', { now: new Date() })).toThrow(InvalidArgumentError);
  });

  test('exchanges its value in every cache and change that holds it, without an event', () => {
    const entry = Entry.of('AppMetadata', 'k', value);
    const caches = [cacheOf([entry]), cacheOf([entry])];
    const versions = caches.map(({ version }) => version);
    const sealed = Object.freeze({ ...value });
    entry.exchange(sealed);
    for (const cache of caches) expect(cache.find('AppMetadata')[0]).toBe(sealed);
    expect(caches.map(({ version }) => version)).toEqual(versions);
  });

  test('of a whole root makes room for entities, and goes on beside them', () => {
    const cache = cacheOf([Entry.of('AppMetadata', null, [1]), Entry.of('AppMetadata', 'k', value)]);
    expect(itemsIn(cache)).toEqual([
      { section: 'AppMetadata-2', key: null, value: [1] },
      { section: 'AppMetadata', key: 'k', value },
    ]);
    storeOf(cache).put(Entry.of('AppMetadata', null, [2]));
    expect(cache.find('AppMetadata')).toEqual([value]);
    expect(itemsIn(cache).map(({ section }) => section)).toEqual([
      'AppMetadata-2',
      'AppMetadata',
      'AppMetadata-3',
    ]);
  });
});

test('changes of one place become one, and its inverse takes it back', () => {
  const [a, b] = [1, 2].map((n) => Entry.of('AppMetadata', 'k', { client_id: `${n}`, environment: 'e' }));
  expect(condensed([{ after: a! }, { before: a!, after: b! }])).toEqual([{ after: b }]);
  expect(condensed([{ after: a! }, { before: a! }])).toEqual([]);
  expect(inverse({ before: a!, after: b! })).toEqual({ before: b, after: a });
  expect(eventOf([{ before: a!, after: b! }])).toEqual({
    entities: [{ type: 'AppMetadata', key: 'k', before: a!.value, after: b!.value }],
    kept: [],
  });
});

describe('a job of many turns', () => {
  /** Runs the work on a cache as a handle does, and `meanwhile` in each of its pauses. */
  async function run(cache: TokenCache, inTurns: InTurns<unknown>, meanwhile: () => void) {
    storeOf(cache).isLent = true;
    const job = jobOf(() => undefined);
    const { resolve, reject } = job.job;
    const batch = await runBatchInTurns(cache, [{ inTurns, resolve, reject }], async () => {
      await Promise.resolve();
      meanwhile();
    });
    batch.settle();
    return { batch, outcome: job.outcome };
  }

  const work: InTurns<void> = async (cache, pause) => {
    cache.add(signIn());
    await pause();
    cache.add(signIn({}, {}, { uid: 'ben' }));
  };

  test('takes no changes from elsewhere in its pauses, and its own are one update', async () => {
    const cache = new TokenCache({ now: () => 1000 });
    const seen: number[] = [];
    const { batch, outcome } = await run(cache, work, () => {
      seen.push(cache.accounts().length);
      expect(() => cache.signOutAll()).toThrow(InvalidArgumentError);
    });
    await outcome;
    expect(seen).toEqual([1]);
    expect(batch.updates).toHaveLength(1);
    expect(cache.accounts()).toHaveLength(2);
    batch.withdraw(new Error('disk full'));
    expect(cache.accounts()).toEqual([]);
  });

  test('that fails after a pause leaves the cache as it was', async () => {
    const cache = new TokenCache({ now: () => 1000 });
    const failing: InTurns<void> = async (own, pause) => {
      await work(own, pause);
      throw new RangeError('mine');
    };
    const { batch, outcome } = await run(cache, failing, () => undefined);
    await expect(outcome).rejects.toThrow(RangeError);
    expect(batch.changes).toEqual([]);
    expect(cache.accounts()).toEqual([]);
    expect(() => cache.add(signIn())).toThrow(InvalidArgumentError); // No transaction is left open.
  });
});
