import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { startBusWithoutKeyring, withDeadBus, withoutBus } from '../support/keyring.ts';
import {
  accountsOf,
  answerDialogs,
  importDocument,
  profileFolder,
  type Started,
  test,
  vaultFile,
  vector,
} from './app.ts';
import { changeKey, seed } from './library.ts';

const DOCUMENT = vector('documents', 'msal-python-aad-single.json');
const OTHER = vector('documents', 'msal-node-7-adfs.json');
const USER = 'avery.howard@contoso.example';

test('locked at the start: says so; unlocked and retried, all is there', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  const before = readFileSync(vaultFile(keyring.env));
  await keyring.lock();
  const { window, quit } = await start();
  await expect(window.getByRole('heading', { name: 'The keychain is locked' })).toBeVisible();
  await window.getByRole('button', { name: 'Retry' }).click();
  await expect(window.getByRole('button', { name: 'Retry' })).toBeEnabled(); // the question was asked and answered
  await expect(window.getByRole('heading', { name: 'The keychain is locked' })).toBeVisible();
  await keyring.unlock();
  await window.getByRole('button', { name: 'Retry' }).click();
  await expect(accountsOf(window)).toContainText(USER);
  await quit();
  expect(readFileSync(vaultFile(keyring.env)).equals(before)).toBe(true);
});

test('hung: waits for it, and is of use meanwhile', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  keyring.hang();
  const started = await start();
  const { window, quit } = started;
  const waiting = window.getByText('Waiting for the keychain…').first();
  await expect(waiting).toBeVisible({ timeout: 30_000 });
  await importDocument(started, OTHER);
  await expect(accountsOf(window)).toContainText('lee.park');
  await expect(window.getByText(/^Not saved/)).toBeVisible();
  keyring.resume();
  await expect(accountsOf(window)).toContainText(USER, { timeout: 30_000 });
  await expect(accountsOf(window)).toContainText('lee.park');
  await expect(window.getByText('Encrypted')).toBeVisible();
  await quit();
});

for (const { name, place, says, end } of [
  { name: 'no bus', place: withoutBus, says: /D-Bus|session bus/i, end: 'close' },
  { name: 'no bus', place: withoutBus, says: /D-Bus|session bus/i, end: 'end of the session' },
  { name: 'a dead bus', place: withDeadBus, says: /D-Bus|session bus/i, end: 'quit' },
  { name: 'no Secret Service', place: startBusWithoutKeyring, says: /GNOME Keyring/, end: 'SIGTERM' },
] as const) {
  test(`${name}: says what to do, holds what is imported in memory, and asks before that is lost (${end})`, async ({
    start,
  }) => {
    const { env, close } = await place();
    const started = await start([], env);
    const { window } = started;
    await expect(window.getByRole('heading', { name: /No keychain found/ })).toBeVisible();
    await expect(window.getByText(says).first()).toBeVisible();
    await importDocument(started, DOCUMENT);
    await expect(accountsOf(window)).toContainText(USER);
    await expect(window.getByText(/^Not saved/)).toBeVisible();
    await endWithUnsaved(started, end);
    expect(existsSync(vaultFile(env))).toBe(false);
    await close();
  });
}

/** Cancels the question once, then quits: with the window, the menu, or at the system's request, which asks no question. */
async function endWithUnsaved(
  { app, window }: Started,
  end: 'close' | 'quit' | 'SIGTERM' | 'end of the session',
): Promise<void> {
  const ended = once(app.process(), 'exit');
  const leave = () =>
    app.evaluate(({ app: electron, BrowserWindow }, how) => {
      if (how === 'close') BrowserWindow.getAllWindows()[0]?.close();
      else electron.quit();
    }, end);
  const asked = await answerDialogs(app, { agree: false });
  await leave();
  await expect.poll(asked).toHaveLength(1);
  expect(JSON.parse((await asked())[0]!)).toMatchObject({
    message: '1 change is not saved',
    detail: expect.stringContaining(`lost when Tokenkeep quits: the sign-ins of ${USER}.`),
    buttons: ['Quit anyway', 'Stay'],
    defaultId: 1,
    cancelId: 1,
  });
  await expect(accountsOf(window)).toContainText(USER);

  const isOfSystem = end === 'SIGTERM' || end === 'end of the session';
  const again = await answerDialogs(app, { agree: isOfSystem ? null : true });
  await leave();
  if (isOfSystem) {
    await expect.poll(again).toHaveLength(1); // it is open, and nobody answers it
    if (end === 'SIGTERM') app.process().kill('SIGTERM');
    else await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('shutdown')).catch(() => undefined);
  }
  expect(await ended).toEqual([0, null]);
}

test('key missing: retries, or starts fresh after it was typed, and deletes nothing', async ({
  keyring,
  start,
}) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  const before = readFileSync(vaultFile(keyring.env));
  await changeKey(keyring.env, vaultFile(keyring.env), 'none');
  const { window, quit } = await start();
  await expect(window.getByRole('heading', { name: 'The encryption key is missing' })).toBeVisible();
  await window.getByRole('button', { name: 'Start fresh…' }).click();
  const dialog = window.getByRole('alertdialog');
  await expect(dialog.getByRole('button', { name: 'Start fresh' })).toBeDisabled();
  await dialog.getByRole('textbox').fill('start fresh');
  await dialog.getByRole('button', { name: 'Start fresh' }).click();
  await expect(window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
  const aside = readdirSync(profileFolder(keyring.env)).find((file) => file.includes('.orphan-'));
  expect(readFileSync(join(profileFolder(keyring.env), aside!)).equals(before)).toBe(true);
  await quit();
});

test('another key: says so and touches nothing', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  const before = readFileSync(vaultFile(keyring.env));
  await changeKey(keyring.env, vaultFile(keyring.env), 'another');
  const { window, quit } = await start();
  await expect(window.getByRole('heading', { name: 'The key doesn’t open this file' })).toBeVisible();
  await quit();
  expect(readFileSync(vaultFile(keyring.env)).equals(before)).toBe(true);
});

test('a start after the keychain ended the last one asks only when it is told to', async ({
  keyring,
  start,
}) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  const marker = join(profileFolder(keyring.env), 'keychain-asked');
  keyring.hang();
  const first = await start();
  await expect.poll(() => existsSync(marker)).toBe(true);
  first.app.process().kill('SIGKILL');
  keyring.resume();
  expect(existsSync(marker)).toBe(true);

  const { window, quit } = await start();
  await expect(
    window.getByRole('heading', { name: 'Tokenkeep stopped while asking the keychain' }),
  ).toBeVisible();
  await window.getByRole('button', { name: 'Retry' }).click();
  await expect(accountsOf(window)).toContainText(USER);
  expect(existsSync(marker)).toBe(false);
  await quit();
});

test('quitting while the keychain does not answer is no crash', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), DOCUMENT);
  const marker = join(profileFolder(keyring.env), 'keychain-asked');
  keyring.hang();
  const { quit } = await start();
  await expect.poll(() => existsSync(marker)).toBe(true);
  await quit();
  expect(existsSync(marker)).toBe(false);
  // The hanging call must not prevent the next start from being the first instance.
  const again = await start();
  await expect(again.window.getByText('Waiting for the keychain…').first()).toBeVisible({ timeout: 30_000 });
  await again.quit();
  keyring.resume();
});

test('quitting while the keychain does not answer what the quit asks is no crash', async ({
  keyring,
  start,
}) => {
  const first = await start();
  await importDocument(first, DOCUMENT);
  keyring.hang(); // The vault notes in the keychain how far its file goes when it is closed.
  await first.quit();
  keyring.resume();
  expect(existsSync(join(profileFolder(keyring.env), 'keychain-asked'))).toBe(false);
  const { window, quit } = await start();
  await expect(accountsOf(window)).toContainText(USER);
  await quit();
});
