import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf } from '../error-code.ts';
import { StorageError, type StorageErrorCode } from '../errors.ts';
import { IN_A_CIRCLE, openFilesMessage, pathIn, shown, THROUGH_A_FILE } from '../folders.ts';

/** Maximum bytes of a small file. What it lists, such as hosts or issuers, has about 100 bytes each. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Opening a named pipe would wait for a writer. Windows has no such flag and no pipes in folders. */
const READING = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a file of settings at once, as text. Another program can have put anything in its place, and the whole app would wait for a pipe or a
 * device.
 *
 * @throws StorageError `path_invalid` if it is not a regular file, or larger than 16 MB; other errors of the system
 * @example
 * import { readSmallFile } from 'tokenkeep/ipc';
 *
 * const settings: unknown = JSON.parse(readSmallFile('/home/eve/.config/my-app/settings.json'));
 */
export function readSmallFile(file: string): string {
  const handle = openSync(file, READING);
  try {
    const about = fstatSync(handle);
    if (!about.isFile()) throw unfit(file, NO_FILE);
    if (about.size > MOST_BYTES) throw unfit(file, 'has more than 16 MB.');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

const NO_FILE = 'is a folder, a device or a pipe, where a file should be.';

function unfit(file: string, why: string): StorageError {
  return new StorageError('path_invalid', `“${shown(file)}” ${why} Move it away.`);
}

/** For each error of the system: the code, what is wrong with the path, and what to do. */
const CAUSES: Readonly<Record<string, readonly [code: StorageErrorCode, why: string, remedy: string]>> = {
  EACCES: [
    'no_permission',
    'can’t be used, because you don’t have permission.',
    'Check its permissions and those of its folder.',
  ],
  EROFS: ['read_only_disk', 'is on a read-only file system.', 'Mount it for writing.'],
  ENOSPC: ['disk_full', 'is on a disk that is full.', 'Free some space, then try again.'],
  EISDIR: ['path_invalid', NO_FILE, 'Move it away.'],
  ENOTDIR: ['path_invalid', THROUGH_A_FILE[0], `${THROUGH_A_FILE[1]}.`],
  ELOOP: ['path_invalid', IN_A_CIRCLE[0], `${IN_A_CIRCLE[1]}.`],
  ENAMETOOLONG: [
    'name_too_long',
    'is longer than its file system allows.',
    'Move the folder to a shorter path.',
  ],
};
const SAME: Readonly<Record<string, string>> = {
  EPERM: 'EACCES',
  EDQUOT: 'ENOSPC',
  ERR_FS_EISDIR: 'EISDIR', // Node's own, from `rmSync`
  ENXIO: 'EISDIR', // a socket, or a device that is not there
  EOPNOTSUPP: 'EISDIR', // a socket, on macOS
  ENOTSUP: 'EISDIR',
};

/**
 * Returns the error for a file of settings that can't be read or written. Its code and message name the cause.
 *
 * @param outcome what happened, and what it means for the data: one or two sentences
 * @param cause the error of `readSmallFile` or of the system
 * @example
 * import { readSmallFile, smallFileError } from 'tokenkeep/ipc';
 *
 * const settings = (file: string) => {
 *   try {
 *     return readSmallFile(file);
 *   } catch (cause) {
 *     throw smallFileError('The settings can’t be read and are unchanged.', file, cause);
 *   }
 * };
 */
export function smallFileError(outcome: string, file: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) {
    return new StorageError(cause.code, `${outcome} ${cause.message}`, { cause });
  }
  const tooMany = openFilesMessage(cause, outcome);
  if (tooMany !== undefined) return new StorageError('storage_failed', tooMany, { cause });
  const name = codeOf(cause);
  const path = shown(pathIn(cause) ?? file);
  const [code, why, remedy] = CAUSES[SAME[name] ?? name] ?? [
    'storage_failed',
    'can’t be used.',
    `Check its folder and its disk. The system says: ${name || 'no more'}.`,
  ];
  return new StorageError(code, `${outcome} “${path}” ${why} ${remedy}`, { cause });
}
