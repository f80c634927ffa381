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
import {
  type Identity,
  type Io,
  identify,
  isRegular,
  isTemporary,
  notAFile,
  readWhole,
  replaceFile,
  sameFile,
  UnconfirmedError,
} from '../disk/file.ts';
import { storageError } from '../disk/storage-error.ts';
import { codeOf } from '../../error-code.ts';
import { openFilesMessage, shown } from '../../folders.ts';
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
  try {
    assertStrong(passphrase, namesIn(access));
  } catch (cause) {
    plain.fill(0);
    throw cause;
  }
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

/** Returns the names of the accounts, and the parts before an “@”: whoever gets the file may know them. */
function namesIn({ memory }: Access): string[] {
  return memory.cache
    .accounts()
    .flatMap(({ username, name }) => [username, username.split('@')[0], name])
    .flatMap((name) => (name === undefined || name === '' ? [] : [name]));
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
  await access.catchUpOrReport();
  access.assertReadable(); // A file that can't be read, and changes held only in memory, don't prevent an export: they need it most.
  return documentText(access.memory.cache);
}

/**
 * The suffixes of the files beside a vault, and of its older copies. They must not be replaced: a lock on a replaced file excludes nobody,
 * and the vault removes files with some of these suffixes.
 */
const BESIDE =
  /\.(?:(?:key-)?lock(?:-queue)?|use-lock-[0-9a-f](?:-queue)?|mark|forgotten|new-[0-9a-f]{12}|(?:older|damaged|orphan)-\d{8}t\d{6}z(?:-\d+)?)$/i;

/**
 * An export must not replace this vault or a file beside it, another vault or a file beside that, or anything that is not a file. Folders
 * and files are compared by identity, since linked folders, links and short names give them other paths.
 */
async function assertElsewhere({ settings }: Access, file: string): Promise<void> {
  if (typeof file !== 'string' || !isAbsolute(file) || /[\0]|[/\\]$/.test(file)) {
    throw new InvalidArgumentError(
      'exportTo: `file` must be an absolute path of a file. Nothing was written.',
      { field: 'file' },
    );
  }
  const { io } = settings;
  const [own, other, folder, target] = await Promise.all([
    identify(io, settings.file).catch(() => null), // may be out of reach, which is a reason to export
    identify(io, file),
    identify(io, dirname(settings.file)).catch(() => null),
    identify(io, dirname(file)),
  ]).catch((cause: unknown) => Promise.reject(worded(cause)));
  // A folder that was made for a misspelt path, or where a disk is not mounted, would hide the mistake.
  if (target === null)
    throw new StorageError(
      'path_invalid',
      `The folder “${shown(dirname(file))}” is not there. Nothing was exported. Create it, or choose another folder.`,
    );
  const isSame = (a: Identity | null, b: Identity | null): boolean =>
    a !== null && b !== null && sameFile(a, b);
  const isInFolder = isSame(folder, target) || resolve(dirname(file)) === resolve(dirname(settings.file));
  const [vault, name] = [nameOf(settings.file), nameOf(file)];
  if (isSame(own, other) || (isInFolder && name === vault)) {
    throw new InvalidArgumentError(
      'exportTo: `file` is the vault itself. Nothing was written. Choose another name.',
      { field: 'file' },
    );
  }
  const suffix = BESIDE.exec(name)?.[0] ?? '';
  const isBeside =
    (suffix !== '' && isInFolder && name === `${vault}${suffix}`) ||
    (suffix !== '' && (await isVault(io, file.slice(0, -suffix.length)))) ||
    (other !== null && (await isOneBeside(io, settings.file, other)));
  if (isBeside) {
    throw new InvalidArgumentError(
      'exportTo: `file` has the name of a file that belongs to a vault. Nothing was written. Choose another name.',
      { field: 'file' },
    );
  }
  if (other === null) return;
  if (!isRegular(await io.stat(file))) {
    throw notAFile(file);
  }
  if (await isVault(io, file)) {
    throw new InvalidArgumentError(
      'exportTo: `file` is another vault, which the export would replace. Nothing was written. Choose another name.',
      { field: 'file' },
    );
  }
}

/**
 * Returns the name of a file as a file system may compare it that ignores case and the form of accents. Where a file system does not ignore
 * them, a few names are refused that could be used.
 */
function nameOf(file: string): string {
  const name = basename(file).normalize('NFC').toLowerCase();
  return process.platform === 'win32' ? name.replace(/[. ]+$/, '') : name;
}

async function isVault(io: Io, file: string): Promise<boolean> {
  const start = await readWhole(io, file, MAGIC_LENGTH).catch(() => null);
  return start !== null && isVaultHeader(start.bytes);
}

/** Returns whether an existing file is one of those beside the vault, under whatever name. */
async function isOneBeside(io: Io, vault: string, file: Identity): Promise<boolean> {
  for (const name of await io.readdir(dirname(vault)).catch(() => [])) {
    if (!name.startsWith(basename(vault)) || !BESIDE.test(name)) continue;
    const there = await identify(io, join(dirname(vault), name)).catch(() => null);
    if (there !== null && sameFile(there, file)) return true;
  }
  return false;
}

const MESSAGES: Readonly<Partial<Record<StorageErrorCode, string>>> = {
  disk_full: 'The disk is full, so nothing was exported. Free some space, or choose another disk.',
  no_permission: 'You don’t have permission to write there, so nothing was exported. Choose another folder.',
  read_only_disk: 'That file system is read-only, so nothing was exported. Choose another folder.',
  storage_failed: 'The file system refused to write there, so nothing was exported. Choose another folder.',
};

function worded(cause: unknown): TokenkeepError {
  if (cause instanceof UnconfirmedError)
    return new StorageError(
      'storage_failed',
      `The export is in place, but the file system did not confirm it: ${codeOf(cause.cause)}. A power cut may undo it. Check the disk, and export again.`,
      { cause: cause.cause },
    );
  if (cause instanceof StorageError) return cause;
  const error = storageError(cause);
  const message = error instanceof StorageError ? MESSAGES[error.code] : undefined;
  if (!(error instanceof StorageError) || message === undefined) return error; // The error of an invalid path already names the path.
  const tooMany = openFilesMessage(cause, 'Nothing was exported.');
  return new StorageError(error.code, tooMany ?? message, { cause });
}

function unlike(): StorageError {
  return new StorageError(
    'storage_failed',
    'The exported file does not hold what was just written to it. Do not rely on it. Check the disk, and export again.',
  );
}
