/** What the user asked for before the app was locked is done, and what a refresh got is stored: the vault is closed after that. */
import { join } from 'node:path';
import type { ServedTokenCache } from 'tokenkeep/electron';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AwayError } from '../../../app/away-lock.ts';
import { type Serving, serving } from '../../../app/serving.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { memoryKeychain, openVault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/ipc/index.ts';
import { draftOf, json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

vi.mock('../../../src-main/electron/index.ts', () => ({
  serveTokenCache: (): ServedTokenCache =>
    Object.assign(() => undefined, {
      planImport: () => Promise.resolve(),
      copyChosen: () => Promise.resolve(),
      placesChanged: () => undefined,
      clearClipboard: () => Promise.resolve(),
    }),
}));

const ISSUER = 'https://one.example';
let shown: Serving;
let signing: SignIn<null>;
/** Settles when the provider was asked at the path that it does not answer yet. */
let asked: Promise<void>;
let answer: () => void;
let held: string;
let revoked: string[];

beforeEach(async () => {
  const folder = temporaryFolder();
  const keychain = memoryKeychain();
  [held, revoked] = ['none', []];
  let reached = (): void => undefined;
  asked = new Promise((resolve) => (reached = resolve));
  const answered = new Promise<void>((resolve) => (answer = resolve));
  shown = serving({
    windows: () => [],
    openOwn: () => openVault({ file: join(folder, 'vault'), keychain }),
    places: () => [],
    beforeRetry: () => undefined,
    afterForget: () => undefined,
    alsoForgets: () => null,
    asksRarely: () => false,
    onUnexpected: () => undefined,
    explain: (error) => error,
  });
  const vault = await shown.own();
  let ahead = 0;
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    vault: () => shown.vault(),
    ownVault: () => shown.own(),
    openBrowser: () => Promise.resolve(),
    confirm: () => Promise.resolve(true),
    now: () => Date.now() + ahead,
    async fetch(input, init) {
      const url = input instanceof Request ? input.url : String(input);
      if (url.endsWith(held)) {
        reached();
        await answered;
      }
      if (url.endsWith('/token'))
        return json({
          token_type: 'Bearer',
          expires_in: 3600,
          access_token: 'new',
          refresh_token: 'rotated',
        });
      if (!url.endsWith('/revoke')) return json(metadataOf(ISSUER));
      revoked.push(init?.body instanceof URLSearchParams ? (init.body.get('token') ?? '') : '');
      return new Response(null, { status: 200 });
    },
  });
  await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'noor', 'noor')));
  ahead = 11 * 60_000; // what is known of the provider is too old to be used
});
afterEach(async () => {
  signing.stop();
  await shown.close();
});

const accountId = async (): Promise<string> =>
  (await shown.own()).read((cache) => [...cachedAccounts(cache).byId.keys()][0] ?? '');
const secrets = async (): Promise<string[]> =>
  (await shown.own()).read((cache) => cache.find('RefreshToken').map(({ secret }) => secret));

/** Locks the app as its start does, lets the provider answer, and unlocks. */
async function lockAndUnlock(): Promise<void> {
  const vault = await shown.own();
  const locking = shown.lock(new AwayError(), signing.idle());
  await expect(shown.vault()).rejects.toThrow(AwayError);
  answer();
  await locking;
  await expect(vault.read(() => undefined)).rejects.toMatchObject({ code: 'vault_closed' });
  await shown.showOwn();
}

it('a refresh that is under way keeps its new refresh token, and tells what it did', async () => {
  held = '/token';
  const id = await accountId();
  const refreshing = signing.handlers.refreshNow(null, id, null);
  await asked;
  await lockAndUnlock();
  expect(await refreshing).toEqual({ refreshed: 1, problem: null });
  expect(await secrets()).toEqual(['rotated']);
});

it.each(['/openid-configuration', '/revoke'])(
  'a sign-out that waits for the provider at %s is done, and has a receipt',
  async (path) => {
    held = path;
    const leaving = signing.handlers.signOut(null, [await accountId()], {
      ...{ vault: true, revoke: true, endSession: false, places: [] },
    });
    await asked;
    await lockAndUnlock();
    const report = await leaving;
    expect(report).toMatchObject({ receipts: [{ remaining: 0 }], revoked: { count: 1, pending: 0 } });
    expect(revoked).toEqual(['refresh of noor']);
    expect(await secrets()).toEqual([]);
    expect(await signing.handlers.signOuts(null)).toEqual([report]);
  },
);
