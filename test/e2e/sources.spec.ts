/** Other programs' sign-ins on this computer, in the real app: found, opened, followed, and signed out. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { accessLog } from '../support/access-log.ts';
import { storedItem, storeItem } from '../support/keyring-items.ts';
import { answerDialogs, providersAsked, showList, test, vector } from './app.ts';

/** Writes a document to the place of Azure CLI's cache. */
function azureCache(env: Record<string, string>, document: string): string {
  const folder = join(env['HOME'] ?? '', '.azure');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'msal_token_cache.json');
  writeFileSync(file, readFileSync(vector('documents', document)));
  return file;
}

test('the cache of another program is opened on request, followed, and an account signed out there', async ({
  keyring,
  start,
}) => {
  const file = azureCache(keyring.env, 'msal-python-aad-several.json');
  const before = readFileSync(file, 'utf8');

  // The kernel reports when a file is opened.
  const log = await accessLog([file]);
  const { app, window, quit } = await start();
  await window.getByRole('button', { name: 'Find caches' }).click();
  await expect(window.getByRole('heading', { name: /found on this computer$/ })).toBeVisible();
  await log.settle();
  expect(log.opened()).toEqual([]);
  await window.getByRole('button', { name: 'Open Azure CLI' }).click();
  await showList(window);
  await log.settle();
  expect(log.opened()).toEqual([file]);
  await log.close();
  await expect(window.getByRole('region', { name: 'Sources' })).toContainText('Azure CLI');
  await expect(window.getByText('Azure CLI').first()).toBeVisible();

  // A token of the program is copied only after the main process has asked, naming the program.
  const asked = await answerDialogs(app, { agree: false });
  await window.getByRole('button', { name: 'Copy…', exact: true }).click();
  await expect.poll(async () => (await asked()).join()).toContain('From the cache of: Azure CLI');

  const name = (await window.getByRole('heading', { level: 1 }).textContent()) ?? '';
  await window.getByRole('button', { name: 'Sign out…' }).click();
  const question = window.getByRole('alertdialog');
  await expect(question).toContainText('~/.azure/msal_token_cache.json');
  await providersAsked(question);
  await question.getByRole('checkbox', { name: /^Microsoft, on all devices/ }).uncheck();
  await question.getByRole('button', { name: 'Sign out of 1 place' }).click();
  const receipt = window.getByRole('dialog');
  await expect(receipt).toContainText(`${name}: signed out of Azure CLI`);
  await expect(receipt).toContainText('Left: none (checked again).');
  const after = readFileSync(file, 'utf8');
  expect(after.length).toBeLessThan(before.length);
  await receipt.getByRole('button', { name: 'Done' }).click();
  await expect(window.getByRole('option', { name: new RegExp(`^${name}`) })).toHaveCount(0);

  // The program signs everyone out: the window follows.
  writeFileSync(file, '{}');
  await expect(window.getByRole('heading', { name: /found on this computer$/ })).toBeVisible();
  await expect(window.getByText('Nobody signed in')).toBeVisible();
  await quit();
});

test('the sign-out of an imported account says which program keeps its own copy, and where', async ({
  keyring,
  start,
}) => {
  const file = azureCache(keyring.env, 'msal-python-aad-single.json');
  const text = readFileSync(file, 'utf8');
  const says =
    'Only Tokenkeep’s copy is removed. Azure CLI keeps its own copy in ~/.azure/msal_token_cache.json.';

  const { window, quit } = await start(['--import', file]);
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await showList(window);
  await window.getByRole('button', { name: 'Sign out…' }).click();
  const question = window.getByRole('alertdialog');
  await expect(question).toContainText(says);
  await providersAsked(question);
  for (const box of await question.getByRole('checkbox', { name: /revoke|browser/ }).all())
    await box.uncheck();
  await question.getByRole('button', { name: 'Sign out', exact: true }).click();
  const receipt = window.getByRole('dialog');
  await expect(receipt).toContainText('None (checked again)');
  await expect(receipt).toContainText(says);
  expect(readFileSync(file, 'utf8')).toBe(text);
  await receipt.getByRole('button', { name: 'Done' }).click();
  await quit();
});

test('a cache in the keyring is opened after a question, and an account signed out of its item', async ({
  keyring,
  start,
}) => {
  const folder = join(keyring.env['HOME'] ?? '', '.azure');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'msal_token_cache.sig'), '');
  const item = ['xdg:schema=Microsoft Azure CLI', 'type=Token cache'];
  const text = readFileSync(vector('documents', 'msal-python-aad-several.json'), 'utf8');
  storeItem(keyring.env, 'Azure CLI', text, item);

  const { app, window, quit } = await start();
  await window.getByRole('button', { name: 'Find caches' }).click();
  const asked = await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Open Azure CLI' }).click();
  await expect.poll(async () => (await asked()).join()).toContain('It is in the system keyring');
  await showList(window);
  await window.getByRole('button', { name: 'Sign out…' }).click();
  const question = window.getByRole('alertdialog');
  await providersAsked(question);
  await question.getByRole('checkbox', { name: /^Microsoft, on all devices/ }).uncheck();
  await question.getByRole('button', { name: 'Sign out of 1 place' }).click();
  await expect(window.getByRole('dialog')).toContainText('Left: none (checked again).');
  expect(storedItem(keyring.env, item).length).toBeLessThan(text.length);
  await window.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await quit();
});
