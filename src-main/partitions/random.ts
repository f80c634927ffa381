/** Random bytes for nonces and versions. A call to the operating system costs more than reading an entry, so they are fetched in bulk. */
import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Returns bytes that are used once. */
export function randomBytesOf(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + length));
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

/** Returns a version for an entry: 16 characters of base64url, never the same again. */
export function newVersion(): string {
  return randomBytesOf(12).toString('base64url');
}
