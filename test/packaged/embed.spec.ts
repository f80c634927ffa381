/** examples/embed as a stranger's app: it installs the packed tarball, signs in, and shows who did. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, expect, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { findElectron } from '../../scripts/electron-path.mjs';
import { test } from '../e2e/app.ts';
import { browser } from '../support/browser.ts';

const run = (program: string, args: string[], cwd: string): string =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The example with the tarball of this clone in it, built as its own scripts build it. */
async function install(folder: string): Promise<string> {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], process.cwd()),
  ) as [{ filename: string }];
  const app = join(folder, 'app');
  cpSync('examples/embed', app, {
    recursive: true,
    filter: (path) => !/node_modules|built/.test(path.slice('examples/embed'.length)),
  });
  run(
    'npm',
    [
      'install',
      '--omit=dev',
      '--omit=peer',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      join(folder, packed.filename),
    ],
    app,
  );
  await build({
    entryPoints: [join(app, 'preload.cjs')],
    bundle: true,
    platform: 'node',
    external: ['electron'],
    outfile: join(app, 'built/preload.cjs'),
    logLevel: 'silent',
  });
  return app;
}

test('an app that embeds Tokenkeep signs in, keeps what it gets, and shows it', async ({ keyring }) => {
  test.skip(process.platform !== 'linux', 'the browser is a script in its PATH');
  test.setTimeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'embed-'));
  const provider = await startProvider();
  try {
    const app = await install(folder);
    // The system's browser: it notes the address, and someone visits it.
    const bin = join(folder, 'bin');
    const opened = join(folder, 'opened');
    const ca = join(folder, 'ca.pem');
    mkdirSync(bin);
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" > ${opened}\n`, { mode: 0o755 });
    writeFileSync(ca, provider.ca);
    const env = {
      ...keyring.env,
      PATH: `${bin}:${keyring.env['PATH'] ?? ''}`,
      NODE_EXTRA_CA_CERTS: ca,
      ORDER_DESK_AUTHORITY: provider.issuer,
      ORDER_DESK_CLIENT_ID: 'desktop-app',
    };
    const someone = browser(trustingFetch(provider.ca));
    const signIn = async (window: Page, user: string): Promise<void> => {
      rmSync(opened, { force: true });
      await window.getByRole('button', { name: 'Sign in' }).click();
      const address = (): string => (existsSync(opened) ? readFileSync(opened, 'utf8') : '');
      await expect.poll(address).toMatch(/^https:.*\n$/);
      const arrived = await someone.visit(address().trim(), { user });
      expect(arrived.html).toContain('You are signed in.');
      await expect(window.getByRole('status')).toHaveText('Welcome.', { timeout: 30_000 });
    };
    const people = (window: Page) =>
      window.getByRole('list', { name: 'Who is signed in' }).getByRole('listitem');

    await test.step('from its folder', async () => {
      const desk = await _electron.launch({
        executablePath: findElectron()!.executable,
        args: [app],
        env,
        chromiumSandbox: true,
      });
      const window = await desk.firstWindow();
      await signIn(window, 'noor');
      await expect(people(window)).toHaveCount(1);
      await expect(people(window)).toContainText('noor');
      await desk.close();
    });

    const vault = join(env['HOME'] ?? '', '.config/Order Desk/accounts.vault');
    expect(readFileSync(vault, 'latin1')).not.toMatch(/noor|eyJ/);
    expect(existsSync(join(env['HOME'] ?? '', '.config/Tokenkeep'))).toBe(false);
  } finally {
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
