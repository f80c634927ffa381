/**
 * Where faults of our own are told: the terminal, for whoever started the app from one. Never the error's message,
 * for that may quote a token; the kind of error and the places in the code are enough to find it.
 */
export function report(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error;
  const places = error instanceof Error ? (error.stack ?? '').split('\n').filter(isPlace) : [];
  process.stderr.write([`Tokenkeep: unexpected ${kind}`, ...places, ''].join('\n'));
}

const isPlace = (line: string): boolean => /^\s+at /.test(line);
