/** The Settings page in the real app: what it saves, and how the app follows it. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, expect, type Page } from '@playwright/test';
import type { Menu } from 'electron';
import { findElectron } from '../../scripts/electron-path.mjs';
import { HELD } from '../support/driven.ts';
import { profileFolder, test } from './app.ts';

const settings = async (window: Page): Promise<void> => {
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
};

test('times are shown in both zones, and the choice is kept', async ({ keyring, start }) => {
  const { window, quit } = await start([], { ...keyring.env, TZ: 'Asia/Tokyo' });
  await settings(window);
  const reloaded = window.waitForEvent('load'); // since every page shows times
  await window.getByRole('button', { name: 'Both' }).click();
  await reloaded;
  await settings(window);
  await expect(window.getByRole('button', { name: 'Both' })).toHaveAttribute('aria-pressed', 'true');
  await quit();
  const kept = JSON.parse(readFileSync(join(profileFolder(keyring.env), 'settings.json'), 'utf8')) as object;
  expect(kept).toMatchObject({ times: 'both' });

  const again = await start(['--demo'], { ...keyring.env, TZ: 'Asia/Tokyo' });
  await again.window.getByRole('tab', { name: 'Details' }).click();
  await expect(again.window.getByRole('tabpanel', { name: 'Details' })).toContainText(
    /\d\d:\d\d:\d\d \((?:\d+ \w+ \d+, )?\d\d:\d\d:\d\d UTC\)/,
  );
  await again.quit();
});

test('the app starts at login if the user wants it, in the tray without a window, and quits from there', async ({
  keyring,
  start,
}) => {
  const entry = join(keyring.env['HOME'] ?? '', '.config', 'autostart', 'tokenkeep.desktop');
  const { window, quit } = await start();
  await settings(window);
  const atLogin = window.getByRole('switch', { name: 'Start at login' });
  await expect(atLogin).not.toBeChecked();
  expect(existsSync(entry)).toBe(false);
  await atLogin.check();
  await expect
    .poll(() => (existsSync(entry) ? readFileSync(entry, 'utf8') : ''))
    .toMatch(/^Exec=.* --background$/m);
  await window.getByRole('switch', { name: /^Show in the/ }).check();
  await expect(window.getByText(/, without a window\./)).toBeVisible();
  await atLogin.uncheck();
  await expect.poll(() => existsSync(entry)).toBe(false);
  await quit();

  const main = fileURLToPath(new URL('../../out/main.cjs', import.meta.url));
  const app = await _electron.launch({
    executablePath: findElectron()?.executable ?? '',
    args: [...HELD, main, '--background'],
    env: keyring.env,
    chromiumSandbox: true,
  });
  const windows = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
  // The item in the tray is shown seconds after a window would have been opened.
  await app.evaluate(({ Tray }) => {
    const item = Tray.prototype;
    const setContextMenu = Reflect.get(item, 'setContextMenu') as (menu: unknown) => void;
    item.setContextMenu = function (menu) {
      Object.assign(globalThis, { trayMenu: menu });
      setContextMenu.call(this, menu);
    };
  });
  await expect.poll(() => app.evaluate(() => 'trayMenu' in globalThis), { timeout: 60_000 }).toBe(true);
  expect(await windows()).toBe(0);
  const handOver = (background: boolean) =>
    app.evaluate(({ app: electron }, next) => void electron.emit('second-instance', {}, [], '', next), {
      importFile: null,
      demo: false,
      background,
    });
  await handOver(true);
  const shown = app.waitForEvent('window');
  await handOver(false);
  await (await shown).getByRole('button', { name: 'Find caches' }).waitFor();
  expect(await windows()).toBe(1);

  const ended = once(app.process(), 'exit');
  await app.evaluate(() => {
    const { trayMenu } = globalThis as unknown as { trayMenu: Menu };
    const item = trayMenu.items.find(({ label }) => label === 'Quit Tokenkeep');
    setImmediate(() => item?.click()); // after the answer
  });
  expect(await ended).toEqual([0, null]);
});
