import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './error-code.ts';
import { StorageError } from './errors.ts';

/**
 * Local file systems of Linux: ext, XFS, Btrfs, tmpfs, overlay, F2FS, ZFS, bcachefs. Source: statfs(2). Their calls don't wait for another
 * machine. On other systems, no file system is known to be local.
 */
export const LOCAL_FILE_SYSTEMS: readonly number[] =
  process.platform === 'linux'
    ? [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0xca451a4e]
    : [];

/**
 * Whether both are the numbers of one file. On Windows 11, libuv 1.49 and 1.50 give a path 64 bits of its volume's number, and an open file
 * only the lower 32 (libuv/libuv#4698).
 */
export function isSameNode(
  a: { dev: bigint; ino: bigint },
  b: { dev: bigint; ino: bigint },
  platform: NodeJS.Platform = process.platform,
): boolean {
  const volume = (dev: bigint): bigint => (platform === 'win32' ? BigInt.asUintN(32, dev) : dev);
  return a.ino === b.ino && volume(a.dev) === volume(b.dev);
}

/** The mode of a folder for this user alone. */
const PRIVATE = 0o700;

/**
 * Creates a folder with its parents, one by one. Node's own recursive call never returns on a file system such as /proc, which has no such
 * name and accepts none, and its synchronous form blocks the whole program.
 *
 * @returns the outermost folder that was created, or `null` if all existed
 * @throws StorageError `path_invalid` or `name_too_long`; other errors of the system
 */
export async function makeFolders(folder: string, mode = PRIVATE): Promise<string | null> {
  try {
    return await makeEach(folder, mode);
  } catch (error) {
    throw folderError(folder, error) ?? error;
  }
}

async function makeEach(folder: string, mode: number): Promise<string | null> {
  const found = await makeOne(folder, mode);
  if (found !== 'no parent') return found === 'made' ? folder : null;
  const outermost = await makeEach(dirname(folder), mode);
  await mkdir(folder, { mode }).catch(async (error: unknown) => {
    if (!(await isFolder(folder))) throw error; // Another program may have made it meanwhile.
  });
  return outermost ?? folder;
}

async function makeOne(folder: string, mode: number): Promise<'made' | 'there' | 'no parent'> {
  try {
    await mkdir(folder, { mode });
    return 'made';
  } catch (error) {
    if (await isFolder(folder)) return 'there';
    if (codeOf(error) === 'ENOENT' && dirname(folder) !== folder) return 'no parent';
    throw error;
  }
}

/**
 * Does what `makeFolders` does, for callers that can't wait.
 *
 * @throws StorageError as `makeFolders`; other errors of the system
 */
export function makeFoldersSync(folder: string, mode = PRIVATE): void {
  try {
    makeEachSync(folder, mode);
  } catch (error) {
    throw folderError(folder, error) ?? error;
  }
}

function makeEachSync(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (isFolderSync(folder)) return;
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeEachSync(dirname(folder), mode);
    try {
      mkdirSync(folder, { mode });
    } catch (again) {
      if (!isFolderSync(folder)) throw again; // Another program may have made it meanwhile.
    }
  }
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** What is wrong with a path, and what to do about it. */
type PathFault = readonly [why: string, remedy: string];
export const THROUGH_A_FILE: PathFault = [
  'leads through a file, where a folder should be.',
  'Move that file away',
];
export const IN_A_CIRCLE: PathFault = ['leads through links in a circle.', 'Correct the links'];

/** Maximum characters of a path in a message. */
const SHOWN = 240;

/**
 * Returns the error for a path that neither permissions nor free space would make usable, or `null` if `cause` is another error.
 *
 * @param path the path that was passed to the system
 */
export function pathError(path: string, cause: unknown): StorageError | null {
  switch (codeOf(cause)) {
    case 'ENOTDIR':
      return invalid(path, cause, ...THROUGH_A_FILE);
    case 'ELOOP':
      return invalid(path, cause, ...IN_A_CIRCLE);
    case 'EISDIR':
      return invalid(path, cause, 'leads to a folder, where a file should be.', 'Move that folder away');
    case 'ENAMETOOLONG':
      return new StorageError(
        'name_too_long',
        `The path “${shown(path)}” is longer than its file system allows. Nothing was written. Choose a shorter one; Tokenkeep puts files beside a vault whose names are up to 17 bytes longer.`,
        { cause },
      );
    default:
      return null;
  }
}

/** Returns the path that a system error is about: of a renamed file, the new one. `null`: the error names none. */
export function pathIn(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null;
  const { path, dest } = cause as { path?: unknown; dest?: unknown };
  return typeof dest === 'string' ? dest : typeof path === 'string' ? path : null;
}

/** Returns the error for two more system codes, for a folder that could not be created. */
function folderError(path: string, cause: unknown): StorageError | null {
  switch (codeOf(cause)) {
    case 'EEXIST':
      return invalid(path, cause, 'leads through something that is no folder.', 'Move that away');
    case 'ENOENT':
      return invalid(
        path,
        cause,
        'lies where the file system takes no folder.',
        'Create the folder yourself',
      );
    default:
      return pathError(path, cause);
  }
}

function invalid(path: string, cause: unknown, why: string, remedy: string): StorageError {
  return new StorageError(
    'path_invalid',
    `The path “${shown(path)}” ${why} Nothing was written. ${remedy}, or choose another path.`,
    { cause },
  );
}

/** Returns a path for a message, cut if it is very long. */
export function shown(path: string): string {
  return path.length > SHOWN ? `${path.slice(0, SHOWN)}…` : path;
}

/** What stopped an operation that can open no more files, and what to do. No file or folder is to blame. */
const LIMITS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  EMFILE: [
    'This program has as many files open as the system allows it',
    'Close windows or documents of the program, then try again.',
  ],
  ENFILE: [
    'As many files are open on this computer as the system allows',
    'Close other programs, then try again.',
  ],
};

/**
 * Returns the message of a failure because too many files are open; undefined if that is not the cause.
 *
 * @param state what the failure means for the user's data
 */
export function openFilesMessage(cause: unknown, state: string): string | undefined {
  const limit = LIMITS[codeOf(cause)] ?? LIMITS[limitIn(cause)];
  return limit && `${limit[0]}. ${state} ${limit[1]}`;
}

/** The limit that an error names in its message alone, as those of the system's loader, of a thread that can't start, and of D-Bus do. */
function limitIn(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : '';
  if (/\bENFILE\b|too many open files in system/i.test(text)) return 'ENFILE';
  return /\bEMFILE\b|too many open files/i.test(text) ? 'EMFILE' : '';
}
