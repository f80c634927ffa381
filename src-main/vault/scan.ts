// FORMAT.md, "Reading".
import type { KeyObject } from 'node:crypto';
import {
  type FrameContent,
  frameLength,
  openFrame,
  type Prefix,
  PREFIX_LENGTH,
  readPrefix,
  TAG_LENGTH,
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
  /** Bytes in the file. */
  length: number;
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
 * Reads frames from `from` to the end. Decides nothing on a guess; authenticates everything it returns. `offset` is
 * where `file` begins in the real file, for one who has read its end only.
 */
export function scanFrames(file: Buffer, from: Cursor, key: KeyObject, baseFrames: number, offset = 0): Scan {
  const frames: IntactFrame[] = [];
  let damaged = false;
  let cursor = from;
  while (cursor.at < file.length) {
    const found = follows(file, cursor, key) ?? nextIntact(file, cursor, key);
    if (found === null) {
      if (!isUnwritten(file, cursor, offset) || cursor.ordinal < baseFrames) damaged = true;
      break;
    }
    if (found.at !== cursor.at || found.ordinal !== cursor.ordinal || !found.chained) damaged = true;
    frames.push({ ordinal: found.ordinal, content: found.content, length: found.length });
    cursor = { at: found.at + found.length, ordinal: found.ordinal + 1, previousTag: found.tag };
  }
  if (cursor.ordinal < baseFrames) damaged = true;
  return { frames, damaged, end: cursor };
}

interface Found extends IntactFrame {
  at: number;
  tag: Buffer;
  chained: boolean;
}

/** The frame at the cursor, if it is the one that must stand there. */
function follows(file: Buffer, cursor: Cursor, key: KeyObject): Found | null {
  const prefix = readPrefix(file, cursor.at);
  if (prefix?.ordinal !== cursor.ordinal) return null;
  const found = openAt(file, cursor, prefix, key);
  return found?.chained === true ? found : null;
}

function openAt(file: Buffer, cursor: Cursor, prefix: Prefix, key: KeyObject): Found | null {
  const length = frameLength(prefix);
  if (cursor.at + length > file.length) return null;
  const content = openFrame(key, file, cursor.at, prefix);
  if (content === null) return null;
  const tag = file.subarray(cursor.at + length - TAG_LENGTH, cursor.at + length);
  return {
    at: cursor.at,
    ordinal: prefix.ordinal,
    content,
    length,
    tag,
    chained: cursor.previousTag.equals(prefix.previousTag),
  };
}

/**
 * After damage: the next frame that is authentic and has not been passed, wherever it begins. A frame of a lower
 * ordinal is one that was repeated or moved.
 */
function nextIntact(file: Buffer, cursor: Cursor, key: KeyObject): Found | null {
  const last = file.length - PREFIX_LENGTH - TAG_LENGTH;
  for (let at = cursor.at; at <= last; at += 1) {
    const ordinal = file.readUInt32LE(at + 8);
    // Cheap, and rules out nearly every offset before a checksum is computed.
    if (ordinal < cursor.ordinal || ordinal - cursor.ordinal > file.length / PREFIX_LENGTH) continue;
    const prefix = readPrefix(file, at);
    if (prefix === null) continue;
    const found = openAt(file, { ...cursor, at }, prefix, key);
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
