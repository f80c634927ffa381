import { accessSync, fstatSync, statSync, watch, writeSync } from 'node:fs';
import { constants, open, readdir, rename, unlink } from 'node:fs/promises';
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

/** Writes of up to this many bytes take less time on this thread than a request to another thread does. */
const SMALL = 64 * 1024;

export const nodeIo: Io = {
  open: async (file, flags, mode) => {
    const handle = await open(file, flags === 'r' ? READING : flags, mode);
    return {
      read: (target, offset, length, position) => handle.read(target, offset, length, position),
      write: (source, offset, length, position) =>
        length <= SMALL
          ? atOnce(() => ({ bytesWritten: writeSync(handle.fd, source, offset, length, position) }))
          : handle.write(source, offset, length, position),
      truncate: (length) => handle.truncate(length),
      datasync: () => handle.datasync(),
      sync: () => handle.sync(),
      stat: () => atOnce(() => fstatSync(handle.fd, { bigint: true })),
      close: () => handle.close(),
    };
  },
  rename,
  unlink,
  mkdir: makeFolders,
  readdir: (folder) => readdir(folder),
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
