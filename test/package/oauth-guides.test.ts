/** The guides of docs/oauth-guides.md as programs of the packed package: a sign-in at a real provider, a restart, a sign-out. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClientMetadata } from 'oidc-provider';
import { makeIdentity } from '../../examples/provider/certificate.ts';
import { didOf } from '../../examples/provider/atproto.ts';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { codeOf } from '../docs/page.ts';
import { browser } from '../support/browser.ts';
import { compile, installPacked, linesOf, link, type Stranger, WITH_PNPM } from './stranger.ts';

// Each runs several programs: seconds, and longer on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const PAGE = 'docs/oauth-guides.md';
const CLIENT = 'desktop-app';
/** For atproto, whose client IDs are URLs of metadata. */
const ATPROTO_CLIENT = {
  client_id: 'https://app.example/client-metadata.json',
  client_name: 'My app',
  client_uri: 'https://app.example',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'atproto',
  token_endpoint_auth_method: 'none',
  dpop_bound_access_tokens: true,
} as const;

/** What every program has besides the guide's code: a vault with its key in a file, and a listener for the browser's redirect. */
const PROGRAM = `
import { createServer } from 'node:http';
import { openVault } from 'tokenkeep';
import { keyFile } from 'tokenkeep/keychain';

const [action, settings] = process.argv.slice(2);
const { folder, issuer, client_id } = JSON.parse(settings);
const vault = await openVault({ file: folder + '/accounts.vault', keychain: keyFile(folder + '/key') });
const say = (value) => console.log(JSON.stringify(value));
async function visit(address) {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const redirect_uri = 'http://127.0.0.1:' + listener.address().port + '/';
  const back = new Promise((resolve) => listener.once('request', (request, response) => {
    response.setHeader('connection', 'close').end('Back in the app');
    listener.close();
    resolve(new URL(request.url, redirect_uri));
  }));
  say({ url: String(await address(redirect_uri)) });
  return { back: await back, redirect_uri };
}
const { signIn, token, signOut } = await app();
const look = async () => {
  const got = await token().catch((error) => 'none: ' + (error.code ?? error.constructor.name));
  say({ token: got, accounts: (await vault.read((cache) => cache.accounts())).map(({ username }) => username) });
};
if (action === 'sign-in') await signIn();
await look();
if (action === 'sign-out') {
  await signOut();
  await look();
}
await vault.close();
`;

const SCOPE = 'openid profile offline_access orders.read';
/** What a program adds to the guide: how its user signs in. */
const APPS: Readonly<Record<string, string>> = {
  'openid-client': `async function app() {
    const session = await openSession(vault, new URL(issuer), client_id);
    return { token: session.accessToken, signOut: session.signOut, async signIn() {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
      const { back } = await visit((redirect_uri) => oidc.buildAuthorizationUrl(session.config,
        { redirect_uri, scope: '${SCOPE}', code_challenge, code_challenge_method: 'S256' }));
      await session.signedIn(await oidc.authorizationCodeGrant(session.config, back, { pkceCodeVerifier }));
    } };
  }`,
  oauth4webapi: `async function app() {
    const session = await openSession(vault, new URL(issuer), client_id);
    const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer)));
    return { token: session.accessToken, signOut: session.signOut, async signIn() {
      const verifier = oauth.generateRandomCodeVerifier();
      const code_challenge = await oauth.calculatePKCECodeChallenge(verifier);
      const { back, redirect_uri } = await visit((redirect_uri) => server.authorization_endpoint + '?' + new URLSearchParams(
        { client_id, redirect_uri, response_type: 'code', scope: '${SCOPE}', code_challenge, code_challenge_method: 'S256' }));
      const client = { client_id };
      const code = oauth.validateAuthResponse(server, client, back, oauth.expectNoState);
      const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), code, redirect_uri, verifier);
      await session.signedIn(await oauth.processAuthorizationCodeResponse(server, client, answer));
    } };
  }`,
  Octokit: `async function app() {
    const github = openGitHub(vault, client_id, 'secret', (code) => say({ code }));
    return { ...github, token: github.accessToken };
  }`,
  'google-auth-library': `async function app() {
    const { client, signIn, signOut } = openGoogle(vault, { clientId: client_id, clientAuthentication: 'None', endpoints: {
      oauth2AuthBaseUrl: issuer + '/auth', oauth2TokenUrl: issuer + '/token', oauth2RevokeUrl: issuer + '/token/revocation' } });
    return { token: async () => (await client.getAccessToken()).token, signOut, async signIn() {
      const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync();
      const { back, redirect_uri } = await visit((redirect_uri) => client.generateAuthUrl({ redirect_uri, access_type: 'offline',
        scope: '${SCOPE}', code_challenge: codeChallenge, code_challenge_method: 'S256' }));
      await signIn({ code: back.searchParams.get('code'), codeVerifier, redirect_uri });
    } };
  }`,
  atproto: `async function app() {
    const { did, clientMetadata } = JSON.parse(settings);
    const open = (redirect_uri) => openClient(vault,
      { clientMetadata: { ...clientMetadata, redirect_uris: [redirect_uri] }, plcDirectoryUrl: issuer, allowHttp: true });
    let client = open('http://127.0.0.1/');
    return {
      token: async () => (await (await client.restore(did)).getTokenSet()).access_token,
      signOut: () => client.revoke(did),
      async signIn() {
        const { back } = await visit((redirect_uri) => {
          client = open(redirect_uri);
          return client.authorize(issuer, { scope: 'atproto' });
        });
        const { session } = await client.callback(back.searchParams);
        if (session.did !== did) throw new Error('Another user signed in.');
      },
    };
  }`,
};
/** Guides that test/docs/oauth-guides.test.ts runs in one process. As programs, they are run in `npm run judges`. */
const IN_ONE_PROCESS = ['openid-client', 'oauth4webapi', 'Octokit'];
const PROGRAMS = Object.keys(APPS).filter((heading) => WITH_PNPM || !IN_ONE_PROCESS.includes(heading));
/** Names that only the guide's reader has, and their values here. */
const HERE: Readonly<Record<string, string>> = {
  "'https://accounts.google.com'": 'issuer',
  "import { request } from '@octokit/request';":
    "import { request as github } from '@octokit/request';\nconst request = github.defaults({ baseUrl: process.env['GITHUB'] });",
};

let packed: Stranger;
let oidc: RunningProvider;
let pds: RunningProvider;
let github: { url: string; stop: () => void };
beforeAll(async () => {
  packed = installPacked();
  for (const name of [
    'openid-client',
    'oauth4webapi',
    'google-auth-library',
    '@octokit/auth-oauth-device',
    '@octokit/oauth-methods',
    '@octokit/request',
    '@atproto/oauth-client-node',
  ])
    link(packed, name);
  // Each access token has expired when it is next read.
  const [accessTokenTtl, identity] = [1, await makeIdentity()];
  oidc = await startProvider({ accessTokenTtl, identity, deviceInterval: 1 });
  const clients = [structuredClone(ATPROTO_CLIENT) as unknown as ClientMetadata];
  pds = await startProvider({ accessTokenTtl, identity, atproto: true, clients });
  writeFileSync(join(packed.folder, 'ca.pem'), identity.ca);
  github = await startGitHub(oidc);
}, 120_000);
afterAll(async () => {
  packed.remove();
  github.stop();
  await Promise.all([oidc.stop(), pds.stop()]);
});

const guideOf = (heading: string): string =>
  codeOf(PAGE)
    .filter((block) => block.heading === heading)
    .map(({ code }) => code)
    .join('\n');

it('each guide has at most 25 lines of the reader’s code', () => {
  for (const heading of Object.keys(APPS)) {
    const lines = guideOf(heading).split('\n');
    const own = lines.filter((line) => line.trim() !== '' && !line.startsWith('import '));
    expect([heading, own.length > 0, own.length <= 25]).toEqual([heading, true, true]);
  }
});

// Against the sources, test/docs/code.test.ts compiles them in every run.
const compiles = (): void => {
  const files = Object.keys(APPS).map((heading) => {
    const code = guideOf(heading);
    const name = `typed-${heading}.mts`;
    const names = [...code.matchAll(/^(?:async )?function (\w+)/gm)].map(([, name]) => name);
    writeFileSync(join(packed.folder, name), `${code}\nexport { ${names.join()} };\n`);
    return name;
  });
  expect(compile(packed, ['--module', 'nodenext', '--skipLibCheck'], files)).toEqual([]);
};
if (WITH_PNPM) it('each guide compiles against the package', compiles);

describe.each(PROGRAMS)('%s', (heading) => {
  it('signs in, has a fresh token after a restart, and signs out', async () => {
    const { folder } = packed;
    const provider = heading === 'atproto' ? pds : oidc;
    let guide = guideOf(heading);
    for (const [there, here] of Object.entries(HERE)) guide = guide.replaceAll(there, here);
    const { code } = await transform(`${guide}\n${APPS[heading]}\n${PROGRAM}`, { loader: 'ts' });
    const program = join(folder, `${heading}.mjs`);
    writeFileSync(program, code);
    const own = mkdtempSync(join(folder, 'home-'));
    const user = provider.users[Object.keys(APPS).indexOf(heading) % provider.users.length]!;
    const settings = {
      folder: own,
      issuer: provider.issuer,
      client_id: CLIENT,
      did: didOf(user),
      clientMetadata: ATPROTO_CLIENT,
    };
    const run = (action: string) =>
      runProgram(provider, [program, action, JSON.stringify(settings)], user.id);
    provider.events.clear();

    const [first] = await run('sign-in');
    // Another process finds the sign-in, gets a fresh token for it, and signs it out.
    const [again, last] = await run('sign-out');
    if (first === undefined || again === undefined || last === undefined)
      throw new Error('It said too little.');
    for (const { token, accounts } of [first, again]) {
      expect([token.length > 40, accounts.length]).toEqual([true, 1]);
      for (const name of ['accounts.vault', 'key'])
        expect(readFileSync(join(own, name)).includes(token)).toBe(false);
    }
    expect(again.token === first.token).toBe(false);
    expect(last.token).toMatch(/^none: (?:sign_in_required|TokenRefreshError)$/);
    expect(last.accounts).toEqual([]);
    expect(provider.events.count('signed-in')).toBe(1);
    expect(provider.events.count('refreshed')).toBeGreaterThanOrEqual(2);
    expect(provider.events.count('reused')).toBe(0);
  });
});

/** Runs a program and acts as the browser in which its user signs in. */
async function runProgram(
  provider: RunningProvider,
  words: readonly string[],
  user: string,
): Promise<{ token: string; accounts: string[] }[]> {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(packed.folder, 'ca.pem'), GITHUB: github.url };
  const at = browser(trustingFetch(provider.ca));
  const looks: { token: string; accounts: string[] }[] = [];
  await linesOf(process.execPath, words, { cwd: packed.folder, env }, (line) => {
    const said = JSON.parse(line) as { url?: string; code?: string; token: string; accounts: string[] };
    if (said.url !== undefined) void at.visit(said.url, { user });
    else if (said.code !== undefined)
      void at.visit(`${provider.issuer}/device?user_code=${said.code}`, { user });
    else looks.push(said);
  });
  return looks;
}

/** The provider behaves as GitHub does: JSON requests on two paths, and errors with status 200. */
async function startGitHub({ issuer, ca }: RunningProvider) {
  const send = trustingFetch(ca);
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    const { client_secret: _secret, ...asked } = JSON.parse(text) as Record<string, string>;
    const isCode = request.url === '/login/device/code';
    const form = new URLSearchParams(isCode ? { ...asked, scope: SCOPE } : asked);
    const answer = await send(`${issuer}/${isCode ? 'devicecode' : 'token'}`, { method: 'POST', body: form });
    const body = (await answer.json()) as Record<string, unknown>;
    if (body['error'] === 'invalid_grant') body['error'] = 'bad_refresh_token';
    response.writeHead(200, { 'content-type': 'application/json' });
    const { id_token: _none, ...said } = body;
    response.end(JSON.stringify({ ...said, refresh_token_expires_in: 15_897_600 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
