/** Silent acquisition beyond conformance cases 13 and 16. */
import { describe, expect, test } from 'vitest';
import { acquireTokenSilent, lookup, type Redeem, type TokenRequest } from '../../src-main/cache/acquire.ts';
import { SignInRequiredError } from '../../src-main/errors.ts';
import { hashComponents } from '../../src-main/cache/schema/match.ts';
import { inMemory } from '../../src-main/cache/handle.ts';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import type { TokenResponseEvent } from '../../src-main/cache/response.ts';
import { base64url, jwt, signIn } from './events.ts';

const token_endpoint = 'https://login.example.com/contoso/v2/token';
const request: TokenRequest = {
  client_id: 'my_client_id',
  home_account_id: 'uid.utid',
  environment: 'login.example.com',
  realm: 'contoso',
  scopes: ['s1'],
};
const now = (): number => 1000;

function cacheWith(...events: TokenResponseEvent[]): TokenCache {
  const cache = new TokenCache({ now });
  for (const event of events) cache.add(event);
  return cache;
}

const answer =
  (response: Readonly<Record<string, unknown>>): Redeem =>
  () =>
    Promise.resolve({ token_endpoint, response });

describe('silent acquisition', () => {
  test('a refresh that ends after the sign-out does not bring the account back', async () => {
    const cache = cacheWith(signIn());
    const redeem: Redeem = () => {
      cache.signOut('uid.utid');
      return answer(signIn({ access_token: 'late' }).response)(anyToken, { ...request, scopes: ['s1'] });
    };
    const [anyToken] = cache.find('RefreshToken') as [never];
    const late = acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, redeem, now);
    await expect(late).rejects.toThrow(SignInRequiredError);
    expect(cache.accounts()).toEqual([]);
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken'] as const)
      expect(cache.find(type)).toEqual([]);
  });

  test.each([
    [
      'interaction_required',
      { code: 'sign_in_required', reason: 'interaction_required', cause: { claims: '{}' } },
    ],
    ['temporarily_unavailable', { error: 'temporarily_unavailable' }],
    ['invalid_client', { error: 'invalid_client' }],
  ])('an error response that is returned is one: %s', async (error, expected) => {
    const cache = cacheWith(signIn());
    const failed = answer({ error, claims: '{}' });
    const refresh = acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, failed, now);
    await expect(refresh).rejects.toMatchObject(expected);
    const next = answer({ access_token: 'new', expires_in: 3600 }); // The refresh token is sent again.
    const token = await acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, next, now);
    expect(token.secret).toBe('new');
  });

  test('a refresh does not make an account', async () => {
    const cache = cacheWith(signIn());
    for (const account of cache.find('Account')) cache.modify('Account', account, null);
    const refreshed = answer(signIn({ access_token: 'new' }).response);
    await acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, refreshed, now);
    expect(cache.find('Account')).toEqual([]);
  });

  test('a token requested for any tenant belongs to the home tenant, and to no other', () => {
    const cache = cacheWith(signIn());
    for (const token of cache.find('AccessToken'))
      cache.modify('AccessToken', token, { realm: 'organizations' });
    const secretIn = (realm: string) => lookup(cache, { ...request, realm }, 1000).accessToken?.secret;
    expect(secretIn('utid')).toBe(cache.find('AccessToken')[0]!.secret);
    expect(secretIn('contoso')).toBeUndefined();
  });

  test('a request for any tenant gets the token of the home tenant, and of no other', () => {
    const cache = cacheWith(signIn({ access_token: 'guest', expires_in: 7200 }));
    const secretIn = (realm: string) => lookup(cache, { ...request, realm }, 1000).accessToken?.secret;
    for (const realm of ['common', 'organizations', 'consumers']) expect(secretIn(realm)).toBeUndefined();
    cache.add(signIn({ access_token: 'home' }, { realm: 'UTID' }));
    for (const realm of ['common', 'Organizations', 'utid']) expect(secretIn(realm)).toBe('home');
    expect(secretIn('contoso')).toBe('guest');
  });

  test('a response that does not name the user belongs to the account of the request', async () => {
    const cache = cacheWith(signIn());
    const bare = answer({ access_token: 'new', expires_in: 3600 });
    const token = await acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, bare, now);
    expect(token).toMatchObject({ secret: 'new', home_account_id: 'uid.utid' });
  });

  test('a rotated refresh token replaces the one that was used, whatever their targets', async () => {
    const cache = cacheWith(signIn({}, { scope: ['s1', 's2'] }));
    const rotated = answer({ access_token: 'new', refresh_token: 'rotated', scope: 's1', expires_in: 3600 });
    await acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, rotated, now);
    expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['rotated']);
  });

  test('tokens for fewer scopes than asked for are kept and given', async () => {
    const cache = cacheWith(signIn({}, { scope: ['s1'] }));
    const fewer = answer({ access_token: 'new', refresh_token: 'rotated', scope: 's2', expires_in: 3600 });
    const token = await acquireTokenSilent(inMemory(cache), { ...request, scopes: ['s2', 's9'] }, fewer, now);
    expect(token).toMatchObject({ secret: 'new', target: 's2' });
    expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['rotated']);
  });

  test('a response without an access token is an error, but its refresh token is kept', async () => {
    const cache = cacheWith(signIn());
    const none = answer({ refresh_token: 'rotated' });
    const attempt = acquireTokenSilent(inMemory(cache), { ...request, forceRefresh: true }, none, now);
    await expect(attempt).rejects.toThrow(SignInRequiredError);
    expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['rotated']);
  });

  test('without a refresh token, the user has to sign in', async () => {
    const attempt = acquireTokenSilent(inMemory(cacheWith()), request, answer({}), now);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'sign_in_required' }));
  });

  test('returns the app’s own tokens first, then those of the family; an app without a family gets none of them', () => {
    const family = signIn({ foci: '1', refresh_token: "the family's" }, { client_id: 'sibling' });
    const tried = (cache: TokenCache): string[] =>
      lookup(cache, request, 1000).refreshTokens.map(({ secret }) => secret);
    expect(tried(cacheWith(family))).toEqual(["the family's"]); // client unknown: tries it once
    expect(tried(cacheWith(family, signIn({ refresh_token: 'own' })))).toEqual(['own']); // client known, in no family
    expect(tried(cacheWith(family, signIn({ refresh_token: 'own', foci: '1' })))).toEqual([
      'own',
      "the family's",
    ]);
    const two = signIn({ foci: '1', refresh_token: 'second' }, { client_id: 'sibling 2' });
    expect(tried(cacheWith(family, two))).toHaveLength(1);
  });

  test('an extended token for an extended request alone', async () => {
    const components = { fmi_path: 'p' };
    const cache = cacheWith(signIn({ access_token: 'extended' }, { data: components }));
    expect(lookup(cache, request, 1000).accessToken).toBeUndefined();
    expect(lookup(cache, { ...request, components }, 1000).accessToken?.secret).toBe('extended');
    const redeem = answer({ access_token: 'new', expires_in: 3600 });
    const token = await acquireTokenSilent(
      inMemory(cache),
      { ...request, components: { fmi_path: 'q' } },
      redeem,
      now,
    );
    expect(token).toMatchObject({ secret: 'new', ext_cache_key: hashComponents({ fmi_path: 'q' }) });
  });

  test('returns the usable token that lives longest', () => {
    const cache = cacheWith(
      signIn({ access_token: 'short', expires_in: 1000 }, { scope: ['s1', 's2'] }),
      signIn({ access_token: 'long', expires_in: 9000 }, { scope: ['s3'] }),
    );
    const [short] = cache.find('AccessToken', { target: ['s2'] });
    cache.modify('AccessToken', short ?? {}, { target: 's3 s4' });
    expect(lookup(cache, { ...request, scopes: ['s3'] }, 1000).accessToken?.secret).toBe('long');
  });
});

describe('one refresh at a time', () => {
  /** Counts requests. Answers at the end of the turn, when every caller has asked. */
  function provider() {
    const seen = { asked: 0 };
    const redeem: Redeem = async () => {
      seen.asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
      const access_token = `new ${seen.asked}`;
      return { token_endpoint, response: signIn({ access_token, refresh_token: 'rotated' }).response };
    };
    return { seen, redeem };
  }

  test.each([false, true])('the others get what the first one got (forced: %s)', async (forceRefresh) => {
    const { seen, redeem } = provider();
    const handle = inMemory(cacheWith(signIn({ expires_in: forceRefresh ? 3600 : 0 })));
    const tokens = await Promise.all(
      [1, 2, 3].map(() => acquireTokenSilent(handle, { ...request, forceRefresh }, redeem, now)),
    );
    expect(tokens.map(({ secret }) => secret)).toEqual(['new 1', 'new 1', 'new 1']);
    expect(seen.asked).toBe(1);
  });

  test('also on a handle without `exclusively`', async () => {
    const { seen, redeem } = provider();
    const handle = inMemory(cacheWith(signIn({ expires_in: 0 })));
    Reflect.deleteProperty(handle, 'exclusively');
    await Promise.all([1, 2].map(() => acquireTokenSilent(handle, request, redeem, now)));
    expect(seen.asked).toBe(1);
  });

  test('a token cached by a clock that is slightly ahead is used', async () => {
    const { seen, redeem } = provider();
    const handle = inMemory(cacheWith(signIn()));
    const behind = (): number => 1000 - 30;
    expect((await acquireTokenSilent(handle, request, redeem, behind)).secret).toBe('an access token');
    expect(seen.asked).toBe(0);
    expect((await acquireTokenSilent(handle, request, redeem, () => 1000 - 90)).secret).toBe('new 1');
  });

  test('a caller whose early refresh fails gets the existing token', async () => {
    const cache = cacheWith(signIn({ refresh_in: 0 }));
    const busy = () => Promise.reject(new Error('busy'));
    const handle = { ...inMemory(cache), exclusively: busy };
    const { redeem } = provider();
    expect((await acquireTokenSilent(handle, request, redeem, now)).secret).toBe('an access token');
  });

  test.each(['answered', 'failed'])(
    'a sign-out during an early refresh that is %s leaves no token',
    async (end) => {
      const cache = cacheWith(signIn({ refresh_in: 0 }));
      const redeem: Redeem = (...asked) => {
        cache.signOut('uid.utid');
        if (end === 'failed') return Promise.reject(new Error('busy'));
        return answer(signIn({ access_token: 'late' }).response)(...asked);
      };
      const refresh = acquireTokenSilent(inMemory(cache), request, redeem, now);
      await expect(refresh).rejects.toMatchObject({ code: 'sign_in_required' });
    },
  );

  test('a caller whose early refresh fails gets the token of a sign-in meanwhile', async () => {
    const cache = cacheWith(signIn({ refresh_in: 0 }));
    const redeem: Redeem = () => {
      cache.add(signIn({ access_token: 'newer', refresh_token: 'newer' }));
      return Promise.reject(new Error('invalid', { cause: { error: 'invalid_grant' } }));
    };
    expect((await acquireTokenSilent(inMemory(cache), request, redeem, now)).secret).toBe('newer');
  });

  test('an early refresh that fails together with the cache is an error', async () => {
    const handle = inMemory(cacheWith(signIn({ refresh_in: 0 })));
    const redeem: Redeem = () => {
      handle.read = () => Promise.reject(new Error('closed'));
      return Promise.reject(new Error('busy'));
    };
    await expect(acquireTokenSilent(handle, request, redeem, now)).rejects.toThrow('busy');
  });
});

describe('a refresh at Microsoft whose ID token is about another user', () => {
  const [uid, utid] = ['11111111-0000-0000-0000-000000000000', '22222222-0000-0000-0000-000000000000'];
  const [guestOid, guest] = ['33333333-0000-0000-0000-000000000000', '44444444-0000-0000-0000-000000000000'];
  const endpoint = (tenant: string): string =>
    `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;

  test.each<[string, { oid: string; tid: string }, boolean]>([
    ['its home tenant', { oid: uid.toUpperCase(), tid: utid }, true],
    ['its home tenant, with a policy', { oid: uid, tid: utid }, true],
    ['another object of its home tenant', { oid: guestOid, tid: utid }, false],
    ['a tenant where it is a guest', { oid: guestOid, tid: guest }, true],
    ['another object of a tenant where it is a guest', { oid: uid, tid: guest }, false],
    ['a tenant that is not known', { oid: 'any', tid: 'new' }, true],
  ])('%s', async (what, claims, isTheirs) => {
    const id = what.endsWith('policy') ? `${uid}-b2c_1_susi` : uid;
    const info = { client_info: base64url({ uid: id, utid }) };
    const first = signIn({ ...info, id_token: undefined }, { token_endpoint: endpoint(utid) });
    const there = jwt({ oid: guestOid, tid: guest, sub: 'g' });
    const cache = cacheWith(
      signIn({ ...info, id_token: there }, { token_endpoint: endpoint(guest), client_id: 'another app' }),
      first,
    );
    const wanted = { ...request, home_account_id: `${id}.${utid}`, environment: 'login.microsoftonline.com' };
    const response = { access_token: 'new', expires_in: 3600, id_token: jwt({ ...claims, sub: 's' }) };
    const redeem: Redeem = () => Promise.resolve({ token_endpoint: endpoint(claims.tid), response });
    const { realm: _, ...any } = { ...wanted, forceRefresh: true };
    const refresh = acquireTokenSilent(inMemory(cache), any, redeem, now).then(({ secret }) => secret);
    if (isTheirs) await expect(refresh).resolves.toBe('new');
    else await expect(refresh).rejects.toMatchObject({ code: 'sign_in_required' });
    expect(cache.find('AccessToken').some(({ secret }) => secret === 'new')).toBe(isTheirs);
  });
});
