/** Conformance cases for a store as used through `partitionedCaches`. */
import { randomBytes } from 'node:crypto';
import type { TokenCache } from '../../cache/token-cache.ts';
import { check, type Check, codeOf } from './check.ts';
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
    check(
      'Updates that were acknowledged are missing: one connection overwrote what the other had stored. `write` must compare the version and replace the entry in one atomic step.',
      await sealed(another).partition(id).read(scopesIn),
      all.map(({ scope }) => scope).sort(),
    );
  },

  'refuses another user and writes nothing': async ({ store, another }, id) => {
    await sealed(store)
      .partition(id)
      .update((cache) => sign(cache, 'mine'));
    const before = await store.read(sealed(store).partition(id).key);
    const told =
      'The tokens of another user were stored in a partition, or the refusal changed it. `read` must return the entry as it was written, over each connection.';
    check(
      told,
      await codeOf(
        sealed(another)
          .partition(id)
          .update((cache) => sign(cache, 'theirs', 'someone-else')),
      ),
      'partition_other_user',
    );
    check(told, (await store.read(sealed(store).partition(id).key))?.version, before?.version);
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
    const told =
      'After a lost race, an update that was rejected is stored, or one that was acknowledged is missing. `write` must resolve with false if the stored version is not the expected one, and then change nothing.';
    check(told, await Promise.all([codeOf(ghost), codeOf(good)]), ['Error: of the function', 'done']);
    await seen?.();
    check(told, await there.read(scopesIn), ['good', 'theirs', 'zero']);
  },

  'reports partition_busy, not an outage, if every race is lost': async ({ store }, id) => {
    let lost = 0;
    const losing: typeof store = { ...store, write: () => Promise.resolve((lost += 1) === 0) };
    // If the store needs longer than this for its first answer, no race has been lost yet: try again with more time.
    for (let timeout = 250; ; timeout *= 4) {
      const partition = sealed(losing, { timeout }).partition(id);
      const update = partition.update((cache) => sign(cache, 'ours'));
      const code = await codeOf(update);
      if (lost === 0 && timeout <= 10_000) continue;
      check(
        'Each `write` was answered with false, and the update was told as something other than `partition_busy`. Before each try, `read` must answer in time.',
        code,
        'partition_busy',
      );
      break;
    }
    check(
      'An update that was rejected is stored. `read` must see what is stored, and nothing else.',
      await store.read(sealed(store).partition(id).key),
      null,
    );
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
    const told =
      'A refresh that ended after the sign-out brought tokens back. `read` must see each write and removal that has resolved, over each connection, and bytes must come back unchanged.';
    check(told, await here.read(scopesIn), []);
    await here.update((cache) => sign(cache, 'new'));
    await there.update((cache) => sign(cache, 'later'), { since });
    await seen?.();
    check(told, await here.read(scopesIn), ['new']);
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
    const told =
      'A user who was signed out everywhere still has tokens in a partition, or someone else lost theirs. Entries of different keys are independent, and `read` must see each write that has resolved, over each connection: the index of a user is an entry, too.';
    check(told, receipt, { partitions: 2, deleted: 0, remaining: 0 });
    await own[1]?.update((cache) => sign(cache, 'late', id), { since });
    await seen?.();
    for (const partition of own) check(told, await partition?.read(scopesIn), []);
    check(told, await other?.read(scopesIn), ['theirs']);
  },

  'resolves a read although its entry could not be extended': async ({ store }, id) => {
    const touch = (): Promise<void> => Promise.reject(new Error('of the store'));
    const partition = sealed({ ...store, touch }, { ttl: { sliding: 60 } }).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    check(
      'A read whose `touch` failed did not return what is stored. `read` must not depend on `touch`.',
      await codeOf(partition.read(scopesIn).then((found) => check('A token is missing.', found, ['mine']))),
      'done',
    );
  },

  'stores no secret, name or ID in the clear': async ({ store }, id) => {
    const partition = sealed(store).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    const stored = Buffer.from((await store.read(partition.key))?.bytes ?? []).toString('latin1');
    check('`read` does not return the entry that an update stored.', stored.length > 100, true);
    for (const secret of ['token of uid', 'my_client_id', id])
      check(
        `The bytes that the store returns contain “${secret}” in the clear. It must store the bytes as they are passed: they are sealed.`,
        stored.includes(secret),
        false,
      );
  },

  'leaves an entry that cannot be opened unchanged': async ({ store }, id) => {
    const partition = sealed(store).partition(id);
    const foreign = { bytes: Buffer.from('something of another program'), version: 'sixteen-letters!' };
    const told =
      'An entry that can’t be opened was not told, or was replaced. `read` must return what is stored under the key, whoever wrote it, and never null for it.';
    check(told, await store.write(partition.key, foreign, { expected: null, ttl: null }), true);
    check(told, await codeOf(partition.read(scopesIn)), 'partition_foreign');
    check(told, await codeOf(partition.update((cache) => sign(cache, 'mine'))), 'partition_foreign');
    const stored = await store.read(partition.key);
    check(told, Buffer.from(stored?.bytes ?? []), Buffer.from(foreign.bytes));
    await partition.remove();
    check(
      '`remove` without an expected version left an entry that can’t be opened, so its user can’t sign in again.',
      await store.read(partition.key),
      null,
    );
  },

  'leaves nothing in the store after a sign-out': async ({ store, another, seen }, id) => {
    const partition = sealed(store).partition(id);
    await partition.update((cache) => sign(cache, 'mine'));
    const receipt = await sealed(another).partition(id).signOut('uid.utid');
    const told =
      'A sign-out over another connection found no tokens, or left the entry. Both must use the same data, and `remove` must delete the entry of the expected version.';
    check(told, [receipt.removed.AccessToken, receipt.remaining], [1, 0]);
    await seen?.();
    check(told, await store.read(partition.key), null);
  },
};
