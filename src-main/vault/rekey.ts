import type { TokenCache } from '../cache/token-cache.ts';
import { KeychainError, VaultError } from '../errors.ts';
import type { Access } from './access.ts';
import { hear } from './disk/atomic-file.ts';
import { type Job, jobOf } from '../cache/batch.ts';
import { keptFrames } from './contents.ts';
import { tombstonesIn, metadataAfter } from './tombstones.ts';
import { KeyedQueue } from '../queue.ts';
import type { Slot } from './format/header.ts';
import { refusal } from './refusal.ts';
import { otherSlot } from './slots.ts';
import type { Erasure } from './api.ts';
import { append, rewrite } from './write.ts';

/** How long a keychain that asks nobody may take to keep a key, in milliseconds: ten times what was seen. */
const GRACE = 1_000;

type OldKey = Erasure<unknown>['oldKey'];

/** A key that was just made, and where the keychain keeps it. */
interface FreshKey {
  key: Buffer;
  slot: Slot;
}

/**
 * Replacing a vault's key, so that older copies of its file can't be opened. The order is what makes it safe to be
 * killed at any point:
 *
 * 1. A new key goes into the idle slot and is read back. Killed now: an unused key, overwritten the next time.
 * 2. The file is written anew under the new key and names its slot; it is read back. Killed now: the file says that
 *    the other slot has to be emptied, and the next to open it does that.
 * 3. The slot is read once more, and then the old key is destroyed.
 *
 * Where the keychain refuses step 1, or does not answer soon, the file is written anew under the old key, so that the
 * account is gone from it at once, and says that its key has to be replaced. An answer that comes later does that.
 */
export class Rekeying {
  readonly #access: Access;
  readonly #turns = new KeyedQueue();
  #jobs: Job[] = [];
  #next: Promise<OldKey> | null = null;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Calls that come before the work begins share it. */
  async erase<T>(fn: (cache: TokenCache) => T): Promise<Erasure<T>> {
    const { job, outcome } = jobOf(fn);
    this.#jobs.push(job);
    this.#next ??= this.#inTurn();
    const [value, oldKey] = await Promise.all([outcome, this.#next]);
    return oldKey === undefined ? { value } : { value, oldKey };
  }

  /** Resolves when it is known what becomes of the old key, which may be before the turn is over. */
  #inTurn(): Promise<OldKey> {
    return new Promise((resolve, reject) => {
      const turn = this.#turns.run('', () => {
        this.#next = null;
        return this.#replaceKey(this.#jobs.splice(0), () => resolve('pending'));
      });
      turn.then(resolve, reject);
    });
  }

  /** Does what an earlier sign-out, here or elsewhere, had to leave; leaves it again where the keychain refuses. */
  async finish(): Promise<void> {
    if (this.#access.memory.opening.contents?.metadata.pending === 'rotate') {
      await this.erase(() => undefined);
    } else if (this.#access.memory.opening.contents?.metadata.pending === 'destroy') {
      const { settings, memory } = this.#access;
      const destroy = async (): Promise<void> => {
        await this.#lookWhereTheKeyIs();
        if (memory.opening.contents?.metadata.pending === 'destroy') await this.#destroyOldKey();
      };
      await this.#turns.run('', () => settings.rekeying.hold(destroy));
    }
  }

  /** Resolves when no replacement is under way. */
  async idle(): Promise<void> {
    await this.#turns.run('', () => Promise.resolve());
  }

  /** @param postponed called when the work is done but for the keychain's part, which goes on */
  async #replaceKey(jobs: Job[], postponed: () => void): Promise<OldKey> {
    const { settings, memory } = this.#access;
    try {
      await this.#access.inTurn(() => this.#access.catchUp());
      this.#access.assertReady();
      if (memory.opening.identity === null) {
        await this.#access.inTurn(() => this.#access.writing(() => this.#write(jobs, null)));
        return undefined;
      }
      return await settings.rekeying.hold(async () => {
        await this.#lookWhereTheKeyIs();
        // The lock on keys is kept until the keychain has answered: what it writes late must not hit another's key.
        const asked = hear(this.#freshKey());
        let fresh = await this.#unlessItWaits(asked);
        await this.#access.inTurn(() => this.#access.writing(() => this.#write(jobs, fresh ?? null)));
        if (fresh === undefined) {
          postponed();
          fresh = await asked;
          if (fresh !== null)
            await this.#access.inTurn(() => this.#access.writing(() => this.#write([], fresh ?? null)));
        }
        return fresh === null ? 'pending' : await this.#destroyOldKey();
      });
    } catch (cause) {
      const error = this.#access.failed(cause);
      for (const job of jobs) job.reject(error);
      throw error;
    }
  }

  /**
   * To be done first by whoever holds the lock on keys: while it was waited for, another program may have replaced the
   * key, and what was the idle slot then holds the file's key now.
   */
  async #lookWhereTheKeyIs(): Promise<void> {
    await this.#access.inTurn(() => this.#access.catchUp());
    this.#access.assertReady();
  }

  /** `undefined` where the keychain takes its time: it may be showing a prompt, and nobody may be there to answer. */
  async #unlessItWaits<T>(asked: Promise<T>): Promise<T | undefined> {
    const { timers } = this.#access.settings;
    let timer: unknown;
    const waits = new Promise<undefined>((resolve) => {
      timer = timers.setTimeout(() => resolve(undefined), GRACE);
    });
    try {
      return await Promise.race([asked, waits]);
    } finally {
      timers.clearTimeout(timer);
    }
  }

  /** `null` where the keychain refuses. */
  async #freshKey(): Promise<FreshKey | null> {
    const { settings, memory } = this.#access;
    const slot = otherSlot(memory.opening.slot);
    try {
      return { key: await settings.slots.make(slot), slot };
    } catch (error) {
      if (error instanceof KeychainError) return null;
      throw error;
    }
  }

  async #write(jobs: Job[], fresh: FreshKey | null): Promise<void> {
    const { settings, memory } = this.#access;
    this.#access.assertReady();
    const { opening, cache } = memory;
    // Somebody has started afresh meanwhile, with the very key that was made here: it must not get another name.
    if (fresh?.slot === opening.slot) throw refusal('busy');
    const attempt = memory.attempt(jobs.splice(0));
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
        },
        { readBack: true },
      );
      memory.saved({ ...opening, ...written, key, slot: written.contents.header.slot }, now);
    } catch (cause) {
      attempt.withdraw(this.#access.failed(cause));
      throw cause;
    }
    attempt.settle();
  }

  async #destroyOldKey(): Promise<OldKey> {
    const { settings, memory } = this.#access;
    try {
      const { key, slot } = memory.opening;
      if (key === null) return 'pending';
      await settings.slots.confirm(slot, key);
      await settings.slots.destroy(otherSlot(slot));
    } catch (error) {
      if (error instanceof KeychainError) return 'pending';
      throw error;
    }
    await this.#access.inTurn(() => this.#access.writing(() => this.#noteDestroyed()));
    return 'destroyed';
  }

  /** So that nobody asks the keychain again for what is done. */
  async #noteDestroyed(): Promise<void> {
    const { settings, memory } = this.#access;
    const { contents, identity, state } = memory.opening;
    if (state !== 'ready' || identity === null || contents?.metadata.pending !== 'destroy') return;
    // Where it can't be noted, it is done again: that does no harm.
    const noted = await append(settings.log, contents, identity, [], { pending: null }).catch(() => null);
    if (noted !== null) memory.opening = { ...memory.opening, identity: noted };
    memory.refresh();
  }
}

function nothingSaved(): VaultError {
  return new VaultError(
    'vault_busy',
    'The vault’s file has just been taken away, so nothing can be erased from it. Nothing was changed. Try again.',
  );
}
