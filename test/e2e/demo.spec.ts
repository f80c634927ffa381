import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { test, vaultFile } from './app.ts';

/** A folder for temporary files that no other test's demo uses. */
function quiet(env: Record<string, string>) {
  const folder = join(env['HOME']!, 'tmp');
  mkdirSync(folder);
  const demos = () => readdirSync(folder).filter((name) => name.startsWith('tokenkeep-demo-'));
  return { env: { ...env, TMPDIR: folder }, demos };
}

test('the demo shows made-up accounts, and is gone when it is left', async ({ keyring, start }) => {
  const { env, demos } = quiet(keyring.env);
  const { window, quit } = await start([], env);
  await window.getByRole('button', { name: 'Open sample data' }).click();
  const list = window.getByRole('listbox', { name: 'Accounts' });
  for (const name of ['Ada Marsh', 'Tomas Okafor', 'Lin Nakamura', 'Rosa Stein', 'nightly-report']) {
    await expect(list).toContainText(name);
  }
  const ada = list.getByRole('option').filter({ hasText: 'Ada Marsh' });
  await expect(window.getByText('Expires in 12 min', { exact: true })).toBeVisible();
  await expect(ada).toHaveAccessibleName(/Active, renews itself$/);
  await window.clock.install();
  /** The window has one timer, set before the clock was installed; when it is shown again it looks at the time. */
  const later = async (time: string) => {
    await window.clock.fastForward(time);
    await window.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  };
  await later('10:00');
  await expect(window.getByText(/^Expires in [12] min$/)).toBeVisible();
  await expect(ada).toHaveAccessibleName(/Active, renews itself$/);
  await later('05:00');
  await expect(window.getByText(/^Expired [23] min ago$/)).toBeVisible();
  await expect(ada).toHaveAccessibleName(/Active, renews itself$/);
  await window.getByRole('button', { name: 'Leave sample data' }).click();
  await expect(window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
  expect(demos()).toEqual([]);
  await quit();
  expect(existsSync(vaultFile(keyring.env))).toBe(false);
});

test('started with --demo it leaves nothing behind either', async ({ keyring, start }) => {
  const { env, demos } = quiet(keyring.env);
  const { app, window, quit } = await start(['--demo'], env);
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toContainText('Ada Marsh');
  expect(demos()).toHaveLength(1);
  expect(await app.evaluate(({ app: electron }) => electron.getName())).toBe('Tokenkeep');
  await quit();
  expect(demos()).toEqual([]);
  expect(existsSync(vaultFile(keyring.env))).toBe(false);
});
