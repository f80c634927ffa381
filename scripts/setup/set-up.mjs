import { ensureDebianPackages } from './debian.mjs';
import { ensureElectron } from './electron.mjs';
import { ensureNodeModules } from './node-modules.mjs';
import { SetUpError } from './say.mjs';

/**
 * Everything that has to be there before the app can be built and run, or tested. What is there already is only looked at.
 *
 * @param {string} root the clone
 * @param {Array<'app' | 'headless' | 'tests' | 'packaging'>} kinds what the system is needed for; see debian.mjs
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
