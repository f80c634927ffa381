import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shortLived } from '../../scripts/session/memory.mjs';
import { processesOf } from '../../scripts/session/sweep.mjs';

// The real session, with its real bus, screen and keyring, around small programs.
let directory: string;
let home: string;
beforeEach(async () => {
  directory = await mkdtemp(join(shortLived(), 'tokenkeep-'));
  home = await mkdtemp(join(shortLived(), 'tokenkeep-home-'));
});
afterEach(async () => {
  for (const pid of processesOf(directory)) process.kill(pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
  await rm(home, { recursive: true });
});

function session(script: string): ChildProcess & { said: string } {
  const words = ['scripts/session/session.mjs', directory, home, process.execPath, '-e', script];
  const child = Object.assign(spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] }), {
    said: '',
  });
  child.stdout.on('data', (text: Buffer) => (child.said += text.toString()));
  return child;
}

/** A program that prints a line and leaves another program behind, in a process group of its own. */
const leaving = `
  require('node:child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref();
  console.log('ready');`;

const nothingIsLeft = () =>
  vi.waitFor(() => expect(processesOf(directory)).toEqual([]), { timeout: 20_000, interval: 50 });

it.each([
  ['with room', '/dev/shm', 'tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0', 8e9],
  ['with little room', '/tmp', 'tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0', 64e6],
  ['where nothing may be run', '/tmp', 'shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime 0 0', 8e9],
  ['that is read-only', '/tmp', 'tmpfs /dev/shm tmpfs ro,nosuid 0 0', 8e9],
  ['that is on a disk', '/tmp', '/dev/sda1 /dev/shm ext4 rw 0 0', 8e9],
  ['elsewhere', '/tmp', 'tmpfs /dev/shm/other tmpfs rw 0 0', 8e9],
])('short-lived files, where there is a folder in memory %s, are in %s', (_, folder, mounts, room) => {
  expect(shortLived({ mounts: `proc /proc proc rw 0 0\n${mounts}\n`, room })).toBe(folder);
});

describe.runIf(process.platform === 'linux')('a session', () => {
  it('gives its program a home, a screen, a bus and an open keyring, and ends with its code', async () => {
    const child = session(`
      const { execFileSync } = require('node:child_process');
      const { HOME, XDG_RUNTIME_DIR, TMPDIR, DISPLAY } = process.env;
      const locked = execFileSync('dbus-send', ['--session', '--print-reply=literal', '--dest=org.freedesktop.secrets',
        '/org/freedesktop/secrets/aliases/default', 'org.freedesktop.DBus.Properties.Get',
        'string:org.freedesktop.Secret.Collection', 'string:Locked']).toString();
      console.log(JSON.stringify({ HOME, XDG_RUNTIME_DIR, TMPDIR, locked, screen: fs.existsSync('/tmp/.X11-unix/X' + DISPLAY.slice(1)) }));
      process.exit(7);`);
    expect(await once(child, 'close')).toEqual([7, null]);
    expect(JSON.parse(child.said)).toEqual({
      HOME: home,
      XDG_RUNTIME_DIR: directory,
      TMPDIR: join(directory, 'tmp'),
      locked: expect.stringContaining('boolean false'),
      screen: true,
    });
  });

  it('that ends by itself ends what its program left behind', async () => {
    const child = session(leaving);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(child.said).toBe('ready\n');
    expect(processesOf(directory)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('that is ended by %s ends everything first', async (signal, code) => {
    const child = session(`${leaving} setInterval(() => {}, 1000);`);
    await vi.waitFor(() => expect(child.said).toBe('ready\n'), { timeout: 20_000 });
    expect(processesOf(directory).length).toBeGreaterThan(4);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([code, null]);
    expect(processesOf(directory)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });

  it('that is killed takes its bus, screen, keyring and program with it', async () => {
    const child = session(`console.log('ready'); setInterval(() => {}, 1000);`);
    await vi.waitFor(() => expect(child.said).toBe('ready\n'), { timeout: 20_000 });
    child.kill('SIGKILL');
    await once(child, 'close');
    await nothingIsLeft();
  });

  it('whose program does not exist says so', async () => {
    const child = spawn(
      process.execPath,
      ['scripts/session/session.mjs', directory, home, '/no/such/program'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = await once(child, 'close');
    expect(code).not.toBe(0);
    expect(said).toContain('/no/such/program');
  });
});
