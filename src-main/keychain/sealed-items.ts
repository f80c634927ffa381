/**
 * Secrets as encrypted files, one for each service and account, in a folder of their own. The keychains that store their secrets this way
 * differ only in how the files are encrypted: with a key file, a passphrase, an environment variable or Electron's safeStorage.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { codeOf } from '../error-code.ts';
import { InvalidArgumentError, KeychainError, StorageError } from '../errors.ts';
import { makeFolders, openFilesMessage, pathError, pathIn } from '../folders.ts';
import { KeyedQueue } from '../waiting.ts';
import { type Keychain, keychainError } from './keychain.ts';

/** Encrypts and decrypts one item. `context` names the item's service and account, and is authenticated with it. */
export interface Sealer {
  seal(plain: string, context: string): Promise<Buffer> | Buffer;
  /** Returns `null` if the item was sealed with another key, or changed since. */
  open(sealed: Buffer, context: string): Promise<string | null> | string | null;
}

/** Options of a keychain of sealed items. */
export interface SealedItemsOptions {
  readonly label: string;
  /** Absolute path of the folder. */
  readonly folder: string;
  /**
   * Returns the sealer of the items.
   *
   * @param isNew whether nothing has been stored here yet, so that a key may be created
   * @returns `null` if nothing has been stored and nothing is to be stored now: every secret is absent
   * @throws KeychainError if the sealer is unavailable
   */
  readonly sealer: (isNew: boolean, purpose: 'read' | 'write') => Promise<Sealer | null>;
  /** Returns the error for items that were sealed with another key. */
  readonly wrong: () => KeychainError;
}

const CHECK = 'check';
const EXTENSION = '.item';
/** The maximum length of a file that can be an item; real items are much shorter. */
const LONGEST_FILE = 64 * 1024;
/** One queue for each folder in this process; between processes an item is replaced by a rename, whole or not at all. */
const queue = new KeyedQueue();

/** @throws InvalidArgumentError */
export function assertItems(keychain: string, items: unknown): asserts items is string {
  if (typeof items === 'string' && isAbsolute(items) && !items.includes('\0')) return;
  throw new InvalidArgumentError(
    `${keychain}: \`items\` must be the absolute path of a folder. Nothing was read.`,
    { field: 'items' },
  );
}

export function sealedItems({ label, folder, sealer, wrong }: SealedItemsOptions): Keychain {
  const contextOf = (service: string, account: string): string => JSON.stringify([service, account]);
  const fileOf = (context: string): string =>
    join(folder, `${createHash('sha256').update(context).digest('hex').slice(0, 40)}${EXTENSION}`);
  const check = join(folder, `${CHECK}${EXTENSION}`);

  /** Whether secrets are stored. The check item is made before them, and may be lost since, such as by a tool that syncs the folder. */
  const hasItems = async (): Promise<boolean> => {
    try {
      return (await readdir(folder)).some((name) => name.endsWith(EXTENSION) && join(folder, name) !== check);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  };
  /** The sealer, after the check item, or else the item of this context, has confirmed that it sealed the items. */
  const checked = async (purpose: 'read' | 'write', context: string): Promise<Sealer | null> => {
    let known = await readItem(check);
    const isNew = known === null && !(await hasItems());
    if (!isNew) known ??= await readItem(check); // Another program may have created both meanwhile.
    const seal = await sealer(isNew, purpose);
    if (seal === null) return null;
    if (known === null && !isNew) {
      if ((await read(seal, context)) !== null) {
        const created = createItem(check, await seal.seal(CHECK, CHECK));
        // A folder or disk that can't be written can still be read.
        await (purpose === 'read' ? created.catch(() => undefined) : created);
      } else if (purpose === 'write') throw unchecked();
      return seal;
    }
    if (known === null && purpose === 'write') {
      await makeFolders(folder);
      await createItem(check, await seal.seal(CHECK, CHECK));
      known = await readItem(check); // Another program may have created it first.
    }
    if (known !== null && (await seal.open(known, CHECK)) !== CHECK) throw wrong();
    return seal;
  };
  /** Secrets sealed with another key than the ones beside them would make one or the other look lost. */
  const unchecked = (): KeychainError =>
    keychainError(
      'keychain_wrong_key',
      `“${check}” is missing, so nothing shows what opens the secrets beside it. Nothing was stored.`,
      'Restore it from a backup, or use another folder.',
    );
  const read = async (seal: Sealer | null, context: string): Promise<string | null> => {
    const sealed = await readItem(fileOf(context));
    if (sealed === null || seal === null) return null;
    const secret = await seal.open(sealed, context);
    if (secret === null) throw wrong();
    return secret;
  };
  const run = <T>(task: () => Promise<T>): Promise<T> =>
    queue.run(folder, async () => {
      try {
        await sweepOnce(folder);
        return await task();
      } catch (error) {
        throw error instanceof KeychainError ? error : fileError(folder, error);
      }
    });

  return {
    label,
    get: (service, account) =>
      run(async () => {
        const context = contextOf(service, account);
        return read(await checked('read', context), context);
      }),
    set: (service, account, secret) =>
      run(async () => {
        const context = contextOf(service, account);
        const seal = await checked('write', context);
        if (seal === null) return;
        await replaceItem(fileOf(context), await seal.seal(secret, context));
        if ((await read(seal, context)) !== secret) {
          throw keychainError(
            'keychain_mismatch',
            `${label} did not keep what was written to it.`,
            `Check the disk of “${folder}”, then try again.`,
          );
        }
      }),
    // Needs no key: what can't be opened can be destroyed.
    delete: (service, account) => run(() => destroyItem(fileOf(contextOf(service, account)))),
  };
}

/** Reads an item. Something other than a file, or a file longer than any item, is an error and never counts as "absent". */
export async function readSmallFile(file: string, { followLinks = false } = {}): Promise<Buffer | null> {
  const noFollow = followLinks ? 0 : NO_FOLLOW;
  let handle: FileHandle;
  try {
    // Non-blocking: opening a pipe without a writer would block forever.
    handle = await open(file, constants.O_RDONLY | NON_BLOCKING | noFollow);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    if (codeOf(error) === 'ENXIO') throw unfit(file, 'is a device or a pipe, where a file should be.');
    const isLink = await lstat(file).then(
      (about) => about.isSymbolicLink(),
      () => false,
    );
    if (!followLinks && isLink) throw unfit(file, 'is a link, which is not followed here.');
    throw error;
  }
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw unfit(file, 'is a folder, a device or a pipe, where a file should be.');
    const bytes = Buffer.alloc(LONGEST_FILE + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead > LONGEST_FILE) throw unfit(file, 'is too long to be a file of this keychain.');
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function unfit(file: string, why: string): StorageError {
  return new StorageError(
    'path_invalid',
    `“${file}” ${why} Nothing was changed. Move it away, or choose another path.`,
  );
}

// Windows has neither flag, and no such pipes.
const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;
const NO_FOLLOW = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW;

const readItem = readSmallFile;

/**
 * Creates the file with these bytes and syncs it to the disk, unless it exists. It appears whole: another program that found a part of a
 * key would take it for a damaged one. Resolves with whether it was created.
 */
export async function createItem(file: string, bytes: Buffer): Promise<boolean> {
  await sweepOnce(dirname(file), basename(file));
  const temporary = temporaryFor(file);
  await writeNew(temporary, bytes);
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_LINKS.has(codeOf(error))) throw error;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
  try {
    await writeNew(file, bytes);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Milliseconds. Creating a file takes much less; a temporary file that is older was left by a program that was killed. */
const STALE = 10 * 60 * 1000;
const TEMPORARY_NAME = /\.new-[0-9a-f]{12}$/;
const swept = new Set<string>();

/**
 * Removes the temporary files that killed programs left in the folder, once in the life of the process if none is too young. They hold
 * copies of keys, and a copy of a key that was destroyed since would open older copies of a vault.
 *
 * @param owner only those of this file
 */
export async function sweepOnce(folder: string, owner?: string): Promise<void> {
  const place = owner === undefined ? folder : join(folder, owner);
  if (swept.has(place)) return;
  swept.add(place);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!TEMPORARY_NAME.test(name)) continue;
    if (owner !== undefined && name.replace(TEMPORARY_NAME, '') !== owner) continue;
    const path = join(folder, name);
    try {
      const about = await lstat(path);
      if (!about.isFile()) continue;
      // eslint-disable-next-line no-restricted-properties -- compared with the file system's clock
      if (about.mtimeMs > Date.now() - STALE)
        swept.delete(place); // Too young to tell: the next use looks again.
      else await unlink(path); // Not overwritten: it may be another name of the file that was created.
    } catch {
      // It is gone, or belongs to another user. A keychain must work in spite of an older program's leftovers.
    }
  }
}

/** Errors of file systems without hard links, such as FAT, for which Windows has EISDIR. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
  'EINVAL',
  'EISDIR',
]);

const temporaryFor = (file: string): string => `${file}.new-${randomBytes(6).toString('hex')}`;

/** @throws the system's error, EEXIST if the file exists; then, or if it can't be written, nothing of it is left */
async function writeNew(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(file).catch(() => undefined); // A partial item would look like one sealed with another key.
    throw error;
  } finally {
    await handle.close();
  }
}

async function replaceItem(file: string, bytes: Buffer): Promise<void> {
  const temporary = temporaryFor(file);
  await writeNew(temporary, bytes);
  try {
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(join(file, '..'));
}

/** Overwritten first: a deleted file may stay on the disk. */
async function destroyItem(file: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDWR | NON_BLOCKING | NO_FOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw unfit(file, 'is a device or a pipe, where a file should be.');
    await handle.write(randomBytes(Math.min(about.size, LONGEST_FILE)), 0, undefined, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await unlink(file);
  await syncFolder(join(file, '..'));
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Converts a file system error at `path` to a keychain error. */
export function fileError(path: string, cause: unknown): KeychainError {
  const code = codeOf(cause);
  const problem = cause instanceof StorageError ? cause : pathError(pathIn(cause) ?? path, cause);
  if (problem !== null) return new KeychainError('keychain_failed', problem.message, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return keychainError(
      'keychain_full',
      `The disk of “${path}” is full.`,
      'Free some space, then try again.',
      cause,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return keychainError(
      'keychain_refused',
      `The system does not let this program use “${path}”.`,
      'Check its permissions, then try again.',
      cause,
    );
  }
  const tooMany = openFilesMessage(cause, `“${path}” was not used.`);
  if (tooMany !== undefined) return new KeychainError('keychain_failed', tooMany, { cause });
  if (code === 'EROFS') {
    return keychainError(
      'keychain_refused',
      `“${path}” is on a read-only file system.`,
      'Mount it for writing, or choose another place.',
      cause,
    );
  }
  return keychainError(
    'keychain_failed',
    `“${path}” can’t be used.`,
    'Check the folder and its disk, then try again.',
    cause,
  );
}
