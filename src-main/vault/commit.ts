/** Access to a vault's file: runs one task at a time, each on what other programs wrote last, then appends a frame or rewrites the file. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { type Change, placeOf } from '../cache/entry.ts';
import { dialectOf } from '../cache/store.ts';
import { type Batch, type Job, type LongJob, storeOf, type TokenCache } from '../cache/token-cache.ts';
import { KeychainError, LockError, StorageError, type TokenkeepError, VaultError } from '../errors.ts';
import { KeyedQueue } from '../waiting.ts';
import {
  advance,
  type Contents,
  exchange,
  keptFrames,
  liveIn,
  readLater,
  regroup,
  written,
} from './contents.ts';
import {
  type FileSum,
  holds,
  type Identity,
  identify,
  makeFolder,
  replaceFile,
  sameFile,
  sameIdentity,
  summing,
  sweep,
} from './disk/file.ts';
import { MAX_FILE_BYTES } from './disk/size-limit.ts';
import { storageError } from './disk/storage-error.ts';
import { type FrameMetadata, sealBatch, type VaultMetadata } from './format/batch.ts';
import { aligned, contentLength, noFindings, sealFrame, seedsFrom, TRAILER_LENGTH } from './format/frame.ts';
import type { Slot } from './format/header.ts';
import { type History, NO_HISTORY } from './format/history.ts';
import { type Groups, loadFrames, sealImage } from './format/manifest.ts';
import type { VaultMemory } from './memory.ts';
import { look, lookForVault, type Opening, stateFor } from './open.ts';
import { changedMeanwhile, refusal } from './refusal.ts';
import type { Settings } from './settings.ts';
import type { VaultState } from './state.ts';
import { metadataAfter, tombstonesIn } from './tombstones.ts';

/** Serializes access to a vault's file and memory. */
export class Access {
  readonly settings: Settings;
  readonly memory: VaultMemory;
  /** Serializes access to memory and file within this process. Never held while the user is being prompted. */
  readonly #gate = new KeyedQueue();

  constructor(settings: Settings, memory: VaultMemory) {
    this.settings = settings;
    this.memory = memory;
  }

  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#gate.run('', async () => {
      try {
        return await task();
      } finally {
        // A frame that was read on demand is damaged: read the whole file, so that the state reports the loss.
        if (this.memory.opening.contents?.sealing.findings.isDamaged === true)
          await this.lookAgain().catch(() => undefined); // The next call tries again.
      }
    });
  }

  /** Runs `task` with the queue and the write lock held; `task` sees what the last writer wrote. */
  async writing<T>(task: () => Promise<T>): Promise<T> {
    const { memory } = this;
    const { io, file, writing } = this.settings;
    if (memory.opening.identity === null) await makeFolder(io, dirname(file));
    const lock = { isHeld: false };
    try {
      return await writing.hold(async () => {
        lock.isHeld = true;
        if (memory.opening.state === 'busy') this.#become('ready', null);
        await this.catchUp();
        return task();
      });
    } catch (error) {
      const isBusy = !lock.isHeld && error instanceof VaultError;
      if (isBusy && memory.opening.state === 'ready') this.#become('busy', error);
      throw error;
    }
  }

  #become(state: VaultState, error: Opening['error']): void {
    this.memory.opening = { ...this.memory.opening, state, error };
    this.memory.refresh();
  }

  /** Reads what other processes wrote: appended frames, or the whole file if it was replaced. */
  async catchUp(): Promise<void> {
    const { io, file } = this.settings;
    const identity = await identify(io, file).catch((cause: unknown) => {
      throw storageError(cause);
    });
    if (sameIdentity(identity, this.memory.opening.identity)) return;
    if (identity === null || !(await this.#followTail(identity))) await this.lookAgain();
  }

  /**
   * Catches up. If the file can't even be looked at, the state says so, and memory keeps what was read.
   *
   * @returns why it could not be looked at; otherwise null
   */
  async catchUpOrReport(): Promise<TokenkeepError | null> {
    try {
      await this.catchUp();
      return null;
    } catch (cause) {
      await this.lookAgain();
      return storageError(cause);
    }
  }

  async #followTail(now: Identity): Promise<boolean> {
    const { opening, held } = this.memory;
    const { contents, identity, state } = opening;
    if (!isOpen(state) || contents === null || identity === null || held.length > 0) return false;
    if (!sameFile(identity, now)) return false;
    const tail = await this.settings.log.tail(contents.end.at - TRAILER_LENGTH, now).catch(() => null);
    const later = tail === null ? null : await readLater(contents, tail.bytes);
    if (tail === null || later === null) return false;
    this.memory.follow(later, tail.identity);
    return true;
  }

  async lookAgain(known = this.memory.known): Promise<void> {
    await this.settings.log.close(); // Otherwise a replaced file stays on the disk for as long as it is open.
    await this.memory.adopt(await look(this.settings, known));
  }

  /** @throws VaultError of the state, unless it is `ready`, or `busy` with another program writing */
  assertReady(): void {
    const { state, error } = this.memory.opening;
    if (!isOpen(state)) throw refusal(state, error ?? undefined);
  }

  /** @throws VaultError of a state in which nothing can be read, unless memory holds changes or a newer version */
  assertReadable(): void {
    const { opening, mine, held } = this.memory;
    const { state, contents, error } = opening;
    if (state === 'ready' || contents !== null || mine !== null || held.length > 0) return;
    throw refusal(state, error ?? undefined);
  }

  /** Maps a failed commit to the new state, and to the error that the caller gets. */
  failed(cause: unknown): TokenkeepError {
    if (cause instanceof KeychainError) {
      const state = stateFor(cause);
      this.#become(state, cause);
      return refusal(state, cause);
    }
    const error = storageError(cause);
    const readOnly = error.code === 'no_permission' || error.code === 'read_only_disk';
    if (readOnly || error instanceof LockError) this.#become('read-only', error);
    return error;
  }
}

/** Returns whether memory matches the file. */
function isOpen(state: VaultState): state is 'ready' | 'busy' {
  return state === 'ready' || state === 'busy';
}

/** The first and the longest delay before a retry of saving what is held in memory, in milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** States that may end without any action here. */
const TRIED_AGAIN: ReadonlySet<VaultState> = new Set(['ready', 'read-only', 'unreadable', 'busy']);

/** Files with fewer entries than this are not compacted automatically. */
const SMALL = 256;

/** Bytes that may be appended, beyond as many as the file had after its last rewrite: one entry may be as large as all others together. */
const LONGEST_TAIL = 16 * 1024 * 1024;

/**
 * The largest number of changes that are appended in one frame. Larger batches rewrite the file with one frame per
 * account: one damaged byte must not cost a whole import, and a frame can't be sealed or opened in pieces.
 */
const LONGEST_BATCH = 1_000;

/** Makes updates durable. If that is impossible, refuses them or holds them in memory, as `unprotected` says. */
export class Saving {
  readonly #access: Access;
  #pause = FIRST_PAUSE;
  #timer: unknown;

  readonly #rewritten: () => void;

  /** @param rewritten called when the whole file was rewritten, so that the keychain's mark can be updated */
  constructor(access: Access, rewritten: () => void) {
    this.#access = access;
    this.#rewritten = rewritten;
  }

  stop(): void {
    this.#access.settings.timers.clearTimeout(this.#timer);
  }

  /** Runs the jobs, and commits them together with the held changes. Settles every job; never rejects. */
  async save(jobs: (Job | LongJob)[]): Promise<void> {
    const { settings, memory } = this.#access;
    if (jobs.length === 0 && memory.held.length === 0) return;
    try {
      await this.#assertReady();
      await this.#access.writing(async () => {
        // Before creating a file: another program may have created or removed the key in the meantime.
        if (memory.opening.identity === null) await this.#access.lookAgain();
        this.#access.assertReady();
        await this.#write(jobs.splice(0));
      });
    } catch (cause) {
      const error = this.#access.failed(cause);
      if (settings.unprotected === 'refuse') for (const job of jobs) job.reject(error);
      else this.#settle(await memory.attempt(jobs), error);
    }
  }

  /** @throws VaultError of the state, if an update would be refused */
  async assertPossible(): Promise<void> {
    if (this.#access.settings.unprotected === 'refuse') await this.#assertReady();
  }

  async #assertReady(): Promise<void> {
    // Checking is cheap: writing may be allowed by now, or another process may have repaired the file.
    const { state } = this.#access.memory.opening;
    if (state === 'read-only' || state === 'unreadable') await this.#access.lookAgain();
    else if (state !== 'ready' && state !== 'busy') await this.#access.catchUp();
    this.#access.assertReady();
  }

  /** See `Vault.compact`. */
  async compact(): Promise<void> {
    const { memory } = this.#access;
    await this.#access.catchUp();
    this.#access.assertReady();
    if (memory.opening.contents === null) return;
    try {
      await this.#access.writing(async () => {
        this.#access.assertReady();
        if (memory.opening.contents !== null) await compact(this.#access, memory.opening.contents);
      });
      this.#rewritten();
    } catch (cause) {
      throw this.#access.failed(cause);
    }
  }

  async #write(jobs: readonly (Job | LongJob)[]): Promise<void> {
    const { settings, memory } = this.#access;
    const attempt = await memory.attempt(jobs);
    if (attempt.changes.length === 0) {
      if (memory.held.length > 0) memory.saved(memory.opening, memory.savedAt); // Nothing changed.
      attempt.settle();
      return;
    }
    try {
      const now = Math.floor(settings.now() / 1000);
      memory.saved(await this.#put(attempt.changes, now), now);
    } catch (cause) {
      this.#settle(attempt, this.#access.failed(cause));
      return;
    }
    this.#pause = FIRST_PAUSE;
    attempt.settle();
    const { contents } = memory.opening;
    // Errors are ignored: everything is already saved.
    if (contents !== null && isWorthRewriting(contents))
      await compact(this.#access, contents).then(this.#rewritten, () => undefined);
  }

  async #put(changes: readonly Change[], now: number): Promise<Opening> {
    const { settings, memory } = this.#access;
    const { opening, cache } = memory;
    const { contents, identity } = opening;
    const isRemoving = contents !== null && changes.some(({ after }) => after === undefined);
    const tombstones = isRemoving ? tombstonesIn(cache, changes, contents, now) : [];
    if (contents !== null && identity !== null && changes.length <= LONGEST_BATCH) {
      const metadata = tombstones.length > 0 ? { tombstones } : {};
      const appended = await append(settings, contents, identity, changes, metadata);
      if (appended !== null) return { ...opening, identity: appended };
    }
    const keyMadeAt = opening.key === null ? now : 0;
    const fileId = opening.fileId ?? randomBytes(16);
    const key = opening.key ?? (await settings.slots.make(fileId, opening.slot, null));
    const metadata = contents?.metadata ?? { keyMadeAt, pending: null, epoch: 0, tombstones: [] };
    const written = await rewrite(settings, {
      cache,
      previous: contents,
      kept: keptFrames(contents, changes),
      key,
      slot: opening.slot,
      metadata: metadataAfter(metadata, tombstones, now),
      fileId,
      history: contents?.history ?? NO_HISTORY,
    }).catch(async (error: unknown) => {
      if (opening.key === null) await abandon(settings, { fileId, slot: opening.slot, key });
      throw error;
    });
    if (contents !== null) this.#rewritten();
    return { ...opening, ...written, key, fileId };
  }

  /** Settles jobs that could not be saved: holds them in memory or rolls them back. */
  #settle(attempt: Batch, error: TokenkeepError): void {
    const { settings, memory } = this.#access;
    if (settings.unprotected === 'refuse') {
      attempt.withdraw(error);
      return;
    }
    memory.hold(attempt, memory.opening.state === 'ready' ? error : null);
    attempt.settle();
    this.#tryLater();
  }

  /** Schedules a retry. A full disk may get space; a locked keychain is asked only at the user's request. */
  #tryLater(): void {
    const { settings, memory } = this.#access;
    const { state } = memory.opening;
    if (this.#timer !== undefined || memory.held.length === 0) return;
    if (!TRIED_AGAIN.has(state)) return;
    this.#timer = settings.timers.setTimeout(() => {
      this.#timer = undefined;
      void this.#access.inTurn(() => this.save([]));
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}

/**
 * Destroys a key that was made for a new file which could not be written. Keeps it if that file may be there nevertheless: its folder is
 * flushed after it has its name.
 */
export async function abandon(
  { io, file, slots }: Settings,
  { fileId, slot, key }: { fileId: Buffer; slot: Slot; key: Buffer },
): Promise<void> {
  key.fill(0);
  if ((await lookForVault(io, file, fileId)) !== false) return;
  await slots.destroy(fileId, slot).catch(() => undefined); // The caller gets the error of the write.
}

/** Returns whether more than half of the file is reclaimable, by its entries, or may be, by its bytes. */
function isWorthRewriting(contents: Contents): boolean {
  const { rows, base, end } = contents;
  const live = liveIn(contents);
  return rows - live > live + SMALL || end.at - base > base + LONGEST_TAIL;
}

/** Writes the current entries to a new file, under the same key. The caller holds the write lock. */
async function compact({ settings, memory }: Access, contents: Contents): Promise<void> {
  const { opening, cache } = memory;
  if (opening.key === null) throw changedMeanwhile();
  const now = Math.floor(settings.now() / 1000);
  const written = await rewrite(settings, {
    cache,
    previous: contents,
    kept: keptFrames(contents, memory.held),
    key: opening.key,
    slot: opening.slot,
    metadata: metadataAfter(contents.metadata, [], now),
    fileId: contents.header.fileId,
    history: contents.history,
  });
  memory.saved({ ...opening, ...written }, now);
}

/** The file to write, its write lock, which the caller holds, who writes it, and the system calls to write it with. */
export type Place = Pick<Settings, 'io' | 'file' | 'writing' | 'writer'>;

export interface Rewrite {
  cache: TokenCache;
  /** The file's current contents; `null` if there is no file. */
  previous: Contents | null;
  /** Frames of the file that are still current. */
  kept: Groups;
  key: Buffer;
  slot: Slot;
  metadata: VaultMetadata;
  /** The file's id. It may differ from the previous one only if no frame is kept, because frames are bound to it. */
  fileId: Buffer;
  /** The number of this rewrite. Default: one more than the previous file's. */
  generation?: bigint;
  /** The states that the new file descends from. */
  history: History;
}

/**
 * Rewrites the whole file durably, then seals the secrets in memory that were not sealed yet. If it rejects, file and
 * memory are unchanged.
 *
 * @param unread reads the new file back and compares it, for callers that will destroy a key; called if it can't be read
 */
export async function rewrite(
  { io, file, writing, writer }: Place,
  {
    cache,
    previous,
    kept,
    key,
    slot,
    metadata,
    fileId,
    generation = (previous?.header.generation ?? 0n) + 1n,
    history,
  }: Rewrite,
  { unread }: { unread?: () => void } = {},
): Promise<{ contents: Contents; identity: Identity }> {
  await loadFrames(kept);
  const { groups, seal } = await regroup(cache, kept);
  const id = writer.next(history);
  const manifest = { ...metadata, profile: dialectOf(storeOf(cache)), writer: id, history };
  const findings = previous?.sealing.findings ?? noFindings();
  const source = { fileId, generation, slot, manifest, groups, findings };
  const { header, sealing, parts, frames } = sealImage(source, key);
  await sweep(io, file); // A caller that rewrites holds the write lock.
  const sent: FileSum = { length: 0, crc: 0 };
  const isLocked = (): Promise<boolean> => writing.isInPlace();
  const summed = unread === undefined ? parts : summing(parts, sent);
  const { identity, end } = await replaceFile(io, file, summed, { isLocked });
  const isSame = unread === undefined || (await holds(io, file, sent).catch(() => null));
  if (isSame === null) unread?.();
  if (isSame === false) {
    throw new StorageError(
      'storage_failed',
      'The vault’s file does not hold what was just written to it. The older key was kept. Check the disk.',
    );
  }
  writer.wrote({ generation, end: end.at });
  seal(); // [Note: secrets stay sealed]
  let at = 0;
  for (const group of groups) {
    group.frames = frames.slice(at, at + group.frames.length);
    at += group.frames.length;
  }
  const entries = storeOf(cache).size;
  storeOf(cache).grown = 0;
  const contents: Contents = {
    header,
    sealing,
    cache,
    file: null,
    metadata,
    groups: new Map(groups.map((group) => [group.row?.account ?? null, group])),
    base: end.at,
    end,
    writer: id,
    history,
    rows: entries,
    live: entries,
    recovered: null,
  };
  advance(contents, [end]);
  return { contents, identity };
}

/** Random seeds for appended frames. */
const seeds = seedsFrom(randomBytes);

/**
 * Appends one frame durably, then seals the secrets in memory that were not sealed yet. If it rejects, memory is
 * unchanged, and so is the file except for an incomplete end. `known`: the file as last seen.
 *
 * @returns null, with nothing done, if the file would become too large: a rewrite may make room
 */
export async function append(
  { log, writer }: Pick<Settings, 'log' | 'writer'>,
  contents: Contents,
  known: Identity,
  changes: readonly Change[],
  metadata: FrameMetadata,
): Promise<Identity | null> {
  const { sealing, end } = contents;
  const rows = changes.map((change) => {
    const { section, key } = placeOf(change);
    return { section, key, after: change.after?.value };
  });
  const id = writer.next(contents.history);
  const batch = sealBatch({ changes: rows, ...metadata, ...(id === contents.writer ? {} : { writer: id }) });
  const content = aligned(batch.content, end.at);
  const length = contentLength(content);
  if (end.at + length > MAX_FILE_BYTES) return null;
  const bytes = Buffer.allocUnsafe(length);
  const tag = sealFrame(bytes, 0, sealing, end, content, seeds());
  const identity = await log.append(end.at, bytes, known);
  exchange(
    changes.map(({ after }) => after),
    batch.sealed,
  ); // [Note: secrets stay sealed]
  const next = { at: end.at + bytes.length, ordinal: end.ordinal + 1, previousTag: tag };
  advance(contents, [next], new Map([[end.ordinal, id]]));
  writer.wrote({ generation: contents.header.generation, end: next.at });
  written(contents, changes, changes.length, metadata);
  return identity;
}
