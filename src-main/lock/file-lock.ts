import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type * as native from 'fs-native-extensions';
import { VaultError } from '../errors.ts';

type Native = typeof native;

export interface FileLockOptions {
  /** Milliseconds to wait before giving up with `vault_busy`. Default: 10,000. */
  patience?: number;
}

/**
 * One holder at a time, across processes and within one. The lock is the operating system's, on an open file, so it
 * ends with its holder, however that ends: there is no stale lock and no guessing at one.
 *
 * The file is made when it is first needed, holds nothing, and is never renamed or removed: two programs that wait
 * for locks on two files of one name would both get theirs.
 */
export class FileLock {
  readonly #file: string;
  readonly #patience: number;
  #native: Native | undefined;
  #fd: number | undefined;
  /** Holders within this process stand in line; between processes they poll. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, options: FileLockOptions = {}) {
    this.#file = file;
    this.#patience = options.patience ?? 10_000;
  }

  /**
   * Runs `task` while holding the lock. The folder of the lock's file must be there.
   *
   * @throws VaultError `vault_busy` where another holder kept it too long; what opening the file throws
   */
  hold<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      const release = await this.#acquire();
      try {
        return await task();
      } finally {
        release();
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Waits for the holder within this process, then closes the file. */
  async close(): Promise<void> {
    await this.#last;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #acquire(): Promise<() => void> {
    const native = (this.#native ??= await loadNative());
    const until = performance.now() + this.#patience;
    for (let pause = 1; ; pause = Math.min(pause * 1.6, 15)) {
      const fd = (this.#fd ??= openSync(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600));
      if (native.tryLock(fd)) {
        if (fstatSync(fd).nlink > 0) return () => native.unlock(fd);
        // Somebody deleted the file: what is locked is not what others would lock.
        closeSync(fd);
        this.#fd = undefined;
        continue;
      }
      if (performance.now() > until) throw busy();
      // Waiting in the system can't be given up and would hold a thread; so ask, at uneven intervals.
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
  }
}

/** A native module, loaded when it is needed: who only reads a cache in memory can do without. */
async function loadNative(): Promise<Native> {
  // CommonJS exports arrive as `default` where they are not found by name.
  const loaded: Native & { default?: Native } = await import('fs-native-extensions');
  return loaded.default ?? loaded;
}

function busy(): VaultError {
  return new VaultError(
    'vault_busy',
    'Another program has been busy with this vault for too long. Nothing was changed. Close it, or try again.',
  );
}
