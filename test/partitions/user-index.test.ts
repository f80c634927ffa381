// Not in npm run check: it waits for a deadline of seconds.
/** The index of a user's partitions: what a sign-out everywhere must find, however its partitions were written, and for how long. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import {
  memoryStore,
  type PartitionedCaches,
  partitionedCaches,
  type PartitionedCachesOptions,
  type PartitionStore,
} from '../../src-main/partitions/index.ts';
import { readEntry, writeEntry } from '../../src-main/partitions/entry.ts';
import type { IndexRecord } from '../../src-main/partitions/user-index.ts';
import { marksOf } from '../../src-main/partitions/marks.ts';
import { base64url } from '../cache/events.ts';
import { caches as sealed, KEYS } from './people.ts';

const issuer = 'https://id.example';
const HOUR = 3600;
const DAY = 24 * HOUR;

function signIn(cache: TokenCache, sub: string, claims: object = {}, client_id = 'my-app'): void {
  cache.add({
    client_id,
    scope: ['read'],
    token_endpoint: `${issuer}/token`,
    response: {
      access_token: `at of ${sub}`,
      refresh_token: `rt of ${sub}`,
      id_token: `${base64url({ alg: 'none' })}.${base64url({ iss: issuer, sub, preferred_username: sub, ...claims })}.`,
      token_type: 'Bearer',
      expires_in: 300,
    },
  });
}

const namesIn = (cache: TokenCache): string[] => cache.accounts().map(({ username }) => username);

const caches = (options: Partial<PartitionedCachesOptions> = {}): PartitionedCaches =>
  sealed({ userIndex: true, ...options });

/** A store that waits before each read and write. */
const slow = (store: PartitionStore, milliseconds: number): PartitionStore => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, milliseconds));
  return {
    ...store,
    read: (...call) => pause().then(() => store.read(...call)),
    write: (...call) => pause().then(() => store.write(...call)),
  };
};

it('an update does not wait past its own deadline for the change of another', async () => {
  const store = memoryStore();
  const [asked, settled]: [string[], string[]] = [[], []];
  let [isHanging, answer] = [false, (): void => undefined];
  const all = caches({
    timeout: 3000,
    store: {
      ...store,
      read: async (key, call) => {
        asked.push(key);
        if (key === early.key) await new Promise<void>((resolve) => (answer = resolve));
        return store.read(key, call);
      },
      write: (...call) => (isHanging ? new Promise(() => undefined) : store.write(...call)),
    },
  });
  const [early, late] = [all.partition('early'), all.partition('late')];
  const update = async (name: string, partition: typeof early): Promise<void> => {
    const error: unknown = await partition
      .update((cache) => signIn(cache, 'noor'))
      .catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'store_timeout' });
    settled.push(name);
  };
  const first = update('early', early);
  await vi.waitUntil(() => asked.includes(early.key), 20_000);
  const begun = performance.now();
  await vi.waitUntil(() => performance.now() - begun > 200, 20_000); // Deadlines are checked every 20 ms.
  isHanging = true;
  const second = update('late', late);
  await vi.waitUntil(() => asked.length === 4, 20_000); // Both partitions and the two index entries of the late one.
  answer();
  await Promise.all([first, second]);
  expect(settled).toEqual(['early', 'late']);
});

describe('a logout token finds the partition', () => {
  it.each<[string, object[], object]>([
    ['after the session at the provider changed', [{ sid: 's1' }, { sid: 's2' }], { sub: 'noor', sid: 's2' }],
    ['of an ID token without a session', [{}], { sub: 'noor', sid: 's1' }],
    ['after a refreshed ID token left the session out', [{ sid: 's1' }, {}], { sub: 'noor', sid: 's1' }],
    ['by the session that a refreshed ID token left out', [{ sid: 's1' }, {}], { sid: 's1' }],
  ])('%s', async (_what, tokens, user) => {
    const all = caches();
    for (const claims of tokens) await all.partition('a').update((cache) => signIn(cache, 'noor', claims));
    const meant = { issuer, ...user } as Parameters<typeof all.signOutUser>[0];
    expect(await all.signOutUser(meant)).toEqual({ partitions: 1, deleted: 0, remaining: 0 });
    expect(await all.partition('a').read(namesIn)).toEqual([]);
  });

  it('of one device, also after refreshes that left the sessions out', async () => {
    const all = caches();
    for (const claims of [['s1', 's2'], []]) {
      await all.partition('laptop').update((cache) => signIn(cache, 'noor', { sid: claims[0] }));
      await all.partition('phone').update((cache) => signIn(cache, 'noor', { sid: claims[1] }));
    }
    expect(await all.signOutUser({ issuer, sub: 'noor', sid: 's2' })).toMatchObject({ partitions: 1 });
    expect(await all.partition('laptop').read(namesIn)).toEqual(['noor']);
    expect(await all.signOutUser({ issuer, sub: 'noor', sid: 's1' })).toMatchObject({ partitions: 1 });
  });

  it.each([
    ['still only of her session, after others signed out of it and her ID token left the session out', 1, 0],
    ['of a new sign-in whose session is not known, though others signed out of it as well', 2, 1],
  ])('%s', async (_what, noorSignsIn, found) => {
    const all = caches();
    const shared = all.partition('a', { user: 'several' });
    const others = ['piet', 'mila', 'jan'];
    for (const other of others) await shared.update((cache) => signIn(cache, other, { sid: `of ${other}` }));
    const leaves = async (sub: string): Promise<void> => {
      const accounts = await shared.read((cache) => cache.accounts({ username: sub }));
      for (const account of accounts) await shared.signOut(account);
    };
    await shared.update((cache) => signIn(cache, 'noor', { sid: 's1' }));
    await leaves('piet');
    if (noorSignsIn === 2) await leaves('noor');
    await leaves('mila');
    await shared.update((cache) => signIn(cache, 'noor'));
    const user = { issuer, sub: 'noor' };
    expect(await all.signOutUser({ ...user, sid: 's2' })).toMatchObject({ partitions: found });
    expect(await all.signOutUser({ ...user, sid: 's1' })).toMatchObject({ partitions: 1 - found });
    expect(await shared.read(namesIn)).toEqual(['jan']);
  });

  it.each(['s1', 's2'])('of two apps with a session each: %s', async (sid) => {
    const all = caches();
    const partition = all.partition('a');
    await partition.update((cache) => signIn(cache, 'noor', { sid: 's1' }, 'one'));
    await partition.update((cache) => signIn(cache, 'noor', { sid: 's2' }, 'other'));
    expect(await all.signOutUser({ issuer, sub: 'noor', sid })).toMatchObject({ partitions: 1 });
  });

  it('not of another session', async () => {
    const all = caches();
    await all.partition('a').update((cache) => signIn(cache, 'noor', { sid: 's1' }));
    expect(await all.signOutUser({ issuer, sub: 'noor', sid: 's2' })).toMatchObject({ partitions: 0 });
    expect(await all.partition('a').read(namesIn)).toEqual(['noor']);
  });

  it('of several users, one of whom signed out and in again', async () => {
    const all = caches();
    const partition = all.partition('a', { user: 'several' });
    for (const sub of ['noor', 'piet']) await partition.update((cache) => signIn(cache, sub));
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await all.signOutUser({ issuer, sub: 'noor' })).toMatchObject({ partitions: 1, remaining: 0 });
      expect(await partition.read(namesIn)).toEqual(['piet']);
      await partition.update((cache) => signIn(cache, 'noor'));
    }
  });
});

it('a partition that was removed is listed no more', async () => {
  const all = caches();
  for (const id of ['a', 'b']) await all.partition(id).update((cache) => signIn(cache, 'noor'));
  await all.partition('a').remove();
  expect(await all.signOutUser('noor')).toMatchObject({ partitions: 1, remaining: 0 });
});

describe('an index entry lives as long as every partition that it lists', () => {
  function stage(ttl: PartitionedCachesOptions['ttl']) {
    const clock = { now: 1_700_000_000 };
    const now = () => clock.now;
    const store = memoryStore({ now });
    return { clock, store, all: caches({ store, now, ttl: ttl ?? 'tokens' }) };
  }

  it('also if another partition of the user is read whose lifetime is shorter', async () => {
    const { clock, all } = stage({ sliding: HOUR });
    await all.partition('phone', { ttl: 30 * DAY }).update((cache) => signIn(cache, 'noor'));
    await all.partition('laptop').update((cache) => signIn(cache, 'noor'));
    clock.now += HOUR / 2;
    expect(await all.partition('laptop').read(namesIn)).toEqual(['noor']);
    clock.now += DAY;
    expect((await all.signOutUser('noor')).partitions).toBe(2); // The laptop's has expired, but not its record.
    expect(await all.partition('phone').read(namesIn)).toEqual([]);
  });

  it.each(['signs in', 'signs out'])('if reads keep one alive while another device %s', async (what) => {
    const { clock, all } = stage({ sliding: HOUR });
    const [laptop, phone] = [all.partition('laptop'), all.partition('phone')];
    for (const one of [laptop, phone]) await one.update((cache) => signIn(cache, 'noor'));
    const readFor = async (hours: number): Promise<void> => {
      for (let left = hours * 4; left > 0; left -= 1) {
        clock.now += HOUR / 4;
        expect(await laptop.read(namesIn)).toEqual(['noor']);
        if (left % 2 === 0) await phone.read(namesIn);
      }
    };
    await readFor(5);
    await phone.update((cache) => (what === 'signs in' ? signIn(cache, 'noor') : cache.signOutAll()));
    await readFor(2);
    expect((await all.signOutUser('noor')).partitions).toBe(what === 'signs in' ? 2 : 1);
    expect(await laptop.read(namesIn)).toEqual([]);
  });

  it('and reads write it at most once in a tenth of the lifetime', async () => {
    const { clock, store } = stage('tokens');
    let writes = 0;
    const write: typeof store.write = (...call) => {
      writes += 1;
      return store.write(...call);
    };
    const all = caches({ store: { ...store, write }, now: () => clock.now, ttl: { sliding: 1000 } });
    await all.partition('a').update((cache) => signIn(cache, 'noor'));
    writes = 0;
    for (let read = 0; read < 100; read += 1) {
      clock.now += 10;
      await all.partition('a').read(namesIn);
    }
    expect(writes).toBeGreaterThan(0);
    expect(writes).toBeLessThanOrEqual(2 * 10); // Two entries.
  });

  it('a partition of several users keeps its lifetime when one is signed out', async () => {
    const { clock, all } = stage(DAY);
    const partition = all.partition('a', { user: 'several', ttl: 30 * DAY });
    for (const sub of ['noor', 'piet']) await partition.update((cache) => signIn(cache, sub));
    await all.signOutUser('noor');
    clock.now += 29 * DAY;
    expect(await partition.read(namesIn)).toEqual(['piet']);
  });
});

describe('an index entry that cannot be opened', () => {
  const [old, young] = [KEYS[0], { id: 'k2', key: randomBytes(32) }];

  it('keeps nobody from signing in, and a sign-out everywhere says that it may have missed some', async () => {
    const store = memoryStore();
    await caches({ store, sealingKeys: [old] })
      .partition('a')
      .update((cache) => signIn(cache, 'noor'));
    const later = caches({ store, sealingKeys: [young] });
    for (const id of ['b', 'c']) await later.partition(id).update((cache) => signIn(cache, 'noor'));
    await expect(later.signOutUser('noor')).rejects.toMatchObject({
      code: 'partition_unknown_key',
      message: expect.stringMatching(/not signed out of partitions that only this entry lists/) as string,
    });
    for (const id of ['b', 'c']) expect(await later.partition(id).read(namesIn)).toEqual([]);
    // With both keys, both entries are read.
    await later.partition('b').update((cache) => signIn(cache, 'noor'));
    const both = caches({ store, sealingKeys: [young, old] });
    expect(await both.signOutUser('noor')).toEqual({ partitions: 2, deleted: 0, remaining: 0 });
    expect(store.size).toBe(0);
  });

  it('hides no partition that was updated with the new key', async () => {
    const store = memoryStore();
    for (const id of ['a', 'b'])
      await caches({ store, sealingKeys: [old] })
        .partition(id)
        .update((cache) => signIn(cache, 'noor'));
    await caches({ store, sealingKeys: [young, old], sealWith: young.id })
      .partition('a')
      .update((cache) => signIn(cache, 'noor'));
    const without = caches({ store, sealingKeys: [young] });
    await without.signOutUser('noor').catch(() => undefined);
    expect(await without.partition('a').read(namesIn)).toEqual([]);
  });

  it('hides no session that was listed again with the new key, although the ID token no longer names it', async () => {
    const store = memoryStore();
    await caches({ store, sealingKeys: [old] })
      .partition('a')
      .update((cache) => signIn(cache, 'noor', { sid: 's1' }));
    for (let update = 0; update < 2; update += 1)
      await caches({ store, sealingKeys: [young, old], sealWith: young.id })
        .partition('a')
        .update((cache) => signIn(cache, 'noor', { update }));
    const without = caches({ store, sealingKeys: [young] });
    expect(await without.signOutUser({ issuer, sid: 's1' })).toMatchObject({ partitions: 1, remaining: 0 });
    expect(await without.partition('a').read(namesIn)).toEqual([]);
  });

  it.each(['one entry', 'every entry'])('damaged: %s, again and again', async (what) => {
    const store = memoryStore();
    const all = caches({ store });
    for (let turn = 0; turn < 4; turn += 1) {
      await all.partition(`session ${turn}`).update((cache) => signIn(cache, 'noor'));
      if (turn === 0 || what === 'every entry')
        for await (const key of store.maintenance!.keys()) {
          const { version } = (await store.read(key))!;
          const bytes = Buffer.from('TKP\u0002\u0001 damaged');
          await store.write(
            key,
            { bytes, version: randomBytes(12).toString('base64url') },
            {
              expected: version,
              ttl: null,
            },
          );
        }
    }
    await all.partition('last').update((cache) => signIn(cache, 'noor'));
    await expect(all.signOutUser('noor')).rejects.toMatchObject({ code: 'partition_damaged' });
    expect(await all.partition('last').read(namesIn)).toEqual([]);
  });

  it('nor does a mark', async () => {
    const store = memoryStore();
    const marks = marksOf(caches({ store, sealingKeys: [old] }))!;
    expect(await marks.exchange(60, 'one', 'browser')).toBeNull();
    expect(await marks.exchange(60, 'two', 'browser')).toBe('one');
    const later = marksOf(caches({ store, sealingKeys: [young] }))!;
    expect(await later.exchange(60, 'three', 'browser')).toBeNull();
    expect(await later.exchange(60, 'four', 'browser')).toBe('three');
  });
});

describe('many sign-ins of one user', () => {
  it('at the same time, on two servers, all succeed', async () => {
    const store = memoryStore();
    const servers = [0, 1].map(() => caches({ store: slow(store, 2), timeout: 60_000 }));
    await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        servers[index % 2]!.partition(`session ${index}`).update((cache) => signIn(cache, 'noor')),
      ),
    );
    expect(await servers[0]!.signOutUser('noor')).toEqual({ partitions: 64, deleted: 0, remaining: 0 });
  });

  /** Lists many partitions, as many sign-ins would, and keeps them for a day. */
  async function stage(
    count: number,
    expires: (index: number) => number,
    ttl: PartitionedCachesOptions['ttl'] = DAY,
  ) {
    const clock = { now: 1_700_000_000 };
    const inner = memoryStore({ now: () => clock.now });
    const counts = { read: 0 };
    const read: typeof inner.read = (...call) => {
      counts.read += 1;
      return inner.read(...call);
    };
    const store = { ...inner, read };
    const options = { store, now: () => clock.now, ttl, userIndex: true };
    const all = partitionedCaches({ ...options, sealingKeys: 'plain-text' });
    await all.partition('first').update((cache) => signIn(cache, 'noor'));
    for await (const key of inner.maintenance!.keys()) {
      if (key === all.partition('first').key) continue;
      const name = { kind: 'index', id: undefined, key } as const;
      const stored = (await inner.read(key))!;
      const plain = { keys: null, acceptPlainText: true };
      const { document, metadata } = readEntry(stored.bytes, name, plain);
      const [record] = metadata.index as [IndexRecord];
      const index: IndexRecord[] = Array.from({ length: count }, (_, index) => ({
        ...record,
        key: all.partition(`session ${index}`).key,
        expires: clock.now + expires(index),
      }));
      const bytes = writeEntry({ document, metadata: { index: [...index, record] } }, name, plain);
      const { version: expected } = stored;
      await inner.write(key, { bytes, version: 'v'.repeat(16) }, { expected, ttl: DAY });
    }
    counts.read = 0;
    return { all, clock, counts };
  }

  it('that have expired delay no new one', async () => {
    const { all, clock, counts } = await stage(600, () => HOUR);
    clock.now += 2 * HOUR;
    await all.partition('new').update((cache) => signIn(cache, 'noor'));
    expect(counts.read).toBeLessThan(110); // 50 for each of two index entries, and these entries and the partition.
    for (let turn = 0; turn < 12; turn += 1)
      await all.partition(`more ${turn}`).update((cache) => signIn(cache, 'noor'));
    counts.read = 0;
    await all.partition('last').update((cache) => signIn(cache, 'noor'));
    expect(counts.read).toBeLessThan(6);
    expect((await all.signOutUser('noor')).partitions).toBe(15);
  });

  it.each([
    ['an update', DAY],
    ['a read', { sliding: DAY }],
  ])(
    'fill no entry without end: one is dropped, a sign-out everywhere tells it, and %s lists it again',
    async (what, ttl) => {
      const { all, clock } = await stage(1000, () => 2 * DAY, ttl);
      const [first, last] = [all.partition('first'), all.partition('last')];
      await first.read(namesIn);
      await last.update((cache) => signIn(cache, 'noor'));
      const told = {
        code: 'partition_too_large',
        message: expect.stringMatching(/Others may still be signed in/) as string,
      };
      await expect(all.signOutUser('noor')).rejects.toMatchObject(told);
      expect(await last.read(namesIn)).toEqual([]);
      expect(await first.read(namesIn)).toEqual(['noor']);
      clock.now += DAY / 5;
      if (what === 'an update') await first.update((cache) => signIn(cache, 'noor', { again: 1 }));
      else await first.read(namesIn);
      await expect(all.signOutUser('noor')).rejects.toMatchObject(told);
      expect(await first.read(namesIn)).toEqual([]);
      // None of those that were dropped can exist any more.
      clock.now += 2 * DAY;
      await all.partition('new').update((cache) => signIn(cache, 'noor'));
      expect(await all.signOutUser('noor')).toMatchObject({ remaining: 0 });
      expect(await all.partition('new').read(namesIn)).toEqual([]);
    },
  );
});

it.each(['one', 'several'] as const)(
  'a sign-in during a sign-out everywhere stays in the index, in a partition for %s',
  async (user) => {
    const store = memoryStore();
    let during: (() => Promise<unknown>) | undefined;
    const again = async <T>(result: T): Promise<T> => {
      const task = during;
      during = undefined;
      await task?.();
      return result;
    };
    const watched: PartitionStore = {
      ...store,
      write: (...call) => store.write(...call).then(again),
      remove: (...call) => store.remove(...call).then(again),
    };
    const [here, there] = [caches({ store: watched }), caches({ store })];
    const partition = there.partition('a', { user });
    if (user === 'several') await partition.update((cache) => signIn(cache, 'piet'));
    await partition.update((cache) => signIn(cache, 'noor'));
    during = () => partition.update((cache) => signIn(cache, 'noor')); // Right after the tokens were removed.
    expect(await here.signOutUser('noor')).toEqual({ partitions: 1, deleted: 0, remaining: 1 });
    expect(await partition.read(namesIn)).toContain('noor');
    expect(await there.signOutUser('noor')).toMatchObject({ partitions: 1, remaining: 0 });
    expect(await partition.read(namesIn)).not.toContain('noor');
  },
);

it.each(['one', 'several'] as const)(
  'a sign-in that was about to be written during a sign-out everywhere stays in the index, in a partition for %s',
  async (user) => {
    const store = memoryStore();
    const [here, there] = [caches({ store }), caches({ store: { ...store, write: written } })];
    const partition = there.partition('a', { user });
    if (user === 'several') await here.partition('a', { user }).update((cache) => signIn(cache, 'piet'));
    let told: unknown;
    async function written(...call: Parameters<PartitionStore['write']>): Promise<boolean> {
      if (call[0] === partition.key) told = await here.signOutUser('noor');
      return store.write(...call);
    }
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(told).toEqual({ partitions: 1, deleted: 0, remaining: 0 });
    expect(await partition.read(namesIn)).toContain('noor');
    expect(await here.signOutUser('noor')).toMatchObject({ partitions: 1, remaining: 0 });
    expect(await partition.read(namesIn)).not.toContain('noor');
  },
);

describe('an index entry that the store has lost', () => {
  /** Removes all index entries: what is not the partition. */
  async function loseIndex(store: ReturnType<typeof memoryStore>, partition: string): Promise<number> {
    let lost = 0;
    for await (const key of store.maintenance!.keys())
      if (key !== partition) lost += Number(await store.remove(key));
    return lost;
  }

  it.each([
    ['a read that extends the lifetime', { sid: 's1' }],
    ['an update', { sid: 's1' }],
    ['a read that extends the lifetime, though the ID token left the session out', {}],
    ['an update, though the ID token left the session out', {}],
  ])('is written again by %s', async (what, refreshed) => {
    const clock = { now: 1_700_000_000 };
    const now = () => clock.now;
    const store = memoryStore({ now });
    const all = caches({ store, now, ttl: { sliding: HOUR } });
    const partition = all.partition('a');
    await partition.update((cache) => signIn(cache, 'noor', { sid: 's1' }));
    await partition.update((cache) => signIn(cache, 'noor', refreshed));
    await partition.read(namesIn);
    expect(await loseIndex(store, partition.key)).toBe(3);
    clock.now += HOUR / 5; // Its records are still long enough.
    if (what.startsWith('an update'))
      await partition.update((cache) => signIn(cache, 'noor', { ...refreshed, again: 1 }));
    else expect(await partition.read(namesIn)).toEqual(['noor']);
    expect(await all.signOutUser({ issuer, sid: 's1' })).toEqual({ partitions: 1, deleted: 0, remaining: 0 });
    expect(await partition.read(namesIn)).toEqual([]);
    expect(store.size).toBe(0);
  });

  it('is written again for the other users of the partition, too', async () => {
    const store = memoryStore();
    const all = caches({ store, ttl: DAY });
    const partition = all.partition('a', { user: 'several' });
    for (const sub of ['noor', 'piet']) await partition.update((cache) => signIn(cache, sub));
    await loseIndex(store, partition.key);
    await partition.update((cache) => signIn(cache, 'noor', { again: 1 }));
    expect(await all.signOutUser('piet')).toMatchObject({ partitions: 1 });
    expect(await partition.read(namesIn)).toEqual(['noor']);
  });

  /** The names that index entries and the partition of a user get. */
  async function keysOf(claims: object): Promise<ReadonlySet<string>> {
    const store = memoryStore();
    await caches({ store })
      .partition('a')
      .update((cache) => signIn(cache, 'noor', claims));
    const keys = new Set<string>();
    for await (const key of store.maintenance!.keys()) keys.add(key);
    return keys;
  }

  describe.each<[string, () => Promise<never>]>([
    ['can’t be reached', () => Promise.reject(new Error('A shard is down.'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('and one that %s', (_what, failure) => {
    it.each<[string, object, (key: string, own: ReadonlySet<string>) => boolean]>([
      ['of a user', {}, (key, own) => own.has(key)],
      ['of a session that a refresh does not name', { sid: 's1' }, (key, own) => !own.has(key)],
    ])('keep no listed partition from being written: %s', async (_of, claims, isFailing) => {
      const [store, own] = [memoryStore(), await keysOf({})];
      let isAway = false;
      const { key } = caches({ store }).partition('a');
      const fails = (name: string): boolean => isAway && name !== key && isFailing(name, own);
      const sharded: PartitionStore = {
        read: (name, options) => (fails(name) ? failure() : store.read(name, options)),
        write: (name, ...of) => (fails(name) ? failure() : store.write(name, ...of)),
        remove: (...of) => store.remove(...of),
        touch: (...of) => store.touch(...of),
      };
      const partition = caches({ store: sharded, ttl: DAY }).partition('a');
      await partition.update((cache) => signIn(cache, 'noor', claims));
      isAway = true;
      await partition.update((cache) => signIn(cache, 'noor', { again: 1 }));
      isAway = false;
      const user = 'sid' in claims ? { issuer, sid: 's1' } : 'noor';
      expect(await caches({ store, ttl: DAY }).signOutUser(user)).toMatchObject({ partitions: 1 });
    });
  });

  it('is not lost by a memory store before the partition that it names', async () => {
    const store = memoryStore({ maxEntries: 60 });
    const all = caches({ store, ttl: DAY });
    const first = all.partition('first');
    await first.update((cache) => signIn(cache, 'first'));
    for (let user = 0; user < 200; user += 1) {
      await all.partition(`session ${user}`).update((cache) => signIn(cache, `user ${user}`));
      expect(await first.read(namesIn)).toEqual(['first']);
    }
    expect(store.size).toBeLessThanOrEqual(60);
    let kept = 0;
    for (let user = 0; user < 200; user += 1) {
      const partition = all.partition(`session ${user}`);
      const isKept = (await partition.read(namesIn)).length > 0;
      kept += Number(isKept);
      if (isKept) expect(await all.signOutUser(`user ${user}`)).toMatchObject({ partitions: 1 });
    }
    expect(kept).toBeGreaterThan(8);
    expect(await all.signOutUser('first')).toMatchObject({ partitions: 1 });
  });
});
