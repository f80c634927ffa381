// FORMAT.md, "Frames".
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const PREFIX_LENGTH = 44;
export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
/** The "previous tag" of the first frame. */
export const NO_TAG = Buffer.alloc(TAG_LENGTH);

const CRC_AT = 40;
const TAG_OF_ITS_LENGTH = { authTagLength: TAG_LENGTH };

/** The plain prefix of a frame. Its nonce and the previous tag stay in the file's bytes. */
export interface Prefix {
  bodyLength: number;
  sealedLength: number;
  ordinal: number;
}

/** The content of a frame: the body, which the frame encrypts, and secrets that are already encrypted. */
export interface FrameContent {
  body: Buffer;
  sealed: Buffer;
}

const POOL_LENGTH = NONCE_LENGTH * 1024;

/** Random nonces, generated a thousand at a time: a system call for each would cost as much as the sealing. */
export function noncesFrom(random: (length: number) => Buffer): () => Buffer {
  let pool = Buffer.alloc(0);
  return () => {
    if (pool.length === 0) pool = Buffer.from(random(POOL_LENGTH));
    const nonce = pool.subarray(0, NONCE_LENGTH);
    pool = pool.subarray(NONCE_LENGTH);
    return nonce;
  };
}

export function frameLength(prefix: Prefix): number {
  return PREFIX_LENGTH + prefix.sealedLength + prefix.bodyLength + TAG_LENGTH;
}

/** A frame's content in a file that was read, with the body decrypted in place. Ten thousand are small. */
class ContentInPlace implements FrameContent {
  readonly #file: Buffer;
  readonly #sealedAt: number;
  readonly #bodyAt: number;
  readonly #end: number;

  constructor(file: Buffer, sealedAt: number, bodyAt: number, end: number) {
    this.#file = file;
    this.#sealedAt = sealedAt;
    this.#bodyAt = bodyAt;
    this.#end = end;
  }

  get body(): Buffer {
    return this.#file.subarray(this.#bodyAt, this.#end);
  }

  get sealed(): Buffer {
    return this.#file.subarray(this.#sealedAt, this.#bodyAt);
  }
}

export function contentLength(content: FrameContent): number {
  return PREFIX_LENGTH + content.sealed.length + content.body.length + TAG_LENGTH;
}

/** Seals one frame into `target` at `at`, where `contentLength` bytes are free. Returns its tag, a view of `target`. */
export function sealFrame(
  target: Buffer,
  at: number,
  key: KeyObject,
  place: { ordinal: number; previousTag: Buffer; nonce: Buffer },
  content: FrameContent,
): Buffer {
  const { body, sealed } = content;
  const bodyAt = at + PREFIX_LENGTH + sealed.length;
  const tagAt = bodyAt + body.length;
  target.writeUInt32LE(body.length, at);
  target.writeUInt32LE(sealed.length, at + 4);
  target.writeUInt32LE(place.ordinal, at + 8);
  place.nonce.copy(target, at + 12);
  place.previousTag.copy(target, at + 24);
  target.writeUInt32LE(crc32(target.subarray(at, at + CRC_AT)), at + CRC_AT);
  sealed.copy(target, at + PREFIX_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, place.nonce, TAG_OF_ITS_LENGTH);
  cipher.setAAD(target.subarray(at, bodyAt));
  cipher.update(body).copy(target, bodyAt);
  cipher.final();
  cipher.getAuthTag().copy(target, tagAt);
  return target.subarray(tagAt, tagAt + TAG_LENGTH);
}

/** Reads a prefix. `null` if there is none: its checksum is wrong, or the file ends inside it. */
export function readPrefix(file: Buffer, at: number): Prefix | null {
  if (file.length < at + PREFIX_LENGTH) return null;
  if (crc32(file.subarray(at, at + CRC_AT)) !== file.readUInt32LE(at + CRC_AT)) return null;
  return {
    bodyLength: file.readUInt32LE(at),
    sealedLength: file.readUInt32LE(at + 4),
    ordinal: file.readUInt32LE(at + 8),
  };
}

/** Returns whether the frame at `at` was written after the frame with this tag. */
export function follows(file: Buffer, at: number, previousTag: Buffer): boolean {
  return previousTag.compare(file, at + 24, at + 24 + TAG_LENGTH) === 0;
}

/** Returns the tag of a frame, a view of the file. */
export function tagOf(file: Buffer, at: number, prefix: Prefix): Buffer {
  const end = at + frameLength(prefix);
  return file.subarray(end - TAG_LENGTH, end);
}

/**
 * Decrypts the body; returns `null` if the frame was not sealed under this key. The whole frame must be in `file`,
 * which is not changed.
 */
export function openBody(key: KeyObject, file: Buffer, at: number, prefix: Prefix): Buffer | null {
  const bodyAt = at + PREFIX_LENGTH + prefix.sealedLength;
  const nonce = file.subarray(at + 12, at + 12 + NONCE_LENGTH);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, TAG_OF_ITS_LENGTH);
  decipher.setAuthTag(tagOf(file, at, prefix));
  decipher.setAAD(file.subarray(at, bodyAt));
  const body = decipher.update(file.subarray(bodyAt, bodyAt + prefix.bodyLength));
  try {
    decipher.final();
  } catch {
    return null; // The only error that final() has for GCM: not authentic.
  }
  return body;
}

/** Writes the decrypted body over its ciphertext, which is no longer needed, so that it takes no extra memory. */
export function keepInPlace(file: Buffer, at: number, prefix: Prefix, body: Buffer): FrameContent {
  const sealedAt = at + PREFIX_LENGTH;
  const bodyAt = sealedAt + prefix.sealedLength;
  body.copy(file, bodyAt);
  body.fill(0);
  return new ContentInPlace(file, sealedAt, bodyAt, bodyAt + prefix.bodyLength);
}
