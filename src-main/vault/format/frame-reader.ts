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
 * [Note: limits of the search] Somebody may write anything behind a vault, or over it. The search for intact frames in it has to end, and
 * must not block the program meanwhile, so it pauses, skips zeros, and has limits.
 *
 * The largest number of bytes, beyond the length of the file, on which authentication may fail. Frames of an accidentally damaged file
 * never exceed its length; forged ones could take hours.
 */
const SEARCH_BYTES = 64 * 1024 * 1024;
/** The largest number of prefixes that are examined, and of frames with correct checksums that are not authentic. Chance makes few. */
const SEARCH_PREFIXES = 100_000;
const SEARCH_FRAMES = 10_000;
/** The largest number of bytes that are looked through, without zeros. So much damage is no accident. */
const SEARCH_LENGTH = 64 * 1024 * 1024;
/** The number of bytes that are looked through, or compared with zeros, without a pause. */
const BLOCK = 64 * 1024;
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
  pause: () => Promise<void>,
): Promise<{ content: FrameContent; end: Cursor } | null> {
  const { at } = cursor;
  const prefix = readPrefix(await file.window(at, PREFIX_LENGTH), 0);
  const end = prefix === null ? 0 : at + frameLength(prefix);
  if (prefix === null || end > file.length) return null;
  const start = await file.load(end);
  const found = await next(start, cursor, sealing, pause);
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
    if (!(await isWhole(bytes, at, prefix, pause))) return null;
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
 * @param isSalvaging whether frames after damage are needed. If not, there may be more than are returned of a damaged file
 */
export async function scanFrames(
  file: Buffer,
  from: Cursor,
  sealing: Sealing,
  {
    offset = 0,
    pause,
    isSalvaging = true,
  }: { offset?: number; pause: () => Promise<void>; isSalvaging?: boolean },
): Promise<Scan> {
  const { baseFrames } = sealing;
  const frames: IntactFrame[] = [];
  const ends: Cursor[] = [];
  let damaged = false;
  let cursor = from;
  const search = {
    bytes: file.length + SEARCH_BYTES,
    prefixes: SEARCH_PREFIXES,
    frames: SEARCH_FRAMES,
    length: SEARCH_LENGTH,
    pause,
  };
  while (cursor.at < file.length) {
    let found = await next(file, cursor, sealing, pause);
    if (found === null) {
      const isEnd = cursor.ordinal >= baseFrames && (await isUnwritten(file, cursor, offset, pause));
      if (isEnd || isSalvaging) found = await nextIntact(file, cursor, sealing, search);
      if (found === null) {
        if (!isEnd) damaged = true;
        break;
      }
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
async function next(
  file: Buffer,
  cursor: Cursor,
  sealing: Sealing,
  pause: () => Promise<void>,
): Promise<Found | null> {
  const prefix = readPrefix(file, cursor.at);
  if (prefix === null || !isNext(file, cursor.at, prefix, cursor)) return null;
  if (!(await isWhole(file, cursor.at, prefix, pause))) return null;
  const body = await openBody(sealing, file, cursor.at, prefix, pause);
  return body === null ? null : { at: cursor.at, prefix, body };
}

interface Search {
  bytes: number;
  prefixes: number;
  frames: number;
  length: number;
  pause: () => Promise<void>;
}

/**
 * After damage: finds the next authentic frame that has not been passed, at any offset. A frame with a lower ordinal
 * was repeated or moved. `search`: see [Note: limits of the search].
 */
async function nextIntact(
  file: Buffer,
  cursor: Cursor,
  sealing: Sealing,
  search: Search,
): Promise<Found | null> {
  const end = file.length - PREFIX_LENGTH - TRAILER_LENGTH + 1;
  for (let block = cursor.at; block < end; block += BLOCK) {
    const to = Math.min(block + BLOCK, end);
    await search.pause();
    if (isZero(file.subarray(block, to + LENGTH_BYTES))) continue;
    if ((search.length -= to - block) < 0) return null;
    for (let at = block; (at = candidate(file, at, to, cursor.ordinal)) >= 0; at += 1) {
      if ((search.prefixes -= 1) < 0) return null;
      const prefix = readPrefix(file, at);
      if (prefix === null) continue;
      if ((search.bytes -= frameLength(prefix)) < 0) return null;
      if (!(await isWhole(file, at, prefix, search.pause))) continue;
      if ((search.frames -= 1) < 0) return null;
      const body = await openBody(sealing, file, at, prefix, search.pause);
      if (body !== null) return { at, prefix, body };
      await search.pause();
    }
  }
  return null;
}

/** The bytes of a length in a prefix. No frame has a body of length 0. */
const LENGTH_BYTES = 4;

/** A cheap test that rules out nearly every offset before a checksum is computed. Returns the first that passes; -1 if none does. */
function candidate(file: Buffer, from: number, to: number, least: number): number {
  const most = file.length / PREFIX_LENGTH; // at most 2 to the power of 24, as no file is larger than a gigabyte
  for (let at = from; at < to; at += 1) {
    if (file[at + 11] !== 0) continue;
    const ordinal = (file[at + 8] ?? 0) + (file[at + 9] ?? 0) * 0x100 + (file[at + 10] ?? 0) * 0x10000;
    if (ordinal < least || ordinal - least > most) continue;
    const [body, sealed] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    if (body >= SHORTEST_BODY && at + PREFIX_LENGTH + sealed + body + TRAILER_LENGTH <= file.length)
      return at;
  }
  return -1;
}

/** Whether the bytes at the cursor can be an incomplete frame, rather than a changed one. */
async function isUnwritten(
  file: Buffer,
  { at, ordinal }: Cursor,
  offset: number,
  pause: () => Promise<void>,
): Promise<boolean> {
  if (file.length - at < PREFIX_LENGTH || (await isZeroFrom(file, at, pause))) return true;
  const prefix = readPrefix(file, at);
  if (prefix === null) return hasHole(file, at, Math.min(at + SECTOR, file.length), offset, pause);
  if (prefix.ordinal !== ordinal) return false;
  const end = at + frameLength(prefix);
  if (end > file.length) return true;
  return (await isZeroFrom(file, end, pause)) && (await hasHole(file, at, end, offset, pause));
}

async function isZeroFrom(file: Buffer, from: number, pause: () => Promise<void>): Promise<boolean> {
  for (let at = from; at < file.length; at += BLOCK) {
    if (!isZero(file.subarray(at, at + BLOCK))) return false;
    await pause();
  }
  return true;
}

/** Whether there is a sector's worth of zeros, clipped to the frame. */
async function hasHole(
  file: Buffer,
  from: number,
  to: number,
  offset: number,
  pause: () => Promise<void>,
): Promise<boolean> {
  for (let start = from; start < to; ) {
    const end = Math.min((Math.floor((start + offset) / SECTOR) + 1) * SECTOR - offset, to);
    if (end - start >= SHORTEST_HOLE && isZero(file.subarray(start, end))) return true;
    start = end;
    await pause();
  }
  return false;
}

/** A frame does not end in so many zeros. */
const LONGEST_ZEROS = 1024 * 1024;

/** Returns an offset after which the file has only zeros, far enough behind the last other byte, or its length. */
export async function endOfData(file: FrameFile, from: number, pause: () => Promise<void>): Promise<number> {
  let end = from;
  for (let at = from; at < file.length; ) {
    const bytes = (await file.window(at, 1)).subarray(0, LONGEST_ZEROS);
    if (bytes.length === 0) break;
    at += bytes.length;
    if (!isZero(bytes)) end = at;
    await pause();
  }
  return Math.min(end + LONGEST_ZEROS, file.length);
}
