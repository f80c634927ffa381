/** The Security and the Health page, with a real keyring and a real file. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import {
  answerDialogs,
  fileDialogAnswered,
  importDocument,
  showPage,
  test,
  vaultFile,
  vector,
} from './app.ts';
import { peek, seed } from './library.ts';
import { troubledDocument } from './troubled.ts';

const SEVERAL = vector('documents', 'msal-python-aad-several.json');
const PASSPHRASE = 'orbit velvet canyon mustard ladder';

const passphraseField = (window: Page) => window.getByRole('textbox', { name: 'Passphrase', exact: true });

test('verifies, replaces the key so that an older copy is closed, and verifies again', async ({
  keyring,
  start,
}) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const older = readFileSync(file);
  const { window, quit } = await start();
  await showPage(window, 'Security');
  await expect(window.getByRole('heading', { name: 'Encrypted on this computer' })).toBeVisible();
  await window.getByRole('button', { name: 'Verify now' }).click();
  await expect(window.getByText('File verified: complete and unchanged')).toBeVisible();
  await expect(window.getByText('both copies intact')).toBeVisible();

  await window.getByRole('button', { name: 'Rotate key…' }).click();
  await window.getByRole('dialog').getByRole('button', { name: 'Rotate key', exact: true }).click();
  await expect(window.getByRole('dialog').getByText(/^Destroyed/)).toBeVisible();
  await window.getByRole('button', { name: 'Done' }).click();
  await expect(window.getByText('slot a is empty, for the next key')).toBeVisible();
  const fresh = readFileSync(file);
  expect([older[40], fresh[40]]).toEqual([0, 1]); // FORMAT.md: the key slot
  await quit();
  expect((await peek(keyring.env, file)).entities['Account']).toHaveLength(5);
});

test('exports what another computer imports, with the passphrase and only with it', async ({
  keyring,
  start,
}) => {
  test.setTimeout(180_000); // the key of a passphrase takes seconds, on purpose, and is derived four times
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const target = join(keyring.env['HOME'] ?? '', 'mine.age');
  const first = await start();
  await showPage(first.window, 'Security');
  await first.window.getByRole('button', { name: 'Export…' }).click();
  const again = first.window.getByRole('textbox', { name: 'Confirm passphrase' });
  const choose = first.window.getByRole('button', { name: 'Choose location…' });
  await passphraseField(first.window).fill('too short');
  await again.fill('too short');
  await expect(choose).toBeDisabled();
  await passphraseField(first.window).fill(PASSPHRASE);
  await again.fill(PASSPHRASE);
  await answerDialogs(first.app, { agree: true }); // the dialog is dismissed
  await choose.click();
  await fileDialogAnswered(first.app);
  await expect(choose).toBeEnabled();
  await answerDialogs(first.app, { agree: true, target });
  await choose.click();
  await expect(first.window.getByRole('heading', { name: 'Exported' })).toBeVisible({ timeout: 60_000 });
  await expect(first.window.getByText('5 accounts')).not.toHaveCount(0);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readFileSync(target).subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  await first.window.getByRole('button', { name: 'Done' }).click();
  expect(await first.window.content()).not.toContain(PASSPHRASE);
  await first.quit();
  expect(first.output.join('')).not.toContain(PASSPHRASE);

  const second = await start([`--user-data-dir=${join(keyring.env['HOME'] ?? '', 'another')}`]);
  await answerDialogs(second.app, { agree: true, file: target });
  await second.window.getByRole('button', { name: 'Import a cache document…' }).click();
  const field = second.window.getByRole('textbox', { name: 'Passphrase of the export' });
  await field.fill('something else');
  await second.window.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(second.window.getByText(/The passphrase does not open/)).toBeVisible({ timeout: 60_000 });
  await expect(field).toBeFocused();
  await field.fill(PASSPHRASE);
  await second.window.keyboard.press('Enter');
  const plan = second.window.getByRole('dialog', { name: 'Import this document?' });
  await expect(plan.getByText('5 new accounts')).toBeVisible({ timeout: 60_000 });
  await plan.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(second.window.getByRole('option')).toHaveCount(5);
  await second.quit();
});

test('shows problems, repairs them in one change, and undoes the repair', async ({ keyring, start }) => {
  const started = await start();
  const { window, quit } = started;
  await importDocument(started, troubledDocument(keyring.env['HOME'] ?? ''));
  const entries = async () => {
    const { entities } = await peek(keyring.env, vaultFile(keyring.env));
    return entities['AccessToken']!.length;
  };
  const before = await entries();
  await showPage(window, 'Health');
  await expect(window.getByRole('region', { name: 'Tokens without an account' })).toBeVisible();
  await window.getByRole('button', { name: 'Repair all…' }).click();
  await expect(
    window.getByRole('group', { name: 'Changes' }).getByText('Access token').first(),
  ).toBeVisible();
  expect(await entries()).toBe(before);
  await window.getByRole('dialog').getByRole('button', { name: 'Repair', exact: true }).click();
  await expect(window.getByRole('region', { name: 'Tokens without an account' })).toHaveCount(0);
  expect(await entries()).toBeLessThan(before);
  await window.getByRole('button', { name: 'Undo' }).click();
  await expect(window.getByRole('region', { name: 'Tokens without an account' })).toBeVisible();
  expect(await entries()).toBe(before);
  await quit();
});

test('can be reached and used by keyboard alone, locked as well', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), SEVERAL);
  await keyring.lock();
  const { window, quit } = await start();
  await expect(window.getByRole('heading', { name: 'The keychain is locked' })).toBeVisible();
  const security = window
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('button', { name: 'Security' });
  await security.focus();
  await window.keyboard.press('Enter');
  await expect(security).toHaveAttribute('aria-current', 'page');
  await expect(window.getByRole('heading', { name: 'The keychain is locked' })).toBeVisible();
  for (const name of ['Rotate key…', 'Export…']) {
    await expect(window.getByRole('button', { name })).toBeDisabled();
  }
  await keyring.unlock();
  await window.getByRole('button', { name: 'Retry' }).focus();
  await window.keyboard.press('Enter');
  await expect(window.getByRole('heading', { name: 'Encrypted on this computer' })).toBeVisible();
  await expect(window.getByRole('button', { name: 'Rotate key…' })).toBeEnabled();
  await quit();
});
