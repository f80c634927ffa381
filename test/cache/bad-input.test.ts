/** A value of the wrong kind is refused with the field's name, and nothing changes. */
import { describe, expect, it } from 'vitest';
import { acquireTokenSilent, InvalidArgumentError, SerializableTokenCache } from '../../src-main/index.ts';
import { lookup, inMemory } from '../../src-main/cache/index.ts';
import { base64url, jwt } from './events.ts';

const ISSUER = 'https://id.example/realms/alpha';
const EVENT = {
  client_id: 'app',
  scope: 'openid a',
  token_endpoint: `${ISSUER}/protocol/openid-connect/token`,
  response: {
    access_token: 'access',
    refresh_token: 'refresh',
    expires_in: 3000,
    id_token: jwt({ sub: 'u', iss: ISSUER }),
  },
};
const REQUEST = { client_id: 'app', home_account_id: 'u', environment: 'id.example', scopes: ['a'] };
const OTHER = new URL('https://other.example/');

function cached(): SerializableTokenCache {
  const cache = new SerializableTokenCache();
  cache.add(EVENT);
  return cache;
}

/** Calls with input that the types forbid. */
async function refused(act: (cache: SerializableTokenCache) => unknown): Promise<string | undefined> {
  const cache = cached();
  const before = cache.serialize();
  const error = await Promise.resolve()
    .then(() => act(cache))
    .then(
      () => new Error('It was taken.'),
      (error: unknown) => error,
    );
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(cache.serialize()).toBe(before);
  return (error as InvalidArgumentError).field;
}

const NOT_TEXT = [5, {}, [], OTHER, true];
const REQUESTS: Readonly<Record<string, readonly unknown[]>> = {
  client_id: [...NOT_TEXT, '', null, undefined],
  home_account_id: [...NOT_TEXT, undefined],
  environment: [
    ...NOT_TEXT,
    null,
    undefined,
    'https://id.example',
    'id.example/realms/alpha',
    'a@id.example',
  ],
  issuer: [...NOT_TEXT, null],
  realm: [...NOT_TEXT, null],
  scopes: [5, {}, [5], OTHER, null, undefined],
  resource: [5, {}, [5], OTHER, [OTHER], null, '', ['']],
  audience: [...NOT_TEXT, null, ''],
  user_assertion: NOT_TEXT,
  user_assertion_hash: NOT_TEXT,
  requested_claims_hash: NOT_TEXT,
  key_id: NOT_TEXT,
  token_type: NOT_TEXT,
  components: [5, 'x', [], { a: 5 }],
  margin: ['60', Number.NaN, -1, null],
  forceRefresh: ['false', 1, null],
  homeAccountId: ['u'],
};

describe('a request', () => {
  it('that is right finds the token', () => {
    expect(lookup(cached(), REQUEST, Date.now() / 1000).accessToken?.secret).toBe('access');
  });

  it.each(Object.entries(REQUESTS))('%s', async (field, values) => {
    for (const value of values) {
      const request = { ...REQUEST, [field]: value };
      const redeem = (): never => {
        throw new Error('A refresh token was redeemed.');
      };
      const now = (): number => Date.now() / 1000;
      expect(await refused((cache) => lookup(cache, request, now()))).toBe(field);
      expect(await refused((cache) => acquireTokenSilent(inMemory(cache), request, redeem, now))).toBe(field);
    }
  });

  it('for another resource never gets a token for no resource', () => {
    expect(lookup(cached(), { ...REQUEST, resource: OTHER.href }, 0).accessToken).toBeUndefined();
  });
});

const EVENTS: Readonly<Record<string, readonly unknown[]>> = {
  client_id: [...NOT_TEXT, '', null, undefined],
  scope: [5, {}, ['a', 5], undefined],
  token_endpoint: [undefined, null, '/token', 'javascript:1', 'data:text/plain,x'],
  response: [undefined, null, 'x', [], {}],
  issuer: NOT_TEXT,
  environment: [...NOT_TEXT, 'https://id.example', 'id.example/x'],
  realm: NOT_TEXT,
  home_account_id: NOT_TEXT,
  authority_type: NOT_TEXT,
  grant_type: NOT_TEXT,
  data: [5, 'x', null, []],
  // An option of MSAL Python and a misspelling: if ignored, each would bring back an account that was signed out.
  skip_account_creation: [true],
  homeAccountId: ['u'],
};

describe('a token response', () => {
  it.each(Object.entries(EVENTS))('%s', async (field, values) => {
    for (const value of values)
      expect(await refused((cache) => cache.add({ ...EVENT, [field]: value }))).toBe(field);
  });

  it.each(['id_token', 'client_info'])('%s that names a field twice', async (field) => {
    const part = base64url('{"sub":"u","uid":"u","utid":"t","s\\u0075b":"v","uid":"v"}');
    for (const text of field === 'id_token' ? [`e30.${part}.x`, `${part}.e30.x`] : [part])
      expect(
        await refused((cache) => cache.add({ ...EVENT, response: { ...EVENT.response, [field]: text } })),
      ).toBe(`response.${field}`);
  });

  it.each(['resource', 'audience', 'key_id', 'token_type', 'username', 'assertion'])(
    'data.%s',
    async (name) => {
      for (const value of [5, {}, OTHER, [OTHER]])
        expect(await refused((cache) => cache.add({ ...EVENT, data: { [name]: value } }))).toBe(
          `data.${name}`,
        );
    },
  );
});

describe('a filter', () => {
  it.each<[string, unknown]>([
    ['target', 'files.read'],
    ['target', [5]],
    ['query', null],
    ['query', 'x'],
    ['query', { home_account_id: 5 }],
    ['query', { home_account_id: undefined }],
    ['querry', {}],
  ])('of find: %s %j', async (field, value) => {
    expect(await refused((cache) => cache.find('AccessToken', { [field]: value }))).toBe(field);
    expect(await refused((cache) => [...cache.search('AccessToken', { [field]: value })])).toBe(field);
  });

  it.each(['accesstoken', 'Token', '__proto__', 5, null])('of find: the type %j', async (type) => {
    expect(await refused((cache) => cache.find(type as 'Account'))).toBe('type');
  });

  it.each(['username', 'home_account_id', 'environment', 'issuer'])('of accounts: %s', async (field) => {
    for (const value of NOT_TEXT)
      expect(await refused((cache) => cache.accounts({ [field]: value }))).toBe(field);
  });

  it.each(['environment', 'issuer'])('of signOut: %s', async (field) => {
    for (const value of NOT_TEXT) {
      const account = { home_account_id: 'u', [field]: value };
      expect(await refused((cache) => cache.signOut(account))).toBe(field);
    }
  });

  it.each(['client_id', 'realm', 'environment'])('of removeAppTokens: %s', async (field) => {
    for (const value of NOT_TEXT)
      expect(await refused((cache) => cache.removeAppTokens({ [field]: value }))).toBe(field);
  });
});

it('a document that is not text', async () => {
  for (const state of [5, {}, Buffer.from('{}'), []])
    expect(await refused((cache) => cache.deserialize(state as unknown as string))).toBe('state');
});

it('a token that looks like the mark of a large number does not spoil the document', () => {
  const cache = new SerializableTokenCache();
  const tokens = ['A"\ue000number:1', 'B\\"\ue000number:22"', '"\ue000number:1"'];
  tokens.forEach((access_token, i) =>
    cache.add({ ...EVENT, scope: `scope${i}`, response: { ...EVENT.response, access_token } }),
  );
  const again = new SerializableTokenCache();
  again.deserialize(cache.serialize());
  expect(again.find('AccessToken', {}).map(({ secret }) => secret)).toEqual(tokens);
});

it('numbers that JSON.parse would round, and texts that look like their marks, stay as they are', () => {
  const text = `{"AccessToken":{},"Other":{"ticks":12345678901234567.5,"id":1234567890123456789,"like":"\ue000number:5","\ue000text:":"\\uE000number:6","half":1.5}}`;
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  const other = /"Other":\{[^}]*\}/.exec(JSON.stringify(JSON.parse(text)))![0];
  const written = cache.serialize().replace(/\s+/g, '');
  expect(written).toContain('"ticks":12345678901234567.5,"id":1234567890123456789');
  const values = JSON.parse(written) as { Other: unknown };
  expect(JSON.stringify({ Other: values.Other })).toContain(other);
});

it('a long number takes no time, and a name that looks like a mark spoils no document', () => {
  const cache = new SerializableTokenCache();
  const long = [`1.${'0'.repeat(200_000)}1`, `1e-${'9'.repeat(200_000)}`, '1234567890123456789'];
  const start = performance.now();
  cache.deserialize(`{"AccessToken":{},"Other":{"long":[${long.join()}]}}`);
  expect(performance.now() - start).toBeLessThan(5000); // it took minutes
  const names = ['\ue000number:1..2', '\ue000number:007', '\ue000number:-', '\ue000text:x'];
  for (const [i, name] of names.entries())
    cache.add({
      ...EVENT,
      scope: `scope${i}`,
      data: { username: name },
      home_account_id: `user${i}`,
      response: { access_token: 'a' },
    });
  expect(() => JSON.parse(cache.serialize()) as unknown).not.toThrow();
  expect(cache.serialize().replace(/\s/g, '')).toContain(long.join());
});
