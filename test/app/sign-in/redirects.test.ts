/** A provider's endpoint that redirects: no redirect is followed, so no secret reaches another address, and the user is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateKeyPair, type CryptoKey, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SignInProfile, SignInProgress, SignInWay } from '../../../app/contract.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { plainError } from '../../../src-main/ipc/index.ts';
import { draftOf, json, metadataOf, quietEmit, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** The issuer is a server on this machine, reached by http: Node's own fetch follows redirects where it is not told otherwise. */
const ISSUER = 'https://sso.example';
const STATUSES = [302, 307, 308];
const SAYS = /sso\.example answered .*redirect to another address\. Tokenkeep does not follow it/;

let home: Server;
let other: Server;
let key: CryptoKey;
/** The path that redirects, and how. */
let redirecting: { path: string; status: number; location: string } | undefined;
/** Requests that came to the issuer, path and body, and to where a redirect points. */
let received: string[];
let followed: string[];
let vault: Vault;
let signing: SignIn<null>;
let profile: SignInProfile;
let told: SignInProgress[];
let ended: () => void;
let nonce: string;
let opened: string[];

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  return body;
}

async function idToken(): Promise<string> {
  return new SignJWT({ nonce })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(ISSUER)
    .setAudience('app')
    .setSubject('u1')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);
}

async function answerOf(path: string, body: string): Promise<Response> {
  if (path.endsWith('openid-configuration'))
    return json({
      ...metadataOf(ISSUER),
      device_authorization_endpoint: `${ISSUER}/device`,
      userinfo_endpoint: `${ISSUER}/userinfo`,
    });
  if (path === '/device')
    return json({
      device_code: 'the-device-code',
      user_code: 'ABCD',
      verification_uri: `${ISSUER}/code`,
      expires_in: 60,
      interval: 0.01,
    });
  if (path === '/token' && !body.includes('not-a-code'))
    return json({ token_type: 'Bearer', expires_in: 3600, access_token: 'new', id_token: await idToken() });
  return json({ error: 'invalid_grant' }, 400);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  const body = await bodyOf(request);
  if (path.startsWith('/elsewhere')) followed.push(`${path} ${body}`);
  else received.push(`${path} ${body} ${request.headers.authorization ?? ''}`);
  if (path === redirecting?.path) {
    response.writeHead(redirecting.status, { location: redirecting.location }).end();
    return;
  }
  const answer = await answerOf(path, body);
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
}

beforeAll(async () => {
  ({ privateKey: key } = await generateKeyPair('RS256'));
  home = createServer((request, response) => void serve(request, response));
  other = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      followed.push(`${request.url ?? ''} ${body} ${request.headers.authorization ?? ''}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  for (const server of [home, other]) await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  for (const server of [home, other]) {
    server.close();
    server.closeAllConnections();
  }
});
beforeEach(() => {
  [redirecting, received, followed] = [undefined, [], []];
});

const PATHS = {
  discovery: '/.well-known/openid-configuration',
  token: '/token',
  device: '/device',
  keys: '/keys',
  revocation: '/revoke',
  userInfo: '/userinfo',
};

/** The app's fetch: requests to the issuer reach the server on this machine. Everything else is the caller's. */
const localFetch: typeof fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  return fetch(url.replace(ISSUER, originOf(home)), init);
};

/** Opens the app with one user, who allowed the provider. */
async function open(): Promise<string> {
  const folder = temporaryFolder();
  [told, opened, nonce, ended] = [[], [], '', () => undefined];
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    tokenText: () => idToken(),
    confirm: () => Promise.resolve(true),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    fetch: localFetch,
    openBrowser(address) {
      opened.push(address);
      const { searchParams } = new URL(address);
      nonce = searchParams.get('nonce') ?? '';
      const back = searchParams.get('redirect_uri');
      if (back === null) return Promise.resolve();
      const state = searchParams.get('state') ?? '';
      void fetch(`${back}?code=the-code&state=${state}`).catch(() => undefined);
      return Promise.resolve();
    },
    emit: {
      ...quietEmit,
      signIn(progress) {
        told.push(progress);
        if (/done|failed/.test(progress.step)) ended();
      },
    },
  });
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'u1', 'u1')));
  return vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
}

async function signInBy(way: SignInWay): Promise<unknown> {
  const end = new Promise<void>((resolve) => (ended = resolve));
  await signing.handlers.signIn(null, profile.id, way, null);
  await end;
  const last = told.at(-1);
  return last?.step === 'failed' ? last.error : last;
}
const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => plainError(error),
  );

/** The message that the user gets. */
type Flow = (account: string) => Promise<unknown>;

const byBrowser: Flow = () => signInBy('browser');
const byCode: Flow = () => signInBy('device');
const refresh: Flow = async (id) => (await signing.handlers.refreshNow(null, id, null)).problem;
const signOut: Flow = async (id) => {
  const wishes = { vault: true, revoke: true, endSession: true, places: [] };
  return (await signing.handlers.signOut(null, [id], wishes)).revoked?.problem;
};
const userInfo: Flow = (id) => rejection(Promise.resolve(signing.handlers.userInfo(null, id)));
const checkSignature: Flow = () =>
  rejection(Promise.resolve(signing.handlers.checkSignature(null, { tokenId: 'any' })));

it('would be followed by the same fetch with the whole request if nothing forbade it', async () => {
  redirecting = { path: '/token', status: 307, location: `${originOf(other)}/stolen` };
  await localFetch(`${ISSUER}/token`, { method: 'POST', body: 'refresh_token=secret' });
  expect(followed).toEqual(['/stolen refresh_token=secret ']);
});

it.each<[string, string, Flow, RegExp]>([
  ['discovery, in a sign-in', PATHS.discovery, byBrowser, /^$/],
  ['discovery, in a refresh', PATHS.discovery, refresh, /^$/],
  ['token, for a code', PATHS.token, byBrowser, /code=the-code/],
  ['token, in a refresh', PATHS.token, refresh, /refresh_token=refresh\+of\+u1/],
  ['token, for a device code', PATHS.token, byCode, /device_code=the-device-code/],
  ['device authorization', PATHS.device, byCode, /client_id=app/],
  ['keys, in a sign-in', PATHS.keys, byBrowser, /^$/],
  ['keys, in a signature check', PATHS.keys, checkSignature, /^$/],
  ['discovery, in a signature check', PATHS.discovery, checkSignature, /^$/],
  ['revocation', PATHS.revocation, signOut, /token=refresh\+of\+u1/],
  ['user info', PATHS.userInfo, userInfo, /Bearer access of u1/],
])('%s: is not followed, and the user is told', async (_name, path, flow, carried) => {
  for (const status of STATUSES) {
    for (const location of [`${originOf(other)}/stolen`, `${originOf(home)}/elsewhere`]) {
      redirecting = undefined;
      const account = await open();
      try {
        // Saving asks the provider, and what it says is known for ten minutes: discovery redirects from the start.
        if (path === PATHS.discovery) redirecting = { path, status, location };
        profile = await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
        redirecting = { path, status, location };
        received = [];
        const error = await flow(account);
        expect([status, location, error]).toMatchObject([
          status,
          location,
          { code: 'provider_redirects', message: expect.stringMatching(SAYS) as string },
        ]);
        expect(JSON.stringify(error)).not.toMatch(/the-code|of u1|stolen|elsewhere/);
        const asked = received
          .filter((each) => each.startsWith(`${path} `))
          .map((each) => each.slice(path.length + 1).trim());
        expect(asked.some((each) => carried.test(each))).toBe(true);
        expect(followed).toEqual([]);
        // A sign-out removed the account; whatever else failed left its tokens.
        const left = await vault.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret));
        expect(left).toEqual(flow === signOut ? [] : ['refresh of u1']);
        // The page that ends the session is the browser's: main requests nothing there.
        expect(received.filter((each) => each.startsWith('/logout'))).toEqual([]);
        if (flow === signOut)
          expect(opened).toEqual([expect.stringMatching(/^https:\/\/sso\.example\/logout\?/)]);
      } finally {
        signing.stop();
        await vault.close();
      }
    }
  }
});
