import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endDaemon, startDaemon } from './daemon.mjs';

/** The configuration of a session bus that starts no services by itself: it has only those that the session starts. */
const configuration = (
  address,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/**
 * Starts a D-Bus session bus whose socket is `directory`/bus.
 *
 * @param {string} directory private to the user; a socket's path may have 107 bytes
 * @param {NodeJS.ProcessEnv} env
 */
export async function startBus(directory, env) {
  const file = join(directory, 'bus.conf');
  const address = `unix:path=${join(directory, 'bus')}`;
  await writeFile(file, configuration(address), { mode: 0o600 });
  const child = startDaemon(
    'dbus-daemon',
    [`--config-file=${file}`, '--nofork', '--nosyslog', '--print-address=1'],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-500);
  });
  // The bus prints its address once it listens, and nothing if it can't.
  const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (typeof said[0] === 'number') throw new Error(`dbus-daemon ended with ${said[0]}: ${complaint.trim()}`);
  return { address, end: () => endDaemon(child) };
}

/**
 * Calls a method and returns the reply as dbus-send prints it.
 *
 * @param {NodeJS.ProcessEnv} env whose session bus
 * @param {string[]} words destination, object path, method, arguments
 */
export async function callBus(env, [destination, path, method, ...args]) {
  const words = ['--session', '--print-reply=literal', `--dest=${destination}`, path, method, ...args];
  const { stdout } = await promisify(execFile)('dbus-send', words, { env, timeout: 10_000 });
  return stdout.trim();
}
