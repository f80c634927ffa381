// One account with a thousand entries: what is compared with an entity is what may denote the same credential, not the account.
import { expect, test } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { merge } from '../../src-main/cache/document/merge.ts';
import { sameEntries } from '../../src-main/cache/place.ts';
import type { Entity, EntityType } from '../../src-main/cache/schema/entities.ts';
import { storeOf } from '../../src-main/cache/token-cache.ts';
import { jwt } from './events.ts';

const MANY = 1_000;

const TOKEN = { home_account_id: 'a', environment: 'id.example.com', client_id: 'c', secret: 's' };
const ACCESS = {
  ...TOKEN,
  credential_type: 'AccessToken',
  realm: 'r',
  target: 's x',
  cached_at: '1',
  expires_on: '2',
};
const REFRESH = { ...TOKEN, credential_type: 'RefreshToken' };
const ID = { ...TOKEN, credential_type: 'IdToken', realm: 'r' };
const ACCOUNT = {
  home_account_id: 'a',
  environment: 'id.example.com',
  realm: 'r',
  local_account_id: 'l',
  username: 'u',
  authority_type: 'MSSTS',
};

const KINDS: [name: string, type: EntityType, make: (n: number) => Entity][] = [
  ['access tokens that share a scope', 'AccessToken', (n) => ({ ...ACCESS, target: `s${n} x` })],
  ['access tokens for resources', 'AccessToken', (n) => ({ ...ACCESS, resource: `https://r${n}.example` })],
  ['access tokens of hosts', 'AccessToken', (n) => ({ ...ACCESS, environment: `e${n}.example` })],
  ['access tokens of issuers', 'AccessToken', (n) => ({ ...ACCESS, issuer: `https://e${n}.example` })],
  ['refresh tokens for targets', 'RefreshToken', (n) => ({ ...REFRESH, target: `s${n}` })],
  ['refresh tokens of hosts', 'RefreshToken', (n) => ({ ...REFRESH, environment: `e${n}.example` })],
  ['ID tokens of hosts', 'IdToken', (n) => ({ ...ID, environment: `e${n}.example` })],
  ['accounts of tenants', 'Account', (n) => ({ ...ACCOUNT, realm: `r${n}` })],
  ['accounts of issuers', 'Account', (n) => ({ ...ACCOUNT, issuer: `https://e${n}.example` })],
  ['metadata of apps', 'AppMetadata', (n) => ({ environment: 'id.example.com', client_id: `c${n}` })],
];

function cacheWith(sections: Record<string, Entity[]>): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 10 });
  const keyed = Object.entries(sections).map(([section, entities]) => [
    section,
    Object.fromEntries(entities.map((entity, n) => [`k${n}`, entity])),
  ]);
  cache.deserialize(JSON.stringify(Object.fromEntries(keyed)));
  return cache;
}

const times = <T>(make: (n: number) => T): T[] => Array.from({ length: MANY }, (_, n) => make(n));

test.each(KINDS)('%s: one of a thousand is compared', (_name, type, make) => {
  const store = storeOf(cacheWith({ [type]: times(make) }));
  const wanted = make(500);
  expect(store.like(type, wanted)).toHaveLength(1);
  expect(sameEntries(store, type, wanted)).toHaveLength(1);
  // The same after one entry was removed and another added.
  const [entry] = store.like(type, wanted);
  if (entry !== undefined) store.drop(entry);
  expect(store.like(type, wanted)).toHaveLength(0);
});

test('entries that may denote the same credential despite different fields are compared', () => {
  const store = storeOf(
    cacheWith({
      RefreshToken: [...times((n) => ({ ...REFRESH, target: `s${n}` })), REFRESH],
      IdToken: times((n) => ({ ...ID, issuer: `https://i${n}.example` })),
      Account: times((n) => ({ ...ACCOUNT, environment: `${n}.example`, realm: 'R' })),
    }),
  );
  // A refresh token without a target covers all targets; an entity without an issuer may belong to any.
  expect(sameEntries(store, 'RefreshToken', { ...REFRESH, target: 'S7' })).toHaveLength(2);
  expect(sameEntries(store, 'RefreshToken', REFRESH)).toHaveLength(MANY + 1);
  expect(sameEntries(store, 'IdToken', ID)).toHaveLength(MANY);
  expect(
    sameEntries(store, 'IdToken', { ...ID, issuer: 'https://i7.example/', environment: 'z' }),
  ).toHaveLength(1);
  expect(sameEntries(store, 'Account', { ...ACCOUNT, environment: '7.EXAMPLE:8443' })).toHaveLength(1);
});

test('of a thousand versions of one token, the newest stays, and each is compared a few times', () => {
  let reads = 0;
  const cache = cacheWith({
    AccessToken: times((n) => ({
      ...ACCESS,
      cached_at: String((n * 7919) % MANY),
      secret: `s${(n * 7919) % MANY}`,
    })),
  });
  for (const entry of storeOf(cache).entries('AccessToken')) {
    const value = entry.value as Entity;
    entry.exchange(
      Object.defineProperty({ ...value }, 'cached_at', {
        enumerable: true,
        get: () => {
          reads += 1;
          return value['cached_at'];
        },
      }),
    );
  }
  const into = new SerializableTokenCache({ now: () => 10 });
  merge(into, cache);
  expect(into.find('AccessToken').map(({ secret }) => secret)).toEqual([`s${MANY - 1}`]);
  expect(reads).toBeLessThan(20 * MANY);
});

test('ID tokens that name the issuer of accounts are read once, not once per account', () => {
  let reads = 0;
  const secret = jwt({ iss: 'https://id.example.com/realm', sub: 'a' });
  const cache = cacheWith({
    IdToken: times((n) => ({ ...ID, realm: `r${n}` })),
    Account: times((n) => ({ ...ACCOUNT, realm: `r${n}`, authority_type: 'Generic' })),
  });
  for (const entry of storeOf(cache).entries('IdToken')) {
    entry.exchange(
      Object.defineProperty({ ...(entry.value as Entity) }, 'secret', {
        enumerable: true,
        get: () => {
          reads += 1;
          return secret;
        },
      }),
    );
  }
  expect(cache.accounts()).toHaveLength(1);
  expect(reads).toBeLessThan(5 * MANY);
});
