/** The `tokenkeep` command of the installed app: it has no display, and works beside the open app. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from '@playwright/test';
import { COMMAND } from '../../app/command-line.ts';
import { findElectron } from '../../scripts/electron-path.mjs';
import { accountsOf, importDocument, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';
import { begin, test } from './provider.ts';

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** @param app the packaged app's executable; empty for that of the clone */
async function command(
  app: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[],
  script = resolve('out/main.cjs'),
): Promise<Ran> {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...headless } = env;
  const [program, first] = app === '' ? [findElectron()!.executable, [script]] : [app, []];
  const child = spawn(program, [...first, ...words], { env: headless, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], out, err] = await Promise.all([
    once(child, 'exit') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, out, err };
}

test('the command shows what the app shows, and what it signs out leaves the window @packaged', async ({
  keyring,
  packagedApp,
  start,
}) => {
  const started = await start();
  const { window } = started;
  await importDocument(started, vector('documents', 'msal-python-aad-several.json'));
  await expect(accountsOf(window)).toContainText('priya.nair');

  const listed = await command(packagedApp, keyring.env, ['list', '--json']);
  expect(listed.code, listed.err).toBe(0);
  const named = (JSON.parse(listed.out) as { username: string }[]).map(({ username }) => username);
  const priya = named.find((name) => name.startsWith('priya.nair'))!;
  expect(named.length).toBeGreaterThan(1);

  const signedOut = await command(packagedApp, keyring.env, ['signout', priya, '--yes']);
  expect(signedOut.out).toMatch(/Signed out +vault .*old key destroyed/);
  await expect(accountsOf(window)).not.toContainText('priya.nair');
  await expect(window.getByText('Encrypted')).toBeVisible();
  await started.quit();

  const verified = await command(packagedApp, keyring.env, ['verify']);
  expect(verified.code, verified.err).toBe(0);
  const { entities } = await peek(keyring.env, vaultFile(keyring.env));
  expect(entities['Account']!.map(({ username }) => username)).not.toContain(priya);
});

test('the command has the exit codes of Node’s, and takes no word for a switch of Chromium @packaged', async ({
  keyring,
  packagedApp,
}) => {
  const run = (...words: string[]): Promise<Ran> => command(packagedApp, keyring.env, words);
  const version = await run('--version');
  expect([version.code, version.out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/)]);
  expect((await run('--help')).out).toContain('Usage: tokenkeep VERB');
  expect(await run('nonsense')).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no verb “nonsense”'),
  });
  expect((await run('get', '--account', 'nobody', '--scope', 'x')).code).toBe(3);
  const log = join(keyring.env['HOME']!, 'net.json');
  const switches = ['--remote-debugging-port=0', `--log-net-log=${log}`, '--no-sandbox'];
  // In Electron itself, Node reads this variable before the app starts; in the packaged app, a fuse prevents that.
  if (packagedApp !== '') switches.push('--inspect=0');
  for (const word of switches) {
    const { code, out, err } = await run('list', word);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`tokenkeep list has no option ${word.split('=')[0]}`);
    expect(err).not.toMatch(/DevTools|Debugger listening/);
  }
  expect(() => readFileSync(log)).toThrow('ENOENT');
  if (packagedApp === '') return;
  const keys = join(keyring.env['HOME']!, 'keys.log');
  const refused = await command(packagedApp, { ...keyring.env, SSLKEYLOGFILE: keys }, ['list']);
  expect(refused).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('SSLKEYLOGFILE'),
  });
  expect(() => readFileSync(keys)).toThrow('ENOENT');
});

test('the command refreshes a token by Chromium’s network, for a provider that this computer trusts', async ({
  keyring,
  provider,
  start,
}) => {
  const started = await start();
  const { at, page } = await begin(started, provider);
  await started.window.getByRole('button', { name: 'Continue in your browser', exact: true }).click();
  await at.visit(await page(), { user: 'noor' });
  await expect(accountsOf(started.window)).toContainText('Noor Haddad');
  const before = await peek(keyring.env, vaultFile(keyring.env));

  const words = ['get', '--account', 'noor', '--scope', 'orders.read', '--refresh', '--header'];
  const stranger = await command('', keyring.env, words);
  expect([stranger.code, stranger.out]).toEqual([1, '']);
  expect(provider.events.count('refreshed')).toBe(0);

  // The same bundle, in an Electron that trusts the provider.
  const folder = mkdtempSync(join(tmpdir(), 'command-'));
  try {
    const script = join(folder, 'main.cjs');
    writeFileSync(join(folder, 'ca.pem'), provider.ca);
    writeFileSync(
      script,
      `const { app, session } = require('electron');
      const { trust } = require(${JSON.stringify(resolve('scripts/demo/trust.cjs'))});
      app.setName('Tokenkeep');
      app.enableSandbox();
      const ca = require('node:fs').readFileSync(${JSON.stringify(join(folder, 'ca.pem'))}, 'utf8');
      app.whenReady().then(() => trust(session.fromPartition('command', { cache: false }), ca));
      require(${JSON.stringify(resolve('out/command.cjs'))}).runCommand(process.argv.slice(process.argv.indexOf('--') + 1));`,
    );
    const refreshed = await command('', keyring.env, [...COMMAND, ...words], script);
    expect(refreshed.code, refreshed.err).toBe(0);
    expect(refreshed.out).toMatch(/^Authorization: Bearer \S+\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(provider.events.count('refreshed', 'noor')).toBe(1);
  const after = await peek(keyring.env, vaultFile(keyring.env));
  expect(after.entities['RefreshToken']).toHaveLength(1);
  expect(after.entities['RefreshToken']![0]!['secret']).not.toBe(
    before.entities['RefreshToken']![0]!['secret'],
  );
  await started.quit();
});

test('a command that Ctrl+C ends has the exit code of one', async ({ keyring }) => {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...env } = keyring.env;
  const script = join(keyring.env['HOME']!, 'command.cjs');
  writeFileSync(
    script,
    `const { app } = require('electron');
    app.whenReady().then(() => require('node:fs').writeSync(1, 'ready'));
    require(${JSON.stringify(resolve('out/command.cjs'))}).runCommand(['decode', '-']);`,
  );
  const child = spawn(findElectron()!.executable, [script, ...COMMAND], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'], // the command waits for a token that never comes
  });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
});
