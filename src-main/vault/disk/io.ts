import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  open,
  read,
  readdir,
  readSync,
  rename,
  statSync,
  unlink,
  watch,
  write,
  writeSync,
} from 'node:fs';
import { makeFolders } from '../../folders.ts';

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
   * the process alive. Returns a function that stops watching, or `null` if the folder can't be watched. Absent: no folder can.
   */
  watch?(folder: string, changed: (name: string | null) => void, failed: () => void): (() => void) | null;
}

export interface IoFile {
  read(target: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /** May write only part of the bytes. */
  write(source: Buffer, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<IoStat>;
  close(): Promise<void>;
}

export interface IoStat {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
  /** File type and permissions, as in POSIX. */
  mode: bigint;
}

/** Returns whether it is a regular file, not a folder, device or pipe. */
export function isRegular({ mode }: IoStat): boolean {
  return (Number(mode) & constants.S_IFMT) === constants.S_IFREG;
}

/** Non-blocking, because opening a named pipe without a writer would wait for ever. Windows has neither. */
const READING = process.platform === 'win32' ? 'r' : constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads and writes of up to this many bytes take less time on this thread than a request to another thread does. */
const SMALL_READ = 256 * 1024;
const SMALL_WRITE = 64 * 1024;

/** Uses descriptors: a `FileHandle` costs as much as reading a small vault. */
export const nodeIo: Io = {
  open: async (file, flags, mode) => {
    const fd = await called<number>((done) => open(file, flags === 'r' ? READING : flags, mode, done));
    return {
      read: (target, offset, length, position) =>
        length <= SMALL_READ
          ? atOnce(() => ({ bytesRead: readSync(fd, target, offset, length, position) }))
          : called((done) =>
              read(fd, target, offset, length, position, (error, bytesRead) => done(error, { bytesRead })),
            ),
      write: (source, offset, length, position) =>
        length <= SMALL_WRITE
          ? atOnce(() => ({ bytesWritten: writeSync(fd, source, offset, length, position) }))
          : called((done) =>
              write(fd, source, offset, length, position, (error, bytesWritten) =>
                done(error, { bytesWritten }),
              ),
            ),
      truncate: (length) => called((done) => ftruncate(fd, length, done)),
      datasync: () => called((done) => fdatasync(fd, done)),
      sync: () => called((done) => fsync(fd, done)),
      stat: () => atOnce(() => fstatSync(fd, { bigint: true })),
      close: () => atOnce(() => closeSync(fd)),
    };
  },
  rename: (from, to) => called((done) => rename(from, to, done)),
  unlink: (file) => called((done) => unlink(file, done)),
  mkdir: makeFolders,
  readdir: (folder) => called<string[]>((done) => readdir(folder, done)),
  stat: (file) => atOnce(() => statSync(file, { bigint: true })),
  writable: (path) => atOnce(() => accessSync(path, constants.W_OK)),
  watch: (folder, changed, failed) => {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => changed(name));
      watcher.on('error', failed);
      return () => watcher.close();
    } catch {
      return null; // The folder does not exist yet, or the system’s limit is reached.
    }
  },
};

/**
 * Runs a call on this thread. The system answers from memory. A request to libuv's threads takes thirty times as long; while keychain
 * calls occupy these threads, it waits until the user has answered a prompt.
 */
function atOnce<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}

/** Runs a call on a thread of libuv's. */
function called<T = void>(call: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error === null ? resolve(value as T) : reject(error)));
  });
}
