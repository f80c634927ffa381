// FORMAT.md, "Frames".
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const PREFIX_LENGTH = 44;
export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
/** The "previous tag" of the first frame. */
export const NO_TAG = Buffer.alloc(TAG_LENGTH);

const CRC_AT = 40;

/** What stands before a frame, in the clear. */
export interface Prefix {
  bodyLength: number;
  sealedLength: number;
  ordinal: number;
  nonce: Buffer;
  previousTag: Buffer;
}

/** What a frame carries: the body, which the frame encrypts, and secrets that are encrypted already. */
export interface FrameContent {
  body: Buffer;
  sealed: Buffer;
}

const POOL_LENGTH = NONCE_LENGTH * 1024;

/** Random nonces, drawn a thousand at a time: asking the system for each would cost as much as the sealing. */
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

export function contentLength(content: FrameContent): number {
  return PREFIX_LENGTH + content.sealed.length + content.body.length + TAG_LENGTH;
}

/** Seals one frame into `target` at `at`, where `contentLength` bytes are free. Returns its tag, a view of them. */
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
  const cipher = createCipheriv('aes-256-gcm', key, place.nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(target.subarray(at, bodyAt));
  cipher.update(body).copy(target, bodyAt);
  cipher.final();
  cipher.getAuthTag().copy(target, tagAt);
  return target.subarray(tagAt, tagAt + TAG_LENGTH);
}

/** `null` where no prefix stands there: its checksum does not hold, or the file ends inside it. */
export function readPrefix(file: Buffer, at: number): Prefix | null {
  if (file.length < at + PREFIX_LENGTH) return null;
  const bytes = file.subarray(at, at + PREFIX_LENGTH);
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32LE(CRC_AT)) return null;
  return {
    bodyLength: bytes.readUInt32LE(0),
    sealedLength: bytes.readUInt32LE(4),
    ordinal: bytes.readUInt32LE(8),
    nonce: bytes.subarray(12, 24),
    previousTag: bytes.subarray(24, 40),
  };
}

/** `null` where the frame is not what was sealed under this key. The whole of it must lie in `file`. */
export function openFrame(key: KeyObject, file: Buffer, at: number, prefix: Prefix): FrameContent | null {
  const bodyAt = at + PREFIX_LENGTH + prefix.sealedLength;
  const tagAt = bodyAt + prefix.bodyLength;
  const decipher = createDecipheriv('aes-256-gcm', key, prefix.nonce, { authTagLength: TAG_LENGTH });
  decipher.setAuthTag(file.subarray(tagAt, tagAt + TAG_LENGTH));
  decipher.setAAD(file.subarray(at, bodyAt));
  const body = decipher.update(file.subarray(bodyAt, tagAt));
  try {
    decipher.final();
  } catch {
    return null; // The only thing that final() can say of GCM: it is not authentic.
  }
  return { body, sealed: file.subarray(at + PREFIX_LENGTH, bodyAt) };
}
