import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { ensureSandbox } from '../setup/sandbox.mjs';
import { whenAskedToEnd } from './asked-to-end.mjs';
import { ordinaryUser } from './ordinary-user.mjs';
import { viewFor } from './view.mjs';

/**
 * Runs a command as an ordinary user in a session with a D-Bus session bus, an unlocked keyring and a virtual screen, and
 * leaves nothing behind. Signals go to the session, which ends in order.
 *
 * @param {string} root the clone
 * @param {string} electron its executable. The user must be able to read it and the clone
 * @param {(place: { directory: string, see: (path: string) => string, user: import('./ordinary-user.mjs').OrdinaryUser }) => { home:
 *   string, env?: NodeJS.ProcessEnv, command: string[] }} prepare returns the command to run. It is given the session's folder, which is
 *   removed at the end, and `see`, which maps the caller's path of a file to the user's
 * @param {string} [within] where the session's folder is made. Everybody can write there, and its path is short
 * @returns {Promise<number>} the command's exit code; 128 plus the signal's number if a signal ended it
 */
export async function inSession(root, electron, prepare, within = '/tmp') {
  const user = ordinaryUser();
  // Not in TMPDIR, which may be closed to the user; and paths of sockets must be short.
  const directory = mkdtempSync(join(within, 'tokenkeep-'));
  let view;
  try {
    view = viewFor(user, root, electron, directory);
    user.own(directory);
    ensureSandbox(dirname(view.see(electron)), user.prefix);
    const { home, env, command } = prepare({ directory, see: view.see, user });
    const session = view.see(fileURLToPath(new URL('session.mjs', import.meta.url)));
    const [program, ...args] = [...view.prefix, process.execPath, session, directory, home, ...command];
    const child = spawn(program, args, {
      cwd: '/', // the caller's folder may be one that the user can't enter
      env: { ...user.env, ...env },
      stdio: 'inherit',
      detached: true,
    });
    whenAskedToEnd((signal) => child.kill(signal));
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    view?.release();
  }
}
