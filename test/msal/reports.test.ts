/** What public reports describe, with the real MSAL Node, a plugin as people write them, and Tokenkeep's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CacheHandle, memoryKeychain, openVault } from '../../src-main/index.ts';
import { acquireToken, type CachePlugin, msalCachePlugin } from '../../src-main/msal/index.ts';
import { APPS, entra, PEOPLE, type Response } from '../vectors/make/stage.mjs';
import { application, now, SCOPES } from './applications.ts';

const { avery } = PEOPLE;
const { desk } = APPS;
const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-reports-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refused = {
  error: 'invalid_grant',
  suberror: 'bad_token',
  error_description: 'expired',
} as unknown as Response;

/** Keeps MSAL's text, as the samples do. */
function plainPlugin(): { plugin: CachePlugin; text: () => string } {
  let text = '';
  const plugin: CachePlugin = {
    beforeCacheAccess: ({ tokenCache }) => {
      tokenCache.deserialize(text);
      return Promise.resolve();
    },
    afterCacheAccess: ({ tokenCache, cacheHasChanged }) => {
      if (cacheHasChanged) text = tokenCache.serialize();
      return Promise.resolve();
    },
  };
  return { plugin, text: () => text };
}

const old = entra(avery, desk, now() - 90 * 24 * 3600);
const fresh = entra(avery, desk, now());

async function signIn(major: number, plugin: CachePlugin, response: Response): Promise<void> {
  const app = application(major, plugin);
  app.response = response;
  await app.client.acquireTokenByCode({ code: 'c', scopes: SCOPES, redirectUri: 'http://localhost' });
}

/** Three starts of the app, each of which needs a new token: what was sent, and what came of it. */
async function threeStarts(major: number, plugin: CachePlugin, handle?: CacheHandle) {
  const sent: string[] = [];
  const outcomes: string[] = [];
  for (let start = 0; start < 3; start += 1) {
    const app = application(major, plugin);
    app.response = () => {
      const token = app.asked.at(-1)?.get('refresh_token') ?? '';
      sent.push(token === old.refresh_token ? 'old' : 'newer');
      return token === old.refresh_token ? refused : entra(avery, desk, now() + 10 + start);
    };
    const [account] = await app.client.getTokenCache().getAllAccounts();
    const request = { account: account!, scopes: SCOPES, forceRefresh: true };
    const asked =
      handle === undefined
        ? app.client.acquireTokenSilent(request)
        : acquireToken(handle, app.client, desk.client_id, request);
    outcomes.push(
      await asked.then(
        () => 'a token',
        () => 'sign in again',
      ),
    );
  }
  return { sent, outcomes };
}

describe.each([
  [2, 5],
  [3, 5],
  [3, 7],
] as const)('msal-js #8835: from MSAL Node %i to %i', (before, after) => {
  it('the old refresh token shadows the new one for ever, with a plugin that keeps the text', async () => {
    const { plugin } = plainPlugin();
    await signIn(before, plugin, old);
    await signIn(after, plugin, fresh);
    const { sent, outcomes } = await threeStarts(after, plugin);
    expect(sent).toContain('old');
    expect(outcomes).toContain('sign in again');
  });

  it.each(['from the start', 'with the old text imported'])('heals with a vault %s', async (how) => {
    const vault = await openVault({
      file: join(folder, `${before}-${after}-${how.length}.vault`),
      keychain: memoryKeychain(),
    });
    if (how === 'from the start') await signIn(before, msalCachePlugin(vault), old);
    else {
      const { plugin, text } = plainPlugin();
      await signIn(before, plugin, old);
      const document = join(folder, `${before}-${after}.json`);
      writeFileSync(document, text());
      await vault.importFrom(document);
    }
    const plugin = msalCachePlugin(vault);
    await signIn(after, plugin, fresh);
    expect(await threeStarts(after, plugin, vault)).toEqual({
      sent: ['newer', 'newer', 'newer'],
      outcomes: ['a token', 'a token', 'a token'],
    });
    await vault.close();
  });
});

describe.each([2, 3, 5, 7])('vscode #335639: MSAL Node %i', (major) => {
  const lost = { ...old, foci: '1' };

  it('sends the expired token of the family at each start, with a plugin that keeps the text', async () => {
    const { plugin } = plainPlugin();
    await signIn(major, plugin, lost);
    await signIn(major, plugin, fresh);
    const { sent } = await threeStarts(major, plugin);
    expect(sent).toContain('old');
  });

  it('sends the fresh one of the app with a vault, and a refused one never again', async () => {
    const vault = await openVault({
      file: join(folder, `family-${major}.vault`),
      keychain: memoryKeychain(),
    });
    const plugin = msalCachePlugin(vault);
    await signIn(major, plugin, lost);
    await signIn(major, plugin, fresh);
    expect((await threeStarts(major, plugin, vault)).sent).toEqual(['newer', 'newer', 'newer']);
    await vault.close();
  });

  it('asks for a sign-in once, where the expired one is all there is, and sends it once', async () => {
    const vault = await openVault({ file: join(folder, `alone-${major}.vault`), keychain: memoryKeychain() });
    const plugin = msalCachePlugin(vault);
    await signIn(major, plugin, lost);
    const { sent, outcomes } = await threeStarts(major, plugin, vault);
    expect(sent).toEqual(['old']);
    expect(outcomes).toEqual(['sign in again', 'sign in again', 'sign in again']);
    await vault.close();
  });
});
