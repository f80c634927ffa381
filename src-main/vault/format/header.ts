// FORMAT.md, "Header".
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';

export const VERSION = 2;
export const HEADER_LENGTH = 128;
/** The offset of the second copy: in another page, so that one bad page leaves one copy intact. */
export const HEADER_COPY_AT = 4096;
export const FRAMES_AT = HEADER_COPY_AT + HEADER_LENGTH;

// As in PNG: a byte with the high bit set, the name, CR LF, Ctrl-Z, LF. A transfer that rewrites line endings or strips the eighth bit is
// detected at once.
const MAGIC = Buffer.from('\x89TKV\r\n\x1a\n', 'latin1');
export const MAGIC_LENGTH = MAGIC.length;
const CHECKSUM_LENGTH = 32;
const LONGEST_HEADER = 4096;
export const CHECK_AT = 80;

export type Slot = 'a' | 'b';

/** The fields of a header. `bytes` is its encoding; every frame's key is bound to all of it. */
export interface Header {
  /** 16 bytes, generated with the file, kept when it is rewritten. */
  fileId: Buffer;
  /** Incremented at each rewrite. */
  generation: bigint;
  /** Which of the two keys in the keychain opens this file. */
  slot: Slot;
  /** Number of frames that were flushed before the file got its name, including the manifest. */
  baseFrames: number;
  /** 32 bytes, new at each rewrite. */
  salt: Buffer;
  /** 16 bytes derived from the key and all preceding bytes: tells a wrong key from a damaged file. */
  check: Buffer;
}

export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(HEADER_LENGTH, 12);
  header.fileId.copy(bytes, 16);
  bytes.writeBigUInt64LE(header.generation, 32);
  bytes.writeUInt8(header.slot === 'a' ? 0 : 1, 40);
  bytes.writeUInt32LE(header.baseFrames, 44);
  header.salt.copy(bytes, 48);
  header.check.copy(bytes, 80);
  checksum(bytes).copy(bytes, HEADER_LENGTH - CHECKSUM_LENGTH);
  return bytes;
}

/** The fields that every version has: which key opens the file, and how to check the key. */
export interface HeaderKey {
  fileId: Buffer;
  slot: Slot;
  check: Buffer;
  /** The input of the check's derivation. */
  start: Buffer;
}

export type HeaderReading =
  /** `intact`: both copies are present and equal, with only zeros between them. */
  | { kind: 'header'; header: Header; bytes: Buffer; key: HeaderKey; intact: boolean }
  /** A header of a later version. The caller has to check that a holder of the key wrote it. */
  | { kind: 'newer'; key: HeaderKey }
  | { kind: 'none' };

/** Returns the input of the key-check value of this header. */
export function checkedPart(header: Omit<Header, 'check'>): Buffer {
  return encodeHeader({ ...header, check: Buffer.alloc(16) }).subarray(0, CHECK_AT);
}

function keyOf(bytes: Buffer): HeaderKey {
  return {
    fileId: Buffer.from(bytes.subarray(16, 32)),
    slot: bytes.readUInt8(40) === 0 ? 'a' : 'b',
    check: Buffer.from(bytes.subarray(CHECK_AT, CHECK_AT + 16)),
    start: Buffer.from(bytes.subarray(0, CHECK_AT)),
  };
}

/** Reads the header of a whole file, from either copy. */
export function readHeader(file: Buffer): HeaderReading {
  const first = file.subarray(0, HEADER_LENGTH);
  const second = file.subarray(HEADER_COPY_AT, HEADER_COPY_AT + HEADER_LENGTH);
  for (const bytes of [first, second]) {
    const header = decodeHeader(bytes);
    if (header === null) continue;
    const between = file.subarray(HEADER_LENGTH, HEADER_COPY_AT);
    const intact = first.equals(second) && isZero(between);
    return { kind: 'header', header, bytes, key: keyOf(bytes), intact };
  }
  for (const at of [0, HEADER_COPY_AT]) {
    if (isNewer(file, at)) return { kind: 'newer', key: keyOf(file.subarray(at, at + HEADER_LENGTH)) };
  }
  return { kind: 'none' };
}

/** `null` if these are not the 128 bytes of a header. Every field is checked, so that there is one encoding. */
export function decodeHeader(bytes: Buffer): Header | null {
  if (bytes.length !== HEADER_LENGTH || !isSealed(bytes)) return null;
  if (bytes.readUInt32LE(8) !== VERSION || bytes.readUInt32LE(12) !== HEADER_LENGTH) return null;
  const slot = bytes.readUInt8(40);
  const baseFrames = bytes.readUInt32LE(44);
  if (slot > 1 || !isZero(bytes.subarray(41, 44)) || baseFrames < 1) return null;
  return {
    fileId: bytes.subarray(16, 32),
    generation: bytes.readBigUInt64LE(32),
    slot: slot === 0 ? 'a' : 'b',
    baseFrames,
    salt: bytes.subarray(48, 80),
    check: bytes.subarray(80, 96),
  };
}

/**
 * Reads the header of a later version: same magic, same place of version and length, and a correct checksum over its
 * own length. Without the checksum, a flipped bit in the version would tell the user to update.
 */
function isNewer(file: Buffer, at: number): boolean {
  if (file.length < at + HEADER_LENGTH) return false;
  const length = file.readUInt32LE(at + 12);
  if (file.readUInt32LE(at + 8) <= VERSION || length < HEADER_LENGTH || length > LONGEST_HEADER) return false;
  const bytes = file.subarray(at, at + length);
  return bytes.length === length && isSealed(bytes);
}

/** Returns whether a file begins like a vault of any version. */
export function isVaultHeader(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

function isSealed(bytes: Buffer): boolean {
  return isVaultHeader(bytes) && checksum(bytes).equals(bytes.subarray(bytes.length - CHECKSUM_LENGTH));
}

function checksum(bytes: Buffer): Buffer {
  return createHash('sha256')
    .update(bytes.subarray(0, bytes.length - CHECKSUM_LENGTH))
    .digest();
}

const ZEROS = Buffer.alloc(4096);

export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const some = bytes.subarray(at, at + ZEROS.length);
    if (!some.equals(ZEROS.subarray(0, some.length))) return false;
  }
  return true;
}

// FORMAT.md, "Keys".
export const KEY_LENGTH = 32;
const CHECK_LENGTH = 16;
const FIRST_BLOCK = Buffer.of(1);

/**
 * HKDF-SHA-256 (RFC 5869) for up to 32 bytes, the length of one hash. Node's own function takes three times as long, most of the time that
 * opening a small frame takes.
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
