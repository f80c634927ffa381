/**
 * Runs the tasks of one key one at a time, in the order of the calls, within this process. Tasks of different keys run
 * concurrently.
 */
export class KeyedQueue {
  readonly #ends = new Map<string, Promise<void>>();

  /** Runs the task once every earlier task of the key has settled, and settles as the task does. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#ends.get(key) ?? Promise.resolve()).then(task);
    const done = (): void => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    };
    const end = turn.then(done, done);
    this.#ends.set(key, end);
    return turn;
  }
}
