// FORMAT.md, "Reading".
import type { KeyObject } from 'node:crypto';
import {
  follows,
  type FrameContent,
  frameLength,
  keepInPlace,
  openBody,
  type Prefix,
  PREFIX_LENGTH,
  readPrefix,
  TAG_LENGTH,
  tagOf,
} from './frame.ts';
import { isZero } from './header.ts';

/** Where the next frame must stand, and what must be written in it. */
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
  /** Something can't be authenticated that was flushed: frames are missing, or foreign bytes are there. */
  damaged: boolean;
  /** The end of what is intact: the next frame belongs here, and what follows was never acknowledged. */
  end: Cursor;
}

// What a disk writes whole. A frame that was being written when the power went lacks whole sectors.
export const SECTOR = 512;
// Shorter runs of zeros turn up in good frames, so writers see to it that none is shorter (alignment.ts).
export const SHORTEST_HOLE = 8;

/**
 * Bytes that are authenticated in vain, beyond the length of the file, before the search for intact frames ends. The frames
 * of a file that was damaged by accident never take more than its length; forged prefixes would take hours.
 */
const SEARCH_BYTES = 64 * 1024 * 1024;
/** The secrets key, and an object. */
const SHORTEST_BODY = 34;

/**
 * Reads frames from `from` to the end. Decides nothing on a guess; authenticates everything it returns. Bodies are
 * opened in `file`, which must not be used for anything else. `offset` is where it begins in the real file, for one who
 * has read its end only.
 */
export function scanFrames(file: Buffer, from: Cursor, key: KeyObject, baseFrames: number, offset = 0): Scan {
  const frames: IntactFrame[] = [];
  let damaged = false;
  let cursor = from;
  const search = { budget: file.length + SEARCH_BYTES };
  while (cursor.at < file.length) {
    const found = next(file, cursor, key) ?? nextIntact(file, cursor, key, search);
    if (found === null) {
      if (!isUnwritten(file, cursor, offset) || cursor.ordinal < baseFrames) damaged = true;
      break;
    }
    const { at, prefix } = found;
    if (at !== cursor.at || !isNext(file, at, prefix, cursor)) damaged = true;
    frames.push({ ordinal: prefix.ordinal, content: keepInPlace(file, at, prefix, found.body) });
    cursor = {
      at: at + frameLength(prefix),
      ordinal: prefix.ordinal + 1,
      previousTag: tagOf(file, at, prefix),
    };
  }
  if (cursor.ordinal < baseFrames) damaged = true;
  return { frames, damaged, end: cursor };
}

interface Found {
  at: number;
  prefix: Prefix;
  body: Buffer;
}

function isNext(file: Buffer, at: number, prefix: Prefix, { ordinal, previousTag }: Cursor): boolean {
  return prefix.ordinal === ordinal && follows(file, at, previousTag);
}

/** The frame at the cursor, if it is the one that must stand there. */
function next(file: Buffer, cursor: Cursor, key: KeyObject): Found | null {
  const prefix = readPrefix(file, cursor.at);
  if (prefix === null || !isNext(file, cursor.at, prefix, cursor)) return null;
  return openAt(file, cursor.at, prefix, key);
}

function openAt(file: Buffer, at: number, prefix: Prefix, key: KeyObject): Found | null {
  if (at + frameLength(prefix) > file.length) return null;
  const body = openBody(key, file, at, prefix);
  return body === null ? null : { at, prefix, body };
}

/**
 * After damage: the next frame that is authentic and has not been passed, wherever it begins. A frame of a lower
 * ordinal is one that was repeated or moved.
 */
function nextIntact(file: Buffer, cursor: Cursor, key: KeyObject, search: { budget: number }): Found | null {
  const last = file.length - PREFIX_LENGTH - TAG_LENGTH;
  for (let at = cursor.at; at <= last; at += 1) {
    const ordinal = file.readUInt32LE(at + 8);
    // Cheap, and rules out nearly every offset before a checksum is computed.
    if (ordinal < cursor.ordinal || ordinal - cursor.ordinal > file.length / PREFIX_LENGTH) continue;
    const [body, sealed] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    const length = PREFIX_LENGTH + sealed + body + TAG_LENGTH;
    if (body < SHORTEST_BODY || at + length > file.length) continue;
    if ((search.budget -= PREFIX_LENGTH) < 0) return null;
    const prefix = readPrefix(file, at);
    if (prefix === null) continue;
    if ((search.budget -= length) < 0) return null;
    const found = openAt(file, at, prefix, key);
    if (found !== null) return found;
  }
  return null;
}

/** Whether what begins at the cursor can be a frame whose writing was cut short, rather than one that was changed. */
function isUnwritten(file: Buffer, { at, ordinal }: Cursor, offset: number): boolean {
  const rest = file.subarray(at);
  if (rest.length < PREFIX_LENGTH || isZero(rest)) return true;
  const prefix = readPrefix(file, at);
  if (prefix === null) return hasHole(file, at, Math.min(at + SECTOR, file.length), offset);
  if (prefix.ordinal !== ordinal) return false;
  const end = at + frameLength(prefix);
  return end > file.length || (isZero(file.subarray(end)) && hasHole(file, at, end, offset));
}

/** Is there a sector's worth of zeros, cut at the ends of the frame? */
function hasHole(file: Buffer, from: number, to: number, offset: number): boolean {
  for (let start = from; start < to; ) {
    const end = Math.min((Math.floor((start + offset) / SECTOR) + 1) * SECTOR - offset, to);
    if (end - start >= SHORTEST_HOLE && isZero(file.subarray(start, end))) return true;
    start = end;
  }
  return false;
}
