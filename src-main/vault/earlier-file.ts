import { link, rename, unlink } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { codeOf } from '../error-code.ts';
import { DocumentError, InvalidArgumentError } from '../errors.ts';
import { checkOptions, FUNCTION } from '../options.ts';
import type { EarlierCache, EarlierContents } from './adopt.ts';
import { throughLinks } from './disk/file.ts';
import { readDocumentFile } from './exchange/document-file.ts';

/**
 * Options for `earlierFile`.
 *
 * @example
 * import { safeStorage } from 'electron';
 * import type { EarlierFileOptions } from 'tokenkeep/vault';
 *
 * const options: EarlierFileOptions = { decode: (bytes) => safeStorage.decryptString(bytes) };
 */
export interface EarlierFileOptions {
  /** Returns the contents of the file's bytes, for a file that is not a cache document: decrypts it, or converts it. */
  readonly decode?: (bytes: Buffer) => EarlierContents | Promise<EarlierContents>;
}

/** The system calls of `earlierFile`. Tests run other programs between them. */
export interface EarlierDisk {
  /** Resolves with `null` if there is no file. */
  read(file: string): Promise<Buffer | null>;
  rename(from: string, to: string): Promise<void>;
  /** Rejects if there is a file at `to`. */
  link(from: string, to: string): Promise<void>;
  unlink(file: string): Promise<void>;
}

const systemDisk: EarlierDisk = { read: readIfThere, rename, link, unlink };

/**
 * Returns the earlier cache in a file, for `adopt`. Before the file is removed, it is renamed and compared with what was moved, so that
 * data that an older version of the app writes at that moment is neither overlooked nor deleted.
 *
 * @param file absolute path; links are followed
 * @example
 * import { adopt, openVault } from 'tokenkeep';
 * import { earlierFile } from 'tokenkeep/vault';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * await adopt(vault, earlierFile('/home/ada/.config/my-app/cache.json'));
 */
export function earlierFile(file: string, options: EarlierFileOptions = {}): EarlierCache {
  return earlierFileOn(systemDisk, file, options);
}

export function earlierFileOn(
  disk: EarlierDisk,
  file: string,
  options: EarlierFileOptions = {},
): EarlierCache {
  const { decode = (bytes: Buffer) => bytes } = checkOptions(
    'earlierFile',
    options,
    { decode: FUNCTION },
    'Nothing was moved.',
  );
  if (typeof file !== 'string' || !isAbsolute(file) || /[\0]|[/\\]$/.test(file)) {
    throw new InvalidArgumentError(
      'earlierFile: `file` must be an absolute path of a file. Nothing was moved.',
      { field: 'file' },
    );
  }
  /** What was read last, and from where. */
  let last: { bytes: Buffer; from: string } | null = null;
  return {
    async read() {
      last = null;
      const own = await throughLinks(file);
      for (const from of [asideOf(own), own]) {
        const bytes = await disk.read(from);
        if (bytes !== null && bytes.length > 0) last = { bytes, from };
        if (last !== null) return decode(last.bytes);
      }
      return null;
    },
    async remove() {
      if (last === null) return;
      const own = await throughLinks(file);
      const aside = asideOf(own);
      if (last.from === own && !(await isRenamed(disk, own, aside))) return;
      if ((await disk.read(aside))?.equals(last.bytes) === true) await disk.unlink(aside);
      else if (last.from === own) await putBack(disk, aside, own);
    },
  };
}

/**
 * The name that the file has while it is compared. If a process is killed then, or the file can't be put back, the next `read` finds it
 * here.
 */
function asideOf(file: string): string {
  return `${file}.moving`;
}

/** Returns whether there was a file to rename. */
async function isRenamed(disk: EarlierDisk, from: string, to: string): Promise<boolean> {
  try {
    await disk.rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Puts back a file that an older version of the app has written to since it was read. A link, unlike a rename, does not replace what that
 * version has written to the old name by now. If it fails, the file stays under the new name.
 */
async function putBack(disk: EarlierDisk, aside: string, file: string): Promise<void> {
  try {
    await disk.link(aside, file);
  } catch {
    return;
  }
  await disk.unlink(aside);
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return (await readDocumentFile(file)).content;
  } catch (error) {
    if (error instanceof DocumentError && codeOf(error.cause) === 'ENOENT') return null;
    throw error;
  }
}
