/** Conformance cases for a store as used through `partitionedCaches`. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TokenCache } from '../../cache/token-cache.ts';
import type { Check } from './check.ts';
import { type PartitionedCaches, partitionedCaches } from '../partitioned-caches.ts';
import type { PartitionedCachesOptions } from '../settings.ts';
import type { SealingKeys } from '../sealing-keys.ts';

const KEYS: SealingKeys = [{ id: 'conformance', key: randomBytes(32) }];

export function sealed(
  store: PartitionedCachesOptions['store'],
  options: Partial<PartitionedCachesOptions> = {},
): PartitionedCaches {
  return partitionedCaches({ store, sealingKeys: KEYS, timeout: 20_000, ...options });
}

/** Adds a token for one user under a unique scope, so the cache holds one token per call. */
export function sign(cache: TokenCache, scope: string, uid = 'uid'): void {
  cache.add({
    client_id: 'my_client_id',
    scope: [scope],
    token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
    home_account_id: `${uid}.utid`,
    response: {
      access_token: `the access token of ${uid} for ${scope}`,
      refresh_token: `the refresh token of ${uid}`,
      token_type: 'Bearer',
      expires_in: 3600,
      client_info: Buffer.from(JSON.stringify({ uid, utid: 'utid' })).toString('base64url'),
    },
  });
}

export function scopesIn(cache: TokenCache): string[] {
  return cache
    .find('AccessToken')
    .map(({ target }) => target)
    .sort();
}

export const cachesOver: Record<string, Check> = {
  'keeps all updates that two connections make at once': async ({ store, another, seen }, id) => {
    const writers = [sealed(store), sealed(another), sealed(store), sealed(another)];
    const all = writers.flatMap((caches, writer) =>
      Array.from({ length: 8 }, (_, index) => {
        const scope = `scope-${writer}-${index}`;
        // In separate turns; otherwise the updates would be batched.
        return { scope, update: async () => caches.partition(id).update((cache) => sign(cache, scope)) };
      }),
    );
    await Promise.all(
      writers.map(async (_caches, writer) => {
        for (const { update } of all.slice(writer * 8, writer * 8 + 8)) await update();
      }),
    );
    await seen?.();
    const found = await sealed(another).partition(id).read(scopesIn);
    deepStrictEqual(found, all.map(({ scope }) => scope).sort());
  },

  'refuses another user and writes nothing': async ({ store, another }, id) => {
    await sealed(store)
      .partition(id)
      .update((cache) => sign(cache, 'mine'));
    const before = await store.read(sealed(store).partition(id).key);
    await rejects(
      sealed(another)
        .partition(id)
        .update((cache) => sign(cache, 'theirs', 'someone-else')),
      { code: 'partition_other_user' },
    );
    strictEqual((await store.read(sealed(store).partition(id).key))?.version, before?.version);
  },

  'writes the other updates of a batch but not the rejected one, also after a lost race': async (
    { store, another, seen },
    id,
  ) => {
    const there = sealed(another).partition(id);
    await there.update((cache) => sign(cache, 'zero'));
    let isFirst = true;
    const raced: typeof store = {
      ...store,
      write: async (...call) => {
        if (isFirst) {
          isFirst = false;
          await there.update((cache) => sign(cache, 'theirs'));
        }
        return store.write(...call);
      },
    };
    const here = sealed(raced).partition(id);
    const ghost = here.update((cache) => {
      sign(cache, 'ghost');
      throw new Error('of the function');
    });
    const good = here.update((cache) => sign(cache, 'good'));
    await rejects(ghost, { message: 'of the function' });
    await good;
    await seen?.();
    deepStrictEqual(await there.read(scopesIn), ['good', 'theirs', 'zero']);
  },

  'reports partition_busy, not an outage, if every race is lost': async ({ store }, id) => {
    let lost = 0;
    const losing: typeof store = { ...store, write: () => Promise.resolve((lost += 1) === 0) };
    // If the store needs longer than this for its first answer, no race has been lost yet: try again with more time.
    for (let timeout = 250; ; timeout *= 4) {
      const partition = sealed(losing, { timeout }).partition(id);
      const update = partition.update((cache) => sign(cache, 'ours'));
      const isBusy = rejects(update, { code: 'partition_busy', partition: partition.key });
      await isBusy.catch((error: unknown) => {
        if (lost > 0 || timeout > 10_000) throw error;
      });
      if (lost > 0) break;
    }
    strictEqual(await store.read(sealed(store).partition(id).key), null);
  },

  'restores nothing if a refresh ends after the sign-out or the next sign-in': async (
    { store, another, seen },
    id,
  ) => {
    const [here, there] = [sealed(store).partition(id), sealed(another).partition(id)];
    await here.update((cache) => sign(cache, 'old'));
    await seen?.();
    await there.read(scopesIn);
    const since = there.epoch ?? 0;
    await here.signOut('uid.utid');
    await there.update((cache) => sign(cache, 'late'), { since });
    await seen?.();
    deepStrictEqual(await here.read(scopesIn), []);
    await here.update((cache) => sign(cache, 'new'));
    await there.update((cache) => sign(cache, 'later'), { since });
    await seen?.();
    deepStrictEqual(await here.read(scopesIn), ['new']);
  },

  'signs a user out of every partition, and a late refresh restores nothing': async (
    { store, another, seen },
    id,
  ) => {
    const [here, there] = [store, another].map((one) => sealed(one, { userIndex: true }));
    const own = [here, there].map((caches, index) => caches?.partition(`${id} ${index}`));
    for (const partition of own) await partition?.update((cache) => sign(cache, 'mine', id));
    const other = here?.partition(`${id} other`);
    await other?.update((cache) => sign(cache, 'theirs', `${id}-other`));
    await seen?.();
    await own[1]?.read(scopesIn);
    const since = own[1]?.epoch ?? 0;
    const receipt = await here?.signOutUser({ home_account_id: `${id}.utid` });
    deepStrictEqual(receipt, { partitions: 2, deleted: 0, remaining: 0 });
    await own[1]?.update((cache) => sign(cache, 'late', id), { since });
    await seen?.();
    for (const partition of own) deepStrictEqual(await partition?.read(scopesIn), []);
    deepStrictEqual(await other?.read(scopesIn), ['theirs']);
  },

  'resolves a read although its entry could not be extended': async ({ store }, id) => {
    const touch = (): Promise<void> => Promise.reject(new Error('of the store'));
    const partition = sealed({ ...store, touch }, { ttl: { sliding: 60 } }).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    deepStrictEqual(await partition.read(scopesIn), ['mine']);
  },

  'stores no secret, name or ID in the clear': async ({ store }, id) => {
    const partition = sealed(store).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    const stored = Buffer.from((await store.read(partition.key))?.bytes ?? []).toString('latin1');
    ok(stored.length > 100);
    for (const secret of ['token of uid', 'my_client_id', id]) ok(!stored.includes(secret), secret);
  },

  'leaves an entry that cannot be opened unchanged': async ({ store }, id) => {
    const partition = sealed(store).partition(id);
    const foreign = { bytes: Buffer.from('something of another program'), version: 'sixteen-letters!' };
    strictEqual(await store.write(partition.key, foreign, { expected: null, ttl: null }), true);
    await rejects(partition.read(scopesIn), { code: 'partition_foreign', partition: partition.key });
    await rejects(
      partition.update((cache) => sign(cache, 'mine')),
      { code: 'partition_foreign' },
    );
    deepStrictEqual(Buffer.from((await store.read(partition.key))?.bytes ?? []), Buffer.from(foreign.bytes));
    await partition.remove();
    strictEqual(await store.read(partition.key), null);
  },

  'leaves nothing in the store after a sign-out': async ({ store, another, seen }, id) => {
    const partition = sealed(store).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    const receipt = await sealed(another).partition(id).signOut('uid.utid');
    strictEqual(receipt.removed.AccessToken, 1);
    strictEqual(receipt.remaining, 0);
    await seen?.();
    strictEqual(await store.read(partition.key), null);
  },
};
