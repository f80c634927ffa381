/** Wrong options are refused when they are passed, by name: later, they would pass for an outage, or for a session that has ended. */
import { inspect } from 'node:util';
import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, expect, it } from 'vitest';
import { webSignIn } from '../../src-main/express/index.ts';
import { layered, logoutTokens, memoryStore, perRequest } from '../../src-main/partitions/index.ts';
import {
  migratePartitions,
  postgresInvalidation,
  postgresStore,
  removeExpired,
} from '../../src-main/partitions/stores/postgres-store.ts';
import { redisInvalidation, redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import {
  carryOver,
  sessionStore,
  type SessionStoreOptions,
} from '../../src-main/partitions/stores/session-store.ts';
import { sqliteStore } from '../../src-main/partitions/stores/sqlite-store.ts';
import { caches, namesIn, signIn } from './people.ts';

const client = createClient();
const pool = new pg.Pool();
afterAll(() => pool.end());

const isText = (value: unknown): boolean => typeof value === 'string';
const isName = (value: unknown): boolean => isText(value) && value !== '';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isPlain = (value: unknown): boolean => Object.prototype.toString.call(value) === '[object Object]';
const none = (): boolean => false;

const session = {};
const web = {
  caches: caches(),
  issuer: 'https://id.example',
  clientId: 'a',
  redirectUri: 'https://app.example/callback',
};
const logout = { issuer: 'https://id.example', clientId: 'a', keys: { keys: [] } };
const ask = () => Promise.reject(new Error('The provider was asked.'));
const forApp = { client_id: 'a', realm: 'r', scopes: 's' };
const onBehalf = { client_id: 'a', assertion: 'b', scopes: 's' };

type Call = (options: never, ask: never) => unknown;
/** The function, what else it is passed, its options with the values that they may take, and whether one has to be passed. */
const CALLS: [string, Call, object, Record<string, (value: unknown) => boolean>][] = [
  [
    'partitionedCaches',
    caches,
    {},
    {
      ...{ store: none, sealingKeys: none, sealWith: none, acceptPlainText: isFlag, ttl: isNumber },
      ...{ timeout: isNumber, turnTimeout: isNumber, turnLimit: isNumber, lease: isNumber },
      ...{ openCaches: isNumber, userIndex: isFlag, importFrom: none, now: isFunction },
    },
  ],
  [
    'sessionStore',
    (options) => sessionStore(() => session, options),
    {},
    { field: isName, cookie: isPlain, response: none, isAlive: isFunction, now: isFunction },
  ],
  [
    'cookie of sessionStore',
    (cookie) => sessionStore(() => session, { cookie }),
    {},
    { size: isFunction, maxBytes: isNumber },
  ],
  [
    'carryOver',
    (options) => carryOver({}, () => session, options),
    {},
    { field: isName, cookie: isPlain, response: none, isAlive: isFunction, now: isFunction },
  ],
  ['memoryStore', memoryStore, {}, { maxEntries: isNumber, maxBytes: isNumber, now: isFunction }],
  [
    'layered',
    layered,
    { store: memoryStore(), staleness: 5 },
    { store: none, staleness: isNumber, invalidation: none, maxEntries: isNumber, maxBytes: isNumber },
  ],
  ['redisStore', redisStore, { client }, { client: none, prefix: isText }],
  ['redisInvalidation', redisInvalidation, { client }, { client: none, channel: isName }],
  ['postgresStore', postgresStore, { pool }, { pool: none, table: isName }],
  ['postgresInvalidation', postgresInvalidation, { pool }, { pool: none, channel: isName }],
  ['migratePartitions', (options) => migratePartitions(pool, options), {}, { table: isName }],
  ['removeExpired', (options) => removeExpired(pool, options), {}, { table: isName, batch: isNumber }],
  ['sqliteStore', sqliteStore, {}, { file: isName, database: none, table: isName, now: isFunction }],
  ['perRequest', perRequest, {}, { client: isFunction }],
  [
    'logoutTokens',
    logoutTokens,
    logout,
    {
      ...{ issuer: isName, clientId: isName, keys: isFunction, clockTolerance: isNumber },
      ...{ caches: none, now: isFunction },
    },
  ],
  [
    'webSignIn',
    webSignIn,
    web,
    {
      ...{ caches: isFunction, issuer: none, clientId: isName, clientSecret: isName },
      ...{ clientAssertion: isFunction, redirectUri: none, scopes: Array.isArray, parameters: isPlain },
      ...{ paths: isPlain, basePath: isText, carryOver: isFunction, onSignOut: isFunction },
      ...{ fetch: isFunction, now: isFunction },
    },
  ],
  [
    'paths of webSignIn',
    (paths) => webSignIn({ ...web, paths }),
    {},
    { signIn: none, signOut: none, backChannelLogout: none },
  ],
  [
    'acquireForApp',
    (request, how) => caches().acquireForApp(request, how),
    forApp,
    { client_id: isName, realm: isName, environment: isText, scopes: isName, forceRefresh: isFlag },
  ],
  [
    'acquireOnBehalfOf',
    (request, how) => caches().acquireOnBehalfOf(request, how),
    onBehalf,
    { client_id: isName, assertion: isName, scopes: isName, grant: none, forceRefresh: isFlag },
  ],
];

const VALUES = [null, NaN, -1, '', 'x', true, [], {}, () => undefined, Symbol('x')];

it.each(CALLS)(
  '%s refuses each option of a wrong kind, before it does anything',
  async (_name, call, given, options) => {
    for (const [option, mayBe] of Object.entries(options)) {
      for (const value of VALUES.filter((one) => !mayBe(one))) {
        const outcome = await Promise.resolve()
          .then(() => call({ ...given, [option]: value } as never, ask as never))
          .then(
            () => 'accepted',
            (error: unknown) => Object(error).code ?? String(error),
          );
        expect(`${option}: ${inspect(value)} → ${outcome}`).toMatch(/(invalid_argument|store_client)$/);
      }
    }
  },
);

it('Infinity is no bound', async () => {
  const unbounded = { maxEntries: Infinity, maxBytes: Infinity };
  const memory = memoryStore(unbounded);
  const stores = [
    memory,
    layered({ store: memory, staleness: 5, ...unbounded }),
    sessionStore(() => session, { cookie: { maxBytes: Infinity } }),
  ];
  for (const store of stores) {
    const partition = caches({ store }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(await partition.read(namesIn)).toHaveLength(1);
  }
});

it('carryOver takes the options of the session store', async () => {
  const options: SessionStoreOptions = { field: 'own', cookie: { maxBytes: 9000 }, now: () => 1000 };
  const [before, after] = [{}, {}];
  await caches({ store: sessionStore(() => before, options) })
    .partition('a')
    .update((cache) => signIn(cache, 'noor'));
  await carryOver(before, () => after, options);
  const partition = caches({ store: sessionStore(() => after, options) }).partition('a');
  expect(await partition.read(namesIn)).toHaveLength(1);
});

it('the function of a session store has to return a session', () => {
  for (const session of [undefined, false, 0, '', 'an id', () => undefined])
    expect(() => sessionStore(() => session as never)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
});

it('a session that its request has destroyed has ended, though its function returns undefined', async () => {
  let current: object | undefined = {};
  const partition = caches({ store: sessionStore(() => current) }).partition('a');
  current = undefined;
  await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({
    code: 'session_ended',
  });
});

it('an answer without the endpoint or the body is refused, and nothing is stored', async () => {
  const all = caches();
  for (const answer of [
    undefined,
    null,
    {},
    { response: {} },
    { token_endpoint: 'https://id.example/token' },
  ])
    for (const call of [
      all.acquireForApp({ client_id: 'a', realm: 'r', scopes: 's' }, () => Promise.resolve(answer as never)),
      all.acquireOnBehalfOf({ client_id: 'a', assertion: 'b', scopes: 's' }, () =>
        Promise.resolve(answer as never),
      ),
    ])
      await expect(call).rejects.toMatchObject({ code: 'invalid_argument' });
});

it.each([
  ['redirectUri', { basePath: '/app' }],
  [
    'paths',
    { basePath: '/app', redirectUri: 'https://app.example/app/callback', paths: { signIn: '/sign-in' } },
  ],
  ['paths', { paths: { signIn: '/callback' } }],
  ['paths', { paths: { signOut: '/out', backChannelLogout: '/out' } }],
  ['paths', { paths: { signOut: '/back-channel-logout' } }],
  ['paths', { redirectUri: 'https://app.example/sign-in' }],
])('webSignIn refuses paths that no request reaches: %s in %o', (field, paths) => {
  expect(() => webSignIn({ ...web, ...paths })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', field }),
  );
});

it.each(['sign-out', '/sign-out?now', '/sign out', '/a/../sign-out', '/sign-out#top'])(
  'webSignIn refuses the path %s, as which no request arrives',
  (signOut) => {
    expect(() => webSignIn({ ...web, paths: { signOut } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'signOut' }),
    );
  },
);
