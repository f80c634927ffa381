// An older file put back, a copy, and deleting the vault: each choice is asked in a dialog of the main process.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from '@playwright/test';
import {
  accountsOf,
  answerDialogs,
  importDocument,
  profileFolder,
  showPage,
  test,
  vaultFile,
  vector,
} from './app.ts';
import { peek, seed } from './library.ts';

const DOCUMENT = vector('documents', 'msal-python-aad-single.json');
const OTHER = vector('documents', 'msal-node-7-adfs.json');
const USER = 'avery.howard@contoso.example';
const LATER = 'lee.park';

/** As a backup or sync tool does: replaces the file in one step. */
function putBack(bytes: string, file: string): void {
  copyFileSync(bytes, `${file}-put`);
  renameSync(`${file}-put`, file);
}

test('an older file put back while it runs: keeps its accounts, or uses the file', async ({
  keyring,
  start,
}) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, DOCUMENT);
  const older = join(profileFolder(keyring.env), 'backup');
  copyFileSync(file, older);
  const started = await start();
  const { app, window, quit } = started;
  await importDocument(started, OTHER);
  await expect(accountsOf(window)).toContainText(LATER);

  putBack(older, file);
  const banner = window.getByRole('region', { name: 'An older file was put in place' });
  await expect(banner).toBeVisible();
  await expect(accountsOf(window)).toContainText(LATER);
  const declined = await answerDialogs(app, { agree: false });
  await banner.getByRole('button', { name: 'Keep mine…' }).click();
  await expect.poll(declined).toHaveLength(1);
  await expect(banner).toBeVisible();
  await banner.getByRole('button', { name: 'Compare' }).click();
  const versions = window.getByRole('region', { name: 'Which version is right?' });
  await expect(versions.getByRole('row', { name: 'Only here' })).toContainText(LATER);
  await expect(versions.getByRole('row', { name: /^Accounts/ })).toHaveText('Accounts21');
  await expect(banner.getByRole('button', { name: 'Compare' })).toBeHidden();
  await answerDialogs(app, { agree: true });
  await banner.getByRole('button', { name: 'Keep mine…' }).click();
  await expect(versions).toBeHidden();
  await expect(banner).toBeHidden();
  await expect(window.getByText('Encrypted', { exact: true })).toBeVisible();
  expect(readdirSync(profileFolder(keyring.env)).filter((name) => name.includes('.older-'))).toHaveLength(1);

  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  putBack(older, file);
  await banner.getByRole('button', { name: 'Use the file…' }).click();
  await expect(banner).toBeHidden();
  await expect(accountsOf(window)).toContainText(USER);
  await expect(accountsOf(window)).not.toContainText(LATER);
  await quit();
});

test('a copy is read only until it is made independent of the original', async ({ keyring, start }) => {
  const original = join(mkdtempSync(join(tmpdir(), 'tokenkeep-original-')), 'accounts.vault');
  const file = vaultFile(keyring.env);
  await seed(keyring.env, original, DOCUMENT);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(original, file);
  const { app, window, quit } = await start();
  const banner = window.getByRole('region', { name: 'This vault is a copy' });
  await expect(banner).toBeVisible();
  await expect(accountsOf(window)).toContainText(USER);
  await answerDialogs(app, { agree: true });
  await banner.getByRole('button', { name: 'Make independent…' }).click();
  await expect(banner).toBeHidden();
  await expect(accountsOf(window)).toContainText(USER);
  await quit();
  expect((await peek(keyring.env, original)).state).toBe('ready');
  expect((await peek(keyring.env, file)).state).toBe('ready');
});

test('the vault is deleted, with its key', async ({ keyring, start }) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, DOCUMENT);
  const before = readFileSync(file);
  const { app, window, quit } = await start();
  await expect(accountsOf(window)).toContainText(USER);
  await showPage(window, 'Security');
  const declined = await answerDialogs(app, { agree: false });
  await window.getByRole('button', { name: 'Delete vault…' }).click();
  await expect.poll(declined).toHaveLength(1);
  expect(readFileSync(file).equals(before)).toBe(true);
  await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Delete vault…' }).click();
  await expect(window.getByText('Vault deleted, and its encryption key too.')).toBeVisible();
  expect(existsSync(file)).toBe(false);
  await expect(window.getByRole('button', { name: 'Delete vault…' })).toBeDisabled();
  await quit();
});
