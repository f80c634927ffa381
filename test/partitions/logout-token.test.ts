/** Back-channel logout: tokens signed by an independent implementation, and what must not sign anybody out. */
import { generateKeyPairSync, sign as signData } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as oidc from 'openid-client';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError, LogoutTokenError } from '../../src-main/errors.ts';
import { type LogoutTokenOptions, logoutTokens } from '../../src-main/partitions/logout-token.ts';
import { memoryStore, partitionedCaches, type ProviderKeys } from '../../src-main/partitions/index.ts';
import { DESKTOP_APP } from '../../examples/provider/clients.ts';
import { startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { jwt } from '../cache/events.ts';
import { browser } from '../support/browser.ts';
import { signInWithCode } from '../support/code-flow.ts';

const ISSUER = 'https://id.example/realms/alpha';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const NOW = 1_800_000_000;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

let pair: Pair;
let keys: ProviderKeys;

async function keysOf(...pairs: { pair: Pair; kid?: string; alg?: string }[]): Promise<ProviderKeys> {
  const jwks = pairs.map(async ({ pair: { publicKey }, kid = 'k1', alg }) => ({
    ...(await exportJWK(publicKey)),
    kid,
    use: 'sig',
    ...(alg === undefined ? {} : { alg }),
  }));
  return { keys: await Promise.all(jwks) };
}

const good = (): Record<string, unknown> => ({
  iss: ISSUER,
  aud: 'my-app',
  iat: NOW,
  exp: NOW + 120,
  jti: Math.random().toString(36),
  sub: 'noor',
  sid: 's-1',
  events: { [EVENT]: {} },
});

async function sign(
  claims: Record<string, unknown>,
  { header = {}, by = pair }: { header?: Partial<JWTHeaderParameters>; by?: Pair } = {},
): Promise<string> {
  const full = { alg: 'RS256', kid: 'k1', typ: 'logout+jwt', ...header };
  return new SignJWT(claims).setProtectedHeader(full).sign(by.privateKey);
}

const verifier = (options: Partial<LogoutTokenOptions> = {}) =>
  logoutTokens({ issuer: ISSUER, clientId: 'my-app', keys, now: () => NOW, ...options });

async function refusal(token: unknown, options: Partial<LogoutTokenOptions> = {}): Promise<LogoutTokenError> {
  const error: unknown = await verifier(options)(token).then(
    (user) => user,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(LogoutTokenError);
  return error as LogoutTokenError;
}

beforeAll(async () => {
  pair = await generateKeyPair('RS256', { extractable: true });
  keys = await keysOf({ pair });
});

it.each(ALGORITHMS)('a logout token signed with %s says who is signed out', async (alg) => {
  const own = await generateKeyPair(alg, { extractable: true });
  const verify = verifier({ keys: await keysOf({ pair: own, alg }) });
  const token = await sign(good(), { header: { alg }, by: own });
  expect(await verify(token)).toEqual({ issuer: ISSUER, sub: 'noor', sid: 's-1' });
});

it.each([
  ['only a session', { sub: undefined }, { issuer: ISSUER, sid: 's-1' }],
  ['only a subject', { sid: undefined }, { issuer: ISSUER, sub: 'noor' }],
  ['several audiences', { aud: ['other', 'my-app'] }, { issuer: ISSUER, sub: 'noor', sid: 's-1' }],
  ['an issuer with a slash at its end', { iss: `${ISSUER}/` }, { issuer: ISSUER, sub: 'noor', sid: 's-1' }],
  ['no expiry', { exp: undefined, iat: NOW - 200 }, { issuer: ISSUER, sub: 'noor', sid: 's-1' }],
  ['a clock that is a little ahead', { iat: NOW + 50 }, { issuer: ISSUER, sub: 'noor', sid: 's-1' }],
])('a token with %s is accepted', async (_, change, user) => {
  expect(await verifier()(await sign({ ...good(), ...change }))).toEqual(user);
});

describe('a token is refused, and nobody is signed out,', () => {
  it.each([
    ['of another issuer', { iss: 'https://id.example/realms/beta' }, /"iss"/],
    ['without an issuer', { iss: undefined }, /"iss"/],
    ['for another client', { aud: 'other' }, /"aud"/],
    ['for nobody', { aud: undefined }, /"aud"/],
    ['without a time of issue', { iat: undefined }, /"iat"/],
    ['from the future', { iat: NOW + 61 }, /future/],
    ['that has expired', { exp: NOW - 61 }, /expired/],
    ['that is old and says no expiry', { exp: undefined, iat: NOW - 361 }, /too old/],
    ['whose expiry is text', { exp: String(NOW + 120) }, /"exp"/],
    ['whose time of issue is text', { iat: String(NOW) }, /"iat"/],
    ['that is not valid yet', { nbf: NOW + 61 }, /not valid yet/],
    ['that is valid from no time', { nbf: 'now' }, /"nbf"/],
    ['that is too old, although it has not expired', { iat: NOW - 86_461, exp: NOW + 9e9 }, /too old/],
    ['without an id', { jti: undefined }, /"jti"/],
    ['without the event', { events: undefined }, /events/],
    ['with another event', { events: { 'http://schemas.openid.net/event/other': {} } }, /events/],
    ['whose event is no object', { events: { [EVENT]: true } }, /events/],
    ['that is an ID token', { nonce: 'n' }, /nonce/],
    ['that names nobody', { sub: undefined, sid: undefined }, /neither/],
    ['whose subject is empty', { sub: '', sid: undefined }, /neither/],
  ])('%s', async (_, change, message) => {
    const error = await refusal(await sign({ ...good(), ...change }));
    expect(error).toMatchObject({ code: 'logout_token_invalid' });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/Nobody was signed out\.$/);
  });

  it.each([undefined, null, '', 5, {}, 'a', 'a.b.c', 'a.b.c.d.e', 'x'.repeat(20_000)])(
    'that is %j',
    async (token) => {
      expect(await refusal(token)).toMatchObject({ code: 'logout_token_invalid' });
    },
  );

  it('that was changed after it was signed', async () => {
    const [header, , signature] = (await sign(good())).split('.');
    const [, payload] = (await sign({ ...good(), sub: 'someone else' })).split('.');
    expect((await refusal([header, payload, signature].join('.'))).message).toMatch(/not signed with a key/);
  });

  it('that is not signed, or signed with a key that everyone has', async () => {
    const payload = jwt(good()).split('.')[1]!;
    const headerOf = (alg: string) => Buffer.from(JSON.stringify({ alg, kid: 'k1' })).toString('base64url');
    for (const alg of ['none', 'NONE', 'HS256', '__proto__'])
      expect((await refusal(`${headerOf(alg)}.${payload}.`)).message).toMatch(/algorithm/);
    const secret = new TextEncoder().encode(JSON.stringify(keys.keys[0]));
    const forged = await new SignJWT(good()).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret);
    expect((await refusal(forged)).message).toMatch(/algorithm/);
    const shared = { keys: [{ kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'k1' }] };
    expect((await refusal(forged, { keys: shared })).message).toMatch(/algorithm/);
  });

  it('that is signed with another key of the same id, with an encryption key, or with another algorithm', async () => {
    const other = await generateKeyPair('RS256', { extractable: true });
    expect((await refusal(await sign(good(), { by: other }))).message).toMatch(/not signed with a key/);
    const encryption = { keys: keys.keys.map((key) => ({ ...key, use: 'enc' })) };
    expect((await refusal(await sign(good()), { keys: encryption })).message).toMatch(
      /not signed with a key/,
    );
    const ofPss = { keys: keys.keys.map((key) => ({ ...key, alg: 'PS256' })) };
    expect((await refusal(await sign(good()), { keys: ofPss })).message).toMatch(/not signed with a key/);
  });

  it('that is too long, even if its signature is valid', async () => {
    const error = await refusal(await sign({ ...good(), padding: 'x'.repeat(20_000) }));
    expect(error.message).toMatch(/longer/);
  });

  it('that names another key than the one it is signed with', async () => {
    const other = await generateKeyPair('RS256', { extractable: true });
    const both = await keysOf({ pair, kid: 'k1' }, { pair: other, kid: 'k2' });
    const token = await sign(good(), { header: { kid: 'k1' }, by: other });
    expect((await refusal(token, { keys: both })).message).toMatch(/not signed with a key/);
  });

  it.each([
    ['an RSA key of 1,024 bits', 'RS256', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['a key of another curve', 'ES256', generateKeyPairSync('ec', { namedCurve: 'secp384r1' })],
  ])('that is signed with %s, which jose would not do', async (_, alg, { publicKey, privateKey }) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const data = `${part({ alg, kid: 'k1' })}.${part(good())}`;
    const signature = signData('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const weak = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] };
    const token = `${data}.${signature.toString('base64url')}`;
    expect((await refusal(token, { keys: weak })).message).toMatch(/not signed with a key/);
  });

  it('that is an access token, or demands an extension', async () => {
    expect((await refusal(await sign(good(), { header: { typ: 'at+jwt' } }))).message).toMatch(
      /another type/,
    );
    const crit = { crit: ['b64'], b64: true };
    expect((await refusal(await sign(good(), { header: crit }))).message).toMatch(/crit/);
  });

  it('that was used before, and no other', async () => {
    const verify = verifier();
    const token = await sign(good());
    await verify(token);
    await expect(verify(token)).rejects.toThrow(/used before/);
    await verify(await sign(good()));
  });

  it.each([NOW + 1e9, 1e300])('a day after its issue, although it expires at %d', async (exp) => {
    const token = await sign({ ...good(), exp });
    await verifier()(token);
    expect((await refusal(token, { now: () => NOW + 86_461 })).message).toContain('too old');
  });

  it('that another process has accepted, with the caches of a shared store', async () => {
    const store = memoryStore();
    const one = () => verifier({ caches: partitionedCaches({ store, sealingKeys: 'plain-text' }) });
    const token = await sign(good());
    const all = await Promise.allSettled([one()(token), one()(token), one()(token)]);
    expect(all.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    await expect(one()(token)).rejects.toThrow(/used before/);
    const signedOut: unknown[] = [];
    await expect(one()(token, (user) => signedOut.push(user))).rejects.toThrow(/used before/);
    expect(signedOut).toEqual([]);
    await one()(await sign(good()));
    let marks = 0;
    for await (const key of store.maintenance!.keys()) {
      marks += 1;
      expect(Buffer.from((await store.read(key))!.bytes).toString()).not.toContain('noor');
    }
    expect(marks).toBe(2);
  });

  it('counts as used only when the user was signed out', async () => {
    const verify = verifier({
      caches: partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' }),
    });
    const token = await sign(good());
    await expect(verify(token, () => Promise.reject(new Error('store')))).rejects.toThrow('store');
    const signedOut: unknown[] = [];
    await verify(token, (user) => signedOut.push(user));
    expect(signedOut).toEqual([{ issuer: ISSUER, sub: 'noor', sid: 's-1' }]);
    await expect(verify(token, () => undefined)).rejects.toThrow(/used before/);
  });

  it('is accepted again if the store failed before it could be noted', async () => {
    const inner = memoryStore();
    let isDown = true;
    const write: typeof inner.write = (...call) =>
      isDown ? Promise.reject(new Error('down')) : inner.write(...call);
    const verify = verifier({
      caches: partitionedCaches({ store: { ...inner, write }, sealingKeys: 'plain-text' }),
    });
    const token = await sign(good());
    await expect(verify(token)).rejects.toMatchObject({ code: 'store_unavailable' });
    isDown = false;
    await expect(verify(token)).resolves.toMatchObject({ sub: 'noor' });
  });

  it('with a copy of the caches is refused when it is made', () => {
    const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' });
    expect(() => verifier({ caches: { ...caches } })).toThrow(expect.objectContaining({ field: 'caches' }));
  });

  it('with an error that contains neither the token nor its claims', async () => {
    const token = await sign({ ...good(), aud: 'other', sub: 'secret-subject' });
    const error = await refusal(token);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/secret-subject|eyJ/);
  });
});

describe("the provider's keys", () => {
  it('are fetched once, and again for a new key, at most twice a minute', async () => {
    const next = await generateKeyPair('RS256', { extractable: true });
    let published = keys;
    let [fetches, at] = [0, NOW];
    const fetchKeys = () => Promise.resolve((fetches++, published));
    const verify = verifier({ keys: fetchKeys, now: () => at });
    const signedByNext = () => sign(good(), { header: { kid: 'k2' }, by: next });
    await verify(await sign(good()));
    await verify(await sign(good()));
    expect(fetches).toBe(1);
    published = await keysOf({ pair }, { pair: next, kid: 'k2' });
    await expect(verify(await signedByNext())).rejects.toThrow(/not signed with a key/);
    expect(fetches).toBe(1); // a stranger can't make the app fetch at will
    at += 30;
    await verify(await signedByNext());
    await verify(await sign(good()));
    expect(fetches).toBe(2);
  });

  it('stay the same if a later fetch fails', async () => {
    const other = await generateKeyPair('RS256', { extractable: true });
    let [works, at] = [true, NOW];
    const fetchKeys = () =>
      works ? Promise.resolve(keys) : Promise.reject(new Error('connect ECONNREFUSED'));
    const verify = verifier({ keys: fetchKeys, now: () => at });
    await verify(await sign(good()));
    works = false;
    at += 30;
    const unknown = await sign(good(), { header: { kid: 'k2' }, by: other });
    await expect(verify(unknown)).rejects.toMatchObject({ code: 'logout_token_keys_unavailable' });
    expect(await verify(await sign(good()))).toMatchObject({ sub: 'noor' });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    ['throws', () => { throw new Error('no network'); }], // biome-ignore format: one line
    ['gives something else', () => Promise.resolve({ error: 'not found' } as unknown as ProviderKeys)],
  ])('that a fetch %s are an outage, and the next token tries again', async (_, broken) => {
    let works = false;
    const verify = verifier({ keys: () => (works ? Promise.resolve(keys) : broken()) });
    const token = await sign(good());
    await expect(verify(token)).rejects.toMatchObject({ code: 'logout_token_keys_unavailable' });
    works = true;
    expect(await verify(token)).toMatchObject({ sub: 'noor' });
  });

  it('that a fetch never brings are an outage after a while, and hold up no later token', async () => {
    const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      return controller.signal;
    });
    let works = false;
    const verify = verifier({ keys: () => (works ? Promise.resolve(keys) : new Promise(() => undefined)) });
    const token = await sign(good());
    await expect(verify(token)).rejects.toMatchObject({ code: 'logout_token_keys_unavailable' });
    limit.mockRestore();
    works = true;
    expect(await verify(token)).toMatchObject({ sub: 'noor' });
  });
});

it.each([
  ['issuer', { issuer: '' }],
  ['clientId', { clientId: undefined as unknown as string }],
  ['keys', { keys: [] as unknown as ProviderKeys }],
  ['clockTolerance', { clockTolerance: NaN }],
  ['clockTolerance', { clockTolerance: -1 }],
  ['clockTolerance', { clockTolerance: '60' as unknown as number }],
])('an option that is wrong is named: %s', (field, options) => {
  expect(() => verifier(options)).toThrow(InvalidArgumentError);
  expect(() => verifier(options)).toThrow(`"${field}"`);
});

it('signs out the session that the token names, on every server, and no other user', async () => {
  const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text', userIndex: true });
  const signIn = (id: string, sub: string, sid: string) =>
    caches.partition(id, { user: 'several' }).update((cache) =>
      cache.add({
        client_id: 'my-app',
        scope: ['read'],
        token_endpoint: `${ISSUER}/protocol/openid-connect/token`,
        grant_type: 'authorization_code',
        response: {
          access_token: `at ${id}`,
          refresh_token: `rt ${id}`,
          id_token: jwt({ iss: ISSUER, sub, sid }),
          token_type: 'Bearer',
          expires_in: 300,
        },
      }),
    );
  await signIn('a', 'noor', 's-1');
  await signIn('b', 'noor', 's-2');
  await signIn('c', 'avery', 's-1');
  const verify = verifier();
  const left = async () =>
    Promise.all(
      ['a', 'b', 'c'].map((id) =>
        caches.partition(id, { user: 'several' }).read((cache) => cache.find('RefreshToken').length),
      ),
    );
  expect(await caches.signOutUser(await verify(await sign(good())))).toMatchObject({ partitions: 1 });
  expect(await left()).toEqual([0, 1, 1]);
  expect(await caches.signOutUser(await verify(await sign({ ...good(), sid: undefined })))).toMatchObject({
    partitions: 1,
  });
  expect(await left()).toEqual([0, 0, 1]);
});

it('signs a user out whom a real provider signs out', async () => {
  const posted: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      posted.push(new URLSearchParams(body));
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const app = {
    ...DESKTOP_APP,
    client_id: 'told-of-sign-outs',
    backchannel_logout_uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/signed-out`,
    backchannel_logout_session_required: true,
  };
  const provider = await startProvider({ clients: [app] });
  try {
    const trusting = trustingFetch(provider.ca);
    const options = { [oidc.customFetch]: trusting as oidc.CustomFetch };
    const config = await oidc.discovery(
      new URL(provider.issuer),
      app.client_id,
      undefined,
      oidc.None(),
      options,
    );
    const at = browser(trusting);
    const person = { user: 'noor' };
    const tokens = await signInWithCode(config, at, { person, scope: 'openid offline_access orders.read' });
    const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text', userIndex: true });
    const partition = caches.partition('the session');
    await partition.update((cache) =>
      cache.add({
        client_id: app.client_id,
        scope: ['orders.read'],
        token_endpoint: config.serverMetadata().token_endpoint!,
        grant_type: 'authorization_code',
        response: tokens,
      }),
    );
    const { jwks_uri = '' } = config.serverMetadata();
    const verify = logoutTokens({
      issuer: provider.issuer,
      clientId: app.client_id,
      keys: async () => (await trusting(jwks_uri)).json() as Promise<ProviderKeys>,
    });
    await at.visit(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token! }).href, person);
    await expect.poll(() => posted.length).toBe(1);
    const user = await verify(posted[0]!.get('logout_token'));
    expect(user).toMatchObject({ issuer: provider.issuer, sub: 'noor', sid: expect.any(String) as string });
    expect(await caches.signOutUser(user)).toMatchObject({ partitions: 1 });
    expect(await partition.read((cache) => cache.accounts())).toEqual([]);
    await expect(verify(tokens.id_token)).rejects.toThrow(LogoutTokenError);
  } finally {
    await provider.stop();
    server.close();
  }
});
