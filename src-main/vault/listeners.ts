/** Those who want to hear of one kind of event. */
export class Listeners<T> {
  readonly #all = new Set<(event: T) => void>();

  get size(): number {
    return this.#all.size;
  }

  /** Returns the function that ends it. The same function may listen twice. */
  add(listener: (event: T) => void): () => void {
    const own = (event: T): void => listener(event);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** A listener that throws is reported as an uncaught exception; the vault and the others go on. */
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
