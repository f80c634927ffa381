import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A file that marks a development runtime. A release build refuses an Electron that contains it. */
export const developmentMarker = 'DEVELOPMENT-RUNTIME.txt';
/** The folder of the development runtime, which is used if Electron's own download can't be reached. */
export const developmentRuntime = join(root, '.electron-runtime');

/**
 * Returns the Electron to run, for start, tests and packaging: the one that ELECTRON_OVERRIDE_DIST_PATH names, else Electron's own download
 * in node_modules/electron, else the development runtime.
 *
 * @returns {{ executable: string, dist: string, version: string, development: boolean } | undefined} undefined: there is none yet
 */
export function findElectron({ env = process.env } = {}) {
  const override = env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) return at(override);
  const wanted = wantedVersion();
  const official = at(join(root, 'node_modules/electron/dist'));
  return official && official.version === wanted ? official : at(developmentRuntime);
}

/** The version of Electron that package.json asks for. */
export function wantedVersion() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.electron;
}

function at(dist) {
  const executable = join(dist, executableName());
  if (!existsSync(executable) || !existsSync(join(dist, 'version'))) return undefined;
  const version = readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, '');
  return { executable, dist, version, development: existsSync(join(dist, developmentMarker)) };
}

function executableName() {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return process.platform === 'win32' ? 'electron.exe' : 'electron';
}

// `node scripts/electron-path.mjs` prints the path, for shells.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const electron = findElectron();
  if (electron) console.log(electron.executable);
  else {
    console.error('There is no Electron here yet; `npm start` and `npm test` install it.');
    process.exitCode = 1;
  }
}
