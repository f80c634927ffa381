/** Tasks of one name take turns within this process; those of different names know nothing of each other. */
export class Turns {
  readonly #lines = new Map<string, Promise<unknown>>();

  take<T>(name: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#lines.get(name) ?? Promise.resolve()).then(task);
    const end: Promise<void> = turn.then(
      () => this.#ended(name, end),
      () => this.#ended(name, end),
    );
    this.#lines.set(name, end);
    return turn;
  }

  #ended(name: string, end: Promise<void>): void {
    if (this.#lines.get(name) === end) this.#lines.delete(name);
  }
}
