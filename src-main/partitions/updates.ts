/** Updates of one partition. Waiting updates are committed together by compare-and-set, on top of other writers' changes. */

import { readDocument } from '../cache/document/document.ts';
import { inverse } from '../cache/entry.ts';
import type { UpdateOptions } from '../cache/handle.ts';
import { lostNames } from '../cache/json.ts';
import {
  apply,
  type Batch,
  type Job,
  runBatch,
  storeOf,
  type TokenCache,
  transact,
} from '../cache/token-cache.ts';
import { DocumentError, InvalidArgumentError, PartitionError, PartitionStoreError } from '../errors.ts';
import { Deadline, isUnsent } from './deadline.ts';
import { published } from './diagnostics.ts';
import type { EntryMetadata } from './entry.ts';
import type { Lifetime } from './lifetime.ts';
import type { Ownership } from './ownership.ts';
import { closeUp, type Found, isEmpty, openFound } from './partition-contents.ts';
import type { PartitionName } from './partition-name.ts';
import { newVersion } from './random.ts';
import type { OpenedCaches } from './reads.ts';
import type { Settings } from './settings.ts';
import { lateChanges, metadataAfter } from './tombstones.ts';
import type { UserIndex } from './user-index.ts';

/** How a partition was opened. */
export interface OpenedAs {
  readonly name: PartitionName;
  readonly ownership: Ownership;
  readonly lifetime: Lifetime;
}

/** An update that waits for its turn. */
interface Waiting extends OpenedAs, Omit<Job, 'run'> {
  readonly fn: (cache: TokenCache) => unknown;
  readonly since: number | undefined;
}

/** The result of running a batch. Its jobs settle only once it is committed. */
interface Attempt {
  readonly batch: Batch;
  readonly metadata: EntryMetadata;
  readonly hasChanged: boolean;
  /** How many races this update has lost so far. */
  readonly losses: number;
}

/** Milliseconds between attempts: increasing and random, so that two writers don't stay in step. */
const PAUSES = { first: 2, longest: 100 };

export class Updates {
  readonly #settings: Settings;
  readonly #opened: OpenedCaches;
  readonly #index: UserIndex | undefined;
  readonly #written: (key: string, metadata: EntryMetadata) => void;
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(
    settings: Settings,
    opened: OpenedCaches,
    index: UserIndex | undefined,
    written: (key: string, metadata: EntryMetadata) => void,
  ) {
    this.#settings = settings;
    this.#opened = opened;
    this.#index = index;
    this.#written = written;
  }

  add<T>(as: OpenedAs, fn: (cache: TokenCache) => T, { since }: UpdateOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const job: Waiting = { ...as, fn, since, resolve: resolve as (value: unknown) => void, reject };
      const waiting = this.#waiting.get(as.name.key);
      if (waiting !== undefined) {
        waiting.push(job);
        return;
      }
      this.#waiting.set(as.name.key, [job]);
      void this.#work(as.name);
    });
  }

  /** Commits batches until no job is waiting. */
  async #work(name: PartitionName): Promise<void> {
    await Promise.resolve(); // Updates that a caller starts synchronously become one batch.
    for (let jobs = this.#waiting.get(name.key); jobs !== undefined; jobs = this.#waiting.get(name.key)) {
      if (jobs.length === 0) {
        this.#waiting.delete(name.key);
        return;
      }
      this.#waiting.set(name.key, []);
      const deadline = new Deadline(this.#settings.timeout);
      try {
        await published('commit', name.key, (note) => {
          note({ updates: jobs.length });
          return this.#commit(name, jobs, deadline, (races) => note({ races }));
        });
      } catch (error) {
        for (const job of jobs) job.reject(error);
      } finally {
        deadline.end();
      }
    }
  }

  /** @param raced called with the number of races lost so far */
  async #commit(
    name: PartitionName,
    jobs: readonly Waiting[],
    deadline: Deadline,
    raced: (races: number) => void,
  ): Promise<void> {
    // The first attempt may use a kept cache, because the write compares versions.
    let found = this.#opened.take(name.key);
    let losses = 0;
    let races = 0;
    for (let pause = PAUSES.first; ; ) {
      const isConfirmed = found === undefined;
      found ??= await orBusy(name, losses, () => this.#read(name, deadline));
      const attempt = { ...perform(jobs, found, this.#settings.now()), losses };
      if (!attempt.hasChanged) {
        const kept = found;
        found = undefined;
        if (!isConfirmed) continue; // No write will compare versions, so the store must be read.
        this.#opened.keep(name.key, kept);
        attempt.batch.settle();
        return;
      }
      const committed = await this.#replace(jobs, found, attempt, deadline).catch((cause: unknown) => {
        const error = losses > 0 && isUnsent(cause) ? busy(name, losses, cause) : cause;
        attempt.batch.withdraw(error);
        throw error;
      });
      if (committed !== undefined) {
        this.#written(name.key, committed.metadata);
        this.#opened.keep(name.key, committed);
        attempt.batch.settle();
        return;
      }
      found = undefined;
      races += 1;
      raced(races);
      if (!isConfirmed) continue; // The kept cache was outdated; this does not count as a lost race.
      losses += 1;
      await orBusy(name, losses, () => deadline.pause(pause * (0.5 + Math.random())));
      pause = Math.min(pause * 2, PAUSES.longest);
    }
  }

  async #read(name: PartitionName, deadline: Deadline): Promise<Found> {
    const { store, sealing, now, importFrom } = this.#settings;
    const found = openFound(await deadline.readFresh(store, name.key), name, sealing, now);
    const { kind, id } = name;
    if (found.version !== null || importFrom === undefined || kind !== 'user' || id === undefined)
      return found;
    // A cache client of MSAL Node returns "", null or undefined where it has nothing.
    const document: unknown = await deadline.with(async () => importFrom.read(id));
    if (document === null || document === undefined) return found;
    if (typeof document !== 'string' && !(document instanceof Uint8Array)) notADocument(document);
    if (document.length === 0) return found;
    readImported(found.cache, document, name);
    return found; // `opened` is older than the cache, so it must be written.
  }

  /** @returns what is stored now; undefined if another writer was quicker */
  async #replace(
    jobs: readonly Waiting[],
    { cache, metadata: before, version: expected }: Found,
    attempt: Attempt,
    deadline: Deadline,
  ): Promise<Found | undefined> {
    const { store, sealing, now } = this.#settings;
    const { name, lifetime } = jobs.at(-1) as Waiting;
    const opened = cache.version;
    if (isEmpty(cache)) {
      await orBusy(name, attempt.losses, () => this.#removeImported(name, deadline));
      if (expected !== null && !(await deadline.remove(store, name.key, expected))) return undefined;
      await this.#index?.dropped(name, before, deadline).catch(() => undefined); // The index entries expire.
      return { cache, opened, metadata: {}, version: null };
    }
    const ttl = lifetime.ttl(cache, now());
    const users = this.#index;
    const listed =
      users &&
      (await orBusy(name, attempt.losses, () => users.note(name, cache, attempt.metadata, ttl, deadline)));
    const metadata = { ...attempt.metadata, ...listed };
    const version = newVersion();
    const entry = { bytes: closeUp(cache, metadata, name, sealing), version };
    if (!(await deadline.write(store, name.key, entry, { expected, ttl }))) return undefined;
    if (expected === null) await this.#removeImported(name, deadline).catch(() => undefined); // Retried when the partition is deleted.
    return { cache, opened, metadata, version };
  }

  async #removeImported({ kind, id }: PartitionName, deadline: Deadline): Promise<void> {
    const { importFrom } = this.#settings;
    if (importFrom === undefined || kind !== 'user' || id === undefined) return;
    await deadline.with(async () => importFrom.remove(id));
  }
}

function notADocument(found: unknown): never {
  throw new InvalidArgumentError(
    `importFrom.read returned a value of type ${typeof found}. Let it return the earlier document as text or bytes, or null if there is none. Nothing was imported or changed.`,
    { field: 'importFrom' },
  );
}

/** @throws DocumentError for a document of which a part would be lost: the earlier cache is removed once it is imported */
function readImported(cache: TokenCache, document: string | Uint8Array, { key }: PartitionName): void {
  const text = typeof document === 'string' ? document : Buffer.from(document).toString('utf8');
  try {
    if (lostNames(text, readDocument(storeOf(cache), text)))
      throw new DocumentError(
        'document_not_a_cache',
        'It has two fields of the same name, of which only one could be kept. No MSAL library writes such a document. Nothing was changed.',
      );
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause;
    throw new DocumentError(
      cause.code,
      `What importFrom returned for partition ${key} was not imported: ${cause.message} Let importFrom.read return a cache document for this user, or null. remove() of the partition also removes the earlier cache; the user then signs in again.`,
      { cause },
    );
  }
}

/**
 * Runs all jobs on the cache, each completely or not at all. A job that throws, or would leave another user's credentials,
 * changes nothing.
 */
function perform(jobs: readonly Waiting[], found: Found, now: number): Omit<Attempt, 'losses'> {
  const { cache, version } = found;
  const isImported = cache.version !== found.opened && !isEmpty(cache);
  let metadata = found.metadata;
  const batch = runBatch(
    cache,
    jobs.map(({ name, ownership, fn, since, resolve, reject }) => ({
      run: (inside) => {
        ownership.check({ cache: inside, metadata }, name);
        const { value, changes } = transact(inside, fn);
        if (since !== undefined) apply(inside, lateChanges(changes, metadata, since).map(inverse));
        ownership.check({ cache: inside, metadata }, name);
        if (ownership.owner !== undefined) metadata = { owner: ownership.owner, ...metadata };
        return value;
      },
      resolve,
      reject,
    })),
  );
  const isToBeNoted = metadata.owner !== found.metadata.owner && version !== null;
  const hasChanged = batch.changes.length > 0 || isToBeNoted || isImported;
  return {
    batch,
    metadata: hasChanged ? metadataAfter(metadata, batch.changes, cache, now) : metadata,
    hasChanged,
  };
}

/**
 * Reports `partition_busy` instead of a timeout if other writers won until the deadline. Don't use it for a write that was sent:
 * `partition_busy` says that the update was not made, and without the store's answer that is unknown.
 */
async function orBusy<T>(name: PartitionName, losses: number, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (losses === 0 || !(error instanceof PartitionStoreError) || error.code !== 'store_timeout')
      throw error;
    throw busy(name, losses, error);
  }
}

function busy({ key }: PartitionName, losses: number, cause: unknown): PartitionError {
  return new PartitionError(
    'partition_busy',
    key,
    `Other processes wrote the partition ${key} again and again (${losses} times). This update was not made. Try again.`,
    { cause },
  );
}
