import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Environment,
  sessionKeyring,
  startBusWithoutKeyring,
  startKeyring,
  withDeadBus,
  withoutBus,
} from './keyring.ts';
import { shortLived } from '../../scripts/session/memory.mjs';
import { opened } from './opened.ts';

// Tests how the real keytar behaves with each keychain that can be created here. It runs in its own process because
// it can hang or crash.
const script = `
  const [method, ...args] = process.argv.slice(1);
  require('keytar')[method]('tokenkeep-test', ...args).then(
    (value) => console.log(JSON.stringify({ value })),
    (error) => console.log(JSON.stringify({ error: error.message })),
  );`;

const keytar = (env: Environment, ...args: string[]): Promise<unknown> => keytarWithin(45_000, env, ...args);

/** @param longest milliseconds after which it counts as hanging and is killed */
async function keytarWithin(longest: number, env: Environment, ...args: string[]): Promise<unknown> {
  const child = spawn(process.execPath, ['-e', script, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), longest);
  const [, signal] = await once(child, 'close');
  clearTimeout(timer);
  return signal === null ? JSON.parse(said) : { ended: signal };
}

describe('a keyring of its own', () => {
  it('keeps a secret', async () => {
    const { env } = await opened(startKeyring());
    expect(await keytar(env, 'setPassword', 'a', 'secret')).toEqual({});
    expect(await keytar(env, 'getPassword', 'a')).toEqual({ value: 'secret' });
  });

  it('keeps it for the next keyring with the same home', async () => {
    const home = await mkdtemp(join(shortLived(), 'tokenkeep-home-'));
    await opened({ close: () => rm(home, { recursive: true }) });
    const first = await startKeyring({ home });
    await keytar(first.env, 'setPassword', 'a', 'secret');
    await first.close();
    const second = await opened(startKeyring({ home }));
    expect(await keytar(second.env, 'getPassword', 'a')).toEqual({ value: 'secret' });
  });

  it('locked, looks empty and refuses to be written; unlocked, has everything', async () => {
    const keyring = await opened(startKeyring());
    await keytar(keyring.env, 'setPassword', 'a', 'secret');
    await keyring.lock();
    expect(await keyring.isLocked()).toBe(true);
    expect(await keytar(keyring.env, 'getPassword', 'a')).toEqual({ value: null });
    expect(await keytar(keyring.env, 'setPassword', 'a', 'other')).toEqual({
      error: expect.stringContaining('locked collection'),
    });
    await keyring.unlock();
    expect(await keyring.isLocked()).toBe(false);
    expect(await keytar(keyring.env, 'getPassword', 'a')).toEqual({ value: 'secret' });
  });

  it('hung, gives no answer; resumed, the secret', async () => {
    const keyring = await opened(startKeyring());
    await keytar(keyring.env, 'setPassword', 'a', 'secret');
    keyring.hang();
    expect(await keytarWithin(3000, keyring.env, 'getPassword', 'a')).toEqual({ ended: 'SIGKILL' });
    keyring.resume();
    expect(await keytar(keyring.env, 'getPassword', 'a')).toEqual({ value: 'secret' });
  });

  it('killed, leaves a bus on which no one offers secrets', async () => {
    const keyring = await opened(startKeyring());
    await keyring.kill();
    expect(await keyring.isLocked()).toBeUndefined();
    expect(await keytar(keyring.env, 'getPassword', 'a')).toEqual({
      error: expect.stringContaining('org.freedesktop.secrets was not provided'),
    });
  });
});

describe('without a keyring', () => {
  it('a bus that has no Secret Service says so', async () => {
    const { env } = await opened(startBusWithoutKeyring());
    expect(await keytar(env, 'getPassword', 'a')).toEqual({
      error: expect.stringContaining('org.freedesktop.secrets was not provided'),
    });
  });

  it('no bus is an error', async () => {
    const { env } = await opened(withoutBus());
    expect(await keytar(env, 'getPassword', 'a')).toEqual({
      error: expect.stringMatching(/D-Bus|dbus-launch/),
    });
  });

  it('a dead bus is an error', async () => {
    const { env } = await opened(withDeadBus());
    expect(await keytar(env, 'getPassword', 'a')).toEqual({
      error: expect.stringContaining('Could not connect'),
    });
  });
});

// The session in which `npm test` runs the tests. Tests that are run by hand may have none.
it.runIf(process.env['HOME'] === join(process.env['XDG_RUNTIME_DIR'] ?? '', 'home'))(
  "the session's own keyring is unlocked, and does as it is told",
  async () => {
    const keyring = await sessionKeyring();
    await keytar(keyring.env, 'setPassword', 'session', 'secret');
    await keyring.lock();
    expect(await keytar(keyring.env, 'getPassword', 'session')).toEqual({ value: null });
    await keyring.unlock();
    expect(await keytar(keyring.env, 'getPassword', 'session')).toEqual({ value: 'secret' });
  },
);
