/** Tasks of one name one after the other, within this process. */
export class Lines {
  readonly #ends = new Map<string, Promise<void>>();

  /** Runs the task after those of its name that came before, however they ended. */
  take<T>(name: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#ends.get(name) ?? Promise.resolve()).then(task);
    const done = (): void => {
      if (this.#ends.get(name) === end) this.#ends.delete(name);
    };
    const end = turn.then(done, done);
    this.#ends.set(name, end);
    return turn;
  }
}
