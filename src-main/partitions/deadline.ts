/** Nobody waits for a store for ever. */
import { PartitionStoreError, TokenkeepError } from '../errors.ts';
import type { StoreCall } from './partition-store.ts';

/** @throws what `Deadline.with` and the task throw */
export async function withDeadline<T>(
  milliseconds: number,
  task: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(milliseconds);
  try {
    return await task(deadline);
  } finally {
    deadline.end();
  }
}

/** The time that one read or update may take in all; each call of the store gets what is left of it. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.#timer = setTimeout(() => this.#controller.abort(), milliseconds);
  }

  get isOver(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * @throws PartitionStoreError `store_timeout`, `store_unavailable`; a TokenkeepError that the store threw, as it is
   */
  async with<T>(call: (options: Required<StoreCall>) => Promise<T>): Promise<T> {
    if (this.isOver) throw this.#tooLate();
    const { signal } = this.#controller;
    const waiting = new AbortController(); // Takes the listener away again; `once` would keep it until the end.
    const over = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(this.#tooLate()), { once: true, signal: waiting.signal });
    });
    try {
      return await Promise.race([call({ signal }), over]);
    } catch (error) {
      if (error instanceof TokenkeepError) throw error;
      if (signal.aborted) throw this.#tooLate(error);
      throw new PartitionStoreError(
        'store_unavailable',
        'The store of the partitions refused, or was not reached. What was being written is there whole or not at all. Try again.',
        { cause: error },
      );
    } finally {
      waiting.abort();
    }
  }

  pause(milliseconds: number): Promise<void> {
    return this.with(() => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #tooLate(cause?: unknown): PartitionStoreError {
    return new PartitionStoreError(
      'store_timeout',
      `The store of the partitions has not answered within ${this.#milliseconds} ms. What was being written is there whole or not at all. Try again.`,
      cause === undefined ? {} : { cause },
    );
  }
}
