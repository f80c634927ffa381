/** `tokenkeep/express` in a real Express app with express-session, driven by the requests of a browser and of an attacker. */
import express from 'express';
import { exportSPKI, importJWK, type JWK } from 'jose';
import session from 'express-session';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { merge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import {
  type WebSignIn,
  webSignIn,
  type WebSignInOptions,
  type WebSignOut,
} from '../../src-main/express/index.ts';
import {
  type MemoryStore,
  memoryStore,
  type PartitionedCaches,
  partitionedCaches,
  type PartitionStore,
} from '../../src-main/partitions/index.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import { type FakeProvider, startFakeProvider } from './fake-provider.ts';

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider('my-app');
});
afterAll(() => provider.close());

interface App {
  readonly url: string;
  readonly auth: WebSignIn;
  readonly server: Server;
  readonly sessions: session.MemoryStore;
  readonly errors: unknown[];
}

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Settings extends Partial<WebSignInOptions> {
  cookie?: session.CookieOptions;
  sessions?: session.MemoryStore;
  proxies?: number;
  /** Middleware before all other. */
  before?: express.RequestHandler;
  /** Middleware after the session, before the routes. */
  after?: express.RequestHandler;
}

const inMemory = () =>
  partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text', userIndex: true });

async function start({
  cookie = {},
  sessions = new session.MemoryStore(),
  proxies = 0,
  before,
  after,
  ...settings
}: Settings = {}): Promise<App> {
  const app = express();
  if (before !== undefined) app.use(before);
  const server = app.listen(0, '127.0.0.1');
  running.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const errors: unknown[] = [];
  const auth = webSignIn({
    caches: inMemory(),
    issuer: provider.issuer,
    clientId: 'my-app',
    clientSecret: 'the secret',
    redirectUri: `${url}/callback`,
    ...settings,
  });
  app.set('trust proxy', proxies);
  app.use(
    session({
      secret: 's',
      store: sessions,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 3_600_000, ...cookie },
    }),
  );
  if (after !== undefined) app.use(after);
  app.use(auth.routes);
  app.get('/', async (req, res) => void res.json((await auth.findUser(req))?.account.username ?? null));
  app.get('/claims', auth.requireUser(), (req, res) => void res.json(auth.user(req).claims));
  app.get('/account', auth.requireUser(), (req, res) => void res.json(auth.user(req).account));
  app.get('/me', auth.requireUser(), (req, res) => void res.json(auth.user(req).claims['sub']));
  app.get(
    '/files',
    auth.requireUser({ scopes: ['files.read'] }),
    (req, res) => void res.json(auth.user(req).accessToken),
  );
  app.get(
    '/mail',
    auth.requireUser({ scopes: ['mail.read'] }),
    (req, res) => void res.json(auth.user(req).accessToken),
  );
  app.get('/other-app', auth.requireUser(), async (req, res) => {
    const { account, partition } = auth.user(req);
    await partition.update((cache) =>
      cache.add({
        client_id: 'other-app',
        scope: ['other'],
        token_endpoint: `${provider.issuer}/token`,
        home_account_id: account.home_account_id,
        response: {
          access_token: 'a',
          refresh_token: 'of another app',
          token_type: 'Bearer',
          expires_in: 60,
        },
        skipAccountCreation: true,
      }),
    );
    res.json(true);
  });
  app.get('/more-tokens', auth.requireUser(), async (req, res) => {
    const { partition } = auth.user(req);
    await partition.update((cache) => {
      const [own] = cache.find('RefreshToken');
      if (own === undefined) throw new Error('No refresh token.');
      const document = JSON.stringify({
        RefreshToken: {
          a: { ...own, secret: 'refresh a', target: 'a' },
          b: { ...own, secret: 'refresh b', target: 'b' },
        },
      });
      const more = new SerializableTokenCache();
      more.deserialize(document);
      merge(cache, more);
    });
    res.json(true);
  });
  app.post('/form', auth.requireUser(), (_req, res) => void res.json('posted'));
  app.get('/open', (req, res) => void res.json(auth.user(req).accessToken));
  app.use(((error, _req, res, _next) => {
    errors.push(error);
    const { code, status = 500 } = error as { code?: string; status?: number };
    res.status(status).json({ code });
  }) satisfies express.ErrorRequestHandler);
  return { url, auth, server, sessions, errors };
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

interface Begun extends Asked {
  /** The provider to which the browser is sent. */
  readonly from?: FakeProvider;
}

/** A browser with cookies. It follows no redirect unless asked to. */
class Browser {
  readonly cookies = new Map<string, string>();
  readonly #app: App;
  readonly #headers: Record<string, string>;

  constructor(app: App, headers: Record<string, string> = {}) {
    this.#app = app;
    this.#headers = headers;
  }

  /** Uses Node's HTTP client, because `fetch` sends headers that say that it is not a page. */
  async ask(path: string, { method = 'GET', headers = {} }: Asked = {}): Promise<Response> {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const all = { accept: 'text/html', cookie, ...this.#headers, ...headers };
    const request = send(`${this.#app.url}${path}`, { method, headers: all, agent: false }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = '', ...flags] = line.split('; ');
      const [name = '', value = ''] = pair.split('=');
      if (flags.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const lines = Object.entries(answer.headers).flatMap(([name, value = '']) =>
      (Array.isArray(value) ? value : [value]).map((each): [string, string] => [name, each]),
    );
    const body = Buffer.concat(chunks);
    return new Response(body.length === 0 ? null : body, { status: answer.statusCode ?? 0, headers: lines });
  }

  /** Begins a sign-in. Returns the address to which the provider would send the browser back. */
  async begin(path: string, user: string, { from = provider, ...asked }: Begun = {}): Promise<URL> {
    const answer = await this.ask(path, asked);
    expect(answer.status).toBe(303);
    const to = new URL(answer.headers.get('location') ?? '');
    expect(to.origin).toBe(from.issuer);
    const code = `${user} ${Math.random()}`;
    const [nonce = '', scope = ''] = ['nonce', 'scope'].map((name) => to.searchParams.get(name) ?? '');
    from.begun.set(code, { nonce, scope });
    const back = new URL(to.searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', to.searchParams.get('state') ?? '');
    return back;
  }

  async finish(back: URL): Promise<string | null> {
    const answer = await this.ask(`${back.pathname}${back.search}`);
    return answer.status === 303
      ? answer.headers.get('location')
      : `${answer.status} ${(await answer.json()).code}`;
  }

  async signIn(user: string, path = '/sign-in', from = provider): Promise<string | null> {
    return this.finish(await this.begin(path, user, { from }));
  }
}

function resetProvider(): void {
  provider.claims = {};
  provider.fields = {};
  provider.header = {};
  provider.payload = (json) => json;
  provider.answer = undefined;
  provider.lifetime = 3600;
  provider.metadata = {};
}

const unread: express.RequestHandler = (req, _res, next) => {
  req.body = {};
  next();
};

/** Body parsers that an app may use before ours. */
const PARSERS: [string, express.RequestHandler][] = [
  ['express.urlencoded', express.urlencoded()],
  ['express.json', express.json()],
  ['express.text', express.text({ type: '*/*' })],
  ['express.raw', express.raw({ type: '*/*' })],
  ['a parser of Express 4 that leaves the body unread', unread],
];

const bodyOf = async (answer: Promise<Response>): Promise<unknown> => (await answer).json();

describe('signing in', () => {
  let app: App;
  beforeEach(async () => {
    resetProvider();
    provider.asked.length = 0;
    app = await start();
  });

  it('returns to the requested page with a token for its scopes', async () => {
    const ada = new Browser(app);
    const asked = await ada.ask('/files?a=1');
    expect(asked.headers.get('cache-control')).toBe('no-store');
    const query = new URL(asked.headers.get('location') ?? '').searchParams;
    expect(query.get('scope')).toBe('openid profile offline_access files.read');
    expect(query.get('code_challenge_method')).toBe('S256');
    expect(await ada.signIn('ada', '/files?a=1')).toBe('/files?a=1');
    expect(provider.asked[0]?.get('code_verifier')).toHaveLength(43);
    const page = await ada.ask('/files?a=1');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.json()).toMatch(/^access/);
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect(provider.asked.length).toBe(1);
  });

  it('succeeds in each of eight tabs at once', async () => {
    const ada = new Browser(app);
    const names = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const tabs = await Promise.all(names.map((tab) => ada.begin(`/sign-in?returnTo=/${tab}`, 'ada')));
    const ends = await Promise.all(tabs.map((tab) => ada.finish(tab)));
    expect(ends).toEqual(names.map((tab) => `/${tab}`));
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect([...ada.cookies.keys()].filter((name) => name.includes('attempt'))).toEqual([]);
  });

  it('drops the oldest of nine sign-ins in progress', async () => {
    const ada = new Browser(app);
    const tabs = [];
    for (let tab = 0; tab < 9; tab += 1) tabs.push(await ada.begin('/sign-in', 'ada'));
    expect([...ada.cookies.keys()].filter((name) => name.includes('attempt')).length).toBe(8);
    expect(await ada.finish(tabs.at(-1) as URL)).toBe('/');
  });

  it('clears a few cookies at a time, however many were planted', async () => {
    const planted = Array.from({ length: 150 }, (_, index) => `tokenkeep-attempt-${index}=x`).join('; ');
    const lines = (await new Browser(app).ask('/sign-in', { headers: { cookie: planted } })).headers;
    expect(lines.getSetCookie()).toHaveLength(8 + 2);
  });

  it('can be finished only once, and only by the browser that started it', async () => {
    const [ada, eve] = [new Browser(app), new Browser(app)];
    const back = await ada.begin('/sign-in', 'ada');
    expect(await eve.finish(back)).toBe('400 sign_in_unknown');
    await eve.begin('/sign-in', 'eve'); // with an attempt of eve's own
    expect(await eve.finish(back)).toBe('400 sign_in_unknown');
    const before = new Map(ada.cookies);
    expect(await ada.finish(back)).toBe('/');
    for (const [name, value] of before) eve.cookies.set(name, value); // Even with ada's cookies.
    expect(await eve.finish(back)).toBe('400 sign_in_unknown');
    expect(await bodyOf(eve.ask('/'))).toBeNull();
    expect(provider.asked.length).toBe(1);
  });

  it('sends a user on who reloads the answer, as long as the session is of that sign-in', async () => {
    const ada = new Browser(app);
    const back = await ada.begin('/sign-in?returnTo=/me', 'ada');
    expect(await ada.finish(back)).toBe('/me');
    expect(await ada.finish(back)).toBe('/me');
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    const other = new Browser(app);
    await other.signIn('ada');
    expect(await other.finish(back)).toBe('400 sign_in_unknown');
    expect(await bodyOf(other.ask('/me'))).toBe('ada');
    await ada.ask('/sign-out', { method: 'POST' });
    expect(await ada.finish(back)).toBe('400 sign_in_unknown');
    expect(provider.asked.length).toBe(2);
  });

  it.each<[string, (store: MemoryStore) => WebSignInOptions['caches']]>([
    ['on two servers', (store) => partitionedCaches({ store, sealingKeys: 'plain-text' })],
    ['of one server, with sessionStore', () => () => inMemory()],
  ])('sends a code to the provider once, however often its answer arrives: %s', async (what, caches) => {
    const [store, sessions] = [memoryStore(), new session.MemoryStore()];
    const redirectUri = `${app.url}/callback`;
    const one = () => start({ caches: caches(store), sessions, redirectUri });
    const here = await one();
    const there = what === 'on two servers' ? await one() : here;
    const ada = new Browser(here);
    const back = await ada.begin('/sign-in', 'ada');
    const ends = await Promise.all(
      [here, there, here, there].map((server) => {
        const proxy = new Browser(server);
        for (const [name, value] of ada.cookies) proxy.cookies.set(name, value);
        return proxy.finish(back);
      }),
    );
    expect(ends.toSorted()).toEqual(['/', ...Array<string>(3).fill('400 sign_in_unknown')]);
    expect(provider.asked.length).toBe(1);
  });

  it('sends the code later where the store fails before it was sent', async () => {
    const inner = memoryStore();
    let isDown = true;
    const write: typeof inner.write = (...call) =>
      isDown ? Promise.reject(new Error('down')) : inner.write(...call);
    const store = { ...inner, write };
    const failing = await start({ caches: partitionedCaches({ store, sealingKeys: 'plain-text' }) });
    const ada = new Browser(failing);
    const back = await ada.begin('/sign-in', 'ada');
    const before = new Map(ada.cookies);
    expect(await ada.finish(back)).toBe('500 store_unavailable');
    expect(provider.asked).toEqual([]);
    isDown = false;
    for (const [name, value] of before) ada.cookies.set(name, value);
    expect(await ada.finish(back)).toBe('/');
  });

  it.each(['', '?code=x', '?state=x', '?state=x&code=y', '?state=%00&code=y', '?error=access_denied'])(
    'an answer "%s" out of nowhere is refused',
    async (query) => {
      const ada = new Browser(app);
      await ada.begin('/sign-in', 'ada');
      expect((await ada.ask(`/callback${query}`)).status).toBe(400);
      expect(provider.asked).toEqual([]);
    },
  );

  it.each(['state', 'code', 'iss', 'error'])(
    'an answer with two values of %s is refused, and the sign-in can still be finished',
    async (field) => {
      const ada = new Browser(app);
      const back = await ada.begin('/sign-in?returnTo=/me', 'ada');
      const twice = new URL(back);
      if (field !== 'error') twice.searchParams.append(field, provider.issuer);
      twice.searchParams.append(field, back.searchParams.get(field) ?? 'access_denied');
      expect(await ada.finish(twice)).toBe('502 sign_in_answer_invalid');
      expect(provider.asked).toEqual([]);
      expect(await ada.finish(back)).toBe('/me');
    },
  );

  it('ignores a modified cookie', async () => {
    const ada = new Browser(app);
    const back = await ada.begin('/sign-in?returnTo=/me', 'ada');
    const [name = '', value = ''] = [...ada.cookies].find(([each]) => each.includes('attempt')) ?? [];
    const [seed] = value.split('.');
    for (const what of [['/evil', '', 9e9], 'x', null, ['/']]) {
      ada.cookies.set(name, `${seed}.${Buffer.from(JSON.stringify(what)).toString('base64url')}`);
      expect(await ada.finish(back)).toBe('400 sign_in_unknown');
      expect(ada.cookies.has(name)).toBe(true);
    }
    ada.cookies.set(name, value);
    expect(await ada.finish(back)).toBe('/me');
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example',
    '/\t/evil.example',
    '/%0d%0aset-cookie:x=y/..//evil.example',
    '/..//evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    'evil.example',
    '/\u0000/evil.example',
    `/${'x'.repeat(2000)}`,
    '',
  ])('never ends at another site: %s', async (returnTo) => {
    const ada = new Browser(app);
    const end = await ada.signIn('ada', `/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
    const url = new URL(end ?? '', app.url);
    expect(url.origin).toBe(app.url);
    expect(end).toMatch(/^\/(?![/\\])/);
  });

  it('expires after 15 minutes', async () => {
    let now = Math.floor(Date.now() / 1000);
    const slow = await start({ now: () => now });
    const ada = new Browser(slow);
    const back = await ada.begin('/sign-in', 'ada');
    now += 901;
    expect(await ada.finish(back)).toBe('400 sign_in_unknown');
  });

  it.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'other' }],
    ['for several clients, issued to another', { aud: ['my-app', 'other'], azp: 'other' }],
    ['for several clients, issued to nobody', { aud: ['my-app', 'other'] }],
    ['expired', { exp: 1 }],
    ['without an expiry', { exp: undefined }],
    ['whose expiry is text', { exp: '9e9' }],
    ['of the future', { iat: 9e9 }],
    ['without a time of issue', { iat: undefined }],
    ['whose time of issue is text', { iat: '1' }],
    ['that is not valid yet', { nbf: 9e9 }],
    ['that is valid from no time', { nbf: 'now' }],
    ['for nobody', { aud: [] }],
    ['for a client in a list of lists', { aud: [['my-app']] }],
    ['issued to another client', { azp: 'other' }],
    ['of another sign-in', { nonce: 'other' }],
    ['without a nonce', { nonce: undefined }],
    ['without a user', { sub: undefined }],
  ])('an ID token %s signs nobody in', async (_what, claims) => {
    provider.claims = claims;
    const ada = new Browser(app);
    expect(await ada.signIn('ada')).toBe('502 sign_in_answer_invalid');
    expect(await bodyOf(ada.ask('/'))).toBeNull();
  });

  it.each<[string, Record<string, unknown>]>([
    ['demands an extension', { crit: ['exp'], exp: 1 }],
    ['says that its payload is not encoded', { b64: false }],
    ['says that its payload is not encoded, and demands it', { b64: false, crit: ['b64'] }],
    ['is a logout token', { typ: 'logout+jwt' }],
    ['is an access token', { typ: 'application/AT+JWT' }],
    ['names a type that is no text', { typ: 5 }],
    ['names an unknown key', { kid: 'k2' }],
    ['names a key that is no text', { kid: 1 }],
  ])('an ID token whose header %s signs nobody in', async (_what, header) => {
    provider.header = header;
    expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
  });

  it('an ID token that never expires, because its expiry is too big for a number, signs nobody in', async () => {
    provider.payload = (json) => json.replace(/"exp":\d+/, '"exp":1e999');
    expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
  });

  it('an ID token that is signed with the public key as a shared secret signs nobody in', async () => {
    const jwks = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: JWK[] };
    const [jwk] = jwks.keys;
    const pem = await exportSPKI((await importJWK(jwk as JWK, 'ES256', { extractable: true })) as CryptoKey);
    for (const secret of [JSON.stringify(jwk), JSON.stringify(jwks), pem, pem.trim(), '']) {
      const claims = { iss: provider.issuer, aud: 'my-app', sub: 'ada', iat: 1, exp: 9e9 };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      provider.answer = (form) => {
        const nonce = provider.begun.get(form.get('code') ?? '')?.nonce;
        const data = `${part({ alg: 'HS256', kid: 'k1' })}.${part({ ...claims, nonce })}`;
        const signature = createHmac('sha256', secret).update(data).digest('base64url');
        return { token_type: 'Bearer', access_token: 'a', id_token: `${data}.${signature}` };
      };
      expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
    }
    expect(app.errors.map(String).join()).toMatch(/algorithm/);
  });

  it('an ID token with times that have fractions, or an expiry in the far future, is accepted', async () => {
    for (const claims of [{ exp: Date.now() / 1000 + 60.5, nbf: 0.5 }, { exp: 1e300 }]) {
      provider.claims = claims;
      expect(await new Browser(app).signIn('ada')).toBe('/');
    }
  });

  it.each<[string, (key: JWK) => unknown, string]>([
    ['for encryption', (key) => [{ ...key, use: 'enc' }], '502 sign_in_answer_invalid'],
    [
      'for encryption, by its operations',
      (key) => [{ ...key, key_ops: ['deriveKey'] }],
      '502 sign_in_answer_invalid',
    ],
    ['for another algorithm', (key) => [{ ...key, alg: 'ES384' }], '502 sign_in_answer_invalid'],
    ['that is symmetric', () => [{ kty: 'oct', k: 'AAAA', kid: 'k1' }], '502 sign_in_answer_invalid'],
    ['in a set that is none', () => undefined, '502 provider_unreachable'],
    ['in a set that is text', () => 'keys', '502 provider_unreachable'],
    ['beside others of its name', (key) => [{ ...key, x: key.y, y: key.x }, { kid: 'k1' }, null, key], '/'],
    ['without a name', ({ kid: _kid, ...key }) => [key], '/'],
  ])('a key %s', async (_what, keys, end) => {
    const { keys: [jwk] } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: [JWK] }; // biome-ignore format: one line
    provider.raw = (path) =>
      path === '/jwks' ? { status: 200, text: JSON.stringify({ keys: keys(jwk) }) } : undefined;
    try {
      expect(await new Browser(app).signIn('ada')).toBe(end);
    } finally {
      provider.raw = undefined;
    }
  });

  it.each([
    ['id_token_claims', { iss: 'https://accounts.example', sub: '123', preferred_username: 'victim' }],
    ['client_info', Buffer.from('{"uid":"victim","utid":"accounts"}').toString('base64url')],
  ])('an answer whose %s names another user signs in the one of the ID token', async (field, value) => {
    provider.fields = { [field]: value };
    const mallory = new Browser(app);
    expect(await mallory.signIn('mallory')).toBe('/');
    expect(await bodyOf(mallory.ask('/account'))).toMatchObject({
      home_account_id: 'mallory',
      issuer: provider.issuer,
      username: 'mallory',
    });
  });

  it('an ID token that names two users signs nobody in', async () => {
    provider.payload = (json) => json.replace('"sub":', '"sub":"bob","sub":');
    expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
  });

  it.each([
    ['client_info', Buffer.from('{"uid":"ada","utid":"t","uid":"bob"}').toString('base64url')],
    ['access_token', {}],
    ['refresh_token', ['r']],
    ['scope', 7],
  ])('an answer whose %s can’t be kept signs nobody in: %o', async (field, value) => {
    provider.fields = { [field]: value };
    expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
  });

  it.each([undefined, 'x', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, 'a.b.c.d.e'])(
    'an ID token that is none (%s) signs nobody in',
    async (id_token) => {
      provider.answer = () => ({ token_type: 'Bearer', access_token: 'a', id_token });
      expect(await new Browser(app).signIn('ada')).toBe('502 sign_in_answer_invalid');
    },
  );

  it('refuses a response from another issuer before it sends the code anywhere (RFC 9207)', async () => {
    provider.metadata = { authorization_response_iss_parameter_supported: true };
    const strict = await start();
    for (const iss of [undefined, 'https://evil.example']) {
      const ada = new Browser(strict);
      const back = await ada.begin('/sign-in', 'ada');
      if (iss !== undefined) back.searchParams.set('iss', iss);
      expect(await ada.finish(back)).toBe('400 sign_in_unknown');
    }
    const ada = new Browser(strict);
    const back = await ada.begin('/sign-in', 'ada');
    back.searchParams.set('iss', provider.issuer);
    expect(provider.asked).toEqual([]);
    expect(await ada.finish(back)).toBe('/');
  });

  it('reports the provider’s error code, and leaves its description to the app', async () => {
    const ada = new Browser(app);
    const back = await ada.begin('/sign-in', 'ada');
    back.searchParams.delete('code');
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', '<script>');
    expect(await ada.finish(back)).toBe('403 sign_in_refused');
    const [error] = app.errors as { message: string; provider: unknown }[];
    expect(error?.message).not.toContain('<script>');
    expect(error?.provider).toEqual({ error: 'access_denied', description: '<script>' });
  });

  it('refuses a discovery document of another issuer, or one with http URLs', async () => {
    for (const metadata of [
      { issuer: 'https://evil.example' },
      { token_endpoint: 'http://evil.example/token' },
    ]) {
      provider.metadata = metadata;
      const strict = await start();
      expect((await new Browser(strict).ask('/sign-in')).status).toBe(502);
      expect(String(strict.errors[0])).toMatch(/"issuer"/);
      expect(String(strict.errors[0])).not.toMatch(/try again/i); // It would fail in the same way.
    }
    provider.metadata = {};
  });
});

describe('the session', () => {
  let app: App;
  let caches: PartitionedCaches;
  const kept = () => Object.keys((app.sessions as unknown as { sessions: object }).sessions);
  beforeEach(async () => {
    provider.claims = {};
    provider.answer = undefined;
    provider.lifetime = 3600;
    provider.asked.length = 0;
    caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text', userIndex: true });
    app = await start({ caches });
  });

  it('is replaced at each sign-in, so that a planted session gets no tokens', async () => {
    const [ada, eve] = [new Browser(app), new Browser(app)];
    await eve.signIn('eve');
    const planted = eve.cookies.get('connect.sid') ?? '';
    ada.cookies.set('connect.sid', planted);
    await ada.signIn('ada');
    expect(ada.cookies.get('connect.sid')).not.toBe(planted);
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect((await eve.ask('/me')).status).toBe(303);
    expect(kept().length).toBe(1);
  });

  it('removes the previous user’s tokens, and keeps those of the same user', async () => {
    const ada = new Browser(app);
    await ada.signIn('ada');
    await ada.signIn('ada');
    expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/);
    expect((await caches.signOutUser('ada')).partitions).toBe(1);
    provider.revoked.length = 0;
    await ada.signIn('ada', '/sign-in?return_to=/me'); // Nothing has noticed before that her session has no tokens.
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect(provider.revoked).toEqual([]);
    await ada.signIn('bob');
    expect(await bodyOf(ada.ask('/me'))).toBe('bob');
    const stored = await caches.signOutUser('ada'); // The index may still name removed partitions.
    expect(stored.deleted).toBe(0);
    expect(await bodyOf(ada.ask('/me'))).toBe('bob');
  });

  describe('of sign-ins that finish at the same time', () => {
    let store: MemoryStore;
    /** Returns the tokens in the store, entry by entry. */
    const stored = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const key of store.maintenance!.keys()) {
        const text = Buffer.from((await store.read(key))?.bytes ?? '').toString();
        if (text.includes('"refresh ')) found.push(text);
      }
      return found;
    };
    beforeEach(async () => {
      store = memoryStore();
      app = await start({ caches: partitionedCaches({ store, sealingKeys: 'plain-text', userIndex: true }) });
    });

    it.each([
      ['ada', 'ada', 'ada'],
      ['ada', 'bob', 'cid'],
    ])('%s, %s and %s: nothing is left that no session leads to', async (...users) => {
      const ada = new Browser(app);
      const tabs = [];
      for (const user of users) tabs.push(await ada.begin('/sign-in', user));
      const same = new Map(ada.cookies); // All requests are sent before any answer arrives.
      const answers = await Promise.all(
        tabs.map(async (tab) => {
          const one = new Browser(app);
          for (const [name, value] of same) one.cookies.set(name, value);
          expect(await one.finish(tab)).toBe('/');
          return one;
        }),
      );
      expect((await stored()).length).toBe(1);
      const known = await Promise.all(answers.map((one) => bodyOf(one.ask('/'))));
      for (const [index, name] of known.entries()) expect([users[index], null]).toContain(name);
      expect(known.some((name) => name !== null)).toBe(true);
      const [last = ada] = answers.filter((_one, index) => known[index] !== null);
      await last.ask('/sign-out', { method: 'POST' });
      expect(await stored()).toEqual([]);
      // That the codes were used stays known for 15 minutes.
      if (users[0] === users[1]) expect(store.size).toBe(users.length);
    });

    it('leaves no tokens when the session cannot be saved', async () => {
      const ada = new Browser(app);
      const back = await ada.begin('/sign-in', 'ada');
      app.sessions.set = (_id, _session, done) => done?.(new Error('full'));
      expect(await ada.finish(back)).toMatch(/store_unavailable/);
      expect(await stored()).toEqual([]);
    });

    it('succeeds when the previous tokens cannot be opened', async () => {
      const ada = new Browser(app);
      await ada.signIn('ada');
      for await (const key of store.maintenance!.keys()) {
        const found = await store.read(key);
        if (!Buffer.from(found?.bytes ?? '').includes('"refresh ')) continue;
        const broken = { bytes: Buffer.from('else'), version: 'x'.repeat(16) };
        await store.write(key, broken, { expected: found?.version ?? null, ttl: null });
      }
      expect(await ada.signIn('ada')).toBe('/');
      expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    });

    it('never lets a planted cookie join two users', async () => {
      const [ada, eve] = [new Browser(app), new Browser(app)];
      const backs = [await ada.begin('/sign-in', 'ada'), await eve.begin('/sign-in', 'eve')] as const;
      eve.cookies.set('tokenkeep-browser', ada.cookies.get('tokenkeep-browser') ?? '');
      await ada.finish(backs[0]);
      await eve.finish(backs[1]);
      expect(await bodyOf(eve.ask('/me'))).toBe('eve');
      expect([303, 200]).toContain((await ada.ask('/me')).status);
      expect(await bodyOf(ada.ask('/'))).not.toBe('eve');
    });
  });

  it('with a cookie that ends with the browser keeps tokens for a day after the last request', async () => {
    const ttls: (number | null)[] = [];
    const inner = memoryStore();
    const write: typeof inner.write = (key, entry, condition, call) => {
      ttls.push(condition.ttl);
      return inner.write(key, entry, condition, call);
    };
    const own = partitionedCaches({ store: { ...inner, write }, sealingKeys: 'plain-text' });
    app = await start({ caches: own, cookie: { maxAge: undefined } });
    await new Browser(app).signIn('ada');
    expect(Math.max(...ttls.map(Number))).toBe(86_400 * 1.2);
  });

  it('with sessionStore, partitions move to a new session of the same user, but not of another user', async () => {
    const inSession = await start({
      caches: (req) =>
        partitionedCaches({ store: sessionStore(req.session as object), sealingKeys: 'plain-text' }),
    });
    const ada = new Browser(inSession);
    await ada.signIn('ada', '/files');
    await ada.signIn('ada');
    const asked = provider.asked.length;
    expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/);
    expect(provider.asked.length).toBe(asked);
    await ada.signIn('bob');
    const stored = JSON.stringify((inSession.sessions as unknown as { sessions: object }).sessions);
    const bodies = [...stored.matchAll(/\\"entry\\":\\"([^"\\]+)/g)].map(([, text = '']) =>
      Buffer.from(text, 'base64').toString(),
    );
    expect(bodies.length).toBe(1);
    expect(bodies.join()).not.toContain('"ada"');
  });

  it('keeps what was just redeemed, though another server whose clock is ahead kept tokens before', async () => {
    const store = memoryStore();
    const later = () => Math.floor(Date.now() / 1000) + 120;
    const shared = (now?: () => number) =>
      start({
        caches: partitionedCaches({ store, sealingKeys: 'plain-text', ...(now && { now }) }),
        ...(now && { now }),
      });
    const [ahead, here] = [await shared(later), await shared()];
    const ada = new Browser(ahead);
    await ada.signIn('ada', '/files');
    const same = new Browser(here); // The browser keeps its id, so that both sign-ins share a partition.
    for (const [name, value] of ada.cookies) same.cookies.set(name, value);
    await same.signIn('ada', '/files');
    expect(await bodyOf(same.ask('/files'))).toMatch(/^access/);
    const grants = provider.asked.map((form) => form.get('grant_type'));
    expect(grants).toEqual(['authorization_code', 'authorization_code']); // No refresh with the earlier token.
  });

  it.each([['kept'], ['not kept']])(
    'with sessionStore, the tokens of a replaced user are revoked, and the app is told: a session that is %s',
    async (kept) => {
      const told: WebSignOut[] = [];
      const inSession = await start({
        caches: (req) =>
          partitionedCaches({ store: sessionStore(req.session as object), sealingKeys: 'plain-text' }),
        onSignOut: (signOut) => void told.push(signOut),
      });
      const ada = new Browser(inSession);
      await ada.signIn('ada', '/files');
      await ada.signIn('ada');
      expect(told).toEqual([]);
      provider.revoked.length = 0;
      if (kept === 'not kept') inSession.sessions.set = (_id, _session, done) => done?.(new Error('full'));
      await ada.signIn('bob');
      const revokedOf = told.map(({ account, revocation }) => [account.username, revocation]);
      expect(revokedOf).toContainEqual(['ada', 'done']);
      expect(revokedOf.filter(([name]) => name === 'ada')).toHaveLength(1);
      // Of her two sign-ins, and of his, if it failed.
      expect(new Set(provider.revoked.map((form) => form.get('token'))).size).toBe(kept === 'kept' ? 2 : 3);
    },
  );

  it.each([
    ['a carryOver of the app that throws', 'in sessions'],
    ['a carryOver of the app that throws', 'in a store'],
    ['a store that can no longer be reached', 'in a store'],
    ['an async carryOver of the app that fails', 'in a store'],
  ])('the tokens of a replaced user and of the failed sign-in are revoked: %s, %s', async (what, where) => {
    const told: WebSignOut[] = [];
    const store = memoryStore();
    let isAway = false;
    const inSession: WebSignInOptions['caches'] = (req) =>
      partitionedCaches({ store: sessionStore(req.session as object), sealingKeys: 'plain-text' });
    const inStore = partitionedCaches({
      store: {
        ...store,
        read: (...call) => (isAway ? Promise.reject(new Error('away')) : store.read(...call)),
        write: (...call) => (isAway ? Promise.reject(new Error('away')) : store.write(...call)),
      },
      sealingKeys: 'plain-text',
    });
    const own = await start({
      caches: where === 'in a store' ? inStore : inSession,
      onSignOut: (signOut) => void told.push(signOut),
      carryOver: () => {
        if (!isBobs) return undefined;
        if (what.startsWith('an async')) return Promise.reject(new Error('full'));
        isAway = what.startsWith('a store');
        if (!isAway) throw new Error('full');
        return undefined;
      },
    });
    let isBobs = false;
    const ada = new Browser(own);
    await ada.signIn('ada', '/files');
    isBobs = true;
    provider.revoked.length = 0;
    await ada.signIn('bob');
    expect(own.errors).toHaveLength(1);
    const ends = told.map(({ account, revocation }) => [account.username, revocation]);
    expect(ends.toSorted()).toEqual([
      ['ada', 'done'],
      ['bob', 'done'],
    ]);
    expect(new Set(provider.revoked.map((form) => form.get('token'))).size).toBe(2);
  });

  it('with sessionStore, whose store stops answering, ends a sign-in after five seconds', async () => {
    let isSecond = false;
    const own = await start({
      caches: (req) =>
        partitionedCaches({ store: sessionStore(req.session as object), sealingKeys: 'plain-text' }),
      carryOver: () => {
        if (isSecond) own.sessions.get = () => undefined;
      },
    });
    const ada = new Browser(own);
    await ada.signIn('ada');
    isSecond = true;
    await ada.signIn('ada');
    expect(own.errors).toMatchObject([{ code: 'store_timeout' }]);
  }, 20_000);

  it('that cannot be replaced leaves no refresh token at the provider', async () => {
    const ada = new Browser(app);
    const back = await ada.begin('/sign-in', 'ada');
    app.sessions.destroy = (_id, done) => done?.(new Error('away'));
    app.sessions.set = (_id, _session, done) => done?.(new Error('away'));
    provider.revoked.length = 0;
    await ada.finish(back);
    expect(provider.revoked).toHaveLength(1);
  });

  it('keeps the app data that the app chooses', async () => {
    const seen: boolean[] = [];
    const own = await start({
      carryOver: async (_before, after, isSameUser) => {
        seen.push(isSameUser);
        await new Promise((resolve) => setTimeout(resolve, 50));
        Reflect.set(after, 'cart', 'books');
      },
    });
    const ada = new Browser(own);
    for (const user of ['ada', 'ada', 'bob']) await ada.signIn(user);
    expect(seen).toEqual([false, true, false]);
    expect(JSON.stringify(own.sessions)).toContain('books');
  });

  it('that the browser does not send back is an error, not a redirect loop', async () => {
    // A secure cookie behind a proxy that the app does not trust: express-session does not set it.
    const broken = await start({ cookie: { secure: true } });
    const ada = new Browser(broken);
    expect(await ada.signIn('ada', '/me')).toBe('/me');
    expect(await ada.signIn('ada', '/me')).toBe('/me');
    const answer = await ada.ask('/me');
    expect([answer.status, (await answer.json()).code]).toEqual([500, 'session_not_kept']);
  });

  it('whose tokens are not in the store is an error, not a redirect loop', async () => {
    const own = memoryStore();
    const broken = await start({ caches: partitionedCaches({ store: own, sealingKeys: 'plain-text' }) });
    const ada = new Browser(broken);
    for (let round = 0; round < 2; round += 1) {
      expect(await ada.signIn('ada', '/me')).toBe('/me');
      own.clear(); // As if the next request came to another process, with a store of its own.
    }
    const answer = await ada.ask('/me');
    expect([answer.status, (await answer.json()).code]).toEqual([500, 'session_not_kept']);
    expect(broken.errors).toMatchObject([{ message: expect.stringContaining('memoryStore') as string }]);
    expect((await ada.ask('/me')).status).toBe(303); // A reload signs in again, and does not blame the session's cookie.
  });

  it('works behind a TLS proxy that the app trusts', async () => {
    const trusting = await start({ cookie: { secure: true }, proxies: 1 });
    const ada = new Browser(trusting, {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      host: 'evil.example',
    });
    expect(await ada.signIn('ada', '/me')).toBe('/me');
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
  });

  it('uses secure cookies only if the public URL is https', async () => {
    const tls = await start({ redirectUri: 'https://app.example/callback' });
    const lines = (await new Browser(tls).ask('/sign-in')).headers.getSetCookie();
    expect(lines.length).toBe(2);
    for (const line of lines)
      expect(line).toMatch(
        /^__Host-tokenkeep-(?:attempt-|browser)[\w-]*=.*; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900; Secure$/,
      );
  });

  it('takes no cookie for one that only its own host can set, because white space was removed from its name', async () => {
    const tls = await start({ redirectUri: 'https://app.example/callback' });
    const eve = new Browser(tls);
    const back = await eve.begin('/sign-in', 'eve');
    const [name, value] = [...eve.cookies].find(([each]) => each.includes('attempt')) ?? [];
    for (const planted of [`\u00a0${name}=${value}`, `${name}\u00a0=${value}`]) {
      const answer = await new Browser(tls).ask(`/callback${back.search}`, { headers: { cookie: planted } });
      expect(await answer.json()).toEqual({ code: 'sign_in_unknown' });
    }
    // Spaces and tabs are not part of the cookie.
    const own = await new Browser(tls).ask(`/callback${back.search}`, {
      headers: { cookie: `\t ${name}\t= ${value} ` },
    });
    expect(own.status).toBe(303);
  });

  it('works behind a proxy that removes a path prefix', async () => {
    const inner = await start();
    const prefixed = await start({ basePath: '/app', redirectUri: `${inner.url}/app/callback` });
    const ada = new Browser(prefixed);
    const back = await ada.begin('/me', 'ada');
    expect(back.pathname).toBe('/app/callback');
    expect(await ada.finish(new URL(`/callback${back.search}`, back))).toBe('/app/me');
  });

  it.each([
    ['no page', '/sign-in', 'GET'],
    ['a page of another site', '/sign-in?returnTo=//evil.example', 'GET'],
    ['a page whose path is too long', `/sign-in?returnTo=/app/${'é'.repeat(800)}`, 'GET'],
    ['a posted form', '/form', 'POST'],
  ])('returns to the home page below the path prefix: from %s', async (_from, path, method) => {
    const inner = await start();
    const prefixed = await start({ basePath: '/app', redirectUri: `${inner.url}/app/callback` });
    const ada = new Browser(prefixed);
    const back = await ada.begin(path, 'ada', { method });
    expect(await ada.finish(new URL(`/callback${back.search}`, back))).toBe('/app/');
  });
});

describe('two sign-ins in one app', () => {
  let staff: FakeProvider;
  let store: MemoryStore;
  let app: App;
  let auth: WebSignIn;
  let signOuts: WebSignOut[];
  beforeAll(async () => {
    staff = await startFakeProvider('my-app');
  });
  afterAll(() => staff.close());

  /** Adds routes below /staff, and pages behind another sign-in. */
  async function startBoth(options: Partial<WebSignInOptions>): Promise<void> {
    resetProvider();
    for (const one of [provider, staff]) one.revoked.length = 0;
    signOuts = [];
    store = memoryStore();
    const caches = partitionedCaches({ store, sealingKeys: 'plain-text', userIndex: true });
    const pages = express.Router();
    app = await start({ caches, after: pages, onSignOut: (one) => void signOuts.push(one) });
    auth = webSignIn({
      caches,
      issuer: staff.issuer,
      clientId: 'my-app',
      redirectUri: `${app.url}/staff/callback`,
      paths: { signIn: '/staff/sign-in', signOut: '/staff/sign-out' },
      onSignOut: (one) => void signOuts.push(one),
      ...options,
    });
    pages.use(auth.routes);
    pages.get('/staff', auth.requireUser(), (req, res) => void res.json(auth.user(req).claims['sub']));
    pages.get(
      '/staff/files',
      auth.requireUser({ scopes: ['files.read'] }),
      (req, res) => void res.json(auth.user(req).accessToken),
    );
    pages.get('/staff/claims', auth.requireUser(), (req, res) => void res.json(auth.user(req).claims));
    pages.get('/staff/found', async (req, res) => void res.json((await auth.findUser(req)) === null));
  }

  it.each([
    ['provider', () => ({})],
    ['client of the same provider', () => ({ issuer: provider.issuer, clientId: 'staff-app' })],
  ])('admit only users who signed in with them: another %s', async (_what, options) => {
    await startBoth(options());
    const ada = new Browser(app);
    await ada.signIn('ada');
    expect(await bodyOf(ada.ask('/staff/found'))).toBe(true);
    expect((await ada.ask('/staff')).status).toBe(303);
    expect((await ada.ask('/staff', { headers: { accept: 'application/json' } })).status).toBe(401);
    expect(await bodyOf(ada.ask('/me'))).toBe('ada'); // Nobody was signed out by asking.
  });

  it('replace each other’s user, and tell no provider the tokens of the other', async () => {
    await startBoth({});
    const ada = new Browser(app);
    await ada.signIn('ada');
    expect(await ada.signIn('ada', '/staff/files', staff)).toBe('/staff/files');
    expect(await bodyOf(ada.ask('/staff'))).toBe('ada');
    expect(await bodyOf(ada.ask('/'))).toBe(null);
    expect(signOuts).toEqual([expect.objectContaining({ revocation: 'none' })]);
    const out = await ada.ask('/sign-out', { method: 'POST' });
    expect(out.headers.get('location')).toContain(provider.issuer);
    expect(out.headers.get('location')).not.toContain('id_token_hint');
    expect((await ada.ask('/staff')).status).toBe(303);
    expect([provider.revoked, staff.revoked]).toEqual([[], []]);
    expect(await left()).toEqual([]);
  });

  const left = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const key of store.maintenance!.keys())
      if (Buffer.from((await store.read(key))?.bytes ?? '').includes('"refresh ')) found.push(key);
    return found;
  };

  it('that end at the same moment leave only the tokens of one, and tell no provider those of the other', async () => {
    await startBoth({});
    const ada = new Browser(app);
    const tabs = [
      await ada.begin('/sign-in', 'ada'),
      await ada.begin('/staff/sign-in', 'ada', { from: staff }),
    ];
    const answers = await Promise.all(
      tabs.map(async (tab) => {
        const one = new Browser(app);
        for (const [name, value] of ada.cookies) one.cookies.set(name, value);
        expect(await one.finish(tab)).toBe('/');
        return one;
      }),
    );
    expect(await left()).toHaveLength(1);
    const [customer, clerk] = answers as [Browser, Browser];
    const isSignedIn = [(await customer.ask('/me')).status, (await clerk.ask('/staff')).status];
    expect(isSignedIn.toSorted()).toEqual([200, 303]);
    expect(signOuts).toEqual([expect.objectContaining({ revocation: 'none' })]);
    expect([provider.revoked, staff.revoked]).toEqual([[], []]);
  });

  it('with sessions of their own leave each other alone, unless they end at the same moment', async () => {
    await startBoth({});
    const ada = new Browser(app);
    await ada.signIn('ada');
    const ofOther = new Browser(app); // The same browser, whose other session has a cookie of another name.
    for (const [name, value] of ada.cookies) if (name !== 'connect.sid') ofOther.cookies.set(name, value);
    await ofOther.signIn('ada', '/staff', staff);
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect(await bodyOf(ofOther.ask('/staff'))).toBe('ada');
    expect(await left()).toHaveLength(2);
  });

  it.each([
    ['other caches', () => inMemory()],
    ['caches in the session', () => () => inMemory()],
  ])('refuse %s, in which one would leave the tokens of the other', async (_what, caches) => {
    await startBoth({ caches: caches() });
    const answer = await new Browser(app).ask('/');
    expect(answer.status).toBe(500);
    expect(app.errors).toEqual([expect.objectContaining({ code: 'invalid_argument', field: 'caches' })]);
  });

  it('of two clients of one provider share the session of one user', async () => {
    await startBoth({ issuer: provider.issuer, clientId: 'staff-app' });
    const ada = new Browser(app);
    await ada.signIn('ada', '/files');
    provider.claims = { aud: 'staff-app' };
    await ada.signIn('ada', '/staff/files');
    provider.claims = {};
    expect(await bodyOf(ada.ask('/staff/files'))).toMatch(/^access/);
    expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/);
    expect(provider.asked.filter((form) => form.get('grant_type') === 'refresh_token')).toEqual([]);
    await ada.ask('/sign-out', { method: 'POST' });
    expect(provider.revoked.length).toBe(1); // Its own.
    expect((await ada.ask('/staff')).status).toBe(303);
  });

  it('of two clients of one provider each have the claims of their own ID token', async () => {
    await startBoth({ issuer: provider.issuer, clientId: 'staff-app' });
    const ada = new Browser(app);
    provider.claims = { roles: ['customer'] };
    await ada.signIn('ada');
    provider.claims = { aud: 'staff-app', roles: ['clerk'] };
    await ada.signIn('ada', '/staff');
    expect(await bodyOf(ada.ask('/claims'))).toMatchObject({ aud: 'my-app', roles: ['customer'] });
    expect(await bodyOf(ada.ask('/staff/claims'))).toMatchObject({ aud: 'staff-app', roles: ['clerk'] });
    const out = await ada.ask('/staff/sign-out', { method: 'POST' });
    const hint = new URL(out.headers.get('location')!).searchParams.get('id_token_hint') ?? '';
    expect(Buffer.from(hint.split('.')[1]!, 'base64url').toString()).toContain('"aud":"staff-app"');
  });
});

describe('a token', () => {
  let app: App;
  let ada: Browser;
  beforeEach(async () => {
    provider.claims = {};
    provider.answer = undefined;
    provider.lifetime = 3600;
    provider.asked.length = 0;
    app = await start();
    ada = new Browser(app);
    await ada.signIn('ada', '/files');
  });

  it('for other scopes comes from one refresh, shared by all concurrent requests', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => bodyOf(ada.ask('/mail'))));
    expect(new Set(answers).size).toBe(1);
    expect(provider.asked.slice(1).map((form) => form.get('grant_type'))).toEqual(['refresh_token']);
    expect(provider.asked[1]?.get('authorization')).toMatch(/^Basic /);
  });

  it.each(['invalid_grant', 'invalid_scope', 'interaction_required', 'consent_required'])(
    'that needs the user (%s) redirects to the provider, without a loop',
    async (error) => {
      provider.answer = (form) => (form.get('grant_type') === 'refresh_token' ? { error } : undefined);
      const gone = await ada.ask('/mail');
      expect(gone.status).toBe(303);
      expect(gone.headers.get('location')).toContain('mail.read');
      provider.lifetime = 0; // The provider issues only expired tokens.
      let rounds = 0;
      for (; rounds < 10 && (await ada.ask('/mail')).status === 303; rounds += 1)
        await ada.signIn('ada', '/mail');
      expect(rounds).toBeLessThan(5);
      expect(app.errors.at(-1)).toMatchObject({ code: 'sign_in_no_token', status: 502 });
    },
  );

  it('refused because of the app’s configuration is reported as such, and nobody is signed out', async () => {
    provider.answer = () => ({ error: 'invalid_client', error_description: 'expired secret' });
    const answer = await ada.ask('/mail');
    expect([answer.status, (await answer.json()).code]).toEqual([403, 'sign_in_refused']);
    expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/);
  });

  it('is not available to a request that did not pass requireUser', async () => {
    const answer = await ada.ask('/open');
    expect([answer.status, (await answer.json()).code]).toEqual([500, 'no_request']);
  });

  it('answers 401 to requests that are no page loads', async () => {
    const other = new Browser(app, { accept: 'application/json' });
    const answer = await other.ask('/files');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([401, 'no-store']);
    expect(
      (await other.ask('/files', { headers: { accept: 'text/html', 'sec-fetch-mode': 'cors' } })).status,
    ).toBe(401);
  });
});

describe('signing out', () => {
  let app: App;
  let ada: Browser;
  beforeEach(async () => {
    provider.claims = { sid: 'session-1' };
    provider.answer = undefined;
    provider.lifetime = 3600;
    app = await start();
    ada = new Browser(app);
    await ada.signIn('ada', '/files');
  });

  it('removes the session and the tokens, then signs out at the provider', async () => {
    const answer = await ada.ask('/sign-out', { method: 'POST' });
    expect(answer.status).toBe(303);
    const url = new URL(answer.headers.get('location') ?? '');
    expect(`${url.origin}${url.pathname}`).toBe(`${provider.issuer}/end`);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${app.url}/`);
    expect(await bodyOf(ada.ask('/'))).toBeNull();
    expect(Object.keys((app.sessions as unknown as { sessions: object }).sessions)).toEqual([]);
  });

  it.each(['the user signs out', 'the provider signs the user out'])(
    'revokes a refresh token that arrives while %s',
    async (how) => {
      resetProvider();
      const told: WebSignOut[] = [];
      let arrived = (): void => undefined;
      let go = (): void => undefined;
      const [arrival, gate] = [
        new Promise<void>((resolve) => (arrived = resolve)),
        new Promise<void>((resolve) => (go = resolve)),
      ];
      let fresh: unknown;
      const late: typeof fetch = async (url, init) => {
        const answer = await fetch(url, init);
        if (!(init?.body instanceof URLSearchParams) || init.body.get('grant_type') !== 'refresh_token')
          return answer;
        fresh = ((await answer.clone().json()) as { refresh_token: unknown }).refresh_token;
        arrived();
        await gate;
        return answer;
      };
      app = await start({ fetch: late, onSignOut: (signOut) => void told.push(signOut) });
      provider.lifetime = 0;
      const ada = new Browser(app);
      await ada.signIn('ada', '/files');
      provider.revoked.length = 0;
      const tab = ada.ask('/files', { headers: { accept: 'application/json' } });
      await arrival;
      if (how === 'the user signs out') await ada.ask('/sign-out', { method: 'POST' });
      else {
        const body = new URLSearchParams({ logout_token: provider.logoutToken({ sub: 'ada' }) });
        expect((await fetch(`${app.url}/back-channel-logout`, { method: 'POST', body })).status).toBe(200);
      }
      const revoked = () => provider.revoked.map((form) => form.get('token'));
      expect(revoked()).not.toContain(fresh);
      told.length = 0;
      go();
      expect((await tab).status).toBe(401);
      expect(revoked()).toContain(fresh);
      expect(told).toMatchObject([{ account: { username: 'ada' }, revocation: 'done', revoked: 1 }]);
    },
  );

  describe('revokes the refresh tokens at the provider, and says so:', () => {
    let told: WebSignOut[];
    beforeEach(async () => {
      told = [];
      provider.revoked.length = 0;
      provider.revocationStatus = 200;
      provider.metadata = {};
      app = await start({ onSignOut: (one) => told.push(one) });
      ada = new Browser(app);
      await ada.signIn('ada', '/files');
    });
    afterEach(() => {
      provider.metadata = {};
      provider.revocationStatus = 200;
    });
    const what = () => told.map(({ account, revocation }) => [account.username, revocation]);

    it('those of this app, authenticated as its client', async () => {
      await ada.ask('/mail'); // Stores another refresh token.
      await ada.ask('/sign-out', { method: 'POST' });
      expect(what()).toEqual([['ada', 'done']]);
      expect(provider.revoked[0]?.get('token')).toMatch(/^refresh \d+$/);
      expect(provider.revoked[0]?.get('token_type_hint')).toBe('refresh_token');
      expect(provider.revoked[0]?.get('authorization')).toMatch(/^Basic /);
    });

    it('those of a user who is replaced by another', async () => {
      await ada.signIn('bob');
      expect(what()).toEqual([['ada', 'done']]);
      expect(provider.revoked.length).toBe(1);
      expect(await bodyOf(ada.ask('/me'))).toBe('bob');
    });

    it.each<[Record<string, unknown>, number, string]>([
      [{}, 503, 'failed'],
      [{ revocation_endpoint: undefined }, 200, 'unsupported'],
      [{ revocation_endpoint: 'http://evil.example/revoke' }, 200, 'unsupported'],
    ])(
      'where the provider has %o and answers %i, the user is signed out here',
      async (metadata, status, end) => {
        provider.metadata = metadata;
        provider.revocationStatus = status;
        app = await start({ onSignOut: (one) => told.push(one) });
        ada = new Browser(app);
        await ada.signIn('ada', '/files');
        expect((await ada.ask('/sign-out', { method: 'POST' })).status).toBe(303);
        expect(what()).toEqual([['ada', end]]);
        if (end === 'failed') expect(told[0]?.error).toMatchObject({ code: 'provider_unreachable' });
        expect(await bodyOf(ada.ask('/'))).toBeNull();
      },
    );

    it.each<[string, (token: string) => number, string, number]>([
      ['all', () => 200, 'done', 3],
      ['two of three', (token) => (token === 'refresh a' ? 503 : 200), 'failed', 2],
      ['one of three', (token) => (token === 'refresh b' ? 200 : 400), 'failed', 1],
      ['none', () => 500, 'failed', 0],
    ])('%s of an account’s', async (_what, status, end, count) => {
      expect(await bodyOf(ada.ask('/more-tokens'))).toBe(true);
      provider.revocationStatus = status;
      expect((await ada.ask('/sign-out', { method: 'POST' })).status).toBe(303);
      expect(provider.revoked.length).toBe(3);
      expect(told).toMatchObject([{ revocation: end, revoked: count, notRevoked: 3 - count }]);
      if (end === 'failed')
        expect(told[0]?.error).toMatchObject({ message: expect.stringContaining(`revoked ${count} of 3 `) });
      expect(inspect(told[0]?.error)).not.toMatch(/refresh (a|b|\d)/);
    });

    it('and completes the sign-out though the app’s listener throws', async () => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
      onTestFinished(() => {
        process.removeAllListeners('uncaughtException');
        for (const listener of others) process.on('uncaughtException', listener);
      });
      app = await start({
        onSignOut: () => {
          throw new Error('the app’s own');
        },
      });
      ada = new Browser(app);
      await ada.signIn('ada', '/files');
      expect((await ada.ask('/sign-out', { method: 'POST' })).status).toBe(303);
      expect(await uncaught).toMatchObject({ message: 'the app’s own' });
      expect(await bodyOf(ada.ask('/'))).toBeNull();
      expect(Object.keys((app.sessions as unknown as { sessions: object }).sessions)).toEqual([]);
    });

    it('but no refresh token of another app', async () => {
      const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' });
      app = await start({ caches, onSignOut: (one) => told.push(one) });
      ada = new Browser(app);
      await ada.signIn('ada', '/files');
      const cached = await ada.ask('/other-app');
      expect(cached.status).toBe(200);
      await ada.ask('/sign-out', { method: 'POST' });
      expect(provider.revoked.map((form) => form.get('token'))).not.toContain('of another app');
      expect(provider.revoked.length).toBe(1);
    });
  });

  it('never sends the ID token to a sign-out page without TLS', async () => {
    provider.metadata = { end_session_endpoint: 'http://evil.example/end' };
    app = await start();
    ada = new Browser(app);
    await ada.signIn('ada');
    const answer = await ada.ask('/sign-out', { method: 'POST' });
    provider.metadata = {};
    expect(answer.headers.get('location')).toBe('/');
  });

  it('deletes nothing of a sign-in in another tab that comes right after it', async () => {
    const inner = memoryStore();
    let next: (() => Promise<unknown>) | undefined;
    const remove: typeof inner.remove = async (...call) => {
      const task = next;
      if (task === undefined) return inner.remove(...call);
      next = undefined;
      const isGone = await inner.remove(...call);
      await task();
      return isGone;
    };
    const serverOf = (store: PartitionStore) =>
      start({ caches: partitionedCaches({ store, sealingKeys: 'plain-text' }) });
    app = await serverOf({ ...inner, remove });
    ada = new Browser(app);
    const [first, second] = [await ada.begin('/sign-in', 'ada'), await ada.begin('/sign-in', 'ada')];
    await ada.finish(first);
    const tab = new Browser(await serverOf(inner)); // Another server answers it.
    for (const cookie of ada.cookies) tab.cookies.set(...cookie);
    tab.cookies.delete('connect.sid');
    next = () => tab.finish(second);
    await ada.ask('/sign-out', { method: 'POST' });
    expect(await bodyOf(tab.ask('/me'))).toBe('ada');
  });

  it('by the provider: a logout token that one server accepted is refused by the others', async () => {
    const store = memoryStore();
    const caches = () => partitionedCaches({ store, sealingKeys: 'plain-text', userIndex: true });
    const [here, there] = [await start({ caches: caches() }), await start({ caches: caches() })];
    const body = new URLSearchParams({ logout_token: provider.logoutToken({ sub: 'ada' }) });
    const post = ({ url }: App) => fetch(`${url}/back-channel-logout`, { method: 'POST', body });
    expect((await post(here)).status).toBe(200);
    expect((await post(there)).status).toBe(400);
  });

  it('by the provider: a logout token may be posted again after the store failed', async () => {
    const inner = memoryStore();
    let isDown = false;
    const read: typeof inner.read = (...call) =>
      isDown ? Promise.reject(new Error('down')) : inner.read(...call);
    const caches = partitionedCaches({
      store: { ...inner, read },
      sealingKeys: 'plain-text',
      userIndex: true,
    });
    app = await start({ caches });
    ada = new Browser(app);
    await ada.signIn('ada');
    const body = new URLSearchParams({ logout_token: provider.logoutToken({ sub: 'ada' }) });
    const post = () => fetch(`${app.url}/back-channel-logout`, { method: 'POST', body });
    isDown = true;
    expect((await post()).status).toBe(500);
    isDown = false;
    expect((await post()).status).toBe(200);
    expect(await bodyOf(ada.ask('/'))).toBeNull();
  });

  it.each<[Record<string, string>]>([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://other.app.example' }],
  ])('not because a page of another site posts the form: %o', async (headers) => {
    expect((await ada.ask('/sign-out', { method: 'POST', headers })).status).toBe(403);
    expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    expect((await ada.ask('/sign-out')).status).toBe(404);
  });

  it.each(PARSERS)('by the provider, behind %s', async (_what, before) => {
    const behind = await start({ before });
    const eve = new Browser(behind);
    await eve.signIn('eve');
    const body = new URLSearchParams({ logout_token: provider.logoutToken({ sub: 'eve' }) });
    expect((await fetch(`${behind.url}/back-channel-logout`, { method: 'POST', body })).status).toBe(200);
    expect(await bodyOf(eve.ask('/'))).toBeNull();
  });

  it.each([{ sub: 'ada' }, { sid: 'session-1' }])('by the provider, with %o', async (claims) => {
    const body = new URLSearchParams({ logout_token: provider.logoutToken(claims) });
    const answer = await fetch(`${app.url}/back-channel-logout`, { method: 'POST', body });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect((await ada.ask('/files')).status).toBe(303);
    expect(await bodyOf(ada.ask('/'))).toBeNull();
    const again = await fetch(`${app.url}/back-channel-logout`, { method: 'POST', body });
    expect(again.status).toBe(400);
  });

  describe('an invalid form of a logout token is refused, and nobody is signed out:', () => {
    const FORM = 'application/x-www-form-urlencoded';
    const post = (body: BodyInit, type = FORM): Promise<Response> =>
      fetch(`${app.url}/back-channel-logout`, { method: 'POST', body, headers: { 'content-type': type } });

    afterEach(async () => {
      expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    });

    it.each<[string, (token: string) => string, string?]>([
      ['empty', () => ''],
      ['no token', () => 'logout_token=x'],
      ['the token twice', (token) => `logout_token=${token}&logout_token=${token}`],
      ['another token first', (token) => `logout_token=x&logout_token=${token}`],
      ['over 32 kB', (token) => `logout_token=${token}&padding=${'x'.repeat(40_000)}`],
      ['as JSON', (logout_token) => JSON.stringify({ logout_token }), 'application/json'],
      ['as text', (token) => `logout_token=${token}`, 'text/plain'],
      ['as a page would post it', (token) => `logout_token=${token}`, 'multipart/form-data; boundary=x'],
      ['without a type', (token) => `logout_token=${token}`, ''],
    ])('%s', async (_what, body, type) => {
      expect((await post(body(provider.logoutToken({ sub: 'ada' })), type)).status).toBe(400);
    });

    it.each(PARSERS)('the token twice, or as JSON, behind %s', async (_what, before) => {
      app = await start({ before });
      ada = new Browser(app);
      await ada.signIn('ada');
      const token = provider.logoutToken({ sub: 'ada' });
      expect((await post(`logout_token=${token}&logout_token=${token}`)).status).toBe(400);
      expect((await post(JSON.stringify({ logout_token: token }), 'application/json')).status).toBe(400);
    });

    it('endless', async () => {
      const headers = { 'content-type': FORM, 'transfer-encoding': 'chunked' };
      const request = send(`${app.url}/back-channel-logout`, { method: 'POST', headers, agent: false });
      request.on('error', () => undefined); // The server closes the connection while we write.
      const answered = once(request, 'response') as Promise<[IncomingMessage]>;
      const closed = new Promise((resolve) => request.on('close', resolve));
      request.write(`logout_token=${'x'.repeat(40_000)}`);
      const [answer] = await answered;
      expect([answer.statusCode, answer.headers.connection]).toEqual([400, 'close']);
      answer.resume();
      await closed;
    });
  });
});

describe('a provider that does not respond with JSON', () => {
  const secret = 'access_token=a-secret-in-the-page';
  const answers = [
    { what: 'an error page of a proxy', status: 502, text: `<html>Bad gateway ${secret}</html>` },
    { what: 'a page with status 200', status: 200, text: `<html>Please wait ${secret}</html>` },
    { what: 'nothing', status: 200, text: '' },
    { what: 'JSON that was cut off', status: 200, text: `{"access_token":"${secret}` },
    { what: 'a list', status: 200, text: `["${secret}"]` },
    { what: 'null', status: 200, text: 'null' },
    { what: 'a string', status: 400, text: `"${secret}"` },
    { what: 'a form, as some did before OAuth 2.0', status: 200, text: `${secret}&expires=3600` },
  ];
  const PLACES = {
    discovery: '/.well-known/openid-configuration',
    'token endpoint': '/token',
    'key set': '/jwks',
  };
  const table = Object.entries(PLACES).flatMap(([place, path]) =>
    answers.map((answer) => ({ ...answer, place, path })),
  );

  let app: App;
  beforeEach(async () => {
    resetProvider();
    app = await start();
  });
  afterEach(() => {
    provider.raw = undefined;
  });

  const expectUnreachable = (): void => {
    const error = app.errors.at(-1) as Error & { code: string; status: number };
    expect(error).toMatchObject({ code: 'provider_unreachable', status: 502 });
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      expect(`${cause.message} ${cause.stack ?? ''}`).not.toContain('a-secret');
  };

  it.each(table)(
    '$place: $what: nobody is signed in, and the next try succeeds',
    async ({ path, status, text }) => {
      const ada = new Browser(app);
      const raw = (asked: string) => (asked === path ? { status, text } : undefined);
      if (path === PLACES.discovery) {
        provider.raw = raw;
        expect((await ada.ask('/sign-in')).status).toBe(502);
      } else {
        const back = await ada.begin('/sign-in', 'ada');
        provider.raw = raw;
        expect(await ada.finish(back)).toBe('502 provider_unreachable');
      }
      expectUnreachable();
      provider.raw = undefined;
      expect(await bodyOf(ada.ask('/'))).toBeNull();
      expect(await ada.signIn('ada')).toBe('/');
      expect(await bodyOf(ada.ask('/me'))).toBe('ada');
    },
  );

  it.each(answers)(
    '$what instead of a refresh: the user stays signed in, with the refresh token',
    async (answer) => {
      const ada = new Browser(app);
      await ada.signIn('ada', '/files');
      provider.raw = (path) => (path === '/token' ? answer : undefined);
      expect((await ada.ask('/mail')).status).toBe(502);
      expectUnreachable();
      expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/);
      provider.raw = undefined;
      expect(await bodyOf(ada.ask('/mail'))).toMatch(/^access/);
    },
  );

  it.each(answers)(
    '$what as keys of a logout token: refused, and the provider may send it again',
    async (answer) => {
      const ada = new Browser(app);
      await ada.signIn('ada');
      const other = await start(); // has not fetched the provider's keys
      const body = new URLSearchParams({ logout_token: provider.logoutToken({ sub: 'ada' }) });
      const post = async (): Promise<number> =>
        (await fetch(`${other.url}/back-channel-logout`, { method: 'POST', body })).status;
      provider.raw = (path) => (path === '/jwks' ? answer : undefined);
      expect(await post()).toBeGreaterThanOrEqual(400);
      provider.raw = undefined;
      expect(await post()).toBe(200);
    },
  );
});

describe('metadata of the provider that is older than a day', () => {
  const DISCOVERY = '/.well-known/openid-configuration';
  let seconds = 0;
  let app: App;
  let ada: Browser;
  beforeEach(async () => {
    resetProvider();
    seconds = 0;
    provider.claims = { exp: 1e11 };
    app = await start({ now: () => Date.now() / 1000 + seconds, cookie: { maxAge: 1e9 } });
    ada = new Browser(app);
    await ada.signIn('ada', '/files');
    seconds = 90_000;
  });
  afterEach(() => {
    provider.raw = undefined;
    resetProvider();
  });

  it.each([503, 200])('is used where newer can’t be fetched (status %i)', async (status) => {
    let asked = 0;
    provider.raw = (path) => {
      if (path !== DISCOVERY) return undefined;
      asked += 1;
      return { status, text: '<html>Please wait</html>' };
    };
    expect(await bodyOf(ada.ask('/files'))).toMatch(/^access/); // A refresh.
    expect(await ada.signIn('ada', '/sign-in')).toBe('/');
    const answer = await ada.ask('/sign-out', { method: 'POST' });
    expect(answer.headers.get('location')).toContain(`${provider.issuer}/end`);
    expect(asked).toBe(1);
    seconds += 61;
    await ada.ask('/sign-in');
    await vi.waitFor(() => expect(asked).toBe(2), 20_000);
  });

  it('is replaced, also where logout tokens are verified', async () => {
    const keys = await (await fetch(`${provider.issuer}/jwks`)).text();
    const post = async (): Promise<number> => {
      seconds += 31; // Keys are fetched twice a minute at most.
      const claims = { sub: 'ada', iat: Date.now() / 1000 + seconds, exp: Date.now() / 1000 + seconds + 60 };
      const body = new URLSearchParams({ logout_token: provider.logoutToken(claims) });
      return (await fetch(`${app.url}/back-channel-logout`, { method: 'POST', body })).status;
    };
    provider.metadata = { jwks_uri: `${provider.issuer}/old-keys` };
    provider.raw = (path) => (path === '/old-keys' ? { status: 200, text: '{"keys":[]}' } : undefined);
    app = await start({ now: () => Date.now() / 1000 + seconds });
    expect(await post()).toBe(400);
    provider.metadata = { jwks_uri: `${provider.issuer}/new-keys` };
    provider.raw = (path) => (path === '/new-keys' ? { status: 200, text: keys } : undefined);
    seconds += 90_000;
    await vi.waitFor(async () => expect(await post()).toBe(200), 20_000);
  });
});

describe('a call that never returns', () => {
  let stuck = '';
  const never = new Promise<never>(() => undefined);
  /** A `fetch` of an app that does not pass the signal on. */
  const deaf: typeof fetch = (url, { signal: _, ...init } = {}) =>
    stuck !== '' && typeof url === 'string' && url.endsWith(stuck) ? never : fetch(url, init);
  const clientAssertion = async () => (stuck === 'assertion' ? never : 'a signed JWT');
  /** From now on, each limit is 2 s, so that the test need not wait for 10 s. */
  const shorten = (): void => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(2000));
  };

  beforeEach(resetProvider);
  afterEach(() => {
    stuck = '';
    provider.raw = undefined;
    vi.restoreAllMocks();
  });

  it.each([
    ['the token endpoint, by a fetch that ignores its signal', '/token', { fetch: deaf }],
    ['the keys, by a fetch that ignores its signal', '/jwks', { fetch: deaf }],
    ['the function clientAssertion', 'assertion', { clientSecret: undefined, clientAssertion }],
  ] as const)('does not hold up a sign-in: %s', async (_what, place, settings) => {
    const app = await start(settings as never);
    const ada = new Browser(app);
    const back = await ada.begin('/me', 'ada');
    stuck = place;
    shorten();
    expect(await ada.finish(back)).toBe('502 provider_unreachable');
    stuck = '';
    vi.restoreAllMocks();
    expect(await ada.signIn('ada', '/me')).toBe('/me');
  });

  it.each([
    ['the revocation endpoint, by a fetch that ignores its signal', '/revoke', { fetch: deaf }],
    ['the function clientAssertion', 'assertion', { clientSecret: undefined, clientAssertion }],
  ] as const)('does not hold up a sign-out: %s', async (_what, place, settings) => {
    const told: WebSignOut[] = [];
    const app = await start({ ...settings, onSignOut: (one: WebSignOut) => told.push(one) } as never);
    const ada = new Browser(app);
    await ada.signIn('ada', '/me');
    stuck = place;
    shorten();
    expect((await ada.ask('/sign-out', { method: 'POST' })).status).toBe(303);
    expect(told).toMatchObject([{ revocation: 'failed', notRevoked: 1 }]);
    expect(await (await ada.ask('/')).json()).toBe(null);
  });

  it('signs out here first: the session has ended while the provider is still being asked', async () => {
    const app = await start({ fetch: deaf });
    const ada = new Browser(app);
    await ada.signIn('ada', '/me');
    const copy = new Browser(app);
    for (const [name, value] of ada.cookies) copy.cookies.set(name, value);
    stuck = '/revoke';
    const limit = new AbortController();
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit.signal);
    const answered = ada.ask('/sign-out', { method: 'POST' });
    const { sessions } = app.sessions as unknown as { sessions: object };
    await vi.waitFor(() => expect(Object.keys(sessions)).toEqual([]), 20_000);
    expect(await (await copy.ask('/')).json()).toBe(null);
    limit.abort(new DOMException('Too late.', 'TimeoutError'));
    expect((await answered).status).toBe(303);
  });

  it('does not hold up a sign-out on a server that does not know the provider yet', async () => {
    const [sessions, caches] = [new session.MemoryStore(), inMemory()];
    const ada = new Browser(await start({ sessions, caches }));
    await ada.signIn('ada', '/me');
    stuck = '/openid-configuration';
    const limits: number[] = [];
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
      limits.push(milliseconds);
      return timeout(milliseconds);
    });
    const told: WebSignOut[] = [];
    const onSignOut = (one: WebSignOut) => told.push(one);
    const other = await start({ sessions, caches, onSignOut, fetch: deaf });
    const there = new Browser(other);
    for (const [name, value] of ada.cookies) there.cookies.set(name, value);
    // The request for the metadata may last for 10 s, but the browser does not wait for it.
    const begin = performance.now();
    const answer = await there.ask('/sign-out', { method: 'POST' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(limits).toContain(10_000);
    expect(performance.now() - begin).toBeLessThan(8000);
    expect(told).toMatchObject([{ revocation: 'failed', notRevoked: 1 }]);
    expect(await (await there.ask('/')).json()).toBe(null);
  });

  it('an answer without an end is not read into memory', async () => {
    const ada = new Browser(await start());
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] };
    const text = JSON.stringify({ keys, more: 'x'.repeat(5 * 1024 * 1024) });
    const back = await ada.begin('/me', 'ada');
    provider.raw = (path) => (path === '/jwks' ? { status: 200, text } : undefined);
    expect(await ada.finish(back)).toBe('502 provider_unreachable');
  });
});

describe('options', () => {
  const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' });
  const good = {
    caches,
    issuer: 'https://id.example',
    clientId: 'a',
    redirectUri: 'https://app.example/callback',
  };
  it.each<[string, object]>([
    ['caches', { caches: {} }],
    ['issuer', { issuer: 'http://id.example' }],
    ['issuer', { issuer: undefined }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: '' }],
    ['clientAssertion', { clientSecret: 'x', clientAssertion: () => 'y' }],
    ['redirectUri', { redirectUri: 'http://app.example/callback' }],
    ['redirectUri', { redirectUri: '/callback' }],
    ['parameters', { parameters: { STATE: 'x' } }],
    ['basePath', { basePath: 'app/' }],
    ['secret', { secret: 'misspelt' }],
  ])('%s: %o is refused by name', (field, changed) => {
    expect(() => webSignIn({ ...good, ...changed })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field }),
    );
  });

  it('an app without sessions gets an error that says so', async () => {
    const app = express();
    app.use(webSignIn({ ...good, issuer: provider.issuer }).routes);
    app.use(
      ((error, _req, res, _next) =>
        void res.status(500).json(error.message)) satisfies express.ErrorRequestHandler,
    );
    const server = app.listen(0, '127.0.0.1');
    running.push(server);
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sign-in`);
    expect(await answer.json()).toContain('app.use(session(');
  });
});
