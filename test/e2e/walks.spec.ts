/** Three people on their way through the whole app: a developer, a consultant and a private user. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { manyAccounts } from '../ipc/many.ts';
import { browser } from '../support/browser.ts';
import { answerDialogs, importDocument, providersAsked, showPage, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';
import { addProfile, meet, test } from './provider.ts';

test('a developer, whose API answers 401, finds the token, sees why, refreshes it and copies a curl command', async ({
  start,
  provider,
}) => {
  const started = await start();
  const { app, window, quit } = started;
  const { opened } = await meet(started, provider);
  await addProfile(started, provider);
  await window.getByRole('button', { name: 'Continue in your browser' }).click();
  await expect.poll(async () => (await opened()).length).toBe(1);
  await browser(trustingFetch(provider.ca)).visit((await opened())[0]!, { user: 'noor' });
  await expect(window.getByText('Noor Haddad is signed in.')).toBeVisible();

  // Finds the token by the scope that the API requires.
  await window.getByRole('searchbox').fill('orders.read');
  await expect(window.getByRole('status').filter({ hasText: '1 of 1' })).toBeAttached();
  const row = window
    .getByRole('grid', { name: 'Tokens' })
    .getByRole('row')
    .filter({ hasText: 'orders.read' })
    .first();
  await row.click();
  const panel = window.getByRole('complementary', { name: 'Token' });
  await expect(panel.getByText('Issuer', { exact: false }).first()).toBeVisible();
  const asked = await answerDialogs(app, { agree: true });
  await panel.getByRole('button', { name: 'Check signature…' }).click();
  await expect(panel).toContainText('Signature valid');

  // The token that the API got: pasted from a log, expired an hour ago.
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const old = `${part({ alg: 'RS256' })}.${part({ aud: 'orders', exp: Math.floor(Date.now() / 1000) - 3600 })}.c2ln`;
  await showPage(window, 'Inspect');
  await window.getByRole('textbox', { name: 'Token' }).fill(`Authorization: Bearer ${old}`);
  await expect(window.getByRole('region', { name: 'Assessment' })).toContainText('Expired 1 h ago');

  await window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Accounts' }).click();
  await window.getByRole('button', { name: 'Refresh now' }).click();
  await expect(window.getByText('1 access token refreshed.')).toBeVisible();
  await row.click({ button: 'right' });
  await window.getByRole('menuitem', { name: 'curl command…' }).click();
  await expect(window.getByText('curl command copied.')).toBeVisible();
  expect((await asked()).at(-1)).toContain('Don’t ask again for five minutes');
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toMatch(/^curl .*Bearer /s);
  // Removes the token by keyboard.
  await window.keyboard.press('Escape');
  await window.getByRole('grid', { name: 'Tokens' }).focus();
  await window.keyboard.press('Shift+F10');
  await window.getByRole('menuitem', { name: 'Remove this token…' }).click();
  await expect(window.getByText('1 token removed.')).toBeVisible();
  await quit();
});

test('a consultant sees who is signed in in 20 tenants, signs four out, and keeps the receipt', async ({
  keyring,
  start,
}) => {
  const started = await start();
  const { app, window, quit } = started;
  const folder = join(keyring.env['HOME']!, 'documents');
  mkdirSync(folder);
  const file = join(folder, 'customers.json');
  writeFileSync(file, manyAccounts(20, Math.floor(Date.now() / 1000)));
  await importDocument(started, file);
  await expect(window.getByText('20 in 20 tenants')).toBeVisible();
  const table = window.getByRole('grid', { name: 'Accounts' });

  // Names a customer, and exports the list for a colleague.
  await window.getByRole('button', { name: 'Tenant', exact: true }).click();
  await window.getByRole('menuitem', { name: 'tenant-7.example' }).click();
  await window.getByRole('button', { name: 'Name tenant…' }).click();
  await window.getByRole('textbox', { name: 'Name' }).fill('Customer seven');
  await window.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(table).toContainText('Customer seven');
  await window.getByRole('button', { name: 'Tenant: Customer seven' }).click();
  await window.getByRole('menuitem', { name: 'All tenants' }).click();
  const list = join(folder, 'accounts.csv');
  await answerDialogs(app, { agree: true, target: list });
  await window.getByRole('button', { name: 'Save list…' }).click();
  await expect(window.getByText('20 accounts saved to accounts.csv, without tokens.')).toBeVisible();
  const saved = readFileSync(list, 'utf8');
  expect(saved.trimEnd().split('\r\n')).toHaveLength(21);
  expect(saved).toContain('"Customer seven"');
  expect(saved).not.toMatch(/eyJ|secret/);

  await table.focus();
  await window.keyboard.press('Home');
  await window.keyboard.press(' ');
  for (let more = 0; more < 3; more++) await window.keyboard.press('Shift+ArrowDown');
  await window.getByRole('button', { name: 'Sign out 4…' }).click();
  const question = window.getByRole('alertdialog');
  await providersAsked(question);
  const revoke = question.getByRole('checkbox', { name: /revoke/i });
  for (const box of await revoke.all()) await box.uncheck(); // no provider can be reached from here
  await question.getByRole('button', { name: /^Sign out/ }).click();
  await expect(window.getByRole('dialog')).toContainText(/4 accounts/);
  await expect(window.getByRole('button', { name: 'Done' })).toBeFocused();
  await window.keyboard.press('Escape');
  await expect(window.getByText('16 in 16 tenants')).toBeVisible();
  await showPage(window, 'Activity');
  await expect(window.getByRole('listitem').filter({ hasText: 'Receipt' }).first()).toContainText(
    '4 accounts',
  );

  // The item in the menu bar is the user's choice; with it the app stays without a window.
  await window.getByRole('banner').getByRole('button', { name: /^More/ }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('switch', { name: /^Show in the/ }).check();
  await expect(window.getByRole('switch', { name: 'Notify before an account expires' })).toBeChecked();
  await window.close();
  const again = app.waitForEvent('window');
  await started.startAgain([]);
  await expect((await again).getByText('16 in 16 tenants')).toBeVisible();
  expect((await peek(keyring.env, vaultFile(keyring.env))).entities['Account']).toHaveLength(16);
  await quit();
});

test('a private user installs it, understands it, trusts it, and leaves without a trace', async ({
  keyring,
  start,
}) => {
  const started = await start();
  const { app, window, quit } = started;
  for (const way of ['Find caches', 'Sign in…', 'Open sample data'])
    await expect(window.getByRole('main').getByRole('button', { name: way })).toBeVisible();
  await window.getByRole('button', { name: 'Open sample data' }).click();
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toContainText('Ada Marsh');
  await window.getByRole('button', { name: 'Leave sample data' }).click();
  await expect(window.getByRole('button', { name: 'Find caches' })).toBeVisible();
  expect(existsSync(vaultFile(keyring.env))).toBe(false);

  await importDocument(started, vector('documents', 'msal-python-aad-several.json'));
  // Started by the system at login, until the vault is deleted.
  const atLogin = join(keyring.env['HOME'] ?? '', '.config', 'autostart', 'tokenkeep.desktop');
  await window.getByRole('banner').getByRole('button', { name: /^More/ }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('switch', { name: 'Start at login' }).check();
  await expect.poll(() => existsSync(atLogin)).toBe(true);

  await showPage(window, 'Security');
  await expect(window.getByRole('main')).toContainText('Protected against');
  const asked = await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Delete vault…' }).click();
  await expect(window.getByText('Vault deleted, and its encryption key too.')).toBeVisible();
  expect(existsSync(vaultFile(keyring.env))).toBe(false);
  expect((await asked()).at(-1)).toContain('Tokenkeep will no longer start when you log in.');
  expect(existsSync(atLogin)).toBe(false);
  await quit();
});
