/** The contents of an opened vault: how they are read from the file, follow it, and are grouped by account for a rewrite. */
import { outlineForIndex, usersOf } from '../cache/accounts.ts';
import { type Change, Entry } from '../cache/entry.ts';
import { DIALECTS, type Dialect } from '../cache/schema/dialects.ts';
import type { AccountOutline } from '../cache/schema/entities.ts';
import { GRANT } from '../cache/schema/grants.ts';
import { type DeferredAccount, isDeferrable } from '../cache/store.ts';
import { cacheOf, storeOf, type TokenCache } from '../cache/token-cache.ts';
import { VaultError } from '../errors.ts';
import {
  type Batch,
  decodeBatch,
  type FrameMetadata,
  type StoredChange,
  sealBatch,
  type VaultMetadata,
  withTombstones,
} from './format/batch.ts';
import {
  type Findings,
  type FrameContent,
  NO_TAG,
  noFindings,
  type Sealing,
  type StoredFrame,
  sealingOf,
  TAG_LENGTH,
  TRAILER_LENGTH,
} from './format/frame.ts';
import {
  type Cursor,
  type FrameFile,
  type IntactFrame,
  endOfData,
  outlineBase,
  readFirstFrame,
  scanFrames,
} from './format/frame-reader.ts';
import { FRAMES_AT, type Header } from './format/header.ts';
import { type History, type Point, unknownUpTo, withStates } from './format/history.ts';
import type { Mark, Position } from './format/key-item.ts';
import {
  decodeManifest,
  entriesIn,
  type Group,
  type Groups,
  type IndexRow,
  type Manifest,
  nameOf,
  outlineIn,
  outlineText,
} from './format/manifest.ts';
import { printable } from './printable.ts';
import { refusal } from './refusal.ts';
import type { Recovered } from './state.ts';

/** An opened vault file: its contents, and the state needed to append to it. */
export interface Contents {
  readonly header: Header;
  readonly sealing: Sealing;
  readonly cache: TokenCache;
  /** The file whose frames are read on demand; `null`: they are in memory. */
  readonly file: FrameFile | null;
  metadata: VaultMetadata;
  /** Only frames that are still current: a rewrite copies them unchanged. */
  readonly groups: Map<string | null, Group>;
  end: Cursor;
  /** Where its base ends: a rewrite writes this anew, and updates are appended to it. */
  readonly base: number;
  /** The writer of the file's last frame. */
  writer: string;
  /** The states that the file had, the current one included. A rewrite takes them along. */
  history: History;
  /** Number of entries set or removed in the file. */
  rows: number;
  /** Number of current entries, without those that the store counts in `grown`. See `liveIn`. */
  live: number;
  /** The readable part of a damaged file; `null` if the file is intact. */
  readonly recovered: Recovered | null;
  /** Entries without an account may be lost from a damaged file, app data among them. */
  readonly isLooseLost?: boolean;
  /** Only the header of a damaged file is damaged, or the space around it: no frame is lost. */
  readonly isWhole?: boolean;
}

/** Returns the position of the file's end, for the keychain to remember. */
export function markOf({ header, end, writer, metadata }: Contents): Mark {
  return {
    generation: header.generation,
    end: end.at,
    tag: end.previousTag,
    writer,
    tombstones: metadata.tombstones,
  };
}

/**
 * Returns the number of current entries. The other rows are reclaimable. While an account has not been read, what another program appended
 * for it is counted as if it had replaced entries.
 */
export function liveIn({ cache, live }: Contents): number {
  return live + storeOf(cache).grown;
}

/** Returns whether nothing can be read from a damaged file. */
export function isEmptied({ cache, recovered }: Contents): boolean {
  return recovered !== null && storeOf(cache).size === 0;
}

/** Returns the same position in the form that is compared with a mark. */
export function positionOf({ header, end, history }: Contents, file: FrameFile): Position {
  return {
    generation: header.generation,
    end: end.at,
    history,
    tagAt: (at) => (at < FRAMES_AT || at > end.at ? null : file.now(at - TRAILER_LENGTH, TAG_LENGTH)),
  };
}

/** The writers of appended frames, by ordinal, where they differ from that of the frame before. */
export type Writers = ReadonlyMap<number, string>;

/** What was appended to a file. */
export interface Later {
  batches: readonly Batch[];
  ends: readonly Cursor[];
  writers: Writers;
}

/** Records that the file has these ends now, and who wrote the frames. */
export function advance(contents: Contents, ends: readonly Cursor[], writers: Writers = new Map()): void {
  const last = ends.at(-1);
  if (last === undefined) return;
  contents.end = { ...last, previousTag: Buffer.from(last.previousTag) };
  const { generation } = contents.header;
  const states = ends.map(({ at, ordinal }): [string, Point] => {
    contents.writer = writers.get(ordinal - 1) ?? contents.writer;
    return [contents.writer, { generation, end: at }];
  });
  contents.history = withStates(contents.history, states);
}

const UNKNOWN: VaultMetadata = { keyMadeAt: 0, pending: null, epoch: 0, tombstones: [] };

/** Returns whether a damaged file has lost its manifest, and its epoch with it. */
export const isManifestLost = ({ metadata }: Contents): boolean => metadata === UNKNOWN;

/** Bytes. Longer ends of files are not read a second time, to be followed by their index. */
const LONGEST_TAIL = 64 * 1024 * 1024;

const START: Cursor = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };

/**
 * Reads a file whose header is known and whose key is correct. A file that looks undamaged is read as far as its index; the
 * frames of its accounts are read on demand.
 *
 * @param isDoubted whether to read every frame at once, because damage was found that can't be detected otherwise
 */
export async function readContents(
  file: FrameFile,
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

/** Returns `null` if the file is damaged, as far as its index and checksums tell. */
async function readIndexed(file: FrameFile, header: Header, sealing: Sealing): Promise<Contents | null> {
  const pause = pauses();
  const first = await readFirstFrame(file, START, sealing, pause);
  const manifest = first === null ? null : decodeManifest(first.content);
  if (first === null || manifest === null || manifest.index.length !== header.baseFrames - 1) return null;
  const base = await outlineBase(file, first.end, sealing, pause);
  if (base === null) return null;
  const offset = base.end.at;
  const end = await endOfData(file, offset, pause);
  if (end - offset > LONGEST_TAIL) return null; // Far more than is appended before the next rewrite: every frame is read at once.
  const tail = (await file.window(offset, end - offset)).subarray(0, end - offset);
  const later = await scanFrames(tail, { ...base.end, at: 0 }, sealing, {
    offset,
    pause,
    isSalvaging: false,
  });
  const { batches, writers, sound } = await decodeLater(later.frames, header, pause);
  if (later.damaged || !sound) return null;
  const cache = cacheOf([], { dialect: dialectNamed(manifest) });
  const contents = contentsOf(
    { header, sealing, cache, file, metadata: metadataOf(manifest), end: base.end, base: base.end.at },
    manifest,
  );
  advance(contents, [base.end, ...later.ends.map((one) => ({ ...one, at: one.at + offset }))], writers);
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

function contentsOf(
  found: Pick<Contents, 'header' | 'sealing' | 'cache' | 'file' | 'metadata' | 'end' | 'base'>,
  manifest: Manifest | null,
): Contents {
  const { at, ordinal, previousTag } = found.end;
  const end = { at, ordinal, previousTag: Buffer.from(previousTag) };
  const { writer, history } = manifest ?? {
    writer: '',
    history: unknownUpTo({ generation: found.header.generation, end: 0 }),
  };
  return { ...found, end, writer, history, groups: new Map(), rows: 0, live: 0, recovered: null };
}

async function takeBase(
  { cache, groups, sealing: { findings } }: Contents,
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
    const account = new StoredAccount(row, group, findings);
    if (row.atOnce) for (const entry of account.read()) store.put(entry);
    else store.defer(account);
    await pause();
  }
  for (const frame of loose) {
    const entries = entriesIn(frame);
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
  file: FrameFile,
  header: Header,
  sealing: Sealing,
  intact: boolean,
): Promise<Contents> {
  const pause = pauses();
  const bytes = await file.load(await endOfData(file, FRAMES_AT, pause));
  const { frames, ends, damaged, end } = await scanFrames(bytes, START, sealing, { pause });
  const manifest = frames[0]?.ordinal === 0 ? decodeManifest(frames[0].content) : null;
  const cache = cacheOf([], { dialect: dialectNamed(manifest) });
  const metadata = manifest === null ? UNKNOWN : metadataOf(manifest);
  const own = { ...sealing, findings: noFindings() };
  const base = ends.findLast(({ ordinal }) => ordinal <= header.baseFrames)?.at ?? FRAMES_AT;
  const contents = contentsOf({ header, sealing: own, cache, file: null, metadata, end, base }, manifest);
  const later = await decodeLater(frames, header, pause);
  advance(
    contents,
    ends.filter(({ ordinal }) => ordinal >= header.baseFrames),
    later.writers,
  );
  let sound = !damaged && manifest?.index.length === header.baseFrames - 1;
  for (const { ordinal, content } of frames) {
    if (ordinal === 0 || ordinal >= header.baseFrames) continue;
    const entries = entriesIn(content);
    if (entries === null) sound = false;
    for (const entry of entries ?? []) storeOf(cache).put(entry);
    await pause();
  }
  contents.rows = contents.live = storeOf(cache).size;
  for (const batch of later.batches) {
    follow(contents, batch);
    await pause();
  }
  const isWhole = sound && later.sound;
  if (isWhole && intact) return contents;
  const intactFrames = new Set(frames.map(({ ordinal }) => ordinal));
  const isLooseLost =
    manifest?.index.some((row, at) => row === null && !intactFrames.has(at + 1)) ??
    frames.filter(({ ordinal }) => ordinal < header.baseFrames).length < header.baseFrames - 1;
  return { ...contents, recovered: recoveredFrom(cache, frames, header, manifest), isLooseLost, isWhole };
}

/**
 * Applies appended frames to the cache and to what is known about the file.
 *
 * @param isHeard whether the caller needs the changes. If not, an account that has not been read yet is not read for them
 * @returns the changes to what is in memory
 */
export function follow(contents: Contents, batch: Batch, isHeard = false): Change[] {
  const store = storeOf(contents.cache);
  const { changes } = store.transact(() => {
    for (const { section, key, after } of batch.changes) {
      if (after === undefined) {
        store.drop({ section, key });
        continue;
      }
      const entry = Entry.of(section, key, after);
      if (!isHeard && store.putLater(entry)) contents.groups.delete(entry.account);
      else store.put(entry);
    }
  });
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
  contents.rows += rows;
  dropChanged(contents.groups, changes);
  for (const { before, after } of changes) {
    if (before === undefined) contents.live += 1;
    if (after === undefined) contents.live -= 1;
  }
  const { metadata } = contents;
  if (pending !== undefined) contents.metadata = { ...metadata, pending };
  if (tombstones !== undefined) contents.metadata = withTombstones(contents.metadata, tombstones);
}

/** Removes the groups that these changes are about: their frames are no longer current. */
export function dropChanged(groups: Contents['groups'], changes: readonly Change[]): void {
  for (const { before, after } of changes)
    for (const entry of [before, after]) if (entry !== undefined) groups.delete(entry.account || null);
}

/**
 * Returns the base frames that a rewrite may copy after these changes. The accounts of all others are in memory then.
 *
 * @throws VaultError `vault_damaged` if one of them can't be read
 */
export function keptFrames(contents: Contents | null, changes: readonly Change[]): Groups {
  const kept = new Map(contents?.groups);
  if (contents === null) return kept;
  storeOf(contents.cache).readChanged();
  const { misplaced } = contents.sealing.findings;
  // Reading an account may add others to the set, which the loop then visits.
  for (const account of misplaced) {
    if (account !== null) storeOf(contents.cache).ofAccount(account);
    kept.delete(account);
  }
  dropChanged(kept, changes);
  return kept;
}

async function decodeLater(
  frames: readonly IntactFrame[],
  { baseFrames }: Header,
  pause: () => Promise<void>,
): Promise<{ batches: Batch[]; writers: Writers; sound: boolean }> {
  const batches: Batch[] = [];
  const writers = new Map<number, string>();
  let sound = true;
  for (const { ordinal, content } of frames) {
    if (ordinal < baseFrames) continue;
    const batch = decodeBatch(content);
    if (batch === null) sound = false;
    else batches.push(batch);
    if (batch?.writer !== undefined) writers.set(ordinal, batch.writer);
    await pause();
  }
  return { batches, writers, sound };
}

/**
 * Reads the frames after the last known one; `null` if the file continues differently. `tail` begins with the tag of
 * the last known frame: inodes are reused, so another file may have the same inode and length.
 */
export async function readLater(contents: Contents, tail: Buffer): Promise<Later | null> {
  const { sealing, end } = contents;
  if (!tail.subarray(0, TAG_LENGTH).equals(end.previousTag)) return null;
  const offset = end.at - TRAILER_LENGTH;
  const pause = pauses();
  const scan = await scanFrames(tail, { ...end, at: TRAILER_LENGTH }, sealing, {
    offset,
    pause,
    isSalvaging: false,
  });
  const { batches, writers, sound } = await decodeLater(scan.frames, contents.header, pause);
  if (scan.damaged || !sound) return null;
  return { batches, ends: scan.ends.map((one) => ({ ...one, at: one.at + offset })), writers };
}

function metadataOf({ keyMadeAt, pending, epoch, tombstones }: Manifest): VaultMetadata {
  return { keyMadeAt, pending, epoch, tombstones };
}

function dialectNamed(manifest: Manifest | null): Dialect | null {
  return DIALECTS.find((dialect) => dialect === manifest?.profile) ?? null;
}

/** Counts the salvaged accounts of a damaged file, and names the lost ones from the index. */
export function recoveredFrom(
  cache: TokenCache,
  frames: readonly IntactFrame[],
  header: Header,
  manifest: Manifest | null,
): Recovered {
  const readable = new Set(storeOf(cache).accounts);
  const intact = new Set(frames.map(({ ordinal }) => ordinal));
  if (manifest === null) {
    // Without the index the total is unknown, unless nothing else is missing.
    const base = [...intact].filter((ordinal) => ordinal < header.baseFrames).length;
    return { accounts: readable.size, of: base === header.baseFrames - 1 ? readable.size : null, lost: [] };
  }
  const lost = new Map<string, string>();
  manifest.index.forEach((row, at) => {
    if (row === null || intact.has(at + 1)) return;
    lost.set(row.account, nameOf(row));
    readable.delete(row.account); // A later frame holds only part of the account.
  });
  return { accounts: readable.size, of: readable.size + lost.size, lost: [...lost.values()] };
}

/** Number of account-less entries in one frame: damage to one frame then costs about 64 kB. */
const LOOSE_ENTRIES = 32;

export interface Regrouped {
  groups: readonly Group[];
  /** Replaces values that have plain secrets with values whose secrets are sealed in these groups. */
  readonly seal: () => void;
}

/**
 * Returns a cache as base frames: one for each account, then those of entries without an account. Groups in `kept`
 * are copied unchanged, without being parsed, so that only changed accounts cost work.
 */
export async function regroup(cache: TokenCache, kept: Groups): Promise<Regrouped> {
  const pause = pauses();
  const groups: Group[] = [];
  const sealings: (() => void)[] = [];
  const encode = (entries: readonly Entry[]): FrameContent => {
    const { content, sealed } = sealBatch({ changes: entries.map(rowOf) });
    sealings.push(() => exchange(entries, sealed));
    return content;
  };
  for (const home of storeOf(cache).accounts) {
    let group = kept.get(home);
    if (group === undefined) {
      const entries = entriesOf(cache, home);
      group = { row: indexRow(cache, home, entries), frames: [encode(entries)] };
      await pause();
    }
    groups.push(group);
  }
  const loose = kept.get(null);
  if (loose !== undefined) groups.push(loose);
  else {
    const frames: FrameContent[] = [];
    for (const chunk of chunksOf(entriesOf(cache, null))) {
      frames.push(encode(chunk));
      await pause();
    }
    if (frames.length > 0) groups.push({ row: null, frames });
  }
  const seal = (): void => {
    for (const each of sealings) each();
  };
  return { groups, seal };
}

/** Returns the entries of an account; for null, the entries without an account, including whole roots. */
export function entriesOf(cache: TokenCache, account: string | null): Entry[] {
  const store = storeOf(cache);
  if (account !== null) return store.ofAccount(account);
  return [...store.ofAccount(''), ...store.keptRoots()];
}

/** Returns an entry as it is written in a frame. */
export function rowOf({ section, key, value }: Entry): StoredChange {
  return { section, key, after: value };
}

/** Replaces the values of entries with values whose secrets are sealed, given in the same order. */
export function exchange(entries: readonly (Entry | undefined)[], sealed: readonly StoredChange[]): void {
  for (const [index, entry] of entries.entries()) {
    const value = sealed[index]?.after;
    if (value !== undefined) entry?.exchange(value);
  }
}

function chunksOf(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [];
  for (let from = 0; from < entries.length; from += LOOSE_ENTRIES) {
    chunks.push(entries.slice(from, from + LOOSE_ENTRIES));
  }
  return chunks;
}

function indexRow(cache: TokenCache, account: string, entries: readonly Entry[]): IndexRow {
  const store = storeOf(cache);
  const users = usersOf(store, account);
  const atOnce = !isDeferrable(account, entries);
  return {
    account,
    entries: entries.length,
    notUnderstood: entries.filter(({ isUnderstood }) => !isUnderstood).length,
    grants: entries.flatMap(({ section, key }) => (section === GRANT && key !== null ? [key] : [])),
    atOnce,
    users,
    outline: atOnce ? null : outlineText(outlineForIndex(store, account, users), users),
  };
}

/** An account whose frame is authenticated, decrypted and parsed when one of its entries is asked for. */
export class StoredAccount implements DeferredAccount {
  readonly #row: IndexRow;
  readonly #group: Group;
  readonly #findings: Findings;

  constructor(row: IndexRow, group: Group, findings: Findings) {
    this.#row = row;
    this.#group = group;
    this.#findings = findings;
  }

  get account(): string {
    return this.#row.account;
  }

  get size(): number {
    return this.#row.entries;
  }

  get notUnderstood(): number {
    return this.#row.notUnderstood;
  }

  get grants(): readonly string[] {
    return this.#row.grants;
  }

  get users(): IndexRow['users'] {
    return this.#row.users;
  }

  get outline(): AccountOutline | null {
    return outlineIn(this.#row);
  }

  /** @throws VaultError `vault_damaged`, which names the account */
  read(): readonly Entry[] {
    const { account } = this;
    const entries = this.#entries();
    if (!entries.every((entry) => entry.account === account)) {
      const { misplaced } = this.#findings;
      for (const entry of entries) misplaced.add(entry.account || null).add(account);
    }
    return entries;
  }

  #entries(): Entry[] {
    let cause: unknown;
    try {
      const [frame] = this.#group.frames;
      const entries = frame === undefined ? null : entriesIn(frame);
      if (entries !== null) return entries;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      cause = error;
    }
    this.#findings.isDamaged = true;
    throw new VaultError(
      'vault_damaged',
      `The sign-in of “${printable(nameOf(this.#row), 100)}” in the vault’s file was tampered with and can’t be opened. The file is untouched, and other accounts can be read. Keep what can be read in a new file.`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** The longest time that work may block the process, in milliseconds: less than one frame of a window. */
const TURN = 12;

/**
 * Returns a function that long work awaits between accounts. When enough time has passed, it yields to windows and
 * timers.
 */
export function pauses(): () => Promise<void> {
  let until = performance.now() + TURN;
  return async () => {
    if (performance.now() < until) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    until = performance.now() + TURN;
  };
}
