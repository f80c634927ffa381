// FORMAT.md, "Keys".
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const KEY_LENGTH = 32;
const CHECK_LENGTH = 16;

/**
 * Derives the key-check value of a header from the vault key, the header's salt and everything before the value. It
 * reveals nothing about the key. It is the same for every version, so that a header of a later version is
 * authenticated too.
 *
 * @param start the first 80 bytes of the header
 */
export function keyCheck(key: Buffer, start: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from('tokenkeep vault check'), start]);
  return Buffer.from(hkdfSync('sha256', key, start.subarray(48, 80), info, CHECK_LENGTH));
}

/**
 * Derives the key of the manifest and of appended frames (`frames`), and the key that hides the seeds of the other frames
 * (`seeds`). The whole header is part of the derivation: if one bit of it differs, no frame opens.
 */
export function sealingKey(
  key: Buffer,
  salt: Buffer,
  header: Buffer,
  purpose: 'frames' | 'seeds',
): KeyObject {
  const info = Buffer.concat([Buffer.from(`tokenkeep vault 2 ${purpose}`), header]);
  const derived = Buffer.from(hkdfSync('sha256', key, salt, info, KEY_LENGTH));
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

/** Derives the key that authenticates the mark file. */
export function markKey(key: Buffer, fileId: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, fileId, 'tokenkeep vault 2 mark', KEY_LENGTH));
}
