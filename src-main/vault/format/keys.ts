// FORMAT.md, "Keys".
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

export const KEY_LENGTH = 32;
const CHECK_LENGTH = 16;
const FIRST_BLOCK = Buffer.of(1);

/**
 * HKDF-SHA-256 (RFC 5869) for up to 32 bytes, the length of one hash. Node's own function takes three times as long, and is most of
 * the time of opening a small frame.
 *
 * @param input the input keying material
 */
export function derive(
  input: Buffer | KeyObject,
  salt: Buffer,
  info: string | Buffer,
  length = KEY_LENGTH,
): Buffer {
  const isBuffer = Buffer.isBuffer(input);
  const bytes = isBuffer ? input : input.export();
  const extracted = createHmac('sha256', salt).update(bytes).digest();
  if (!isBuffer) bytes.fill(0);
  const derived = createHmac('sha256', extracted).update(info).update(FIRST_BLOCK).digest();
  extracted.fill(0);
  return derived.subarray(0, length);
}

/**
 * Derives the key-check value of a header from the vault key, the header's salt and everything before the value. It
 * reveals nothing about the key. It is the same for every version, so that a header of a later version is
 * authenticated too.
 *
 * @param start the first 80 bytes of the header
 */
export function keyCheck(key: Buffer, start: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from('tokenkeep vault check'), start]);
  return derive(key, start.subarray(48, 80), info, CHECK_LENGTH);
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
  const derived = derive(key, salt, info);
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

/** Derives the key that authenticates the mark file. */
export function markKey(key: Buffer, fileId: Buffer): Buffer {
  return derive(key, fileId, 'tokenkeep vault 2 mark');
}
