import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SerializableTokenCache, type TokenResponseEvent, type Vault } from 'tokenkeep';
import {
  type LayeredStore,
  type PartitionedCaches,
  partitionedCaches,
  type PartitionStore,
} from 'tokenkeep/partitions';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import type * as oidc from 'openid-client';
import { browser } from '../support/browser.ts';
import { signInWithCode } from '../support/code-flow.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { startRedis } from '../support/servers/redis.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { answer } from '../vectors/make/network.mjs';
import { CLOUDS, entra, PEOPLE, PROVIDERS } from '../vectors/make/stage.mjs';
import { run } from './guide.ts';
import { codeOf } from './page.ts';

/** The answer of Microsoft's token endpoint at a sign-in, in MSAL's schema. */
function signedIn(username: string): TokenResponseEvent {
  const claims = { oid: username, sub: username, tid: 'contoso', preferred_username: username };
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    client_id: 'my-client-id',
    scope: ['user.read'],
    token_endpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    response: {
      token_type: 'Bearer',
      access_token: `access token of ${username}`,
      refresh_token: `refresh token of ${username}`,
      expires_in: 3600,
      client_info: encoded({ uid: username, utid: 'contoso' }),
      id_token: `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
    },
  };
}

/** Functions of a guide, by name. */
type Functions = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** A vault whose key is kept in memory, because there may be no keychain here. */
const vaultInMemory = `export * from 'real:tokenkeep';
  import { memoryKeychain, openVault as open } from 'real:tokenkeep';
  export const openVault = (options) => open({ ...options, keychain: memoryKeychain() });`;

/** The same, with a user signed in. */
const vaultWithBob = `export * from 'real:tokenkeep';
  import { memoryKeychain, openVault as open } from 'real:tokenkeep';
  export const openVault = async (options) => {
    const vault = await open({ ...options, keychain: memoryKeychain() });
    await vault.update((cache) => cache.add(${JSON.stringify(signedIn('bob@contoso.example'))}));
    return vault;
  };`;

const electron = (): string => `export const app = { getPath: () => ${JSON.stringify(temporaryFolder())} };
  export const shell = { openExternal: (url) => globalThis.guideBrowser(url) };`;

const stage = globalThis as { guideBrowser?: unknown; guideNetwork?: unknown; guideFetch?: unknown };
afterAll(() => {
  for (const name of ['guideBrowser', 'guideNetwork', 'guideFetch'] as const)
    Reflect.deleteProperty(stage, name);
});

describe('docs/msal.md', () => {
  it('signs in, gets a token, and signs out', async () => {
    const app = { client_id: '11111111-2222-3333-4444-555555555555', name: 'My app' };
    const tokens = entra(PEOPLE.avery, app, Math.floor(Date.now() / 1000));
    let asked = 0;
    stage.guideNetwork = async (url: string) => {
      const { body, token } = answer(url, { providers: PROVIDERS, clouds: CLOUDS, response: tokens });
      if (token === true) asked += 1;
      return Promise.resolve({ headers: {}, status: 200, body });
    };
    // The user's browser, which returns at once.
    stage.guideBrowser = async (url: string) => {
      const { searchParams } = new URL(url);
      const body = new URLSearchParams({ code: 'a code', state: searchParams.get('state') ?? '' });
      await fetch(searchParams.get('redirect_uri')!, { method: 'POST', body }); // response_mode=form_post
    };
    const msal = `import * as msal from 'real:msal-node-7';
      export class PublicClientApplication extends msal.PublicClientApplication {
        constructor(configuration) {
          const ask = (...args) => globalThis.guideNetwork(...args);
          super({ ...configuration, system: { networkClient: { sendGetRequestAsync: ask, sendPostRequestAsync: ask } } });
        }
      }`;
    const guide = await run('docs/msal.md', ['signIn', 'getToken', 'signOut', 'vault'], {
      electron: electron(),
      tokenkeep: vaultInMemory,
      '@azure/msal-node': msal,
    });
    const { signIn, getToken, signOut } = guide as Functions;
    expect(await signIn!()).toMatchObject({ username: PEOPLE.avery.username });
    expect((await getToken!()) === tokens.access_token).toBe(true);
    expect(asked).toBe(1);
    await signOut!();
    await expect(getToken!()).rejects.toMatchObject({ code: 'sign_in_required' });
  }, 120_000);
});

describe('docs/other-libraries.md', () => {
  it('keeps, gets, refreshes and signs out, with a real provider', async () => {
    const provider = await startProvider({ accessTokenTtl: 300 });
    const trusting = trustingFetch(provider.ca);
    stage.guideFetch = trusting;
    const client = `export * from 'real:openid-client';
      import * as client from 'real:openid-client';
      const options = { [client.customFetch]: globalThis.guideFetch };
      export const discovery = (...args) => client.discovery(...args, options);`;
    const argument = process.argv[2];
    process.argv[2] = provider.issuer;
    const guide = await run('docs/other-libraries.md', ['keep', 'getToken', 'signOut', 'config'], {
      electron: electron(),
      tokenkeep: vaultInMemory,
      'openid-client': client,
    });
    process.argv[2] = argument!;
    const { keep, getToken, signOut } = guide as Functions;
    const config = guide['config'] as oidc.Configuration;
    const scope = 'openid profile offline_access orders.read';
    const tokens = await signInWithCode(config, browser(trusting), { person: { user: 'noor' }, scope });
    await keep!(tokens);
    expect((await getToken!()) === tokens.access_token).toBe(true);
    // After four and a half minutes the token is about to expire. The same is true of the next token after as long again.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 270_000 });
    const first = await getToken!();
    expect(first === tokens.access_token).toBe(false);
    vi.setSystemTime(Date.now() + 270_000);
    expect((await getToken!()) === first).toBe(false);
    vi.useRealTimers();
    expect(provider.events.count('refreshed')).toBe(2);
    expect(await signOut!()).toMatchObject({ remaining: 0 });
    expect(provider.events.count('revoked')).toBe(1);
    expect(provider.events.count('reused')).toBe(0);
    await provider.stop();
  }, 120_000);
});

describe('README.md', () => {
  it('reads a document, signs out, and writes it', async () => {
    const file = join(temporaryFolder(), 'cache.json');
    const cache = new SerializableTokenCache();
    cache.add(signedIn('ada@contoso.example'));
    cache.add(signedIn('bob@contoso.example'));
    writeFileSync(file, cache.serialize());
    const { receipt } = await run(
      'README.md',
      ['receipt'],
      {},
      {
        only: ({ heading }) => heading === 'Use the token cache alone',
        replacing: { 'cache.json': file },
      },
    );
    expect(receipt).toMatchObject({ remaining: 0 });
    const after = new SerializableTokenCache();
    after.deserialize(readFileSync(file, 'utf8'));
    expect(after.accounts().map(({ username }) => username)).toEqual(['bob@contoso.example']);
  });
});

describe('docs/embedding.md', () => {
  it('opens a vault, adds, signs out, exports, imports, and repairs', async () => {
    const folder = temporaryFolder();
    const host = {
      response: signedIn('ada@contoso.example').response,
      passphrase: 'seven otters juggle brass lanterns',
      text: '',
    };
    // A user is signed in already: the page signs out its first account.
    Object.assign(globalThis, host);
    try {
      const page = await run(
        'docs/embedding.md',
        ['vault', 'accounts', 'receipt', 'findings', 'difference', 'cache'],
        { tokenkeep: vaultWithBob },
        {
          // Both need an app such as examples/embed.
          only: ({ heading }) =>
            !['Show the accounts in your window', 'Pin your native modules'].includes(heading),
          replacing: { '/home/ada/.config/my-app': folder, '/media/stick': folder },
        },
      );
      const vault = page['vault'] as Vault;
      expect(page['accounts']).toMatchObject([{ username: 'bob@contoso.example' }]);
      expect(page['receipt']).toMatchObject({ remaining: 0, oldKey: 'destroyed' });
      expect(page['findings']).toEqual([]);
      expect((await vault.read((cache) => cache.accounts())).map(({ username }) => username)).toEqual([
        'ada@contoso.example',
      ]);
      expect(readFileSync(join(folder, 'sign-ins.age'), 'latin1')).toMatch(/^age-encryption\.org/);
      await vault.close();
    } finally {
      for (const name of Object.keys(host)) Reflect.deleteProperty(globalThis, name);
    }
  }, 60_000);
});

describe('docs/web-apps.md', () => {
  it('gives MSAL the cache of the request', async () => {
    const page = await run(
      'docs/web-apps.md',
      ['tokenFor', 'caches'],
      { '@azure/msal-node': `export * from 'real:msal-node-7';` },
      { only: ({ heading }) => heading === 'With MSAL Node' },
    );
    const caches = page['caches'] as PartitionedCaches;
    await expect((page as Functions)['tokenFor']!('a session')).rejects.toMatchObject({
      code: 'sign_in_required',
    });
    expect(await caches.partition('a session').read((cache) => cache.accounts())).toEqual([]);
  });

  it('reads and writes in each store that it shows', async () => {
    const page = 'docs/web-apps.md';
    const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    const replacing = {
      'redis://127.0.0.1:6379': redis.url,
      'postgres://app@127.0.0.1/app': postgres.url,
    };
    const blocks = codeOf(page).filter(({ code }) => /'tokenkeep\/partitions\/(redis|postgres)'/.test(code));
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) {
      const names = ['store', 'caches', 'client', 'pool'].filter((name) =>
        block.code.includes(`const ${name} = `),
      );
      const shown = await run(page, names, {}, { only: ({ line }) => line === block.line, replacing });
      const { client, pool, store } = shown as {
        client?: { destroy(): void };
        pool?: { end(): Promise<void> };
        store?: PartitionStore & Partial<LayeredStore>;
      };
      const caches = (shown['caches'] ??
        partitionedCaches({ store: store!, sealingKeys: 'plain-text' })) as PartitionedCaches;
      await caches.check();
      await store?.listening;
      await store?.close?.();
      client?.destroy();
      await pool?.end();
    }
    await Promise.all([redis.close(), postgres.close()]);
  }, 120_000);
});

describe('docs/testing.md', () => {
  it('signs a user of a web app in, and out at the provider', async () => {
    const compared: unknown[] = [];
    const vitest = {
      test: (_name: string, body: () => Promise<void>) => (vitest.body = body),
      expect: (found: unknown) => ({ toBe: (wanted: unknown) => void compared.push([found, wanted]) }),
      body: (): Promise<void> => Promise.reject(new Error('The page has no test.')),
    };
    Object.assign(globalThis, { vitest });
    await run(
      'docs/testing.md',
      [],
      { vitest: 'export const { test, expect } = (globalThis as any).vitest;' },
      { only: ({ heading }) => heading === 'A web app' },
    );
    await vitest.body();
    Reflect.deleteProperty(globalThis, 'vitest');
    expect(compared).toEqual([
      ['/me', '/me'],
      ['noor@contoso.example', 'noor@contoso.example'],
      [401, 401],
    ]);
  });
});

describe('examples/provider/README.md', () => {
  it('starts a provider and stops it', async () => {
    const { provider } = await run('examples/provider/README.md', ['provider']);
    expect((provider as { issuer: string }).issuer).toMatch(/^https:\/\/localhost:\d+$/);
  });
});
