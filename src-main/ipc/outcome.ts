/** [Note: errors cross as values] The end in the main process; the contract says why. */
import { TokenkeepError } from '../errors.ts';
import type { Outcome, PlainError } from './contract.ts';

/** Answered to a frame, window or origin that requests are not served to. */
export const REFUSED: Outcome<never> = {
  ok: false,
  error: { code: 'refused', message: 'This page may not ask that. Nothing was done.' },
};

const UNEXPECTED: PlainError = {
  code: 'unexpected',
  message:
    'Something went wrong that Tokenkeep did not expect. What was saved before is untouched; try again, and report it if it stays.',
};

/**
 * Runs `work` and gives its value or its error as a plain value. A {@link TokenkeepError} keeps its code and its
 * message, which are made for people. Of any other error nothing crosses, for its text may hold anything, a token
 * included: it goes to `onUnexpected` and the window hears `unexpected`.
 */
export async function settle<T>(
  work: () => T | Promise<T>,
  onUnexpected?: (error: unknown) => void,
): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!isOurs(error)) onUnexpected?.(error);
    return { ok: false, error: plainError(error) };
  }
}

export function plainError(error: unknown): PlainError {
  return isOurs(error) ? { code: error.code, message: error.message } : UNEXPECTED;
}

function isOurs(error: unknown): error is TokenkeepError {
  return error instanceof TokenkeepError;
}
