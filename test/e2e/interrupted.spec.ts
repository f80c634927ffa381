/** The app is ended, or its clock is set, in the middle of its work. What the vault has is whole, whenever that was. */
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import { accountsOf, importDocument, test, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';

const ACCOUNTS = 1_000;

const countIn = async (window: Page): Promise<string | undefined> =>
  /\d+ accounts/.exec(await window.getByRole('contentinfo').innerText())?.[0];

test('a signal in the middle of an import leaves all of it or nothing', async ({ keyring, start }) => {
  test.setTimeout(120_000);
  const folder = join(keyring.env['HOME']!, 'documents');
  mkdirSync(folder);
  /** Each document has the accounts of the one before, and more. */
  const documentWith = (accounts: number): string => {
    const document = join(folder, `${accounts}.json`);
    writeFileSync(document, manyAccounts(accounts, Math.floor(Date.now() / 1000)));
    return document;
  };
  const file = vaultFile(keyring.env);
  const counts = async (): Promise<number> =>
    existsSync(file) ? ((await peek(keyring.env, file)).entities['Account']?.length ?? -1) : 0;
  let before = 0;
  for (const [index, signal] of (['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGINT'] as const).entries()) {
    const accounts = ACCOUNTS + 100 * index;
    await test.step(signal, async () => {
      const { app, window } = await start(['--import', documentWith(accounts)]);
      const child = app.process();
      const ended = once(child, 'exit');
      const begin = window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true });
      await begin.click({ noWaitAfter: true });
      child.kill(signal);
      await ended;
      const after = await counts();
      expect([before, accounts]).toContain(after);
      before = after;
    });
  }
  const { window, quit } = await start(['--import', documentWith(2 * ACCOUNTS)]);
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await expect(window.getByRole('contentinfo')).toContainText('2,000 accounts');
  await quit();
  expect(await counts()).toBe(2 * ACCOUNTS);
});

test('a clock that jumps ten years, forth and back, costs nothing', async ({ keyring, start }) => {
  const started = await start();
  const { app, window, quit } = started;
  const jump = async (years: number): Promise<void> => {
    const shift = (by: number): void => {
      const clock = globalThis as { ownNow?: () => number };
      const own = (clock.ownNow ??= Date.now.bind(Date));
      Date.now = () => own() + by;
    };
    const milliseconds = years * 365 * 86_400_000;
    await app.evaluate((_electron, by) => {
      const clock = globalThis as { ownNow?: () => number };
      const own = (clock.ownNow ??= Date.now.bind(Date));
      Date.now = () => own() + by;
    }, milliseconds);
    await window.evaluate(shift, milliseconds);
  };
  const documents = ['msal-python-aad-several', 'msal-node-7-adfs', 'msal-python-oidc'];
  for (const [index, years] of [10, -10, 0].entries()) {
    await jump(years);
    await importDocument(started, vector('documents', `${documents[index]}.json`));
    await expect(window.getByText('Encrypted')).toBeVisible();
    expect(await window.evaluate('tokenCache.verify().then(({ ok }) => ok)')).toBe(true);
  }
  const shown = await countIn(window);
  expect(shown).toMatch(/^\d+ accounts$/);
  await quit();
  expect((await peek(keyring.env, vaultFile(keyring.env))).state).toBe('ready');
  const again = await start();
  await expect(accountsOf(again.window)).toBeVisible();
  expect(await countIn(again.window)).toBe(shown);
  await again.quit();
});
