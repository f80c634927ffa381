/** Durable files: reading, atomic replacement and appending. */
import { randomBytes } from 'node:crypto';
import {
  access,
  accessSync,
  close,
  closeSync,
  constants,
  fdatasync,
  fstat,
  fstatSync,
  fsync,
  ftruncate,
  lstatSync,
  open,
  openSync,
  read,
  readdir,
  readlink,
  readlinkSync,
  readSync,
  realpath,
  rename,
  type Stats,
  type StatsFs,
  stat,
  statfs,
  statSync,
  unlink,
  watch,
  write,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeOf } from '../../error-code.ts';
import { StorageError } from '../../errors.ts';
import { isSameNode, LOCAL_FILE_SYSTEMS, makeFolders, shown } from '../../folders.ts';
import { systemTimers } from '../../waiting.ts';
import { MAX_FILE_BYTES, tooLarge } from './size-limit.ts';

/** Identifies one state of a file without reading it. */
export interface Identity {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  birthtimeNs: bigint;
}

export function sameIdentity(a: Identity | null, b: Identity | null): boolean {
  if (a === null || b === null) return a === b;
  return sameFile(a, b) && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/**
 * Returns whether both identify the same file, even if it was written to in the meantime. The number of a file that is gone is given to a
 * new one, often at once, so the time of its creation counts as well.
 */
export function sameFile(a: Identity, b: Identity): boolean {
  return isSameNode(a, b) && (a.birthtimeNs === b.birthtimeNs || !haveBirths(a, b));
}

/** An overlay file system, as containers have it, makes a new file of an unchanged one when it is first opened for writing. It keeps the number. */
function isCopiedUp(now: Identity, before: Identity): boolean {
  return isSameNode(now, before) && now.size === before.size && now.mtimeNs === before.mtimeNs;
}

/** A file system that has no creation times gives 0, and a system without statx(2) gives the time of the last change. */
function haveBirths(a: Identity, b: Identity): boolean {
  if (a.birthtimeNs === 0n || b.birthtimeNs === 0n) return false;
  return a.birthtimeNs !== a.ctimeNs || b.birthtimeNs !== b.ctimeNs;
}

/** Returns the file's identity, or `null` if the file does not exist. */
export async function identify(io: Io, file: string): Promise<Identity | null> {
  try {
    return await io.stat(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Reads a file's bytes and its identity at that time. Returns `null` if the file does not exist.
 *
 * @param atMost the largest number of bytes to read
 */
export async function readWhole(
  io: Io,
  file: string,
  atMost = Number.MAX_SAFE_INTEGER,
): Promise<{ bytes: Buffer; identity: Identity } | null> {
  const found = await openRegular(io, file);
  if (found === null) return null;
  const { handle, identity } = found;
  try {
    if (identity.size > MAX_FILE_BYTES && atMost > MAX_FILE_BYTES) throw tooLarge(identity.size);
    return { bytes: await readRange(handle, 0, Math.min(Number(identity.size), atMost)), identity };
  } finally {
    await handle.close();
  }
}

/** Opens a regular file for reading. Returns `null` if it does not exist. The caller closes it. */
export async function openRegular(
  io: Io,
  file: string,
): Promise<{ handle: IoFile; identity: Identity } | null> {
  let handle: IoFile;
  try {
    handle = await io.open(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    if (codeOf(error) === 'ENXIO') throw notAFile(file); // A socket, or a device that is not there.
    throw error;
  }
  try {
    const identity = await handle.stat();
    if (!isRegular(identity)) throw notAFile(file);
    return { handle, identity };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Returns the error for something else in a file's place. */
export function notAFile(file: string): StorageError {
  return new StorageError(
    'storage_failed',
    `There is a folder, a device or a pipe at “${shown(file)}”, where a file should be. It was neither read nor changed. Move it away, or choose another path.`,
  );
}

/** Reads `length` bytes, or fewer if the file ends earlier. */
export async function readRange(handle: IoFile, position: number, length: number): Promise<Buffer> {
  return readInto(handle, Buffer.allocUnsafe(length), position);
}

export async function readInto(handle: IoFile, bytes: Buffer, position: number): Promise<Buffer> {
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

/** [Note: leftovers] `sweep` recognizes a writer's temporary files by this name. */
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
 * @param owner the file in the same folder whose `sweep` removes the temporary file if the writer is killed
 * @param isLocked whether other writers still have to wait for the caller
 */
export async function replaceFile<T>(
  io: Io,
  file: string,
  parts: Iterator<Buffer, T>,
  {
    owner = file,
    isLocked = () => Promise.resolve(true),
  }: { owner?: string; isLocked?: () => Promise<boolean> } = {},
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
      identity = await handle.stat();
    } finally {
      await handle.close();
    }
    if (!(await isLocked())) throw replacedMeanwhile();
    await renameWithRetries(io, temporary, file);
  } catch (error) {
    await io.unlink(temporary).catch(() => undefined); // The caller gets the first error.
    throw error;
  }
  await syncFolder(io, folder).catch((cause: unknown) => Promise.reject(new UnconfirmedError(cause)));
  if (!(await isLocked())) throw movedMeanwhile();
  return { identity, end };
}

/** The file has been replaced, but the file system did not confirm it: the error must not say that the file is unchanged. */
export class UnconfirmedError extends StorageError {
  constructor(cause: unknown) {
    super(
      'storage_failed',
      `The new file is in place, but the file system did not confirm it: ${codeOf(cause)}. Read the vault to see what is changed before you change it again, and check the disk.`,
      { cause },
    );
  }
}

/** Creates a file, and its folder if necessary. */
async function makeFile(io: Io, file: string): Promise<IoFile> {
  try {
    return await io.open(file, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolder(io, dirname(file));
    return io.open(file, 'wx', 0o600);
  }
}

/** The number of bytes after which a file is flushed while more of it is made: less is left for the flush at the end. */
const FLUSHED = 4 * 1024 * 1024;

/** While one part is written, prepares the next one. Flushes what is written from time to time. */
async function writeParts<T>(handle: IoFile, parts: Iterator<Buffer, T>): Promise<T> {
  let at = 0;
  let flushedTo = 0;
  let [written, flushed] = [Promise.resolve(), Promise.resolve()];
  try {
    let next = parts.next();
    while (next.done !== true) {
      const from = at;
      at += next.value.length;
      if (at > MAX_FILE_BYTES) throw tooLarge(BigInt(at));
      written = hear(writeRange(handle, next.value, from));
      next = parts.next();
      await written;
      if (next.done === true || at - flushedTo < FLUSHED) continue;
      await flushed;
      flushed = hear(handle.datasync());
      flushedTo = at;
    }
    await flushed;
    return next.value;
  } finally {
    await Promise.allSettled([written, flushed]); // or a file that is closed after an error would be written to
  }
}

/** The length of a file, and its CRC-32, which detects accidental changes by a disk. */
export interface FileSum {
  length: number;
  crc: number;
}

/** Yields the parts of a file, and adds each to its sum. */
export function* summing<T>(parts: Generator<Buffer, T>, sum: FileSum): Generator<Buffer, T> {
  for (let next = parts.next(); ; next = parts.next()) {
    if (next.done === true) return next.value;
    sum.length += next.value.length;
    sum.crc = crc32(next.value, sum.crc);
    yield next.value;
  }
}

/** The number of bytes that are read back at once, all into the same memory. */
const READ_BACK = 512 * 1024;

/** Returns whether the file has this sum. */
export async function holds(io: Io, file: string, { length, crc }: FileSum): Promise<boolean> {
  const handle = await io.open(file, 'r');
  try {
    const bytes = Buffer.allocUnsafe(Math.min(READ_BACK, length));
    let found = 0;
    for (let at = 0; at < length; at += bytes.length) {
      found = crc32(await readInto(handle, bytes.subarray(0, length - at), at), found);
    }
    return found === crc && (await handle.stat()).size === BigInt(length);
  } finally {
    await handle.close();
  }
}

/** Truncates and flushes. Without the flush, a power cut could leave the old end behind the first sectors of a new one. */
export async function cutOff(handle: IoFile, at: number): Promise<void> {
  await handle.truncate(at);
  await handle.sync();
}

/** Prevents an unhandled rejection of a promise that is awaited later. */
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

/** Copies `file` to the name that `setAside` would give it. The file stays, so that other programs always find one. */
export async function keepCopy(io: Io, file: string, label: string, at: Date): Promise<string> {
  const whole = await readWhole(io, file);
  const aside = await freeName(io, file, label, at);
  await replaceFile(io, aside, [whole?.bytes ?? Buffer.alloc(0)].values(), { owner: file });
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

/** Removes the temporary files of killed writers. The caller holds the lock of `file`, so no other writer is active. */
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

/** Creates the folder and its parents for this user only, and flushes their names. */
export async function makeFolder(io: Io, folder: string): Promise<void> {
  const outermost = await io.mkdir(folder, 0o700);
  for (let made = folder; outermost !== null && made.length >= outermost.length; made = dirname(made)) {
    await syncFolder(io, dirname(made));
  }
}

/** Flushes a folder, which makes the names in it durable. Windows can't open folders and does not need this. */
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
 * The end of a vault's file: appends changes and reads those of other programs. The file stays open between appends, because
 * opening and closing it costs as much as the flush. On Windows it is closed, because an open file can't be replaced by a rename.
 *
 * `known` is the file as last seen under its name. A file that was renamed over it is another file; it is neither read nor
 * written here.
 */
export class Log {
  readonly #io: Io;
  readonly #file: string;
  readonly #isLocked: () => Promise<boolean>;
  readonly #keep: boolean;
  #open: { handle: IoFile; identity: Identity } | null = null;

  /** @param isLocked whether other writers still have to wait for the caller */
  constructor(io: Io, file: string, isLocked: () => Promise<boolean>, keep = process.platform !== 'win32') {
    this.#io = io;
    this.#file = file;
    this.#isLocked = isLocked;
    this.#keep = keep;
  }

  /**
   * Writes `bytes` at `at` durably. Truncates what follows `at`, which was never acknowledged. If it rejects, the file ends at
   * `at` or in an unfinished frame, which the next writer truncates; or it, or the lock, was moved away meanwhile. Then nothing is taken
   * back: another program may have written there.
   */
  async append(at: number, bytes: Buffer, known: Identity): Promise<Identity> {
    try {
      const handle = await this.#handleFor(known);
      if (known.size > at) await cutOff(handle, at);
      try {
        await writeRange(handle, bytes, at);
        await handle.datasync();
      } catch (error) {
        await cutOff(handle, at).catch(() => undefined); // The caller gets the first error.
        throw error;
      }
      // The frame is durable. If `stat` fails, the next check finds the file changed and reads its end.
      const size = BigInt(at + bytes.length);
      const identity = await handle.stat().catch(() => ({ ...known, size, mtimeNs: 0n }));
      const isThere = await identify(this.#io, this.#file).then(
        (there) => there !== null && sameFile(there, identity),
        () => true,
      );
      if (!isThere || !(await this.#isLocked())) throw movedMeanwhile();
      if (!this.#keep) await this.close();
      return identity;
    } catch (error) {
      await this.close(); // The next append opens the file again.
      throw error;
    }
  }

  /** Reads what follows `from`; `null` if it is another file, a shorter one, or far longer. */
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

  /** Closes the file. It is opened again when needed. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    // Everything is flushed, so an error while closing must not make a completed save look refused.
    await open?.handle.close().catch(() => undefined);
  }

  async #handleFor(known: Identity): Promise<IoFile> {
    if (this.#open !== null && sameFile(this.#open.identity, known)) return this.#open.handle;
    await this.close();
    const handle = await this.#io.open(this.#file, 'r+');
    const identity = await handle.stat();
    this.#open = { handle, identity };
    if (sameFile(identity, known) || isCopiedUp(identity, known)) return handle;
    throw replacedMeanwhile();
  }
}

function replacedMeanwhile(): StorageError {
  return new StorageError(
    'storage_failed',
    'The vault’s file, its lock file or their folder was moved or replaced at this very moment. Nothing was written. Try again.',
  );
}

/** The error for a write that was made although the file, its lock or the folder was moved away meanwhile. */
function movedMeanwhile(): StorageError {
  return new StorageError(
    'storage_failed',
    'The vault’s file, its lock file or their folder was moved or replaced at this very moment, for example by a program that syncs or restores files. Whether the last change is in the file is not known. Read the vault before you make the change again.',
  );
}

/** The most bytes that are read at once after the last frame. Behind a longer end there may be anything. */
const LONGEST_TAIL = 64 * 1024 * 1024;

async function readAfter(handle: IoFile, from: number, known: Identity) {
  const identity = await handle.stat();
  if (!sameFile(identity, known) || identity.size < from || identity.size > from + LONGEST_TAIL) return null;
  return { bytes: await readRange(handle, from, Number(identity.size) - from), identity };
}

/** The system calls that a vault makes. Tests replace them to make a call fail or stop halfway. */
export interface Io {
  open(file: string, flags: string, mode?: number): Promise<IoFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(file: string): Promise<void>;
  /** Creates the folder with its parents. Returns the outermost folder that it created, or `null` if all existed. */
  mkdir(folder: string, mode: number): Promise<string | null>;
  readdir(folder: string): Promise<string[]>;
  stat(file: string): Promise<IoStat>;
  /** Rejects if this user may not write to the path. */
  writable(path: string): Promise<void>;
  /**
   * Watches a folder and calls `changed` with the name of a changed file, or null if the system does not name it. Does not keep
   * the process alive. Returns a function that stops watching, or `null` if the folder can't be watched, or may be on a network drive.
   * Absent: no folder can.
   */
  watch?(folder: string, changed: (name: string | null) => void, failed: () => void): (() => void) | null;
}

export interface IoFile {
  /** May read only part of the bytes. */
  read(target: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /**
   * Does the same without waiting, and returns the number of bytes. Absent where that could block the program, or where an open file
   * could not be replaced.
   */
  readNow?(target: Buffer, offset: number, length: number, position: number): number;
  /** May write only part of the bytes. */
  write(source: Buffer, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<IoStat>;
  close(): Promise<void>;
}

export interface IoStat extends Identity {
  /** File type and permissions, as in POSIX. */
  mode: bigint;
}

/** Returns whether it is a regular file, not a folder, device or pipe. */
export function isRegular({ mode }: IoStat): boolean {
  return (Number(mode) & constants.S_IFMT) === constants.S_IFREG;
}

/** Non-blocking, because opening a named pipe without a writer would block forever. Windows has neither. */
const READING = process.platform === 'win32' ? 'r' : constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads and writes of up to this many bytes take less time on this thread than a request to another thread does. */
const SMALL_READ = 256 * 1024;
const SMALL_WRITE = 64 * 1024;
/** The most bytes that one request reads from a network drive. Each request has a deadline of its own, so that a slow drive can meet it. */
const LONGEST_READ = 1024 * 1024;

/** Uses descriptors: a `FileHandle` costs as much as reading a small vault. [Note: network drives] */
export const nodeIo: Io = {
  open: async (file, flags, mode) => {
    const folder = folderOf(file);
    const isLocal = await isOnLocalDisk(folder);
    const call = (done: Done<number>): void => open(file, flags === 'r' ? READING : flags, mode, done);
    const isReading = isLocal && flags === 'r';
    const fd = isReading
      ? openSync(file, READING)
      : await (isLocal ? called(call) : answered(folder, call, (late) => close(late)));
    return {
      read: async (target, offset, length, position) => {
        if (isLocal && length <= SMALL_READ)
          return { bytesRead: readSync(fd, target, offset, length, position) };
        const most = isLocal ? length : Math.min(length, LONGEST_READ);
        const call = (done: Done<{ bytesRead: number }>): void =>
          read(fd, target, offset, most, position, (error, bytesRead) => done(error, { bytesRead }));
        return isLocal ? called(call) : answered(folder, call);
      },
      ...(isLocal &&
        process.platform !== 'win32' && {
          readNow: (target: Buffer, offset: number, length: number, position: number): number =>
            readSync(fd, target, offset, length, position),
        }),
      write: async (source, offset, length, position) => {
        if (isLocal && length <= SMALL_WRITE)
          return { bytesWritten: writeSync(fd, source, offset, length, position) };
        return called((done) =>
          write(fd, source, offset, length, position, (error, bytesWritten) => done(error, { bytesWritten })),
        );
      },
      truncate: (length) => called((done) => ftruncate(fd, length, done)),
      datasync: () => called((done) => fdatasync(fd, done)),
      sync: () => called((done) => fsync(fd, done)),
      stat: async () =>
        isLocal
          ? fstatSync(fd, { bigint: true })
          : answered(folder, (done) => fstat(fd, { bigint: true }, done)),
      close: async () => {
        if (!isLocal) return called((done) => close(fd, done));
        // Closing a file that was replaced frees its space on the disk, which takes 10 ms for 10 MB. Nobody waits for that.
        if (fstatSync(fd).nlink === 0) close(fd, () => undefined);
        else closeSync(fd);
      },
    };
  },
  rename: (from, to) => called((done) => rename(from, to, done)),
  unlink: (file) => called((done) => unlink(file, done)),
  mkdir: makeFolders,
  readdir: (folder) => answered<string[]>(folder, (done) => readdir(folder, done)),
  stat: async (file) => {
    const folder = folderOf(file);
    return (await isOnLocalDisk(folder))
      ? (statSync(file, { bigint: true, throwIfNoEntry: false }) ?? missing(file))
      : answered(folder, (done) => stat(file, { bigint: true }, done));
  },
  writable: async (path) => {
    const folder = folderOf(path);
    if (await isOnLocalDisk(folder)) accessSync(path, constants.W_OK);
    else await answered(folder, (done: Done<void>) => access(path, constants.W_OK, done));
  },
  watch: (folder, changed, failed) => {
    if (mayBeRemote(folder)) return null;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => changed(name));
      watcher.on('error', failed);
      return () => watcher.close();
    } catch {
      return null; // The folder does not exist yet, or the system’s limit is reached.
    }
  },
};

const MOST_LINKS = 40;

/**
 * Resolves a symbolic link at a file's path. A rewrite would replace the link with a file, and programs that open the file
 * through the link would hold a different lock from those that don't.
 */
export async function throughLinks(file: string): Promise<string> {
  const target = await followed(file);
  return target === file || (await isPath(target, file)) ? target : file;
}

/**
 * Whether a link's text is the path of what the system finds through it. In /proc, where /dev/stdin leads, it may be `pipe:[4711]`, or the
 * name of a file that was deleted. Opened through the link, a pipe is refused; by its text, it would be a vault that is not there yet.
 */
async function isPath(target: string, link: string): Promise<boolean> {
  try {
    const found = await lookedAt(link);
    const named = await lookedAt(target).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    return named !== null && named.dev === found.dev && named.ino === found.ino;
  } catch {
    return true; // Nothing is there yet, or it can’t be looked at; opening it reports why.
  }
}

function lookedAt(path: string): Promise<Stats> {
  return answered<Stats>(dirname(path), (done) => stat(path, done));
}

async function followed(file: string, links = 0): Promise<string> {
  const folder = dirname(file);
  let target: string;
  try {
    let link: string | null;
    if (await isOnLocalDisk(folder)) {
      const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
      link = isLink ? readlinkSync(file) : null;
    } else {
      link = await answered<string | null>(folder, (done) =>
        readlink(file, (error, text) => done(null, error === null ? text : null)),
      );
    }
    if (link === null) return file;
    const real = await answered<string>(folder, (done) => realpath(folder, done));
    target = resolve(real, link);
  } catch {
    return file; // The link can’t be read; opening the file reports why.
  }
  return links === MOST_LINKS ? file : followed(target, links + 1);
}

/**
 * [Note: network drives] A local disk answers small requests from memory. On this thread they take a quarter of the processor time that
 * they take on libuv's threads, and don't wait for keychain calls, which occupy those threads until the user has answered a prompt. A
 * network drive whose server is away does not answer at all, and on this thread that would block the program. So this thread makes calls
 * only to `LOCAL_FILE_SYSTEMS`.
 *
 * Requests that only read are given up after a deadline. Requests that write are not: if one were carried out later, when another program
 * has the lock, it would destroy what that program wrote.
 */
const ANSWER_DEADLINE = 10_000;

/** How long it is remembered whether a folder is on a local disk, in milliseconds: a drive may be mounted over a folder at any time. */
const BELIEVED = 5_000;

/**
 * Starting to watch is a call on this thread too. Besides, a network drive does not report what other computers write. macOS and Windows
 * don't tell in these terms which disk is local; there, only a path that names a server is not watched:
 * `\\server\share` or `\\?\UNC\server\share`, and not `\\?\C:\`.
 */
function mayBeRemote(folder: string): boolean {
  if (process.platform === 'linux') return folders.get(folder)?.isLocal !== true;
  return /^[\\/]{2}(?![?.][\\/](?!UNC[\\/]))/i.test(folder);
}

/** Whether folders are on a local disk, and until when that is remembered; `null` while it is unknown. */
const folders = new Map<string, { isLocal: boolean; until: number } | null>();

/** Returns the folder whose disk holds a path. A known folder is returned itself, because a drive may be mounted there. */
function folderOf(path: string): string {
  return folders.has(path) ? path : dirname(path);
}

async function isOnLocalDisk(folder: string): Promise<boolean> {
  const known = folders.get(folder) ?? null;
  if (known === null) return askWhetherLocal(folder);
  if (performance.now() > known.until) {
    known.until = Infinity; // One check at a time.
    // Nobody waits for the answer: libuv's threads may be waiting for a keychain, and a disk hardly ever changes.
    void askWhetherLocal(folder);
  }
  return known.isLocal;
}

async function askWhetherLocal(folder: string): Promise<boolean> {
  if (!folders.has(folder)) folders.set(folder, null);
  try {
    const { type } = await answered<StatsFs>(folder, (done) => statfs(folder, done));
    const isLocal = LOCAL_FILE_SYSTEMS.includes(type);
    folders.set(folder, { isLocal, until: performance.now() + BELIEVED });
    return isLocal;
  } catch {
    folders.set(folder, null); // The folder does not exist, or its drive does not answer.
    return false;
  }
}

/** Folders with requests that have passed their deadline. Another one would occupy another of libuv's four threads. */
const silent = new Set<string>();

/** @param late called with an answer that comes after the deadline */
async function answered<T>(
  folder: string,
  call: (done: Done<T>) => void,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  if (silent.has(folder)) throw noAnswer(folder);
  const answer = called(call);
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = systemTimers.setTimeout(() => {
      isLate = true;
      silent.add(folder);
      reject(noAnswer(folder));
    }, ANSWER_DEADLINE);
  });
  const ended = (): void => {
    systemTimers.clearTimeout(timer);
    if (isLate) silent.delete(folder); // The drive answers again.
  };
  answer.then((value) => {
    ended();
    if (isLate) late(value);
  }, ended);
  return Promise.race([answer, tooLate]);
}

function noAnswer(folder: string): StorageError {
  return new StorageError(
    'storage_failed',
    `The drive with the folder “${folder}” does not answer. The vault is as it was before. Check the network connection of that drive, then try again, or move the vault to a local disk.`,
  );
}

/** Node's own error costs ten times as much, and at each start two files are looked for that are rarely there. */
function missing(path: string): never {
  throw Object.assign(new Error(`ENOENT: no such file or directory, stat '${path}'`), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'stat',
    path,
  });
}

type Done<T> = (error: Error | null, value?: T) => void;

/** Runs a call on one of libuv’s threads. */
function called<T = void>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error === null ? resolve(value as T) : reject(error)));
  });
}
