// FORMAT.md, "Frames".
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { VaultError } from '../../errors.ts';

export const PREFIX_LENGTH = 44;
export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
/** Of the tag, and the checksum after it. */
export const TRAILER_LENGTH = TAG_LENGTH + 4;
/** The "previous tag" of the first frame. */
export const NO_TAG = Buffer.alloc(TAG_LENGTH);

const CRC_AT = 40;
const CRC_LENGTH = 4;
const TAG_OF_ITS_LENGTH = { authTagLength: TAG_LENGTH };

/** The plain prefix of a frame. Its nonce and the previous tag stay in the file's bytes. */
export interface Prefix {
  bodyLength: number;
  sealedLength: number;
  ordinal: number;
}

/** The content of a frame: the body, which the frame encrypts, and secrets that are already encrypted. */
export interface FrameContent {
  readonly body: Buffer;
  readonly sealed: Buffer;
  /** Present where it is known before the body is decrypted. */
  readonly bodyLength?: number;
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

export function frameLength(prefix: Omit<Prefix, 'ordinal'>): number {
  return PREFIX_LENGTH + prefix.sealedLength + prefix.bodyLength + TRAILER_LENGTH;
}

export function contentLength(content: FrameContent): number {
  const bodyLength = content.bodyLength ?? content.body.length;
  return PREFIX_LENGTH + content.sealed.length + bodyLength + TRAILER_LENGTH;
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
  const crcAt = tagAt + TAG_LENGTH;
  target.writeUInt32LE(crc32(target.subarray(at + PREFIX_LENGTH, crcAt)), crcAt);
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
export function tagOf(file: Buffer, at: number, prefix: Omit<Prefix, 'ordinal'>): Buffer {
  const end = at + frameLength(prefix);
  return file.subarray(end - TRAILER_LENGTH, end - TRAILER_LENGTH + TAG_LENGTH);
}

/** Returns whether a frame lies within the file and has the checksum that it was written with. */
export function isWhole(file: Buffer, at: number, prefix: Prefix): boolean {
  const crcAt = at + frameLength(prefix) - CRC_LENGTH;
  if (crcAt + CRC_LENGTH > file.length) return false;
  return crc32(file.subarray(at + PREFIX_LENGTH, crcAt)) === file.readUInt32LE(crcAt);
}

/**
 * Decrypts the body; returns `null` if the frame was not sealed under this key. The whole frame must be in `file`,
 * which is not changed.
 */
export function openBody(
  key: KeyObject,
  file: Buffer,
  at: number,
  prefix: Omit<Prefix, 'ordinal'>,
): Buffer | null {
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

/** What is found when frames are read that were not read when the file was opened. A rewrite takes it along. */
export interface Findings {
  /** A frame is not authentic, or not what FORMAT.md says. */
  isDamaged: boolean;
  /** Accounts with entries in frames of others, and those others; `null` for entries without an account. */
  readonly misplaced: Set<string | null>;
}

export function noFindings(): Findings {
  return { isDamaged: false, misplaced: new Set() };
}

/** The key of a file's frames. */
export interface Sealing {
  readonly key: KeyObject;
  readonly findings: Findings;
}

/** A frame as it is in the file. It is authenticated and decrypted whenever its body is asked for. */
export class StoredFrame implements FrameContent {
  readonly bodyLength: number;
  readonly #sealing: Sealing;
  readonly #file: Buffer;
  readonly #at: number;
  readonly #sealedLength: number;

  /** @param file holds the frame at `at` */
  constructor(
    sealing: Sealing,
    file: Buffer,
    at: number,
    { bodyLength, sealedLength }: Omit<Prefix, 'ordinal'>,
  ) {
    this.bodyLength = bodyLength;
    this.#sealing = sealing;
    this.#file = file;
    this.#at = at;
    this.#sealedLength = sealedLength;
  }

  /** Not authenticated. */
  get sealed(): Buffer {
    const at = this.#at + PREFIX_LENGTH;
    return this.#file.subarray(at, at + this.#sealedLength);
  }

  /** @throws VaultError `vault_damaged` */
  get body(): Buffer {
    const prefix = { bodyLength: this.bodyLength, sealedLength: this.#sealedLength };
    const body = openBody(this.#sealing.key, this.#file, this.#at, prefix);
    if (body !== null) return body;
    this.#sealing.findings.isDamaged = true;
    throw new VaultError(
      'vault_damaged',
      'A part of the vault’s file was tampered with and can’t be opened. The file is untouched.',
    );
  }
}
