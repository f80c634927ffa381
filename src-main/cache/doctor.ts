/**
 * What is wrong with a cache: what several libraries left in one document, and what makes one of them throw, miss or sign
 * someone out. A repair never takes away what is of use to anyone, is shown before it is made, and can be taken back.
 */
import { sameJson } from './json.ts';
import { ownerOf } from './mention.ts';
import { isEntityType, type RecordChange, type Store } from './store.ts';
import { storeOf, type TokenCache } from './token-cache.ts';
import { duplicates } from './duplicates.ts';
import { type Diagnosis, type Difference, differenceOf, type Finding } from './finding.ts';
import { leftovers } from './leftovers.ts';
import { unreadable } from './unreadable.ts';

/** What a repair did, and what takes it back: it holds entities with their secrets, and does not leave the process. */
export interface Repair {
  difference: Difference;
  /** See undoRepair. */
  undo: RepairUndo;
}

interface Undoing {
  changes: readonly RecordChange[];
  /** Accounts, lower-cased, of which the repair left nothing. */
  emptied: ReadonlySet<string>;
}

const UNDOING: unique symbol = Symbol('undoing');

/** Opaque. It holds secrets, and prints none. */
export class RepairUndo {
  readonly #undoing: Undoing;

  constructor(undoing: Undoing) {
    this.#undoing = undoing;
  }

  /** For `undoRepair` alone. */
  get [UNDOING](): Undoing {
    return this.#undoing;
  }

  /** What it holds does not leave the process. */
  toJSON(): string {
    return '[redacted]';
  }
}

function* diagnoses(store: Store, now: number): Iterable<Diagnosis> {
  yield* unreadable(store);
  yield* duplicates(store, now);
  yield* leftovers(store, now);
}

/**
 * All that is wrong with the cache, in the order in which it matters. Changes nothing; opens no secret but those of ID
 * tokens that stand here twice or without an account.
 *
 * @param now seconds since the epoch; without: the cache's own clock
 */
export function examine(cache: TokenCache, now?: number): Finding[] {
  const store = storeOf(cache);
  return Array.from(diagnoses(store, now ?? store.now()), ({ finding }) => finding);
}

/**
 * Repairs the findings that still stand, whole or not at all, with one `change` event. What has changed since it was
 * examined is another finding, and is left alone. In a vault: `vault.update((cache) => repair(cache, findings))`.
 */
export function repair(cache: TokenCache, findings: Iterable<Pick<Finding, 'id'>>, now?: number): Repair {
  const store = storeOf(cache);
  const wanted = new Set(Array.from(findings, ({ id }) => id));
  return store.run(() => {
    const all = [...diagnoses(store, now ?? store.now())].filter(({ finding }) => wanted.has(finding.id));
    // Two findings may be about one entity: the first says what becomes of it.
    const done = all.flatMap(({ changes }) => changes.filter((change) => make(store, change)));
    const homes = done.map(({ before }) => ownerOf(before));
    const emptied = new Set(homes.filter((home) => home !== '' && store.ofAccount(home).length === 0));
    return { difference: differenceOf(done), undo: new RepairUndo({ changes: done, emptied }) };
  }).value;
}

function make(store: Store, { section, key, before, after }: RecordChange): boolean {
  if (key === null || !isEntityType(section) || store.entry(section, key)?.value !== before) return false;
  if (after === undefined) store.drop(section, key);
  else store.put(section, key, after);
  return true;
}

/**
 * Takes a repair back, but for what has changed since: a place that holds something else by now stays as it is, and
 * nothing comes back of an account that was signed out meanwhile.
 *
 * @returns what it did
 */
export function undoRepair(cache: TokenCache, { [UNDOING]: { changes, emptied } }: RepairUndo): Difference {
  const store = storeOf(cache);
  return store.run(() => {
    const isSignedOut = (home: string): boolean =>
      home !== '' && !emptied.has(home) && store.ofAccount(home).length === 0;
    const gone = new Set(changes.map(({ before }) => ownerOf(before)).filter(isSignedOut));
    const back = changes.map(
      ({ before, after, ...place }): RecordChange => ({
        ...place,
        ...(after === undefined ? {} : { before: after }),
        ...(before === undefined ? {} : { after: before }),
      }),
    );
    const done = back.reverse().filter((change) => {
      const { section, key, before, after } = change;
      if (key === null || !isEntityType(section) || gone.has(ownerOf(after))) return false;
      const present = store.entry(section, key)?.value;
      return sameJson(present, before) && make(store, { ...change, before: present });
    });
    return differenceOf(done);
  }).value;
}
