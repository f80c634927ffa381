/** A refresh token that the provider refused is sent only once, whatever MSAL reports about it and whichever process asks. */
import { createRequire } from 'node:module';
import type * as msal7 from 'msal-node-7';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CacheHandle,
  inMemory,
  SerializableTokenCache,
  SignInRequiredError,
  TokenCache,
  VaultError,
} from '../../src-main/index.ts';
import { acquireToken, type CachePlugin, msalCachePlugin } from '../../src-main/msal/index.ts';
import { APPS, entra, homeAccountId, PEOPLE, type Response } from '../vectors/make/stage.mjs';
import { application, MAJORS, now, SCOPES } from './applications.ts';

const { avery, sam } = PEOPLE;
const { desk } = APPS;
const require = createRequire(import.meta.url);

const refused = (suberror?: string): Response =>
  ({
    error: 'invalid_grant',
    error_description: 'AADSTS70000: refused',
    ...(suberror && { suberror }),
  }) as never;

const silently = (
  handle: CacheHandle,
  app: ReturnType<typeof application>,
  account: msal7.AccountInfo | undefined,
) =>
  acquireToken(handle, app.client, desk.client_id, { account: account!, scopes: SCOPES, forceRefresh: true });

const refreshTokens = (cache: TokenCache): string[] => cache.find('RefreshToken').map(({ secret }) => secret);

afterEach(() => vi.useRealTimers());

describe.each(MAJORS)('MSAL Node %i', (major) => {
  async function signedIn(provider = 'contoso') {
    const cache = new TokenCache();
    const handle = inMemory(cache);
    const open = () => application(major, msalCachePlugin(handle), { provider });
    const app = open();
    await app.signIn(avery);
    const [account] = await app.client.getTokenCache().getAllAccounts();
    return { cache, handle, app, open, account };
  }

  it('asks for a sign-in, and no process sends the token again', async () => {
    const { cache, handle, app, open, account } = await signedIn();
    app.response = refused('bad_token');
    const error = await silently(handle, app, account).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SignInRequiredError);
    expect(error).toMatchObject({ cause: { errorCode: 'invalid_grant', subError: 'bad_token' } });
    expect(app.asked).toHaveLength(2);
    expect(refreshTokens(cache)).toEqual([]);
    await expect(silently(handle, app, account)).rejects.toBeInstanceOf(SignInRequiredError);
    const next = open();
    await expect(silently(handle, next, account)).rejects.toBeInstanceOf(SignInRequiredError);
    expect(app.asked).toHaveLength(2);
    expect(next.asked).toEqual([]);
    expect(await next.usernames()).toEqual([avery.username]); // The account stays, so that its user can sign in again.
  });

  it('is removed without another access, where the app calls MSAL itself', async () => {
    const { cache, app, open } = await signedIn();
    app.response = refused('bad_token');
    await expect(app.silent(avery, true)).rejects.toMatchObject({ subError: 'bad_token' });
    await vi.waitFor(() => expect(refreshTokens(cache)).toEqual([]), 20_000);
    const next = open();
    await expect(next.silent(avery, true)).rejects.toMatchObject({ errorCode: 'no_tokens_found' });
    expect(next.asked).toEqual([]);
  });

  it('stays where it is not the token that was refused', async () => {
    const { cache, handle, app, account } = await signedIn();
    const had = refreshTokens(cache);
    for (const suberror of ['consent_required', 'basic_action', undefined]) {
      app.response = refused(suberror);
      await expect(silently(handle, app, account)).rejects.toBeInstanceOf(SignInRequiredError);
    }
    app.response = { error: 'temporarily_unavailable', error_description: 'busy' } as never;
    await expect(silently(handle, app, account)).rejects.not.toBeInstanceOf(SignInRequiredError);
    expect(refreshTokens(cache)).toEqual(had);
    app.response = entra(avery, desk, now() + 5);
    expect(await silently(handle, app, account)).toMatchObject({ fromCache: false });
  });

  it('stays away from a newer token that another process has got meanwhile', async () => {
    const { cache, handle, app, account } = await signedIn();
    const fresh = entra(avery, desk, now() + 60);
    app.response = () => {
      cache.add({
        client_id: desk.client_id,
        scope: SCOPES,
        token_endpoint: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token',
        response: fresh,
      });
      return refused('bad_token');
    };
    await silently(handle, app, account).catch(() => undefined);
    expect(refreshTokens(cache)).toEqual([fresh.refresh_token]);
    app.response = entra(avery, desk, now() + 90);
    expect(await silently(handle, app, account)).toMatchObject({ fromCache: false });
    expect(app.asked.at(-1)?.get('refresh_token')).toBe(fresh.refresh_token);
  });

  it('waits in memory for a vault that can’t save, and tokens are given meanwhile', async () => {
    const { cache, handle, app } = await signedIn();
    let isBroken = true;
    const fragile: CacheHandle = {
      ...handle,
      update: (fn, options) =>
        isBroken ? Promise.reject(new VaultError('vault_locked', 'locked')) : handle.update(fn, options),
    };
    const own = application(major, msalCachePlugin(fragile));
    own.response = refused('bad_token');
    await expect(own.silent(avery, true)).rejects.toMatchObject({ subError: 'bad_token' });
    expect(await own.silent(avery)).toBe(await app.silent(avery));
    await expect(own.silent(avery, true)).rejects.toMatchObject({ errorCode: 'no_tokens_found' });
    expect(own.asked).toHaveLength(1);
    expect(refreshTokens(cache)).toHaveLength(1);
    isBroken = false;
    await own.usernames();
    expect(refreshTokens(cache)).toEqual([]);
  });

  it('msal-js #8849: an expired token of the family does not hide the fresh one of the app', async () => {
    const lost = entra(avery, desk, now() - 600, { foci: '1' });
    const fresh = entra(avery, desk, now());
    const run = async (plugin: CachePlugin, ask: 'silently' | CacheHandle) => {
      const app = application(major, plugin);
      for (const response of [lost, fresh]) {
        app.response = response;
        await app.client.acquireTokenByCode({ code: 'c', scopes: SCOPES, redirectUri: 'http://localhost' });
      }
      const [account] = await app.client.getTokenCache().getAllAccounts();
      app.response = () =>
        app.asked.at(-1)?.get('refresh_token') === fresh.refresh_token
          ? entra(avery, desk, now() + 5)
          : refused('bad_token');
      const before = app.asked.length;
      const request = { account: account!, scopes: SCOPES, forceRefresh: true };
      const got = ask === 'silently' ? app.client.acquireTokenSilent(request) : silently(ask, app, account);
      const outcome = await got.then(
        () => 'a token',
        () => 'an error',
      );
      return { outcome, sent: app.asked.slice(before).map((form) => form.get('refresh_token')) };
    };
    const handle = inMemory(new TokenCache());
    let text = '';
    const plain: CachePlugin = {
      beforeCacheAccess: async ({ tokenCache }) => {
        tokenCache.deserialize(text);
        return Promise.resolve();
      },
      afterCacheAccess: async ({ tokenCache, cacheHasChanged }) => {
        if (cacheHasChanged) text = tokenCache.serialize();
        return Promise.resolve();
      },
    };
    expect(await run(plain, 'silently')).toEqual({ outcome: 'an error', sent: [lost.refresh_token] });
    expect(await run(msalCachePlugin(handle), handle)).toEqual({
      outcome: 'a token',
      sent: [fresh.refresh_token],
    });
  });

  it('of another provider is removed: there `invalid_grant` is about the token', async () => {
    const cache = new TokenCache();
    const handle = inMemory(cache);
    const app = generic(major, handle);
    await app.signIn();
    expect(refreshTokens(cache)).toEqual(['first']);
    app.answer = { status: 400, body: { error: 'invalid_grant', error_description: 'expired' } };
    await expect(app.acquire()).rejects.toBeInstanceOf(SignInRequiredError);
    await expect(generic(major, handle).acquire()).rejects.toBeInstanceOf(SignInRequiredError);
    expect(app.sent).toEqual(['first']);
    expect(refreshTokens(cache)).toEqual([]);
  });

  it('of another provider is the only one that is removed: the next one is tried', async () => {
    const signedIn = new SerializableTokenCache();
    await generic(major, inMemory(signedIn)).signIn();
    const document = JSON.parse(signedIn.serialize()) as Record<string, Record<string, object>>;
    const [[key, first]] = Object.entries(document['RefreshToken']!) as [[string, object]];
    const target = 'openid orders.read';
    document['RefreshToken'] = { [key]: first, [`${key}${target}`]: { ...first, target, secret: 'second' } };
    const cache = new SerializableTokenCache();
    cache.deserialize(JSON.stringify(document));
    expect(refreshTokens(cache).sort()).toEqual(['first', 'second']);
    const app = generic(major, inMemory(cache));
    const granted = { status: 200, body: { ...app.answer.body, refresh_token: 'third' } };
    app.answerTo = () =>
      app.sent.length === 1 ? { status: 400, body: { error: 'invalid_grant' } } : granted;
    await app.acquire();
    expect([...app.sent].sort()).toEqual(['first', 'second']);
    expect(refreshTokens(cache)).toContain('third');
    expect(refreshTokens(cache)).not.toContain(app.sent[0] === 'first' ? 'first' : 'second');
  });

  it('a context of the app’s own is noted and saved, whatever it says', async () => {
    const { TokenCacheContext } = require(`msal-node-${major}`) as typeof msal7;
    for (const cacheHasChanged of [true, false]) {
      const { cache, app } = await signedIn();
      const handle = inMemory(cache);
      const plugin = msalCachePlugin(handle);
      const own = application(major, plugin);
      await own.usernames();
      const tokenCache = own.client.getTokenCache();
      const key = Object.keys(tokenCache.getKVStore()).find((name) => name.includes('refreshtoken'))!;
      Reflect.deleteProperty(tokenCache.getKVStore(), key); // Neither a hook nor an event reports this.
      const context =
        typeof TokenCacheContext === 'function'
          ? new TokenCacheContext(tokenCache, cacheHasChanged)
          : { tokenCache, cacheHasChanged };
      await plugin.afterCacheAccess(context);
      expect(refreshTokens(cache)).toEqual([]);
      await expect(app.silent(avery, true)).rejects.toThrow();
    }
  });

  it('a context of the app’s own that is never closed does not stop the others', async () => {
    const { cache } = await signedIn();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const plugin = msalCachePlugin(inMemory(cache));
    const app = application(major, plugin);
    const context = { tokenCache: app.client.getTokenCache(), cacheHasChanged: false };
    await plugin.beforeCacheAccess(context);
    await plugin.beforeCacheAccess(context); // The same context again.
    const listed = app.usernames();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await listed).toEqual([avery.username]);
  });

  it('a vault may be given as a promise, whose failure every call of MSAL reports', async () => {
    const { cache, handle } = await signedIn();
    const app = application(major, msalCachePlugin(Promise.resolve(handle)));
    expect(await app.usernames()).toEqual([avery.username]);
    const failing = application(
      major,
      msalCachePlugin(Promise.reject(new VaultError('vault_locked', 'locked'))),
    );
    await expect(failing.usernames()).rejects.toMatchObject({ code: 'vault_locked' });
    await expect(failing.usernames()).rejects.toMatchObject({ code: 'vault_locked' });
    expect(cache.accounts()).toHaveLength(1);
  });

  it('a vault that can’t be read is not an empty list of accounts', async () => {
    const { handle } = await signedIn();
    const locked: CacheHandle = {
      ...handle,
      read: () => Promise.reject(new VaultError('vault_locked', 'locked')),
    };
    const app = application(major, msalCachePlugin(locked));
    await expect(app.usernames()).rejects.toMatchObject({ code: 'vault_locked' });
    await expect(
      silently(locked, app, {
        homeAccountId: homeAccountId(avery),
        environment: 'login.windows.net',
        tenantId: '',
      } as never),
    ).rejects.toMatchObject({ code: 'vault_locked' });
  });
});

/** A provider other than Microsoft's. */
function generic(major: number, handle: CacheHandle) {
  const { PublicClientApplication } = require(`msal-node-${major}`) as typeof msal7;
  const authority = 'https://id.example.org/realms/staff';
  const sent: (string | null)[] = [];
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: desk.client_id,
    iss: authority,
    iat: now(),
    exp: now() + 3600,
    sub: 'sam',
    preferred_username: sam.username,
  };
  const self = {
    sent,
    answerTo: (): { status: number; body: Record<string, unknown> } => self.answer,
    answer: {
      status: 200,
      body: {
        token_type: 'Bearer',
        scope: 'openid orders.read',
        expires_in: 3600,
        access_token: 'access',
        refresh_token: 'first',
        id_token: `${part({ alg: 'none' })}.${part(claims)}.s`,
      } as Record<string, unknown>,
    },
    signIn: () =>
      client.acquireTokenByCode({ code: 'c', redirectUri: 'http://localhost', scopes: ['orders.read'] }),
    acquire: async () => {
      const [account] = await client.getTokenCache().getAllAccounts();
      return acquireToken(handle, client, desk.client_id, {
        account: account!,
        scopes: ['orders.read'],
        forceRefresh: true,
      });
    },
  };
  const networkClient = {
    sendGetRequestAsync: () =>
      Promise.resolve({
        status: 200,
        headers: {},
        body: {
          issuer: authority,
          authorization_endpoint: `${authority}/auth`,
          token_endpoint: `${authority}/token`,
          jwks_uri: `${authority}/keys`,
        },
      }),
    sendPostRequestAsync: (_url: string, { body }: { body: string }) => {
      const token = new URLSearchParams(body).get('refresh_token');
      if (token !== null) sent.push(token);
      return Promise.resolve({ headers: {}, ...self.answerTo() });
    },
  };
  const client = new PublicClientApplication({
    auth: {
      clientId: desk.client_id,
      authority,
      knownAuthorities: ['id.example.org'],
      ...(major < 5 ? { protocolMode: 'OIDC' } : {}),
    },
    system: {
      networkClient,
      loggerOptions: { loggerCallback: () => undefined },
      ...(major < 5 ? {} : { protocolMode: 'OIDC' }),
    },
    cache: { cachePlugin: msalCachePlugin(handle) },
  } as never);
  return self;
}
