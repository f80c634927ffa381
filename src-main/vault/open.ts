import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { storeOf } from '../cache/token-cache.ts';
import { codeOf } from '../error-code.ts';
import { KeychainError, StorageError, type TokenkeepError, VaultError } from '../errors.ts';
import type { Timers } from '../keychain/keychain.ts';
import { type Contents, positionOf, readContents } from './contents.ts';
import { hear, type Identity, type Io, identify, readWhole, sameFile, sameIdentity } from './disk/file.ts';
import { type FileBytes, openFileBytes } from './disk/file-bytes.ts';
import { storageError } from './disk/storage-error.ts';
import {
  FRAMES_AT,
  type HeaderKey,
  type HeaderReading,
  keyCheck,
  readHeader,
  type Slot,
} from './format/header.ts';
import { decodeMarkFile, isBehind, isStoredFor, latestMark, type Mark } from './format/key-item.ts';
import {
  damagedAndOlder,
  damagedCopy,
  gone,
  isCopyOf,
  nothingReadable,
  olderAtStart,
  olderUnopenable,
  refusal,
  replaced,
  salvaged,
} from './refusal.ts';
import { type KeySlots, type SlotReading, unlessItWaits } from './slots.ts';
import type { VaultState, VaultWarning } from './state.ts';
import { removeSignedOut } from './tombstones.ts';

/** The result of looking at a vault's path. Opening changes neither the file nor the keychain. */
export interface Opening {
  state: VaultState;
  /** Why the state is not `ready`. */
  error: TokenkeepError | null;
  /** `null`: there is no file, or nothing in it can be read. */
  contents: Contents | null;
  /** `null`: the key does not exist yet, or can't be read. */
  key: Buffer | null;
  slot: Slot;
  /** `null`: there is no file. */
  identity: Identity | null;
  /** The file's id, or the id that a new file will get. `null`: the header can't be read. */
  fileId: Buffer | null;
  /** The furthest position known to the keychain, the mark file and this program. */
  mark: Mark | null;
  /** A mark file says that the old key still has to be replaced. */
  isSignOutPending: boolean;
  /** See `VaultStatus.warnings`. */
  warnings: readonly VaultWarning[];
  /** The original, if this is a copy, which may be damaged as well; its path is `null` if it is unknown. `null`: this is no copy. */
  original: Original | null;
  /** The keychain does not have the key that this program had for the file. */
  isKeyGone: boolean;
  /** The file does not have all that was last seen of it: it is `older`, or damaged as well. */
  isBehind: boolean;
  /** Only a part of the file that this program has read was recovered from damage. */
  isSalvaged: boolean;
}

/** The vault that a copy was made of, with the same id and key. */
export interface Original {
  path: string | null;
}

/** What a running program knows from opening this vault before. */
export interface Known {
  /** A key that opened this vault before. While `followed` has it, the keychain is not asked, and may be locked. */
  key: Buffer | null;
  /** The file that was opened with this key. Any other one may be a copy whose key another program has destroyed since. */
  followed: Identity | null;
  /** The vault as this program last saw it: an older or shorter file is not accepted as the current one. */
  seen: Marked | null;
  /** The keychain's last answer for this vault. */
  marked: Marked | null;
  /** This file has damage that only reading every frame finds. */
  isDoubted: boolean;
}

/** A mark, and the vault that it belongs to. */
export interface Marked {
  fileId: Buffer;
  mark: Mark;
}

const NOTHING_KNOWN: Known = { key: null, followed: null, seen: null, marked: null, isDoubted: false };

/**
 * Does what `openFile` does, and checks whether the file can be written. A file that can't be written can still be
 * read.
 */
export async function look(place: Place, known?: Known): Promise<Opening> {
  const { io, file } = place;
  const opening = { ...(await openSettled(place, known)), warnings: await warningsOn(place) };
  if (opening.state !== 'ready') return opening;
  for (const path of [dirname(file), file]) {
    try {
      await io.writable(path);
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') continue; // It is created at the first commit.
      return { ...opening, state: 'read-only', error: storageError(cause) };
    }
  }
  return opening;
}

/** The largest number of times that a file which other programs keep changing is opened. */
const MOST_LOOKS = 20;

/**
 * Another program may change the file between the read of the file and the keychain's answer: the answer then belongs to a
 * newer file, and the bytes that were read look keyless, older or damaged in comparison. A file that has changed since is
 * therefore opened again, unless the keychain itself failed.
 */
async function openSettled(place: Place, known?: Known): Promise<Opening> {
  for (let looks = 1; ; looks += 1) {
    const opening = await openFile(place, known);
    const isSettled = opening.state === 'ready' || opening.error instanceof KeychainError;
    if (isSettled || opening.identity === null || looks === MOST_LOOKS) return opening;
    const now = await identify(place.io, place.file).catch(() => opening.identity);
    if (sameIdentity(now, opening.identity)) return opening;
    opening.contents?.file?.stop();
  }
}

/** Write permission for the group or for others. With the sticky bit, nobody can replace another user's file. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

async function warningsOn({ io, file }: Place): Promise<VaultWarning[]> {
  if (process.platform === 'win32') return []; // Windows permissions are not in the mode.
  const modeOf = (path: string): Promise<number> =>
    io.stat(path).then(
      ({ mode }) => Number(mode),
      () => 0,
    );
  const [folder, own] = await Promise.all([modeOf(dirname(file)), modeOf(file)]);
  const warnings: VaultWarning[] = [];
  if ((folder & WRITABLE) !== 0 && (folder & STICKY) === 0) warnings.push('folder_writable');
  if ((own & WRITABLE) !== 0) warnings.push('file_writable');
  return warnings;
}

/** The vault's path, the slots of its key, and the timers that limit waiting for them. */
export interface Place {
  io: Io;
  file: string;
  slots: KeySlots;
  timers: Timers;
}

export async function openFile(place: Place, known = NOTHING_KNOWN): Promise<Opening> {
  const { io, file, slots } = place;
  let whole: Awaited<ReturnType<typeof openFileBytes>>;
  let early = null as { account: string; item: Promise<SlotReading> } | null;
  try {
    const isWanted = (start: Buffer): boolean => {
      const found = readHeader(start);
      if (known.key === null && found.kind === 'header') {
        // The keychain is slow, so it is asked before the rest of the file is read.
        const { fileId, slot } = found.header;
        early = {
          account: accountOf(fileId, slot),
          item: hear(slots.read(Buffer.from(fileId), slot, STORED)),
        };
      }
      // A file that does not start as a vault is not read to its end.
      return known.seen !== null || found.kind !== 'none';
    };
    whole = await openFileBytes(io, file, isWanted);
  } catch (cause) {
    const error = storageError(cause);
    return { ...NOTHING, state: 'unreadable', error: refusal('unreadable', error) };
  }
  const read: ReadSlot = (fileId, slot) =>
    early?.account === accountOf(fileId, slot) ? early.item : slots.read(fileId, slot, STORED);
  if (whole === null) return openNothing(slots, known);
  const { bytes, identity } = whole;
  const found = readHeader(bytes.start);
  const fileId = found.kind === 'header' ? Buffer.from(found.header.fileId) : null;
  let contents: Contents | null = null;
  try {
    const opening = await openBytes(place, whole, found, read, known);
    ({ contents } = opening);
    return opening;
  } catch (cause) {
    if (cause instanceof KeychainError) {
      return { ...NOTHING, fileId, state: stateFor(cause), error: cause, identity };
    }
    // The rest of a large file is read only now.
    const error = storageError(cause);
    if (!(error instanceof StorageError)) throw cause;
    return { ...NOTHING, state: 'unreadable', error: refusal('unreadable', error) };
  } finally {
    if (contents === null) bytes.stop();
    // [Note: large files] Nothing behind the last frame is kept, and nothing at all if every frame was read.
    else void hear(bytes.load(contents.file === null ? 0 : contents.end.at).then(() => bytes.stop()));
  }
}

export function stateFor(error: KeychainError): 'no-keychain' | 'locked' {
  return error.outcome === 'locked' ? 'locked' : 'no-keychain';
}

const NOTHING = {
  contents: null,
  key: null,
  slot: 'a',
  identity: null,
  fileId: null,
  mark: null,
  isSignOutPending: false,
  warnings: [],
  original: null,
  isKeyGone: false,
  isBehind: false,
  isSalvaged: false,
} as const;

type ReadSlot = (fileId: Buffer, slot: Slot) => Promise<SlotReading>;

function accountOf(fileId: Buffer, slot: Slot): string {
  return `${fileId.toString('hex')}/${slot}`;
}

/** Opens a vault without a file: an empty cache. Asks the keychain anyway, to learn whether it can store a key. */
async function openNothing(slots: KeySlots, { seen }: Known): Promise<Opening> {
  if (seen !== null) return { ...NOTHING, state: 'older', error: gone(), mark: seen.mark };
  const fileId = randomBytes(16);
  try {
    await slots.read(fileId, 'a');
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    return { ...NOTHING, fileId, state: stateFor(error), error };
  }
  return { ...NOTHING, fileId, state: 'ready', error: null };
}

async function openBytes(
  place: Place,
  { bytes, identity }: { bytes: FileBytes; identity: Identity },
  found: HeaderReading,
  read: ReadSlot,
  known: Known,
): Promise<Opening> {
  const { seen, marked } = known;
  const isShorter = seen !== null && bytes.length < seen.mark.end;
  if (found.kind === 'newer') return openNewer(found.key, identity, read, known.key);
  if (found.kind === 'none') {
    const about = { ...NOTHING, identity };
    return isShorter
      ? { ...about, state: 'older', error: olderUnopenable() }
      : { ...about, state: 'damaged', error: nothingReadable() };
  }
  const { slot, generation } = found.header;
  const fileId = Buffer.from(found.header.fileId);
  const about = { ...NOTHING, slot, identity, fileId };
  if (seen !== null && !seen.fileId.equals(fileId)) {
    return { ...about, mark: seen.mark, state: 'older', error: replaced() };
  }
  const isOlder =
    seen !== null &&
    (generation < seen.mark.generation || (generation === seen.mark.generation && isShorter));
  const fits = (key: Buffer): boolean => isKeyOf(found.key, key);
  const isKnown = known.key !== null && fits(known.key);
  const isFollowed = known.followed !== null && sameFile(known.followed, identity);
  let item: SlotReading | null = null;
  if (!isKnown) item = await read(fileId, slot);
  else if (!isFollowed) item = await ifAnswered(read(fileId, slot), place.timers);
  if (item === 'absent' || item === 'invalid' || (item !== null && !fits(item.key))) {
    if (isOlder) return { ...about, isKeyGone: isKnown, state: 'older', error: olderUnopenable() };
    return { ...about, isKeyGone: true, ...refused(item === 'absent' ? 'key-missing' : 'wrong-key') };
  }
  const key = item?.key ?? Buffer.from(known.key ?? []);
  const unfinished = await readMarkFile(place, fileId, key);
  const before = marked?.fileId.equals(fileId) === true ? marked.mark : null;
  const mark = latestMark([item?.mark ?? null, unfinished, seen?.mark ?? null, before]);
  const contents = await readContents(bytes, found, key, known.isDoubted);
  const isSalvaged = seen !== null && seen.mark.generation <= contents.history.lostTo;
  const isBehindMark = isSalvaged || (mark !== null && isBehind(positionOf(contents, bytes), mark));
  const against = { isBehind: isBehindMark, isSalvaged, isSignOutPending: unfinished !== null };
  const opened = { ...about, ...against, contents, key, mark };
  const original = await originalOf(place, item, identity);
  if (contents.recovered !== null) {
    const isEmpty = storeOf(contents.cache).size === 0;
    if (original !== null) {
      const error = isEmpty ? nothingReadable() : damagedCopy(original.path);
      return { ...opened, state: 'damaged', error, original, isBehind: false };
    }
    if (seen !== null && isBehindMark) {
      return { ...opened, state: 'older', error: isEmpty ? olderUnopenable() : refusal('older') };
    }
    if (isEmpty) return { ...opened, state: 'damaged', error: nothingReadable() };
    if (!isBehindMark) return { ...opened, state: 'damaged', error: refusal('damaged') };
    return { ...opened, state: 'damaged', error: damagedAndOlder() };
  }
  if (original !== null) {
    const error = original.path === null ? refusal('copy') : isCopyOf(original.path);
    return { ...opened, state: 'copy', error, original };
  }
  if (!isBehindMark) return { ...opened, state: 'ready', error: null };
  try {
    removeSignedOut(contents, mark?.tombstones ?? []);
  } catch (error) {
    if (known.isDoubted || !(error instanceof VaultError)) throw error;
    return openBytes(place, { bytes, identity }, found, read, { ...known, isDoubted: true });
  }
  const error = seen === null ? olderAtStart() : isSalvaged ? salvaged() : refusal('older');
  return { ...opened, state: 'older', error };
}

/**
 * `null`: the keychain can't be asked, or takes too long. A program that has the key of a file continues then: others may be waiting for the
 * lock that it holds.
 */
async function ifAnswered(item: Promise<SlotReading>, timers: Timers): Promise<SlotReading | null> {
  try {
    return (await unlessItWaits(item, timers)) ?? null;
  } catch (error) {
    if (error instanceof KeychainError) return null;
    throw error;
  }
}

function isKeyOf({ start, check }: HeaderKey, key: Buffer): boolean {
  return keyCheck(key, start).equals(check);
}

/** A header of a later version is accepted only if it is authentic under the key: otherwise anyone could make a vault look newer. */
async function openNewer(
  header: HeaderKey,
  identity: Identity,
  read: ReadSlot,
  known: Buffer | null,
): Promise<Opening> {
  const { fileId, slot } = header;
  const about = { ...NOTHING, slot, identity, fileId };
  if (known !== null && isKeyOf(header, known)) return { ...about, ...refused('newer') };
  const item = await read(fileId, slot);
  if (item === 'absent') return { ...about, ...refused('key-missing') };
  const isAuthentic = item !== 'invalid' && isKeyOf(header, item.key);
  return { ...about, ...refused(isAuthentic ? 'newer' : 'damaged') };
}

function refused(state: Exclude<VaultState, 'ready'>): { state: VaultState; error: TokenkeepError } {
  return { state, error: refusal(state) };
}

/** Returns what the headers of all versions have: a vault that a later version writes needs its key too. */
async function headerOf(io: Io, file: string): Promise<{ fileId: Buffer; slot: Slot } | null> {
  return keyIn((await readWhole(io, file, FRAMES_AT))?.bytes ?? Buffer.alloc(0));
}

function keyIn(bytes: Buffer): { fileId: Buffer; slot: Slot } | null {
  const found = readHeader(bytes);
  return found.kind === 'none' ? null : found.key;
}

/** A vault that exists was sealed with a key in the slot that it names. */
export const STORED = { stored: true } as const;

/** Returns the id of the vault at this path; `null` if there is none, or its header can't be read. */
export async function readFileId(io: Io, file: string): Promise<Buffer | null> {
  return (await headerOf(io, file))?.fileId ?? null;
}

/** Returns whether the vault with this id is at this path; null if its drive may be away, or the file can't be read at the moment. */
export async function lookForVault(io: Io, file: string, fileId: Buffer): Promise<boolean | null> {
  try {
    if ((await identify(io, file)) !== null) return (await readFileId(io, file))?.equals(fileId) === true;
    return (await identify(io, dirname(file))) === null ? null : false;
  } catch {
    return null;
  }
}

/** Returns the file that is locked while the vault at this path is written. */
export function lockFileOf(file: string): string {
  return `${file}.lock`;
}

/**
 * Returns whether two names of one file are names of one vault: programs that open it under either name wait for each other.
 * They do if the names differ by a linked or mounted folder, or by case where that does not matter. A hard link has its own
 * lock files: programs that use it would write to the same file at the same time.
 */
async function sharesLock(io: Io, file: string, other: string): Promise<boolean> {
  const theirs = await identify(io, lockFileOf(other));
  if (theirs === null) return true; // No program has written under that name.
  const own = await identify(io, lockFileOf(file));
  return own !== null && sameFile(own, theirs);
}

/** [Note: the mark file] It exists beside the vault while the keychain is not available; see rekey.ts. */
export function markFileOf(file: string): string {
  return `${file}.mark`;
}

/** Bytes: far more than the tombstones of a week take. */
const MAX_MARK_FILE = 16 * 1024 * 1024;

async function readMarkFile({ io, file }: Place, fileId: Buffer, key: Buffer): Promise<Mark | null> {
  const isThere = await identify(io, markFileOf(file)).catch(() => null);
  if (isThere === null) return null;
  const whole = await readWhole(io, markFileOf(file), MAX_MARK_FILE).catch(() => null);
  return whole === null ? null : decodeMarkFile(whole.bytes, fileId, key);
}

/**
 * Returns the path of the original of a copy: the path that the key was last stored for, if a vault with the same id
 * is still there, or if the path was too long to be stored (`path` is null): then nobody can look. `null`: this is the original, or it
 * was moved here, or that path can't be read, or it is another name of this vault. A hard link counts as a copy.
 */
export async function originalOf(
  { io, file }: Pick<Place, 'io' | 'file'>,
  item: SlotReading | null,
  identity: Identity,
): Promise<Original | null> {
  if (item === null || typeof item === 'string' || isStoredFor(item, file) !== false) return null;
  const path = item.file;
  if (path === null) return { path };
  try {
    const there = await readWhole(io, path, FRAMES_AT);
    if (there === null) return null;
    if (sameFile(there.identity, identity)) return (await sharesLock(io, file, path)) ? null : { path };
    const [other, own] = [keyIn(there.bytes), await headerOf(io, file)];
    if (other === null || own === null) return null;
    return other.fileId.equals(own.fileId) ? { path } : null;
  } catch {
    return null;
  }
}
