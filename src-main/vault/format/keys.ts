// FORMAT.md, "Keys".
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const KEY_LENGTH = 32;
const CHECK_LENGTH = 16;

/** The key-check value of a vault key under a salt. It tells nothing about the key or about any other output. */
export function keyCheck(key: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, 'tokenkeep vault 1 check', CHECK_LENGTH));
}

/**
 * The key that frames are sealed with. The whole header is part of its derivation: under a header in which one bit
 * differs, no frame opens.
 */
export function frameKey(key: Buffer, salt: Buffer, header: Buffer): KeyObject {
  const info = Buffer.concat([Buffer.from('tokenkeep vault 1 frames'), header]);
  const derived = Buffer.from(hkdfSync('sha256', key, salt, info, KEY_LENGTH));
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

/** As the keychain keeps it: base64, because a NUL cuts a keychain value short. `null` where it is no key. */
export function decodeKey(text: string): Buffer | null {
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_LENGTH && key.toString('base64') === text ? key : null;
}

export function encodeKey(key: Buffer): string {
  return key.toString('base64');
}
