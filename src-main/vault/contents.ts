import { type Dialect, DIALECTS } from '../cache/schema/dialects.ts';
import { cacheOf, storeOf, type TokenCache } from '../cache/token-cache.ts';
import { replay } from '../cache/batch.ts';
import type { Change } from '../cache/change.ts';
import { Entry } from '../cache/entry.ts';
import { VaultError } from '../errors.ts';
import { entriesIn, type Group, type Groups } from './format/base.ts';
import { type Batch, decodeBatch } from './format/batch.ts';
import {
  NO_TAG,
  noFindings,
  type Sealing,
  type StoredFrame,
  TAG_LENGTH,
  TRAILER_LENGTH,
} from './format/frame.ts';
import { FRAMES_AT, type Header } from './format/header.ts';
import type { Mark, Position } from './format/key-item.ts';
import { sealingOf } from './format/frame-writer.ts';
import { decodeManifest, type Manifest } from './format/manifest.ts';
import { type FrameMetadata, type VaultMetadata, withTombstones } from './format/metadata.ts';
import { StoredAccount } from './groups.ts';
import { pauses } from './pauses.ts';
import { refusal } from './refusal.ts';
import { recoveredFrom } from './salvage.ts';
import { type Cursor, type IntactFrame, outlineBase, readFrame, scanFrames } from './format/frame-reader.ts';
import type { Recovered } from './state.ts';

/** An opened vault file: its contents, and what is needed to append to it. */
export interface Contents {
  readonly header: Header;
  readonly sealing: Sealing;
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
    tagAt: (at) =>
      at < FRAMES_AT || at > end.at
        ? null
        : file.subarray(at - TRAILER_LENGTH, at - TRAILER_LENGTH + TAG_LENGTH),
  };
}

const UNKNOWN: VaultMetadata = { keyMadeAt: 0, pending: null, epoch: 0, tombstones: [] };
const START: Cursor = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };

/**
 * Reads a file whose header is known and whose key is correct. A file that looks undamaged is read as far as its index;
 * the frames of its accounts are read when they are asked for.
 *
 * @param isDoubted every frame is read at once, because damage was met that can't be seen without
 */
export async function readContents(
  file: Buffer,
  { header, bytes, intact }: { header: Header; bytes: Buffer; intact: boolean },
  key: Buffer,
  isDoubted = false,
): Promise<Contents> {
  const sealing = sealingOf(key, header, bytes);
  const whole = isDoubted || !intact ? await readFrames(file, header, sealing, intact) : null;
  if (whole !== null && whole.recovered !== null) return whole;
  const indexed = await readIndexed(file, header, sealing);
  return indexed ?? whole ?? readFrames(file, header, sealing, intact);
}

/** `null` if the file is damaged, as far as that can be seen. */
async function readIndexed(file: Buffer, header: Header, sealing: Sealing): Promise<Contents | null> {
  const pause = pauses();
  const first = readFrame(file, START, sealing);
  const manifest = first === null ? null : decodeManifest(first.content);
  if (first === null || manifest === null || manifest.index.length !== header.baseFrames - 1) return null;
  const base = await outlineBase(file, first.end, sealing, pause);
  if (base === null) return null;
  const later = scanFrames(file, base.end, sealing);
  const { batches, sound } = decodeLater(later.frames, header);
  if (later.damaged || !sound) return null;
  const cache = cacheOf([], { dialect: dialectNamed(manifest) });
  const contents = contentsOf({ header, sealing, cache, metadata: metadataOf(manifest), end: later.end });
  try {
    await takeBase(contents, base.frames, manifest, pause);
    contents.rows = contents.live = storeOf(cache).size;
    for (const batch of batches) {
      follow(contents, batch);
      await pause();
    }
  } catch (error) {
    if (error instanceof VaultError) return null; // A frame that had to be read is not authentic.
    throw error;
  }
  return contents;
}

function contentsOf(found: Pick<Contents, 'header' | 'sealing' | 'cache' | 'metadata' | 'end'>): Contents {
  const { at, ordinal, previousTag } = found.end;
  const end = { at, ordinal, previousTag: Buffer.from(previousTag) };
  return { ...found, end, groups: new Map(), rows: 0, live: 0, recovered: null };
}

async function takeBase(
  { cache, groups, header: { fileId }, sealing: { findings } }: Contents,
  frames: readonly StoredFrame[],
  { index }: Manifest,
  pause: () => Promise<void>,
): Promise<void> {
  const store = storeOf(cache);
  const loose: StoredFrame[] = [];
  for (const [at, frame] of frames.entries()) {
    const row = index[at] ?? null;
    if (row === null) {
      loose.push(frame);
      continue;
    }
    const group: Group = { row, frames: [frame] };
    groups.set(row.account, group);
    const account = new StoredAccount(row, group, fileId, findings);
    if (row.atOnce) for (const entry of account.read()) store.put(entry);
    else store.defer(account);
    await pause();
  }
  for (const frame of loose) {
    const entries = entriesIn(frame, fileId);
    if (entries === null) throw refusal('damaged');
    for (const entry of entries) {
      if (entry.account !== '') findings.misplaced.add(entry.account).add(null);
      store.put(entry);
    }
    await pause();
  }
  if (loose.length > 0) groups.set(null, { row: null, frames: loose });
}

/** Reads every frame. */
async function readFrames(
  file: Buffer,
  header: Header,
  sealing: Sealing,
  intact: boolean,
): Promise<Contents> {
  const pause = pauses();
  const { frames, damaged, end } = scanFrames(file, START, sealing);
  const manifest = frames[0]?.ordinal === 0 ? decodeManifest(frames[0].content) : null;
  const cache = cacheOf([], { dialect: dialectNamed(manifest) });
  const metadata = manifest === null ? UNKNOWN : metadataOf(manifest);
  const own = { ...sealing, findings: noFindings() };
  const contents = contentsOf({ header, sealing: own, cache, metadata, end });
  let sound = intact && !damaged && manifest?.index.length === header.baseFrames - 1;
  for (const { ordinal, content } of frames) {
    if (ordinal === 0 || ordinal >= header.baseFrames) continue;
    const entries = entriesIn(content, header.fileId);
    if (entries === null) sound = false;
    for (const entry of entries ?? []) storeOf(cache).put(entry);
    await pause();
  }
  contents.rows = contents.live = storeOf(cache).size;
  const later = decodeLater(frames, header);
  for (const batch of later.batches) {
    follow(contents, batch);
    await pause();
  }
  if (sound && later.sound) return contents;
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
  if (contents === null) return kept;
  const { misplaced } = contents.sealing.findings;
  // Reading one may find others, which the loop comes to. What is not copied has to be in memory.
  for (const account of misplaced) {
    if (account !== null) storeOf(contents.cache).ofAccount(account);
    kept.delete(account);
  }
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
  const { sealing, end } = contents;
  if (!tail.subarray(0, TAG_LENGTH).equals(end.previousTag)) return null;
  const offset = end.at - TRAILER_LENGTH;
  const scan = scanFrames(tail, { ...end, at: TRAILER_LENGTH }, sealing, offset);
  const { batches, sound } = decodeLater(scan.frames, contents.header);
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
