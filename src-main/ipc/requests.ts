/**
 * The protocol with a window: requests by name, arguments validated before anything else runs,
 * results as plain values. The token cache uses it, and an app may use it for its own requests.
 */
import { messageForUsers } from '../error-code.ts';
import { InvalidArgumentError, PublicError } from '../errors.ts';

/** Plain signatures, as the window sees them once the answer has arrived: `interface R { info(): AppInfo }`. */
export type Requests<R> = { [Name in keyof R]: (...args: never[]) => unknown };

/**
 * Functions that answer the requests of a contract. `Caller` stands for the window that asks. A handler may throw: the
 * error crosses as a value.
 */
export type Handlers<R extends Requests<R>, Caller> = {
  [Name in keyof R]: (
    caller: Caller,
    ...args: Parameters<R[Name]>
  ) => ReturnType<R[Name]> | Promise<ReturnType<R[Name]>>;
};

/** Returns the arguments of a request, typed, or throws {@link InvalidArgumentError}. */
export type ArgumentCheck<Args extends readonly unknown[]> = (args: readonly unknown[]) => Args;

/** One check for each request of a contract. */
export type ArgumentChecks<R extends Requests<R>> = {
  [Name in keyof R]: ArgumentCheck<Parameters<R[Name]>>;
};

/** The names of a contract's requests or events at run time. The compiler keeps the list complete. */
export type Names<R> = Readonly<Record<keyof R, true>>;

/** [Note: errors cross as values] A thrown error loses its class and code on the way; this does not. */
export interface PlainError {
  /** The code of a `PublicError`, or `unexpected`, `refused`, `not_served`. */
  code: string;
  /** A message for the user: cause, consequence, remedy. */
  message: string;
}

/** The result of a request: its value or an error. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: PlainError };

/**
 * The check of a request without arguments.
 *
 * @example
 * import { type ArgumentChecks, noArguments } from 'tokenkeep/ipc';
 *
 * const checks: ArgumentChecks<{ version(): string }> = { version: noArguments };
 */
export const noArguments: ArgumentCheck<[]> = (args) => {
  if (args.length > 0) throw new InvalidArgumentError('This request takes no arguments; some were sent.');
  return [];
};

/** Requests and events have separate channels: an event can't be mistaken for a request. */
export const requestChannel = (prefix: string, name: string): string => `${prefix}:request:${name}`;
export const eventChannel = (prefix: string, name: string): string => `${prefix}:event:${name}`;

/** The response to a frame, window or origin that is not served. */
export const REFUSED: Outcome<never> = {
  ok: false,
  error: { code: 'refused', message: 'This page is not allowed to ask that. Nothing was done.' },
};

const UNEXPECTED: PlainError = {
  code: 'unexpected',
  message:
    'Tokenkeep met an unexpected error. What was saved before is unchanged. Try again, and report the error if it comes back.',
};

/**
 * Runs `work` and returns its value or its error as a plain value. [Note: errors cross as values] A
 * {@link PublicError} keeps its code and message, which are written for people. Of any other error nothing crosses,
 * because its text may hold a token: it goes to `onUnexpected`, and the window gets `unexpected`. `explain` may put an error in its place.
 */
export async function settle<T>(
  work: () => T | Promise<T>,
  onUnexpected?: (error: unknown) => void,
  explain: (error: unknown) => unknown = (error) => error,
): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!isOurs(error)) onUnexpected?.(error);
    return { ok: false, error: plainError(explain(error)) };
  }
}

/**
 * Converts an error to the form that a window may see.
 *
 * @example
 * import { plainError } from 'tokenkeep/ipc';
 *
 * try {
 *   await vault.compact();
 * } catch (error) {
 *   const { code, message } = plainError(error); // no text of a foreign error
 *   console.error(code, message);
 * }
 */
export function plainError(error: unknown): PlainError {
  return isOurs(error) ? { code: error.code, message: messageForUsers(error) } : UNEXPECTED;
}

function isOurs(error: unknown): error is PublicError {
  return error instanceof PublicError;
}
