import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { documentText } from '../../cache/document/document.ts';
import {
  InvalidArgumentError,
  StorageError,
  type StorageErrorCode,
  type TokenkeepError,
} from '../../errors.ts';
import { assertStrong } from '../../keychain/passphrase-strength.ts';
import type { Access } from '../commit.ts';
import { identify, isRegular, isTemporary, readWhole, replaceFile } from '../disk/file.ts';
import { storageError } from '../disk/storage-error.ts';
import { isVaultHeader, MAGIC_LENGTH } from '../format/header.ts';
import { AGE_BEGINS, encrypt } from './age.ts';

export { assertStrong };

/** Writes the export; see `Vault.exportTo`. `begin` is called right before that, and may throw. */
export async function exportTo(
  access: Access,
  file: string,
  passphrase: string,
  begin: () => void,
): Promise<void> {
  assertStrong(passphrase);
  await assertElsewhere(access, file);
  const plain = Buffer.from(await access.inTurn(() => document(access)), 'utf8');
  const { io, scryptWork } = access.settings;
  const bytes = await encrypt(plain, passphrase, scryptWork).finally(() => plain.fill(0));
  begin();
  try {
    await sweepExports(access, dirname(file));
    await replaceFile(io, file, [bytes].values());
    if ((await readWhole(io, file))?.bytes.equals(bytes) !== true) throw unlike();
  } catch (cause) {
    throw worded(cause);
  }
}

/** Milliseconds. An export under way writes all the time; a temporary file that is older than this was left by a killed one. */
const STALE = 10 * 60 * 1000;

/** [Note: leftovers] Removes the temporary files of killed exports from the folder, if name and content show that they are ours. */
async function sweepExports({ settings: { io, now } }: Access, folder: string): Promise<void> {
  for (const name of await io.readdir(folder).catch(() => [])) {
    if (!isTemporary(name)) continue;
    const path = join(folder, name);
    try {
      const { mtimeNs } = await io.stat(path);
      if (Number(mtimeNs / 1_000_000n) > now() - STALE) continue;
      const start = (await readWhole(io, path, AGE_BEGINS.length))?.bytes;
      if (start?.equals(AGE_BEGINS.subarray(0, start.length))) await io.unlink(path);
    } catch {
      // The file belongs to another user, or is gone. An export must not fail because of an older one's leftovers.
    }
  }
}

/** Returns the current cache document in the dialect that it was read in, so that an MSAL library can read it after decryption. */
async function document(access: Access): Promise<string> {
  await access.catchUp();
  access.assertReadable(); // Changes held only in memory don't prevent an export: they need it most.
  return documentText(access.memory.cache);
}

/**
 * The suffixes of the files beside a vault. They must not be replaced: a lock on a replaced file excludes nobody, and the vault
 * removes files with the last three suffixes.
 */
const BESIDE =
  /^\.(?:(?:key-)?lock(?:-queue)?|use-lock-[0-9a-f](?:-queue)?|mark|forgotten|new-[0-9a-f]{12})$/;

/**
 * An export must not replace this vault or a file beside it, another vault, or anything that is not a file. Follows links and other
 * spellings of the name.
 */
async function assertElsewhere({ settings }: Access, file: string): Promise<void> {
  if (typeof file !== 'string' || !isAbsolute(file) || /[\0]|[/\\]$/.test(file)) {
    throw new InvalidArgumentError(
      'exportTo: `file` must be an absolute path of a file. Nothing was written.',
    );
  }
  const [own, other] = await Promise.all([
    identify(settings.io, settings.file),
    identify(settings.io, file),
  ]).catch((cause: unknown) => Promise.reject(worded(cause)));
  const same = own !== null && other !== null && own.dev === other.dev && own.ino === other.ino;
  if (same || resolve(file) === resolve(settings.file)) {
    throw new InvalidArgumentError(
      'exportTo: `file` is the vault itself. Nothing was written. Choose another name.',
    );
  }
  const vault = basename(settings.file);
  const isBeside =
    resolve(dirname(file)) === resolve(dirname(settings.file)) &&
    basename(file).startsWith(vault) &&
    BESIDE.test(basename(file).slice(vault.length));
  if (isBeside) {
    throw new InvalidArgumentError(
      'exportTo: `file` has the name of a file that belongs to the vault. Nothing was written. Choose another name.',
    );
  }
  if (other === null) return;
  if (!isRegular(await settings.io.stat(file))) {
    throw new StorageError(
      'storage_failed',
      'There is a folder, a device or a pipe in that place, not a file. Nothing was exported. Choose another name.',
    );
  }
  const start = await readWhole(settings.io, file, MAGIC_LENGTH).catch(() => null);
  if (start !== null && isVaultHeader(start.bytes)) {
    throw new InvalidArgumentError(
      'exportTo: `file` is another vault, which the export would replace. Nothing was written. Choose another name.',
    );
  }
}

const MESSAGES: Readonly<Partial<Record<StorageErrorCode, string>>> = {
  disk_full: 'The disk is full, so nothing was exported. Free some space, or choose another disk.',
  no_permission: 'You don’t have permission to write there, so nothing was exported. Choose another folder.',
  read_only_disk: 'That file system is read-only, so nothing was exported. Choose another folder.',
  storage_failed: 'The file system refused to write there, so nothing was exported. Choose another folder.',
};

function worded(cause: unknown): TokenkeepError {
  if (cause instanceof StorageError) return cause;
  const error = storageError(cause);
  const message = error instanceof StorageError ? MESSAGES[error.code] : undefined;
  if (!(error instanceof StorageError) || message === undefined) return error; // The error of an invalid path already names the path.
  return new StorageError(error.code, message, { cause });
}

function unlike(): StorageError {
  return new StorageError(
    'storage_failed',
    'The exported file does not hold what was just written to it. Do not rely on it. Check the disk, and export again.',
  );
}
