import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { asRootPrefix } from './as-root.mjs';
import { SetUpError, say } from './say.mjs';

/**
 * Makes sure that Chromium's sandbox works for a user. It needs user namespaces; where these are not available (in a chroot, in some
 * containers, on an Ubuntu that restricts them), Chromium uses a helper beside it, which must be owned by root and setuid. The app is never
 * run without a sandbox.
 *
 * @param {string} dist Electron's folder, by the path that the user has
 * @param {string[]} prefix what to put before a command so that the user runs it
 * @throws {SetUpError} names the command for root to run
 */
export function ensureSandbox(dist, prefix = []) {
  if (process.platform !== 'linux' || canMakeNamespaces(prefix)) return;
  const helper = join(dist, 'chrome-sandbox');
  const { uid, mode } = statSync(helper);
  if (uid === 0 && (mode & 0o4755) === 0o4755) return;
  const asRoot = asRootPrefix();
  const script = 'chown root:root "$1" && chmod 4755 "$1"';
  if (asRoot) {
    say(`makes ${helper} setuid root, as Chromium's sandbox needs without user namespaces`);
    const [program, ...args] = [...asRoot, 'sh', '-c', script, 'sh', helper];
    if (spawnSync(program, args, { stdio: 'inherit' }).status === 0) return;
  }
  throw new SetUpError(
    `there are no user namespaces here, so Chromium's sandbox needs its helper. As root, run\n\n` +
      `  chown root:root "${helper}" && chmod 4755 "${helper}"\n\nand then this command again.`,
  );
}

/** Creates what Chromium's sandbox needs: a user namespace, and in it a network namespace. */
function canMakeNamespaces(prefix) {
  const [program, ...args] = [...prefix, 'unshare', '--user', '--map-root-user', '--net', 'true'];
  return spawnSync(program, args, { cwd: '/', stdio: 'ignore' }).status === 0;
}
