import { dirname } from 'node:path';
import { KeychainError, LockError, type TokenkeepError, VaultError } from '../errors.ts';
import { readLater } from './contents.ts';
import { identify, type Identity, makeFolder, sameFile, sameIdentity } from './disk/file.ts';
import { TRAILER_LENGTH } from './format/frame.ts';
import type { VaultMemory } from './memory.ts';
import { look, type Opening, stateFor } from './open.ts';
import { refusal } from './refusal.ts';
import { KeyedQueue } from '../queue.ts';
import type { Settings } from './settings.ts';
import type { VaultState } from './state.ts';
import { storageError } from './disk/storage-error.ts';

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
        await this.#afterDamage();
      }
    });
  }

  /** After damage in a frame that was read on demand: reads the whole file, so that the state reports the loss. */
  async #afterDamage(): Promise<void> {
    if (this.memory.opening.contents?.sealing.findings.isDamaged !== true) return;
    await this.lookAgain().catch(() => undefined); // The next call tries again.
  }

  /** Runs `task` with the queue and the write lock held; `task` sees what the last writer wrote. */
  async writing<T>(task: () => Promise<T>): Promise<T> {
    const { io, file, writing } = this.settings;
    if (this.memory.opening.identity === null) await makeFolder(io, dirname(file));
    let ours = false;
    const turn = writing.hold(async () => {
      ours = true;
      this.#found({ state: 'ready', error: null }, 'busy');
      await this.catchUp();
      return task();
    });
    return turn.catch((error: unknown) => {
      if (!ours && error instanceof VaultError) this.#found({ state: 'busy', error }, 'ready');
      throw error;
    });
  }

  /** Replaces the state and its error, if the vault is still in the given state. */
  #found(found: Pick<Opening, 'state' | 'error'>, state: VaultState): void {
    const { memory } = this;
    if (memory.opening.state !== state) return;
    memory.opening = { ...memory.opening, ...found };
    memory.refresh();
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

  async #followTail(now: Identity): Promise<boolean> {
    const { opening, held } = this.memory;
    const { contents, identity, state } = opening;
    if (!isOpen(state) || contents === null || identity === null || held.length > 0) return false;
    if (!sameFile(identity, now)) return false;
    const tail = await this.settings.log.tail(contents.end.at - TRAILER_LENGTH, now).catch(() => null);
    const later = tail === null ? null : readLater(contents, tail.bytes);
    if (tail === null || later === null) return false;
    this.memory.follow(later.batches, later.ends, tail.identity);
    return true;
  }

  async lookAgain(): Promise<void> {
    await this.settings.log.close(); // Otherwise a replaced file stays on the disk for as long as it is open.
    await this.memory.adopt(await look(this.settings, this.memory.known));
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
    const { memory } = this;
    if (cause instanceof KeychainError) {
      const state = stateFor(cause);
      memory.opening = { ...memory.opening, state, error: cause };
      memory.refresh();
      return refusal(state, cause);
    }
    const error = storageError(cause);
    const readOnly = error.code === 'no_permission' || error.code === 'read_only_disk';
    if (readOnly || error instanceof LockError) {
      memory.opening = { ...memory.opening, state: 'read-only', error };
      memory.refresh();
    }
    return error;
  }
}

/** Returns whether memory matches the file. */
function isOpen(state: VaultState): state is 'ready' | 'busy' {
  return state === 'ready' || state === 'busy';
}
