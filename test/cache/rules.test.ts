/** The rules of the schema as tables of cases. */
import { describe, expect, test } from 'vitest';
import type { AccessToken, Entity } from '../../src-main/cache/schema/entities.ts';
import {
  cachedEnvironment,
  configuredEnvironment,
  isMicrosoft,
  sameEnvironment,
} from '../../src-main/cache/schema/authorities.ts';
import { isExpired, isUsable, wantsRefresh } from '../../src-main/cache/schema/expiry.ts';
import {
  componentsOf,
  covers,
  hashComponents,
  matches,
  sameScopes,
  scopesOverlap,
} from '../../src-main/cache/schema/match.ts';

describe('scopes', () => {
  test.each([
    ['s1 s2', ['s2', 's1'], true],
    ['s1 s2 s3', ['s2'], true],
    ['s1', ['s1', 's2'], false],
    ['https://graph.microsoft.com/User.Read', ['https://graph.microsoft.com/user.read'], true],
    ['User.Read', ['openid', 'profile', 'offline_access', 'EMAIL', 'User.Read'], true],
    ['openid profile', ['User.Read'], false],
    ['s1', [], true],
    ['s1', ['openid'], true],
    ['  s1 \t s2\n', ['s2'], true],
    ['s10', ['s1'], false],
  ])('a token for %j is good for %j: %s', (target, wanted, good) => {
    expect(covers(target, wanted)).toBe(good);
  });

  test.each([
    ['s1 s2', 's2 S1', true, true],
    ['s1 s2', 's2 s3', false, true],
    ['s1', 's2', false, false],
    ['openid s1', 's1 profile', true, true],
    ['openid', 'profile', true, true],
    ['openid', 's1', false, false],
    ['openid s1', 'openid s2', false, false],
    ['s1 s1', 's1', true, true],
  ])('%j and %j: the same %s, overlapping %s', (a, b, same, overlapping) => {
    expect([sameScopes(a, b), sameScopes(b, a)]).toEqual([same, same]);
    expect([scopesOverlap(a, b), scopesOverlap(b, a)]).toEqual([overlapping, overlapping]);
  });
});

describe('environments', () => {
  test.each([
    ['login.microsoftonline.com', 'login.windows.net', true],
    ['login.microsoftonline.com', 'sts.windows.net', true],
    ['LOGIN.MICROSOFT.COM', 'login.windows.net', true],
    ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn', true],
    ['login.usgovcloudapi.net', 'login.microsoftonline.us', true],
    ['login.microsoftonline.com', 'login.microsoftonline.us', false],
    ['id.example.org', 'ID.example.org', true],
    ['id.example.org', 'id.example.org:8443', true], // MSAL Python omits the port
    ['id.example.org:8080', 'id.example.org:8443', false],
    ['westus2.login.microsoft.com', 'login.windows.net', true],
    ['login.windows.net:8443', 'login.microsoftonline.com', true],
    ['login.microsoft.com.example.org', 'login.windows.net', false],
    // As parts of a URL, these lead to another host.
    ['2130706433/.login.microsoft.com', 'login.windows.net', false],
    ['evil@.login.microsoft.com', 'login.windows.net', false],
    ['evil\\.login.microsoft.com', 'login.windows.net', false],
    ['constructor', 'toString', false],
  ])('%s and %s: one environment %s', (a, b, same) => {
    expect([sameEnvironment(a, b), sameEnvironment(b, a)]).toEqual([same, same]);
  });

  test.each([
    ['login.windows.net', 'login.windows.net', 'login.microsoftonline.com'],
    ['login.microsoftonline.com', 'login.windows.net', 'login.microsoftonline.com'],
    ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    ['Login.Contoso.example', 'Login.Contoso.example', 'Login.Contoso.example'],
  ])('%s is cached as %s and configured as %s', (environment, cached, configured) => {
    expect(cachedEnvironment(environment)).toBe(cached);
    expect(configuredEnvironment(environment)).toBe(configured);
  });

  test.each([
    ['login.windows.net', true],
    ['contoso.b2clogin.com', true],
    ['contoso.ciamlogin.com', true],
    ['login.windows.net:8443', true],
    ['contoso.b2clogin.com:8443', true],
    ['b2clogin.com.example.org', false],
    ['evil.example/.b2clogin.com', false],
    ['evil.example?.ciamlogin.com', false],
    ['evil/.login.microsoftonline.com', false],
    ['id.example.org', false],
  ])("%s is Microsoft's: %s", (environment, theirs) => {
    expect(isMicrosoft(environment)).toBe(theirs);
  });
});

describe('expiry', () => {
  const token = (times: Partial<AccessToken>): AccessToken => ({
    credential_type: 'AccessToken',
    secret: 's',
    environment: 'e',
    client_id: 'c',
    target: 't',
    realm: 'r',
    cached_at: '1000',
    expires_on: '4600',
    ...times,
  });

  test.each<[number, Partial<AccessToken>, boolean]>([
    [1000, {}, true],
    [999, {}, false], // cached in the future
    [4299, {}, true],
    [4300, {}, false], // 300 s before expires_on
    [9999, {}, false],
    [1000, { expires_on: 'soon' }, false],
    [1000, { cached_at: null }, true], // no library needs the field
    [1000, { expires_on: 4600 }, true],
    [4300, { expires_on: 4600 }, false],
    [1224, { expires_on: '1300' }, true], // lifetime 300 s: the margin is a quarter
    [1225, { expires_on: '1300' }, false],
    [9999, { unknown_expiry: '4600' }, true], // expiry unknown
    [9999, { unknown_expiry: '4599' }, false], // another library has replaced the token since, so the expiry is known
  ])('at %i with %j: usable %s', (now, times, usable) => {
    expect(isUsable(token(times), now)).toBe(usable);
  });

  test('a token expires at expires_on, not before, and never if the time is unknown', () => {
    expect([4599, 4600].map((now) => isExpired(token({}), now))).toEqual([false, true]);
    expect(isExpired(token({ expires_on: '' }), 1e12)).toBe(false);
  });

  test('a token is due for refresh from refresh_on on, and never without it', () => {
    expect([2799, 2800].map((now) => wantsRefresh(token({ refresh_on: '2800' }), now))).toEqual([
      false,
      true,
    ]);
    expect(wantsRefresh(token({}), 1e12)).toBe(false);
    expect(wantsRefresh(token({ refresh_on: null }), 1e12)).toBe(false);
  });
});

describe('extension hashes', () => {
  // From the tests of MSAL Python, MSAL Go and MSAL.NET.
  test.each([
    [{ key1: 'value1', key2: 'value2' }, 'latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike'],
    [{ key2: 'value2', key1: 'value1' }, 'latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike'],
    [{ fmi_path: 'agent-app-id' }, 'a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m'],
    [{ key3: 'value3', key4: 'value4' }, 'jjoe9jgfmdtnj0rzuetsqy7kzs2m1xfnjjxwsfxsrxq'],
    [{ fmi_path: 'value' }, 'n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg'],
    [{ fmi_pat: 'hvalue' }, 'tjtm16m-suk2_bkniblr25lyuki40qyceco7knuyu0k'],
    [{ a: 'b', cd: 'e' }, 'cybgactkrvlzlen1aiwzwl3ay5krkyixommrobc-ri4'],
    [{ é: 'é' }, 'xskzaoz4ibr3mznftyxctvg1ptuh-0fuzpty7ndbfls'], // lengths in bytes
  ])('%j', (components, hash) => {
    expect(hashComponents(components)).toBe(hash);
  });

  test('parameters of the protocols are no components', () => {
    expect(
      componentsOf({ grant_type: 'x', client_id: 'x', key_id: '1', claims: '{}', 'x-client-sku': 'x' }),
    ).toBe(undefined);
    expect(componentsOf({ fmi_path: '', custom: 7 })).toBe(undefined);
    expect(componentsOf({ grant_type: 'x', fmi_path: 'p' })).toEqual({ fmi_path: 'p' });
  });
});

describe('matching', () => {
  const plain: Entity = {
    home_account_id: 'UID.utid',
    environment: 'login.windows.net',
    client_id: 'App',
    realm: 'Contoso',
    target: 's1 s2',
    username: 'Zoë@contoso.example',
    credential_type: 'AccessToken',
  };
  const pop = { ...plain, token_type: 'pop', key_id: 'k' };
  const dotnetPop = { ...plain, token_type: 'PoP', kid: 'k' };
  const keyed = { ...plain, token_type: 'Bearer', key_id: 'k' };
  const app = { ...plain, home_account_id: null };

  test.each<[string, Entity, Record<string, string | null>, boolean]>([
    ['any case of an id', plain, { home_account_id: 'uid.UTID', client_id: 'aPP', realm: 'CONTOSO' }, true],
    ['another account', plain, { home_account_id: 'uid2.utid' }, false],
    ['an alias', plain, { environment: 'login.microsoftonline.com' }, true],
    ['another cloud', plain, { environment: 'login.microsoftonline.us' }, false],
    ['any case of a user name', plain, { username: 'zoë@CONTOSO.example' }, true],
    ['the scopes in another order', plain, { target: 'S2 s1' }, true],
    ['fewer scopes as a field', plain, { target: 's1' }, false],
    ['an unknown field', { ...plain, extra: 'x' }, { extra: 'x' }, true],
    ['an unknown field in another case', { ...plain, extra: 'x' }, { extra: 'X' }, false],
    ['a field that it does not have', plain, { extra: 'x' }, false],
    ['null for a field that it does not have', plain, { extra: null }, true],
    ['null for an app token', app, { home_account_id: null }, true],
    ['"" for an app token', app, { home_account_id: '' }, true],
    ["null for a user's token", plain, { home_account_id: null }, false],
    ['a name of an object method', plain, { constructor: 'x' }, false],
    ['Bearer where none is written', plain, { token_type: 'bearer' }, true],
  ])('%s', (_, entity, query, answers) => {
    expect(matches('AccessToken', entity, { query })).toBe(answers);
  });

  test.each<[string, Entity, Record<string, string>, boolean]>([
    ['plain to plain', plain, {}, true],
    ['Bearer to plain', plain, { token_type: 'Bearer' }, true],
    ['pop to plain', pop, {}, false],
    ['pop to pop', pop, { token_type: 'PoP' }, true],
    ["MSAL.NET's pop to pop", dotnetPop, { token_type: 'pop', key_id: 'k' }, true],
    ['pop of another key', pop, { token_type: 'pop', key_id: 'other' }, false],
    ['plain to pop', plain, { token_type: 'pop' }, false],
    ['keyed to plain', keyed, {}, false],
    ['keyed to keyed', keyed, { key_id: 'k' }, true],
    ['plain to keyed', plain, { key_id: 'k' }, false],
  ])('a request for a token to use: %s', (_, entity, query, answers) => {
    expect(matches('AccessToken', entity, { target: ['s1'], query })).toBe(answers);
  });

  test('a list contains bound tokens', () => {
    expect(matches('AccessToken', pop, { query: { home_account_id: 'uid.utid' } })).toBe(true);
  });
});
