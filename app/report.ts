/**
 * Reports unexpected errors on the terminal. Never prints the error's message,
 * because it may quote a token; the error's type and stack locations are enough to find it.
 */
export function report(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error;
  const places = error instanceof Error ? (error.stack ?? '').split('\n').filter(isPlace) : [];
  process.stderr.write([`Tokenkeep: unexpected ${kind}`, ...places, ''].join('\n'));
}

const isPlace = (line: string): boolean => /^\s+at /.test(line);
