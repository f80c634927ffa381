import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Sends a line to the campaign. It has been written when this returns, so it arrives even if the process is killed then. */
export function say(...words: readonly (string | number | bigint)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

/** Returns the lines that the campaign sends. */
export function orders(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}
