import { VaultError } from '../errors.ts';
import { LockFile, type Native } from './lock-file.ts';

export interface FileLockOptions {
  /** Milliseconds to wait before giving up with `vault_busy`. Default: 10,000. */
  patience?: number;
}

/** The longest pauses between two tries, in milliseconds: of the one who is next, and of those behind. */
const NEXT = 4;
const BEHIND = 15;

/**
 * One holder at a time, across processes and within one.
 *
 * Who wants it first takes a place in the queue, which is a lock as well: there is one such place, and whoever has it is
 * the next holder. Without it, a program that writes without pause would get the lock again and again while the
 * others sleep between their tries.
 */
export class FileLock {
  readonly #lock: LockFile;
  readonly #queue: LockFile;
  readonly #patience: number;
  #native: Native | undefined;
  /** Holders within this process stand in line; between processes they poll. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, options: FileLockOptions = {}) {
    this.#lock = new LockFile(file);
    this.#queue = new LockFile(`${file}-queue`);
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

  /** Waits for the holder within this process, then closes the files. */
  async close(): Promise<void> {
    await this.#last;
    this.#lock.close();
    this.#queue.close();
  }

  async #acquire(): Promise<() => void> {
    const native = (this.#native ??= await loadNative());
    const until = performance.now() + this.#patience;
    const leaveQueue = await poll(() => this.#queue.tryLock(native), BEHIND, until);
    try {
      return await poll(() => this.#lock.tryLock(native), NEXT, until);
    } finally {
      leaveQueue();
    }
  }
}

/** Waiting in the system can't be given up and would hold a thread; so it asks, at uneven intervals. */
async function poll<T>(ask: () => T | null, longest: number, until: number): Promise<T> {
  for (let pause = 1; ; pause = Math.min(pause * 1.6, longest)) {
    const answer = ask();
    if (answer !== null) return answer;
    if (performance.now() > until) throw busy();
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
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
    'Another program has been writing to this vault for too long. Nothing was changed. Close it, or try again.',
  );
}
