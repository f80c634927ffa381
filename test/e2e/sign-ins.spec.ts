import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@playwright/test';
import { accountsOf, importDocument, providersAsked, showList, test, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';

const PYTHON = vector('documents', 'msal-python-aad-several.json');
const NODE = vector('documents', 'msal-node-7-adfs.json');

const usersIn = (file: string): { home_account_id: string; username: string }[] =>
  Object.values(
    (
      JSON.parse(readFileSync(file, 'utf8')) as {
        Account: Record<string, { home_account_id: string; username: string }>;
      }
    ).Account,
  );

test('sign-ins of MSAL Python and MSAL Node stay until they are signed out, and then they are gone', {
  tag: '@packaged',
}, async ({ keyring, start }) => {
  const users = [...usersIn(PYTHON), ...usersIn(NODE)];
  const leaving = users[0]!;

  await test.step('a first start tells what this is, and both documents are imported', async () => {
    const first = await start();
    await expect(first.window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
    await importDocument(first, PYTHON);
    await importDocument(first, NODE);
    const list = accountsOf(first.window);
    for (const { username } of users) await expect(list).toContainText(username);
    await expect(first.window.getByText('Encrypted')).toBeVisible();
    await first.quit();
  });

  await test.step('after a restart both are there, and one signs out', async () => {
    const second = await start();
    for (const { username } of users) await expect(accountsOf(second.window)).toContainText(username);
    await showList(second.window);
    const list = second.window.getByRole('listbox', { name: 'Accounts' });
    await list.getByRole('option').filter({ hasText: leaving.username }).click();
    await second.window.getByRole('button', { name: 'Sign out…' }).click();
    const question = second.window.getByRole('alertdialog');
    await expect(question).toContainText('access token');
    await providersAsked(question);
    await question.getByRole('button', { name: 'Sign out', exact: true }).click();
    const receipt = second.window.getByRole('dialog');
    await expect(receipt).toContainText('None (checked again)');
    await expect(receipt).toContainText(/Old key.*destroyed/is);
    await receipt.getByRole('button', { name: 'Done' }).click();
    await expect(list).not.toContainText(leaving.username);
    await second.quit();
  });

  await test.step('after another restart it is still gone, and the others are there', async () => {
    const third = await start();
    const list = accountsOf(third.window);
    for (const { username } of users.filter((user) => user !== leaving))
      await expect(list).toContainText(username);
    await expect(list).not.toContainText(leaving.username);
    await third.quit();
  });

  await test.step('the file holds no byte of it, sealed or open', async () => {
    const file = vaultFile(keyring.env);
    const { state, entities } = await peek(keyring.env, file);
    expect(state).toBe('ready');
    expect(entities['Account']!.length).toBe(users.length - 1);
    expect(entities['RefreshToken']!.length).toBeGreaterThan(0);
    const text = JSON.stringify(entities).toLowerCase();
    const raw = readFileSync(file, 'latin1');
    for (const secret of bytesOf(leaving.home_account_id)) {
      expect(text).not.toContain(secret.toLowerCase());
      expect(raw).not.toContain(secret);
    }
  });

  await test.step('nothing beside the file names a user or holds a token either', () => {
    const folder = dirname(vaultFile(keyring.env));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(2);
    const documents = [PYTHON, NODE].map((document) => JSON.parse(readFileSync(document, 'utf8')) as object);
    const secrets = documents
      .flatMap((sections) => Object.values(sections))
      .flatMap((section) => Object.values(section as object) as { secret?: string }[])
      .flatMap(({ secret }) => secret ?? []);
    expect(secrets.length).toBeGreaterThan(5);
    for (const path of files) {
      const text = readFileSync(path, 'latin1');
      for (const known of [...secrets, ...users.map(({ username }) => username)])
        expect(text.includes(known), `${path}: ${known.slice(0, 20)}`).toBe(false);
    }
  });
});

/** Returns everything in the document that belongs to this account only: its IDs, its name, its secrets. */
function bytesOf(home: string): string[] {
  const document = JSON.parse(readFileSync(PYTHON, 'utf8')) as Record<
    string,
    Record<string, Record<string, string>>
  >;
  const own = Object.values(document).flatMap((section) =>
    Object.values(section).filter((entity) => entity['home_account_id'] === home),
  );
  expect(own.length).toBeGreaterThan(3);
  const fields = ['home_account_id', 'local_account_id', 'username', 'secret'];
  return own
    .flatMap((entity) => fields.flatMap((field) => entity[field] ?? []))
    .filter((text) => text !== '');
}

test('everyone signs out at once', async ({ keyring, start }) => {
  const app = await start(['--import', vector('documents', 'msal-node-7-kitchen-sink.json')]);
  await app.window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await accountsOf(app.window).waitFor();
  // The menu follows the window: Sign out… needs a selected account, Sign out all… any.
  const menu = () =>
    app.app.evaluate(({ Menu }) =>
      ['sign-out', 'sign-out-all'].map((id) => Menu.getApplicationMenu()!.getMenuItemById(id)!.enabled),
    );
  await expect.poll(menu).toEqual([false, true]);
  await showList(app.window);
  await expect.poll(menu).toEqual([true, true]);
  await app.window.getByRole('button', { name: 'More' }).click();
  await app.window.getByRole('menuitem', { name: 'Sign out all…' }).click();
  // No provider can be reached from here.
  await app.window.getByRole('checkbox', { name: /revoke/ }).uncheck();
  await app.window.getByRole('alertdialog').getByRole('button', { name: 'Sign out all' }).click();
  await expect(app.window.getByRole('dialog')).toContainText('None (checked again)');
  await app.window.getByRole('button', { name: 'Done' }).click();
  await expect(app.window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
  await expect.poll(menu).toEqual([false, false]);
  await app.quit();
  const { entities } = await peek(keyring.env, vaultFile(keyring.env));
  expect(entities['Account']).toEqual([]);
  expect(entities['AccessToken']).toEqual([]);
  expect(entities['RefreshToken']).toEqual([]);
});
