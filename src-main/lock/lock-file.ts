import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type * as native from 'fs-native-extensions';

export type Native = typeof native;

/**
 * One lock of the operating system, on an open file, so it ends with its holder, however that ends: there is no stale lock
 * and no guessing at one.
 *
 * The file is made when it is first needed, holds nothing, and is never renamed or removed: two programs that wait
 * for locks on two files of one name would both get theirs.
 */
export class LockFile {
  readonly #file: string;
  #fd: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Never waits. Returns what lets go of it; `null` where another one holds it. */
  tryLock(native: Native): (() => void) | null {
    for (;;) {
      const fd = (this.#fd ??= openSync(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600));
      if (!native.tryLock(fd)) return null;
      if (fstatSync(fd).nlink > 0) return () => native.unlock(fd);
      // Somebody deleted the file: what is locked is not what others would lock.
      this.close();
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
