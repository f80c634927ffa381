import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Says a line to the campaign. It is out when this returns: what is said before a kill is heard. */
export function say(...words: readonly (string | number | bigint)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

/** The lines that the campaign says. */
export function orders(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}
