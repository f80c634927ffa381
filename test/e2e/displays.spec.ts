/** Displays other than that of the other tests: other scales, and Wayland. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { accountsOf, test } from './app.ts';

for (const scale of [0.75, 1.5, 3]) {
  test(`at a scale of ${scale}, nothing is cut off and everything can be reached`, async ({ start }) => {
    const { window, quit } = await start(['--demo', `--force-device-scale-factor=${scale}`]);
    await expect(accountsOf(window)).toBeVisible();
    expect(await window.evaluate('devicePixelRatio')).toBe(scale);
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await window.evaluate(overflow)).toBe(0);
    const navigation = window.getByRole('navigation', { name: 'Pages' });
    for (const button of await navigation.getByRole('button').all()) await expect(button).toBeInViewport();
    await quit();
  });
}

test('on Wayland, it starts, shows its accounts and quits', async ({ keyring, start }) => {
  const weston = '/usr/bin/weston';
  test.skip(!existsSync(weston), 'There is no weston.');
  const folder = keyring.env['XDG_RUNTIME_DIR']!;
  const socket = join(folder, 'wayland-tokenkeep');
  const compositor = spawn(
    weston,
    ['--backend=headless-backend.so', '--socket=wayland-tokenkeep', '--idle-time=0', '--no-config'],
    { env: { ...keyring.env, XDG_RUNTIME_DIR: folder }, stdio: 'ignore' },
  );
  try {
    await expect.poll(() => existsSync(socket)).toBe(true);
    const { DISPLAY: _none, ...env } = keyring.env;
    const { app, window, quit } = await start(['--demo', '--ozone-platform=wayland'], {
      ...env,
      WAYLAND_DISPLAY: 'wayland-tokenkeep',
    });
    await expect(accountsOf(window)).toBeVisible();
    expect(await app.evaluate(({ app: own }) => own.commandLine.getSwitchValue('ozone-platform'))).toBe(
      'wayland',
    );
    await quit();
  } finally {
    compositor.kill();
  }
});
