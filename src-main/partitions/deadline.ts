/** Deadlines for store calls, so that no call is awaited indefinitely, and the one timer that they share. */
import { PartitionStoreError, TokenkeepError } from '../errors.ts';
import type { PartitionStore, StoreCall, StoredPartition, WriteCondition } from './partition-store.ts';

/** Milliseconds between checks of the running deadlines. One timer serves all of them. */
const TICK = 20;

interface Timed {
  expireAt(now: number): void;
}

/** Timeout errors of calls that were never made. */
const unsent = new WeakSet<object>();

/** Whether the deadline passed before the store was called, so that the call cannot have written anything. */
export function isUnsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent.has(error);
}

const running = new Set<Timed>();
let timer: NodeJS.Timeout | undefined;

function tick(): void {
  const now = performance.now();
  for (const timed of running) timed.expireAt(now);
  if (running.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function start(timed: Timed): void {
  running.add(timed);
  timer ??= setInterval(tick, TICK);
}

/**
 * Calls `ring` once, up to 20 ms after the time has passed. A separate timer for each call would cost more.
 *
 * @returns a function that cancels it
 */
export function alarm(milliseconds: number, ring: () => void): () => void {
  const end = performance.now() + milliseconds;
  const timed: Timed = {
    expireAt: (now) => {
      if (now >= end && running.delete(timed)) ring();
    },
  };
  start(timed);
  return () => void running.delete(timed);
}

/** Writes an entry of the user index, and tells `memoryStore` which partitions are found by it. */
export class ListingCall implements StoreCall {
  readonly lists: readonly string[];
  readonly #call: StoreCall;

  constructor(call: StoreCall, lists: readonly string[]) {
    this.#call = call;
    this.lists = lists;
  }

  get signal(): AbortSignal {
    return this.#call.signal as AbortSignal; // A deadline always has one.
  }
}

/** Creates the signal only if the store uses it. */
class FreshCall implements StoreCall {
  readonly fresh = true;
  readonly #call: StoreCall;

  constructor(call: StoreCall) {
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal as AbortSignal; // A deadline always has one.
  }
}

/**
 * The total time that one read or update may take. Each store call gets the remaining time.
 *
 * It is passed to store calls as `StoreCall`. The `AbortSignal` is created only if the store uses it.
 */
export class Deadline implements StoreCall, Timed {
  readonly #milliseconds: number;
  readonly #end: number;
  readonly #waiting = new Set<(error: Error) => void>();
  #controller: AbortController | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.#end = performance.now() + milliseconds;
    start(this);
  }

  /** Runs a task under a deadline of its own. */
  static async run<T>(milliseconds: number, task: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = new Deadline(milliseconds);
    try {
      return await task(deadline);
    } finally {
      deadline.end();
    }
  }

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.isOver) this.#controller.abort();
    return this.#controller.signal;
  }

  /**
   * @throws PartitionStoreError `store_timeout` or `store_unavailable`; a TokenkeepError of the store is passed on unchanged
   */
  with<T>(call: (options: StoreCall) => Promise<T>): Promise<T> {
    if (this.isOver) {
      const error = this.#tooLate();
      unsent.add(error);
      return Promise.reject(error);
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const failed = (error: unknown): void => {
        this.#waiting.delete(reject);
        reject(this.#failure(error));
      };
      try {
        call(this).then((value) => {
          this.#waiting.delete(reject);
          resolve(value);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** Reads an entry from the store, whatever copies it has. */
  readFresh(store: PartitionStore, key: string): Promise<StoredPartition | null> {
    return this.with((call) => store.read(key, new FreshCall(call)));
  }

  /** Writes an entry. If the reply was lost, the version in the store shows whether the write succeeded. */
  async write(
    store: PartitionStore,
    key: string,
    entry: StoredPartition,
    condition: WriteCondition,
  ): Promise<boolean> {
    try {
      return await this.with((call) => store.write(key, entry, condition, call));
    } catch (error) {
      const stored = await this.readFresh(store, key).catch(() => null);
      if (stored?.version === entry.version) return true;
      throw error;
    }
  }

  /** Removes an entry of this version. If the reply was lost, it may be gone. */
  async remove(store: PartitionStore, key: string, expected: string): Promise<boolean> {
    try {
      return await this.with((call) => store.remove(key, expected, call));
    } catch (error) {
      const stored = await this.readFresh(store, key).catch(() => undefined);
      if (stored === null) return true;
      throw error;
    }
  }

  pause(milliseconds: number): Promise<void> {
    return this.with(() => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }

  end(): void {
    running.delete(this);
  }

  /** Called by the timer. */
  expireAt(now: number): void {
    if (now < this.#end) return;
    running.delete(this);
    const error = this.#tooLate();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#controller?.abort();
  }

  #failure(error: unknown): Error {
    if (error instanceof TokenkeepError) return error;
    if (this.isOver) return this.#tooLate(error);
    return new PartitionStoreError(
      'store_unavailable',
      'The partition store could not be reached, or refused the request. A write in progress was stored completely or not at all. Try again.',
      { cause: error },
    );
  }

  #tooLate(cause?: unknown): PartitionStoreError {
    return new PartitionStoreError(
      'store_timeout',
      `The partition store did not answer within ${this.#milliseconds} ms. A write in progress was stored completely or not at all. Try again.`,
      cause === undefined ? {} : { cause },
    );
  }
}
