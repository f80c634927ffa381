/** Waiting: tasks that take turns, calls that a caller may give up, and deadlines. */

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

/**
 * An option of calls that wait.
 *
 * @example
 * import type { Abortable } from 'tokenkeep/cache';
 *
 * const options: Abortable = { signal: AbortSignal.timeout(5_000) };
 */
export interface Abortable {
  /** Stops waiting: the call rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Starts work that can be cancelled until it begins. After an abort, the promise rejects with the signal's reason, and `begin` throws. Work
 * that has begun is finished, and the promise settles with its outcome, so that the caller knows what was done.
 *
 * @param start calls `begin` right before its first effect
 */
export function untilBegun<T>(
  signal: AbortSignal | undefined,
  start: (begin: () => void) => Promise<T>,
): Promise<T> {
  return abandonable(signal, start, true);
}

/**
 * Starts work whose outcome is not needed after an abort: the promise then rejects with the signal's reason at once, even if the work is
 * still running.
 *
 * @param start calls `assertWanted`, which throws after an abort, before each step that would be wasted
 */
export function abandonable<T>(
  signal: AbortSignal | undefined,
  start: (assertWanted: () => void) => Promise<T>,
  stopsAtFirstStep = false,
): Promise<T> {
  if (signal === undefined) return start(() => undefined);
  return new Promise<T>((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    const end = (): void => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    const work = start(() => {
      signal.throwIfAborted();
      if (stopsAtFirstStep) end();
    });
    work.then(resolve, reject).finally(end);
  });
}

/** The callbacks of timers that have fired. */
const due = new WeakMap<object, NodeJS.Immediate>();

/**
 * [Note: late timers] The timers of the process, for deadlines. If this thread was blocked, or the process stopped, a timer runs before what
 * has arrived meanwhile, and the deadline would pass although the answer is there. So what has arrived is handled first.
 */
export const systemTimers = {
  setTimeout(callback: () => void, milliseconds: number): NodeJS.Timeout {
    const timer = setTimeout(() => due.set(timer, setImmediate(callback)), milliseconds);
    return timer;
  },
  /** Clears a timer, also if it has fired and its callback has not been called yet. */
  clearTimeout(timer: unknown): void {
    if (!(timer instanceof Object)) return;
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(due.get(timer));
  },
};
