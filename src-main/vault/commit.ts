import { randomBytes } from 'node:crypto';
import type { TokenkeepError } from '../errors.ts';
import type { Job } from '../cache/batch.ts';
import type { Change } from '../cache/change.ts';
import type { Access } from './access.ts';
import { type Contents, keptFrames } from './contents.ts';
import { tombstonesIn, metadataAfter } from './tombstones.ts';
import type { Attempt } from './memory.ts';
import type { Opening } from './open.ts';
import { refusal } from './refusal.ts';
import type { VaultState } from './state.ts';
import { append, rewrite } from './write.ts';

/** The first pause before what is held in memory is tried again, and the longest, in milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** States that end without anybody doing anything about them here. */
const TRIED_AGAIN: ReadonlySet<VaultState> = new Set(['ready', 'read-only', 'unreadable', 'busy']);

/** A file this small is not worth compacting, in entries. */
const SMALL = 64;

/**
 * Changes that are appended together at most. More go into a file that is written anew, an account a frame: damage to one
 * byte must not cost all that was ever imported, and a frame can't be sealed or opened in pieces.
 */
const LONGEST_BATCH = 1_000;

/** Makes updates durable; or, where that can't be, refuses or holds them as `unprotected` says. */
export class Saving {
  readonly #access: Access;
  #pause = FIRST_PAUSE;
  #timer: unknown;

  readonly #rewritten: () => void;

  /** @param rewritten called when the file was written as a whole, so that the keychain's mark can follow */
  constructor(access: Access, rewritten: () => void) {
    this.#access = access;
    this.#rewritten = rewritten;
  }

  stop(): void {
    this.#access.settings.timers.clearTimeout(this.#timer);
  }

  /** Does the jobs, and saves them together with what is held. Every job hears of its outcome; never rejects. */
  async save(jobs: Job[]): Promise<void> {
    const { settings, memory } = this.#access;
    if (jobs.length === 0 && memory.held.length === 0) return;
    try {
      // It costs little to see whether writing is allowed by now, or whether someone else has mended the file.
      const { state } = memory.opening;
      if (state === 'read-only' || state === 'unreadable') await this.#access.lookAgain();
      else if (state !== 'ready' && state !== 'busy') await this.#access.catchUp();
      this.#access.assertReady();
      await this.#access.writing(async () => {
        // Before a file is made: another program may have made the key since, or taken away the one that was there.
        if (memory.opening.identity === null) await this.#access.lookAgain();
        this.#access.assertReady();
        await this.#write(jobs.splice(0));
      });
    } catch (cause) {
      const error = this.#access.failed(cause);
      if (settings.unprotected === 'refuse') for (const job of jobs) job.reject(error);
      else this.#settle(memory.attempt(jobs), error);
    }
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

  async #write(jobs: readonly Job[]): Promise<void> {
    const { settings, memory } = this.#access;
    const attempt = memory.attempt(jobs);
    if (attempt.changes.length === 0) {
      if (memory.held.length > 0) memory.saved(memory.opening, memory.savedAt); // It came to nothing.
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
    await this.#compact();
  }

  async #put(changes: readonly Change[], now: number): Promise<Opening> {
    const { settings, memory } = this.#access;
    const { opening, cache } = memory;
    const { contents, identity } = opening;
    const tombstones = contents === null ? [] : tombstonesIn(cache, changes, contents, now);
    if (contents !== null && identity !== null && changes.length <= LONGEST_BATCH) {
      const metadata = tombstones.length > 0 ? { tombstones } : {};
      return { ...opening, identity: await append(settings.log, contents, identity, changes, metadata) };
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
    });
    if (contents !== null) this.#rewritten();
    return { ...opening, ...written, key, fileId };
  }

  /** Neither saved nor lost: held in memory or taken back. */
  #settle(attempt: Attempt, error: TokenkeepError): void {
    const { settings, memory } = this.#access;
    if (settings.unprotected === 'refuse') {
      attempt.withdraw(error);
      return;
    }
    memory.hold(attempt, memory.opening.state === 'ready' ? error : null);
    attempt.settle();
    this.#tryLater();
  }

  /** A full disk may have room in a while; a locked keychain is asked only when its user wants that. */
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

  /** Rewrites a file of which more than half is dead. What fails here fails nobody: everything is saved. */
  async #compact(): Promise<void> {
    const { contents } = this.#access.memory.opening;
    if (contents === null || contents.rows - contents.live <= contents.live + SMALL) return;
    await compact(this.#access, contents).then(this.#rewritten, () => undefined);
  }
}

/** Writes what is alive to a new file, under the same key. To be called while writing is ours. */
async function compact({ settings, memory }: Access, contents: Contents): Promise<void> {
  const { opening, cache } = memory;
  if (opening.key === null) throw refusal('busy');
  const now = Math.floor(settings.now() / 1000);
  const written = await rewrite(settings, {
    cache,
    previous: contents,
    kept: keptFrames(contents, memory.held),
    key: opening.key,
    slot: opening.slot,
    metadata: metadataAfter(contents.metadata, [], now),
    fileId: contents.header.fileId,
  });
  memory.saved({ ...opening, ...written }, now);
}
