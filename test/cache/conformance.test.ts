/** The conformance cases that every token cache of the MSAL schema passes, by number. Cases 19 to 21 belong to the vault. */
import { describe, expect, test } from 'vitest';
import { acquireTokenSilent, type TokenRequest } from '../../src-main/cache/acquire.ts';
import type { EntityType } from '../../src-main/cache/schema/entities.ts';
import { hashComponents } from '../../src-main/cache/schema/match.ts';
import { inMemory } from '../../src-main/cache/handle.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { itemsIn, jwt, signIn, withSecret } from './events.ts';

const cacheAt = (now = 1000): SerializableTokenCache => new SerializableTokenCache({ now: () => now });
const keysOf = (cache: TokenCache, type: EntityType): (string | null)[] =>
  itemsIn(cache)
    .filter(({ section }) => section === type)
    .map(({ key }) => key);

function signedIn(): SerializableTokenCache {
  const cache = cacheAt();
  cache.add(signIn());
  return cache;
}

const adfs = signIn(
  { client_info: undefined, id_token: jwt({ sub: 'subject', upn: 'john.doe@contoso.example' }) },
  { token_endpoint: 'https://fs.contoso.example/adfs/oauth2/token' },
);

describe('conformance', () => {
  test('1: an AAD response becomes an access token under the key of MSAL Python', () => {
    const cache = signedIn();
    expect(cache.find('AccessToken').map(withSecret)).toEqual([
      {
        credential_type: 'AccessToken',
        secret: 'an access token',
        home_account_id: 'uid.utid',
        environment: 'login.example.com',
        client_id: 'my_client_id',
        target: 's1 s2 s3',
        realm: 'contoso',
        token_type: 'Bearer',
        cached_at: '1000',
        expires_on: '4600',
        extended_expires_on: '4600',
      },
    ]);
    expect(keysOf(cache, 'AccessToken')).toEqual([
      'uid.utid-login.example.com-accesstoken-my_client_id-contoso-s1 s2 s3',
    ]);
  });

  test('2: the refresh token, with the time of its writing', () => {
    const cache = signedIn();
    expect(keysOf(cache, 'RefreshToken')).toEqual([
      'uid.utid-login.example.com-refreshtoken-my_client_id--s1 s2 s3',
    ]);
    expect(cache.find('RefreshToken')).toMatchObject([
      { secret: 'a refresh token', last_modification_time: '1000', target: 's1 s2 s3' },
    ]);
  });

  test('3: the account', () => {
    const cache = signedIn();
    expect(keysOf(cache, 'Account')).toEqual(['uid.utid-login.example.com-contoso']);
    expect(cache.find('Account')).toEqual([
      {
        home_account_id: 'uid.utid',
        environment: 'login.example.com',
        realm: 'contoso',
        local_account_id: 'object1234',
        username: 'john.doe@contoso.example',
        authority_type: 'MSSTS',
      },
    ]);
  });

  test('4: the keys of the ID token and of the app metadata', () => {
    const cache = signedIn();
    expect(keysOf(cache, 'IdToken')[0]).toMatch(/-contoso-$/);
    expect(keysOf(cache, 'AppMetadata')).toEqual(['appmetadata-login.example.com-my_client_id']);
  });

  test('5: AD FS sends no client_info: the subject is the account', () => {
    const cache = cacheAt();
    cache.add(adfs);
    expect(cache.find('Account')).toMatchObject([
      {
        home_account_id: 'subject',
        local_account_id: 'subject',
        realm: 'adfs',
        username: 'john.doe@contoso.example',
        authority_type: 'ADFS',
      },
    ]);
    expect(cache.find('AccessToken')).toMatchObject([{ home_account_id: 'subject', realm: 'adfs' }]);
  });

  test('6: a search without a query', () => {
    const cache = signedIn();
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const) {
      expect([...cache.search(type)]).toHaveLength(1);
    }
  });

  test('7: a key id is stored and searchable; that of a new key replaces the old one', () => {
    const cache = cacheAt();
    const bound = (key_id: string) =>
      signIn({ token_type: 'ssh-cert', access_token: key_id }, { data: { key_id } });
    cache.add(bound('1'));
    expect(cache.find('AccessToken', { target: ['s1'], query: { key_id: '1' } })).toMatchObject([
      { key_id: '1' },
    ]);
    cache.add(bound('2'));
    expect(cache.find('AccessToken').map(({ key_id }) => key_id)).toEqual(['2']);
  });

  test('8: refresh_in becomes refresh_on', () => {
    const cache = cacheAt();
    cache.add(signIn({ refresh_in: 1800 }));
    expect(cache.find('AccessToken')).toMatchObject([{ refresh_on: '2800' }]);
  });

  test('9: a fresh cache is clean, add and modify make it dirty, serialize and deserialize clean', () => {
    const cache = cacheAt();
    expect(cache.hasStateChanged).toBe(false);
    cache.add(signIn());
    expect(cache.hasStateChanged).toBe(true);
    const text = cache.serialize();
    expect(cache.hasStateChanged).toBe(false);
    const [token] = cache.find('AccessToken');
    cache.modify('AccessToken', token ?? {}, { secret: 'another' });
    expect(cache.hasStateChanged).toBe(true);
    cache.deserialize(text);
    expect(cache.hasStateChanged).toBe(false);
    cache.signOut('uid.utid');
    expect(cache.hasStateChanged).toBe(true);
  });

  test('10: an unknown root and a malformed access token are kept', () => {
    const cache = cacheAt();
    cache.deserialize(
      JSON.stringify({ AccessToken: { 'an-entry': { foo: 'bar' } }, customized: 'whatever' }, undefined, 4),
    );
    cache.add(signIn());
    const document: unknown = JSON.parse(cache.serialize());
    expect(document).toMatchObject({ AccessToken: { 'an-entry': { foo: 'bar' } }, customized: 'whatever' });
    expect(cache.find('AccessToken')).toHaveLength(1);
  });

  test('11: an extended token is invisible to a plain query, and the other way round', () => {
    const cache = cacheAt();
    const query = {
      client_id: 'my_client_id',
      environment: 'login.example.com',
      realm: 'contoso',
      home_account_id: null,
    };
    const app = { client_info: undefined, id_token: undefined, refresh_token: undefined };
    cache.add(signIn({ ...app, access_token: 'for an agent' }, { data: { fmi_path: 'some/path' } }));
    expect(cache.find('AccessToken', { target: ['s1'], query })).toEqual([]);
    expect(cache.find('AccessToken', { query })).toEqual([]);
    expect(cache.find('AccessToken', { target: ['s1'] })).toEqual([]);
    const ext_cache_key = hashComponents({ fmi_path: 'some/path' });
    expect(cache.find('AccessToken', { target: ['s1'], query: { ...query, ext_cache_key } })).toMatchObject([
      { secret: 'for an agent' },
    ]);
    cache.add(signIn({ ...app, access_token: 'plain' }));
    expect(cache.find('AccessToken', { target: ['s1'], query })).toMatchObject([{ secret: 'plain' }]);
    expect(cache.find('AccessToken', { target: ['s1'], query: { ...query, ext_cache_key } })).toHaveLength(1);
    expect(cache.find('AccessToken')).toHaveLength(2);
  });

  test('12: an empty cache returns nothing and throws nothing', () => {
    const cache = cacheAt();
    expect(cache.find('AccessToken', { target: ['s1'], query: { home_account_id: 'uid.utid' } })).toEqual([]);
    expect(cache.accounts()).toEqual([]);
    expect(cache.signOut('uid.utid')).toMatchObject({
      remaining: 0,
      removed: { AccessToken: 0, Account: 0 },
    });
    cache.modify('RefreshToken', { home_account_id: 'uid.utid', client_id: 'x', environment: 'e' }, null);
  });

  const request: TokenRequest = {
    client_id: 'my_client_id',
    home_account_id: 'uid.utid',
    environment: 'login.example.com',
    realm: 'contoso',
    scopes: ['s1'],
  };
  const token_endpoint = 'https://login.example.com/contoso/v2/token';

  test("13: an unknown app tries the family's refresh token, which is kept on failure", async () => {
    const cache = cacheAt();
    cache.add(signIn({ foci: '1' }, { client_id: 'another app' }));
    const handle = inMemory(cache);
    const tried: string[] = [];
    const refused = acquireTokenSilent(
      handle,
      request,
      (refreshToken) => {
        tried.push(refreshToken.secret);
        return Promise.reject(new Error('invalid_grant'));
      },
      () => 1000,
    );
    await expect(refused).rejects.toThrow('invalid_grant');
    expect(tried).toEqual(['a refresh token']);
    expect(cache.find('RefreshToken')).toHaveLength(1);

    const token = await acquireTokenSilent(
      handle,
      request,
      () =>
        Promise.resolve({ token_endpoint, response: signIn({ foci: '1', access_token: 'new' }).response }),
      () => 1000,
    );
    expect(token.secret).toBe('new');
    expect(cache.find('AppMetadata', { query: { client_id: 'my_client_id' } })).toMatchObject([
      { family_id: '1' },
    ]);
  });

  test('14: the sign-out of a family app leaves nothing of the user', () => {
    const cache = cacheAt();
    cache.add(signIn({ foci: '1' }, { client_id: 'one app' }));
    cache.add(signIn({ foci: '1' }, { client_id: 'another app' }));
    expect(cache.signOut('uid.utid')).toEqual({
      home_account_id: 'uid.utid',
      at: 1000,
      removed: { AccessToken: 2, RefreshToken: 2, IdToken: 2, Account: 1, AppMetadata: 0 },
      remaining: 0,
    });
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const) {
      expect(cache.find(type)).toEqual([]);
    }
  });

  test('15: every entity is found under an alias', () => {
    const cache = cacheAt();
    cache.add(signIn({}, { token_endpoint: 'https://login.microsoftonline.com/contoso/v2/token' }));
    for (const environment of ['login.windows.net', 'STS.windows.net', 'login.microsoft.com']) {
      for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const) {
        expect(cache.find(type, { query: { environment } })).toHaveLength(1);
      }
      expect(cache.accounts({ environment })).toHaveLength(1);
    }
    expect(cache.find('AccessToken', { query: { environment: 'login.microsoftonline.us' } })).toEqual([]);
  });

  describe('16: silent acquisition', () => {
    const up = () => Promise.resolve({ token_endpoint, response: signIn({ access_token: 'new' }).response });
    const down = () => Promise.reject(new Error('the provider is down'));
    const never = () => Promise.reject(new Error('there must be no I/O'));
    const due = () => {
      const cache = cacheAt();
      cache.add(signIn({ refresh_in: 1800 }));
      return inMemory(cache);
    };

    test('a fresh token is returned without I/O', async () => {
      const token = await acquireTokenSilent(due(), request, never, () => 2799);
      expect(token.secret).toBe('an access token');
    });
    test('after refresh_on with the provider up, the new token is returned', async () => {
      const token = await acquireTokenSilent(due(), request, up, () => 2800);
      expect(token.secret).toBe('new');
    });
    test('after refresh_on with the provider down, the old token is kept and returned', async () => {
      const handle = due();
      const token = await acquireTokenSilent(handle, request, down, () => 2800);
      expect(token.secret).toBe('an access token');
      expect(await handle.read((cache) => cache.find('AccessToken').length)).toBe(1);
    });
    test('an expired token with the provider down is an error', async () => {
      await expect(acquireTokenSilent(due(), request, down, () => 4300)).rejects.toThrow(
        'the provider is down',
      );
    });
  });

  test('17: the same user in two tenants is one account', () => {
    const cache = cacheAt();
    cache.add(signIn());
    cache.add(signIn({}, { token_endpoint: 'https://login.example.com/fabrikam/v2/token' }));
    expect(cache.find('Account')).toHaveLength(2);
    expect(cache.accounts()).toMatchObject([
      { home_account_id: 'uid.utid', tenants: [{ realm: 'contoso' }, { realm: 'fabrikam' }] },
    ]);
  });

  test("18: removing app-only tokens keeps the users'", () => {
    const cache = signedIn();
    const app = {
      client_info: undefined,
      id_token: undefined,
      refresh_token: undefined,
      access_token: "the app's",
    };
    cache.add(signIn(app));
    cache.add(signIn(app, { client_id: 'another app' }));
    expect(cache.find('AccessToken')).toHaveLength(3);
    expect(cache.removeAppTokens({ client_id: 'MY_CLIENT_ID' })).toMatchObject({
      removed: { AccessToken: 1 },
      remaining: 0,
    });
    expect(cache.removeAppTokens()).toMatchObject({ removed: { AccessToken: 1 }, remaining: 0 });
    expect(cache.find('AccessToken')).toMatchObject([{ secret: 'an access token' }]);
    expect(cache.find('RefreshToken')).toHaveLength(1);
  });

  test.each(['', null, undefined])('22: deserialize(%o) gives an empty cache', (state) => {
    const cache = signedIn();
    cache.deserialize(state);
    expect(itemsIn(cache)).toEqual([]);
    expect(cache.serialize()).toBe('{}');
  });
});
