import type { CacheChange } from '../cache/schema/entities.ts';
import { TokenCache } from '../cache/token-cache.ts';
import { apply, type Job, runBatch } from '../cache/batch.ts';
import { type Change, condensed, eventOf } from '../cache/change.ts';
import type { TokenkeepError } from '../errors.ts';
import type { Batch } from './format/batch.ts';
import { type Contents, follow, keptFrames, markOf } from './contents.ts';
import { withoutSignedOut } from './tombstones.ts';
import { difference, type Side } from './difference.ts';
import type { Identity } from './disk/atomic-file.ts';
import { Listeners } from './listeners.ts';
import type { Known, Marked, Opening } from './open.ts';
import { type Circumstances, statusOf } from './report.ts';
import type { Cursor } from './format/frame-reader.ts';
import type { VaultState, VaultStatus } from './state.ts';

/** Jobs that were done in memory and are not settled yet. */
export interface Attempt {
  /** What the file must hear of, and what it still has not heard of from before. */
  changes: readonly Change[];
  /** How many of the jobs changed something. */
  updates: number;
  /** They are durable, or held: callers and listeners may know. */
  settle(): void;
  /** They are not: memory is put back, callers get the error, listeners hear nothing. */
  withdraw(error: TokenkeepError): void;
}

/**
 * What a vault has in memory: what was found in the file, what has changed on top of it, and those who listen. It
 * does no input or output.
 */
export class VaultMemory {
  readonly changes = new Listeners<CacheChange>();
  readonly statuses = new Listeners<VaultStatus>();
  cache: TokenCache;
  opening: Opening;
  /** In state `older`: the vault as this program saw it before. What is in `cache` belongs to it. */
  mine: Opening | null = null;
  /** Something was written of which the keychain's mark does not know. */
  isUnmarked = false;
  /** Changes that are in `cache` and not in the file. */
  held: readonly Change[] = [];
  saveError: TokenkeepError | null = null;
  savedAt: number | null = null;
  status: VaultStatus;
  #unsaved = 0;
  #told: string;
  readonly #circumstances: Pick<Circumstances, 'file' | 'keychain'>;

  constructor(opening: Opening, circumstances: Pick<Circumstances, 'file' | 'keychain'>) {
    this.#circumstances = circumstances;
    this.opening = opening;
    this.cache = opening.contents?.cache ?? new TokenCache();
    this.savedAt = savedAtOf(opening);
    this.status = this.#describe();
    this.#told = JSON.stringify(this.status);
  }

  /** The vault as this program saw it last; `null` where it has seen none. */
  get seen(): Marked | null {
    const { contents, state, fileId } = this.mine ?? this.opening;
    if (contents === null || fileId === null || !isSeen(state)) return null;
    return { fileId, mark: markOf(contents) };
  }

  /** What this program knows when it looks at the file again. */
  get known(): Known {
    const { key, state, fileId, mark } = this.opening;
    return {
      // Whether it is still a copy, only the keychain tells.
      key: state === 'copy' ? null : (key ?? this.mine?.key ?? null),
      seen: this.seen,
      marked: fileId === null || mark === null ? null : { fileId, mark },
    };
  }

  /**
   * Takes what was found in the file for what is, with the changes that it has not heard of on top. Where the file is
   * older than what is in memory, memory stays as it is.
   */
  async adopt(opening: Opening): Promise<void> {
    if (opening.state === 'older' && this.seen !== null) {
      this.mine ??= this.opening;
      if (this.opening !== this.mine && this.opening.key !== opening.key) this.opening.key?.fill(0);
      this.opening = opening;
      this.refresh();
      return;
    }
    await this.replace(opening);
  }

  /** `adopt`, whatever is in memory. */
  async replace(opening: Opening): Promise<void> {
    const before = this.#side();
    this.cache = opening.contents?.cache ?? new TokenCache();
    this.#holdOnTo(opening.contents);
    for (const key of [this.opening.key, this.mine?.key]) if (key !== opening.key) key?.fill(0);
    this.mine = null;
    this.opening = opening;
    this.savedAt = savedAtOf(opening) ?? this.savedAt;
    if (this.changes.size > 0) {
      const changes = await difference(before, this.#side());
      if (changes.length > 0) this.changes.emit(eventOf(changes));
    }
    this.refresh();
  }

  #side(): Side {
    return { cache: this.cache, groups: keptFrames((this.mine ?? this.opening).contents, this.held) };
  }

  /** Does once more what is held. What it replaces, and whether it is news at all, the file tells that was just read. */
  #holdOnTo(contents: Contents | null): void {
    const held = withoutSignedOut(this.held, (this.mine ?? this.opening).contents, contents);
    const changes = apply(this.cache, held);
    if (contents === null) return;
    this.held = changes;
    if (changes.length > 0) return;
    this.#unsaved = 0;
    this.saveError = null;
  }

  /** Takes in what another process appended. Only where nothing is held. */
  follow(batches: readonly Batch[], end: Cursor, identity: Identity): void {
    const { contents } = this.opening;
    if (contents === null) return;
    const updates = batches.map((batch) => follow(contents, batch));
    contents.end = end;
    this.opening = { ...this.opening, identity };
    this.savedAt = savedAtOf(this.opening);
    this.#tell(updates);
    this.refresh();
  }

  /** Tells listeners of changes that were made to the cache. */
  tell(changes: readonly Change[]): void {
    this.#tell([changes]);
  }

  #tell(updates: readonly (readonly Change[])[]): void {
    if (this.changes.size === 0) return;
    for (const changes of updates) if (changes.length > 0) this.changes.emit(eventOf(changes));
  }

  /** Runs the jobs, each whole or not at all. */
  attempt(jobs: readonly Job[]): Attempt {
    const batch = runBatch(this.cache, jobs);
    return {
      changes: this.held.length === 0 ? batch.changes : condensed([...this.held, ...batch.changes]),
      updates: batch.updates.length,
      settle: () => {
        this.#tell(batch.updates);
        batch.settle();
      },
      withdraw: (error) => batch.withdraw(error),
    };
  }

  /** Counts an attempt among what is held in memory only. */
  hold(attempt: Attempt, error: TokenkeepError | null): void {
    this.held = attempt.changes;
    this.#unsaved += attempt.updates;
    this.saveError = error;
    this.refresh();
  }

  /** The file has everything. */
  saved(opening: Opening, at: number | null): void {
    for (const key of [this.opening.key, this.mine?.key]) if (key !== opening.key) key?.fill(0);
    this.mine = null;
    this.isUnmarked = true;
    this.opening = opening;
    this.held = [];
    this.#unsaved = 0;
    this.saveError = null;
    this.savedAt = at;
    this.refresh();
  }

  /** Says the status, if there is anything new in it. */
  refresh(): void {
    const status = this.#describe();
    const told = JSON.stringify(status);
    if (told === this.#told) return;
    this.#told = told;
    this.status = status;
    this.statuses.emit(status);
  }

  /** Ends: keys are overwritten, and nobody hears anything any more. */
  end(): void {
    this.opening.key?.fill(0);
    this.mine?.key?.fill(0);
    this.changes.clear();
    this.statuses.clear();
  }

  #describe(): VaultStatus {
    const { saveError, savedAt } = this;
    return Object.freeze(
      statusOf(this.opening, this.mine, {
        ...this.#circumstances,
        unsaved: this.#unsaved,
        saveError,
        savedAt,
      }),
    );
  }
}

/** Whether memory is what the file said, so that a file which says less is older. */
function isSeen(state: VaultState): boolean {
  return state === 'ready' || state === 'busy' || state === 'read-only';
}

function savedAtOf({ identity }: Opening): number | null {
  return identity === null ? null : Number(identity.mtimeNs / 1_000_000_000n);
}
