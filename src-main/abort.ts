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
 * Starts work that can be called off until it begins: then the promise rejects with the signal's reason, and `begin` throws.
 * Once it has begun it is finished, and the promise settles as the work does, so that nobody has to guess what was done.
 *
 * @param start calls `begin` at the last moment at which nothing was done yet
 */
export function untilBegun<T>(
  signal: AbortSignal | undefined,
  start: (begin: () => void) => Promise<T>,
): Promise<T> {
  return abandonable(signal, start, true);
}

/**
 * Starts work whose outcome nobody needs after an abort: the promise rejects with the signal's reason, whatever the work is
 * doing.
 *
 * @param start calls `assertWanted`, which throws after an abort, before each step that is not to be done in vain
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
