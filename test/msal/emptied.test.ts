/**
 * From major 3, MSAL empties its memory before each silent request. With the plugin it need not: only MSAL's own work grows with the cache,
 * nobody finds the memory empty, and nothing is lost. Tested with the real `@azure/msal-node` of each major.
 */
import { describe, expect, it } from 'vitest';
import { type CacheHandle, inMemory, TokenCache } from '../../src-main/index.ts';
import {
  type CachePlugin,
  msalCachePlugin,
  type SerializableTokenCache,
  type TokenCacheContext,
} from '../../src-main/msal/index.ts';
import { APPS, entra, homeAccountId, PEOPLE, type Person, PROVIDERS } from '../vectors/make/stage.mjs';
import { application, MAJORS, now, SCOPES } from './applications.ts';

const { avery, quinn } = PEOPLE;
const { token_endpoint } = PROVIDERS['contoso']!.openid;

/** Another user of avery's tenant. */
function somebody(number: number): Person {
  const oid = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const person = { ...avery, oid, sub: oid, username: `user${number}@contoso.example` };
  return person;
}

function signedIn(count: number): TokenCache {
  const cache = new TokenCache();
  for (let number = 1; number <= count; number += 1) {
    const response = entra(somebody(number), APPS.desk, now());
    cache.add({ client_id: APPS.desk.client_id, scope: SCOPES, token_endpoint, response });
  }
  return cache;
}

type App = ReturnType<typeof application>;

/** MSAL's storage, which is missing from its types although it does the work. */
function storageOf(app: App): Record<string, (...args: unknown[]) => unknown> {
  return Reflect.get(app.client.getTokenCache(), 'storage') as ReturnType<typeof storageOf>;
}

function entitiesIn(app: App): number {
  const entries = Object.values(app.client.getTokenCache().getKVStore());
  return entries.filter((entry) => typeof entry === 'object' && 'environment' in entry).length;
}

/** Counts the calls that change MSAL's storage while `run` runs. */
async function changesDuring(app: App, run: () => Promise<unknown>): Promise<number> {
  let changes = 0;
  const storage = storageOf(app);
  for (const name of ['setCache', 'setItem', 'removeItem', 'emitChange']) {
    const own = storage[name]!.bind(storage);
    storage[name] = (...args) => {
      changes += 1;
      return own(...args);
    };
  }
  await run();
  return changes;
}

describe.each(MAJORS)('MSAL Node %i, which would empty its memory', (major) => {
  async function hit(app: App, number: number) {
    const person = somebody(number);
    const account = {
      homeAccountId: homeAccountId(person),
      environment: 'login.windows.net',
      tenantId: homeAccountId(person).split('.')[1]!,
      username: person.username,
      localAccountId: homeAccountId(person).split('.')[0]!,
    };
    const result = await app.client.acquireTokenSilent({ account, scopes: SCOPES });
    expect(result.fromCache).toBe(true);
  }

  it('a token from the cache changes its memory as often with 60 accounts as with 3', async () => {
    const [few, many] = [3, 60].map((count) =>
      application(major, msalCachePlugin(inMemory(signedIn(count)))),
    );
    await few!.usernames();
    await many!.usernames();
    await hit(few!, 2); // the first one fetches the authority's metadata
    await hit(many!, 2);
    const changes = await changesDuring(many!, () => hit(many!, 2));
    expect(changes).toBe(await changesDuring(few!, () => hit(few!, 2)));
  });

  it('nobody finds its memory empty while another one gets a token', async () => {
    const kept = inMemory(signedIn(2));
    const found: number[] = [];
    const handle: CacheHandle = {
      ...kept,
      read: async (fn) => {
        for (let turn = 0; turn < 5; turn += 1) {
          await Promise.resolve();
          found.push(entitiesIn(app));
        }
        return kept.read(fn);
      },
    };
    const app = application(major, msalCachePlugin(handle));
    await app.usernames();
    found.length = 0;
    await Promise.all([hit(app, 1), hit(app, 2), app.usernames(), hit(app, 1)]);
    expect(new Set(found)).toEqual(new Set([entitiesIn(app)]));
    expect(entitiesIn(app)).toBe(9); // four for each user, and the app's
  });

  it('clearCache empties its memory until the next call, and signs nobody out', async () => {
    const cache = signedIn(2);
    const app = application(major, msalCachePlugin(inMemory(cache)));
    await hit(app, 1).catch(() => app.usernames()); // Major 2 has not read the cache yet.
    expect(entitiesIn(app)).toBe(9); // four for each user, and the app's
    app.client.clearCache();
    app.client.clearCache();
    expect(entitiesIn(app)).toBe(0);
    expect(JSON.parse(app.client.getTokenCache().serialize())).toMatchObject({ RefreshToken: {} });
    expect(await app.usernames()).toHaveLength(2);
    await app.signIn(quinn);
    expect(cache.accounts()).toHaveLength(3);
  });

  it('a sign-in is kept whole, whatever other requests begin meanwhile', async () => {
    const cache = signedIn(1);
    const app = application(major, msalCachePlugin(inMemory(cache)));
    await app.usernames();
    await hit(app, 1);
    const signingIn = app.signIn(quinn);
    const hits: Promise<void>[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      await Promise.resolve();
      hits.push(hit(app, 1));
    }
    const { accessToken } = await signingIn;
    await Promise.all(hits);
    const query = { home_account_id: homeAccountId(quinn) };
    for (const type of ['Account', 'IdToken', 'RefreshToken'] as const)
      expect(cache.find(type, { query })).toHaveLength(1);
    expect(cache.find('AccessToken', { query }).map(({ secret }) => secret === accessToken)).toEqual([true]);
    expect(cache.accounts()).toHaveLength(2);
  });

  it('someone whose sign-in could not be saved is there when it is emptied, and can be removed', async () => {
    const cache = signedIn(1);
    const kept = inMemory(cache);
    const handle: CacheHandle = { ...kept, update: () => Promise.reject(new Error('disk full')) };
    const app = application(major, msalCachePlugin(handle));
    await expect(app.signIn(quinn)).rejects.toThrow('disk full');
    app.client.clearCache();
    expect(await app.usernames()).toEqual([quinn.username, somebody(1).username].sort());
    const accounts = await app.client.getTokenCache().getAllAccounts();
    const account = accounts.find(({ username }) => username === quinn.username)!;
    await app.client.getTokenCache().removeAccount(account);
    expect(await app.usernames()).toEqual([somebody(1).username]);
  });

  it('a plugin that an app has put around this one is asked as before', async () => {
    const own = msalCachePlugin(inMemory(signedIn(1)));
    const asked: string[] = [];
    const app = application(major, {
      beforeCacheAccess: (context) => {
        asked.push('before');
        return own.beforeCacheAccess(context);
      },
      afterCacheAccess: (context) => {
        asked.push('after');
        return own.afterCacheAccess(context);
      },
    });
    await app.usernames();
    await hit(app, 1);
    expect(asked).toEqual(
      Array<string[]>(major === 2 ? 1 : 2)
        .fill(['before', 'after'])
        .flat(),
    );
  });

  it('with nothing but its public API: what it empties comes back, one by one', async () => {
    const cache = signedIn(2);
    const app = application(major, publicOnly(msalCachePlugin(inMemory(cache))));
    await app.usernames();
    await hit(app, 1);
    await hit(app, 2);
    await app.signIn(quinn);
    expect(cache.accounts()).toHaveLength(3);
    cache.signOut(homeAccountId(somebody(1)));
    expect(await app.usernames()).toEqual([quinn.username, somebody(2).username]);
    const accounts = await app.client.getTokenCache().getAllAccounts();
    await app.client.getTokenCache().removeAccount(accounts[0]!);
    expect(cache.accounts()).toHaveLength(1);
  });
});

/** The plugin as it works where MSAL's storage can't be found. */
function publicOnly(plugin: CachePlugin): CachePlugin {
  const caches = new WeakMap<SerializableTokenCache, SerializableTokenCache>();
  const contexts = new WeakMap<TokenCacheContext, TokenCacheContext>();
  const seen = (context: TokenCacheContext): TokenCacheContext => {
    const { tokenCache, cacheHasChanged } = context;
    if (!('getKVStore' in tokenCache) || typeof tokenCache.getKVStore !== 'function')
      throw new Error('No MSAL');
    const cache = caches.get(tokenCache) ?? {
      serialize: () => tokenCache.serialize(),
      deserialize: (text: string) => tokenCache.deserialize(text),
      getKVStore: tokenCache.getKVStore.bind(tokenCache) as () => unknown,
    };
    caches.set(tokenCache, cache);
    const own = contexts.get(context) ?? { tokenCache: cache, cacheHasChanged };
    contexts.set(context, own);
    return own;
  };
  return {
    beforeCacheAccess: (context) => plugin.beforeCacheAccess(seen(context)),
    afterCacheAccess: (context) => plugin.afterCacheAccess(seen(context)),
  };
}
