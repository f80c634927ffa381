import { ensureDebianPackages } from './debian.mjs';
import { ensureElectron } from './electron.mjs';
import { ensureNodeModules } from './node-modules.mjs';
import { SetUpError } from './say.mjs';

/**
 * Sets up everything that is needed to build, run or test the app. What is already set up is only checked.
 *
 * @param {string} root the clone
 * @param {Array<'app' | 'headless' | 'tests' | 'packaging'>} kinds purposes that need Debian packages; see debian.mjs
 * @returns {Promise<{ executable: string, dist: string, version: string, development: boolean }>} the Electron to run
 */
export async function setUp(root, kinds) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetUpError(`Node ${process.versions.node} is too old: Tokenkeep needs 20.19 or later.`);
  }
  ensureDebianPackages(kinds);
  ensureNodeModules(root);
  return ensureElectron(root);
}
