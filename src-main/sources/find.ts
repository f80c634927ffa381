/** Finds the caches of other programs by file names, sizes and times. Reads no contents and creates no files. */
import { Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import defaultPath, { basename, dirname, join, posix, win32 } from 'node:path';
import { LARGEST_SIGNAL } from './program-file.ts';
import { type Computer, type Leaving, type Place, PROGRAMS, type Sealing } from './programs.ts';
import { isVaultFile } from './vault-source.ts';
import { codeOf } from '../error-code.ts';
import { checkOptions } from '../options.ts';

/** A cache that was found but not opened. */
export interface FoundSource {
  /** Stable identifier: the program's id, the protection and the path. */
  readonly id: string;
  /** `azure-cli`, `azd`, …; `file` for a file that the user added. */
  readonly program: string;
  /** The program's name, to display. */
  readonly name: string;
  /** Other programs that use this cache too. */
  readonly sharedBy: readonly string[];
  /** Absolute path of the cache, or of the file that signals changes of an item in a keychain. */
  readonly file: string;
  readonly sealing: Sealing;
  /** Size in bytes; null if the sign-ins are not stored in the file. */
  readonly size: number | null;
  /** Time of the last change in seconds since the epoch; null if unknown. */
  readonly writtenAt: number | null;
  /** How to sign out. */
  readonly leaving: Leaving;
  /** Internal. */
  readonly place: Place;
}

/** Options for finding and reading sources. They default to the current computer and user. */
export interface SourcesOptions {
  platform?: NodeJS.Platform;
  /** Absolute path of the home folder. Default: that of the current user. */
  home?: string;
  /**
   * Environment variables that may move a program's folder, such as `AZURE_CONFIG_DIR`. Default: those of this process; none if `home` is
   * given, since the home folder may be another user's.
   */
  env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns a path to display, with `~` for the home folder.
 *
 * @param home absolute path. Default: that of the current user
 * @example
 * import { displayPath } from 'tokenkeep/sources';
 *
 * console.log(displayPath('/home/ada/.azure/msal_token_cache.json', '/home/ada')); // ~/.azure/msal_token_cache.json
 */
export function displayPath(file: string, home: string = homedir()): string {
  const rest = file.startsWith(home) ? file.slice(home.length) : undefined;
  // Another user's home can begin with the same letters.
  return rest !== undefined && /^(?:[/\\]|$)/.test(rest) ? `~${rest}` : file;
}

/**
 * Returns the name of the program that keeps its cache at a path, such as that of an imported file. Follows symbolic links on both
 * sides, and reads no contents.
 *
 * @param file absolute path
 * @returns null if the path does not belong to a known program
 * @example
 * import { programAt } from 'tokenkeep/sources';
 *
 * console.log(await programAt('/home/ada/.azure/msal_token_cache.json', { home: '/home/ada' })); // Azure CLI
 */
export async function programAt(file: string, options: SourcesOptions = {}): Promise<string | null> {
  checkOptions('programAt', options, { platform: true, home: true, env: true });
  const computer = computerOf(options);
  const path = computer.platform === 'win32' ? win32 : posix;
  const isAt = (place: Pick<Place, 'file' | 'isFolder'>, where: string): boolean => {
    const rest = path.relative(place.file, where);
    return rest === '' || (place.isFolder === true && !rest.startsWith('..') && !path.isAbsolute(rest));
  };
  const places = PROGRAMS.flatMap(({ name, places: of }) => of(computer).map((place) => ({ name, place })));
  // The path alone is tried first: a file server that does not answer must not hide a name that the path gives.
  const known = places.find(({ place }) => isAt(place, file));
  if (known !== undefined) return known.name;
  const real = await realFile(file, path);
  for (const { name, place } of places)
    if (isAt({ ...place, file: await realFile(place.file, path) }, real)) return name;
  return null;
}

/** Returns a path with its symbolic links followed, as far as it exists. */
export async function realFile(file: string, path: typeof posix = defaultPath): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const folder = path.dirname(file);
    return folder === file ? file : path.join(await realFile(folder, path), path.basename(file));
  }
}

/**
 * Returns whether a file no longer exists, such as one that an account was imported from. False if the file can't be looked up.
 *
 * @example
 * import { isGone } from 'tokenkeep/sources';
 *
 * if (!(await isGone('/home/ada/cache.json'))) console.log('The file keeps its own copy.');
 */
export function isGone(file: string): Promise<boolean> {
  return lstat(file).then(
    () => false,
    (error: unknown) => ['ENOENT', 'ENOTDIR'].includes(codeOf(error)),
  );
}

/** Matches files in shared folders that are not caches: locks, and temporary files of interrupted writes. */
const NO_CACHE = /\.(?:lockfile|lock|tmp|bak|new-[\w-]+)$/i;

/** Maximum number of files examined per folder; more than any program creates. */
const MOST_IN_A_FOLDER = 200;

export function computerOf({
  platform = process.platform,
  home,
  // eslint-disable-next-line no-restricted-syntax -- variables such as AZURE_CONFIG_DIR move the folders of programs
  env = home === undefined ? process.env : {},
}: SourcesOptions): Computer {
  return { platform, home: home ?? homedir(), env };
}

/**
 * Lists the caches of other programs on this computer, in a fixed order. Looks at files only: an item of a keychain whose
 * program leaves no file behind is not found here.
 *
 * @example
 * ```ts
 * import { findSources } from 'tokenkeep/sources';
 *
 * for (const { name, file } of await findSources()) console.log(`${name}: ${file}`);
 * ```
 */
export async function findSources(options: SourcesOptions = {}): Promise<FoundSource[]> {
  checkOptions('findSources', options, { platform: true, home: true, env: true });
  const computer = computerOf(options);
  const found: FoundSource[] = [];
  const seen = new Set<string>();
  for (const program of PROGRAMS) {
    for (const place of program.places(computer)) {
      for (const file of await filesOf(place)) {
        const { isFolder: _, ...own } = { ...place, file };
        const source = await sourceAt(own, program);
        if (source === null || seen.has(source.id)) continue;
        seen.add(source.id);
        found.push(source);
      }
    }
  }
  // An empty file beside an item of the keyring signals changes of that item, and is not a cache itself.
  const signals = new Set(
    found.filter(({ sealing }) => isInKeychain(sealing)).map(({ file }) => dirname(file)),
  );
  return found.filter(
    ({ sealing, file, size }) =>
      sealing !== 'none' || (size ?? 0) > LARGEST_SIGNAL || !signals.has(dirname(file)),
  );
}

/**
 * Lists the programs whose caches `findSources` looks for on this platform, in its order.
 *
 * @example
 * ```ts
 * import { findSources, knownPrograms } from 'tokenkeep/sources';
 *
 * const found = new Set((await findSources()).map(({ program }) => program));
 * for (const { id, name } of knownPrograms()) if (!found.has(id)) console.log(`Not found: ${name}`);
 * ```
 */
export function knownPrograms(options: SourcesOptions = {}): { id: string; name: string }[] {
  checkOptions('knownPrograms', options, { platform: true, home: true, env: true });
  const computer = computerOf(options);
  return PROGRAMS.filter(({ places }) => places(computer).length > 0).map(({ id, name }) => ({ id, name }));
}

/** Returns the candidate files of a location. A keyring item counts once, however many files signal its changes. */
async function filesOf({ file, isFolder, signals }: Place): Promise<string[]> {
  if (isFolder === true) return filesIn(file);
  const about = await Promise.all((signals ?? []).map((signal) => stat(signal).catch(() => null)));
  const first = signals?.find((_, index) => (about[index]?.size ?? Infinity) <= LARGEST_SIGNAL);
  return [first ?? file];
}

/**
 * Creates a source for a file that the user chose: any document of an MSAL library, or any vault of Tokenkeep.
 *
 * @returns null if the file does not exist
 * @example
 * ```ts
 * import { sourceFromFile } from 'tokenkeep/sources';
 *
 * console.log((await sourceFromFile('/srv/ci/msal_cache.json'))?.size);
 * ```
 */
export async function sourceFromFile(file: string): Promise<FoundSource | null> {
  const isVault = await isVaultFile(file);
  return sourceAt(
    isVault
      ? { file, sealing: 'vault', locking: 'none', content: 'vault' }
      : { file, sealing: 'none', locking: 'lockfile', content: 'msal' },
    { id: 'file', name: basename(file), leaving: { by: 'tokenkeep' } },
  );
}

/** Whether the sign-ins are in an item of a keyring or keychain, beside a file that only signals changes. */
function isInKeychain(sealing: Sealing): boolean {
  return sealing === 'secret-service' || sealing === 'keychain';
}

async function sourceAt(
  place: Place,
  program: { id: string; name: string; sharedBy?: readonly string[]; leaving: Leaving },
): Promise<FoundSource | null> {
  const seen = await stat(place.file).catch((error: unknown) => error);
  const about = seen instanceof Stats ? seen : null;
  // This user may not enter the folder. Whether the cache exists is unknown, and `readSource` reports it.
  const isBarred = codeOf(seen) === 'EACCES' && place.sealing === 'none';
  // Pipes and folders are also returned; reading them reports the problem.
  if (about === null && !isBarred && (await lstat(place.file).catch(() => null)) === null) return null;
  // Programs that use a keyring item keep an empty file whose time signals changes. A file with contents is a cache itself.
  if (isInKeychain(place.sealing) && (about?.size ?? 0) > LARGEST_SIGNAL) return null;
  const inFile = !isInKeychain(place.sealing);
  return {
    id: [program.id, inFile ? 'file' : place.sealing, place.file, place.password?.account]
      .filter((part) => part !== undefined)
      .join(':'),
    program: program.id,
    // One file can signal several items, which programs of their own share: the item's name tells them apart, as Keychain Access shows it.
    name:
      place.password === undefined || place.signals === undefined
        ? program.name
        : `${program.name}, ${place.password.account}`,
    sharedBy: program.sharedBy ?? [],
    file: place.file,
    sealing: place.sealing,
    size: about !== null && inFile ? about.size : null,
    writtenAt: about === null ? null : Math.floor(about.mtimeMs / 1000),
    leaving: program.leaving,
    place,
  };
}

/** Lists the files of a folder and its subfolders, sorted; [] if the folder cannot be listed. */
async function filesIn(folder: string, depth = 1): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) =>
    // Returns the folder in place of its caches, so that their source has the state `no-permission`.
    codeOf(error) === 'EACCES' ? null : [],
  );
  if (entries === null) return [folder];
  const files: string[] = [];
  for (const entry of entries.slice(0, MOST_IN_A_FOLDER)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) files.push(...(await filesIn(path, depth - 1)));
    else if (entry.isFile() || entry.isSymbolicLink()) if (!NO_CACHE.test(entry.name)) files.push(path);
  }
  return files.sort();
}
