/** Public reports, reproduced with the real MSAL Node and two plugins: one as people write it, and Tokenkeep's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CacheHandle, memoryKeychain, openVault } from '../../src-main/index.ts';
import { acquireToken, type CachePlugin, msalCachePlugin } from '../../src-main/msal/index.ts';
import { memoryStore, partitionedCaches } from '../../src-main/partitions/index.ts';
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

/** Keeps MSAL's text in memory, as the samples do. */
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

/** Starts the app three times and needs a new token each time. Returns what was sent, and how each start ended. */
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

/** A provider that accepts each refresh token once, and revokes the whole family when one is reused (RFC 9700 §4.14.2). */
function rotating(first: string) {
  let [live, issued] = [first, 0];
  const counts = { redeemed: 0, reused: 0 };
  const answerTo = async (token: string): Promise<Response> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (token !== live) {
      counts.reused += 1;
      live = '';
      return refused;
    }
    counts.redeemed += 1;
    issued += 1;
    const response = { ...entra(avery, desk, now() + issued), refresh_token: `rotated ${issued}` };
    live = response.refresh_token;
    return response;
  };
  return { counts, answerTo };
}

/** Runs callers at once, each with a client of its own, for several rounds. Returns how many of them got a token. */
async function served(
  { callers, rounds }: { callers: number; rounds: number },
  answerTo: (token: string) => Promise<Response>,
  at: (caller: number) => { plugin: CachePlugin; handle?: CacheHandle },
): Promise<number> {
  let count = 0;
  const own = Array.from({ length: callers }, (_none, caller) => {
    const { plugin, handle } = at(caller);
    const app = application(7, plugin);
    app.response = () => answerTo(app.asked.at(-1)?.get('refresh_token') ?? '');
    return { app, handle };
  });
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(
      own.map(async ({ app, handle }) => {
        const [account] = await app.client.getTokenCache().getAllAccounts();
        const request = { account: account!, scopes: SCOPES, forceRefresh: true };
        const asked =
          handle === undefined
            ? app.client.acquireTokenSilent(request)
            : acquireToken(handle, app.client, desk.client_id, request);
        await asked.then(
          () => (count += 1),
          () => undefined,
        );
      }),
    );
  }
  return count;
}

describe('a provider that rotates refresh tokens and takes reuse for theft', () => {
  const windows = { callers: 4, rounds: 5 };
  const requests = { callers: 8, rounds: 1 };

  it.each([
    ['four windows of an editor, five calls each', windows, 20],
    ['eight web requests of one user at once', requests, 8],
  ])(
    '%s: with a plugin that keeps the text, one is served and the family is revoked',
    async (_name, load) => {
      const { plugin } = plainPlugin();
      await signIn(7, plugin, fresh);
      const { counts, answerTo } = rotating(fresh.refresh_token);
      expect(await served(load, answerTo, () => ({ plugin }))).toBe(1);
      expect(counts.reused).toBeGreaterThan(0);
    },
  );

  it('four windows, five calls each: with a vault, all 20 are served', async () => {
    const [file, keychain] = [join(folder, 'windows.vault'), memoryKeychain()];
    const vaults = await Promise.all([0, 1, 2, 3].map(() => openVault({ file, keychain })));
    await signIn(7, msalCachePlugin(vaults[0]!), fresh);
    const { counts, answerTo } = rotating(fresh.refresh_token);
    const at = (caller: number) => ({ plugin: msalCachePlugin(vaults[caller]!), handle: vaults[caller]! });
    expect(await served(windows, answerTo, at)).toBe(20);
    expect(counts.reused).toBe(0);
    for (const vault of vaults) await vault.close();
  });

  it('eight web requests at once: with a partition, all 8 are served by one redemption', async () => {
    const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' });
    await signIn(7, msalCachePlugin(caches.partition('avery')), fresh);
    const { counts, answerTo } = rotating(fresh.refresh_token);
    const at = () => {
      const handle = caches.partition('avery');
      return { plugin: msalCachePlugin(handle), handle };
    };
    expect(await served(requests, answerTo, at)).toBe(8);
    expect(counts).toEqual({ redeemed: 1, reused: 0 });
  });
});
