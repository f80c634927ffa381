// Not in npm run check: it runs 17 configurations of four majors of MSAL Node.
/**
 * MSAL Node stores and looks up entities under names that its configuration determines. However an app is configured, its MSAL finds what
 * it stored, in the same process and in the next, and so does an app that is configured differently.
 */
import { createRequire } from 'node:module';
import type * as msal7 from 'msal-node-7';
import { describe, expect, it } from 'vitest';
import { type CacheHandle, inMemory, TokenCache } from '../../src-main/index.ts';
import { acquireToken, msalCachePlugin } from '../../src-main/msal/index.ts';
import { EVERYTHING } from '../support/everything.ts';
import { MAJORS } from './applications.ts';

const require = createRequire(import.meta.url);
const [clientId, tenant, user] = ['c1', '11111111-2222-3333-4444-555555555555', 'u1'];
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

/** The network's answers about clouds. `quirk.example` is a cloud that is in no table. */
const CLOUDS = [
  {
    preferred_network: 'login.microsoftonline.com',
    preferred_cache: 'login.windows.net',
    aliases: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  },
  {
    preferred_network: 'login.microsoftonline.us',
    preferred_cache: 'login.microsoftonline.us',
    aliases: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
  },
  {
    preferred_network: 'login.partner.microsoftonline.cn',
    preferred_cache: 'login.partner.microsoftonline.cn',
    aliases: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
  },
  {
    preferred_network: 'login.quirk.example',
    preferred_cache: 'sts.quirk.example',
    aliases: ['login.quirk.example', 'sts.quirk.example'],
  },
];

interface Options {
  auth?: Record<string, unknown>;
  system?: Record<string, unknown>;
  cache?: Record<string, unknown>;
  /** Fields of each request. */
  request?: Record<string, unknown>;
  /** Whether the provider returns `client_info`, as Microsoft's does. Default: true. */
  hasInfo?: boolean;
}

/** The real MSAL with these options, and a provider that grants every request. */
function program(
  major: number,
  host: string,
  handle: CacheHandle,
  { auth, system, cache, request, hasInfo = true }: Options,
) {
  const msal = require(`msal-node-${major}`) as typeof msal7;
  const authority = `https://${host}/${tenant}`;
  const sent: string[] = [];
  let count = 0;
  const endpoints = (base: string) => ({
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    issuer: `${base}/v2.0`,
    jwks_uri: `${base}/keys`,
  });
  const networkClient = {
    sendGetRequestAsync: (url: string) => {
      const body = url.includes('/discovery/instance')
        ? {
            tenant_discovery_endpoint: `${authority}/v2.0/.well-known/openid-configuration`,
            metadata: CLOUDS,
          }
        : endpoints(url.replace(/\/(v2\.0\/)?\.well-known.*$/, ''));
      return Promise.resolve({ status: 200, headers: {}, body });
    },
    sendPostRequestAsync: (url: string, options: { body: string }) => {
      const form = new URLSearchParams(options.body);
      sent.push(form.get('refresh_token') ?? form.get('grant_type') ?? '');
      count += 1;
      const issuer = `${url.replace(/\/oauth2\/.*$/, '')}/v2.0`;
      const claims = {
        aud: clientId,
        iss: issuer,
        iat: now(),
        exp: now() + 3600,
        tid: tenant,
        oid: user,
        sub: user,
      };
      const body = {
        token_type: form.get('token_type') ?? 'Bearer',
        scope: form.get('scope'),
        expires_in: 3600,
        access_token: `access ${major} ${count} ${now()}`,
        refresh_token: `refresh ${major} ${count}`,
        ...(hasInfo ? { client_info: part({ uid: user, utid: tenant }) } : {}),
        id_token: `${part({ alg: 'none' })}.${part({ ...claims, preferred_username: 'ada@contoso.example' })}.s`,
      };
      return Promise.resolve({ status: 200, headers: {}, body });
    },
  };
  const client = new msal.PublicClientApplication({
    auth: { clientId, authority, ...auth },
    system: { networkClient, loggerOptions: { loggerCallback: () => undefined }, ...system },
    cache: { cachePlugin: msalCachePlugin(handle), ...cache },
  } as never);
  const scopes = ['User.Read'];
  const account = async () => {
    const accounts = await client.getTokenCache().getAllAccounts();
    expect(accounts).toHaveLength(1);
    return accounts[0]!;
  };
  return {
    sent,
    signIn: () =>
      client.acquireTokenByCode({ code: 'c', redirectUri: 'http://localhost', scopes, ...request }),
    silent: async (more: object = {}) =>
      client.acquireTokenSilent({ account: await account(), scopes, ...request, ...more }),
    acquire: async (more: object = {}): Promise<{ fromCache: boolean }> =>
      acquireToken<never, { fromCache: boolean }>(handle, client, clientId, {
        account: await account(),
        scopes,
        ...request,
        ...more,
      } as never),
    accounts: async () => (await client.getTokenCache().getAllAccounts()).length,
    signOut: async () => client.getTokenCache().removeAccount(await account()),
  };
}

const alone = (host: string) =>
  JSON.stringify({ metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }] });
const renamed = (host: string) =>
  JSON.stringify({
    metadata: [
      { preferred_network: host, preferred_cache: `cache.${host}`, aliases: [host, `cache.${host}`] },
    ],
  });

/** Every option that determines a key or the name of an environment. */
const CONFIGURATIONS: Readonly<Record<string, (host: string, major: number) => Options>> = {
  nothing: () => ({}),
  knownAuthorities: (host) => ({ auth: { knownAuthorities: [host] } }),
  'knownAuthorities, as a URL': (host) => ({ auth: { knownAuthorities: [`https://${host}/`] } }),
  'cloudDiscoveryMetadata, one alias': (host) => ({ auth: { cloudDiscoveryMetadata: alone(host) } }),
  'cloudDiscoveryMetadata, a name of its own': (host) => ({
    auth: { cloudDiscoveryMetadata: renamed(host) },
  }),
  'cloudDiscoveryMetadata of another host': () => ({
    auth: { cloudDiscoveryMetadata: alone('other.example') },
  }),
  'cloudDiscoveryMetadata, as the network says it': () => ({
    auth: { cloudDiscoveryMetadata: JSON.stringify({ metadata: CLOUDS }) },
  }),
  'authorityMetadata, no discovery': (host) => ({
    auth: {
      authorityMetadata: JSON.stringify({
        authorization_endpoint: `https://${host}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `https://${host}/${tenant}/oauth2/v2.0/token`,
        issuer: `https://${host}/${tenant}/v2.0`,
        jwks_uri: `https://${host}/keys`,
      }),
    },
  }),
  skipAuthorityMetadataCache: () => ({ auth: { skipAuthorityMetadataCache: true } }),
  'protocolMode OIDC': (host, major) => ({
    auth: { knownAuthorities: [host], ...(major < 5 ? { protocolMode: 'OIDC' } : {}) },
    ...(major < 5 ? {} : { system: { protocolMode: 'OIDC' } }),
  }),
  'an authority of the request': (host) => ({
    auth: { authority: 'https://login.microsoftonline.com/common' },
    request: { authority: `https://${host}/${tenant}` },
  }),
  clientCapabilities: () => ({ auth: { clientCapabilities: ['CP1'] } }),
  'claims, cached by their hash': () => ({
    cache: { claimsBasedCachingEnabled: true },
    auth: { clientCapabilities: ['CP1'] },
  }),
  'azureCloudOptions of the app': (host) => ({
    auth: {
      authority: 'https://login.microsoftonline.com/common',
      azureCloudOptions: { azureCloudInstance: `https://${host}`, tenant },
    },
  }),
  'azureCloudOptions of the request': (host) => ({
    auth: { authority: 'https://login.microsoftonline.com/common' },
    request: { azureCloudOptions: { azureCloudInstance: `https://${host}`, tenant } },
  }),
  'SSH certificates': () => ({
    request: { authenticationScheme: 'ssh-cert', sshJwk: '{"kty":"RSA"}', sshKid: 'key-1' },
  }),
  'an authority with an upper-case host': (host) => ({
    auth: { authority: `https://${host.toUpperCase()}/${tenant}/` },
  }),
};

const HOSTS = [
  'login.microsoftonline.com',
  'login.windows.net',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.quirk.example',
];

/** The configurations to try. In `npm test`, one major of four at each host: each major still meets every host and every configuration. */
function configurations(major: (typeof MAJORS)[number], host: string): string[] {
  const turn = MAJORS.indexOf(major) + HOSTS.indexOf(host);
  return Object.keys(CONFIGURATIONS).filter(
    (_name, index) => EVERYTHING || (index + turn) % MAJORS.length === 0,
  );
}

describe.each(MAJORS)('MSAL Node %i', (major) => {
  describe.each(HOSTS)('at %s', (host) => {
    it.each(configurations(major, host))('finds what it stored with %s', async (name) => {
      const cache = new TokenCache();
      const handle = inMemory(cache);
      const options = CONFIGURATIONS[name]!(host, major);
      const one = program(major, host, handle, options);
      await one.signIn();
      expect(await one.silent()).toMatchObject({ fromCache: true });

      const next = program(major, host, handle, options);
      expect(await next.silent()).toMatchObject({ fromCache: true });
      expect(await next.acquire()).toMatchObject({ fromCache: true });
      expect(next.sent).toEqual([]);
      expect(await next.acquire({ forceRefresh: true })).toMatchObject({ fromCache: false });
      expect(next.sent).toEqual([`refresh ${major} 1`]);
      expect(await one.silent()).toMatchObject({ fromCache: true });
      expect(await one.silent({ forceRefresh: true })).toMatchObject({ fromCache: false });

      expect(cache.accounts()).toHaveLength(1);
      for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const)
        expect([type, cache.find(type)]).toEqual([type, [expect.anything()]]);
      await next.signOut();
      expect(await one.accounts()).toBe(0);
      for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const)
        expect(cache.find(type)).toEqual([]);
    });
  });

  it('finds what an app stored that is configured otherwise', async () => {
    const host = 'login.microsoftonline.com';
    const handle = inMemory(new TokenCache());
    await program(major, host, handle, {}).signIn();
    for (const configure of Object.values(CONFIGURATIONS)) {
      const app = program(major, host, handle, configure(host, major));
      expect(await app.accounts()).toBe(1);
      expect(await app.acquire({ forceRefresh: true })).toMatchObject({ fromCache: false });
      expect(await app.silent()).toMatchObject({ fromCache: true });
    }
  });

  it.each([true, false])(
    'and Tokenkeep know one account at a provider on a port (client_info: %s)',
    async (hasInfo) => {
      const cache = new TokenCache();
      const handle = inMemory(cache);
      const host = 'id.example:8443';
      const options = CONFIGURATIONS['protocolMode OIDC']!(host, major);
      const app = program(major, host, handle, { ...options, hasInfo });
      await app.signIn();
      const issuer = `https://${host}/${tenant}/v2.0`;
      const claims = { aud: clientId, iss: issuer, sub: user, tid: tenant, oid: user };
      const response = (port: string) => ({
        token_type: 'Bearer',
        scope: 'User.Read',
        expires_in: 3600,
        access_token: `access of ${port}`,
        refresh_token: `refresh of ${port}`,
        ...(hasInfo ? { client_info: part({ uid: user, utid: tenant }) } : {}),
        id_token: `${part({ alg: 'none' })}.${part({ ...claims, iss: issuer.replace('8443', port) })}.s`,
      });
      const add = (port: string): unknown =>
        cache.add({
          client_id: clientId,
          scope: ['User.Read'],
          token_endpoint: `https://id.example:${port}/${tenant}/oauth2/v2.0/token`,
          response: response(port),
        });
      add('8443');
      expect(cache.accounts()).toHaveLength(1);
      expect(await app.silent()).toMatchObject({ fromCache: true, accessToken: 'access of 8443' });
      expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['refresh of 8443']);
      add('9443');
      // An id that MSAL derives from `client_info` is the same user everywhere; a subject is unique only at its issuer.
      expect(cache.accounts()).toHaveLength(hasInfo ? 1 : 2);
      expect(await app.accounts()).toBe(hasInfo ? 1 : 2);
    },
  );
});
