import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import {
  type Environment,
  startBusWithoutKeyring,
  startKeyring,
  withDeadBus,
  withoutBus,
} from '../support/keyring.ts';
import { opened } from '../support/opened.ts';

// The real keychain of the system, with keytar and libsecret, in every condition that can be produced on this system.
let program: string;
beforeAll(async () => {
  program = await bundle(join(import.meta.dirname, 'program.ts'));
});
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

async function run(env: Environment, calls: string[], deadline = 30_000, main = program): Promise<unknown[]> {
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

test('an empty name, which the native module refuses at once: an error of the contract', async () => {
  const { env } = await opened(startKeyring());
  expect(await run(env, ['get '])).toMatchObject([{ code: 'keychain_failed' }]);
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

/** Programs that a test starts itself. They end with the test. */
const started: { kill: (signal: NodeJS.Signals) => boolean }[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function asked(env: Environment, ...words: string[]) {
  const bus = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/'];
  return spawnSync('dbus-send', [...bus, ...words], { env, encoding: 'utf8' });
}

/** A bus has its socket before it listens. A service that starts in between stays without a bus. */
async function untilBusListens(env: Environment): Promise<void> {
  while (asked(env, 'org.freedesktop.DBus.GetId').status !== 0) await delay(50);
}

async function untilOnBus(env: Environment): Promise<void> {
  const words = ['org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'];
  while (!asked(env, ...words).stdout.includes('true')) await delay(50);
}

test('a Secret Service without a default collection: a code of its own, and the way out (failure 23c)', async () => {
  const { env } = await opened(startBusWithoutKeyring());
  // Started as in a session without a login: nothing was ever unlocked, so no keyring was made.
  const words = ['--no-new-privs', 'gnome-keyring-daemon', '--foreground', '--components=secrets'];
  started.push(
    spawn('setpriv', [...words, `--control-directory=${env['XDG_RUNTIME_DIR'] ?? ''}/keyring`], {
      env,
      stdio: 'ignore',
    }),
  );
  await untilOnBus(env);
  expect(await run(env, ['get k', 'set k one', 'delete k'])).toMatchObject(
    Array.from({ length: 3 }, () => ({
      code: 'keychain_no_collection',
      message: expect.stringMatching(/Create one and make it the default.*collection\/login/),
    })),
  );
});

test('a session bus whose policy keeps programs from the Secret Service: refused', async () => {
  const { env } = await opened(startKeyring());
  const folder = env['XDG_RUNTIME_DIR'] ?? '';
  // A second bus stands for a sandbox: the service is on it, and the policy forbids talking to the service.
  const address = `unix:path=${folder}/sandbox`;
  writeFileSync(
    join(folder, 'sandbox.conf'),
    `<busconfig><type>session</type><listen>${address}</listen><auth>EXTERNAL</auth><policy context="default">
      <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
      <deny send_destination="org.freedesktop.secrets" send_interface="org.freedesktop.Secret.Service"/></policy></busconfig>`,
  );
  started.push(
    spawn('dbus-daemon', [`--config-file=${folder}/sandbox.conf`, '--nofork', '--nosyslog'], {
      stdio: 'ignore',
    }),
  );
  const sandboxed = { ...env, DBUS_SESSION_BUS_ADDRESS: address };
  await untilBusListens(sandboxed);
  const words = ['--no-new-privs', 'gnome-keyring-daemon', '--foreground', '--components=secrets'];
  started.push(
    spawn('setpriv', [...words, `--control-directory=${folder}/second`], { env: sandboxed, stdio: 'ignore' }),
  );
  await untilOnBus(sandboxed);
  expect(await run(sandboxed, ['get k', 'set k one'])).toMatchObject(
    Array.from({ length: 2 }, () => ({
      code: 'keychain_refused',
      message: expect.stringMatching(/Rejected send message/),
    })),
  );
});

test('the session that docs/keychains.md starts has an unlocked keyring; one without its second half has a locked one', async () => {
  const { env } = await opened(withoutBus());
  const session = async (script: string): Promise<unknown> => {
    const child = spawn('dbus-run-session', ['--', 'sh', '-c', script], {
      env: { ...env, KEYRING_PASSWORD: 'secret', MY_APP: process.execPath, PROGRAM: program },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    await once(child, 'exit');
    child.stdout.destroy(); // The keyring's daemon may outlive its session for a moment, and keep the pipe open.
    return JSON.parse(said.trim().split('\n').at(-1) ?? '');
  };
  const recipe = /dbus-run-session -- sh -c '(.*) && exec my-app'/.exec(
    readFileSync('docs/keychains.md', 'utf8'),
  )?.[1];
  const start = (deadline: number) => `exec "$MY_APP" "$PROGRAM" ${deadline} "set k one" "get k"`;
  expect(await session(`${recipe ?? ''} >/dev/null && ${start(30_000)}`)).toMatchObject({ value: 'one' });
  // Without the password, the daemon may prompt for it, although nobody is there to answer.
  expect(await session(start(5000))).toMatchObject({
    code: expect.stringMatching(/^keychain_(locked|no_collection|timeout)$/),
  });
});

test('the library is installed while the program runs: the next try reaches the keychain', async () => {
  const { env } = await opened(startKeyring());
  const main = withoutLibrary();
  const installed = `copy ${BINARY} ${binaryBelow(dirname(main))}`;
  expect(await run(env, ['get k', installed, 'get k', 'get k'], undefined, main)).toMatchObject([
    { code: 'keychain_library_missing' },
    { value: null },
    { value: null },
  ]);
});

test('the native module is not part of the program: named, with what its developer has to do', async () => {
  const { env } = await opened(withoutBus());
  const main = withoutLibrary();
  rmSync(join(dirname(main), 'node_modules', 'keytar'), { recursive: true });
  expect(await run(env, ['get k', 'get k'], undefined, main)).toMatchObject(
    Array.from({ length: 2 }, () => ({
      code: 'keychain_module_missing',
      message: expect.stringMatching(/external in your bundler/),
    })),
  );
});

test('the library that the native module needs is not installed: unavailable, and named (failure 1)', async () => {
  const { env } = await opened(withoutBus());
  const main = withoutLibrary();
  expect(await run(env, ['get k'], undefined, main)).toMatchObject([
    { code: 'keychain_library_missing', message: expect.stringMatching(/Debian and Ubuntu: libsecret-1-0/) },
  ]);
});

const binaryBelow = (folder: string): string =>
  join(folder, 'node_modules', 'keytar', 'prebuilds', `${process.platform}-${process.arch}`, 'keytar.node');
const BINARY = binaryBelow(join(import.meta.dirname, '..', '..'));

test('the native module is removed or replaced while the program runs, as an upgrade in place does it', async () => {
  const { env } = await opened(startKeyring());
  const main = installed();
  const keytar = join(dirname(main), 'node_modules', 'keytar');
  mkdirSync(`${keytar}-next`);
  expect(
    await run(
      env,
      ['set k one', `rename ${keytar} ${keytar}-old`, 'get k', `rename ${keytar}-next ${keytar}`, 'get k'],
      undefined,
      main,
    ),
  ).toMatchObject([{ value: null }, { value: 'one' }, { value: 'one' }]);
});

test('the native module is away at the first call and there again at the second, without a restart', async () => {
  const { env } = await opened(startKeyring());
  const main = installed();
  const keytar = join(dirname(main), 'node_modules', 'keytar');
  const calls = [`rename ${keytar} ${keytar}-old`, 'get k', `rename ${keytar}-old ${keytar}`, 'get k'];
  expect(await run(env, calls, undefined, main)).toMatchObject([
    { code: 'keychain_module_missing' },
    { value: null },
  ]);
});

/** Installs the program in a folder of its own, with keytar beside it. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-keychain-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const keytar = join(folder, 'node_modules', 'keytar');
  cpSync(join(import.meta.dirname, '..', '..', 'node_modules', 'keytar'), keytar, { recursive: true });
  cpSync(program, join(folder, 'main.mjs'));
  return join(folder, 'main.mjs');
}

/** Installs the program beside a native module that needs a version of libsecret that does not exist. */
function withoutLibrary(): string {
  const main = installed();
  const bytes = readFileSync(BINARY);
  const name = bytes.indexOf('libsecret-1.so.0\0');
  if (name < 0) throw new Error(`${BINARY} does not ask for libsecret-1.so.0`);
  bytes.write('9', name + 'libsecret-1.so.'.length);
  writeFileSync(binaryBelow(dirname(main)), bytes);
  return main;
}
