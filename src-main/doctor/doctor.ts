/**
 * What is wrong with a cache: what several libraries left in one document, and what makes one of them throw, miss or sign
 * someone out. A repair never takes away what is of use to anyone, is shown before it is made, and can be taken back.
 */
import { sameJson } from '../cache/json.ts';
import { type Change, inverse, placeOf } from '../cache/change.ts';
import { isEntityType } from '../cache/schema/entities.ts';
import type { Store } from '../cache/store.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { duplicates } from './duplicates.ts';
import { type Diagnosis, type Difference, differenceOf, type Finding, FINDING_KINDS } from './finding.ts';
import type { CacheHandle } from '../cache/handle.ts';
import { leftovers } from './leftovers.ts';
import { unreadable } from './unreadable.ts';

/** What a repair did, and what takes it back: it holds entities with their secrets, and does not leave the process. */
export interface Repair {
  difference: Difference;
  /** See undoRepair. */
  undo: RepairUndo;
}

interface Undoing {
  changes: readonly Change[];
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

function* diagnoses(store: Store, home: string, now: number): Iterable<Diagnosis> {
  yield* unreadable(store, home);
  yield* duplicates(store, home, now);
  yield* leftovers(store, home, now);
}

/** Nothing that is wrong concerns two of them. "": what belongs to apps. */
const ownersIn = (store: Store): string[] => ['', ...store.accounts];

/** In the order in which it matters. */
function sorted(findings: readonly Finding[]): Finding[] {
  const rank = ({ kind }: Finding): number => FINDING_KINDS.indexOf(kind);
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * All that is wrong with the cache, in the order in which it matters. Changes nothing; opens no secret but those of ID
 * tokens that stand here twice or without an account.
 *
 * @param now seconds since the epoch; without: the cache's own clock
 */
export function examine(cache: TokenCache, now?: number): Finding[] {
  const store = storeOf(cache);
  const at = now ?? store.now();
  return sorted(ownersIn(store).flatMap((home) => findingsOf(store, home, at)));
}

function findingsOf(store: Store, home: string, now: number): Finding[] {
  return Array.from(diagnoses(store, home, now), ({ finding }) => finding);
}

/** Accounts that are examined in one go: a few milliseconds. */
const ACCOUNTS_A_TURN = 100;

/** How often an examination is begun anew because the cache has changed. */
const ATTEMPTS = 3;

/**
 * `examine`, some accounts at a time, for a process that has others to answer meanwhile: ten thousand accounts take a second.
 * Where the cache changes in between, it begins anew; a cache that changes all the time is examined in one go.
 *
 * @param pause resolves when the process has answered the others, e.g. `setImmediate` of node:timers/promises
 */
export async function examineInTurns(
  handle: CacheHandle,
  pause: () => Promise<unknown>,
  now?: number,
): Promise<Finding[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const begun = await handle.read((cache) => ({
      version: cache.version,
      owners: ownersIn(storeOf(cache)),
    }));
    const found: Finding[] = [];
    let isSame = true;
    for (let next = 0; isSame && next < begun.owners.length; next += ACCOUNTS_A_TURN) {
      isSame = await handle.read((cache) => {
        const store = storeOf(cache);
        if (cache.version !== begun.version) return false;
        for (const home of begun.owners.slice(next, next + ACCOUNTS_A_TURN))
          found.push(...findingsOf(store, home, now ?? store.now()));
        return true;
      });
      await pause();
    }
    if (isSame) return sorted(found);
  }
  return handle.read((cache) => examine(cache, now));
}

/** Of a finding as much as says what it is; with `entities`, only the accounts that they belong to are looked at again. */
export type FindingToRepair = Pick<Finding, 'id'> & Partial<Pick<Finding, 'entities'>>;

/**
 * Repairs the findings that still stand, whole or not at all, with one `change` event. What has changed since it was
 * examined is another finding, and is left alone. In a vault: `vault.update((cache) => repair(cache, findings))`.
 *
 * @param findings `all`: whatever is wrong now
 */
export function repair(cache: TokenCache, findings: Iterable<FindingToRepair> | 'all', now?: number): Repair {
  const store = storeOf(cache);
  const chosen = findings === 'all' ? undefined : [...findings];
  const wanted = chosen && new Set(chosen.map(({ id }) => id));
  return store.run(() => {
    const all = ownersOf(store, chosen)
      .flatMap((home) => [...diagnoses(store, home, now ?? store.now())])
      .filter(({ finding }) => wanted?.has(finding.id) ?? true);
    // Two findings may be about one entity: the first says what becomes of it.
    const done = all.flatMap(({ changes }) => changes.filter((change) => make(store, change)));
    const homes = done.map(({ before }) => before?.account ?? '');
    const emptied = new Set(homes.filter((home) => home !== '' && store.ofAccount(home).length === 0));
    return { difference: differenceOf(done), undo: new RepairUndo({ changes: done, emptied }) };
  }).value;
}

function ownersOf(store: Store, findings: readonly FindingToRepair[] | undefined): string[] {
  const entities = findings?.map((finding) => finding.entities);
  if (entities === undefined || entities.includes(undefined)) return ownersIn(store);
  const homes = entities.flatMap((of = []) => of.map(({ type, key }) => store.entry(type, key)?.account));
  return [...new Set(homes)].filter((home) => home !== undefined);
}

function make(store: Store, change: Change): boolean {
  const { before, after } = change;
  const { section, key } = placeOf(change);
  if (key === null || !isEntityType(section) || store.entry(section, key) !== before) return false;
  if (after === undefined) store.drop({ section, key });
  else store.put(after);
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
    const gone = new Set(changes.map(({ before }) => before?.account ?? '').filter(isSignedOut));
    const done = changes
      .toReversed()
      .map(inverse)
      .filter((change) => {
        const { before, after } = change;
        const { section, key } = placeOf(change);
        if (key === null || !isEntityType(section) || gone.has(after?.account ?? '')) return false;
        const present = store.entry(section, key);
        if (!sameJson(present?.value, before?.value)) return false;
        return make(store, { ...(present && { before: present }), ...(after && { after }) });
      });
    return differenceOf(done);
  }).value;
}
