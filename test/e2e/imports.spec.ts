import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { type Started, chooseToImport, importDocument, showPage, test, vector } from './app.ts';

const DOCUMENT = vector('documents', 'msal-python-aad-single.json');

/** Returns the message that the window shows for a file that can't be imported, and closes it. */
async function refusal(started: Started, file: string): Promise<string> {
  await chooseToImport(started, file);
  const dialog = started.window.getByRole('alertdialog');
  const sentence = await dialog.getByRole('paragraph').innerText();
  await dialog.getByRole('button', { name: 'Close' }).click();
  return sentence.replaceAll(/[\u2068\u2069]/g, '');
}

test('each kind of wrong file gets its own sentence, and nothing is merged', async ({ keyring, start }) => {
  const started = await start();
  await importDocument(started, DOCUMENT);
  const folder = join(keyring.env['HOME']!, 'documents');
  mkdirSync(folder);
  const large = join(folder, 'large.json');
  writeFileSync(large, '');
  truncateSync(large, 200 * 1024 * 1024);

  expect(await refusal(started, folder)).toContain('is a folder');
  expect(await refusal(started, large)).toContain('has 200 MB');
  expect(await refusal(started, join(folder, 'nowhere.json'))).toContain('is not there. ');
  expect(await refusal(started, vector('hostile', 'empty-file.json'))).toContain('is empty');
  expect(await refusal(started, vector('hostile', 'half-written.json'))).toContain(
    'cut off while it was written',
  );
  expect(await refusal(started, vector('hostile', 'utf-16.json'))).toContain('UTF-16');
  expect(await refusal(started, vector('hostile', 'zeroes.json'))).toContain('not a text file');
  expect(await refusal(started, vector('hostile', 'root-array.json'))).toContain('not a cache document');
  writeFileSync(join(folder, 'closed.json'), '{}', { mode: 0 });
  expect(await refusal(started, join(folder, 'closed.json'))).toContain('no permission');

  await expect(started.window.getByRole('option')).toHaveCount(1);
  await started.quit();
});

test('a hostile document shows as text and runs nothing', async ({ start }) => {
  const started = await start();
  const { window, output, quit } = started;
  await importDocument(started, vector('hostile', 'markup-in-names.json'));
  // Six or more accounts are shown in the overview first. Enter opens an account, and the list beside it has all accounts.
  const table = window.getByRole('grid', { name: 'Accounts' });
  await expect(table).toContainText('<');
  await table.focus();
  await window.keyboard.press('Enter');
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toContainText('<');
  for (const option of await window.getByRole('option').all()) {
    await option.click();
    await expect(window.getByRole('heading', { level: 1 })).toBeVisible();
  }
  expect(await window.locator('img[src="x"], script:not([src]), iframe').count()).toBe(0);
  expect(output.join('\n')).not.toMatch(/Refused to|violates|Uncaught/);
  await quit();
});

test('a file dropped on Inspect: a token is inspected, a document imported, a folder, binary or huge file refused', async ({
  keyring,
  start,
}) => {
  const { window, quit } = await start();
  await showPage(window, 'Inspect');
  const devtools = await window.context().newCDPSession(window);
  const drop = async (file: string) => {
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await devtools.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  };
  const folder = keyring.env['HOME']!;
  const saved = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'RS256' })}.${part({ iss: 'https://id.example/', exp: 1_700_000_000 })}.c2ln`;
  const field = window.getByRole('textbox', { name: 'Token' });
  const dialog = window.getByRole('dialog').or(window.getByRole('alertdialog'));

  await drop(saved('response.json', JSON.stringify({ access_token: token, token_type: 'Bearer' })));
  await expect(window.getByRole('region', { name: 'Assessment' })).toContainText(/Expired .* ago/);
  await expect(dialog).toHaveCount(0);

  await drop(DOCUMENT);
  await expect(dialog).toContainText('written by MSAL Python');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  const binary = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) % 256);
  const huge = `${'x'.repeat(300_000)} ${token}`;
  for (const file of [saved('picture.png', binary), saved('huge.log', huge), folder]) {
    await drop(file);
    await expect(dialog.getByRole('button', { name: 'Close' })).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toHaveCount(0);
  }
  // The token is still there: what can't be read takes nothing away.
  await expect(field).toHaveValue(/access_token/);

  await test.step('a file that is opened from the keyboard, in UTF-16 as PowerShell writes it', async () => {
    const utf16 = Buffer.from(`\ufeff${JSON.stringify({ id_token: token })}`, 'utf16le');
    const open = async (file: string) => {
      const asked = window.waitForEvent('filechooser');
      await window.getByRole('button', { name: 'Open file…' }).press('Enter');
      await (await asked).setFiles(file);
    };
    await open(saved('from-powershell.json', utf16));
    await expect(field).toHaveValue(/^\{"id_token"/);
    await expect(window.getByRole('region', { name: 'Assessment' })).toContainText(/Expired .* ago/);
    await open(join(folder, 'huge.log'));
    await expect(window.getByRole('main')).toContainText('The text has more than 250,000 characters');
  });
  await quit();
});

test('a document dropped on the first screen is planned, not merged, and a saved token opens Inspect', async ({
  keyring,
  start,
}) => {
  const { window, quit } = await start();
  await window.getByRole('button', { name: 'Import a cache document…' }).waitFor();
  const devtools = await window.context().newCDPSession(window);
  const drop = async (file: string) => {
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await devtools.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  };
  await drop(DOCUMENT);
  const plan = window.getByRole('dialog');
  await expect(plan).toContainText('msal-python-aad-single.json');
  await expect(plan).toContainText('written by MSAL Python');
  await plan.getByRole('button', { name: 'Cancel' }).click();
  await expect(window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
  const response = join(keyring.env['HOME']!, 'response.json');
  writeFileSync(response, '{"token_type":"Bearer","access_token":"opaque-token"}');
  await drop(response);
  await expect(window.getByRole('textbox', { name: 'Token' })).toHaveValue(/opaque-token/);
  await quit();
});
