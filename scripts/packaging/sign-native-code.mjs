import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { SetUpError } from '../setup/say.mjs';
import { nativeHashes } from './native-hashes.mjs';

/**
 * macOS loads native code into a hardened app only if the same team has signed it, and signing changes its bytes. So it is
 * signed in node_modules before the build pins its hash, and electron-builder leaves it as it is (`mac.signIgnore`).
 *
 * @param {string} root the clone
 * @param {NodeJS.ProcessEnv} env CSC_NAME is the identity in the keychain, the same that electron-builder signs with
 */
export function signNativeCode(root, env) {
  if (process.platform !== 'darwin') return;
  const identity = env.CSC_NAME;
  if (!identity) {
    throw new SetUpError(
      'a release for macOS is signed: import the certificate into a keychain, and name it in CSC_NAME.',
    );
  }
  const binaries = Object.keys(nativeHashes(root)).filter((name) => /\/darwin-(x64|arm64)\//.test(name));
  const files = binaries.map((name) => join(root, 'node_modules', name));
  execFileSync('codesign', ['--force', '--timestamp', '--options', 'runtime', '--sign', identity, ...files], {
    stdio: 'inherit',
  });
}
