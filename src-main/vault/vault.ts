import { basename, dirname } from 'node:path';
import { dropHistoriesOfRemoved } from '../accounts/account-history.ts';
import { checkExclusively, type Synchronous, UPDATE_OPTIONS, type UpdateOptions } from '../cache/handle.ts';
import type { AccountReference, CacheChange, SignOutReceipt } from '../cache/schema/entities.ts';
import { type InTurns, type Job, type LongJob, type TokenCache, transact } from '../cache/token-cache.ts';
import { type TraceContext, traced } from '../diagnostics.ts';
import { InvalidArgumentError, KeychainError, KeychainTimeoutError } from '../errors.ts';
import {
  CACHE_FUNCTION,
  checkArgument,
  checkOptions,
  FLAG,
  FUNCTION,
  NAME,
  oneOf,
  SIGNAL,
  TEXT,
} from '../options.ts';
import { type Abortable, abandonable, untilBegun } from '../waiting.ts';
import type { Erasure, Forgotten, ReadOptions, Vault, VaultOptions } from './api.ts';
import { Access, Saving } from './commit.ts';
import { identify, sameIdentity } from './disk/file.ts';
import { storageError } from './disk/storage-error.ts';
import { exportTo } from './exchange/export.ts';
import { type ImportReport, importFrom } from './exchange/import.ts';
import { finishForgetting, forget } from './forget.ts';
import { VaultMemory } from './memory.ts';
import { look } from './open.ts';
import { keepMine, makeOwn, recover, startFresh, takeFile } from './recovery.ts';
import { closed, notDestroyed, notRotated } from './refusal.ts';
import { Rekeying } from './rekey.ts';
import { type Settings, settingsFrom, type VaultPorts } from './settings.ts';
import type { VaultReport, VaultStatus } from './state.ts';
import { withoutLate } from './tombstones.ts';
import { verify } from './verify.ts';

/** Deadline of closing for the keychain's answer, in milliseconds. */
const PARTING = 2_000;

/**
 * Interval at which a vault with listeners checks for changes by other processes if folders can't be watched, in
 * milliseconds.
 */
const POLL = 500;
/** The same interval if folders can be watched: not every file system reports every change. */
const WATCHED_POLL = 30_000;

/**
 * Opens a vault. Resolves in every state and changes nothing: file and key are not created before the first `update`.
 * If the keychain does not answer within ten seconds, it resolves as `locked` with `status.waiting`; a later answer
 * updates the status.
 *
 * @throws InvalidArgumentError, or the reason of `signal`, and nothing else
 *
 * @example
 * import { openVault } from 'tokenkeep';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault', name: 'my-app' });
 * await vault.update((cache) =>
 *   cache.add({
 *     client_id: 'my-app',
 *     scope: ['openid'],
 *     token_endpoint: 'https://login.example.org/token',
 *     response: { access_token: '…', token_type: 'Bearer', expires_in: 3600 },
 *   }),
 * );
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  return openVaultIn(options, {});
}

/** For tests: `openVault` with another disk, clock or timers. */
export async function openVaultIn(options: VaultOptions, ports: VaultPorts): Promise<Vault> {
  const settings = await settingsFrom(options, ports);
  const { file } = settings;
  const { signal } = options;
  const context: TraceContext = { file };
  const open = async (): Promise<Vault> => {
    const memory = new VaultMemory(await look(settings), {
      file,
      keychain: settings.slots.label,
      now: settings.now,
    });
    context.state = memory.status.state;
    return new FileVault(settings, memory);
  };
  return traced('vault.open', context, () =>
    abandonable(signal, async () => {
      const vault = await open();
      if (signal?.aborted === true) await vault.close(); // The caller was already rejected and never gets this vault.
      return vault;
    }),
  );
}

type Operation =
  | 'read'
  | 'update'
  | 'erase'
  | 'exclusively'
  | 'compact'
  | 'verify'
  | 'export'
  | 'import'
  | 'forget';

class FileVault implements Vault {
  readonly #settings: Settings;
  readonly #memory: VaultMemory;
  readonly #access: Access;
  readonly #saving: Saving;
  readonly #rekeying: Rekeying;
  #jobs: (Job | LongJob)[] = [];
  /** The tasks of `exclusively`, and those that wait for their turn. */
  readonly #exclusive = new Set<Promise<unknown>>();
  /** Aborted when `close` is called: tasks of `exclusively` that have not begun by then do not begin. */
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;
  #closed = false;
  #poll: unknown;
  /** Stops watching; `null` if watching is not possible, absent while there are no listeners. */
  #watch: (() => void) | null | undefined;

  constructor(settings: Settings, memory: VaultMemory) {
    this.#settings = settings;
    this.#memory = memory;
    this.#access = new Access(settings, memory);
    this.#rekeying = new Rekeying(this.#access);
    this.#saving = new Saving(this.#access, () => void this.#rekeying.mark());
    this.#opened();
  }

  get status(): VaultStatus {
    return this.#memory.status;
  }

  get epoch(): number {
    return this.#memory.contents?.metadata.epoch ?? 0;
  }

  on(event: 'change', listener: (change: CacheChange) => void): () => void;
  on(event: 'status', listener: (status: VaultStatus) => void): () => void;
  on(
    ...[event, listener]:
      | ['change', (change: CacheChange) => void]
      | ['status', (status: VaultStatus) => void]
  ): () => void {
    checkArgument('on', 'event', event, oneOf('change', 'status'));
    checkArgument('on', 'listener', listener, FUNCTION);
    if (event === 'status') return this.#memory.onStatus(listener);
    const end = this.#memory.changes.add(listener);
    this.#lookLater();
    return end;
  }

  async read<T>(fn: Synchronous<T>, options?: ReadOptions): Promise<T> {
    const { held, signal } = checkOptions('read', options, { held: FLAG, signal: SIGNAL });
    checkArgument('read', 'fn', fn, CACHE_FUNCTION);
    return this.#traced('read', () =>
      abandonable(signal, (assertWanted) => this.#read(fn, held, assertWanted)),
    );
  }

  #read<T>(fn: Synchronous<T>, held: boolean | undefined, assertWanted: () => void): Promise<T> {
    const mayBeOld = held === true || this.#settings.unprotected === 'memory';
    return this.#inTurn(async () => {
      assertWanted();
      const failure = await this.#access.catchUpOrReport();
      assertWanted();
      if (!mayBeOld) {
        if (failure !== null) throw failure;
        this.#access.assertReadable();
      }
      const transaction = transact(this.#memory.cache, fn);
      if (transaction.changes.length === 0) return transaction.value;
      transaction.undo();
      throw new InvalidArgumentError(
        '`read` is for reading: its function changed the cache, which was taken back. Use `update`.',
      );
    });
  }

  async update<T>(fn: Synchronous<T>, options?: UpdateOptions): Promise<T> {
    const { since, signal } = checkOptions('update', options, UPDATE_OPTIONS);
    checkArgument('update', 'fn', fn, CACHE_FUNCTION);
    const work = (begin: () => void): Promise<T> =>
      this.#save({
        run: (cache) => {
          begin();
          return withoutLate(cache, fn, this.#memory.contents, since);
        },
      });
    return this.#traced('update', () => untilBegun(signal, work));
  }

  /** Runs a function on the cache and saves its changes. While one of many turns runs, which must remove no account, other calls wait. */
  #save<T>(work: { run: (cache: TokenCache) => T } | { inTurns: InTurns<T> }): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ ...work, resolve: resolve as Job['resolve'], reject });
      // The first task to run takes all jobs queued until then: one frame, one flush.
      this.#inTurn(() => this.#saving.save(this.#jobs.splice(0))).catch(reject);
    });
  }

  async exclusively<T>(
    name: string,
    task: (signal?: AbortSignal) => Promise<T>,
    options?: Abortable,
  ): Promise<T> {
    const { signal } = checkExclusively(name, task, options);
    const ending = this.#ending.signal;
    ending.throwIfAborted();
    const waits = signal === undefined ? ending : AbortSignal.any([signal, ending]);
    const hold = async (begin: () => void): Promise<T> => {
      const lock = { isHeld: false };
      const held = async (): Promise<T> => {
        lock.isHeld = true;
        // Before the task redeems a refresh token whose successor could not be kept.
        await this.#inTurn(() => this.#saving.assertPossible());
        begin();
        return task(signal);
      };
      const turn = this.#settings.named.hold(name, held, waits);
      this.#exclusive.add(turn);
      try {
        return await turn;
      } catch (cause) {
        // What the task throws, or the signal, is the caller's own.
        throw lock.isHeld || signal?.aborted === true ? cause : storageError(cause);
      } finally {
        this.#exclusive.delete(turn);
      }
    };
    return this.#traced('exclusively', () => untilBegun(waits, hold));
  }

  async retry(options?: Abortable): Promise<VaultStatus> {
    const { signal } = checkOptions('retry', options, { signal: SIGNAL });
    return abandonable(signal, () => this.#retry());
  }

  async #retry(): Promise<VaultStatus> {
    if (this.#closed) throw closed();
    const { opening } = this.#memory;
    const found = await look(this.#settings, this.#memory.known);
    await this.#inTurn(async () => {
      const { io, file } = this.#settings;
      const now = await identify(io, file).catch(() => null);
      // The keychain may have taken long. The file must be unchanged, and no other reread may have happened since.
      if (this.#memory.opening === opening && sameIdentity(now, found.identity)) {
        await this.#memory.adopt(found);
      } else {
        found.contents?.file?.stop();
        await this.#access.lookAgain();
      }
      await this.#saving.save([]);
    });
    this.#opened();
    return this.status;
  }

  async startFresh(): Promise<void> {
    await inWords(() => this.#inTurn(() => startFresh(this.#access)));
    await this.#inTurn(() => this.#saving.save([]));
  }

  async recover(): Promise<void> {
    await inWords(() => this.#inTurn(() => recover(this.#access)));
    await this.#inTurn(() => this.#saving.save([]));
    await this.#rekeying.mark();
    this.#opened();
  }

  keepMine(): Promise<void> {
    return this.#choose(keepMine);
  }

  takeFile(): Promise<void> {
    return this.#choose(takeFile);
  }

  async forget(): Promise<Forgotten> {
    if (this.#closed) throw closed();
    await this.#rekeying.idle();
    return this.#traced('forget', () => forget(this.#access));
  }

  async makeOwn(): Promise<void> {
    await inWords(() => this.#inTurn(() => makeOwn(this.#access)));
    await this.#inTurn(() => this.#saving.save([]));
    await this.#rekeying.mark();
  }

  async #choose(between: (access: Access) => Promise<void>): Promise<void> {
    if (this.#closed) throw closed();
    await inWords(() => between(this.#access));
    await this.#inTurn(() => this.#saving.save([]));
    await this.#rekeying.mark();
    this.#opened();
  }

  async signOut(account: string | AccountReference, options?: Abortable): Promise<SignOutReceipt> {
    checkOptions('signOut', options, { signal: SIGNAL }, 'Nothing was removed.');
    const { value, oldKey } = await this.erase((cache) => cache.signOut(account), options);
    return oldKey === undefined ? value : { ...value, oldKey };
  }

  async erase<T>(fn: Synchronous<T>, options?: Abortable): Promise<Erasure<T>> {
    const { signal } = checkOptions('erase', options, { signal: SIGNAL });
    checkArgument('erase', 'fn', fn, CACHE_FUNCTION);
    if (this.#closed) throw closed();
    const work = (begin: () => void): Promise<Erasure<T>> =>
      this.#rekeying.erase((cache: TokenCache) => {
        begin();
        const { value, changes } = transact(cache, fn);
        dropHistoriesOfRemoved(cache, changes);
        return value;
      });
    return this.#traced('erase', () => untilBegun(signal, work));
  }

  async rotateKey(options?: Abortable): Promise<void> {
    checkOptions('rotateKey', options, { signal: SIGNAL });
    const { oldKey } = await this.erase(() => undefined, options);
    if (oldKey !== 'pending') return;
    await this.#rekeying.idle(); // A keychain that is only slow has stored the new key by then.
    if (this.status.oldKey !== 'pending') return;
    const isReplaced = this.#memory.opening.contents?.metadata.pending === 'destroy';
    throw isReplaced ? notDestroyed() : notRotated(this.#rekeying.failure);
  }

  async compact(options?: Abortable): Promise<void> {
    const { signal } = checkOptions('compact', options, { signal: SIGNAL });
    const work = (begin: () => void): Promise<void> =>
      this.#inTurn(() => {
        begin();
        return this.#saving.compact();
      });
    return this.#traced('compact', () => untilBegun(signal, work));
  }

  async verify(progress?: (done: number, of: number) => void, options?: Abortable): Promise<VaultReport> {
    const { signal } = checkOptions('verify', options, { signal: SIGNAL });
    if (progress !== undefined) checkArgument('verify', 'progress', progress, FUNCTION);
    const work = (assertWanted: () => void): Promise<VaultReport> =>
      this.#inTurn(() =>
        verify(this.#settings, this.#memory.known, (done, of) => {
          assertWanted();
          progress?.(done, of);
        }),
      );
    return this.#traced('verify', () => abandonable(signal, work));
  }

  async exportTo(file: string, passphrase: string, options?: Abortable): Promise<void> {
    const { signal } = checkOptions('exportTo', options, { signal: SIGNAL }, 'Nothing was exported.');
    checkArgument('exportTo', 'passphrase', passphrase, TEXT);
    if (this.#closed) throw closed();
    await this.#traced('export', () =>
      untilBegun(signal, (begin) => exportTo(this.#access, file, passphrase, begin)),
    );
  }

  async importFrom(file: string, passphrase?: string, options?: Abortable): Promise<ImportReport> {
    const { signal } = checkOptions('importFrom', options, { signal: SIGNAL }, 'Nothing was imported.');
    checkArgument('importFrom', 'file', file, NAME);
    if (passphrase !== undefined) checkArgument('importFrom', 'passphrase', passphrase, TEXT);
    if (this.#closed) throw closed();
    const now = (): number => Math.floor(this.#settings.now() / 1000);
    const work = (begin: () => void): Promise<ImportReport> =>
      importFrom(file, passphrase, now, (fn) =>
        this.#save({
          inTurns: (cache, pause) => {
            begin();
            return fn(cache, pause);
          },
        }),
      );
    return this.#traced('import', () => untilBegun(signal, work));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#ending.abort(closed());
    // A refresh may have used up its refresh token: what comes back must be stored.
    if (this.#exclusive.size > 0) await Promise.allSettled(this.#exclusive);
    this.#closed = true;
    this.#settings.timers.clearTimeout(this.#poll);
    this.#stopWatching();
    await this.#rekeying.idle();
    const isMarked = await this.#marked();
    await this.#access.inTurn(() => Promise.resolve());
    this.#saving.stop();
    this.#memory.end();
    await this.#settings.log.close();
    await this.#settings.writing.close();
    if (isMarked) await this.#settings.rekeying.close();
    await this.#settings.named.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Stores the file's current position in the keychain. A user who is quitting is not asked to unlock it for that. */
  async #marked(): Promise<boolean> {
    if (!this.#memory.isUnmarked) return true;
    const { timers } = this.#settings;
    let timer: unknown;
    const late = new Promise<boolean>((resolve) => {
      timer = timers.setTimeout(() => resolve(false), PARTING);
    });
    const marked = this.#rekeying.mark().then(() => true);
    return Promise.race([marked, late]).finally(() => timers.clearTimeout(timer));
  }

  #traced<T>(operation: Operation, task: () => Promise<T>): Promise<T> {
    return traced(`vault.${operation}`, { file: this.#settings.file }, task, (context) => {
      context.state = this.status.state;
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#closed ? Promise.reject(closed()) : this.#access.inTurn(task);
  }

  /** Starts the work that a new state requires. */
  #opened(): void {
    void finishForgetting(this.#access).catch(() => undefined);
    const { error } = this.#memory.opening;
    if (error instanceof KeychainTimeoutError) {
      const answered = (): void => {
        if (!this.#closed && this.#memory.opening.error === error) void this.retry().catch(() => undefined);
      };
      error.answer.then(answered, answered);
    }
    // If this fails, it is retried at the next opportunity; until then, the status reports that it is pending.
    void this.#rekeying.finish().catch(() => undefined);
  }

  /**
   * [Note: live updates] The folder is watched rather than the file, because a rewrite replaces the file; a check is
   * one `stat`. A process that dies leaves nothing behind, and watching keeps no process alive.
   */
  #lookLater(): void {
    this.#watch ??= this.#watched();
    if (this.#poll !== undefined) return;
    const look = (): void => {
      this.#poll = undefined;
      if (!this.#isHeard()) return;
      void this.#lookNow().finally(() => this.#lookLater());
    };
    this.#poll = this.#settings.timers.setTimeout(look, this.#watch === null ? POLL : WATCHED_POLL);
    unref(this.#poll);
  }

  #isHeard(): boolean {
    const heard = !this.#closed && this.#memory.changes.size > 0;
    if (!heard) this.#stopWatching();
    return heard;
  }

  /** If the check fails, the next call that needs the file reports why. */
  async #lookNow(): Promise<void> {
    await this.#inTurn(() => this.#access.catchUp()).catch(() => undefined);
  }

  /** Watches the folder. Returns `null` if folders can't be watched: then the file is checked more often. */
  #watched(): (() => void) | null {
    const { io, file } = this.#settings;
    let isLooking = false;
    const changed = (name: string | null): void => {
      if (isLooking || (name !== null && name !== basename(file)) || !this.#isHeard()) return;
      isLooking = true;
      setImmediate(() => {
        isLooking = false; // Later writes trigger another check.
        void this.#lookNow();
      }).unref();
    };
    const failed = (): void => {
      this.#stopWatching();
      this.#watch = null;
    };
    return io.watch?.(dirname(file), changed, failed) ?? null;
  }

  #stopWatching(): void {
    this.#watch?.();
    this.#watch = undefined;
  }
}

/** Runs work on the disk. What the system says about it becomes a StorageError. */
async function inWords<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    throw cause instanceof KeychainError ? cause : storageError(cause);
  }
}

function unref(timer: unknown): void {
  if (timer instanceof Object && 'unref' in timer) (timer as NodeJS.Timeout).unref();
}
