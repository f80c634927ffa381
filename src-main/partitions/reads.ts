/**
 * Requests of one user come in bunches: they share one read.
 *
 * Only a read that has not been sent yet is shared. One that is under way may have been answered before another process
 * wrote what the newcomer must see; so newcomers wait for its end and then share the next one. Of any number of callers at
 * once that makes one read, and two where they come while one is under way.
 */
export class SharedReads<T> {
  readonly #waiting = new Map<string, Promise<T>>();
  readonly #running = new Map<string, Promise<unknown>>();

  share(key: string, read: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const before = this.#running.get(key) ?? Promise.resolve();
    const turn = before.then(() => {
      this.#waiting.delete(key);
      const run = read();
      const end: Promise<void> = run.then(
        () => this.#ended(key, end),
        () => this.#ended(key, end),
      );
      this.#running.set(key, end);
      return run;
    });
    this.#waiting.set(key, turn);
    return turn;
  }

  #ended(key: string, end: Promise<unknown>): void {
    if (this.#running.get(key) === end) this.#running.delete(key);
  }
}

/** When which sliding entry was last touched by this process. */

/** Forgetting one costs a touch too many, so there may be few: 100,000 take some 15 MB. */
const MOST = 100_000;

export class Touches {
  readonly #times = new Map<string, number>();

  /** Whether it is time again; then it counts as done. */
  isDue(key: string, now: number, after: number): boolean {
    const last = this.#times.get(key);
    if (last !== undefined && now >= last && now - last < after) return false;
    this.#times.delete(key);
    this.#times.set(key, now);
    if (this.#times.size > MOST) for (const [oldest] of this.#times) return this.#times.delete(oldest);
    return true;
  }

  forget(key: string): void {
    this.#times.delete(key);
  }
}
