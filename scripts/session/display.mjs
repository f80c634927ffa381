import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endDaemon, startDaemon } from './daemon.mjs';

/** The size of the virtual screen, in pixels. */
const size = '1280x800x24';

/** Returns the file in which the virtual screen of a session keeps its picture: an X window dump that is always current. */
export function pictureOf(directory) {
  return join(directory, 'screen/Xvfb_screen0');
}

/**
 * Starts a virtual X screen with a free number. Only users who can read its cookie may use it.
 *
 * @param {string} directory private to the user
 * @param {NodeJS.ProcessEnv} env
 */
export async function startDisplay(directory, env) {
  const authority = join(directory, 'Xauthority');
  await writeFile(authority, cookie(), { mode: 0o600 });
  const screen = join(directory, 'screen');
  await mkdir(screen, { mode: 0o700 });
  const child = startDaemon(
    'Xvfb',
    [
      '-displayfd',
      '3',
      '-screen',
      '0',
      size,
      '-fbdir',
      screen,
      '-nolisten',
      'tcp',
      '-noreset',
      '-nocursor',
      '-auth',
      authority,
    ],
    { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-500);
  });
  // Xvfb writes its number once it accepts connections.
  const said = await Promise.race([once(child.stdio[3], 'data'), once(child, 'exit')]);
  if (!Buffer.isBuffer(said[0])) throw new Error(`Xvfb ended with ${said[0]}: ${complaint.trim()}`);
  return { DISPLAY: `:${String(said[0]).trim()}`, XAUTHORITY: authority, end: () => endDaemon(child) };
}

/** An .Xauthority entry (Xau(3)): family "wild", for any screen number; then name and value of the secret. */
function cookie() {
  const name = Buffer.from('MIT-MAGIC-COOKIE-1');
  const counted = (bytes) => Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  const none = Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0xff, 0xff]), ...[none, none, name, randomBytes(16)].map(counted)]);
}
