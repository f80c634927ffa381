/**
 * "Sign out of everything" is one call that leaves nothing: it removes the account, tokens of apps, grants and entries that are not
 * understood.
 */
import { expect, it } from 'vitest';
import { acquireTokenSilent } from '../../src-main/cache/acquire.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { merge } from '../../src-main/cache/document/merge.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { memoryStore, type Partition, partitionedCaches } from '../../src-main/partitions/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';

const ISSUER = 'https://id.example';

async function full() {
  const store = memoryStore();
  const partition: Partition = partitionedCaches({ store, sealingKeys: 'plain-text' }).partition('session', {
    user: 'several',
  });
  await partition.update((cache) => {
    cache.add(tokenResponse({ username: 'ada@example.org' }));
    cache.add({
      client_id: 'my-app',
      scope: ['api'],
      token_endpoint: `${ISSUER}/token`,
      response: { access_token: 'token of the app', expires_in: 3600 },
    });
    const odd = new SerializableTokenCache();
    odd.deserialize(JSON.stringify({ AccessToken: { odd: { home_account_id: 'ada', secret: 7 } } }));
    merge(cache, odd);
  });
  const [{ home_account_id: subject } = { home_account_id: '' }] = await partition.read((cache) =>
    cache.accounts(),
  );
  await openGrants(partition, { issuer: ISSUER, client_id: 'my-app' }).add('work', {
    tokens: { access_token: 'token of a grant', refresh_token: 'refresh token of a grant' },
    account: { subject },
  });
  return { store, partition };
}

it('remove() deletes the entry with everything in it, also during a refresh', async () => {
  const { store, partition } = await full();
  const [account] = await partition.read((cache) => cache.accounts({ username: 'ada@example.org' }));
  const request = { ...account!, client_id: 'test-client', scopes: ['other'] };
  const [token] = await partition.read((cache) => cache.find('RefreshToken'));
  const late = acquireTokenSilent(
    partition,
    { ...request, client_id: token!.client_id },
    async () => {
      await partition.remove();
      const { token_endpoint, response } = tokenResponse({ username: 'ada@example.org' });
      return { token_endpoint, response };
    },
    () => Math.floor(Date.now() / 1000),
  );
  await expect(late).rejects.toMatchObject({ code: 'sign_in_required' });
  const keys: string[] = [];
  for await (const key of store.maintenance!.keys()) keys.push(key);
  expect(keys).toEqual([]);
  expect(await partition.read((cache) => [cache.accounts(), cache.find('AccessToken')])).toEqual([[], []]);
});

it('signOutAll() empties the cache, and the partition stays', async () => {
  const { partition } = await full();
  await partition.update((cache) => cache.signOutAll());
  const left = await partition.read((cache) =>
    (['Account', 'AccessToken', 'RefreshToken', 'IdToken'] as const).map((type) => cache.find(type).length),
  );
  expect(left).toEqual([0, 0, 0, 0]);
  expect(await openGrants(partition, { issuer: ISSUER, client_id: 'my-app' }).list()).toEqual([]);
  expect(await partition.read((cache) => cache.accounts())).toEqual([]);
});
