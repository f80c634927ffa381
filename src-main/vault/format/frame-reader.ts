// FORMAT.md, "Reading".
import {
  checksumOf,
  type FrameContent,
  follows,
  frameLength,
  type Holder,
  isWhole,
  openBody,
  PREFIX_LENGTH,
  type Prefix,
  readPrefix,
  SECTOR,
  type Sealing,
  SHORTEST_HOLE,
  seedAt,
  StoredFrame,
  TRAILER_LENGTH,
  tagOf,
} from './frame.ts';
import { isZero } from './header.ts';

/** Where the next frame is expected, and the values that it must have. */
export interface Cursor {
  at: number;
  ordinal: number;
  previousTag: Buffer;
}

export interface IntactFrame {
  ordinal: number;
  content: FrameContent;
}

export interface Scan {
  frames: readonly IntactFrame[];
  /** Data that was flushed can't be authenticated: frames are missing, or foreign bytes are present. */
  damaged: boolean;
  /** The end of each intact frame. */
  ends: readonly Cursor[];
  /** The end of the intact frames: the next frame is written here, and what follows was never acknowledged. */
  end: Cursor;
}

/**
 * The largest number of bytes, beyond the length of the file, on which authentication may fail before the search for
 * intact frames ends. Frames of an accidentally damaged file never exceed its length; forged prefixes could take
 * hours.
 */
const SEARCH_BYTES = 64 * 1024 * 1024;
/** Bytes: the secrets key (32) and an empty JSON object (2). */
const SHORTEST_BODY = 34;

/** A file that is read in pieces. */
export interface FrameFile extends Holder {
  /** Returns at least `length` bytes from `at` on, fewer if the file ends there. Valid until the next call. */
  window(at: number, length: number): Promise<Buffer>;
  /** Reads the file into memory up to `to`. Resolves with the bytes up to there, fewer if the file is shorter. */
  load(to?: number): Promise<Buffer>;
  /** Reads nothing any more. */
  stop(): void;
}

/** Reads the first frame into memory; `null` if it is not there, or not authentic. */
export async function readFirstFrame(
  file: FrameFile,
  cursor: Cursor,
  sealing: Sealing,
): Promise<{ content: FrameContent; end: Cursor } | null> {
  const { at } = cursor;
  const prefix = readPrefix(await file.window(at, PREFIX_LENGTH), 0);
  const end = prefix === null ? 0 : at + frameLength(prefix);
  if (prefix === null || end > file.length) return null;
  const start = await file.load(end);
  const found = next(start, cursor, sealing);
  return found === null ? null : { content: contentOf(start, found), end: after(start, found) };
}

/**
 * Returns the base frames after the manifest without decrypting them; `null` if they are not all there, in one piece and
 * in their order, as their lengths, checksums and tags of previous frames tell. Does not keep their bytes.
 */
export async function outlineBase(
  file: FrameFile,
  from: Cursor,
  sealing: Sealing,
  pause: () => Promise<void>,
): Promise<{ frames: readonly StoredFrame[]; end: Cursor } | null> {
  const frames: StoredFrame[] = [];
  let cursor = from;
  let window = { from: cursor.at, bytes: await file.window(cursor.at, PREFIX_LENGTH) };
  const show = async (length: number): Promise<number> => {
    const { at } = cursor;
    if (at - window.from + length > window.bytes.length) {
      window = { from: at, bytes: await file.window(at, length) };
    }
    return at - window.from;
  };
  while (cursor.ordinal < sealing.baseFrames) {
    let at = await show(PREFIX_LENGTH);
    const prefix = readPrefix(window.bytes, at);
    if (prefix === null || !isNext(window.bytes, at, prefix, cursor)) return null;
    at = await show(frameLength(prefix));
    const { bytes } = window;
    if (!isWhole(bytes, at, prefix)) return null;
    const [seed, crc] = [Buffer.from(seedAt(bytes, at)), checksumOf(bytes, at, prefix)];
    frames.push(new StoredFrame(sealing, file, cursor.at + PREFIX_LENGTH, prefix, seed, crc));
    cursor = {
      at: cursor.at + frameLength(prefix),
      ordinal: prefix.ordinal + 1,
      previousTag: Buffer.from(tagOf(bytes, at, prefix)),
    };
    await pause();
  }
  return { frames, end: cursor };
}

/**
 * Reads frames from `from` to the end, and pauses between them. Never guesses: everything it returns is authenticated.
 *
 * @param offset the position of `file` in the real file, if only the end of the file was read
 */
export async function scanFrames(
  file: Buffer,
  from: Cursor,
  sealing: Sealing,
  { offset = 0, pause }: { offset?: number; pause: () => Promise<void> },
): Promise<Scan> {
  const { baseFrames } = sealing;
  const frames: IntactFrame[] = [];
  const ends: Cursor[] = [];
  let damaged = false;
  let cursor = from;
  const search = { budget: file.length + SEARCH_BYTES };
  while (cursor.at < file.length) {
    const found = next(file, cursor, sealing) ?? nextIntact(file, cursor, sealing, search);
    if (found === null) {
      if (!isUnwritten(file, cursor, offset) || cursor.ordinal < baseFrames) damaged = true;
      break;
    }
    const { at, prefix } = found;
    if (at !== cursor.at || !isNext(file, at, prefix, cursor)) damaged = true;
    frames.push({ ordinal: prefix.ordinal, content: contentOf(file, found) });
    cursor = after(file, found);
    ends.push(cursor);
    await pause();
  }
  if (cursor.ordinal < baseFrames) damaged = true;
  return { frames, ends, damaged, end: cursor };
}

interface Found {
  at: number;
  prefix: Prefix;
  body: Buffer;
}

function isNext(file: Buffer, at: number, prefix: Prefix, { ordinal, previousTag }: Cursor): boolean {
  return prefix.ordinal === ordinal && follows(file, at, previousTag);
}

function contentOf(file: Buffer, { at, prefix, body }: Found): FrameContent {
  const sealedAt = at + PREFIX_LENGTH;
  return { body, sealed: file.subarray(sealedAt, sealedAt + prefix.sealedLength) };
}

function after(file: Buffer, { at, prefix }: Omit<Found, 'body'>): Cursor {
  return {
    at: at + frameLength(prefix),
    ordinal: prefix.ordinal + 1,
    previousTag: tagOf(file, at, prefix),
  };
}

/** Returns the frame at the cursor, if it is the expected one. */
function next(file: Buffer, cursor: Cursor, sealing: Sealing): Found | null {
  const prefix = readPrefix(file, cursor.at);
  if (prefix === null || !isNext(file, cursor.at, prefix, cursor)) return null;
  return openAt(file, cursor.at, prefix, sealing);
}

function openAt(file: Buffer, at: number, prefix: Prefix, sealing: Sealing): Found | null {
  if (!isWhole(file, at, prefix)) return null;
  const body = openBody(sealing, file, at, prefix);
  return body === null ? null : { at, prefix, body };
}

/**
 * After damage: finds the next authentic frame that has not been passed, at any offset. A frame with a lower ordinal
 * was repeated or moved.
 */
function nextIntact(
  file: Buffer,
  cursor: Cursor,
  sealing: Sealing,
  search: { budget: number },
): Found | null {
  const last = file.length - PREFIX_LENGTH - TRAILER_LENGTH;
  for (let at = cursor.at; at <= last; at += 1) {
    const ordinal = file.readUInt32LE(at + 8);
    // A cheap test that rules out nearly every offset before a checksum is computed.
    if (ordinal < cursor.ordinal || ordinal - cursor.ordinal > file.length / PREFIX_LENGTH) continue;
    const [body, sealed] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    const length = PREFIX_LENGTH + sealed + body + TRAILER_LENGTH;
    if (body < SHORTEST_BODY || at + length > file.length) continue;
    if ((search.budget -= PREFIX_LENGTH) < 0) return null;
    const prefix = readPrefix(file, at);
    if (prefix === null) continue;
    if ((search.budget -= length) < 0) return null;
    const found = openAt(file, at, prefix, sealing);
    if (found !== null) return found;
  }
  return null;
}

/** Whether the bytes at the cursor can be an incomplete frame, rather than a changed one. */
function isUnwritten(file: Buffer, { at, ordinal }: Cursor, offset: number): boolean {
  const rest = file.subarray(at);
  if (rest.length < PREFIX_LENGTH || isZero(rest)) return true;
  const prefix = readPrefix(file, at);
  if (prefix === null) return hasHole(file, at, Math.min(at + SECTOR, file.length), offset);
  if (prefix.ordinal !== ordinal) return false;
  const end = at + frameLength(prefix);
  return end > file.length || (isZero(file.subarray(end)) && hasHole(file, at, end, offset));
}

/** Whether there is a sector's worth of zeros, clipped to the frame. */
function hasHole(file: Buffer, from: number, to: number, offset: number): boolean {
  for (let start = from; start < to; ) {
    const end = Math.min((Math.floor((start + offset) / SECTOR) + 1) * SECTOR - offset, to);
    if (end - start >= SHORTEST_HOLE && isZero(file.subarray(start, end))) return true;
    start = end;
  }
  return false;
}
