import type { CacheChange } from '../cache/schema/entities.ts';
import { TokenCache } from '../cache/token-cache.ts';
import { apply, type Job, runBatch } from '../cache/batch.ts';
import { type Change, condensed, eventOf } from '../cache/change.ts';
import type { TokenkeepError } from '../errors.ts';
import type { Batch } from './format/batch.ts';
import { type Contents, follow, keptFrames } from './contents.ts';
import { withoutSignedOut } from './tombstones.ts';
import { difference, type Side } from './difference.ts';
import type { Identity } from './disk/atomic-file.ts';
import { Listeners } from './listeners.ts';
import type { Opening } from './open.ts';
import { paced } from './pace.ts';
import { type Circumstances, statusOf } from './report.ts';
import type { Cursor } from './format/frame-reader.ts';
import type { VaultStatus } from './state.ts';

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

  /** Takes what was found in the file for what is, with the changes that it has not heard of on top. */
  async adopt(opening: Opening): Promise<void> {
    const before = this.#side();
    this.cache = opening.contents?.cache ?? new TokenCache();
    this.#holdOnTo(opening.contents);
    if (this.opening.key !== opening.key) this.opening.key?.fill(0);
    this.opening = opening;
    this.savedAt = savedAtOf(opening) ?? this.savedAt;
    if (this.changes.size > 0) {
      const changes = await paced(difference(before, this.#side()));
      if (changes.length > 0) this.changes.emit(eventOf(changes));
    }
    this.refresh();
  }

  #side(): Side {
    return { cache: this.cache, groups: keptFrames(this.opening.contents, this.held) };
  }

  /** Does once more what is held. What it replaces, and whether it is news at all, the file tells that was just read. */
  #holdOnTo(contents: Contents | null): void {
    const held = withoutSignedOut(this.held, this.opening.contents, contents);
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

  forget(): void {
    this.opening.key?.fill(0);
    this.changes.clear();
    this.statuses.clear();
  }

  #describe(): VaultStatus {
    const { saveError, savedAt } = this;
    return Object.freeze(
      statusOf(this.opening, { ...this.#circumstances, unsaved: this.#unsaved, saveError, savedAt }),
    );
  }
}

function savedAtOf({ identity }: Opening): number | null {
  return identity === null ? null : Number(identity.mtimeNs / 1_000_000_000n);
}
