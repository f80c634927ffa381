/** Sign-out, modify and the index, beyond the conformance cases and the properties. */
import { describe, expect, test } from 'vitest';
import { documentText } from '../../src-main/cache/document/document.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { appRemovalCount, removalCount, storeOf, TokenCache } from '../../src-main/cache/token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { cacheWithItems, itemsIn, signIn } from './events.ts';

function read(document: unknown): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.deserialize(JSON.stringify(document));
  return cache;
}

describe('signing out', () => {
  test('the same subject at two providers is two accounts; a filter signs out one', () => {
    const cache = new TokenCache({ now: () => 1000 });
    const at = (host: string): ReturnType<typeof signIn> =>
      signIn({}, { token_endpoint: `https://${host}/t/token` });
    cache.add(at('login.microsoftonline.com'));
    cache.add(at('id.example.org'));
    expect(cache.accounts()).toHaveLength(2);
    expect(removalCount(cache, 'uid.utid', { environment: 'sts.windows.net' })).toMatchObject({
      AccessToken: 1,
      Account: 1,
    });
    expect(cache.signOut('uid.utid', { environment: 'sts.windows.net' })).toMatchObject({
      removed: { AccessToken: 1 },
      remaining: 0,
    });
    expect(cache.accounts()).toMatchObject([{ environment: 'id.example.org' }]);
    expect(cache.signOut('uid.utid')).toMatchObject({ removed: { AccessToken: 1 }, remaining: 0 });
  });

  test('with a filter, unrecognized entries are removed only if they name the environment', () => {
    const entry = (environment: string): object => ({ home_account_id: 'a.b', environment, secret: 'x' });
    const cache = read({
      AccessToken: {
        1: entry('login.windows.net'),
        2: entry('id.example.org'),
        3: { home_account_id: 'a.b' },
      },
      Other: { 1: entry('login.microsoftonline.com'), 2: entry('id.example.org'), 'a.b-x': 'stays' },
    });
    expect(cache.signOut('a.b', { environment: 'sts.windows.net' }).remaining).toBe(0);
    expect(JSON.parse(cache.serialize())).toEqual({
      AccessToken: { 2: entry('id.example.org'), 3: { home_account_id: 'a.b' } },
      Other: { 2: entry('id.example.org'), 'a.b-x': 'stays' },
    });
  });

  test('of a root that is not understood, what names the account goes and the rest stays', () => {
    const cache = read({
      Account: {},
      List: ['A.B', 'a.b-login', 'a.bc', 7, { homeAccountId: 'a.b' }],
      Map: { 'a.b-x': { secret: 'x' }, other: { home_account_id: 'c.d', of: 'a.b' } },
      Text: 'a.b',
      'a.b': { secret: 'x' },
      Longer: 'mail of a.b',
    });
    expect(cache.signOut('a.b')).toMatchObject({ remaining: 0 });
    expect(JSON.parse(cache.serialize())).toEqual({
      Account: {},
      List: ['a.bc', 7],
      Map: { other: { home_account_id: 'c.d', of: 'a.b' } }, // names another account
      Longer: 'mail of a.b',
    });
  });

  test.each(['', undefined, null])('%o is no account', (id) => {
    const cache = new TokenCache();
    expect(() => cache.signOut(id as string)).toThrow(InvalidArgumentError);
    expect(() => removalCount(cache, id as string)).toThrow(InvalidArgumentError);
  });

  test('the preview for apps counts what is removed', () => {
    const cache = new TokenCache({ now: () => 1000 });
    const app = { client_info: undefined, id_token: undefined, refresh_token: undefined };
    for (const client_id of ['a', 'b']) cache.add(signIn(app, { client_id }));
    expect(appRemovalCount(cache, { client_id: 'A', environment: 'LOGIN.example.com' })).toMatchObject({
      AccessToken: 1,
    });
    expect(appRemovalCount(cache, { realm: 'fabrikam' })).toMatchObject({ AccessToken: 0 });
    expect(appRemovalCount(cache)).toEqual(cache.removeAppTokens().removed);
  });
});

describe('modify', () => {
  const cacheWith = (): TokenCache => {
    const cache = new TokenCache({ now: () => 1000 });
    cache.add(signIn());
    return cache;
  };

  test('an entity that was removed is not restored', () => {
    const cache = cacheWith();
    const [token] = cache.find('RefreshToken');
    cache.signOut('uid.utid');
    cache.modify('RefreshToken', token ?? {}, { secret: 'late' });
    expect(cache.find('RefreshToken')).toEqual([]);
  });

  test('a key that was made of the fields follows them; entities are frozen, and replaced', () => {
    const cache = cacheWith();
    const [token] = cache.find('AccessToken');
    cache.modify('AccessToken', token ?? {}, { target: 's9', extra: { list: [1] }, token_type: undefined });
    const record = itemsIn(cache).find(({ section }) => section === 'AccessToken');
    expect(record?.key).toBe('uid.utid-login.example.com-accesstoken-my_client_id-contoso-s9');
    expect(record?.value).toMatchObject({ target: 's9', extra: { list: [1] } });
    expect(record?.value).not.toHaveProperty('token_type');
    expect(token).toMatchObject({ target: 's1 s2 s3', token_type: 'Bearer' });
    const [changed] = cache.find('AccessToken');
    expect([changed, changed?.['extra']].every(Object.isFrozen)).toBe(true);
  });

  test("what is the caller's is not frozen", () => {
    const cache = cacheWith();
    const mine = { list: [1] };
    cache.modify('AccessToken', cache.find('AccessToken')[0] ?? {}, { mine });
    mine.list.push(2);
    expect(cache.find('AccessToken')[0]?.['mine']).toEqual({ list: [1] });
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each<[string, Record<string, unknown>]>([
    ['no target', { target: null }],
    ['a time that is a date', { expires_on: '2026-01-01' }],
    ['a function', { extra: () => 1 }],
    ['a date', { extra: new Date(0) }],
    ['a cycle', { extra: cycle }],
    ['a bigint', { extra: 1n }],
  ])('%s is refused, and nothing has changed', (_, changes) => {
    const cache = cacheWith();
    const before = JSON.stringify(itemsIn(cache));
    expect(() => cache.modify('AccessToken', cache.find('AccessToken')[0] ?? {}, changes)).toThrow(
      InvalidArgumentError,
    );
    expect(JSON.stringify(itemsIn(cache))).toBe(before);
  });

  test('a search goes on while the cache changes, over what was there when it began', () => {
    const cache = cacheWith();
    cache.add(signIn({}, { client_id: 'another' }));
    let seen = 0;
    for (const token of cache.search('AccessToken')) {
      seen += 1;
      cache.modify('AccessToken', token, { target: `s${seen}` });
    }
    expect(seen).toBe(2);
    for (const token of cache.search('AccessToken')) {
      seen += 1;
      cache.signOut(token.home_account_id ?? '');
    }
    expect(seen).toBe(3);
  });
});

test('an account with many tokens: found by app and tenant, kept up to date', () => {
  const cache = new TokenCache({ now: () => 1000 });
  for (let index = 0; index < 60; index += 1)
    cache.add(signIn({ access_token: `${index}` }, { client_id: `app ${index}` }));
  const query = { home_account_id: 'UID.utid', client_id: 'APP 7', realm: 'contoso' };
  const secrets = (): string[] =>
    cache.find('AccessToken', { target: ['s1'], query }).map(({ secret }) => secret);
  expect(secrets()).toEqual(['7']);
  cache.add(signIn({ access_token: 'new' }, { client_id: 'app 7' }));
  expect(secrets()).toEqual(['new']);
  expect(storeOf(cache).candidates('AccessToken', query)).toHaveLength(1);
  for (const token of cache.find('AccessToken', { query })) cache.modify('AccessToken', token, null);
  expect(secrets()).toEqual([]);
  expect(
    cache.find('RefreshToken', { query: { home_account_id: 'uid.utid', client_id: 'app 59' } }),
  ).toHaveLength(1);
  expect(cache.signOut('uid.utid')).toMatchObject({
    removed: { AccessToken: 59, RefreshToken: 60 },
    remaining: 0,
  });
});

test('a root that is not a map is renamed for entities and kept beside them', () => {
  const cache = read({ AccessToken: ['odd'], RefreshToken: null, Account: {} });
  cache.add(signIn());
  expect(JSON.parse(cache.serialize())).toMatchObject({ 'AccessToken-2': ['odd'] });
  expect(cache.find('AccessToken')).toHaveLength(1);
  expect(cache.find('RefreshToken')).toHaveLength(1);
  const again = read(JSON.parse(cache.serialize()));
  expect(again.find('AccessToken')).toHaveLength(1);
});

test('a document without entities is still a cache document', () => {
  const text = documentText(cacheWithItems([{ section: 'other', key: null, value: 1 }]));
  expect(JSON.parse(text)).toEqual({ AccessToken: {}, other: 1 });
  expect(itemsIn(read(JSON.parse(text)))).toEqual([{ section: 'other', key: null, value: 1 }]);
});

test('integers beyond 2^53 keep their digits in unrecognized entries and unknown fields', () => {
  const text = '{"AccessToken":{},"ticks":638000000000000001,"more":{"a":[-12345678901234567890,1.5,12]}}';
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  expect(cache.serialize()).toBe(text);
  expect(cache.serialize({ dialect: 'msal-python' })).toContain('"ticks": 638000000000000001');
});

test("the libraries' layouts: an editor's line break and byte order mark, characters beyond ASCII as they were", () => {
  const cache = new SerializableTokenCache();
  const account = (username: string): string => `{"Account":{"k":{"username":"${username}"}}}`;
  for (const text of [account('Zoë'), account('Zo\\u00eb'), `${account('Zoe')}\n`]) {
    cache.deserialize(text);
    expect(cache.serialize()).toBe(text);
  }
  cache.deserialize(`\ufeff${account('Zoë')}`);
  expect(cache.serialize()).toBe(account('Zoë'));
});
