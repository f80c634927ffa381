/** Optimizations of reads: shared reads, a cache of opened entries, and fewer touches of sliding entries. */
import type { Found } from './partition-contents.ts';

/**
 * Shares one read of the store among requests of one user that come together.
 *
 * Only a read that has not been sent yet is shared. A read in progress may have been answered before another process
 * wrote what a new caller must see, so new callers wait for its end and share the next one. Any number of simultaneous callers
 * cause one read, or two if one is already in progress.
 */
export class SharedReads<T> {
  readonly #waiting = new Map<string, Promise<T>>();
  readonly #running = new Map<string, Promise<unknown>>();

  share(key: string, read: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const turn = (this.#running.get(key) ?? Promise.resolve()).then(() => this.#run(key, read));
    this.#waiting.set(key, turn);
    return turn;
  }

  #run(key: string, read: () => Promise<T>): Promise<T> {
    this.#waiting.delete(key);
    const run = read();
    const ended = (): void => {
      if (this.#running.get(key) === end) this.#running.delete(key);
    };
    const end: Promise<void> = run.then(ended, ended);
    this.#running.set(key, end);
    return run;
  }
}

/** Shares one running task among callers who want the same. */
export class SharedFlights {
  readonly #running = new Map<string, Promise<unknown>>();

  share<T>(name: string, task: () => Promise<T>): Promise<T> {
    const running = this.#running.get(name);
    if (running !== undefined) return running as Promise<T>;
    const own = task().finally(() => this.#running.delete(name));
    this.#running.set(name, own);
    return own;
  }
}

/**
 * Keeps opened caches (LRU), so that an entry whose version is unchanged is not opened again.
 * A kept cache is used only after the store has confirmed its version, or in an update that is written only if it
 * still has that version.
 */
export class OpenedCaches {
  readonly #most: number;
  readonly #found = new Map<string, Found>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Returns the opened cache of this version; undefined if there is none, or if it was changed. */
  of(key: string, version: string): Found | undefined {
    const found = this.take(key);
    if (found?.version !== version) return undefined;
    this.keep(key, found);
    return found;
  }

  keep(key: string, found: Found): void {
    this.#found.delete(key);
    if (found.version === null || this.#most === 0) return;
    this.#found.set(key, found);
    const [oldest] = this.#found.keys();
    if (this.#found.size > this.#most && oldest !== undefined) this.#found.delete(oldest);
  }

  /** Removes and returns the opened cache. The caller may change it. */
  take(key: string): Found | undefined {
    const found = this.#found.get(key);
    this.#found.delete(key);
    return found?.cache.version === found?.opened ? found : undefined;
  }
}

/** How many keys are remembered. Forgetting one causes one extra touch. 100,000 take about 15 MB. */
const MOST_TOUCHES = 100_000;

/** Records until when this process last extended each sliding entry. */
export class Touches {
  readonly #times = new Map<string, { readonly at: number; readonly until: number }>();

  /**
   * Returns whether a touch is due, and if so, records it as done: if it makes the entry live longer by `after` seconds. The lifetime may
   * have become longer since the last one.
   */
  isDue(key: string, now: number, ttl: number, after: number): boolean {
    const last = this.#times.get(key);
    const until = now + ttl;
    if (last !== undefined && now >= last.at && now - last.at < after && until - last.until < after)
      return false;
    this.#times.delete(key);
    this.#times.set(key, { at: now, until });
    const [oldest] = this.#times.keys();
    if (this.#times.size > MOST_TOUCHES && oldest !== undefined) this.#times.delete(oldest);
    return true;
  }

  forget(key: string): void {
    this.#times.delete(key);
  }
}
