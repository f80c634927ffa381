/** Five servers of a web app ask for tokens of one user at once, at a provider that accepts each refresh token once. */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { beforeEach, expect, it } from 'vitest';
import { acquireToken, msalCachePlugin, type SilentRequest } from '../../src-main/msal/index.ts';
import { memoryStore } from '../../src-main/partitions/index.ts';
import { base64url } from '../cache/events.ts';
import { caches } from '../partitions/people.ts';

const TENANT = 'aaaaaaaa-0000-4000-8000-000000000000';
const GUEST = 'bbbbbbbb-0000-4000-8000-000000000000';
const CLIENT = '11111111-2222-3333-4444-555555555555';
const SERVERS = 5;
const host = 'https://login.microsoftonline.com';

type Request = Omit<SilentRequest, 'account'> & { authority?: string };

let current = '';
let issued = 0;
let asked: URLSearchParams[] = [];
let reused = 0;
let servers: ReturnType<typeof caches>[] = [];

function answer(body: URLSearchParams, tid: string): object {
  const token = body.get('refresh_token');
  if (token !== null && token !== current) {
    reused += 1;
    return { error: 'invalid_grant', error_description: 'reused' };
  }
  issued += 1;
  current = `RT ${issued}`;
  const claims = {
    oid: 'noor',
    sub: 'noor',
    tid,
    iss: `${host}/${tid}/v2.0`,
    preferred_username: 'noor@contoso.example',
  };
  const scope = (body.get('scope') ?? '')
    .split(' ')
    .filter((one) => !['openid', 'profile', 'offline_access'].includes(one));
  return {
    ...{
      token_type: 'Bearer',
      expires_in: 3600,
      scope: scope.join(' '),
      access_token: `AT ${issued} of ${tid}`,
    },
    refresh_token: current,
    client_info: base64url({ uid: 'noor', utid: TENANT }),
    id_token: `${base64url({ alg: 'none' })}.${base64url(claims)}.s`,
  };
}

const networkClient = {
  sendGetRequestAsync: (url: string) => {
    const [, tenant = TENANT] = /microsoftonline\.com\/([^/]+)/.exec(url) ?? [];
    const at = `${host}/${tenant}`;
    const body = {
      token_endpoint: `${at}/oauth2/v2.0/token`,
      authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
      issuer: `${at}/v2.0`,
      jwks_uri: `${at}/keys`,
    };
    return Promise.resolve({ headers: {}, status: 200, body: body as never });
  },
  sendPostRequestAsync: async (url: string, options?: { body?: string }) => {
    const body = new URLSearchParams(options?.body);
    asked.push(body);
    // Gives the other servers time to send the same refresh token.
    if (body.get('refresh_token') !== null) await new Promise((resolve) => setTimeout(resolve, 20));
    const [, tenant = TENANT] = /microsoftonline\.com\/([^/]+)/.exec(url) ?? [];
    const found = answer(body, tenant);
    return { headers: {}, status: 'error' in found ? 400 : 200, body: found as never };
  },
};

const client = (handle: Parameters<typeof msalCachePlugin>[0]) =>
  new ConfidentialClientApplication({
    auth: { clientId: CLIENT, clientSecret: 's', authority: `${host}/${TENANT}` },
    cache: { cachePlugin: msalCachePlugin(handle) },
    system: { networkClient, loggerOptions: { loggerCallback: () => undefined } },
  });

beforeEach(async () => {
  [current, issued, reused] = ['', 0, 0];
  const store = memoryStore();
  servers = Array.from({ length: SERVERS }, () => caches({ store }));
  await client(servers[0]!.partition('a')).acquireTokenByCode({
    code: 'c',
    scopes: ['User.Read'],
    redirectUri: 'http://localhost',
  });
  asked = [];
});

const ask = (server: ReturnType<typeof caches>, request: Request) => {
  const partition = server.partition('a');
  return acquireToken(partition, () => client(partition), CLIENT, request);
};

const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } });
const scopes = ['User.Read'];

it.each<[string, number, (index: number) => Request]>([
  ['forceRefresh', 1, () => ({ scopes, forceRefresh: true })],
  ['one claims challenge', 1, () => ({ scopes, claims })],
  ['one claims challenge, with forceRefresh', 1, () => ({ scopes, claims, forceRefresh: true })],
  [
    'a claims challenge of each',
    5,
    (index) => ({ scopes, claims: JSON.stringify({ access_token: { nbf: { value: `${index}` } } }) }),
  ],
  [
    'one claims challenge of two APIs',
    2,
    (index) => ({ scopes: index % 2 === 0 ? scopes : ['Files.Read'], claims }),
  ],
  ['the scopes of one API', 1, () => ({ scopes: ['Files.Read'] })],
  ['the scopes of five APIs', 5, (index) => ({ scopes: [`https://api${index}.example/read`] })],
  ['scopes that are new, and more of them', 1, () => ({ scopes: ['User.Read', 'Files.Read'] })],
  ['another tenant', 1, () => ({ scopes, authority: `${host}/${GUEST}` })],
  [
    'two tenants',
    2,
    (index) => ({ scopes, forceRefresh: true, authority: `${host}/${index % 2 === 0 ? TENANT : GUEST}` }),
  ],
  ['a claims challenge of another tenant', 1, () => ({ scopes, claims, authority: `${host}/${GUEST}` })],
])('%s: no refresh token is sent twice', async (_what, times, request) => {
  const results = await Promise.all(servers.map((server, index) => ask(server, request(index))));
  expect(reused).toBe(0);
  expect(asked.length).toBe(times);
  expect(new Set(results.map(({ accessToken }) => accessToken)).size).toBe(times);
  for (const [index, { accessToken }] of results.entries()) {
    const [tenant] = request(index).authority?.split('/').slice(-1) ?? [TENANT];
    expect(accessToken).toContain(`of ${tenant}`);
  }
});

it('a claims challenge that comes later is asked for again, also after a refresh without claims', async () => {
  await ask(servers[0]!, { scopes, claims });
  await ask(servers[1]!, { scopes, claims });
  expect(asked.length).toBe(2);
  const [first, second] = await Promise.all([
    ask(servers[2]!, { scopes, forceRefresh: true }),
    ask(servers[3]!, { scopes, claims }),
  ]);
  expect(asked.length).toBe(4);
  expect(first.accessToken).not.toBe(second.accessToken);
  expect(reused).toBe(0);
});
