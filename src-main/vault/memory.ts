import { dropOldHistories } from '../accounts/account-history.ts';
import { usersOf } from '../cache/accounts.ts';
import { type Change, condensed, eventOf } from '../cache/entry.ts';
import type { CacheChange } from '../cache/schema/entities.ts';
import type { Store } from '../cache/store.ts';
import {
  apply,
  type Batch as JobBatch,
  type Job,
  type LongJob,
  runBatchInTurns,
  storeOf,
  TokenCache,
  transact,
} from '../cache/token-cache.ts';
import { messageForUsers } from '../error-code.ts';
import { KeychainTimeoutError, type TokenkeepError, VaultError } from '../errors.ts';
import {
  advance,
  type Contents,
  follow,
  isEmptied,
  keptFrames,
  type Later,
  liveIn,
  markOf,
  pauses,
} from './contents.ts';
import { difference, isLost, type Side } from './difference.ts';
import type { Identity } from './disk/file.ts';
import { userNameOf } from './format/manifest.ts';
import { rebased } from './held.ts';
import type { Known, Marked, Opening } from './open.ts';
import type { OlderFile, VaultState, VaultStatus, VaultWarning } from './state.ts';
import { withoutSignedOut } from './tombstones.ts';

/** The listeners of one kind of event. */
export class Listeners<T> {
  readonly #all = new Set<(event: T) => void>();

  get size(): number {
    return this.#all.size;
  }

  /** Adds a listener and returns the function that removes it. The same function may be added twice. */
  add(listener: (event: T) => void): () => void {
    const own = (event: T): void => listener(event);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /**
   * Calls all listeners. One that throws is reported as an uncaught exception; the vault and the other listeners
   * continue.
   */
  emit(event: T): void {
    for (const listener of [...this.#all]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}

/**
 * The state of a vault in memory: what was read from the file, the changes on top of it, and the listeners. Does no
 * input or output.
 */
export class VaultMemory {
  readonly changes = new Listeners<CacheChange>();
  readonly #statuses = new Listeners<VaultStatus>();
  cache: TokenCache;
  opening: Opening;
  /** The vault as this program last saw it, while the file differs from that; otherwise null. `cache` belongs to it. */
  mine: Opening | null = null;
  /** Something was written that the keychain's mark does not cover yet. */
  isUnmarked = false;
  isEnded = false;
  /** A sign-out waits for the keychain, and its mark file could not be written. [Note: the mark file] */
  isUnrecorded = false;
  /** Changes in `cache` that are not in the file. */
  held: readonly Change[] = [];
  saveError: TokenkeepError | null = null;
  savedAt: number | null = null;
  #unsaved = 0;
  /** `null`: the status may have changed since it was last described. */
  #status: VaultStatus | null = null;
  /** The status that listeners know, as text. */
  #published = '';
  /** Milliseconds since the epoch. */
  readonly #now: (() => number) | undefined;
  readonly #circumstances: Pick<Circumstances, 'file' | 'keychain'>;

  constructor(
    opening: Opening,
    { now, ...circumstances }: Pick<Circumstances, 'file' | 'keychain'> & { now?: () => number },
  ) {
    this.#now = now;
    this.#circumstances = circumstances;
    this.opening = opening;
    this.cache = this.#own(opening.contents?.cache ?? new TokenCache());
    this.savedAt = savedAtOf(opening);
  }

  get status(): VaultStatus {
    const { contents } = this.opening;
    // Reading an account that another program has changed tells how many of the entries are current.
    if (contents !== null && this.#status?.live !== shareAlive(contents)) this.#status = null;
    return (this.#status ??= this.#describe());
  }

  /** Adds a listener to changes of the status from now on. */
  onStatus(listener: (status: VaultStatus) => void): () => void {
    if (this.#statuses.size === 0) this.#published = JSON.stringify(this.status);
    return this.#statuses.add(listener);
  }

  /** A cache in a vault has the vault's clock, and takes changes only from functions that the vault runs. */
  #own(cache: TokenCache): TokenCache {
    const now = this.#now;
    const store = storeOf(cache);
    store.isLent = true;
    if (now !== undefined) store.now = () => Math.floor(now() / 1000);
    return cache;
  }

  /** Returns what belongs to `cache`. */
  get contents(): Contents | null {
    return (this.mine ?? this.opening).contents;
  }

  /** Returns the vault as this program last saw it; `null` if it has seen none. */
  get seen(): Marked | null {
    const { contents, state, fileId } = this.mine ?? this.opening;
    if (contents === null || fileId === null || !isSeen(state)) return null;
    return { fileId, mark: markOf(contents) };
  }

  /** Returns what this program knows when it reads the file again. */
  get known(): Known {
    const { key, original, fileId, mark, contents } = this.opening;
    return {
      // Only the keychain can tell whether it is still a copy.
      key: original === null ? (key ?? this.mine?.key ?? null) : null,
      followed: (this.mine ?? this.opening).identity,
      seen: this.seen,
      marked: fileId === null || mark === null ? null : { fileId, mark },
      isDoubted: contents !== null && (contents.recovered !== null || contents.sealing.findings.isDamaged),
    };
  }

  /**
   * Replaces memory by what was read from the file, and applies unsaved changes on top. If the file is older than
   * memory or can't be read completely, memory is unchanged, unless memory itself was found to be damaged.
   */
  async adopt(opening: Opening): Promise<void> {
    const isDamaged = this.mine === null && this.opening.contents?.sealing.findings.isDamaged === true;
    if (!isDamaged && !isSeen(opening.state) && opening.state !== 'copy' && this.seen !== null) {
      this.mine ??= this.opening;
      if (this.opening !== this.mine) {
        this.opening.contents?.file?.stop();
        if (this.opening.key !== opening.key) this.opening.key?.fill(0);
      }
      if (opening.isKeyGone) this.forgetKey();
      this.opening = opening;
      this.refresh();
      return;
    }
    await this.replace(opening);
  }

  /** Call it when the keychain does not have the key any more: it is used again only if the keychain has it again. */
  forgetKey(): void {
    if (this.mine === null) return;
    this.mine.key?.fill(0);
    this.mine = { ...this.mine, key: null };
  }

  /** Does what `adopt` does, regardless of what memory holds. `discard` also gives up what could not be saved. */
  async replace(opening: Opening, { discard = false } = {}): Promise<void> {
    const before = this.changes.size > 0 ? this.#side() : null;
    if (discard) this.#holdNothing();
    const files = [this.opening, this.mine].map((one) => one?.contents?.file);
    this.cache = this.#own(opening.contents?.cache ?? new TokenCache());
    this.#holdOnTo(opening.contents);
    for (const key of [this.opening.key, this.mine?.key]) if (key !== opening.key) key?.fill(0);
    this.mine = null;
    this.opening = opening;
    this.savedAt = savedAtOf(opening) ?? this.savedAt;
    if (before !== null) {
      const changes = await difference(before, this.#side());
      if (changes.length > 0) this.changes.emit(eventOf(changes));
    }
    for (const file of files) if (file !== opening.contents?.file) file?.stop();
    this.refresh();
  }

  #side(): Side {
    const { cache } = this;
    try {
      return { cache, groups: keptFrames(this.contents, this.held) };
    } catch (error) {
      if (isLost(error)) return { cache, groups: new Map() }; // Then every account is compared that can be read.
      throw error;
    }
  }

  /**
   * Applies held changes again. The file that was just read determines their `before`, and whether they change
   * anything.
   */
  #holdOnTo(contents: Contents | null): void {
    const held = withoutSignedOut(this.held, this.contents, contents);
    let changes: readonly Change[];
    try {
      changes = contents === null ? apply(this.cache, held) : this.#rebase(held);
    } catch (error) {
      if (error instanceof VaultError) return; // Damage was found: the changes are applied after the file is read again.
      throw error;
    }
    if (contents === null) return;
    if (changes.length > 0) this.held = changes;
    else this.#holdNothing();
  }

  #holdNothing(): void {
    this.held = [];
    this.#unsaved = 0;
    this.saveError = null;
  }

  /** Applies held changes to what another program wrote. It may have signed out an account whose history they change. */
  #rebase(held: readonly Change[]): readonly Change[] {
    if (held.length === 0) return [];
    const { changes } = transact(this.cache, (cache) => {
      apply(cache, rebased(held, cache));
      dropOldHistories(cache);
    });
    return changes;
  }

  /** Applies what another process appended. Only valid while nothing is held. */
  follow({ batches, ends, writers }: Later, identity: Identity): void {
    const { contents } = this.opening;
    if (contents === null) return;
    const isHeard = this.changes.size > 0;
    const updates = batches.map((batch) => follow(contents, batch, isHeard));
    advance(contents, ends, writers);
    this.opening = { ...this.opening, identity };
    this.savedAt = savedAtOf(this.opening);
    this.notify(updates);
    this.refresh();
  }

  /** Notifies listeners of updates to the cache, one event for each that changed something. */
  notify(updates: readonly (readonly Change[])[]): void {
    if (this.changes.size === 0) return;
    for (const changes of updates) if (changes.length > 0) this.changes.emit(eventOf(changes));
  }

  /**
   * Runs the jobs. The batch has all changes that the file lacks, including those of earlier jobs that are held. Settle it when they are saved
   * or held, which notifies the listeners.
   */
  async attempt(jobs: readonly (Job | LongJob)[]): Promise<JobBatch> {
    const batch = await runBatchInTurns(this.cache, jobs, pauses());
    return {
      ...batch,
      changes: this.held.length === 0 ? batch.changes : condensed([...this.held, ...batch.changes]),
      settle: () => {
        this.notify(batch.updates);
        batch.settle();
      },
    };
  }

  /** Counts a failed attempt to save what is held. */
  hold({ changes, updates }: JobBatch, error: TokenkeepError | null): void {
    this.held = changes;
    this.#unsaved += updates.length;
    this.saveError = error;
    this.refresh();
  }

  /** Marks everything as saved. */
  saved(opening: Opening, at: number | null): void {
    for (const key of [this.opening.key, this.mine?.key]) if (key !== opening.key) key?.fill(0);
    this.mine = null;
    this.isUnmarked = true;
    this.opening = opening;
    this.#holdNothing();
    this.savedAt = at;
    this.refresh();
  }

  /** Publishes the status if it changed. Without listeners, it is described on demand, because each update changes it. */
  refresh(): void {
    this.#status = null;
    if (this.#statuses.size === 0) return;
    const published = JSON.stringify(this.status);
    if (published === this.#published) return;
    this.#published = published;
    this.#statuses.emit(this.status);
  }

  /** Closes: overwrites the keys and stops notifying. A task that still waits finds no key rather than an overwritten one. */
  end(): void {
    for (const one of [this.opening, this.mine]) {
      one?.key?.fill(0);
      one?.contents?.file?.stop();
    }
    this.opening = { ...this.opening, key: null };
    this.mine = null;
    this.isEnded = true;
    this.changes.clear();
    this.#statuses.clear();
  }

  #describe(): VaultStatus {
    const { saveError, savedAt } = this;
    return Object.freeze(
      statusOf(this.opening, this.mine, {
        ...this.#circumstances,
        isUnrecorded: this.isUnrecorded,
        unsaved: this.#unsaved,
        saveError,
        savedAt,
      }),
    );
  }
}

/** Returns whether memory matched the file, so that a file with less in it is older. */
function isSeen(state: VaultState): boolean {
  return state === 'ready' || state === 'busy' || state === 'read-only';
}

function savedAtOf({ identity }: Opening): number | null {
  return identity === null ? null : Number(identity.mtimeNs / 1_000_000_000n);
}

/** Facts for the status that do not come from the vault's path. */
export interface Circumstances {
  file: string;
  keychain: string;
  unsaved: number;
  /** The reason why updates are not saved. */
  saveError: TokenkeepError | null;
  savedAt: number | null;
  isUnrecorded: boolean;
}

/** @param mine the vault as this program last saw it, while the file differs from that */
export function statusOf(opening: Opening, mine: Opening | null, circumstances: Circumstances): VaultStatus {
  const { unsaved, saveError, file, keychain, savedAt, isUnrecorded } = circumstances;
  const error = opening.error ?? saveError;
  const { contents } = opening;
  const recovered = contents?.recovered ?? null;
  const original = opening.original?.path ?? null;
  const isKeyPending = isPending(opening) || (mine !== null && isPending(mine));
  // Another program may have finished the sign-out since.
  const warnings: readonly VaultWarning[] =
    isUnrecorded && isKeyPending ? [...opening.warnings, 'sign_out_unrecorded'] : opening.warnings;
  return {
    state: opening.state,
    ...(error === null ? {} : { code: error.code, message: messageForUsers(error) }),
    held: unsaved > 0 ? 'memory' : 'disk',
    unsaved,
    waiting: opening.error instanceof KeychainTimeoutError,
    file,
    bytes: opening.identity === null ? null : Number(opening.identity.size),
    savedAt,
    keychain,
    ...(contents === null ? {} : aboutFile(contents)),
    ...(isKeyPending ? { oldKey: 'pending' as const } : {}),
    ...(opening.state === 'older' || mine === null ? {} : { kept: accountsIn(mine) ?? 0 }),
    ...(opening.state === 'older' || (opening.state === 'damaged' && opening.isBehind)
      ? { older: versionsOf(mine, opening) }
      : {}),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(original === null ? {} : { copyOf: original }),
    ...(recovered === null ? {} : { recovered }),
  };
}

function aboutFile(contents: Contents): Pick<VaultStatus, 'key' | 'live'> {
  const { header, metadata } = contents;
  return { key: { slot: header.slot, madeAt: metadata.keyMadeAt || null }, live: shareAlive(contents) };
}

/** Returns the fraction of written entries that are current. */
export function shareAlive(contents: Contents): number {
  return contents.rows === 0 ? 1 : liveIn(contents) / contents.rows;
}

function isPending({ contents, isSignOutPending }: Opening): boolean {
  return isSignOutPending || (contents !== null && contents.metadata.pending !== null);
}

function accountsIn(opening: Opening | null): number | null {
  return storeIn(opening)?.accounts.length ?? null;
}

function storeIn(opening: Opening | null): Store | null {
  return opening?.contents ? storeOf(opening.contents.cache) : null;
}

function versionsOf(mine: Opening | null, file: Opening): OlderFile {
  const own = storeIn(mine);
  const older = file.contents !== null && isEmptied(file.contents) ? null : storeIn(file);
  return {
    mine: own?.accounts.length ?? null,
    file: older?.accounts.length ?? null,
    fileSavedAt: savedAtOf(file),
    onlyMine: onlyIn(own, older),
    onlyFile: onlyIn(older, own),
    ...(file.isSalvaged ? { recovered: true as const } : {}),
  };
}

/** The most accounts that a status names of either version. */
const MOST_NAMES = 20;

/** Returns the accounts that the other store doesn't have. Reads no account from a file, unless another program has changed it since. */
function onlyIn(store: Store | null, other: Store | null): OlderFile['onlyMine'] {
  if (store === null || other === null) return { accounts: 0, names: [] };
  const others = new Set(other.accounts);
  const accounts = store.accounts.filter((account) => !others.has(account));
  return {
    accounts: accounts.length,
    names: accounts.slice(0, MOST_NAMES).map((account) => nameIn(store, account)),
  };
}

function nameIn(store: Store, account: string): string {
  try {
    return userNameOf(usersOf(store, account)) ?? account;
  } catch (error) {
    if (isLost(error)) return account;
    throw error;
  }
}
