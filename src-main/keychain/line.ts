import { KeychainTimeoutError } from '../errors.ts';

/** The two timer functions, so that a test need not wait. */
export interface Timers {
  /** Gives what `clearTimeout` takes. */
  setTimeout(callback: () => void, milliseconds: number): unknown;
  /** One that has run already is no error. */
  clearTimeout(timer: unknown): void;
}

export const systemTimers: Timers = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => {
    if (timer instanceof Object) clearTimeout(timer as NodeJS.Timeout);
  },
};

/** Handed to a task: throws when the caller has been told that it timed out and may have acted on that. */
export type StillWanted = () => void;

/**
 * [Note: one call at a time]
 * Runs tasks one after the other, and tells a caller who has waited too long. A task that hangs keeps its place: each
 * call into the keychain holds one of libuv's four threads, and four that wait for a prompt stop every file
 * operation of the process; calls at the same time have crashed libsecret.
 */
export class Line {
  #last: Promise<unknown> = Promise.resolve();
  readonly #patience: number;
  readonly #timers: Timers;

  constructor(patience: number, timers: Timers = systemTimers) {
    this.#patience = patience;
    this.#timers = timers;
  }

  ask<T>(task: (stillWanted: StillWanted) => Promise<T>): Promise<T> {
    let given = false;
    const stillWanted = (): void => {
      if (given) throw timeout(answer);
    };
    const answer: Promise<T> = this.#last.then(() => task(stillWanted));
    // Whoever waits behind it waits for its end, whatever that is.
    this.#last = answer.catch(() => undefined);
    return new Promise((resolve, reject) => {
      const timer = this.#timers.setTimeout(() => {
        given = true;
        reject(timeout(answer));
      }, this.#patience);
      answer.then(resolve, reject).finally(() => {
        this.#timers.clearTimeout(timer);
      });
    });
  }
}

function timeout(answer: Promise<unknown>): KeychainTimeoutError {
  return new KeychainTimeoutError(
    'The keychain has not answered yet; it may be waiting for you in a window of its own. Nothing was changed. Answer its prompt, or unlock it and try again.',
    answer,
  );
}
