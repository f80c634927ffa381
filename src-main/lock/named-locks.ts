import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileLock, type FileLockOptions } from './file-lock.ts';

/** Lock files are never removed (see FileLock), so there is a fixed number of them. */
const FILES = 16;

/**
 * Locks by name, across processes and within one. Names share sixteen files, `<file>-0` to `<file>-f`, each made when
 * it is first needed: two names of one file wait for each other, and do no other harm. So none may be asked for while
 * another is held.
 */
export class NamedLocks {
  readonly #file: string;
  readonly #options: FileLockOptions;
  readonly #locks = new Map<string, FileLock>();

  constructor(file: string, options: FileLockOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** See FileLock.hold. Makes the folder, with mode 0700, where it is not there. */
  async hold<T>(name: string, task: () => Promise<T>): Promise<T> {
    const file = `${this.#file}-${(hash(name) % FILES).toString(16)}`;
    const lock = this.#locks.get(file) ?? new FileLock(file, this.#options);
    this.#locks.set(file, lock);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return lock.hold(task);
  }

  /** Waits for the holders within this process. */
  async close(): Promise<void> {
    await Promise.all([...this.#locks.values()].map((lock) => lock.close()));
  }
}

/** FNV-1a: which file is all that it decides. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
