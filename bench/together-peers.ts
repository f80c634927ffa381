/**
 * Installs the peers' file caches. They are not dependencies of this project: they take sixty megabytes and are used
 * only here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ICachePlugin } from 'msal-node-7';

/** The versions of the peers. electron-store 11 and later need Node 22, which Electron 33 does not have. */
export const VERSIONS = { '@azure/msal-node-extensions': '5.6.0', 'electron-store': '10.1.0' };
const MANIFEST = {
  private: true,
  dependencies: VERSIONS,
  // A maintained fork of keytar with binaries in the package. Its other native code is not used, and not built.
  overrides: { keytar: 'npm:@github/keytar@7.10.6' },
};

/** Installs the peers once, into `folder`. */
export function installPeers(folder: string): void {
  const electron = join(folder, 'node_modules/electron');
  if (existsSync(electron) && existsSync(join(folder, 'node_modules/electron-store'))) return;
  console.log(`installs ${Object.entries(VERSIONS).flat().join(' ')} into ${folder}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(MANIFEST));
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'ignore',
  });
  // electron-store runs in plain Node here, so that all programs run in the same runtime. It needs nothing of Electron if the path of its
  // file is given.
  mkdirSync(electron, { recursive: true });
  writeFileSync(join(electron, 'package.json'), '{ "name": "electron", "version": "0.0.0" }');
  writeFileSync(join(electron, 'index.js'), 'module.exports = {};\n');
}

export interface Extensions {
  FilePersistence: { create: (file: string) => Promise<unknown> };
  PersistenceCachePlugin: new (persistence: unknown) => ICachePlugin;
}

export function loadExtensions(folder: string): Extensions {
  return createRequire(join(folder, 'package.json'))('@azure/msal-node-extensions') as Extensions;
}

export interface ElectronStore {
  set: (key: string, value: unknown) => void;
}

export async function loadElectronStore(folder: string, file: string): Promise<ElectronStore> {
  const entry = pathToFileURL(join(folder, 'node_modules/electron-store/index.js')).href;
  const { default: Store } = (await import(entry)) as { default: new (options: object) => ElectronStore };
  const [, cwd, name] = /^(.*)[\\/]([^\\/]+)$/.exec(file) ?? [];
  return new Store({ cwd, name, fileExtension: '', accessPropertiesByDotNotation: false });
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
