import { afterAll, describe, expect, it } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import * as oidc from 'openid-client';
import { browser } from '../support/browser.ts';
import { callback } from '../support/callback.ts';
import { temporaryFolder } from '../vault/fakes.ts';
import { answer } from '../vectors/make/network.mjs';
import { CLOUDS, entra, PEOPLE, PROVIDERS } from '../vectors/make/stage.mjs';
import { complaints, run } from './guide.ts';

/** Functions of a guide by name. */
type Functions = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** A vault whose key is kept in memory: there need not be a keychain here. */
const vaultInMemory = `export * from 'real:tokenkeep';
  import { memoryKeychain, openVault as open } from 'real:tokenkeep';
  export const openVault = (options) => open({ ...options, keychain: memoryKeychain() });`;

const electron = (): string => `export const app = { getPath: () => ${JSON.stringify(temporaryFolder())} };
  export const shell = { openExternal: (url) => globalThis.guideBrowser(url) };`;

const stage = globalThis as { guideBrowser?: unknown; guideNetwork?: unknown; guideFetch?: unknown };
afterAll(() => {
  for (const name of ['guideBrowser', 'guideNetwork', 'guideFetch'] as const)
    Reflect.deleteProperty(stage, name);
});

it('the code of every guide compiles', () => {
  expect(complaints('docs/msal.md', 'docs/other-libraries.md')).toEqual([]);
}, 120_000);

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
    // The person's browser, which comes back at once.
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
    // Its tokens live as long as no one uses them: each is refreshed.
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
    const { uri, called } = await callback();
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: uri,
      scope: 'openid profile offline_access orders.read',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const [, back] = await Promise.all([browser(trusting).visit(url.href, { user: 'noor' }), called]);
    const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier });
    await keep!(tokens);
    const first = await getToken!();
    expect(first === tokens.access_token).toBe(false);
    expect((await getToken!()) === first).toBe(false);
    expect(provider.events.count('refreshed')).toBe(2);
    expect(await signOut!()).toMatchObject({ remaining: 0 });
    expect(provider.events.count('revoked')).toBe(1);
    expect(provider.events.count('reused')).toBe(0);
    await provider.stop();
  }, 120_000);
});
