import { dirname } from 'node:path';
import { systemCode } from '../error-code.ts';
import { LockError, StorageError, VaultError } from '../errors.ts';
import { makeFolders, pathError } from '../folders.ts';
import { KeyedQueue } from '../waiting.ts';
import {
  acquire,
  acquireAtOnce,
  closeFiles,
  isInPlace,
  type LockFile,
  type LockOutcome,
  preload,
  release,
  type SystemError,
} from './lock-thread.ts';

/** Options for a lock. */
export interface FileLockOptions {
  /** Milliseconds to wait before giving up with `vault_busy`. Default: 10,000. */
  deadline?: number;
}

const DEADLINE = 10_000;

/** The longest pauses between two attempts, in milliseconds: for the next program in the queue, and for those behind it. */
const NEXT = 4;
const BEHIND = 15;

/**
 * A lock with one holder at a time, across processes and within one. It is a lock of the operating system on an open file,
 * so it is released when its holder ends, for whatever reason. There are no stale locks.
 *
 * A program that wants the lock first takes a second one, the queue lock; its holder is next. Without it, a program that writes
 * continuously would get the lock again and again while others sleep between their attempts.
 *
 * Both files are created when first needed, stay empty, and are never renamed or removed here: otherwise two programs could lock two
 * different files of the same name. Others do both, such as a program that syncs or restores the folder. So whoever gets a lock makes sure
 * that its path still leads to the locked file, and takes the one that is there if not. A holder can ask (`isInPlace`) before it relies on
 * what it did. Links are not followed.
 *
 * @example
 * import { appendFile } from 'node:fs/promises';
 * import { FileLock } from './file-lock.ts';
 *
 * const lock = new FileLock('/tmp/log.lock');
 * await lock.hold(() => appendFile('/tmp/log', 'one line\n'));
 */
export class FileLock {
  readonly #lock: LockFile;
  readonly #place: LockFile;
  readonly #deadline: number;
  /** Holders within this process wait here; between processes they poll. */
  readonly #queue = new KeyedQueue();

  constructor(file: string, { deadline = DEADLINE }: FileLockOptions = {}) {
    this.#lock = { path: file, fd: null, localUntil: 0 };
    this.#place = { path: `${file}-queue`, fd: null, localUntil: 0 };
    this.#deadline = deadline;
    preload();
  }

  /**
   * Runs `task` while holding the lock. The folder of the lock's file must exist.
   *
   * @param signal ends the wait: the caller then does not get the lock
   * @throws VaultError `vault_busy` if another program held the lock until the deadline; LockError if locking is impossible;
   *   StorageError `no_permission`; the signal's reason; other errors of the system when the file is opened
   */
  hold<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#queue.run('', async () => {
      signal?.throwIfAborted();
      if (!(await acquireAtOnce([this.#place, this.#lock]))) {
        const files = [
          { file: this.#place, pause: BEHIND },
          { file: this.#lock, pause: NEXT },
        ];
        const outcome = await acquire(files, this.#deadline, signal);
        if (outcome.kind === 'busy') signal?.throwIfAborted();
        assertHeld(outcome);
      }
      try {
        signal?.throwIfAborted();
        return await task();
      } finally {
        await release(this.#lock);
      }
    });
  }

  /**
   * For the holder: whether a program that asks for the lock now has to wait. Not if its file, or the folder of it, was moved away since:
   * that program locks another file.
   */
  isInPlace(): Promise<boolean> {
    return isInPlace(this.#lock);
  }

  /** Waits for the holder within this process, then closes the files. */
  close(): Promise<void> {
    return this.#queue.run('', () => closeFiles([this.#lock, this.#place]));
  }
}

/** Lock files are never removed (see FileLock), so there is a fixed number of them. */
const FILES = 16;

/**
 * Locks by name, across processes and within one. Names share sixteen files, `<file>-0` to `<file>-f`, each made when
 * it is first needed. Two names of one file wait for each other, which is harmless unless the holder of one waits for the other: never
 * request a lock while holding another one.
 *
 * @example
 * import { NamedLocks } from './file-lock.ts';
 *
 * const locks = new NamedLocks('/tmp/refresh-lock');
 * const answer = await locks.hold('ada', () => fetch('https://id.example/token', { method: 'POST' }));
 */
export class NamedLocks {
  readonly #file: string;
  readonly #options: FileLockOptions;
  readonly #locks = new Map<string, FileLock>();

  constructor(file: string, options: FileLockOptions = {}) {
    this.#file = file;
    this.#options = options;
  }

  /** See `FileLock.hold`. Creates the folder, with mode 0700, if there is none. */
  async hold<T>(name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const file = `${this.#file}-${(hash(name) % FILES).toString(16)}`;
    const lock = this.#locks.get(file) ?? new FileLock(file, this.#options);
    this.#locks.set(file, lock);
    await makeFolders(dirname(file));
    return lock.hold(task, signal);
  }

  /** Waits for the holders within this process. */
  async close(): Promise<void> {
    await Promise.all([...this.#locks.values()].map((lock) => lock.close()));
  }
}

/** FNV-1a. The hash only selects the file. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}

/** Error codes after which locking may work another time. All others are permanent. */
const FOR_NOW = [
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'ENOMEM',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
];
/** A system code. That of a failed lock may be in the message only. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

function assertHeld(outcome: LockOutcome): void {
  if (outcome.kind === 'held') return;
  if (outcome.kind === 'busy') {
    throw new VaultError(
      'vault_busy',
      'Another program has been writing to this vault for too long. Nothing was changed. Close that program, or try again.',
    );
  }
  const { path } = outcome;
  if (outcome.kind === 'not-a-file') {
    throw new LockError(
      'lock_file_invalid',
      path,
      `“${path}” should be the vault’s lock file, but it is a link, a folder, a pipe or a device. Nothing was written. Remove it, then try again.`,
      outcome.error === undefined
        ? undefined
        : { cause: systemError(outcome.error, outcome.error.code, path) },
    );
  }
  const { error, during } = outcome;
  const code =
    [error.message, error.code].map(systemCode).find((name) => SYSTEM_CODE.test(name)) ?? error.code;
  const cause = systemError(error, code, path);
  if (during === 'lock' && !FOR_NOW.includes(code)) {
    throw new LockError(
      'lock_unsupported',
      path,
      `The file system does not let “${path}” be locked (${code || error.message}), so two programs could overwrite each other’s changes. Nothing was written. Move the vault to a local disk, or turn on locks for this file system.`,
      { cause },
    );
  }
  if (during === 'open' && (code === 'EACCES' || code === 'EPERM')) {
    throw new StorageError(
      'no_permission',
      `You don’t have permission to open the vault’s lock file “${path}” for writing. The vault is as it was before. Check the permissions of that file and its folder.`,
      { cause },
    );
  }
  throw (during === 'open' ? pathError(path, cause) : null) ?? cause;
}

/** Returns the error as Node itself would have thrown it on this thread. */
function systemError({ message }: SystemError, code: string, path: string): Error {
  return Object.assign(new Error(message), { code, path });
}
