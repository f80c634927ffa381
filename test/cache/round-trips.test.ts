/** Where the libraries break each other's documents, by the number of the break, and what the cache does instead. */
import { expect, test } from 'vitest';
import { lookup, type TokenRequest } from '../../src-main/cache/acquire.ts';
import type { Entity, EntityType } from '../../src-main/cache/schema/entities.ts';
import { type Dialect, keyOf } from '../../src-main/cache/schema/dialects.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { documentOf } from './entities.ts';
import { itemsIn, signIn, withSecret } from './events.ts';

const PYTHON = 'login.microsoftonline.com';
const NODE = 'login.windows.net';

const at = (fields: Entity = {}): Entity => ({
  credential_type: 'AccessToken',
  secret: 'access',
  home_account_id: 'uid.utid',
  environment: PYTHON,
  client_id: 'app',
  realm: 'utid',
  target: 's1 s2',
  cached_at: '1000',
  expires_on: '4600',
  ...fields,
});
const rt = (fields: Entity = {}): Entity => ({
  credential_type: 'RefreshToken',
  secret: 'refresh',
  home_account_id: 'uid.utid',
  environment: PYTHON,
  client_id: 'app',
  ...fields,
});
const idt = (fields: Entity = {}): Entity => ({
  credential_type: 'IdToken',
  secret: 'identity',
  home_account_id: 'uid.utid',
  environment: PYTHON,
  client_id: 'app',
  realm: 'utid',
  ...fields,
});
const account = (fields: Entity = {}): Entity => ({
  home_account_id: 'uid.utid',
  environment: PYTHON,
  realm: 'utid',
  local_account_id: 'uid',
  username: 'ann@contoso.example',
  authority_type: 'MSSTS',
  ...fields,
});

type Written = readonly [Dialect, EntityType, Entity];

/** A document that several libraries wrote into, one after the other. */
function cacheOf(...entities: readonly Written[]): SerializableTokenCache {
  const roots: Record<string, Record<string, Entity>> = {};
  for (const [dialect, type, entity] of entities) {
    roots[type] = { ...roots[type], [keyOf(type, entity, dialect)]: entity };
  }
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.deserialize(JSON.stringify(roots));
  return cache;
}

const request: TokenRequest = {
  client_id: 'app',
  home_account_id: 'uid.utid',
  environment: PYTHON,
  realm: 'utid',
  scopes: ['s1'],
};

test('1: aliases are one environment, in matching and in sign-out', () => {
  const cache = cacheOf(
    ['msal-python', 'AccessToken', at()],
    ['msal-node', 'RefreshToken', rt({ environment: NODE })],
  );
  for (const environment of [PYTHON, NODE]) {
    const found = lookup(cache, { ...request, environment }, 1000);
    expect(found.accessToken?.secret).toBe('access');
    expect(found.refreshTokens).toHaveLength(1);
  }
  expect(cache.signOut('uid.utid', { environment: 'sts.windows.net' })).toMatchObject({
    removed: { AccessToken: 1, RefreshToken: 1 },
    remaining: 0,
  });
});

test('2: `common` and the tenant are one account', () => {
  const cache = cacheOf(
    ['msal-python', 'Account', account({ realm: 'common' })],
    ['msal-node', 'Account', account({ environment: NODE })],
  );
  expect(cache.find('Account')).toHaveLength(2);
  expect(cache.accounts()).toMatchObject([{ username: 'ann@contoso.example', tenants: [{ realm: 'utid' }] }]);
  const node = new SerializableTokenCache();
  node.deserialize(cache.serialize({ dialect: 'msal-node' }));
  expect(node.find('Account').map(({ realm }) => realm)).toEqual(['utid']);
});

test('3: scopes in another order or case are the same', () => {
  const cache = cacheOf(['msal-python', 'AccessToken', at({ target: 's1 s2' })]);
  cache.add(
    signIn(
      { access_token: 'new', client_info: Buffer.from('{"uid":"uid","utid":"utid"}').toString('base64url') },
      { client_id: 'app', scope: ['S2', 's1'], token_endpoint: `https://${PYTHON}/utid/token` },
    ),
  );
  expect(cache.find('AccessToken').map(({ secret }) => secret)).toEqual(['new']);
});

test('4: signing out finds what the other library wrote', () => {
  const cache = cacheOf(
    ['msal-node', 'AccessToken', at()],
    ['msal-node', 'RefreshToken', rt()],
    ['msal-node', 'IdToken', idt()],
    ['msal-node-3', 'RefreshToken', rt()],
    ['msal-dotnet', 'Account', account()],
    ['msal-python', 'Account', account({ realm: 'guest' })],
  );
  expect(cache.signOut('uid.utid')).toMatchObject({
    removed: { AccessToken: 1, RefreshToken: 2, IdToken: 1, Account: 2 },
    remaining: 0,
  });
  expect(itemsIn(cache)).toEqual([]);
});

test('4: modify changes the credential under all of its keys', () => {
  const cache = cacheOf(
    ['msal-python', 'RefreshToken', rt({ target: 's1' })],
    ['msal-node', 'RefreshToken', rt()],
  );
  const [token] = cache.find('RefreshToken');
  cache.modify('RefreshToken', token ?? {}, { secret: 'rotated' });
  expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['rotated']);
  cache.modify('RefreshToken', { ...token, secret: 'anything' }, null);
  expect(cache.find('RefreshToken')).toEqual([]);
});

test('4: of several keys, modify starts from the entity that it is given', () => {
  const cache = cacheOf(
    ['msal-python', 'RefreshToken', rt({ target: 's1', note: 'first' })],
    ['msal-node', 'RefreshToken', rt({ note: 'second' })],
  );
  cache.modify('RefreshToken', cache.find('RefreshToken')[1] ?? {}, { secret: 'rotated' });
  expect(cache.find('RefreshToken')).toMatchObject([{ secret: 'rotated', note: 'second' }]);
});

test('5: an old refresh token does not shadow a new one', () => {
  const secrets = (cache: SerializableTokenCache): string[] =>
    lookup(cache, request, 1000).refreshTokens.map(({ secret }) => secret);
  const old = rt({ secret: 'old' });
  const fresh = rt({ secret: 'new' });
  expect(
    secrets(cacheOf(['msal-node-3', 'RefreshToken', old], ['msal-node', 'RefreshToken', fresh])),
  ).toEqual(['new', 'old']);
  const timed = (entity: Entity, time: string): Entity => ({
    ...entity,
    target: 's1',
    last_modification_time: time,
  });
  expect(
    secrets(
      cacheOf(
        ['msal-python', 'RefreshToken', timed(fresh, '2000')],
        ['msal-node', 'RefreshToken', timed(old, '1000')],
      ),
    ),
  ).toEqual(['new', 'old']);
});

test('6: one AppMetadata is written for an app, though there are two under aliases', () => {
  const cache = cacheOf(
    ['msal-python', 'AppMetadata', { client_id: 'app', environment: PYTHON }],
    ['msal-node', 'AppMetadata', { client_id: 'app', environment: NODE, family_id: '1' }],
  );
  const node = new SerializableTokenCache();
  node.deserialize(cache.serialize({ dialect: 'msal-node-3' }));
  expect(node.find('AppMetadata')).toEqual([{ client_id: 'app', environment: NODE, family_id: '1' }]);
  const known = cacheOf(
    ['msal-node', 'AppMetadata', { client_id: 'app', environment: NODE, family_id: '1' }],
    ['msal-python', 'AppMetadata', { client_id: 'app', environment: PYTHON }],
  );
  expect(known.serialize({ dialect: 'msal-dotnet' })).toContain('"family_id":"1"');
  // Adding a response also leaves only one.
  cache.add(signIn({}, { client_id: 'app', token_endpoint: `https://${PYTHON}/utid/token` }));
  expect(cache.find('AppMetadata')).toHaveLength(1);
});

test.each<[string, Entity]>([
  ['target: null', at({ target: null })],
  ['no expires_on', Object.fromEntries(Object.entries(at()).filter(([field]) => field !== 'expires_on'))],
])('7: %s is kept untouched, never matched, and goes with its account', (_, entity) => {
  const text = JSON.stringify({ AccessToken: { 'some key': entity } });
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  expect(cache.find('AccessToken')).toEqual([]);
  expect(cache.serialize()).toBe(text);
  for (const dialect of ['msal-python', 'msal-node', 'msal-dotnet'] as const) {
    expect(JSON.parse(cache.serialize({ dialect }))).toMatchObject({ AccessToken: { 'some key': entity } });
  }
  expect(cache.signOut('UID.utid')).toMatchObject({ removed: { AccessToken: 1 }, remaining: 0 });
  expect(cache.serialize()).toBe('{"AccessToken":{}}');
});

test('7: target: "" is a token without scopes, which MSAL Node is given scopes for that do not count', () => {
  const cache = cacheOf(['msal-python', 'AccessToken', at({ target: '' })]);
  expect(cache.find('AccessToken', { target: [] })).toHaveLength(1);
  expect(cache.find('AccessToken', { target: ['openid'] })).toHaveLength(1);
  expect(cache.find('AccessToken', { target: ['User.Read'] })).toEqual([]);
  const targets = (dialect: 'msal-python' | 'msal-node'): unknown => {
    const there = new SerializableTokenCache();
    there.deserialize(cache.serialize({ dialect }));
    return there.find('AccessToken').map(({ target }) => target);
  };
  expect(targets('msal-python')).toEqual(['']);
  expect(targets('msal-node')).toEqual(['openid']);
});

test('8: extended_expires_on is read unchanged', () => {
  const entity = at({ extended_expires_on: '8200' });
  const cache = cacheOf(['msal-node', 'AccessToken', entity]);
  for (const dialect of ['msal-python', 'msal-dotnet'] as const) {
    expect(cache.serialize({ dialect })).toContain('8200');
  }
  expect(cache.find('AccessToken').map(withSecret)).toEqual([entity]);
});

test("MSAL Python's document as MSAL Node expects it, and back", () => {
  const python = new SerializableTokenCache();
  python.deserialize(
    documentOf('msal-python', [
      ['AccessToken', at({ realm: 'common' })],
      ['AccessToken', at({ home_account_id: null, secret: "the app's" })],
      ['AccessToken', at({ target: 's3', token_type: 'pop', key_id: 'k' })],
      ['RefreshToken', rt({ target: 's1 s2', last_modification_time: '1000' })],
      ['Account', account()],
      ['Account', account({ realm: 'guest', local_account_id: 'guest id' })],
    ]),
  );
  const node: unknown = JSON.parse(python.serialize({ dialect: 'msal-node' }));
  const H = `uid.utid-${NODE}`;
  expect(Object.keys(node as object)).toEqual([
    'Account',
    'IdToken',
    'AccessToken',
    'RefreshToken',
    'AppMetadata',
  ]);
  expect(node).toMatchObject({
    Account: {
      [`${H}-utid`]: {
        environment: NODE,
        tenantProfiles: [
          '{"tenantId":"utid","localAccountId":"uid","username":"ann@contoso.example","isHomeTenant":true}',
          '{"tenantId":"guest","localAccountId":"guest id","username":"ann@contoso.example","isHomeTenant":false}',
        ],
      },
    },
    AccessToken: {
      [`${H}-accesstoken-app-utid-s1 s2-`]: {
        realm: 'utid',
        token_type: 'Bearer',
        extended_expires_on: '4600',
      },
      [`-${NODE}-accesstoken-app-utid-s1 s2-`]: { home_account_id: '' },
      [`${H}-accesstoken_with_authscheme-app-utid-s3-pop`]: {
        credential_type: 'AccessToken_With_AuthScheme',
        key_id: 'k',
      },
    },
    RefreshToken: { [`${H}-refreshtoken-app---`]: { target: 's1 s2' } },
  });

  const back = new SerializableTokenCache();
  back.deserialize(JSON.stringify(node));
  expect(JSON.parse(back.serialize({ dialect: 'msal-python' }))).toMatchObject({
    AccessToken: { [`-${PYTHON}-accesstoken-app-utid-s1 s2`]: { home_account_id: null } },
    RefreshToken: { [`uid.utid-${PYTHON}-refreshtoken-app--s1 s2`]: { last_modification_time: '1000' } },
  });
  expect(back.accounts()).toMatchObject([{ tenants: [{ realm: 'utid' }, { realm: 'guest' }] }]);
});

test("MSAL Node's refresh token gets what MSAL Python reads: a target, and the time of the token beside it", () => {
  const cache = cacheOf(
    ['msal-node', 'RefreshToken', rt()],
    ['msal-node', 'AccessToken', at({ cached_at: '1234' })],
  );
  expect(JSON.parse(cache.serialize({ dialect: 'msal-python' }))).toMatchObject({
    RefreshToken: {
      [`uid.utid-${PYTHON}-refreshtoken-app--`]: { target: '', last_modification_time: '1234' },
    },
  });
});

test('a plain and a bound token with the same scopes are both kept, although MSAL Python has one key for both', () => {
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.add(signIn({ access_token: 'plain' }));
  cache.add(signIn({ access_token: 'bound', token_type: 'pop' }, { data: { key_id: 'k' } }));
  const secrets = (query: Record<string, string>): string[] =>
    cache.find('AccessToken', { target: ['s1'], query }).map(({ secret }) => secret);
  expect(secrets({})).toEqual(['plain']);
  expect(secrets({ token_type: 'pop' })).toEqual(['bound']);
});
