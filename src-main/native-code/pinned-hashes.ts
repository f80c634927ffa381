import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NativeCodeError } from '../errors.ts';
import { folderOf, PACKAGES } from './copy-native-code.ts';

/**
 * The SHA-256 of native modules, in hexadecimal, by their paths below `node_modules`, with slashes. A list if two copies of a
 * package are installed.
 *
 * @example
 * import type { PinnedHashes } from 'tokenkeep/native-code';
 *
 * const pinned: PinnedHashes = { 'keytar/prebuilds/linux-x64/keytar.node': '0f5c…' };
 */
export type PinnedHashes = Readonly<Record<string, string | readonly string[]>>;

/**
 * The members of `process` that load native code.
 *
 * @example
 * import type { NativeCodeLoader } from 'tokenkeep/native-code';
 *
 * const loader: NativeCodeLoader = process;
 */
export interface NativeCodeLoader {
  /** Loads a native module from an absolute path. */
  dlopen(module: object, path: string, flags?: number): void;
}

/**
 * Returns the SHA-256 of every native module in a `node_modules` folder, for all platforms. Call it when the app is built, after
 * its native modules were signed (signing changes them), and put the result where your app's integrity check covers it: into the
 * bundle, or into a file inside the asar.
 *
 * @param folder absolute path of `node_modules`
 * @example
 * import { writeFileSync } from 'node:fs';
 * import { nativeHashes } from 'tokenkeep/native-code';
 *
 * writeFileSync('built/native-hashes.json', JSON.stringify(nativeHashes('/home/ada/my-app/node_modules')));
 */
export function nativeHashes(folder: string): PinnedHashes {
  const found = new Map<string, string[]>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.node')) continue;
    const name = nameOf(file);
    found.set(name, [...new Set([...(found.get(name) ?? []), hashOf(join(folder, file))])]);
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([name, [first = '', ...others]]) => [name, others.length === 0 ? first : [first, ...others]]),
  );
}

/**
 * Compares every native module that is loaded from now on with the pinned hashes, before it is loaded. Native modules lie outside the
 * asar, where Electron's integrity check does not reach. Call it first in the main process, before anything loads a
 * native module. It applies to the calling thread; a worker has to call it itself.
 *
 * It does not protect against someone who can replace the executable, or a module between the comparison and the loading.
 *
 * @param pinned the result of `nativeHashes`. A native module that is not in it is refused
 * @param loader default: `process`
 * @throws NativeCodeError from the `import` or `require` of a module that is missing, changed or not pinned
 * @example
 * import { guardNativeCode, type PinnedHashes } from 'tokenkeep/native-code';
 *
 * const pinned: PinnedHashes = { 'keytar/prebuilds/linux-x64/keytar.node': '0f5c…' };
 * guardNativeCode(pinned);
 */
export function guardNativeCode(pinned: PinnedHashes, loader: NativeCodeLoader = process): void {
  const load = loader.dlopen.bind(loader);
  loader.dlopen = (module, path, ...flags) => {
    // Electron resolves asar paths below this, so a path may lead into one; `readFileSync` resolves it to the same file.
    assertPinned(pinned, path);
    load(module, path, ...flags);
  };
}

/**
 * Compares the native modules of one platform with the pinned hashes, without loading them. Call it at the start, so that a missing module
 * is reported as such, and not as a keychain that does not respond. Those that Tokenkeep loads must be there; a package that was left out of
 * the app is passed over.
 *
 * @param folder absolute path of `node_modules`
 * @param platform such as `linux-x64`. Default: this one
 * @throws NativeCodeError if one that Tokenkeep loads is missing, if one is changed, or if the platform has none
 * @example
 * import { assertNativeCode, type PinnedHashes } from 'tokenkeep/native-code';
 *
 * const pinned: PinnedHashes = { 'keytar/prebuilds/linux-x64/keytar.node': '0f5c…' };
 * assertNativeCode(pinned, '/opt/my-app/resources/app.asar/node_modules');
 */
export function assertNativeCode(
  pinned: PinnedHashes,
  folder: string,
  platform = `${process.platform}-${process.arch}`,
): void {
  const wanted = Object.keys(pinned).filter((name) => name.includes(`/prebuilds/${platform}/`));
  if (wanted.length === 0) throw changed(platform);
  const tokenkeep = join(folder, 'tokenkeep');
  const start = existsSync(tokenkeep) ? realpathSync(tokenkeep) : dirname(folder);
  for (const name of wanted) {
    const [owner = '', rest = ''] = name.split(/\/(?=prebuilds\/)/);
    // npm nests a package beside another version of it, and pnpm links it.
    const own = PACKAGES.includes(owner) ? folderOf(owner, start) : null;
    const places = [join(folder, name), ...(own === null ? [] : [join(own, rest)])];
    const found = places.filter((place) => existsSync(place));
    for (const place of found) assertPinned(pinned, place);
    // Other packages may have been left out when the app was packaged, such as those that only its build needs.
    if (found.length === 0 && PACKAGES.includes(owner)) throw changed(join(folder, name));
  }
}

function assertPinned(pinned: PinnedHashes, path: string): void {
  const name = nameOf(path);
  const expected = Object.hasOwn(pinned, name) ? pinned[name] : undefined;
  if (expected === undefined || !([] as readonly string[]).concat(expected).includes(hashOf(path)))
    throw changed(path);
}

function nameOf(path: string): string {
  const below = path.split(/(?:^|[\\/])node_modules[\\/]/).at(-1) ?? '';
  return below.replaceAll('\\', '/');
}

function hashOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (cause) {
    throw changed(path, { cause });
  }
}

function changed(path: string, options?: ErrorOptions): NativeCodeError {
  const message =
    `This installation is not as it was built: ${path} is missing or was changed, so it was not loaded. ` +
    'Saved sign-ins are untouched. Install the program again, from where you first got it.';
  return new NativeCodeError(message, options);
}
