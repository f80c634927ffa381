/** examples/embed as an independent app, which installs the packed tarball and is built by its own scripts; beside a provider. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { removePatiently } from '../support/remove.ts';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { test as base } from '../e2e/app.ts';
import { browser } from '../support/browser.ts';

/** npm, with the tools of this clone in its PATH. */
export const npm = (args: string[], cwd: string): string =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter) },
  });

/** The example in a folder of its own, with the tarball of this clone in it. */
function install(folder: string): string {
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], process.cwd())) as [
    { filename: string },
  ];
  const app = join(folder, 'app');
  cpSync('examples/embed', app, {
    recursive: true,
    filter: (path) => !/node_modules|built|dist/.test(path.slice('examples/embed'.length)),
  });
  // Its tools are those of this clone, of the same versions. Left out only by --omit=dev, npm would still ask the registry for all of theirs.
  const manifest = join(app, 'package.json');
  const { devDependencies: tools, ...named } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const ours = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: typeof tools };
  for (const [tool, version] of Object.entries(tools))
    expect(version, tool).toBe(`^${ours.devDependencies[tool] ?? 'not a tool of this clone'}`);
  writeFileSync(manifest, JSON.stringify(named));
  // Electron is an optional peer of Tokenkeep, and so left out only where all three are.
  const omit = ['--omit=dev', '--omit=peer', '--omit=optional'];
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
  npm(['install', ...omit, ...quiet, join(folder, packed.filename)], app);
  npm(['run', 'build'], app);
  return app;
}

export interface Desk {
  window: Page;
  quit: () => Promise<void>;
}

/** The system's browser, as the app finds it: a program that notes the address, which someone then visits. */
function visitor(folder: string, provider: RunningProvider) {
  const bin = join(folder, 'bin');
  const opened = join(folder, 'opened');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" > ${opened}\n`, { mode: 0o755 });
  const address = (): string => (existsSync(opened) ? readFileSync(opened, 'utf8') : '');
  return {
    bin,
    async signIn(user: string): Promise<void> {
      await expect.poll(address).toMatch(/^https:.*\n$/);
      const arrived = await browser(trustingFetch(provider.ca)).visit(address().trim(), { user });
      rmSync(opened);
      expect(arrived.html).toContain('You are signed in.');
    },
  };
}

export interface OrderDesk {
  /** The folder of the example, built. */
  app: string;
  /** The environment in which it is started. */
  env: Record<string, string>;
  /** Signs a user in, starts it once more, and signs the user out. */
  signInAndOut: (user: string, start: () => Promise<Desk>) => Promise<void>;
}

export const test = base.extend<{ orderDesk: OrderDesk }>({
  // npm, esbuild and a provider take their time, which is not the test's.
  orderDesk: [
    async ({ keyring }, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'embed-'));
      const provider = await startProvider();
      try {
        const app = install(folder);
        const person = visitor(folder, provider);
        const ca = join(folder, 'ca.pem');
        writeFileSync(ca, provider.ca);
        const env = {
          ...keyring.env,
          PATH: `${person.bin}:${keyring.env['PATH'] ?? ''}`,
          NODE_EXTRA_CA_CERTS: ca,
          ORDER_DESK_AUTHORITY: provider.issuer,
          ORDER_DESK_CLIENT_ID: 'desktop-app',
        };
        const config = join(keyring.env['HOME'] ?? '', '.config');
        const people = (window: Page) =>
          window.getByRole('list', { name: 'Who is signed in' }).getByRole('listitem');
        const signInAndOut: OrderDesk['signInAndOut'] = async (user, start) => {
          const first = await start();
          await expect(first.window.getByRole('button', { name: 'Sign in' })).toBeEnabled();
          await expect(people(first.window)).toHaveCount(0);
          await first.window.getByRole('button', { name: 'Sign in' }).click();
          await person.signIn(user);
          await expect(first.window.getByRole('status')).toHaveText('Welcome.', { timeout: 30_000 });
          await expect(people(first.window)).toHaveText(new RegExp(user));
          const answer = await first.window.evaluate('window.tokenCache.accounts().then(JSON.stringify)');
          expect(answer).toContain(user);
          expect(answer).not.toMatch(/eyJ|"secret"/);
          expect(readFileSync(join(config, 'Order Desk/accounts.vault'), 'latin1')).not.toMatch(
            `${user}|eyJ`,
          );
          await first.quit();

          const second = await start();
          await expect(people(second.window)).toHaveText(new RegExp(user));
          await second.window.getByRole('button', { name: `Sign out ${user}` }).click();
          await expect(second.window.getByRole('status')).toHaveText('Signed out.');
          await expect(people(second.window)).toHaveCount(0);
          await second.quit();
          expect(existsSync(join(config, 'Tokenkeep'))).toBe(false);
        };
        await use({ app, env, signInAndOut });
      } finally {
        await provider.stop();
        removePatiently(folder);
      }
    },
    { timeout: 300_000 },
  ],
});

/**
 * Expects that it refuses to load a native module, which was changed since the app was built.
 *
 * @param modules the node_modules with the binaries that it loads
 */
export function refusesChangedModule(
  modules: string,
  command: readonly string[],
  env: Record<string, string>,
): void {
  appendFileSync(join(modules, `keytar/prebuilds/linux-${process.arch}/keytar.node`), 'x');
  const ended = spawnSync(command[0]!, command.slice(1), { env, encoding: 'utf8', timeout: 30_000 });
  expect(ended.stderr).toContain('is missing or was changed, so it was not loaded');
  expect(ended.status).toBe(1);
}
