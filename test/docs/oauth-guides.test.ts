/** The guides of docs/oauth-guides.md, unchanged: signing in, a restart, expiry, a refusal and signing out. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type CustomFetch, None, customFetch, discovery, type TokenEndpointResponse } from 'openid-client';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { memoryKeychain, openVault } from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { browser } from '../support/browser.ts';
import { signInWithCode } from '../support/code-flow.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { run } from './guide.ts';

const PAGE = 'docs/oauth-guides.md';
const stage = globalThis as { guideFetch?: unknown; guideGitHub?: unknown; guideGrants?: unknown };
/** The guide gets a vault of this copy of the library, so it needs the grants of this copy. */
const GRANTS = { 'tokenkeep/oauth': 'export const openGrants = globalThis.guideGrants;' };
stage.guideGrants = openGrants;
afterAll(() => {
  delete stage.guideFetch;
  delete stage.guideGitHub;
  delete stage.guideGrants;
  vi.useRealTimers();
});

interface Session {
  signedIn(tokens: TokenEndpointResponse): Promise<unknown>;
  signIn(): Promise<void>;
  accessToken(): Promise<string | undefined>;
  signOut(): Promise<unknown>;
}

const vaultAt = () => {
  const [file, keychain] = [join(temporaryFolder(), 'accounts.vault'), memoryKeychain()];
  return () => openVault({ file, keychain });
};

/** The libraries trust the provider's certificate through the `fetch` in their options. */
const OPENID_CLIENT = `export * from 'real:openid-client';
  import * as client from 'real:openid-client';
  export const discovery = (...args) => client.discovery(...args, { [client.customFetch]: globalThis.guideFetch });`;
const OAUTH4WEBAPI = `export * from 'real:oauth4webapi';
  import * as oauth from 'real:oauth4webapi';
  const through = (options) => ({ ...options, [oauth.customFetch]: globalThis.guideFetch });
  export const discoveryRequest = (issuer, options) => oauth.discoveryRequest(issuer, through(options));
  export const refreshTokenGrantRequest = (a, b, c, d, options) => oauth.refreshTokenGrantRequest(a, b, c, d, through(options));
  export const revocationRequest = (a, b, c, d, options) => oauth.revocationRequest(a, b, c, d, through(options));`;

describe.each([
  ['openid-client', { 'openid-client': OPENID_CLIENT, ...GRANTS }],
  ['oauth4webapi', { oauth4webapi: OAUTH4WEBAPI, ...GRANTS }],
])('%s', (heading, standIns) => {
  it('keeps a sign-in, refreshes it once after a restart, and signs out, at a real provider', async () => {
    const provider = await startProvider({ accessTokenTtl: 300 });
    const trusting = trustingFetch(provider.ca);
    stage.guideFetch = trusting;
    const guide = await run(PAGE, ['openSession'], standIns, { only: (block) => block.heading === heading });
    const openSession = guide['openSession'] as (...args: unknown[]) => Promise<Session>;
    const [open, issuer] = [vaultAt(), new URL(provider.issuer)];
    const config = await discovery(issuer, 'desktop-app', undefined, None(), {
      [customFetch]: trusting as CustomFetch,
    });
    const scope = 'openid profile offline_access orders.read';
    const tokens = await signInWithCode(config, browser(trusting), { person: { user: 'noor' }, scope });
    const first = await open();
    const session = await openSession(first, issuer, 'desktop-app');
    await session.signedIn(tokens);
    expect((await session.accessToken()) === tokens.access_token).toBe(true);
    await first.close();

    const vaults = [await open(), await open()];
    const both: Session[] = [];
    for (const vault of vaults) both.push(await openSession(vault, issuer, 'desktop-app'));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 280_000 });
    const got = await Promise.all(both.map((one) => one.accessToken()));
    vi.useRealTimers();
    expect(got[0] === tokens.access_token).toBe(false);
    expect(got[0] === got[1]).toBe(true);
    expect(provider.events.count('refreshed')).toBe(1);
    await both[0]!.signOut();
    await expect(both[1]!.accessToken()).rejects.toMatchObject({ code: 'sign_in_required' });
    expect(provider.events.count('revoked')).toBe(1);
    expect(provider.events.count('reused')).toBe(0);
    for (const vault of vaults) await vault.close();
    await provider.stop();
  }, 60_000);
});

describe('Octokit', () => {
  it('signs in with a code, refreshes an expired token once, and remembers a refusal', async () => {
    let issued = 0;
    const seen: string[] = [];
    const github = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => {
        text += part.toString();
      });
      request.on('end', () => {
        const body = JSON.parse(text) as Record<string, string>;
        const answer = (value: object): void => {
          response.writeHead(200, { 'content-type': 'application/json', date: new Date().toUTCString() });
          response.end(JSON.stringify(value));
        };
        if (request.url === '/login/device/code') {
          const code = {
            device_code: 'dc',
            user_code: 'ABCD-1234',
            verification_uri: 'https://x',
            interval: 1,
          };
          answer({ ...code, expires_in: 900 });
          return;
        }
        const refused = body['grant_type'] === 'refresh_token' && body['refresh_token'] !== `ghr_${issued}`;
        seen.push(refused ? 'refused' : (body['grant_type'] ?? ''));
        issued += 1;
        const lives = {
          expires_in: 28_800,
          refresh_token_expires_in: 15_897_600,
          token_type: 'bearer',
          scope: '',
        };
        if (refused) answer({ error: 'bad_refresh_token', error_description: 'incorrect or expired' });
        else answer({ access_token: `ghu_${issued}`, refresh_token: `ghr_${issued}`, ...lives });
      });
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    stage.guideGitHub = `http://127.0.0.1:${(github.address() as AddressInfo).port}`;
    const standIns = {
      ...GRANTS,
      '@octokit/request': `import { request as real } from 'real:@octokit/request';
        export const request = real.defaults({ baseUrl: globalThis.guideGitHub });`,
    };
    const guide = await run(PAGE, ['openGitHub'], standIns, { only: (block) => block.heading === 'Octokit' });
    const openGitHub = guide['openGitHub'] as (...args: unknown[]) => Session;
    const open = vaultAt();
    const codes: string[] = [];
    const first = await open();
    const session = openGitHub(first, 'Iv1.abc', 'secret', (code: string) => codes.push(code));
    await session.signIn();
    expect(codes).toEqual(['ABCD-1234']);
    expect(await session.accessToken()).toBe('ghu_1');
    await first.close();

    const second = await open();
    const again = openGitHub(second, 'Iv1.abc', 'secret', () => undefined);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 28_790_000 });
    expect(await Promise.all([again.accessToken(), again.accessToken()])).toEqual(['ghu_2', 'ghu_2']);
    issued += 1; // GitHub has issued another token, so ours is refused
    vi.setSystemTime(Date.now() + 28_790_000);
    for (let times = 0; times < 2; times += 1)
      await expect(again.accessToken()).rejects.toMatchObject({ code: 'sign_in_required' });
    vi.useRealTimers();
    expect(seen).toEqual(['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token', 'refused']);
    await again.signOut();
    expect(await second.read((cache) => cache.accounts())).toEqual([]);
    await second.close();
    github.close();
    github.closeAllConnections();
  }, 60_000);
});
