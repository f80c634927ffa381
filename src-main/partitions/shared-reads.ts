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
