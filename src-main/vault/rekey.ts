import type { Job, TokenCache } from '../cache/token-cache.ts';
import { KeychainError, VaultError } from '../errors.ts';
import { KeyedQueue } from '../waiting.ts';
import type { Erasure } from './api.ts';
import { type Access, append, rewrite } from './commit.ts';
import { keptFrames, markOf } from './contents.ts';
import { hear, identify, replaceFile } from './disk/file.ts';
import type { Slot } from './format/header.ts';
import { encodeMarkFile, isPast, type KeyItem, latestMark, type Mark } from './format/key-item.ts';
import type { VaultMemory } from './memory.ts';
import { markFileOf, originalOf, STORED } from './open.ts';
import { changedMeanwhile } from './refusal.ts';
import { otherSlot, unlessItWaits } from './slots.ts';
import { metadataAfter, removeSignedOut, tombstonesIn } from './tombstones.ts';

type OldKey = Erasure<unknown>['oldKey'];

/** A new key, and its slot in the keychain. */
interface FreshKey {
  key: Buffer;
  slot: Slot;
  mark: Mark;
}

/**
 * Replaces a vault's key, so that older copies of its file can't be opened. The order of the steps makes it safe for
 * the process to be killed at any point:
 *
 * 1. Store a new key in the idle slot and read it back. If killed here, the key is unused, and overwritten next time.
 * 2. Rewrite the file under the new key, with the name of its slot, and read it back. If killed here, the file says
 *    that the other slot has to be emptied, and the next program that opens it does that. The same happens if it can't be read
 *    back.
 * 3. Read the slot once more, then destroy the old key.
 *
 * If the keychain refuses step 1, or does not answer in time, the file is rewritten under the old key, so that the
 * account is removed from it at once, with a note that its key has to be replaced. A late answer resumes the steps.
 */
export class Rekeying {
  readonly #access: Access;
  readonly #turns = new KeyedQueue();
  #jobs: Job[] = [];
  #next: Promise<OldKey> | null = null;
  /** Why the last replacement of the key failed: a KeychainError if the keychain did not store the new key. */
  failure: Error | null = null;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Calls that arrive before a rewrite starts share it. */
  async erase<T>(fn: (cache: TokenCache) => T): Promise<Erasure<T>> {
    const outcome = new Promise<T>((resolve, reject) => {
      this.#jobs.push({ run: fn, resolve: resolve as Job['resolve'], reject });
    });
    this.#next ??= this.#inTurn();
    const [value, oldKey] = await Promise.all([outcome, this.#next]);
    return oldKey === undefined ? { value } : { value, oldKey };
  }

  /** Resolves when the outcome for the old key is known, which may be before the task ends. */
  #inTurn(): Promise<OldKey> {
    return new Promise((resolve, reject) => {
      const turn = this.#turns.run('', () => {
        this.#next = null;
        return this.#replaceKey(this.#jobs.splice(0), resolve);
      });
      turn.then(resolve, reject);
    });
  }

  /**
   * Finishes what an earlier sign-out, here or elsewhere, left pending; leaves it pending again if the keychain
   * refuses.
   */
  async finish(): Promise<void> {
    const { settings, memory } = this.#access;
    const { state } = memory.opening;
    if (state === 'older') {
      if (isUnfinished(memory)) await this.#turns.run('', () => this.#replaceKey([], ignored));
      return;
    }
    if (state !== 'ready') return;
    const pending = memory.opening.contents?.metadata.pending ?? null;
    if (pending === 'rotate') await this.erase(() => undefined);
    else if (pending === 'destroy') {
      const destroy = async (): Promise<void> => {
        await this.#lookWhereTheKeyIs([]);
        if (memory.opening.contents?.metadata.pending === 'destroy') await this.#destroyOldKey(null, ignored);
      };
      await this.#turns.run('', () => settings.rekeying.hold(destroy));
    } else if (memory.opening.isSignOutPending) await this.#removeMarkFile();
  }

  /**
   * Stores the file's current position in the keychain, so that an older file is detected at the next start. If the
   * keychain refuses, the mark that it has remains a lower bound. A key that another program has destroyed is not stored again.
   */
  async mark(): Promise<void> {
    const { settings, memory } = this.#access;
    const mark = async (): Promise<void> => {
      if (memory.isEnded) return; // The vault was closed while this waited for the lock.
      await this.#access.inTurn(() => this.#access.catchUp());
      const { contents, key, slot, fileId, state, identity } = memory.opening;
      if (state !== 'ready' || contents === null || key === null || fileId === null) return;
      memory.isUnmarked = false;
      const own = Buffer.from(key); // Memory overwrites its own when another file is found.
      const position = markOf(contents);
      try {
        const item = await this.#stored(fileId, slot, own);
        const isPastIt =
          item !== null &&
          (item.mark === null || isPast({ ...position, history: contents.history }, item.mark));
        // The original's drive may have been away when this copy was opened.
        const isCopy = identity !== null && (await originalOf(settings, item, identity)) !== null;
        if (isPastIt && !isCopy) await settings.slots.keep(fileId, slot, own, position);
        else {
          await this.#access.inTurn(async () => {
            if (memory.isEnded) return; // The vault may have been closed while the keychain answered.
            await this.#access.lookAgain({ ...memory.known, key: null });
            if (item === null) memory.forgetKey(); // The keychain may be locked by now, and could not be asked again.
          });
        }
      } finally {
        own.fill(0);
      }
    };
    if (!memory.isUnmarked) return;
    await this.#turns
      .run('', () => settings.rekeying.hold(mark))
      .catch(() => {
        memory.isUnmarked = true;
      });
  }

  /** Returns the item of this key, with the key overwritten; `null` if the slot does not hold it. The caller holds the key lock. */
  async #stored(fileId: Buffer, slot: Slot, key: Buffer): Promise<KeyItem | null> {
    const item = await this.#access.settings.slots.read(fileId, slot, STORED);
    if (typeof item === 'string') return null;
    const isSame = item.key.equals(key);
    item.key.fill(0);
    return isSame ? item : null;
  }

  /** Resolves when no key replacement is in progress. */
  async idle(): Promise<void> {
    await this.#turns.run('', () => Promise.resolve());
  }

  /** @param known called with the outcome for the old key when it is known; recording it may take longer */
  async #replaceKey(jobs: Job[], known: (outcome: OldKey) => void): Promise<OldKey> {
    const { settings, memory } = this.#access;
    this.failure = null;
    try {
      await this.#lookWhereTheKeyIs(jobs);
      if (memory.opening.identity === null && (await this.#writeUnsaved(jobs))) return undefined;
      return await settings.rekeying.hold(async () => {
        await this.#lookWhereTheKeyIs(jobs);
        // Memory drops the old key when the file has a new one; the mark file is authenticated under both.
        const old = Buffer.from(memory.opening.key ?? []);
        try {
          return await this.#replaceUnderLock(jobs, old, known);
        } finally {
          old.fill(0);
        }
      });
    } catch (cause) {
      const error = this.#access.failed(cause);
      this.failure = error;
      for (const job of jobs) job.reject(error);
      throw error;
    }
  }

  /** @returns false, with nothing done, if another program has created the file meanwhile */
  #writeUnsaved(jobs: Job[]): Promise<boolean> {
    return this.#access.inTurn(() =>
      this.#access.writing(async () => {
        if (this.#access.memory.opening.identity !== null) return false;
        await this.#write(jobs, null, ignored);
        return true;
      }),
    );
  }

  async #replaceUnderLock(jobs: Job[], old: Buffer, known: (outcome: OldKey) => void): Promise<OldKey> {
    const written = { isUnread: false };
    const unread = (): void => {
      written.isUnread = true;
    };
    const write = (work: Job[], key: FreshKey | null): Promise<void> =>
      this.#access.inTurn(() => this.#access.writing(() => this.#write(work, key, unread)));
    const { fileId } = this.#access.memory.opening;
    // The key lock is held until the keychain has answered: its late write must not overwrite another program's key.
    const asked = hear(this.#freshKey());
    let fresh = await unlessItWaits(asked, this.#access.settings.timers);
    try {
      await write(jobs, fresh ?? null);
    } catch (cause) {
      for (const job of jobs) job.reject(this.#access.failed(cause));
      await asked.catch(() => null);
      throw cause;
    }
    if (fresh === undefined || fresh === null) await this.#leaveMarkFile([old]);
    if (fresh === undefined) {
      known('pending'); // The keychain call continues.
      fresh = await asked;
      if (fresh !== null) await write([], fresh);
    }
    if (fresh === null || fileId === null) return 'pending';
    if (written.isUnread) {
      // The older key stays until a program has read the file: it may be the only one that opens anything.
      await this.#leaveMarkFile([fresh.key, old]);
      return 'pending';
    }
    // Use these values, not those in memory: an older copy that was put back meanwhile names the slot of the old key.
    return this.#destroyOldKey(old, known, { fileId, slot: fresh.slot, key: fresh.key });
  }

  /**
   * Must be called first after taking the key lock: another program may have replaced the key in the meantime, and
   * the slot that was idle then holds the file's key.
   */
  async #lookWhereTheKeyIs(jobs: readonly Job[]): Promise<void> {
    await this.#access.inTurn(() => this.#access.catchUp());
    this.#assertReplaceable(jobs);
  }

  /** An older file may get another key only to finish a sign-out. */
  #assertReplaceable(jobs: readonly Job[]): void {
    const { memory } = this.#access;
    const { state, contents } = memory.opening;
    if (state === 'older' && jobs.length === 0 && contents?.recovered === null) return;
    this.#access.assertReady();
  }

  /** `null` if the keychain refuses. */
  async #freshKey(): Promise<FreshKey | null> {
    const { settings, memory } = this.#access;
    const { opening } = memory;
    const { contents, fileId, state } = opening;
    if (contents === null || fileId === null) return null;
    const slot = otherSlot(opening.slot);
    const next = contents.header.generation + 1n;
    const known = latestMark([opening.mark, memory.seen?.mark ?? null, markOf(contents)]);
    // An older file stays an older file under another key.
    const generation = state === 'older' && known !== null ? max(known.generation, next) + 1n : next;
    const mark = { generation, end: 0, tag: NO_BYTES, writer: '', tombstones: known?.tombstones ?? [] };
    try {
      return { key: await settings.slots.make(fileId, slot, mark), slot, mark };
    } catch (error) {
      if (!(error instanceof KeychainError)) throw error;
      this.failure = error;
      return null;
    }
  }

  /** @param unread called if the new file can't be read back */
  async #write(jobs: Job[], fresh: FreshKey | null, unread: () => void): Promise<void> {
    const { settings, memory } = this.#access;
    this.#assertReplaceable(jobs);
    const { opening, cache } = memory;
    // Another program has called `startFresh` meanwhile with the key created here: it must not be stored under another
    // name.
    if (fresh?.slot === opening.slot) throw changedMeanwhile();
    if (opening.state === 'older') {
      if (fresh !== null) await this.#writeOlder(fresh, unread);
      return;
    }
    const attempt = await memory.attempt(jobs.splice(0));
    const { contents } = opening;
    const key = fresh?.key ?? opening.key;
    if (key === null || contents === null) {
      // Nothing was ever saved, so there is nothing to erase.
      if (attempt.changes.length > 0) attempt.withdraw(nothingSaved());
      else attempt.settle();
      return;
    }
    try {
      const now = Math.floor(settings.now() / 1000);
      const gone = tombstonesIn(cache, attempt.changes, contents, now);
      const metadata = metadataAfter(contents.metadata, gone, now);
      const written = await rewrite(
        settings,
        {
          cache,
          previous: contents,
          kept: keptFrames(contents, attempt.changes),
          key,
          slot: fresh?.slot ?? opening.slot,
          metadata:
            fresh === null
              ? { ...metadata, pending: 'rotate' }
              : { ...metadata, pending: 'destroy', keyMadeAt: now },
          fileId: contents.header.fileId,
          history: contents.history,
        },
        { unread },
      );
      memory.saved({ ...opening, ...written, key, slot: written.contents.header.slot }, now);
    } catch (cause) {
      attempt.withdraw(this.#access.failed(cause));
      throw cause;
    }
    attempt.settle();
  }

  /** Finishes a sign-out in an older file that was put back: removes the account and replaces the key. */
  async #writeOlder({ key, slot, mark }: FreshKey, unread: () => void): Promise<void> {
    const { settings, memory } = this.#access;
    const { opening } = memory;
    const { contents } = opening;
    if (contents === null) return;
    const now = Math.floor(settings.now() / 1000);
    removeSignedOut(contents, mark.tombstones);
    const written = await rewrite(
      settings,
      {
        cache: contents.cache,
        previous: contents,
        kept: contents.groups,
        key,
        slot,
        metadata: { ...contents.metadata, pending: 'destroy', keyMadeAt: now },
        fileId: contents.header.fileId,
        history: contents.history,
      },
      { unread },
    );
    opening.key?.fill(0);
    memory.opening = { ...opening, ...written, key, slot, mark };
    memory.refresh();
  }

  /**
   * @param old the key to destroy, if this program still has it
   * @param current the key that the file was written with
   */
  async #destroyOldKey(
    old: Buffer | null,
    known: (outcome: OldKey) => void,
    current: { fileId: Buffer | null; slot: Slot; key: Buffer | null } = this.#access.memory.opening,
  ): Promise<OldKey> {
    const { settings, memory } = this.#access;
    const { fileId, slot } = current;
    if (current.key === null || fileId === null) return 'pending';
    const key = Buffer.from(current.key); // Memory overwrites its own when another file is found.
    try {
      await settings.slots.confirm(fileId, slot, key);
      await settings.slots.destroy(fileId, otherSlot(slot));
    } catch (error) {
      if (!(error instanceof KeychainError)) throw error;
      await this.#leaveMarkFile(old === null ? [key] : [key, old]);
      return 'pending';
    } finally {
      key.fill(0);
    }
    const isNoted = this.#noteInMemory();
    if (!memory.opening.isSignOutPending) known('destroyed');
    if (isNoted) await this.#access.inTurn(() => this.#access.writing(() => this.#noteDestroyed()));
    await this.#removeMarkFile();
    return 'destroyed';
  }

  /** @returns whether the file has to be told */
  #noteInMemory(): boolean {
    const { memory } = this.#access;
    const { opening, mine } = memory;
    const isPending = opening.contents?.metadata.pending === 'destroy';
    // The sign-out is finished, whatever happens to the contents of memory.
    for (const contents of [isPending ? opening.contents : null, mine?.contents ?? null]) {
      if (contents !== null) contents.metadata = { ...contents.metadata, pending: null };
    }
    memory.refresh();
    return isPending;
  }

  /** Prevents another request to the keychain for work that is done. If this fails, it is repeated, which is harmless. */
  async #noteDestroyed(): Promise<void> {
    const { settings, memory } = this.#access;
    const { contents, identity, state } = memory.opening;
    if (!(state === 'ready' || state === 'older') || identity === null || contents === null) return;
    const noted = await append(settings, contents, identity, [], { pending: null }).catch(() => null);
    if (noted !== null) memory.opening = { ...memory.opening, identity: noted };
    memory.refresh();
  }

  /**
   * [Note: the mark file] The keychain can't record this sign-out yet, so a file beside the vault does. An older copy
   * that is put back is then detected, also at the next start, and the account is removed from it again.
   */
  async #leaveMarkFile(keys: readonly Buffer[]): Promise<void> {
    const { settings, memory } = this.#access;
    const { io, file } = settings;
    const { contents, fileId, mark: before } = memory.opening;
    if (contents === null || fileId === null) return;
    const mark = latestMark([markOf(contents), before, memory.seen?.mark ?? null]);
    if (mark === null) return;
    const bytes = encodeMarkFile(mark, fileId, keys);
    // If it can't be written, an older copy that is put back while no program runs is not detected: the status warns of it.
    const write = () => replaceFile(io, markFileOf(file), [bytes].values(), { owner: file });
    // Again, because another program that rewrites the vault removes temporary files: the write lock is not held here.
    memory.isUnrecorded = await write()
      .catch(write)
      .then(
        () => false,
        () => true,
      );
    memory.opening = { ...memory.opening, isSignOutPending: true };
    memory.refresh();
  }

  async #removeMarkFile(): Promise<void> {
    const { settings, memory } = this.#access;
    const { io, file } = settings;
    if ((await identify(io, markFileOf(file)).catch(() => null)) !== null) {
      await io.unlink(markFileOf(file)).catch(() => undefined);
    }
    memory.opening = { ...memory.opening, isSignOutPending: false };
    if (memory.mine !== null) memory.mine = { ...memory.mine, isSignOutPending: false };
    memory.isUnrecorded = false;
    memory.refresh();
  }
}

const NO_BYTES = Buffer.alloc(0);

const ignored = (): void => undefined;

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Returns whether a sign-out was acknowledged whose account may still be in the older file. */
function isUnfinished({ opening, mine }: VaultMemory): boolean {
  return opening.isSignOutPending || (mine?.contents?.metadata.pending ?? null) !== null;
}

function nothingSaved(): VaultError {
  return new VaultError(
    'vault_busy',
    'The vault’s file has just been taken away, so nothing can be erased from it. Nothing was changed. Try again.',
  );
}
