/** A packaged app refuses switches and variables that would open it, before anything is opened. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { profileFolder, test } from '../e2e/app.ts';

/** Starts the app, which is expected to end by itself; the box of the system goes to the terminal before `ready`. */
async function run(app: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(app, args, { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(late);
  return { code, output };
}

for (const switched of [
  '--ignore-certificate-errors',
  '--host-resolver-rules=MAP login.microsoftonline.com 127.0.0.1',
  '--log-net-log=LOG',
  '--proxy-server=127.0.0.1:1',
  '--remote-debugging-port=9222',
  '-ignore-certificate-errors',
  ' --log-net-log=LOG',
  '\t--remote-debugging-port=9222',
]) {
  const name = switched.trim().split('=')[0] ?? '';
  test(`the switch ${JSON.stringify(switched.split('=')[0])} is refused by name, and nothing is opened`, async ({
    packagedApp,
    keyring,
  }) => {
    const log = join(keyring.env['HOME'] ?? '', 'log.json');
    const { code, output } = await run(packagedApp, [switched.replace('LOG', log)], keyring.env);
    expect(code).toBe(1);
    expect(output).toContain(name);
    expect(output).not.toContain('DevTools listening');
    expect(existsSync(log)).toBe(false);
    expect(existsSync(profileFolder(keyring.env))).toBe(false);
  });
}

for (const name of [
  'SSLKEYLOGFILE',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_V8_COVERAGE',
  'ELECTRON_ENABLE_LOGGING',
  'ELECTRON_LOG_FILE',
]) {
  test(`the variable ${name} is refused by name, and nothing is opened`, async ({ packagedApp, keyring }) => {
    const file = join(keyring.env['HOME'] ?? '', 'keys.log');
    const { code, output } = await run(packagedApp, [], { ...keyring.env, [name]: file });
    expect(code).toBe(1);
    expect(output).toContain(name);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(profileFolder(keyring.env))).toBe(false);
  });
}

test('NODE_OPTIONS does nothing: no script of a stranger runs, and the app starts', async ({
  keyring,
  start,
}) => {
  const mark = join(keyring.env['HOME'] ?? '', 'ran');
  const script = join(keyring.env['HOME'] ?? '', 'stranger.cjs');
  writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`);
  const started = await start(['--demo'], { ...keyring.env, NODE_OPTIONS: `--require=${script}` });
  await started.window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await started.quit();
  expect(existsSync(mark)).toBe(false);
});
