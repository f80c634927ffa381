import type { KeyObject } from 'node:crypto';
import { type Dialect, DIALECTS } from '../cache/schema/dialects.ts';
import { cacheOf, storeOf, type TokenCache } from '../cache/token-cache.ts';
import { replay } from '../cache/batch.ts';
import type { Change } from '../cache/change.ts';
import { Entry } from '../cache/entry.ts';
import { Base, type Groups } from './format/base.ts';
import { type Batch, decodeBatch } from './format/batch.ts';
import { NO_TAG, TAG_LENGTH } from './format/frame.ts';
import { FRAMES_AT, type Header } from './format/header.ts';
import type { Group } from './format/frame-writer.ts';
import type { Mark, Position } from './format/key-item.ts';
import { frameKey } from './format/keys.ts';
import { decodeManifest, type Manifest } from './format/manifest.ts';
import { type FrameMetadata, type VaultMetadata, withTombstones } from './format/metadata.ts';
import { pauses } from './pauses.ts';
import { recoveredFrom } from './salvage.ts';
import { type Cursor, type IntactFrame, scanFrames } from './format/frame-reader.ts';
import type { Recovered } from './state.ts';

/** An opened vault file: its contents, and what is needed to append to it. */
export interface Contents {
  readonly header: Header;
  readonly sealingKey: KeyObject;
  readonly cache: TokenCache;
  metadata: VaultMetadata;
  /** Only frames that are still current: a rewrite copies them unchanged. */
  readonly groups: Map<string | null, Group>;
  end: Cursor;
  /** Number of entries set or removed in the file, and number of current entries. The difference is reclaimable. */
  rows: number;
  live: number;
  /** What could be read of a damaged file; `null` if the file is intact. */
  readonly recovered: Recovered | null;
}

/** Returns how far this file goes: the position that the keychain is to remember. */
export function markOf({ header, end, metadata }: Contents): Mark {
  return {
    generation: header.generation,
    end: end.at,
    tag: end.previousTag,
    tombstones: metadata.tombstones,
  };
}

/** Returns the same position, to compare with a mark. `file` holds all of its bytes. */
export function positionOf({ header, end }: Contents, file: Buffer): Position {
  return {
    generation: header.generation,
    end: end.at,
    tagAt: (at) => (at < FRAMES_AT || at > end.at ? null : file.subarray(at - TAG_LENGTH, at)),
  };
}

const UNKNOWN: VaultMetadata = { keyMadeAt: 0, pending: null, epoch: 0, tombstones: [] };

/** The clock of a cache in a vault whose clock counts milliseconds. */
export function secondsFrom(now: (() => number) | undefined): { now?: () => number } {
  return now === undefined ? {} : { now: () => now() / 1000 };
}

/** Reads all frames of a file whose header is known and whose key is correct. */
export async function readContents(
  file: Buffer,
  { header, bytes, intact }: { header: Header; bytes: Buffer; intact: boolean },
  key: Buffer,
  now?: () => number,
): Promise<Contents> {
  const pause = pauses();
  const sealingKey = frameKey(key, header.salt, bytes);
  const start = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };
  const { frames, damaged, end } = scanFrames(file, start, sealingKey, header.baseFrames);
  const manifest = frames[0]?.ordinal === 0 ? decodeManifest(frames[0].content) : null;
  const base = new Base(frames, header);
  const cache = cacheOf([], { dialect: dialectNamed(manifest), ...secondsFrom(now) });
  for (const frame of base.frames) {
    for (const entry of base.read(frame)) storeOf(cache).put(entry);
    await pause();
  }
  base.end();
  const rows = storeOf(cache).size;
  const contents: Contents = {
    header,
    sealingKey,
    cache,
    metadata: manifest === null ? UNKNOWN : metadataOf(manifest),
    groups: base.groups,
    end: { ...end, previousTag: Buffer.from(end.previousTag) },
    rows,
    live: rows,
    recovered: null,
  };
  const later = decodeLater(frames, header);
  for (const batch of later.batches) {
    follow(contents, batch);
    await pause();
  }
  if (intact && !damaged && manifest !== null && base.sound && later.sound) return contents;
  return { ...contents, recovered: recoveredFrom(cache, frames, header, manifest) };
}

/** Applies appended frames to the cache and to what is known about the file. */
export function follow(contents: Contents, batch: Batch): Change[] {
  const steps = batch.changes.map(({ section, key, after }) => ({
    section,
    key,
    ...(after === undefined ? {} : { after: Entry.of(section, key, after) }),
  }));
  const changes = replay(contents.cache, steps);
  written(contents, changes, batch.changes.length, batch);
  return changes;
}

/** Records that the file holds these changes, which the cache already has. */
export function written(
  contents: Contents,
  changes: readonly Change[],
  rows: number,
  { pending, tombstones }: FrameMetadata,
): void {
  for (const account of touched(changes)) contents.groups.delete(account);
  contents.rows += rows;
  for (const { before, after } of changes) {
    if (before === undefined) contents.live += 1;
    if (after === undefined) contents.live -= 1;
  }
  const { metadata } = contents;
  if (pending !== undefined) contents.metadata = { ...metadata, pending };
  if (tombstones !== undefined) contents.metadata = withTombstones(contents.metadata, tombstones);
}

/** Returns the base frames that a rewrite may copy after these changes. */
export function keptFrames(contents: Contents | null, changes: readonly Change[]): Groups {
  const kept = new Map(contents?.groups);
  for (const account of touched(changes)) kept.delete(account);
  return kept;
}

/** Returns the accounts with entries that these changes set, replace or remove. */
function touched(changes: readonly Change[]): Set<string | null> {
  const accounts = new Set<string | null>();
  for (const { before, after } of changes) {
    if (before !== undefined) accounts.add(before.account || null);
    if (after !== undefined) accounts.add(after.account || null);
  }
  return accounts;
}

function decodeLater(frames: readonly IntactFrame[], header: Header): { batches: Batch[]; sound: boolean } {
  const batches: Batch[] = [];
  let sound = true;
  for (const { ordinal, content } of frames) {
    if (ordinal < header.baseFrames) continue;
    const batch = decodeBatch(content, header.fileId);
    if (batch === null) sound = false;
    else batches.push(batch);
  }
  return { batches, sound };
}

/**
 * Reads the frames after the last known one; `null` if the file continues differently. `tail` begins with the tag of
 * the last known frame: inodes are reused, so another file may have the same inode and length.
 */
export function readLater(contents: Contents, tail: Buffer): { batches: Batch[]; end: Cursor } | null {
  const { header, sealingKey, end } = contents;
  if (!tail.subarray(0, TAG_LENGTH).equals(end.previousTag)) return null;
  const offset = end.at - TAG_LENGTH;
  const scan = scanFrames(tail, { ...end, at: TAG_LENGTH }, sealingKey, header.baseFrames, offset);
  const { batches, sound } = decodeLater(scan.frames, header);
  if (scan.damaged || !sound) return null;
  const { at, ordinal, previousTag } = scan.end;
  return { batches, end: { at: at + offset, ordinal, previousTag: Buffer.from(previousTag) } };
}

function metadataOf({ keyMadeAt, pending, epoch, tombstones }: Manifest): VaultMetadata {
  return { keyMadeAt, pending, epoch, tombstones };
}

function dialectNamed(manifest: Manifest | null): Dialect | null {
  return DIALECTS.find((dialect) => dialect === manifest?.profile) ?? null;
}
