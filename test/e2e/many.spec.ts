import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import { chooseToImport, test } from './app.ts';

test('10,000 accounts are imported, listed, searched, and there after a restart', async ({
  keyring,
  start,
}) => {
  test.setTimeout(180_000);
  const folder = join(keyring.env['HOME']!, 'documents');
  mkdirSync(folder);
  const file = join(folder, 'many.json');
  writeFileSync(file, manyAccounts(10_000, Math.floor(Date.now() / 1000)));
  const took = stopwatch();

  const started = await start();
  const { window, quit } = started;
  await chooseToImport(started, file);
  const plan = window.getByRole('dialog', { name: 'Import this document?' });
  await expect(plan).toContainText('10,000', { timeout: 60_000 });
  took('planned');
  await plan.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(window.getByRole('contentinfo')).toContainText('10,000 accounts', { timeout: 60_000 });
  took('imported and listed');
  const search = window.getByRole('searchbox');
  await search.fill('user9999@');
  await expect(window.getByRole('option')).toHaveCount(1, { timeout: 30_000 });
  await expect(window.getByRole('option')).toContainText('User Number 9999');
  took('searched the first time');
  await search.fill('user1234@ orders.read');
  await expect(window.getByRole('option')).toContainText('User Number 1234');
  took('searched again');
  await quit();
  took('quit');

  const second = await start();
  await expect(second.window.getByRole('contentinfo')).toContainText('10,000 accounts', { timeout: 60_000 });
  took('started again, until listed');
  await second.quit();
});

function stopwatch(): (what: string) => void {
  let last = performance.now();
  return (what) => {
    console.log(`${what}: ${((performance.now() - last) / 1000).toFixed(1)} s`);
    last = performance.now();
  };
}
