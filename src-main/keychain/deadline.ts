import { KeychainTimeoutError } from '../errors.ts';
import { KeyedQueue } from '../queue.ts';

/**
 * The two timer functions, so that a test can turn the clock.
 *
 * @example
 * import type { Timers } from 'tokenkeep/keychain';
 *
 * const timers: Timers = { setTimeout: (callback, ms) => setTimeout(callback, ms), clearTimeout: () => undefined };
 */
export interface Timers {
  /** Returns what `clearTimeout` takes. */
  setTimeout(callback: () => void, milliseconds: number): unknown;
  /** Clearing a timer that has fired is no error. */
  clearTimeout(timer: unknown): void;
}

/** The timers of the process. */
export const systemTimers: Timers = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => {
    if (timer instanceof Object) clearTimeout(timer as NodeJS.Timeout);
  },
};

/** Given to a task: throws once the caller has been told that the call timed out, and may have acted on that. */
export type AssertWanted = () => void;

/**
 * [Note: one call at a time]
 * A queue with a deadline for each caller. A task that hangs keeps its place, so that no other call starts: each call into the keychain
 * blocks one of libuv's four threads, and four calls that wait for a prompt would block all file operations of the process. Simultaneous
 * calls have also crashed libsecret.
 */
export class DeadlineQueue {
  readonly #queue = new KeyedQueue();
  readonly #deadline: number;
  readonly #timers: Timers;

  /** @param deadline milliseconds that a caller waits, its time in the queue included */
  constructor(deadline: number, timers: Timers = systemTimers) {
    this.#deadline = deadline;
    this.#timers = timers;
  }

  /** @throws KeychainTimeoutError, whose `answer` settles as the task does */
  run<T>(task: (assertWanted: AssertWanted) => Promise<T>): Promise<T> {
    let timedOut = false;
    const assertWanted = (): void => {
      if (timedOut) throw timeout(answer);
    };
    const answer: Promise<T> = this.#queue.run('', () => task(assertWanted));
    return new Promise((resolve, reject) => {
      const timer = this.#timers.setTimeout(() => {
        timedOut = true;
        reject(timeout(answer));
      }, this.#deadline);
      answer.then(resolve, reject).finally(() => {
        this.#timers.clearTimeout(timer);
      });
    });
  }
}

function timeout(answer: Promise<unknown>): KeychainTimeoutError {
  return new KeychainTimeoutError(
    'The keychain has not answered yet. It may be waiting for you in a window of its own. Nothing was changed. Answer its prompt, or unlock it and try again.',
    answer,
  );
}
