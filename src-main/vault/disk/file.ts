/** Durable files: read whole, replaced in one step, and appended to. */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { StorageError } from '../../errors.ts';
import { type Io, type IoFile, type IoStat, isRegular } from './io.ts';
import { codeOf } from '../../error-code.ts';

/** Identifies one state of a file without reading it. */
export interface Identity {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
}

export function sameIdentity(a: Identity | null, b: Identity | null): boolean {
  if (a === null || b === null) return a === b;
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

export function identityOf({ dev, ino, size, mtimeNs }: IoStat): Identity {
  return { dev, ino, size, mtimeNs };
}

/** Returns whether both are the same file, whatever was written to it meanwhile. */
export function sameFile(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** Returns the file's identity, or `null` where there is no such file. */
export async function identify(io: Io, file: string): Promise<Identity | null> {
  try {
    return identityOf(await io.stat(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The start of a file, and how much of it `readWhole` is to read. */
export interface Beginning {
  /** Number of bytes at the start. */
  length: number;
  /** Called with the start when it was read. Returns whether the rest is wanted. */
  isWanted: (start: Buffer) => boolean;
}

/**
 * Reads a file's bytes and the identity that it had then. Returns `null` where there is no such file.
 *
 * @param atMost the number of bytes to read; or whether to go on after the start
 */
export async function readWhole(
  io: Io,
  file: string,
  atMost: number | Beginning = Number.MAX_SAFE_INTEGER,
): Promise<{ bytes: Buffer; identity: Identity } | null> {
  let handle: IoFile;
  try {
    handle = await io.open(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const about = await handle.stat();
    if (!isRegular(about)) throw notAFile();
    const identity = identityOf(about);
    const size = Number(identity.size);
    if (typeof atMost === 'number') {
      if (size > MAX_FILE_BYTES && atMost > MAX_FILE_BYTES) throw tooLarge(identity.size);
      return { bytes: await readRange(handle, 0, Math.min(size, atMost)), identity };
    }
    const start = await readRange(handle, 0, Math.min(size, atMost.length));
    if (!atMost.isWanted(start) || start.length < atMost.length) return { bytes: start, identity };
    if (size > MAX_FILE_BYTES) throw tooLarge(identity.size);
    const whole = Buffer.allocUnsafe(size);
    start.copy(whole);
    const rest = await readInto(handle, whole.subarray(start.length), start.length);
    return { bytes: whole.subarray(0, start.length + rest.length), identity };
  } finally {
    await handle.close();
  }
}

/** A file is read into one buffer, and Node 20 aborts at 2 GiB. A vault of 10,000 accounts has 0.1 GiB. */
export const MAX_FILE_BYTES = 1024 ** 3;

function notAFile(): StorageError {
  return new StorageError(
    'storage_failed',
    'In the vault’s place is a folder, a device or a pipe, not a file. It was not read and not changed. Move it away, or open the vault in another place.',
  );
}

export function tooLarge(bytes: bigint): StorageError {
  const size = `${Math.round(Number(bytes) / 1024 ** 2)} MiB`;
  return new StorageError(
    'storage_failed',
    `The vault’s file has ${size}, and at most ${MAX_FILE_BYTES / 1024 ** 2} MiB can be read or written. It was not changed.`,
  );
}

/** Reads `length` bytes, or fewer where the file ends earlier. */
export async function readRange(handle: IoFile, position: number, length: number): Promise<Buffer> {
  return readInto(handle, Buffer.allocUnsafe(length), position);
}

async function readInto(handle: IoFile, bytes: Buffer, position: number): Promise<Buffer> {
  let have = 0;
  while (have < bytes.length) {
    const { bytesRead } = await handle.read(bytes, have, bytes.length - have, position + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return bytes.subarray(0, have);
}

export async function writeRange(handle: IoFile, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** [Note: leftovers] `sweep` recognizes a writer's temporary file by this name. */
const TEMPORARY = '.new-';
const TEMPORARY_NAME = /\.new-[0-9a-f]{12}$/;

/** Returns whether the name is one that `replaceFile` gives to a temporary file. */
export function isTemporary(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/**
 * Replaces `file` with the parts, one after the other; atomically and durably: temporary file in the same folder, flush,
 * rename, flush of the folder. If it rejects, the file is as it was. There is one exception: if the folder can't be
 * flushed after the rename, the new bytes are in place, and a power cut may bring the old ones back.
 *
 * @param owner the file in the same folder whose `sweep` removes what a killed writer leaves behind
 */
export async function replaceFile<T>(
  io: Io,
  file: string,
  parts: Iterator<Buffer, T>,
  owner = file,
): Promise<{ identity: Identity; end: T }> {
  const folder = dirname(file);
  const temporary = `${owner}${TEMPORARY}${randomBytes(6).toString('hex')}`;
  let identity: Identity;
  let end: T;
  const handle = await makeFile(io, temporary);
  try {
    try {
      end = await writeParts(handle, parts);
      await handle.sync();
      identity = identityOf(await handle.stat());
    } finally {
      await handle.close();
    }
    await renameWithRetries(io, temporary, file);
  } catch (error) {
    await io.unlink(temporary).catch(() => undefined); // The caller must hear of the first failure.
    throw error;
  }
  await syncFolder(io, folder);
  return { identity, end };
}

/** Creates a file, and its folder if there is none. */
async function makeFile(io: Io, file: string): Promise<IoFile> {
  try {
    return await io.open(file, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolder(io, dirname(file));
    return io.open(file, 'wx', 0o600);
  }
}

/** Makes the next part and flushes the previous one while a part is being written. */
async function writeParts<T>(handle: IoFile, parts: Iterator<Buffer, T>): Promise<T> {
  let at = 0;
  let flushed = Promise.resolve();
  let next = parts.next();
  while (next.done !== true) {
    const written = hear(writeRange(handle, next.value, at));
    at += next.value.length;
    next = parts.next();
    await written;
    await flushed;
    if (next.done !== true) flushed = hear(handle.datasync());
  }
  await flushed;
  return next.value;
}

/** Returns whether the file holds exactly these parts. */
export async function holds(io: Io, file: string, parts: readonly Buffer[]): Promise<boolean> {
  const handle = await io.open(file, 'r');
  try {
    // One buffer for all: a hundred megabytes of them would stop the program to be collected.
    const bytes = Buffer.allocUnsafe(Math.max(0, ...parts.map(({ length }) => length)));
    let at = 0;
    for (const part of parts) {
      if (!(await readInto(handle, bytes.subarray(0, part.length), at)).equals(part)) return false;
      at += part.length;
    }
    return (await handle.stat()).size === BigInt(at);
  } finally {
    await handle.close();
  }
}

/** Truncates and flushes: after a power cut, the old end must not follow the first sectors of a new one. */
export async function cutOff(handle: IoFile, at: number): Promise<void> {
  await handle.truncate(at);
  await handle.sync();
}

/** Marks a promise that is awaited later as handled, so that an early rejection is no uncaught error. */
export function hear<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Renames `file` to `<file>.<label>-<time>`, or a free name like it. Returns the new name. */
export async function setAside(io: Io, file: string, label: string, at: Date): Promise<string> {
  const aside = await freeName(io, file, label, at);
  await renameWithRetries(io, file, aside);
  await syncFolder(io, dirname(file));
  return aside;
}

/** Copies `file` as `setAside` renames it. The file stays, so that no program ever finds none there. */
export async function keepCopy(io: Io, file: string, label: string, at: Date): Promise<string> {
  const whole = await readWhole(io, file);
  const aside = await freeName(io, file, label, at);
  await replaceFile(io, aside, [whole?.bytes ?? Buffer.alloc(0)].values(), file);
  return aside;
}

async function freeName(io: Io, file: string, label: string, at: Date): Promise<string> {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const name = `${file}.${label}-${time}`;
  for (let n = 1; ; n += 1) {
    const free = n === 1 ? name : `${name}-${n}`;
    if ((await identify(io, free)) === null) return free;
  }
}

/** Removes what killed writers left beside `file`. The caller holds its lock, so no other writer is alive. */
export async function sweep(io: Io, file: string): Promise<void> {
  const own = basename(file).length;
  const folder = dirname(file);
  const names = await io.readdir(folder).catch(() => []);
  for (const name of names) {
    const ours = name.startsWith(basename(file)) && name.search(TEMPORARY_NAME) === own;
    if (ours) await io.unlink(join(folder, name)).catch(() => undefined);
  }
}

const RENAME_TRIES = 10;

/** On Windows, a rename fails while a virus scanner or an indexer has the file open, so it is tried again. */
async function renameWithRetries(io: Io, from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await io.rename(from, to);
      return;
    } catch (error) {
      const refused = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error));
      if (!refused || tries === RENAME_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10 * 2 ** Math.min(tries, 6)));
    }
  }
}

/** Creates the folder with its parents, for this user alone, and flushes their names. */
export async function makeFolder(io: Io, folder: string): Promise<void> {
  const outermost = await io.mkdir(folder, 0o700);
  for (let made = folder; outermost !== null && made.length >= outermost.length; made = dirname(made)) {
    await syncFolder(io, dirname(made));
  }
}

/** Flushes a folder, which makes names in it durable. Windows refuses to open a folder, and needs no flush. */
async function syncFolder(io: Io, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await io.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The end of a vault's file, where changes are appended and those of others are read. The file stays open from one
 * append to the next: opening and closing it costs as much as the flush. On Windows it does not, because nobody could
 * rename another file over it then.
 *
 * `known` is the file as it was last seen under its name. What has been renamed over it is another file, and is neither
 * read nor written here.
 */
export class Log {
  readonly #io: Io;
  readonly #file: string;
  readonly #keep: boolean;
  #open: { handle: IoFile; identity: Identity } | null = null;

  constructor(io: Io, file: string, keep = process.platform !== 'win32') {
    this.#io = io;
    this.#file = file;
    this.#keep = keep;
  }

  /**
   * Writes `bytes` at `at`, durably; what follows there was never acknowledged, and is cut off. Where it rejects, the
   * file ends at `at`, or in an unfinished frame that the next writer cuts off.
   */
  async append(at: number, bytes: Buffer, known: Identity): Promise<Identity> {
    try {
      if (at + bytes.length > MAX_FILE_BYTES) throw tooLarge(BigInt(at + bytes.length));
      const handle = await this.#handleFor(known);
      if (known.size > at) await cutOff(handle, at);
      try {
        await writeRange(handle, bytes, at);
        await handle.datasync();
      } catch (error) {
        await cutOff(handle, at).catch(() => undefined); // What failed first is what the caller must hear.
        throw error;
      }
      const identity = identityOf(await handle.stat());
      if (!this.#keep) await this.close();
      return identity;
    } catch (error) {
      await this.close(); // Whatever is the matter with it, the next one starts afresh.
      throw error;
    }
  }

  /** What stands after `from`; `null` where the file is not the one that is known, or shorter than that. */
  async tail(from: number, known: Identity): Promise<{ bytes: Buffer; identity: Identity } | null> {
    if (this.#open !== null && sameFile(this.#open.identity, known)) {
      return readAfter(this.#open.handle, from, known);
    }
    const handle = await this.#io.open(this.#file, 'r');
    try {
      return await readAfter(handle, from, known);
    } finally {
      await handle.close();
    }
  }

  /** Lets go of the file. It is opened again when it is needed. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    // What is flushed stays flushed, whatever closing says: it must not make a save that was done look refused.
    await open?.handle.close().catch(() => undefined);
  }

  async #handleFor(known: Identity): Promise<IoFile> {
    if (this.#open !== null && sameFile(this.#open.identity, known)) return this.#open.handle;
    await this.close();
    const handle = await this.#io.open(this.#file, 'r+');
    this.#open = { handle, identity: identityOf(await handle.stat()) };
    if (sameFile(this.#open.identity, known)) return handle;
    throw new StorageError(
      'storage_failed',
      'The vault’s file was replaced by another one at this very moment. Nothing was written. Try again.',
    );
  }
}

async function readAfter(handle: IoFile, from: number, known: Identity) {
  const identity = identityOf(await handle.stat());
  if (!sameFile(identity, known) || identity.size < from) return null;
  return { bytes: await readRange(handle, from, Number(identity.size) - from), identity };
}
