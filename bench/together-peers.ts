/**
 * Installs the peers' file caches. They are not dependencies of this project: they take sixty megabytes and are used
 * only here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ICachePlugin } from 'msal-node-7';

const VERSION = '5.6.0';
const MANIFEST = {
  private: true,
  dependencies: { '@azure/msal-node-extensions': VERSION },
  // A maintained fork of keytar with binaries in the package. Its other native code is not used, and not built.
  overrides: { keytar: 'npm:@github/keytar@7.10.6' },
};

/** Installs @azure/msal-node-extensions once, into `folder`. */
export function installPeer(folder: string): void {
  if (existsSync(join(folder, 'node_modules/@azure/msal-node-extensions/package.json'))) return;
  console.log(`installs @azure/msal-node-extensions ${VERSION} into ${folder}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(MANIFEST));
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'ignore',
  });
}

export interface Extensions {
  FilePersistence: { create: (file: string) => Promise<unknown> };
  PersistenceCachePlugin: new (persistence: unknown) => ICachePlugin;
}

export function loadPeer(folder: string): Extensions {
  return createRequire(join(folder, 'package.json'))('@azure/msal-node-extensions') as Extensions;
}

/**
 * Returns the version of MSAL Python's extensions in Debian's own Python (package python3-msal-extensions); null if
 * not installed.
 */
export function pythonPeer(): string | null {
  const script = 'import msal_extensions; print(msal_extensions.__version__)';
  const { status, stdout } = spawnSync('/usr/bin/python3', ['-c', script], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
