/** Responses that the conformance cases do not cover. */
import { describe, expect, test } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { base64url, jwt, PERSON, signIn } from './events.ts';

function added(...events: ReturnType<typeof signIn>[]): TokenCache {
  const cache = new TokenCache({ now: () => 1000 });
  for (const event of events) cache.add(event);
  return cache;
}

describe('lifetimes', () => {
  test.each<[Record<string, unknown>, string, string]>([
    [{ expires_in: 3600 }, '4600', '4600'],
    [{ expires_in: '3600' }, '4600', '4600'],
    [{ expires_in: undefined }, '1600', '1600'], // RFC 6749 sets no default: ten minutes
    [{ expires_in: 'soon' }, '1600', '1600'],
    [{ expires_in: undefined, expires_on: '4600' }, '4600', '4600'], // managed identities
    [{ expires_in: 3600, ext_expires_in: 7200 }, '4600', '8200'],
    [{ expires_in: '3600', ext_expires_in: '7200' }, '4600', '8200'],
    [{ expires_in: 3599.9 }, '4599', '4599'],
    [{ expires_in: -5000 }, '0', '0'],
  ])('%j', (response, expires_on, extended_expires_on) => {
    expect(added(signIn(response)).find('AccessToken')).toMatchObject([{ expires_on, extended_expires_on }]);
  });

  test.each<[Record<string, unknown>, string | undefined]>([
    [{ refresh_token_expires_in: 86_400 }, '87400'],
    [{ refresh_token_expires_in: '86400' }, '87400'],
    [{ refresh_expires_in: 1800 }, '2800'], // Keycloak
    [{ refresh_expires_in: 0 }, undefined], // Keycloak: an offline token, which has no limit
    [{ x_refresh_token_expires_in: 8_726_400 }, '8727400'], // Intuit
    [{ refresh_token_expires_in: 2 ** 60 }, '253402300799'],
    [{ refresh_token_expires_in: 'never' }, undefined],
    [{}, undefined],
  ])('of a refresh token: %j', (response, expires_on) => {
    const [token] = added(signIn(response)).find('RefreshToken');
    expect(token?.expires_on).toBe(expires_on);
  });

  test('of a refresh token ends with it', () => {
    const limited = { refresh_token_expires_in: 86_400 };
    const again = added(signIn(limited), signIn({ refresh_token: 'next' }));
    expect(again.find('RefreshToken')).toMatchObject([{ secret: 'next' }]);
    expect(again.find('RefreshToken')[0]?.expires_on).toBeUndefined();
    const cache = added(signIn(limited));
    cache.modify('RefreshToken', cache.find('RefreshToken')[0]!, { secret: 'rotated' });
    expect(cache.find('RefreshToken')).toMatchObject([{ secret: 'rotated', expires_on: null }]);
    const kept = added(signIn(limited), signIn({ refresh_token: undefined }));
    expect(kept.find('RefreshToken')).toMatchObject([{ expires_on: '87400' }]);
  });

  test('a clock with fractions of a second', () => {
    const cache = new TokenCache({ now: () => 1000.75 });
    cache.add(signIn());
    expect(cache.find('AccessToken')).toMatchObject([{ cached_at: '1000', expires_on: '4600' }]);
  });
});

describe('identities', () => {
  test.each<[string, Record<string, unknown>, string | null, string]>([
    [
      'B2C: ids keep their case',
      { client_info: base64url({ uid: 'A-B2C_1_X', utid: 'T' }) },
      'A-B2C_1_X.T',
      'object1234',
    ],
    ['client_info without utid', { client_info: base64url({ uid: 'A' }) }, 'subject', 'object1234'],
    ['client_info that is no JSON', { client_info: '!!' }, 'subject', 'object1234'],
    ['no oid', { id_token: jwt({ sub: 'subject' }) }, 'uid.utid', 'subject'],
    ['generic', { client_info: undefined, id_token: jwt({ sub: 'subject' }) }, 'subject', 'subject'],
  ])('%s', (_, response, home_account_id, local_account_id) => {
    expect(added(signIn(response)).find('Account')).toMatchObject([{ home_account_id, local_account_id }]);
  });

  test('types of authorities', () => {
    const typeOf = (event: ReturnType<typeof signIn>): unknown =>
      added(event).find('Account')[0]?.authority_type;
    const noInfo = { client_info: undefined };
    expect(typeOf(signIn())).toBe('MSSTS');
    expect(typeOf(signIn(noInfo))).toBe('MSSTS'); // MSAL Python writes no other type
    expect(added(signIn(noInfo)).accounts()[0]?.authority_type).toBe('Generic');
    expect(typeOf(signIn(noInfo, { token_endpoint: 'https://fs.example/ADFS/token' }))).toBe('ADFS');
    expect(typeOf(signIn(noInfo, { token_endpoint: 'https://c.b2clogin.com/c/policy/token' }))).toBe('MSSTS');
    expect(typeOf(signIn(noInfo, { authority_type: 'MSSTS' }))).toBe('MSSTS');
  });

  test('names: preferred_username, else upn, else what was typed, else ""', () => {
    const nameOf = (claims: object, data: Record<string, string> = {}): unknown =>
      added(signIn({}, { data }, { claims: { sub: 's', ...claims } })).find('Account')[0]?.username;
    expect(nameOf({ preferred_username: 'p', upn: 'u' })).toBe('p');
    expect(nameOf({ upn: 'u' })).toBe('u');
    expect(nameOf({}, { username: 'typed' })).toBe('typed');
    expect(nameOf({ preferred_username: 7 })).toBe('');
  });

  test.each([[{}], [{ client_info: undefined }], [{ client_info: undefined, id_token: undefined }]])(
    'claims beside the ID token say nothing: %j',
    (response) => {
      const id_token_claims = { iss: 'https://other.example', sub: 's', oid: 'o', preferred_username: 'eve' };
      const [cache, plain] = [{ id_token_claims }, {}].map((beside) =>
        added(signIn({ ...response, ...beside })),
      );
      expect(cache!.find('Account')).toEqual(plain!.find('Account'));
      expect(cache!.find('AccessToken')).toEqual(plain!.find('AccessToken'));
    },
  );

  test('an app-only token belongs to no user', () => {
    const cache = added(signIn({ client_info: undefined, id_token: undefined, refresh_token: undefined }));
    expect(cache.find('AccessToken')).toMatchObject([{ home_account_id: null }]);
    expect(cache.find('Account')).toEqual([]);
    expect(cache.find('AccessToken', { query: { home_account_id: '' } })).toHaveLength(1);
  });
});

describe('adding again', () => {
  test('an account that is described as it is does not change', () => {
    const cache = added(signIn({ access_token: '1' }));
    const [account] = cache.find('Account');
    const changed: string[] = [];
    cache.on('change', ({ entities }) => changed.push(...entities.map(({ type }) => type)));
    expect(cache.add(signIn({ access_token: '2' })).kept).toContain('Account');
    expect(changed).toContain('AccessToken');
    expect(changed).not.toContain('Account');
    expect(cache.find('Account')).toEqual([account]);
    cache.add(signIn({}, {}, { claims: { ...PERSON.claims, preferred_username: 'renamed' } }));
    expect(changed).toContain('Account');
    expect(cache.find('Account')).toMatchObject([{ username: 'renamed' }]);
  });

  test('access tokens with overlapping scopes are replaced, others stay', () => {
    const cache = added(
      signIn({ access_token: '1' }, { scope: ['a', 'b', 'openid'] }),
      signIn({ access_token: '2' }, { scope: ['c', 'openid'] }),
      signIn({ access_token: '3' }, { scope: ['B', 'd'] }),
      signIn({ access_token: '4' }, { scope: ['b'], client_id: 'another app' }),
    );
    expect(cache.find('AccessToken').map(({ secret }) => secret)).toEqual(['2', '3', '4']);
  });

  test('a bound token and a bearer token do not replace each other', () => {
    const bound = signIn({ access_token: 'bound' }, { data: { key_id: 'k' } });
    for (const events of [
      [signIn(), bound],
      [bound, signIn()],
    ]) {
      expect(added(...events).find('AccessToken')).toHaveLength(2);
    }
  });

  test('known fields of an account stay', () => {
    const cache = added(signIn({}, { grant_type: 'authorization_code' }), signIn({ id_token: undefined }));
    expect(cache.find('Account')).toMatchObject([
      {
        account_source: 'authorization_code',
        local_account_id: 'object1234',
        username: 'john.doe@contoso.example',
      },
    ]);
  });

  test('an app stays in its family, whatever a later response says', () => {
    const family = (cache: TokenCache): unknown => cache.find('AppMetadata')[0]?.family_id;
    const appOnly = signIn({ client_info: undefined, id_token: undefined, refresh_token: undefined });
    expect(family(added(signIn({ foci: '1' }), appOnly))).toBe('1');
    expect(family(added(signIn({ foci: '1' }), signIn()))).toBe('1');
  });

  test('skipAccountCreation makes no account', () => {
    expect(added(signIn({}, { skipAccountCreation: true })).find('Account')).toEqual([]);
  });

  test('an endpoint that is no URL is refused, and the message has no secret', () => {
    const attempt = expect(() => added(signIn({}, { token_endpoint: 'not a URL' })));
    attempt.toThrow(InvalidArgumentError);
    attempt.not.toThrow(/an access token/);
  });
});

describe("in MSAL Node's document", () => {
  const node = (): SerializableTokenCache => {
    const cache = new SerializableTokenCache({ now: () => 1000 });
    cache.deserialize('{"Account":{},"IdToken":{},"AccessToken":{},"RefreshToken":{},"AppMetadata":{}}');
    return cache;
  };

  test('one account for all tenants, under the preferred name of its environment, and no app metadata', () => {
    const cache = node();
    const at = (tid: string): ReturnType<typeof signIn> =>
      signIn(
        { id_token: jwt({ oid: `oid in ${tid}`, tid, preferred_username: 'j@contoso.example' }) },
        { token_endpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token' },
      );
    cache.add(at('utid'));
    cache.add(at('guest'));
    const written = JSON.parse(cache.serialize()) as Record<string, object>;
    expect(Object.keys(written['Account'] ?? {})).toEqual(['uid.utid-login.windows.net-utid']);
    expect(Object.keys(written['AccessToken'] ?? {})).toEqual([
      'uid.utid-login.windows.net-accesstoken-my_client_id-utid-s2 s1 s3-',
      'uid.utid-login.windows.net-accesstoken-my_client_id-guest-s2 s1 s3-',
    ]);
    expect(written['AppMetadata']).toEqual({});
    expect(cache.accounts()).toMatchObject([
      {
        tenants: [
          { realm: 'utid', local_account_id: 'oid in utid' },
          { realm: 'guest', local_account_id: 'oid in guest' },
        ],
      },
    ]);
  });

  test('a guest’s account of another library becomes the account for all tenants', () => {
    const cache = node();
    const guest = {
      home_account_id: 'uid.utid',
      environment: 'login.example.com',
      realm: 'guest',
      username: 'g',
    };
    const roots = JSON.parse(cache.serialize()) as object;
    cache.deserialize(JSON.stringify({ ...roots, Account: { key: { ...guest, authority_type: 'MSSTS' } } }));
    cache.add(signIn());
    expect(cache.find('Account')).toHaveLength(1);
    expect(cache.accounts()[0]?.tenants.map(({ realm }) => realm)).toEqual(['contoso', 'guest']);
  });

  test('the realm of B2C is its policy', () => {
    const cache = node();
    cache.add(signIn({ id_token: jwt({ sub: 's', tfp: 'B2C_1_X', acr: 'other' }) }));
    expect(cache.find('AccessToken')).toMatchObject([{ realm: 'B2C_1_X' }]);
  });

  test("the family's refresh token is one", () => {
    const cache = node();
    cache.add(signIn({ foci: '1', refresh_token: 'first' }, { client_id: 'one' }));
    cache.add(signIn({ foci: '1', refresh_token: 'second' }, { client_id: 'two' }));
    expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['second']);
    expect(cache.find('AppMetadata')).toHaveLength(2);
  });

  test('a bound token says so', () => {
    const cache = node();
    cache.add(signIn({ token_type: 'pop' }, { data: { key_id: 'k' } }));
    expect(cache.find('AccessToken')).toMatchObject([
      { credential_type: 'AccessToken_With_AuthScheme', key_id: 'k' },
    ]);
  });
});
