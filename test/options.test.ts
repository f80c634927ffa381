/** Every public function that takes options refuses a name that is none of them, and says which. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookup } from '../src-main/cache/acquire.ts';
import * as cacheRoom from '../src-main/cache/index.ts';
import { examine } from '../src-main/doctor/index.ts';
import { InvalidArgumentError } from '../src-main/errors.ts';
import { keychainConformance } from '../src-main/keychain/conformance.ts';
import * as keychains from '../src-main/keychain/index.ts';
import { webSignIn } from '../src-main/express/index.ts';
import { acquireToken, msalCachePlugin } from '../src-main/msal/index.ts';
import { partitionStoreConformance } from '../src-main/partitions/conformance/conformance.ts';
import { mcpOAuthProvider } from '../src-main/oauth/mcp/index.ts';
import { openGrants } from '../src-main/oauth/index.ts';
import * as partitions from '../src-main/partitions/index.ts';
import * as postgres from '../src-main/partitions/stores/postgres-store.ts';
import * as sqlite from '../src-main/partitions/stores/sqlite-store.ts';
import * as redis from '../src-main/partitions/stores/redis-store.ts';
import { sessionStore } from '../src-main/partitions/stores/session-store.ts';
import { findSources } from '../src-main/sources/index.ts';
import { testClock, testKeychain, testVault, tokenResponse } from '../src-main/testing/index.ts';
import { openVault } from '../src-main/vault/index.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const { TokenCache, SerializableTokenCache, inMemory, acquireTokenSilent } = cacheRoom;
const folder = temporaryFolder();
const file = join(folder, 'a.vault');
const keychain = keychains.memoryKeychain();
const grantsOf = { issuer: 'https://id.example', client_id: 'my-app' };
const never = (): never => {
  throw new Error('It was called.');
};
const account = { homeAccountId: 'a', environment: 'login.example' };
const request = { client_id: 'c', home_account_id: 'a', environment: 'login.example', scopes: ['s'] };
const caches = (): partitions.PartitionedCaches =>
  partitions.partitionedCaches({ store: partitions.memoryStore(), sealingKeys: 'plain-text' });
const vault = openVault({ file, keychain });

/** What each takes, misspelt in one name. */
const misspelt: Readonly<Record<string, (wrong: object) => unknown>> = {
  TokenCache: (wrong) => new TokenCache(wrong),
  SerializableTokenCache: (wrong) => new SerializableTokenCache(wrong),
  serialize: (wrong) => new SerializableTokenCache().serialize(wrong),
  find: (wrong) => new TokenCache().find('AccessToken', wrong),
  search: (wrong) => [...new TokenCache().search('AccessToken', wrong)],
  accounts: (wrong) => new TokenCache().accounts(wrong),
  signOut: (wrong) => new TokenCache().signOut('a', wrong),
  removeAppTokens: (wrong) => new TokenCache().removeAppTokens(wrong),
  removalCount: (wrong) => cacheRoom.removalCount(new TokenCache(), 'a', wrong),
  appRemovalCount: (wrong) => cacheRoom.appRemovalCount(new TokenCache(), wrong),
  'inMemory().read': (wrong) => inMemory(new TokenCache()).read(never, wrong),
  'inMemory().update': (wrong) => inMemory(new TokenCache()).update(never, wrong),
  acquireTokenSilent: (wrong) =>
    acquireTokenSilent(inMemory(new TokenCache()), { ...request, ...wrong }, never, () => 0),
  'acquireTokenSilent, options': (wrong) =>
    acquireTokenSilent(inMemory(new TokenCache()), request, never, () => 0, wrong),
  'acquireToken, options': (wrong) =>
    acquireToken(inMemory(new TokenCache()), never, 'c', { account, scopes: ['s'] }, wrong),
  openGrants: (wrong) => openGrants(inMemory(new TokenCache()), { ...grantsOf, ...wrong }),
  'grants.add': (wrong) => openGrants(inMemory(new TokenCache()), grantsOf).add('work', {}, wrong),
  'grants.fresh': (wrong) => openGrants(inMemory(new TokenCache()), grantsOf).fresh('work', never, wrong),
  mcpOAuthProvider: (wrong) =>
    mcpOAuthProvider(inMemory(new TokenCache()), {
      server: 'https://mcp.example',
      clientMetadata: { redirect_uris: [] },
      redirect: never,
      ...wrong,
    }),
  examine: (wrong) => examine(new TokenCache(), wrong),
  openVault: (wrong) => openVault({ file, keychain, ...wrong }),
  'vault.read': async (wrong) => (await vault).read(never, wrong),
  'vault.update': async (wrong) => (await vault).update(never, wrong),
  'vault.exclusively': async (wrong) => (await vault).exclusively('n', never, wrong),
  'vault.retry': async (wrong) => (await vault).retry(wrong),
  'vault.signOut': async (wrong) => (await vault).signOut('a', wrong),
  'vault.erase': async (wrong) => (await vault).erase(never, wrong),
  'vault.rotateKey': async (wrong) => (await vault).rotateKey(wrong),
  'vault.compact': async (wrong) => (await vault).compact(wrong),
  'vault.verify': async (wrong) => (await vault).verify(undefined, wrong),
  'vault.exportTo': async (wrong) => (await vault).exportTo(join(folder, 'e'), 'a long passphrase', wrong),
  'vault.importFrom': async (wrong) => (await vault).importFrom(join(folder, 'e'), undefined, wrong),
  systemKeychain: (wrong) => keychains.systemKeychain(wrong),
  keyFile: (wrong) => keychains.keyFile(join(folder, 'key'), wrong),
  environmentKey: (wrong) => keychains.environmentKey('KEY', { items: folder, ...wrong }),
  passphrase: (wrong) => keychains.passphrase('p', { items: folder, ...wrong }),
  safeStorage: (wrong) => keychains.safeStorage({} as never, { items: folder, ...wrong }),
  firstOf: (wrong) => keychains.firstOf([keychain], { remember: join(folder, 'r'), ...wrong }),
  keychainConformance: (wrong) => keychainConformance({ open: never, ...wrong }),
  partitionedCaches: (wrong) =>
    partitions.partitionedCaches({
      store: partitions.memoryStore(),
      sealingKeys: 'plain-text',
      ...wrong,
    }),
  partition: (wrong) => caches().partition('id', wrong),
  appPartition: (wrong) => caches().appPartition({ client_id: 'c', realm: 'r', ...wrong }),
  'partition.read': (wrong) => caches().partition('id').read(never, wrong),
  'partition.update': (wrong) => caches().partition('id').update(never, wrong),
  'partition.exclusively': (wrong) => caches().partition('id').exclusively('n', never, wrong),
  reseal: (wrong) => caches().reseal(wrong),
  memoryStore: (wrong) => partitions.memoryStore(wrong),
  layered: (wrong) => partitions.layered({ store: partitions.memoryStore(), staleness: 1, ...wrong }),
  perRequest: (wrong) => partitions.perRequest({ client: never, ...wrong }),
  logoutTokens: (wrong) =>
    partitions.logoutTokens({ issuer: 'https://i.example', clientId: 'c', keys: never, ...wrong }),
  redisStore: (wrong) => redis.redisStore({ client: {} as never, ...wrong }),
  redisInvalidation: (wrong) => redis.redisInvalidation({ client: {} as never, ...wrong }),
  sqliteStore: (wrong) =>
    sqlite.sqliteStore({ database: { exec: never, prepare: never } as never, ...wrong }),
  postgresStore: (wrong) => postgres.postgresStore({ pool: {} as never, ...wrong }),
  postgresInvalidation: (wrong) => postgres.postgresInvalidation({ pool: {} as never, ...wrong }),
  migratePartitions: (wrong) => postgres.migratePartitions({} as never, wrong),
  removeExpired: (wrong) => postgres.removeExpired({} as never, wrong),
  sessionStore: (wrong) => sessionStore({}, wrong),
  'sessionStore, cookie': (wrong) => sessionStore({}, { cookie: wrong }),
  partitionStoreConformance: (wrong) => partitionStoreConformance({ open: never, ...wrong }),
  findSources: (wrong) => findSources(wrong),
};

it.each(Object.entries(misspelt))('%s', async (_name, call) => {
  const wrong = { misspelt: undefined };
  const outcome = await Promise.resolve()
    .then(() => call(wrong))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(outcome).toBeInstanceOf(InvalidArgumentError);
  expect(outcome).toMatchObject({ field: 'misspelt' });
  expect((outcome as Error).message).toMatch(/no option `misspelt`.*Known options: `/);
});

const signInWith = (wrong: object): unknown =>
  webSignIn({
    caches: caches(),
    issuer: 'https://id.example',
    clientId: 'c',
    redirectUri: 'https://app.example/back',
    ...wrong,
  });

/** Values of no use to any of these: by the option, or by the argument's name. */
const wrongKinds: Readonly<Record<string, [field: string, call: (wrong: never) => unknown]>> = {
  'openVault, keychain': ['keychain', (wrong) => openVault({ file, keychain: wrong })],
  'firstOf, keychains': ['keychains', (wrong) => keychains.firstOf(wrong, { remember: file })],
  'firstOf, one of them': ['keychains', (wrong) => keychains.firstOf([wrong], { remember: file })],
  'systemKeychain, load': ['load', (wrong) => keychains.systemKeychain({ load: wrong })],
  'systemKeychain, deadline': ['deadline', (wrong) => keychains.systemKeychain({ deadline: wrong })],
  'keychainConformance, open': ['open', (wrong) => keychainConformance({ open: wrong })],
  'keychainConformance, locked': ['locked', (wrong) => keychainConformance({ open: never, locked: wrong })],
  'vault.on, event': ['event', async (wrong) => (await vault).on(wrong, never)],
  'vault.on, listener': ['listener', async (wrong) => (await vault).on('change', wrong)],
  inMemory: ['cache', (wrong) => inMemory(wrong)],
  msalCachePlugin: ['handle', (wrong) => msalCachePlugin(wrong)],
  'testVault, state': ['state', (wrong) => testVault({ state: wrong })],
  'testVault, users': ['users', (wrong) => testVault({ users: wrong })],
  'testVault, clock': ['clock', (wrong) => testVault({ clock: wrong })],
  'testKeychain, mode': ['mode', (wrong) => Object.assign(testKeychain(), { mode: wrong })],
  'testClock, start': ['start', (wrong) => testClock(wrong)],
  'testClock, advance': ['seconds', (wrong) => testClock().advance(wrong)],
  'tokenResponse, issuer': ['issuer', (wrong) => tokenResponse({ issuer: wrong })],
  'tokenResponse, scope': ['scope', (wrong) => tokenResponse({ scope: wrong })],
  'tokenResponse, expires_in': ['expires_in', (wrong) => tokenResponse({ expires_in: wrong })],
  'webSignIn, caches': ['caches', (wrong) => signInWith({ caches: wrong })],
  'webSignIn, clientId': ['clientId', (wrong) => signInWith({ clientId: wrong })],
  'webSignIn, clientSecret': ['clientSecret', (wrong) => signInWith({ clientSecret: wrong })],
  'webSignIn, scopes': ['scopes', (wrong) => signInWith({ scopes: wrong })],
  'webSignIn, parameters': ['parameters', (wrong) => signInWith({ parameters: wrong })],
  'webSignIn, fetch': ['fetch', (wrong) => signInWith({ fetch: wrong })],
  'webSignIn, now': ['now', (wrong) => signInWith({ now: wrong })],
  'webSignIn, onSignOut': ['onSignOut', (wrong) => signInWith({ onSignOut: wrong })],
};

describe.each(Object.entries(wrongKinds))('%s', (_name, [field, call]) => {
  it.each([true, '', { a: 1 }, [1], null])(
    '%j is refused, and the message names what it is for',
    async (wrong) => {
      const outcome = await Promise.resolve()
        .then(() => call(wrong as never))
        .catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(InvalidArgumentError);
      expect(outcome).toMatchObject({ field });
    },
  );
});

it('a misspelt path of webSignIn is refused', () => {
  expect(() => signInWith({ paths: { signin: '/in' } })).toThrow(/no option `signin`/);
});

it('what is no object is refused, and what is missing is named', async () => {
  expect(() => new TokenCache('now' as never)).toThrow(/must be an object/);
  await expect(openVault(undefined as never)).rejects.toMatchObject({ field: 'file' });
  await expect(openVault({ file: 'relative' })).rejects.toMatchObject({ field: 'file' });
  expect(() => keychains.firstOf([keychain], undefined as never)).toThrow(/`remember`/);
});

it('an account as `accounts()` gives it may be spread into a request', async () => {
  const cache = new TokenCache();
  const [summary] = [
    { ...request, username: 'u', name: 'n', local_account_id: '', authority_type: '', tenants: [] },
  ];
  expect(lookup(cache, summary, 0).refreshTokens).toEqual([]);
  await expect(acquireTokenSilent(inMemory(cache), summary, never, () => 0)).rejects.toMatchObject({
    code: 'sign_in_required',
  });
});
