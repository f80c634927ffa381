/**
 * Native code lies outside the asar, where Electron's integrity check does not reach. The SHA-256 of each binary is
 * pinned in this bundle, which is inside, and compared when the process is about to load one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The path below node_modules, with slashes, to hexadecimal; put in by the bundler (scripts/packaging/native-hashes.mjs). */
export type PinnedHashes = Readonly<Record<string, string>>;

/** A native binary that differs from the one this app was built with. The message is shown to users. */
export class NativeCodeError extends Error {
  constructor(path: string, options?: ErrorOptions) {
    super(
      `Tokenkeep’s installation is not as it was built: ${path} is missing or was changed, so it was not loaded. ` +
        'Your saved sign-ins are untouched. Install Tokenkeep again, from where you first got it.',
      options,
    );
    this.name = 'NativeCodeError';
  }
}

/** The members of `process` that load native code. */
export interface Loader {
  dlopen(module: object, path: string, flags?: number): void;
}

/**
 * Checks every native module that is loaded from now on. Electron resolves asar paths below this, so a path
 * may lead into one; `readFileSync` resolves it to the same file.
 *
 * Someone who can change the installed files between the comparison and the loading can also change the executable.
 */
export function guardNativeCode(pinned: PinnedHashes, loader: Loader = process): void {
  const load = loader.dlopen.bind(loader);
  loader.dlopen = (module, path, ...flags) => {
    assertPinned(pinned, path);
    load(module, path, ...flags);
  };
}

/**
 * Checks at start-up the binaries that this platform needs, so that a missing one is not mistaken for a keychain that
 * does not respond.
 *
 * @param folder absolute path of node_modules
 * @param platform such as `linux-x64`
 */
export function assertInstalled(pinned: PinnedHashes, folder: string, platform: string): void {
  const wanted = Object.keys(pinned).filter((name) => name.includes(`/prebuilds/${platform}/`));
  if (wanted.length === 0) throw new NativeCodeError(platform);
  for (const name of wanted) assertPinned(pinned, join(folder, name));
}

/** @throws NativeCodeError if the file is not pinned, has other contents, or can't be read */
export function assertPinned(pinned: PinnedHashes, path: string): void {
  const name =
    path
      .split(/[\\/]node_modules[\\/]/)
      .at(-1)
      ?.replaceAll('\\', '/') ?? '';
  const expected = Object.hasOwn(pinned, name) ? pinned[name] : undefined;
  if (expected === undefined || hashOf(path) !== expected) throw new NativeCodeError(path);
}

function hashOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (cause) {
    throw new NativeCodeError(path, { cause });
  }
}
