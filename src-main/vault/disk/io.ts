import { accessSync, fstatSync, statSync, watch, writeSync } from 'node:fs';
import { constants, open, readdir, rename, unlink } from 'node:fs/promises';
import { makeFolders } from '../../folders.ts';

/** The system calls that a vault makes. Tests replace them, to make one fail or stop half way. */
export interface Io {
  open(file: string, flags: string, mode?: number): Promise<IoFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(file: string): Promise<void>;
  /** Creates the folder with its parents. Returns the outermost folder that was created, or `null` where all existed. */
  mkdir(folder: string, mode: number): Promise<string | null>;
  readdir(folder: string): Promise<string[]>;
  stat(file: string): Promise<IoStat>;
  /** Rejects where this user may not write to the path. */
  writable(path: string): Promise<void>;
  /**
   * Tells of changes in a folder, by the name of the file where the system says it. Does not keep a process alive. Returns
   * what ends it; `null` where the folder can't be watched. Absent: nothing can be.
   */
  watch?(folder: string, changed: (name: string | null) => void, failed: () => void): (() => void) | null;
}

export interface IoFile {
  read(target: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /** May write fewer bytes than it was given. */
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
  /** Permissions and type, as POSIX has them. */
  mode: bigint;
}

/** Whether it is a file and not a folder, a device or a pipe. */
export function isRegular({ mode }: IoStat): boolean {
  return (Number(mode) & constants.S_IFMT) === constants.S_IFREG;
}

/** Non-blocking: opening a named pipe that nobody writes to would wait for ever. Windows has neither. */
const READING = process.platform === 'win32' ? 'r' : constants.O_RDONLY | constants.O_NONBLOCK;

/** Up to this many bytes, the system copies a write into its memory faster than another thread can be reached. */
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
      return null; // No such folder yet, or the system watches no more of them.
    }
  },
};

/**
 * Runs a call on this thread. The system answers from memory, and the way through libuv's threads takes thirty times as
 * long, or until a person has answered a prompt: the keychain's calls hold those threads.
 */
function atOnce<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}
