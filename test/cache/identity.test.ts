/** Which user and which use a token belongs to: issuers, resources, assertions, schemes, scopes, lifetimes, refusals. */
import { ResponseBodyError } from 'oauth4webapi';
import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { acquireTokenSilent, lookup, type Redeem, type TokenRequest } from '../../src-main/cache/acquire.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { inMemory } from '../../src-main/cache/handle.ts';
import { type TokenResponseEvent } from '../../src-main/cache/response.ts';
import type { Entity } from '../../src-main/cache/schema/entities.ts';
import { expiryOf } from '../../src-main/cache/schema/expiry.ts';
import { removalCountOfAll, TokenCache } from '../../src-main/cache/token-cache.ts';
import { AmbiguousAccountError, InvalidArgumentError, SignInRequiredError } from '../../src-main/errors.ts';
import { base64url, jwt, signIn, withSecret } from './events.ts';

const HOST = 'https://id.example:8443';
const now = (): number => 1000;

/** A sign-in at a realm of a Keycloak, with additional fields of the realm's response. */
function realmSignIn(
  realm: string,
  response: object = {},
  event: Partial<TokenResponseEvent> = {},
): TokenResponseEvent {
  const claims = { iss: `${HOST}/realms/${realm}`, sub: '5', preferred_username: `user at ${realm}` };
  return {
    client_id: 'app',
    scope: ['read'],
    token_endpoint: `${HOST}/realms/${realm}/protocol/openid-connect/token`,
    grant_type: 'authorization_code',
    ...event,
    response: {
      access_token: `at ${realm}`,
      refresh_token: `rt ${realm}`,
      id_token: jwt(claims),
      token_type: 'Bearer',
      expires_in: 300,
      ...response,
    },
  };
}

function cacheWith(...events: TokenResponseEvent[]): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now });
  for (const event of events) cache.add(event);
  return cache;
}

const requestAt = (realm: string): TokenRequest => ({
  client_id: 'app',
  home_account_id: '5',
  environment: 'id.example',
  issuer: `${HOST}/realms/${realm}`,
  scopes: ['read'],
});

const secretFor = (cache: TokenCache, request: TokenRequest, at = 1000): string | undefined =>
  lookup(cache, request, at).accessToken?.secret;

describe('two realms of one host, with the same subject', () => {
  const heldUp = (): { redeem: Redeem; sent: string[]; letGo: () => void } => {
    const sent: string[] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const redeem: Redeem = async ({ secret }, { issuer = '' }) => {
      sent.push(secret);
      if (secret === 'rt alpha') await held;
      const response = { access_token: `new ${secret}`, expires_in: 300, token_type: 'Bearer' };
      const realm = issuer === '' ? `${HOST}/realms/alpha` : issuer;
      return { token_endpoint: `${realm}/protocol/openid-connect/token`, response };
    };
    return { redeem, sent, letGo: () => letGo() };
  };

  test('do not wait for the refresh of each other', async () => {
    const handle = inMemory(cacheWith(realmSignIn('alpha'), realmSignIn('beta')));
    const { redeem, letGo } = heldUp();
    const refresh = (realm: string) =>
      acquireTokenSilent(handle, { ...requestAt(realm), forceRefresh: true }, redeem, now);
    const alpha = refresh('alpha');
    expect((await refresh('beta')).secret).toBe('new rt beta');
    letGo();
    expect((await alpha).secret).toBe('new rt alpha');
  });

  test('a request that names its issuer waits for one that does not, and the refresh token is sent once', async () => {
    const handle = inMemory(cacheWith(realmSignIn('alpha')));
    const { redeem, sent, letGo } = heldUp();
    const { issuer: _, ...unnamed } = { ...requestAt('alpha'), forceRefresh: true };
    const both = [unnamed, { ...unnamed, issuer: `${HOST}/realms/alpha/` }].map((request) =>
      acquireTokenSilent(handle, request, redeem, now),
    );
    letGo();
    expect((await Promise.all(both)).map(({ secret }) => secret)).toEqual(['new rt alpha', 'new rt alpha']);
    expect(sent).toEqual(['rt alpha']);
  });

  test('are two accounts, each with its own tokens', () => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    expect(cache.accounts().map(({ issuer, username }) => [issuer, username])).toEqual([
      [`${HOST}/realms/alpha`, 'user at alpha'],
      [`${HOST}/realms/beta`, 'user at beta'],
    ]);
    for (const realm of ['alpha', 'beta']) {
      expect(secretFor(cache, requestAt(realm))).toBe(`at ${realm}`);
      const { refreshTokens } = lookup(cache, { ...requestAt(realm), forceRefresh: true }, 1000);
      expect(refreshTokens.map(({ secret }) => secret)).toEqual([`rt ${realm}`]);
    }
  });

  const named = { client_info: base64url({ uid: 'ada', utid: 'lovelace' }) };
  const sub = 'ada.lovelace';
  const withId = (realm: string, claims: object): { id_token: string } => ({
    id_token: jwt({ iss: `${HOST}/realms/${realm}`, sub: 'mallory', ...claims }),
  });

  test.each<[string, object, Partial<TokenResponseEvent>]>([
    ['client_info', { ...withId('beta', {}), ...named }, {}],
    ['client_info without an ID token', { id_token: undefined, ...named }, {}],
    ['client_info, to a caller that knows the kind', named, { authority_type: 'Generic' }],
    [
      'client_info, to a caller that knows the issuer',
      { id_token: undefined, ...named },
      { issuer: `${HOST}/realms/beta`, token_endpoint: `${HOST}/beta/oauth2/token` },
    ],
    ['claims beside the ID token', { id_token_claims: { iss: `${HOST}/realms/alpha`, sub } }, {}],
    ['the tenant of AD FS', withId('beta', { sub, tid: 'adfs' }), { authority_type: 'Generic' }],
    ['AD FS to the caller', withId('beta', { sub }), { authority_type: 'Generic', realm: 'adfs' }],
  ])('one of them can’t take an account of the other by %s', (_, response, event) => {
    for (const dialect of ['msal-python', 'msal-node'] as const) {
      const alpha = realmSignIn('alpha', withId('alpha', { sub, preferred_username: 'ada' }));
      const beta = realmSignIn('beta', response, event);
      for (const order of [
        [alpha, beta],
        [beta, alpha],
      ]) {
        const cache = new SerializableTokenCache({ now });
        cache.deserialize(new SerializableTokenCache({ now }).serialize({ dialect }));
        for (const one of order) cache.add(one);
        const request = { ...requestAt('alpha'), home_account_id: sub };
        expect(secretFor(cache, request)).toBe('at alpha');
        const { refreshTokens } = lookup(cache, { ...request, forceRefresh: true }, 1000);
        expect(refreshTokens.map(({ secret }) => secret)).toEqual(['rt alpha']);
        const [account] = cache.accounts({ home_account_id: sub, issuer: `${HOST}/realms/alpha` });
        expect(account).toMatchObject({ username: 'ada' });
        expect(cache.signOut(account!).remaining).toBe(0);
        expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['rt beta']);
      }
    }
  });

  test.each([
    ['the issuer of another host', { id_token: jwt({ iss: 'https://evil.example', sub: 'm' }) }],
    ['no ID token', { id_token: undefined }],
    [
      'an issuer of Entra’s form',
      { id_token: jwt({ iss: `${HOST}/11111111-2222-3333-4444-555555555555`, sub: 'm' }) },
    ],
  ])('client_info takes no account that has an issuer, with %s', (_, response) => {
    const cache = cacheWith(realmSignIn('alpha', withId('alpha', { sub })));
    cache.add(
      realmSignIn('beta', { ...response, ...named }, { token_endpoint: `${HOST}/t/beta/oauth2/token` }),
    );
    const request = { ...requestAt('alpha'), home_account_id: sub };
    expect(secretFor(cache, request)).toBe('at alpha');
    expect(lookup(cache, { ...request, forceRefresh: true }, 1000).refreshTokens).toHaveLength(1);
  });

  test('an account that was added without an ID token is refreshed where the first one names another issuer', async () => {
    const token_endpoint = 'https://oauth2.accounts.example/token';
    const cache = new TokenCache({ now });
    const account = { home_account_id: 'u1', environment: 'oauth2.accounts.example', client_id: 'app' };
    cache.add({
      client_id: 'app',
      scope: 'files',
      token_endpoint,
      home_account_id: 'u1',
      response: { refresh_token: 'rt' },
    });
    const handle = inMemory(cache);
    const id_token = jwt({ iss: 'https://accounts.example', sub: 'u1' });
    for (const time of [1, 2]) {
      const answer = { access_token: `at ${time}`, expires_in: 300, token_type: 'Bearer', id_token };
      const redeem: Redeem = () => Promise.resolve({ token_endpoint, response: answer });
      const request = { ...account, scopes: ['files'], forceRefresh: true };
      expect((await acquireTokenSilent(handle, request, redeem, now)).secret).toBe(`at ${time}`);
    }
    expect(cache.find('RefreshToken')).toHaveLength(1);
    expect(cache.find('IdToken').map(({ issuer }) => issuer)).toEqual(['https://oauth2.accounts.example']);
  });

  test('an account without an issuer keeps having none, also where a refresh says nothing of the user', () => {
    const tid = '11111111-2222-3333-4444-555555555555';
    const at = { token_endpoint: `https://login.sovereign.example/${tid}/oauth2/v2.0/token` };
    const id_token = jwt({ iss: `https://login.sovereign.example/${tid}/v2.0`, sub: 's', oid: 'o' });
    const cache = cacheWith(realmSignIn('x', { id_token, ...named }, at));
    const silent = { id_token: undefined, client_info: undefined, refresh_token: 'rt 2' };
    cache.add(realmSignIn('x', silent, { ...at, home_account_id: sub }));
    expect(cache.find('RefreshToken').map((token) => [token.secret, token.issuer])).toEqual([
      ['rt 2', undefined],
    ]);
  });

  test('client_info names the account at a cloud that this code does not know, in each of its tenants and as a whole', () => {
    const [home, guest] = ['11111111-2222-3333-4444-555555555555', '66666666-7777-8888-9999-000000000000'];
    const [tenant, v1, policy] = [`${home}/v2.0`, `${guest}/`, `tfp/${home}/b2c_1_susi/v2.0/`].map(
      (path) => `https://login.sovereign.example/${path}`,
    );
    for (const iss of [tenant, v1, policy, 'https://login.sovereign.example', undefined]) {
      const id_token = iss === undefined ? undefined : jwt({ iss, sub: 's', oid: 'o' });
      const token_endpoint = 'https://login.sovereign.example/contoso/oauth2/v2.0/token';
      const cache = cacheWith(realmSignIn('x', { id_token, ...named }, { token_endpoint }));
      expect(cache.accounts()).toMatchObject([{ home_account_id: sub, authority_type: 'MSSTS' }]);
      expect(cache.find('RefreshToken')[0]).not.toHaveProperty('issuer');
    }
  });

  test('a request that names no issuer gets nobody’s token', () => {
    const { issuer, ...request } = requestAt('alpha');
    expect(issuer).toBeDefined();
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    expect(lookup(cache, request, 1000)).toMatchObject({ refreshTokens: [] });
    expect(secretFor(cache, request)).toBeUndefined();
    expect(secretFor(cacheWith(realmSignIn('alpha')), request)).toBe('at alpha');
  });

  test.each(['msal-python', 'msal-node', 'msal-node-3', 'msal-dotnet'] as const)(
    'are both still there in a document for %s',
    (dialect) => {
      const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
      const there = new SerializableTokenCache({ now });
      there.deserialize(cache.serialize({ dialect }));
      for (const realm of ['alpha', 'beta']) expect(secretFor(there, requestAt(realm))).toBe(`at ${realm}`);
    },
  );

  test('signing out takes an account; an id alone is refused, and nothing is removed', () => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    const before = cache.serialize();
    expect(() => cache.signOut('5')).toThrow(AmbiguousAccountError);
    expect(() => cache.signOut('5', { environment: 'id.example' })).toThrow(/alpha and of .*beta/);
    expect(cache.serialize()).toBe(before);
    const [alpha] = cache.accounts({ username: 'user at alpha' });
    expect(cache.signOut(alpha!)).toMatchObject({
      issuer: `${HOST}/realms/alpha`,
      removed: { AccessToken: 1, RefreshToken: 1, IdToken: 1, Account: 1 },
      remaining: 0,
    });
    expect(secretFor(cache, requestAt('beta'))).toBe('at beta');
    expect(cache.signOut('5')).toMatchObject({ removed: { AccessToken: 1, Account: 1 }, remaining: 0 });
  });

  test('a refresh goes to the issuer of the request, and stays there', async () => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    const sent: string[] = [];
    const redeem: Redeem = ({ secret }) => {
      sent.push(secret);
      const response = {
        access_token: 'new alpha',
        token_type: 'Bearer',
        expires_in: 300,
        refresh_token: '',
      };
      return Promise.resolve({ token_endpoint: realmSignIn('alpha').token_endpoint, response });
    };
    const request = { ...requestAt('alpha'), forceRefresh: true };
    expect((await acquireTokenSilent(inMemory(cache), request, redeem, now)).secret).toBe('new alpha');
    expect(sent).toEqual(['rt alpha']);
    expect(secretFor(cache, requestAt('beta'))).toBe('at beta');
    // `refresh_token: ""` keeps the old one.
    expect(lookup(cache, request, 1000).refreshTokens.map(({ secret }) => secret)).toEqual(['rt alpha']);
  });

  test('a refresh without an ID token is stored under the account of the endpoint', () => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    const bare = { id_token: undefined, access_token: 'newer' };
    const { account } = cache.add(realmSignIn('beta', bare, { home_account_id: '5' }));
    expect(account?.issuer).toBe(`${HOST}/realms/beta`);
    expect(secretFor(cache, requestAt('beta'))).toBe('newer');
    expect(secretFor(cache, requestAt('alpha'))).toBe('at alpha');
  });

  test('entities that MSAL libraries wrote without an issuer are distinguished by the ID token beside them', () => {
    const cache = new SerializableTokenCache({ now });
    const { id_token } = realmSignIn('alpha').response;
    const own = { home_account_id: '5', environment: 'id.example', client_id: 'app', realm: 'realms' };
    cache.deserialize(
      JSON.stringify({
        AccessToken: {
          a: { ...own, secret: 'at alpha', target: 'read', cached_at: '1000', expires_on: '4600' },
        },
        IdToken: { i: { ...own, secret: id_token } },
      }),
    );
    cache.add(realmSignIn('beta'));
    expect(secretFor(cache, requestAt('alpha'))).toBe('at alpha');
    expect(secretFor(cache, requestAt('beta'))).toBe('at beta');
  });
});

describe('a refresh that ends after a new sign-in', () => {
  const late = (response: object): Awaited<ReturnType<Redeem>> => ({
    token_endpoint: realmSignIn('alpha').token_endpoint,
    response: {
      access_token: 'late',
      refresh_token: 'late rt',
      expires_in: 300,
      token_type: 'Bearer',
      ...response,
    },
  });
  /** Refreshes the token. The user signs in again meanwhile. */
  const refreshed = (cache: SerializableTokenCache, signInAgain: () => void, response: object = {}) =>
    acquireTokenSilent(
      inMemory(cache),
      { ...requestAt('alpha'), forceRefresh: true },
      () => {
        signInAgain();
        return Promise.resolve(late(response));
      },
      now,
    );
  const refreshTokensIn = (cache: TokenCache) => cache.find('RefreshToken').map(({ secret }) => secret);

  test('is still refused if it answers for another user', async () => {
    const cache = cacheWith(realmSignIn('alpha'));
    const signInAgain = (): void => {
      cache.add(realmSignIn('alpha', { refresh_token: 'newer rt' }));
      // The cache has no token for the request, so the answer decides.
      for (const token of cache.find('AccessToken')) cache.modify('AccessToken', token, null);
    };
    const foreign = { id_token: jwt({ iss: `${HOST}/realms/alpha`, sub: 'somebody else' }) };
    const answer = refreshed(cache, signInAgain, foreign);
    await expect(answer).rejects.toBeInstanceOf(SignInRequiredError);
    expect(cache.find('AccessToken')).toEqual([]);
    expect(refreshTokensIn(cache)).toEqual(['newer rt']);
  });

  test('that answers for another user is never repeated, and no tokens are lost', async () => {
    const cache = cacheWith(realmSignIn('alpha'));
    const before = refreshTokensIn(cache);
    let sent = 0;
    const signInAgain = (): void => void (sent += 1);
    const foreign = { id_token: jwt({ iss: `${HOST}/realms/alpha`, sub: 'somebody else' }) };
    for (let time = 0; time < 3; time += 1)
      await expect(refreshed(cache, signInAgain, foreign)).rejects.toBeInstanceOf(SignInRequiredError);
    expect(sent).toBe(1);
    expect(refreshTokensIn(cache)).toEqual(before);
    cache.add(realmSignIn('alpha', { refresh_token: 'newer rt' }));
    await refreshed(cache, signInAgain);
    expect(sent).toBe(2);
  });

  test('keeps the newer refresh token, also if a library wrote the older one without its issuer', async () => {
    const cache = new SerializableTokenCache({ now });
    const own = { home_account_id: '5', environment: 'id.example:8443', client_id: 'app', realm: 'realms' };
    cache.deserialize(
      JSON.stringify({
        RefreshToken: { r: { ...own, secret: 'rt of a library' } },
        IdToken: { i: { ...own, secret: realmSignIn('alpha').response['id_token'] } },
      }),
    );
    const signInAgain = (): void =>
      void cache.add(realmSignIn('alpha', { refresh_token: 'newer rt', access_token: 'newer' }));
    expect((await refreshed(cache, signInAgain)).secret).toBe('newer');
    expect(refreshTokensIn(cache)).toEqual(['newer rt']);
  });
});

describe('a token of unknown issuer', () => {
  const loose = { home_account_id: '5', environment: 'id.example:8443', client_id: 'app', realm: '' };
  /** A cache with sign-ins at these realms and a document whose tokens have no ID token. */
  const cacheBeside = (...realms: string[]): SerializableTokenCache => {
    const cache = new SerializableTokenCache({ now });
    cache.deserialize(
      JSON.stringify({
        AccessToken: {
          a: { ...loose, secret: 'at of whom', target: 'read', cached_at: '1000', expires_on: '4600' },
        },
        RefreshToken: { r: { ...loose, secret: 'rt of whom' } },
      }),
    );
    for (const realm of realms) cache.add({ ...realmSignIn(realm), client_id: 'another app' });
    return cache;
  };
  const given = (cache: SerializableTokenCache, realm: string) => [
    secretFor(cache, requestAt(realm)),
    ...lookup(cache, { ...requestAt(realm), forceRefresh: true }, 1000).refreshTokens.map(
      ({ secret }) => secret,
    ),
  ];
  const itself = ['at of whom', 'rt of whom'];

  test('is given to a request for any issuer while no user of the host is known', () => {
    expect(given(cacheBeside(), 'alpha')).toEqual(itself);
  });

  test('belongs to the only user that it can belong to, and goes to no other issuer', () => {
    expect(given(cacheBeside('alpha'), 'alpha')).toEqual(itself);
    expect(given(cacheBeside('alpha'), 'beta')).toEqual([undefined]);
  });

  test('is given to neither of two users', () => {
    expect(given(cacheBeside('alpha', 'beta'), 'alpha')).toEqual([undefined]);
    expect(given(cacheBeside('alpha', 'beta'), 'beta')).toEqual([undefined]);
    const { issuer: _, ...request } = requestAt('alpha');
    expect(secretFor(cacheBeside('alpha'), request)).toBe('at of whom');
    expect(secretFor(cacheBeside('alpha', 'beta'), request)).toBeUndefined();
  });

  test('does not prevent either of two users from signing out, and is removed with the first', () => {
    const cache = cacheBeside('alpha', 'beta');
    const [alpha, beta] = cache.accounts();
    expect(cache.signOut(alpha!)).toMatchObject({ issuer: alpha!.issuer, remaining: 0 });
    expect(secretFor(cache, { ...requestAt('beta'), client_id: 'another app' })).toBe('at beta');
    // The token may have belonged to the account that signed out.
    expect(cache.serialize()).not.toContain('of whom');
    expect(cache.signOut(beta!)).toMatchObject({
      issuer: beta!.issuer,
      removed: { Account: 1 },
      remaining: 0,
    });
  });

  test('counts where a request names no issuer and the ID token beside another token does', () => {
    const cache = new SerializableTokenCache({ now });
    const { id_token } = realmSignIn('alpha').response;
    cache.deserialize(
      JSON.stringify({
        RefreshToken: { r: { ...loose, secret: 'rt alpha' } },
        IdToken: { i: { ...loose, secret: id_token } },
      }),
    );
    cache.add(realmSignIn('beta', {}, { scope: ['write'] }));
    const { issuer: _, ...request } = requestAt('alpha');
    expect(lookup(cache, { ...request, forceRefresh: true }, 1000).refreshTokens).toEqual([]);
  });
});

describe('one user', () => {
  test('is listed once, though MSAL Node keeps the port and MSAL Python does not', () => {
    const cache = new SerializableTokenCache({ now });
    const account = {
      home_account_id: '5',
      realm: '',
      local_account_id: '5',
      username: 'u',
      authority_type: 'Generic',
    };
    cache.deserialize(JSON.stringify({ Account: { a: { ...account, environment: 'id.example:8443' } } }));
    cache.add(realmSignIn('alpha', {}, { realm: '' }));
    expect(cache.accounts()).toHaveLength(1);
    expect(cache.find('Account').map(({ environment }) => environment)).toEqual(['id.example:8443']);
  });

  test('of another port is another', () => {
    const other = realmSignIn('alpha', { id_token: jwt({ iss: 'https://id.example:9443', sub: '5' }) });
    const cache = cacheWith(realmSignIn('alpha'), {
      ...other,
      token_endpoint: 'https://id.example:9443/token',
    });
    expect(cache.accounts().map(({ issuer }) => issuer)).toEqual([
      `${HOST}/realms/alpha`,
      'https://id.example:9443',
    ]);
  });

  test('takes the name from whichever claim has it', () => {
    const nameFrom = (claims: object): string | undefined =>
      cacheWith(realmSignIn('alpha', { id_token: jwt({ sub: '5', ...claims }) })).accounts()[0]?.username;
    expect(nameFrom({ preferred_username: 'p', upn: 'u' })).toBe('p');
    expect(nameFrom({ upn: 'u', unique_name: 'n' })).toBe('u');
    expect(nameFrom({ unique_name: 'n', email: 'e' })).toBe('n');
    expect(nameFrom({ email: 'e', emails: ['x'] })).toBe('e');
    expect(nameFrom({ emails: ['first', 'second'] })).toBe('first');
    expect(nameFrom({ emails: [7] })).toBe('');
  });

  test('keeps the home name when a guest’s name comes', () => {
    const cache = new TokenCache({ now });
    const guest = {
      claims: { oid: 'g', sub: 's', preferred_username: 'ada_x.example#EXT#@contoso.example' },
    };
    cache.add(signIn());
    cache.add(signIn({}, {}, guest));
    expect(cache.accounts()).toMatchObject([{ username: 'john.doe@contoso.example' }]);
    cache.add(signIn({}, { token_endpoint: 'https://login.example.com/fabrikam/v2/token' }, guest));
    expect(cache.accounts()).toMatchObject([{ username: 'john.doe@contoso.example' }]);
  });

  test('without an account entity is still signed in and can be signed out', () => {
    const cache = new SerializableTokenCache({ now });
    const own = { home_account_id: 'u.t', environment: 'login.windows.net', client_id: 'app' };
    cache.deserialize(JSON.stringify({ RefreshToken: { r: { ...own, secret: 'r' } } }));
    expect(cache.accounts()).toMatchObject([{ home_account_id: 'u.t', username: '' }]);
    for (const account of cache.accounts()) cache.signOut(account);
    expect(cache.find('RefreshToken')).toEqual([]);
  });

  test('is written as MSAL Python lists it: MSSTS, while people are told Generic', () => {
    const cache = cacheWith(realmSignIn('alpha'));
    expect(cache.find('Account')).toMatchObject([{ authority_type: 'MSSTS' }]);
    expect(cache.accounts()).toMatchObject([{ authority_type: 'Generic' }]);
  });

  test('has an account source only if a grant signed the user in', () => {
    const sourceOf = (grant_type: string): unknown =>
      cacheWith(signIn({}, { grant_type })).find('Account')[0]?.account_source;
    expect(sourceOf('authorization_code')).toBe('authorization_code');
    expect(sourceOf('refresh_token')).toBeUndefined();
  });
});

describe('signing out all accounts', () => {
  test('removes every account, apps, and what names an account, and counts each once', () => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'), signIn(), {
      ...signIn({ id_token: undefined, refresh_token: undefined, client_info: undefined }),
      grant_type: 'client_credentials',
    });
    const before = removalCountOfAll(cache);
    const receipts = cache.signOutAll();
    const sum = (type: 'AccessToken' | 'Account'): number =>
      receipts.reduce((all, { removed }) => all + removed[type], 0);
    expect(sum('AccessToken')).toBe(before.AccessToken);
    expect([sum('AccessToken'), sum('Account')]).toEqual([4, 3]);
    expect(receipts.every(({ remaining }) => remaining === 0)).toBe(true);
    expect(receipts.map(({ home_account_id }) => home_account_id)).toEqual(['5', 'uid.utid', '']);
    expect(cache.find('AccessToken')).toEqual([]);
  });

  test('costs as much as its own entries, however many accounts there are', () => {
    const cache = new SerializableTokenCache({ now });
    const account = { environment: 'login.windows.net', realm: 't' };
    const entries = Array.from({ length: 3000 }, (_, n) => [
      `k${n}`,
      { ...account, home_account_id: `u${n}.t` },
    ]);
    const odd = Array.from({ length: 3000 }, (_, n) => [`u${n}.t-odd`, { foo: n }]);
    cache.deserialize(
      JSON.stringify({ Account: Object.fromEntries(entries), IdToken: Object.fromEntries(odd) }),
    );
    const begin = performance.now();
    expect(cache.signOutAll()).toHaveLength(3000);
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(cache.serialize()).toBe('{"Account":{},"IdToken":{}}');
  });
});

describe('what a token is for', () => {
  const purposes: Record<string, { data: Record<string, unknown>; request: Partial<TokenRequest> }> = {
    nothing: { data: {}, request: {} },
    'resource a': { data: { resource: 'https://a.example' }, request: { resource: 'https://a.example' } },
    'resource b': { data: { resource: 'https://b.example' }, request: { resource: ['https://b.example'] } },
    'resources a and b': {
      data: { resource: ['https://b.example', 'https://a.example'] },
      request: { resource: ['https://a.example', 'https://b.example'] },
    },
    audience: { data: { audience: 'api' }, request: { audience: 'api' } },
    assertion: {
      data: { requested_token_use: 'on_behalf_of', assertion: 'the user' },
      request: { user_assertion: 'the user' },
    },
    'another assertion': {
      data: { requested_token_use: 'on_behalf_of', assertion: 'another' },
      request: { user_assertion: 'another' },
    },
    claims: { data: { requested_claims_hash: 'h' }, request: { requested_claims_hash: 'h' } },
    pop: { data: { token_type: 'pop', key_id: 'k' }, request: { token_type: 'pop', key_id: 'k' } },
    component: { data: { fmi_path: 'agent' }, request: { components: { fmi_path: 'agent' } } },
  };
  const request: TokenRequest = {
    client_id: 'my_client_id',
    home_account_id: 'uid.utid',
    environment: 'login.example.com',
    scopes: 's1 s2',
  };
  const names = Object.keys(purposes);

  test('keeps tokens from replacing each other and from answering for each other, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 2 }), (chosen) => {
        const cache = new TokenCache({ now });
        for (const name of chosen) {
          const { data } = purposes[name]!;
          cache.add(signIn({ access_token: name, token_type: data['token_type'] ?? 'Bearer' }, { data }));
        }
        for (const name of names) {
          const found = secretFor(cache, { ...request, ...purposes[name]!.request });
          expect(found).toBe(chosen.includes(name) ? name : undefined);
        }
      }),
    );
  });

  test('an on-behalf-of refresh token matches only its assertion', () => {
    const cache = new TokenCache({ now });
    cache.add(signIn({}, { data: purposes['assertion']!.data }));
    const tokens = (more: Partial<TokenRequest>): number =>
      lookup(cache, { ...request, ...more, forceRefresh: true }, 1000).refreshTokens.length;
    expect([tokens({}), tokens({ user_assertion: 'the user' }), tokens({ user_assertion: 'x' })]).toEqual([
      0, 1, 0,
    ]);
  });

  test.each(['JWT', 'BearerToken', 'N_A', 'bearer', 'bot', 'user', 'token', ''])(
    'a token of type %j is a bearer token',
    (token_type) => {
      const cache = new TokenCache({ now });
      cache.add(signIn({ token_type }));
      expect(secretFor(cache, request)).toBe('an access token');
      expect(secretFor(cache, { ...request, token_type: 'pop' })).toBeUndefined();
    },
  );

  test('a PoP token that only its credential type identifies is no bearer token', () => {
    const cache = new SerializableTokenCache({ now });
    cache.add(signIn());
    const [token] = cache.find('AccessToken');
    const { token_type, ...rest } = token as Entity;
    expect(token_type).toBe('Bearer');
    const bound = { ...rest, secret: 'bound', credential_type: 'AccessToken_With_AuthScheme' };
    cache.deserialize(
      JSON.stringify({ AccessToken: { plain: { ...rest, token_type, secret: token?.secret }, bound } }),
    );
    expect(secretFor(cache, request)).toBe('an access token');
    expect(secretFor(cache, { ...request, token_type: 'pop' })).toBe('bound');
  });
});

describe('scopes as providers answer them', () => {
  const request: TokenRequest = {
    client_id: 'my_client_id',
    home_account_id: 'uid.utid',
    environment: 'login.example.com',
    scopes: [],
  };
  const found = (cache: TokenCache, ...scopes: string[]): string | undefined =>
    secretFor(cache, { ...request, scopes });

  test('`openid` for everything: each request finds the token that was its answer', () => {
    const cache = new TokenCache({ now });
    cache.add(signIn({ access_token: 'x', scope: 'openid' }, { scope: ['api://x/read', 'api://x/write'] }));
    cache.add(signIn({ access_token: 'y', scope: 'openid' }, { scope: ['api://y/read'] }));
    expect(found(cache, 'api://x/read', 'api://x/write')).toBe('x');
    expect(found(cache, 'api://x/read')).toBe('x');
    expect(found(cache, 'api://y/read')).toBe('y');
    expect(found(cache, 'api://z/read')).toBeUndefined();
  });

  test('less than was asked: the same request finds it, one for the rest alone does not, and the receipt says so', () => {
    const cache = new TokenCache({ now });
    const receipt = cache.add(signIn({ scope: 'a' }, { scope: ['a', 'b'] }));
    expect(receipt).toMatchObject({ asked: ['a', 'b'], granted: ['a'], notGranted: ['b'] });
    expect(found(cache, 'a', 'b')).toBe('an access token');
    expect(found(cache, 'b')).toBeUndefined();
    expect(cache.find('AccessToken')).toMatchObject([{ target: 'a', requested_scopes: 'a b' }]);
  });

  test.each([
    ['nothing asked, nothing told', [], undefined],
    ['nothing asked, nothing granted', [], ''],
    ['something asked, nothing granted', ['repo'], ''],
  ] as const)('%s is a value', (_, scope, granted) => {
    const cache = new TokenCache({ now });
    cache.add(signIn(granted === undefined ? {} : { scope: granted }, { scope }));
    expect(found(cache, ...scope)).toBe('an access token');
  });

  test('a string is a list', () => {
    const cache = new TokenCache({ now });
    cache.add(signIn({}, { scope: 'b a  b' }));
    expect(cache.find('AccessToken')).toMatchObject([{ target: 'a b' }]);
  });
});

describe('lifetimes', () => {
  const added = (response: object): { expiry: unknown; on: number } => {
    const cache = new TokenCache({ now });
    const { expiry } = cache.add(signIn({ expires_in: undefined, ...response }));
    return { expiry, on: expiryOf(cache.find('AccessToken')[0]!) };
  };

  test.each<[object, string, number]>([
    [{ expires_in: 300 }, 'given', 1300],
    [{ expires_in: '300.7' }, 'given', 1300],
    [{ expires_on: 9000 }, 'given', 9000],
    [{ expires_on: '9000' }, 'given', 9000],
    [{ expires_on: 1_795_832_400_000 }, 'given', 1_795_832_400],
    [{ expires_on: '2026-11-28T00:00:00Z' }, 'given', 1_795_824_000],
    [{ expires_at: '2026-11-28T01:00:00+01:00' }, 'given', 1_795_824_000],
    [{ expires_on: '11/28/2026 00:00:00 +00:00' }, 'given', 1_795_824_000],
    [{ expires_in: 2 ** 53 }, 'given', 253_402_300_799],
    [{ expires_in: 1e300 }, 'given', 253_402_300_799],
    [{ expires_in: -1e300 }, 'given', 0],
    [{ access_token: jwt({ exp: 1120 }) }, 'derived', 1120],
    [{ access_token: jwt({ exp: 1120 }), expires_in: 60 }, 'given', 1060],
    [{ access_token: jwt({ exp: 'soon' }) }, 'unknown', Infinity],
    [{}, 'unknown', Infinity],
    [{ expires_in: 'soon' }, 'unknown', Infinity],
    [{ expires_in: null }, 'unknown', Infinity],
  ])('%j: %s, until %s', (response, expiry, on) => {
    expect(added(response)).toEqual({ expiry, on });
  });

  test('a token of unknown lifetime is returned until it is refused', () => {
    const cache = new TokenCache({ now });
    cache.add(signIn({ expires_in: undefined }));
    const request = {
      client_id: 'my_client_id',
      home_account_id: 'uid.utid',
      environment: 'login.example.com',
      scopes: ['s1'],
    };
    expect(secretFor(cache, request, 1e9)).toBe('an access token');
    expect(lookup(cache, { ...request, forceRefresh: true }, 1e9)).toMatchObject({ refreshTokens: [{}] });
  });

  test('the margin is a quarter of a short life, 300 s of a long one, or what the request says', () => {
    const cache = cacheWith(realmSignIn('alpha'));
    const usable = (at: number, margin?: number): boolean =>
      secretFor(cache, { ...requestAt('alpha'), ...(margin === undefined ? {} : { margin }) }, at) !==
      undefined;
    expect([usable(1224), usable(1225), usable(1010, 300), usable(1299, 0), usable(1300, 0)]).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('an invalid event is refused with the name of the field, and nothing changes', () => {
  test.each<[string, unknown]>([
    ['client_id', { client_id: undefined }],
    ['client_id', { client_id: '' }],
    ['response', { response: undefined }],
    ['response', { response: [] }],
    ['response', { response: {} }],
    ['response', { response: { access_token: '', refresh_token: null } }],
    ['response.access_token', { response: { access_token: { token: 1 } } }],
    ['response.error', { response: { error: 'invalid_grant' } }],
    ['response.error', { response: { error: 'bad_verification_code', access_token: 'x' } }],
    ['scope', { scope: undefined }],
    ['scope', { scope: 7 }],
    ['scope', { scope: [7] }],
    ['response.scope', { response: { access_token: 'x', scope: {} } }],
    ['token_endpoint', { token_endpoint: 'nowhere' }],
    ['token_endpoint', { token_endpoint: undefined }],
    ['home_account_id', { home_account_id: 5 }],
    ['data', { data: 'x' }],
    ['response.id_token', { home_account_id: 'another', response: realmSignIn('alpha').response }],
    ['response.id_token', { issuer: `${HOST}/realms/beta` }],
    ['response.client_info', { ...signIn(), home_account_id: 'another.utid' }],
  ])('%s in %j', (field, wrong) => {
    const cache = cacheWith(realmSignIn('alpha'));
    const before = cache.serialize();
    const event = { ...realmSignIn('alpha', { access_token: 'new' }), ...(wrong as object) };
    let thrown: unknown;
    try {
      cache.add(event);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidArgumentError);
    expect(thrown).toMatchObject({ code: 'invalid_argument', field });
    expect(cache.serialize()).toBe(before);
  });

  test.each<[string, unknown[]]>([
    ['type', ['Nothing', {}, null]],
    ['old', ['AppMetadata', undefined, {}]],
    ['old', ['AppMetadata', 'x', null]],
    ['changes', ['AppMetadata', {}, undefined]],
    ['expires_on', ['AccessToken', realmSignIn, { expires_on: 'soon' }]],
  ])('%s of modify', (field, args) => {
    const cache = cacheWith(realmSignIn('alpha'));
    const [type, old, changes] = args.map((arg) =>
      arg === realmSignIn ? cache.find('AccessToken')[0] : arg,
    ) as [never, never, never];
    expect(() => cache.modify(type, old, changes)).toThrow(expect.objectContaining({ field }) as Error);
  });

  test('modify replaces an entry in place under a key that belongs to no library', () => {
    const cache = new SerializableTokenCache({ now });
    const app = { client_id: 'app', environment: 'id.example' };
    cache.deserialize(JSON.stringify({ AppMetadata: { 'my own key': app } }));
    cache.modify('AppMetadata', cache.find('AppMetadata')[0]!, { family_id: '1' });
    expect(JSON.parse(cache.serialize())).toEqual({
      AppMetadata: { 'my own key': { ...app, family_id: '1' } },
    });
  });
});

describe('subjects that differ only in case', () => {
  const of = (sub: string, event: Partial<TokenResponseEvent> = {}): TokenResponseEvent =>
    realmSignIn('alpha', { id_token: jwt({ iss: `${HOST}/realms/alpha`, sub }) }, event);
  const wanted = (home_account_id: string): TokenRequest => ({ ...requestAt('alpha'), home_account_id });

  test.each<Partial<TokenResponseEvent>>([
    {},
    { client_id: 'another app' },
    { skipAccountCreation: true },
    { home_account_id: '00uaBc' },
  ])('are two users: the second one takes nothing from the first, %j', (event) => {
    const cache = cacheWith(of('00uAbC'));
    const before = cache.serialize();
    expect(() => cache.add(of('00uaBc', event))).toThrow(/differs only in case/);
    expect(cache.serialize()).toBe(before);
    expect(secretFor(cache, wanted('00uAbC'))).toBe('at alpha');
    expect(secretFor(cache, wanted('00uaBc'))).toBeUndefined();
    expect(lookup(cache, wanted('00uaBc'), 1000).refreshTokens).toEqual([]);
    cache.signOut(cache.accounts()[0]!);
    cache.add(of('00uaBc', event));
    const { client_id = 'app' } = event;
    expect(secretFor(cache, { ...wanted('00uaBc'), client_id })).toBe('at alpha');
  });

  test('a refresh is not answered for the other one', async () => {
    const cache = cacheWith(of('00uAbC'));
    const { response, token_endpoint } = of('00uaBc');
    const redeem: Redeem = () => Promise.resolve({ token_endpoint, response });
    const request = { ...wanted('00uAbC'), forceRefresh: true };
    await expect(acquireTokenSilent(inMemory(cache), request, redeem, now)).rejects.toThrow(
      SignInRequiredError,
    );
    expect(secretFor(cache, wanted('00uAbC'))).toBe('at alpha');
  });

  test('are one user at Microsoft, whose IDs are compared as MSAL does', () => {
    const event = { token_endpoint: 'https://login.microsoftonline.com/utid/oauth2/v2.0/token' };
    const cache = cacheWith(signIn({}, event), signIn({}, event, { uid: 'UID', utid: 'UTID' }));
    expect(cache.accounts()).toHaveLength(1);
    const request = { client_id: 'my_client_id', environment: 'login.windows.net', scopes: ['s1'] };
    expect(secretFor(cache, { ...request, home_account_id: 'Uid.Utid' })).toBe('an access token');
  });
});

describe('a refused refresh token', () => {
  const request: TokenRequest = { ...requestAt('alpha'), forceRefresh: true };

  test.each<[string, () => Error]>([
    ['an OAuth error', () => Object.assign(new Error('x'), { error: 'invalid_grant' })],
    ['an MSAL error', () => Object.assign(new Error('x'), { errorCode: 'invalid_grant' })],
    [
      'an error of an HTTP client',
      () => Object.assign(new Error('x'), { response: { data: { error: 'invalid_grant' } } }),
    ],
    ['an error with a cause', () => new Error('x', { cause: { error: 'invalid_grant' } })],
  ])('is sent once, ever: %s', async (_, failure) => {
    const cache = cacheWith(realmSignIn('alpha'));
    const sent: string[] = [];
    const redeem: Redeem = ({ secret }) => {
      sent.push(secret);
      return Promise.reject(failure());
    };
    const ask = (handle: TokenCache): Promise<unknown> =>
      acquireTokenSilent(inMemory(handle), request, redeem, now);
    await expect(ask(cache)).rejects.toThrow(SignInRequiredError);
    await expect(ask(cache)).rejects.toThrow(SignInRequiredError);
    const another = new SerializableTokenCache({ now });
    another.deserialize(cache.serialize());
    await expect(ask(another)).rejects.toThrow(SignInRequiredError);
    expect(sent).toEqual(['rt alpha']);
    cache.add(realmSignIn('alpha', { refresh_token: 'rt again' }));
    await expect(ask(cache)).rejects.toThrow(SignInRequiredError);
    expect(sent).toEqual(['rt alpha', 'rt again']);
  });

  test('is sent once where the provider’s answer is returned, and where the cache can’t be written', async () => {
    const cache = cacheWith(realmSignIn('alpha'));
    let sent = 0;
    const redeem: Redeem = () => {
      sent += 1;
      return Promise.resolve({ token_endpoint: `${HOST}/token`, response: { error: 'invalid_grant' } });
    };
    const handle = { ...inMemory(cache), update: () => Promise.reject(new Error('locked')) };
    for (let time = 0; time < 2; time += 1)
      await expect(acquireTokenSilent(handle, request, redeem, now)).rejects.toThrow(SignInRequiredError);
    expect(sent).toBe(1);
  });

  test('another failure is passed on, and the token is sent again', async () => {
    const cache = cacheWith(realmSignIn('alpha'));
    let sent = 0;
    const redeem: Redeem = () => Promise.reject(new RangeError(`down ${(sent += 1)}`));
    for (let time = 0; time < 2; time += 1)
      await expect(acquireTokenSilent(inMemory(cache), request, redeem, now)).rejects.toThrow(RangeError);
    expect(sent).toBe(2);
  });

  const body = { error: 'invalid_grant', suberror: 'basic_action' };
  test.each([
    ['has the suberror', Object.assign(new Error('x'), body)],
    ['is of oauth4webapi', new ResponseBodyError('x', { cause: body, response: Response.json(body) })],
    ['is the cause of another', new Error('x', { cause: { error: 'invalid_grant', data: body } })],
  ])('a refusal of some scopes does not refuse other scopes, if the error %s', async (_where, refusal) => {
    const cache = cacheWith(realmSignIn('alpha'));
    const sent: unknown[] = [];
    const redeem: Redeem = (_, { scopes }) => {
      sent.push(scopes);
      return Promise.reject(refusal);
    };
    for (const scopes of ['read', 'read', 'write'])
      await expect(acquireTokenSilent(inMemory(cache), { ...request, scopes }, redeem, now)).rejects.toThrow(
        SignInRequiredError,
      );
    expect(sent).toEqual([['read'], ['write']]);
  });

  test.each([
    ['subject', `${HOST}/realms/alpha`, '6'],
    ['issuer', `${HOST}/realms/beta`, '5'],
    ['issuer on another host', 'https://accounts.example', '5'],
  ])('a response about another %s is refused, and nothing is lost', async (_what, iss, sub) => {
    const cache = cacheWith(realmSignIn('alpha'), realmSignIn('beta'));
    const google = { iss: 'https://accounts.example', sub: '5' };
    cache.add(
      realmSignIn('x', { id_token: jwt(google) }, { token_endpoint: 'https://accounts.example/token' }),
    );
    const before = JSON.parse(cache.serialize()) as object;
    const { response } = realmSignIn('alpha', {
      access_token: 'theirs',
      refresh_token: 'theirs',
      id_token: jwt({ iss, sub }),
    });
    const redeem: Redeem = () =>
      Promise.resolve({ token_endpoint: realmSignIn('alpha').token_endpoint, response });
    await expect(acquireTokenSilent(inMemory(cache), request, redeem, now)).rejects.toThrow(
      SignInRequiredError,
    );
    expect(JSON.parse(cache.serialize())).toMatchObject(before); // and the refusal
    expect(cache.serialize()).not.toContain('theirs');
  });
});

describe('reading is as tolerant as the most tolerant library', () => {
  const own = { home_account_id: 'u.t', environment: 'login.windows.net', client_id: 'app' };
  const read = (document: object): SerializableTokenCache => {
    const cache = new SerializableTokenCache({ now });
    cache.deserialize(JSON.stringify(document));
    return cache;
  };

  test.each([['IDToken'], ['idtoken'], ['id_token'], [null], [undefined], ['Later']])(
    'credential_type %j of an ID token',
    (credential_type) => {
      expect(read({ IdToken: { i: { ...own, credential_type, secret: 's' } } }).find('IdToken')).toHaveLength(
        1,
      );
    },
  );

  test('fields that no library needs may be missing, and times may be numbers', () => {
    const token = { ...own, secret: 's', target: 'read', expires_on: 9000 };
    const cache = read({
      AccessToken: { a: token },
      Account: { u: { home_account_id: 'u.t', environment: 'login.windows.net' } },
    });
    expect(cache.find('AccessToken', { target: ['read'] }).map(withSecret)).toEqual([token]);
    expect(secretFor(cache, { ...own, scopes: ['read'] })).toBe('s');
    expect(secretFor(cache, { ...own, scopes: ['read'] }, 8999)).toBeUndefined();
    expect(cache.accounts()).toMatchObject([{ home_account_id: 'u.t', username: '' }]);
    const node = read(JSON.parse(cache.serialize({ dialect: 'msal-node' })) as object);
    expect(node.find('AccessToken')).toMatchObject([{ expires_on: '9000', credential_type: 'AccessToken' }]);
    expect(node.find('Account')).toMatchObject([{ username: '', authority_type: 'MSSTS' }]);
  });

  test('a JWT whose header is no JSON is read', () => {
    const id_token = `${base64url('no json')}.${base64url({ sub: '5', email: 'ada@example.org' })}.x`;
    expect(cacheWith(realmSignIn('alpha', { id_token })).accounts()).toMatchObject([
      { username: 'ada@example.org' },
    ]);
  });

  test('an encrypted ID token is kept, under the account that the caller names', () => {
    const id_token = `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`;
    const cache = new TokenCache({ now });
    const receipt = cache.add(realmSignIn('alpha', { id_token }, { home_account_id: 'ada' }));
    expect(receipt).toMatchObject({
      account: { home_account_id: 'ada' },
      kept: ['AccessToken', 'IdToken', 'RefreshToken', 'Account', 'AppMetadata'],
    });
    expect(cache.find('IdToken')).toMatchObject([{ secret: id_token, home_account_id: 'ada' }]);
  });
});
