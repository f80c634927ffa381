/** Two users with the same id, told apart by their issuers, in partitions. */
import { describe, expect, it } from 'vitest';
import { acquireTokenSilent, type Redeem } from '../../src-main/cache/acquire.ts';
import { merge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { repair } from '../../src-main/doctor/index.ts';
import { jwt } from '../cache/events.ts';
import { caches, observed } from './people.ts';

const HOSTS = [
  { alpha: 'https://sso.example/realms/alpha', beta: 'https://sso.example/realms/beta' },
  { alpha: 'https://sso.example:8443/alpha', beta: 'https://sso.example:8443/beta' },
];
const endpointOf = (issuer: string) => `${issuer}/protocol/openid-connect/token`;

function signIn(cache: TokenCache, issuer: string, name = issuer, fields: object = {}): void {
  cache.add({
    client_id: 'app',
    scope: ['read'],
    token_endpoint: endpointOf(issuer),
    grant_type: 'authorization_code',
    response: {
      access_token: `at ${name}`,
      refresh_token: `rt ${name}`,
      id_token: jwt({ iss: issuer, sub: '5' }),
      expires_in: 300,
      ...fields,
    },
  });
}

const refreshTokens = (cache: TokenCache) => cache.find('RefreshToken').map(({ secret }) => secret);

describe.each(HOSTS)('$alpha and $beta', ({ alpha, beta }) => {
  it('count as two users in a partition for one', async () => {
    const partition = caches().partition('a');
    await partition.update((cache) => signIn(cache, alpha));
    await expect(partition.update((cache) => signIn(cache, beta))).rejects.toMatchObject({
      code: 'partition_other_user',
    });
    expect(await partition.read(refreshTokens)).toEqual([`rt ${alpha}`]);
    await partition.update((cache) => signIn(cache, alpha, 'again'));
    expect(await partition.read(refreshTokens)).toEqual(['rt again']);
  });

  it('are signed out separately: a late refresh of one is dropped, of the other kept', async () => {
    const partition = caches().partition('a', { user: 'several' });
    await partition.update((cache) => signIn(cache, alpha));
    await partition.update((cache) => signIn(cache, beta));
    const since = await partition.read(() => partition.epoch!);
    await expect(partition.signOut('5')).rejects.toMatchObject({ code: 'ambiguous_account' });
    const accounts = await partition.read((cache) => cache.accounts());
    await partition.signOut(accounts.find(({ issuer }) => issuer === alpha)!);
    await partition.update((cache) => signIn(cache, alpha, 'late'), { since }).catch(() => undefined);
    expect(await partition.read(refreshTokens)).toEqual([`rt ${beta}`]);
    await partition.update((cache) => signIn(cache, beta, 'late'), { since });
    expect(await partition.read(refreshTokens)).toEqual(['rt late']);
  });

  it('are signed out everywhere separately, also in a partition that holds both', async () => {
    const all = caches({ userIndex: true });
    const both = all.partition('a', { user: 'several' });
    await both.update((cache) => signIn(cache, alpha));
    await both.update((cache) => signIn(cache, beta));
    const own = all.partition('b');
    await own.update((cache) => signIn(cache, alpha));
    const receipt = { partitions: 2, deleted: 0, remaining: 0 };
    expect(await all.signOutUser({ issuer: `${alpha}/`, sub: '5' })).toEqual(receipt); // as logout tokens may spell it
    expect(await both.read(refreshTokens)).toEqual([`rt ${beta}`]);
    expect(await own.read(refreshTokens)).toEqual([]);
    expect(await all.signOutUser('5')).toEqual({ ...receipt, partitions: 1 });
    expect(await both.read(refreshTokens)).toEqual([]);
  });

  it('expire with the longest-lived token of either, and not at all if its expiry is unknown', async () => {
    const { store, ttls } = observed();
    const partition = caches({ store, now: () => 1000 }).partition('a', { user: 'several', ttl: 'tokens' });
    const without = { refresh_token: undefined };
    await partition.update((cache) => signIn(cache, alpha, 'a', { ...without, expires_in: 1000 }));
    await partition.update((cache) => signIn(cache, beta, 'b', { ...without, expires_in: 300 }));
    await partition.update((cache) => signIn(cache, beta, 'b', { ...without, expires_in: undefined }));
    expect(ttls).toEqual([1000, 1000, 90 * 24 * 3600]);
  });

  it('refresh at the same time, each with its own refresh token and its own result', async () => {
    const partition = caches().partition('a', { user: 'several' });
    await partition.update((cache) => {
      signIn(cache, alpha);
      signIn(cache, beta);
    });
    const sent: string[] = [];
    const redeem: Redeem = ({ secret }, { issuer = '' }) => {
      sent.push(`${secret} to ${issuer}`);
      const response = { access_token: `new ${issuer}`, refresh_token: `next ${issuer}`, expires_in: 300 };
      return Promise.resolve({ token_endpoint: endpointOf(issuer), response });
    };
    const accounts = await partition.read((cache) => cache.accounts());
    const ask = ({ issuer, environment }: (typeof accounts)[number]) =>
      acquireTokenSilent(
        partition,
        {
          client_id: 'app',
          home_account_id: '5',
          environment,
          issuer: issuer!,
          scopes: ['read'],
          forceRefresh: true,
        },
        redeem,
        () => Date.now() / 1000,
      );
    const tokens = await Promise.all([...accounts, ...accounts].map(ask));
    expect(tokens.map(({ secret }) => secret)).toEqual(
      [...accounts, ...accounts].map(({ issuer }) => `new ${issuer}`),
    );
    expect(sent.sort()).toEqual([`rt ${alpha} to ${alpha}`, `rt ${beta} to ${beta}`].sort());
    expect((await partition.read(refreshTokens)).sort()).toEqual([`next ${alpha}`, `next ${beta}`].sort());
  });

  it('stay separate when one is merged into the other, and the doctor removes neither', () => {
    const [ours, theirs] = [new SerializableTokenCache(), new SerializableTokenCache()];
    signIn(ours, alpha);
    signIn(theirs, beta);
    merge(ours, theirs);
    repair(ours, 'all');
    expect(refreshTokens(ours).sort()).toEqual([`rt ${alpha}`, `rt ${beta}`].sort());
    const again = new SerializableTokenCache();
    again.deserialize(ours.serialize());
    expect(again.accounts().map(({ issuer }) => issuer)).toEqual([alpha, beta]);
  });
});

describe('subjects that differ only in case are two users (OpenID Connect Core §2)', () => {
  const issuer = 'https://id.example';
  const as = (sub: string) => (cache: TokenCache) =>
    signIn(cache, issuer, sub, { id_token: jwt({ iss: issuer, sub }) });
  const opened = async (): Promise<ReturnType<typeof caches>> => {
    const all = caches({ userIndex: true });
    for (const sub of ['alice', 'Alice']) await all.partition(sub).update(as(sub));
    return all;
  };

  it.each([
    ['a text', (sub: string) => sub],
    ['issuer and subject', (sub: string) => ({ issuer, sub })],
    ['account id', (sub: string) => ({ home_account_id: sub })],
  ])('when one is signed out everywhere by %s', async (_how, named) => {
    for (const [out, other] of [
      ['alice', 'Alice'],
      ['Alice', 'alice'],
    ] as const) {
      const all = await opened();
      expect(await all.signOutUser(named(out))).toEqual({ partitions: 1, deleted: 0, remaining: 0 });
      expect(await all.partition(out).read(refreshTokens)).toEqual([]);
      expect(await all.partition(other).read(refreshTokens)).toEqual([`rt ${other}`]);
      expect(await all.signOutUser(named(other))).toMatchObject({ partitions: 1 });
    }
  });

  it('when one has signed in in the partition of the other', async () => {
    const all = await opened();
    await all.partition('alice').update((cache) => {
      cache.signOutAll();
      as('Alice')(cache);
    });
    await all.signOutUser('alice');
    expect(await all.partition('alice').read(refreshTokens)).toEqual(['rt Alice']);
    expect(await all.signOutUser('Alice')).toMatchObject({ partitions: 2 });
  });

  it('when only a refresh token is left of one', async () => {
    const all = await opened();
    await all.partition('Alice').update((cache) => {
      for (const type of ['IdToken', 'Account', 'AccessToken'] as const)
        for (const entity of cache.find(type)) cache.modify(type, entity, null);
    });
    await all.signOutUser({ home_account_id: 'alice' });
    expect(await all.partition('Alice').read(refreshTokens)).toEqual(['rt Alice']);
    await all.signOutUser({ home_account_id: 'Alice' });
    expect(await all.partition('Alice').read(refreshTokens)).toEqual([]);
  });

  it('when a partition is for one of them', async () => {
    const partition = caches().partition('a', { user: { home_account_id: 'alice' } });
    await expect(partition.update(as('Alice'))).rejects.toMatchObject({ code: 'partition_other_user' });
    await partition.update(as('alice'));
    expect(await partition.read(refreshTokens)).toEqual(['rt alice']);
  });

  it.each([
    undefined,
    { user: { home_account_id: 'alice' } },
    { user: { ownId: '1' } },
    { user: 'several' },
  ] as const)('when the other signs in to a partition that is known only afterwards: %j', async (how) => {
    const all = caches();
    await all.partition('a', how).update(as('alice'));
    const attempt = all.signIn(
      async (memory) => memory.update((cache) => as('Alice')(cache)),
      () => 'a',
      how,
    );
    await expect(attempt).rejects.toThrow(/differs only in case/);
    const partition = all.partition('a', how);
    expect(await partition.read(refreshTokens)).toEqual(['rt alice']);
    expect(
      await partition.read((cache) => cache.accounts().map(({ home_account_id }) => home_account_id)),
    ).toEqual(['alice']);
  });

  it('but an account id of Microsoft names its user in any case', async () => {
    const all = caches({ userIndex: true });
    const [uid, utid] = ['9F4880D8-80BA-4C40-97BC-F7A23C703084', 'F645AD92-E38D-4D1A-B510-D1B09A74A8CA'];
    const id = `${uid}.${utid}`;
    const signedIn = all.partition('a', { user: { home_account_id: id.toLowerCase() } });
    await signedIn.update((cache) =>
      signIn(cache, `https://login.microsoftonline.com/${utid}`, 'it', {
        id_token: jwt({ oid: uid, tid: utid, sub: 'pairwise' }),
        client_info: Buffer.from(JSON.stringify({ uid, utid })).toString('base64url'),
      }),
    );
    expect(await all.signOutUser({ home_account_id: id.toLowerCase() })).toMatchObject({ partitions: 1 });
    expect(await signedIn.read(refreshTokens)).toEqual([]);
  });
});
