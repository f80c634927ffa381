import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import {
  type Environment,
  startBusWithoutKeyring,
  startKeyring,
  withDeadBus,
  withoutBus,
} from '../support/keyring.ts';
import { opened } from '../support/opened.ts';

// The system's keychain itself, keytar and libsecret included, in every condition that can be made on this system.
let program: string;
beforeAll(async () => {
  program = await bundle(join(import.meta.dirname, 'program.ts'));
});
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

async function run(env: Environment, calls: string[], deadline = 5000, main = program): Promise<unknown[]> {
  const child = spawn(process.execPath, [main, String(deadline), ...calls], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await once(child, 'close');
  return said
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test('unlocked: absent, set, there, deleted, absent; the canary is gone too', async () => {
  const { env } = await opened(startKeyring());
  expect(
    await run(env, ['get k', 'set k one', 'set k two', 'get k', 'delete k', 'get k', 'delete k']),
  ).toMatchObject([
    { value: null },
    { value: null },
    { value: 'one' },
    { value: 'two' },
    { value: 'two' },
    { value: null },
    { value: null },
  ]);
  expect(await run(env, ['get canary'])).toMatchObject([{ value: null }]);
});

test('locked: never said to be absent', async () => {
  const keyring = await opened(startKeyring());
  await run(keyring.env, ['set k one']);
  await keyring.lock();
  expect(await run(keyring.env, ['get k', 'set k two', 'delete k', 'get other'])).toMatchObject(
    Array.from({ length: 4 }, () => ({ code: 'keychain_locked' })),
  );
  await keyring.unlock();
  expect(await run(keyring.env, ['get k'])).toMatchObject([{ value: 'one' }]);
});

test('hung: said in time, and the answer of the call that hung is not lost on the next', async () => {
  const keyring = await opened(startKeyring());
  await run(keyring.env, ['set k one']);
  keyring.hang();
  expect(await run(keyring.env, ['get k', 'get k'], 300)).toMatchObject([
    { code: 'keychain_timeout' },
    { code: 'keychain_timeout' },
  ]);
  keyring.resume();
  expect(await run(keyring.env, ['get k'])).toMatchObject([{ value: 'one' }]);
});

test('killed: unavailable, or locked where it is started again, and never absent', async () => {
  const keyring = await opened(startKeyring());
  await run(keyring.env, ['set k one']);
  await keyring.kill();
  const [answer] = await run(keyring.env, ['get k']);
  expect(answer).toMatchObject({ code: expect.stringMatching(/^keychain_(unavailable|locked)$/) });
});

test.each([
  ['no D-Bus session', withoutBus, /no D-Bus session.*keyFile/],
  ['a session whose socket is dead', withDeadBus, /its socket doesn’t answer/],
  ['a session without a Secret Service', startBusWithoutKeyring, /GNOME Keyring, KWallet .* or KeePassXC/],
])('%s: unavailable, with a sentence of its own (failures 2 and 3)', async (_what, start, sentence) => {
  const { env } = await opened<{ env: Environment; close(): Promise<void> }>(start());
  expect(await run(env, ['get k'])).toMatchObject([
    { code: 'keychain_unavailable', message: expect.stringMatching(sentence) },
  ]);
});

test('the library that the native module needs is not installed: unavailable, and named (failure 1)', async () => {
  const { env } = await opened(withoutBus());
  const main = withoutLibrary();
  expect(await run(env, ['get k'], 5000, main)).toMatchObject([
    { code: 'keychain_library_missing', message: expect.stringMatching(/Debian and Ubuntu: libsecret-1-0/) },
  ]);
});

/** The program, beside a native module that asks the system for a version of libsecret that there is not. */
function withoutLibrary(): string {
  const folder = join(dirname(program), 'without-library');
  const keytar = join(folder, 'node_modules', 'keytar');
  cpSync(join(import.meta.dirname, '..', '..', 'node_modules', 'keytar'), keytar, { recursive: true });
  cpSync(program, join(folder, 'main.mjs'));
  const binary = join(keytar, 'prebuilds', `${process.platform}-${process.arch}`, 'keytar.node');
  const bytes = readFileSync(binary);
  const name = bytes.indexOf('libsecret-1.so.0\0');
  if (name < 0) throw new Error(`${binary} does not ask for libsecret-1.so.0`);
  bytes.write('9', name + 'libsecret-1.so.'.length);
  writeFileSync(binary, bytes);
  return join(folder, 'main.mjs');
}
