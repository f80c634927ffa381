/** The app's data folder: the vault of this user, and small settings as JSON files. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readSmallFile, smallFileError } from 'tokenkeep/ipc';

export interface DataFolder {
  /** Created by Electron, for this user alone. */
  folder: string;
  vaultFile: string;
  /** A human-readable label of the key in the keychain. */
  vaultName: string;
}

/**
 * Returns the paths of a data folder, and the label of its vault in the keychain. The label only helps people to tell the
 * keys of several folders apart; the vault finds its key by the file's own ID. The default folder has a fixed label, so that
 * it does not change when the home folder is renamed.
 */
export function dataFolderAt(folder: string, usualFolder: string): DataFolder {
  const usual = resolve(folder) === resolve(usualFolder);
  const mark = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12);
  return {
    folder,
    vaultFile: join(folder, 'accounts.vault'),
    vaultName: usual ? 'accounts' : `accounts-${mark}`,
  };
}

/**
 * Reads a settings file. A file that `check` throws at is set aside as `<file>.damaged-<time>`, never deleted.
 *
 * @returns the result of `check`; undefined if there is no file, or it is damaged
 * @throws StorageError if the file exists but can't be read; if treated as missing, it would be overwritten
 */
export function readJson<T>(file: string, check: (value: unknown) => T, now: () => number): T | undefined {
  let text: string;
  try {
    text = readSmallFile(file);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw smallFileError(`The app’s file ${basename(file)} can’t be read, and is unchanged.`, file, cause);
  }
  try {
    return check(JSON.parse(text));
  } catch {
    try {
      renameSync(file, `${file}.damaged-${now()}`);
    } catch {
      // On a read-only disk, the file stays in place and cannot be overwritten either.
    }
    return undefined;
  }
}

/**
 * Creates a folder for this user alone, with its parents, one by one: Node's own recursive call never returns on a file system that accepts
 * no folders, such as /proc.
 */
export function makeFolder(folder: string): void {
  const make = (): unknown => mkdirSync(folder, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    if (existsSync(folder)) return;
    if (dirname(folder) === folder || !isMissing(error)) throw error;
    makeFolder(dirname(folder));
    make();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Replaces a settings file atomically. @throws if it cannot be written; the file is then unchanged */
export function writeJson(file: string, value: unknown): void {
  replaceFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Replaces a file of this user atomically, and makes its folder.
 *
 * @throws if it cannot be written; the file is then unchanged
 */
export function replaceFile(file: string, text: string): void {
  makeFolder(dirname(file));
  const next = `${file}.new`;
  removeFile(next);
  // `wx`: a pipe or a link that another program put there is neither waited for nor followed.
  writeFileSync(next, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(next, file);
}

/** Removes a file, if it exists. Node's `rmSync` would load its code for folders first, before the first accounts are drawn. */
export function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
