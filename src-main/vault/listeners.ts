/** The listeners of one kind of event. */
export class Listeners<T> {
  readonly #all = new Set<(event: T) => void>();

  get size(): number {
    return this.#all.size;
  }

  /** Adds a listener and returns the function that removes it. The same function may be added twice. */
  add(listener: (event: T) => void): () => void {
    const own = (event: T): void => listener(event);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /**
   * Calls all listeners. One that throws is reported as an uncaught exception; the vault and the other listeners
   * continue.
   */
  emit(event: T): void {
    for (const listener of [...this.#all]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
