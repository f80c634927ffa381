import { writeSync } from 'node:fs';

/**
 * Reports unexpected errors on the terminal. Never prints the error's message,
 * because it may quote a token; the error's type and stack locations are enough to find it.
 */
export function report(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error;
  const places = error instanceof Error ? (error.stack ?? '').split('\n').filter(isPlace) : [];
  tell([`Tokenkeep: unexpected ${kind}`, ...places, ''].join('\n'));
}

/**
 * Writes to the terminal. Not by `process.stderr`: it makes the file descriptor non-blocking for Chromium as well, whose own lines may then
 * be lost (tests wait for one of them), and its error is uncaught where the terminal is gone.
 */
export function tell(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is no terminal to write to.
  }
}

const isPlace = (line: string): boolean => /^\s+at /.test(line);
