/** The app beside a real provider: its network trusts the provider, and its browser is a program that fills in forms. */
import { X509Certificate } from 'node:crypto';
import { expect } from '@playwright/test';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { browser } from '../support/browser.ts';
import { answerDialogs, type Started, test as base } from './app.ts';

export const test = base.extend<{ provider: RunningProvider }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures are used from the pattern.
  provider: async ({}, use) => {
    const provider = await startProvider({ deviceInterval: 1 });
    await use(provider);
    await provider.stop();
  },
});

/** Makes the app's network trust the provider's authority, and replaces its browser. Nothing else is replaced. */
export async function meet(
  { app }: Started,
  provider: RunningProvider,
): Promise<{ opened: () => Promise<string[]> }> {
  const fingerprint = new X509Certificate(provider.identity.cert).fingerprint256;
  await app.evaluate(({ session, shell }, trusted) => {
    const crypto = process.getBuiltinModule('node:crypto');
    session.fromPartition('sign-in', { cache: false }).setCertificateVerifyProc((request, answer) => {
      const { fingerprint256 } = new crypto.X509Certificate(request.certificate.data);
      answer(request.hostname === 'localhost' && fingerprint256 === trusted ? 0 : -3);
    });
    const opened: string[] = [];
    Object.assign(globalThis, { openedInBrowser: opened });
    Object.assign(shell, {
      openExternal: (url: string) => {
        opened.push(url);
        return Promise.resolve();
      },
    });
  }, fingerprint);
  return {
    opened: () =>
      app.evaluate(() => (globalThis as unknown as { openedInBrowser: string[] }).openedInBrowser),
  };
}

/** Like a user who allows the provider when the main process asks. */
export async function addProfile(
  { app, window }: Started,
  provider: RunningProvider,
  clientId = 'desktop-app',
): Promise<void> {
  await window.getByRole('button', { name: 'Sign in…' }).click();
  const dialog = window.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'OpenID Connect provider' }).check();
  await dialog.getByLabel('Issuer').fill(provider.issuer);
  await dialog.getByLabel('Client ID').fill(clientId);
  await dialog.getByLabel('Scopes').fill('profile email offline_access orders.read');
  await dialog.getByLabel('Name').fill('Example');
  const asked = await answerDialogs(app, { agree: true });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  expect(await asked()).toEqual([expect.stringContaining(new URL(provider.issuer).host)]);
}

/** Adds the provider's profile. A simulated user then visits the pages that the app opens in the browser. */
export async function begin(started: Started, provider: RunningProvider, clientId?: string) {
  const at = browser(trustingFetch(provider.ca));
  const { opened } = await meet(started, provider);
  await addProfile(started, provider, clientId);
  let seen = 0;
  /** Returns the next page that the app opens in the browser. */
  const page = async (): Promise<string> => {
    await expect.poll(async () => (await opened()).length).toBeGreaterThan(seen);
    return (await opened())[seen++]!;
  };
  return { at, page };
}
