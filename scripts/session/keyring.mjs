import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { callBus } from './bus.mjs';
import { endDaemon, startDaemon, until } from './daemon.mjs';

const service = 'org.freedesktop.secrets';
const properties = 'org.freedesktop.DBus.Properties';

/**
 * Starts a GNOME Keyring on the session bus of `env`, unlocked; creates the keyring if HOME has none yet.
 *
 * @param {string} directory private to the user; its control socket goes there
 * @param {NodeJS.ProcessEnv} env HOME has its files
 * @param {string} password
 */
export async function startKeyring(directory, env, password) {
  const control = join(directory, 'keyring');
  // Without new privileges, which the executable may have for locking memory: a privileged process gets no signal when its parent ends.
  const child = startDaemon(
    'setpriv',
    [
      '--no-new-privs',
      'gnome-keyring-daemon',
      '--foreground',
      '--unlock',
      '--components=secrets',
      `--control-directory=${control}`,
    ],
    { env, stdio: ['pipe', 'ignore', 'pipe'] },
  );
  // Kept for the error only: while it runs, it warns about prompts that nobody could answer here.
  child.complaint = '';
  child.stderr.on('data', (text) => {
    child.complaint = (child.complaint + text).slice(-500);
  });
  child.stdin.on('error', () => undefined); // it has ended, which is reported below
  child.stdin.end(password);
  await until(async () => (await isLocked(env)) === false, child, 'the keyring was unlocked');
  return { ...controls(control, env, password, child.pid), end: () => endDaemon(child) };
}

/** Returns the controls of a running keyring, in a session with the same `directory`, `env` and `password`. */
export async function connectKeyring(directory, env, password) {
  const answer = await askBus(env, 'GetConnectionUnixProcessID', `string:${service}`);
  return controls(join(directory, 'keyring'), env, password, Number(/\d+$/.exec(answer)?.[0]));
}

function controls(control, env, password, pid) {
  return {
    lock: () => lockKeyring(env),
    unlock: () => unlockKeyring(control, password),
    isLocked: () => isLocked(env),
    signal: (name) => process.kill(pid, name),
    /** Kills the keyring, as in a crash, and waits until the bus has noticed. */
    async kill() {
      process.kill(pid, 'SIGKILL');
      while (/true/.test(await askBus(env, 'NameHasOwner', `string:${service}`))) await delay(25);
    },
  };
}

function askBus(env, method, argument) {
  const bus = 'org.freedesktop.DBus';
  return callBus(env, [bus, '/org/freedesktop/DBus', `${bus}.${method}`, argument]);
}

/** Whether the default keyring is locked; undefined while there is none. */
async function isLocked(env) {
  try {
    const path = '/org/freedesktop/secrets/aliases/default';
    const words = [
      service,
      path,
      `${properties}.Get`,
      'string:org.freedesktop.Secret.Collection',
      'string:Locked',
    ];
    return /boolean true/.test(await callBus(env, words));
  } catch {
    return undefined; // no such service, or no keyring in it
  }
}

/** Secret Service API, "Locking and Unlocking". The keyring that --unlock makes is called login. */
async function lockKeyring(env) {
  const path = '/org/freedesktop/secrets';
  await callBus(env, [
    service,
    path,
    'org.freedesktop.Secret.Service.Lock',
    `array:objpath:${path}/collection/login`,
  ]);
}

/**
 * Unlocks as the system's login does, without a prompt: gnome-keyring's control protocol (pam/gkr-pam-client.c). One zero
 * byte for the credentials; then, in network order, the length of the packet, the operation (1: unlock), and the password
 * after its length. The answer is a length, 8, and a result.
 */
async function unlockKeyring(control, password) {
  const secret = Buffer.from(password);
  const packet = Buffer.alloc(13);
  packet.writeUInt32BE(12 + secret.length, 1);
  packet.writeUInt32BE(1, 5);
  packet.writeUInt32BE(secret.length, 9);
  const socket = createConnection(join(control, 'control'));
  try {
    socket.write(Buffer.concat([packet, secret]));
    const [answer] = await once(socket, 'data');
    const result = answer.readUInt32BE(4);
    if (result !== 0)
      throw new Error(`the keyring was not unlocked (${['', 'denied', 'failed', 'no daemon'][result]})`);
  } finally {
    socket.destroy();
  }
}
