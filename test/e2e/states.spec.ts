import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from '@playwright/test';
import { profileFolder, test, vaultFile, vector } from './app.ts';
import { asNewer, keyOf, seed } from './library.ts';

const SEVERAL = vector('documents', 'msal-python-aad-several.json');

test('damaged: says who was recovered and who is lost, and keeps the damaged file', async ({
  keyring,
  start,
}) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const damaged = readFileSync(file);
  const middle = 4224 + Math.floor((damaged.length - 4224) / 2); // FORMAT.md: frames begin at 4224
  damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
  writeFileSync(file, damaged);

  const { window, quit } = await start();
  await expect(window.getByText(/4 of 5 accounts recovered/).first()).toBeVisible();
  await expect(window.getByText(/Lost: /).first()).toBeVisible();
  expect(readFileSync(file).equals(damaged)).toBe(true);
  await window.getByRole('button', { name: 'Keep recovered accounts…' }).click();
  await window
    .getByRole('dialog')
    .or(window.getByRole('alertdialog'))
    .getByRole('button', { name: /Keep/ })
    .click();
  await expect(window.getByText('Encrypted')).toBeVisible();
  await expect(window.getByRole('option')).toHaveCount(4);
  const aside = readdirSync(profileFolder(keyring.env)).find((name) => name.includes('.damaged-'));
  expect(readFileSync(`${profileFolder(keyring.env)}/${aside!}`).equals(damaged)).toBe(true);
  await quit();
});

test('newer: is not touched', async ({ keyring, start }) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const newer = asNewer(readFileSync(file), await keyOf(keyring.env, file));
  writeFileSync(file, newer);
  const { window, quit } = await start();
  await expect(window.getByRole('heading', { name: 'Written by a newer version' })).toBeVisible();
  await quit();
  expect(readFileSync(file).equals(newer)).toBe(true);
});

test('read-only: shows everything, and says that nothing is saved', async ({ keyring, start }) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const before = readFileSync(file);
  chmodSync(file, 0o400);
  chmodSync(dirname(file), 0o500);
  try {
    const { window, quit } = await start();
    await expect(window.getByText('Read-only').first()).toBeVisible();
    await expect(window.getByRole('option')).toHaveCount(5);
    await window.getByRole('button', { name: 'Sign out…' }).click();
    await window.getByRole('alertdialog').getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(window.getByRole('alertdialog', { name: 'Nothing was signed out' })).toBeVisible();
    await quit();
  } finally {
    chmodSync(dirname(file), 0o700);
  }
  expect(readFileSync(file).equals(before)).toBe(true);
});
