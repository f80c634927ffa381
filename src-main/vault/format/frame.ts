// FORMAT.md, "Frames".
import { createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { VaultError } from '../../errors.ts';
import { derive, type Header, KEY_LENGTH, sealingKey } from './header.ts';

export const PREFIX_LENGTH = 64;
export const TAG_LENGTH = 16;
/** Length of the tag and of the checksum after it, in bytes. */
export const TRAILER_LENGTH = TAG_LENGTH + 4;
/** The "previous tag" of the first frame. */
export const NO_TAG = Buffer.alloc(TAG_LENGTH);

const PREVIOUS_AT = 12;
const SEED_AT = 28;
const CRC_AT = 60;
const CRC_LENGTH = 4;
const TAG_OF_ITS_LENGTH = { authTagLength: TAG_LENGTH };
/** Every frame has a key of its own, so that one nonce serves all. */
const NONCE = Buffer.alloc(12);

/** The plain prefix of a frame. Its seed and the previous tag stay in the file's bytes. */
export interface Prefix {
  bodyLength: number;
  sealedLength: number;
  ordinal: number;
}

/** The content of a frame: the body, which the frame encrypts, and secrets that are already encrypted. */
export interface FrameContent {
  readonly body: Buffer;
  readonly sealed: Buffer;
  /** Length in bytes; present if it is known before the body is decrypted. */
  readonly bodyLength?: number;
}

const POOL_LENGTH = KEY_LENGTH * 1024;

/** Random seeds, generated a thousand at a time: a system call for each would cost as much as the sealing. */
export function seedsFrom(random: (length: number) => Buffer): () => Buffer {
  let pool = Buffer.alloc(0);
  return () => {
    if (pool.length === 0) pool = Buffer.from(random(POOL_LENGTH));
    const seed = pool.subarray(0, KEY_LENGTH);
    pool = pool.subarray(KEY_LENGTH);
    return seed;
  };
}

/** Findings from frames that were read after the file was opened. A rewrite keeps them. */
export interface Findings {
  /** A frame is not authentic, or not what FORMAT.md says. */
  isDamaged: boolean;
  /** Accounts with entries in another account's frame, and those other accounts; `null` for entries without an account. */
  readonly misplaced: Set<string | null>;
}

export function noFindings(): Findings {
  return { isDamaged: false, misplaced: new Set() };
}

/** The keys of a file's frames. */
export interface Sealing {
  readonly fileId: Buffer;
  readonly baseFrames: number;
  /** The key of the manifest and of appended frames. */
  readonly frameKey: KeyObject;
  /** Encrypts the seeds of the other frames. */
  readonly seedKey: KeyObject;
  readonly findings: Findings;
}

/** Returns the keys of a file's frames. `bytes`: the encoding of the header. */
export function sealingOf(key: Buffer, header: Header, bytes: Buffer, findings = noFindings()): Sealing {
  return {
    fileId: Buffer.from(header.fileId),
    baseFrames: header.baseFrames,
    frameKey: sealingKey(key, header.salt, bytes, 'frames'),
    seedKey: sealingKey(key, header.salt, bytes, 'seeds'),
    findings,
  };
}

/** Returns the key stream that hides the seeds of these frames, from the frame `from` on. */
export function seedStream({ seedKey }: Sealing, from: number, frames: number): Buffer {
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(2n * BigInt(from), 8);
  return createCipheriv('aes-256-ctr', seedKey, counter).update(Buffer.alloc(KEY_LENGTH * frames));
}

/** Whether a rewrite copies the frame: every frame of the base but the manifest. */
function isCopied({ baseFrames }: Sealing, ordinal: number): boolean {
  return ordinal > 0 && ordinal < baseFrames;
}

/** @param seed as it is in the prefix */
function contentKey(sealing: Sealing, ordinal: number, seed: Buffer): Buffer {
  if (!isCopied(sealing, ordinal)) return derive(sealing.frameKey, seed, 'tokenkeep vault 2 frame');
  const plain = seedStream(sealing, ordinal, 1);
  combine(plain, 0, seed);
  try {
    return derive(plain, sealing.fileId, 'tokenkeep vault 2 account');
  } finally {
    plain.fill(0);
  }
}

/** XORs the 32 bytes at `at` with others. */
function combine(target: Buffer, at: number, other: Buffer, from = 0): void {
  for (let index = 0; index < KEY_LENGTH; index += 1) {
    target[at + index] = (target[at + index] ?? 0) ^ (other[from + index] ?? 0);
  }
}

export function frameLength(prefix: Omit<Prefix, 'ordinal'>): number {
  return PREFIX_LENGTH + prefix.sealedLength + prefix.bodyLength + TRAILER_LENGTH;
}

export function contentLength(content: FrameContent): number {
  const bodyLength = content.bodyLength ?? content.body.length;
  return PREFIX_LENGTH + content.sealed.length + bodyLength + TRAILER_LENGTH;
}

/** The unit that a disk writes atomically. A frame that was being written during a power cut lacks whole sectors. */
export const SECTOR = 512;
/** Shorter runs of zeros occur in intact frames, so writers avoid shorter holes (`aligned`). */
export const SHORTEST_HOLE = 8;

const SPACE = 0x20;

/**
 * Pads the JSON of the content with spaces, so that a frame that begins at `at` does not end within a few bytes of a
 * sector border. Otherwise a power cut could drop so few bytes of this frame, or of the next one, that the loss could
 * not be told from damage.
 */
export function aligned({ body, sealed }: FrameContent, at: number): FrameContent {
  let length = body.length;
  // A copied frame has padding for its previous offset.
  while (body[length - 1] === SPACE) length -= 1;
  const json = body.subarray(0, length);
  const over = (at + contentLength({ body: json, sealed })) % SECTOR;
  const isNearStart = over > 0 && over < SHORTEST_HOLE;
  const spaces = isNearStart ? SHORTEST_HOLE - over : over > SECTOR - SHORTEST_HOLE ? SECTOR - over : 0;
  return { body: spaces === 0 ? json : Buffer.concat([json, Buffer.alloc(spaces, SPACE)]), sealed };
}

/** The position of a frame in the chain of its file. */
export interface FramePlace {
  ordinal: number;
  previousTag: Buffer;
}

function writePrefix(
  target: Buffer,
  at: number,
  { ordinal, previousTag }: FramePlace,
  { bodyLength, sealedLength }: Omit<Prefix, 'ordinal'>,
): void {
  target.writeUInt32LE(bodyLength, at);
  target.writeUInt32LE(sealedLength, at + 4);
  target.writeUInt32LE(ordinal, at + 8);
  previousTag.copy(target, at + PREVIOUS_AT);
  target.writeUInt32LE(crc32(target.subarray(at, at + CRC_AT)), at + CRC_AT);
}

/**
 * Seals one frame into `target` at `at`, where `contentLength` bytes are free. Returns its tag, a view of `target`.
 *
 * @param seed 32 random bytes that no other frame has
 */
export function sealFrame(
  target: Buffer,
  at: number,
  sealing: Sealing,
  place: FramePlace,
  { body, sealed }: FrameContent,
  seed: Buffer,
): Buffer {
  const isSeedHidden = isCopied(sealing, place.ordinal);
  seed.copy(target, at + SEED_AT);
  if (isSeedHidden) combine(target, at + SEED_AT, seedStream(sealing, place.ordinal, 1));
  writePrefix(target, at, place, { bodyLength: body.length, sealedLength: sealed.length });
  const bodyAt = at + PREFIX_LENGTH + sealed.length;
  const tagAt = bodyAt + body.length;
  sealed.copy(target, at + PREFIX_LENGTH);
  const key = contentKey(sealing, place.ordinal, target.subarray(at + SEED_AT, at + SEED_AT + KEY_LENGTH));
  const cipher = createCipheriv('aes-256-gcm', key, NONCE, TAG_OF_ITS_LENGTH);
  cipher.setAAD(target.subarray(isSeedHidden ? at + PREFIX_LENGTH : at, bodyAt));
  cipher.update(body).copy(target, bodyAt);
  cipher.final();
  key.fill(0);
  cipher.getAuthTag().copy(target, tagAt);
  const crcAt = tagAt + TAG_LENGTH;
  target.writeUInt32LE(crc32(target.subarray(at + PREFIX_LENGTH, crcAt)), crcAt);
  return target.subarray(tagAt, crcAt);
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
  return previousTag.compare(file, at + PREVIOUS_AT, at + PREVIOUS_AT + TAG_LENGTH) === 0;
}

/** Returns the tag of a frame, a view of the file. */
export function tagOf(file: Buffer, at: number, prefix: Omit<Prefix, 'ordinal'>): Buffer {
  const end = at + frameLength(prefix);
  return file.subarray(end - TRAILER_LENGTH, end - TRAILER_LENGTH + TAG_LENGTH);
}

/** So many bytes of a frame are checked or decrypted without a pause. */
const PIECE = 4 * 1024 * 1024;

/** Returns whether a frame lies within the file and has the checksum that it was written with. Pauses in a long one. */
export async function isWhole(
  file: Buffer,
  at: number,
  prefix: Prefix,
  pause: () => Promise<void>,
): Promise<boolean> {
  const crcAt = at + frameLength(prefix) - CRC_LENGTH;
  if (crcAt + CRC_LENGTH > file.length) return false;
  let crc = 0;
  for (let from = at + PREFIX_LENGTH; from < crcAt; from += PIECE) {
    if (from > at + PREFIX_LENGTH) await pause();
    crc = crc32(file.subarray(from, Math.min(from + PIECE, crcAt)), crc);
  }
  return crc === file.readUInt32LE(crcAt);
}

/** Returns the seed of the frame at `at`, as it is in the prefix. A view of the file. */
export function seedAt(file: Buffer, at: number): Buffer {
  return file.subarray(at + SEED_AT, at + SEED_AT + KEY_LENGTH);
}

/** Returns the checksum that a frame was written with. */
export function checksumOf(file: Buffer, at: number, prefix: Prefix): number {
  return file.readUInt32LE(at + frameLength(prefix) - CRC_LENGTH);
}

/**
 * Decrypts the body; returns `null` if the frame was not sealed for this file and this place in it. The whole frame must be in
 * `file`, which is not changed. Pauses in a long one.
 */
export async function openBody(
  sealing: Sealing,
  file: Buffer,
  at: number,
  prefix: Prefix,
  pause: () => Promise<void>,
): Promise<Buffer | null> {
  const seed = seedAt(file, at);
  const contentAt = at + PREFIX_LENGTH;
  const from = isCopied(sealing, prefix.ordinal) ? contentAt : at;
  const authenticated = file.subarray(from, contentAt + prefix.sealedLength);
  if (frameLength(prefix) > PIECE)
    return decryptedInTurns(file.subarray(contentAt), prefix, authenticated, sealing, seed, pause);
  return decrypted(file.subarray(contentAt), prefix, authenticated, sealing, seed);
}

/** Does what `decrypted` does, in pieces: anybody can forge a frame as long as the file, which is then found not to be authentic. */
async function decryptedInTurns(
  content: Buffer,
  { bodyLength, sealedLength, ordinal }: Prefix,
  authenticated: Buffer,
  sealing: Sealing,
  seed: Buffer,
  pause: () => Promise<void>,
): Promise<Buffer | null> {
  const tagAt = sealedLength + bodyLength;
  const decipher = decipherOf(contentKey(sealing, ordinal, seed));
  decipher.setAuthTag(content.subarray(tagAt, tagAt + TAG_LENGTH));
  for (let at = 0; at < authenticated.length; at += PIECE) {
    decipher.setAAD(authenticated.subarray(at, at + PIECE));
    await pause();
  }
  const body = Buffer.allocUnsafe(bodyLength);
  for (let at = 0; at < bodyLength; at += PIECE) {
    const from = sealedLength + at;
    decipher.update(content.subarray(from, Math.min(from + PIECE, tagAt))).copy(body, at);
    await pause();
  }
  return isAuthentic(decipher) ? body : null;
}

/** @param key is overwritten */
function decipherOf(key: Buffer): DecipherGCM {
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, TAG_OF_ITS_LENGTH);
  key.fill(0);
  return decipher;
}

function isAuthentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false; // The only error that final() has for GCM.
  }
}

/**
 * @param content the frame without its prefix
 * @param authenticated the associated data
 * @param seed as it is in the prefix
 */
function decrypted(
  content: Buffer,
  { bodyLength, sealedLength, ordinal }: Prefix,
  authenticated: Buffer,
  sealing: Sealing,
  seed: Buffer,
): Buffer | null {
  const tagAt = sealedLength + bodyLength;
  const decipher = decipherOf(contentKey(sealing, ordinal, seed));
  decipher.setAuthTag(content.subarray(tagAt, tagAt + TAG_LENGTH));
  decipher.setAAD(authenticated);
  const body = decipher.update(content.subarray(sealedLength, tagAt));
  return isAuthentic(decipher) ? body : null;
}

/** What holds the bytes of frames: memory, or a file that is still being read into memory. */
export interface Holder {
  readonly length: number;
  /** Returns these bytes; `null` if they are not there any more. They don't change afterwards. */
  now(at: number, length: number): Buffer | null;
  /** Reads everything into memory. */
  load(): Promise<unknown>;
}

export function holderOf(memory: Buffer): Holder {
  return {
    length: memory.length,
    now: (at, length) => memory.subarray(at, at + length),
    load: () => Promise.resolve(),
  };
}

/** A frame of the base as it is in the file. It is authenticated and decrypted whenever it is opened. */
export class StoredFrame implements FrameContent {
  readonly bodyLength: number;
  readonly sealing: Sealing;
  readonly ordinal: number;
  /** It has the sealed secrets, the body and the trailer. Frames of several files may share it. */
  readonly holder: Holder;
  readonly #at: number;
  readonly #sealedLength: number;
  readonly #seed: Buffer;
  /** The checksum that was found at opening; `null` in a file that this program wrote. */
  readonly #crc: number | null;

  /**
   * @param at offset of the sealed secrets in `holder`; the body and the trailer follow them
   * @param seed as it is in the prefix
   */
  constructor(
    sealing: Sealing,
    holder: Holder,
    at: number,
    { bodyLength, sealedLength, ordinal }: Prefix,
    seed: Buffer,
    crc: number | null = null,
  ) {
    this.bodyLength = bodyLength;
    this.sealing = sealing;
    this.ordinal = ordinal;
    this.holder = holder;
    this.#at = at;
    this.#sealedLength = sealedLength;
    this.#seed = seed;
    this.#crc = crc;
  }

  /** Not authenticated. */
  get sealed(): Buffer {
    return this.holder.now(this.#at, this.#sealedLength) ?? this.#damaged();
  }

  /** @throws VaultError `vault_damaged` */
  get body(): Buffer {
    return this.open().body;
  }

  /**
   * Returns the content, authenticated. The body and the sealed secrets are of the same bytes, even if the file is being changed.
   *
   * @throws VaultError `vault_damaged`
   */
  open(): FrameContent {
    const prefix = { bodyLength: this.bodyLength, sealedLength: this.#sealedLength, ordinal: this.ordinal };
    const content = this.#content();
    const sealed = content.subarray(0, this.#sealedLength);
    const body = decrypted(content, prefix, sealed, this.sealing, this.#seed) ?? this.#damaged();
    return { body, sealed };
  }

  /** Returns the frame without its prefix. */
  #content(): Buffer {
    const length = this.#sealedLength + this.bodyLength + TRAILER_LENGTH;
    return this.holder.now(this.#at, length) ?? this.#damaged();
  }

  /**
   * Copies the frame to another file, without decrypting it: only its place and its seed are written anew. Returns the frame of that
   * file, which shares the memory of this one, and its tag, a view of `target`.
   *
   * The checksum of the content is copied too: a reader of the copy would notice damage to memory.
   *
   * @throws VaultError `vault_damaged` if the bytes are not those that were checked at opening
   * @param seeds the seed streams of this frame's file and of the other one, from frame 0 on
   */
  copyTo(
    target: Buffer,
    at: number,
    sealing: Sealing,
    place: FramePlace,
    seeds: { old: Buffer; fresh: Buffer },
  ): { frame: StoredFrame; tag: Buffer } {
    const prefix = { bodyLength: this.bodyLength, sealedLength: this.#sealedLength, ordinal: place.ordinal };
    const seed = Buffer.from(this.#seed);
    combine(seed, 0, seeds.old, KEY_LENGTH * this.ordinal);
    combine(seed, 0, seeds.fresh, KEY_LENGTH * place.ordinal);
    seed.copy(target, at + SEED_AT);
    writePrefix(target, at, place, prefix);
    const content = this.#content();
    const crcAt = content.length - CRC_LENGTH;
    const isChecked = this.#crc === null || crc32(content.subarray(0, crcAt)) === this.#crc;
    if (!isChecked || (this.#crc !== null && content.readUInt32LE(crcAt) !== this.#crc)) this.#damaged();
    content.copy(target, at + PREFIX_LENGTH);
    const frame = new StoredFrame(sealing, this.holder, this.#at, prefix, seed);
    return { frame, tag: tagOf(target, at, prefix) };
  }

  #damaged(): never {
    this.sealing.findings.isDamaged = true;
    throw new VaultError(
      'vault_damaged',
      'A part of the vault’s file was tampered with and can’t be opened. The file is untouched.',
    );
  }
}
