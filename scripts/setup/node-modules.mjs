import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError, say } from './say.mjs';

/**
 * Makes sure that node_modules matches package-lock.json; runs `npm ci` if it doesn't.
 *
 * @param {string} root the clone
 */
export function ensureNodeModules(root) {
  if (holdsWhatIsLocked(root)) return;
  const folder = join(root, 'node_modules');
  // npm ci would empty the folder behind it, which is another clone's.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new SetUpError(
      `${folder} is a link, and what it leads to is not what package-lock.json says. Install there.`,
    );
  say(`installs into ${folder}, with npm ci: the packages of package-lock.json`);
  // npm's own warnings (Electron's packages declare a newer Node than they need) would only cause alarm.
  const { status } = spawnSync('npm', ['ci', '--loglevel=error', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32', // npm is a .cmd there
  });
  if (status !== 0)
    throw new SetUpError('npm ci failed. Fix the problem that it reports above, and run this command again.');
}

/**
 * Compares package-lock.json with the record npm leaves in node_modules when an installation is complete. Modification times would look out
 * of date after every switch of branches. Packages for other platforms are absent on purpose.
 */
export function holdsWhatIsLocked(root) {
  const locked = readLock(join(root, 'package-lock.json'));
  const present = readLock(join(root, 'node_modules/.package-lock.json'));
  if (!locked || !present) return false;
  return Object.entries(locked).every(([path, wanted]) => {
    if (path === '' || wanted.link) return true;
    const found = present[path];
    if (!found) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // absent or cut short: install anew
  }
}
