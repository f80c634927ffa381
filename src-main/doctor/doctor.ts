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
import { bySeverity, type Diagnosis, type Difference, differenceOf, type Finding } from './finding.ts';
import { collisions } from './issuers.ts';
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

function diagnoses(store: Store, home: string, now: number): Diagnosis[] {
  return [
    ...unreadable(store, home),
    ...collisions(store, home),
    ...duplicates(store, home, now),
    ...leftovers(store, home, now),
  ];
}

/** Options for `examine`. */
export interface ExamineOptions {
  /** Seconds since the epoch. Default: the cache's own clock. */
  now?: number;
  /** Examines one account only, by its `home_account_id`; "" for what belongs to apps. Default: all of them. */
  account?: string;
}

/**
 * Returns everything that is wrong with the cache, most severe first. Changes nothing. The only secrets it opens are those of ID tokens
 * that are stored twice or have no account.
 *
 * No finding concerns two accounts, so a process that must stay responsive can examine a large cache account by account; see
 * `accountsToExamine`.
 *
 * @example
 * import { examine } from 'tokenkeep/doctor';
 *
 * const findings = await vault.read((cache) => examine(cache));
 * for (const { kind, says } of findings) console.log(kind, says);
 */
export function examine(cache: TokenCache, { now, account }: ExamineOptions = {}): Finding[] {
  const store = storeOf(cache);
  const at = now ?? store.now();
  const accounts = account === undefined ? accountsToExamine(cache) : [account];
  const findings = accounts.flatMap((id) => diagnoses(store, id, at).map(({ finding }) => finding));
  return findings.toSorted(bySeverity);
}

/**
 * Returns the ids of all accounts that have an entry in the cache, with or without an account entity, lower-cased; first "", which stands
 * for what belongs to apps.
 *
 * @example
 * import { setImmediate } from 'node:timers/promises';
 * import { accountsToExamine, examine } from 'tokenkeep/doctor';
 *
 * for (const account of await vault.read(accountsToExamine)) {
 *   console.log(await vault.read((cache) => examine(cache, { account })));
 *   await setImmediate();
 * }
 */
export function accountsToExamine(cache: TokenCache): string[] {
  return ['', ...storeOf(cache).accounts];
}

/** Of a finding as much as says what it is; with `entities`, only the accounts that they belong to are looked at again. */
export type FindingToRepair = Pick<Finding, 'id'> & Partial<Pick<Finding, 'entities'>>;

/**
 * Repairs the findings that still stand, whole or not at all, with one `change` event. What has changed since it was
 * examined is another finding, and is left alone. In a vault: `vault.update((cache) => repair(cache, findings))`.
 *
 * @param findings `all`: whatever is wrong now
 * @example
 * import { examine, repair } from 'tokenkeep/doctor';
 *
 * const findings = await vault.read((cache) => examine(cache));
 * const { difference } = await vault.update((cache) => repair(cache, findings));
 */
export function repair(cache: TokenCache, findings: Iterable<FindingToRepair> | 'all', now?: number): Repair {
  const store = storeOf(cache);
  const chosen = findings === 'all' ? undefined : [...findings];
  const wanted = chosen && new Set(chosen.map(({ id }) => id));
  return store.run(() => {
    const all = ownersOf(cache, chosen)
      .flatMap((home) => diagnoses(store, home, now ?? store.now()))
      .filter(({ finding }) => wanted?.has(finding.id) ?? true);
    // Two findings may be about one entity: the first says what becomes of it.
    const done = all.flatMap(({ changes }) => changes.filter((change) => make(store, change)));
    const homes = done.map(({ before }) => before?.account ?? '');
    const emptied = new Set(homes.filter((home) => home !== '' && store.ofAccount(home).length === 0));
    return { difference: differenceOf(done), undo: new RepairUndo({ changes: done, emptied }) };
  }).value;
}

function ownersOf(cache: TokenCache, findings: readonly FindingToRepair[] | undefined): string[] {
  const entities = findings?.map((finding) => finding.entities);
  if (entities === undefined || entities.includes(undefined)) return accountsToExamine(cache);
  const store = storeOf(cache);
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
 * @example
 * import { repair, undoRepair } from 'tokenkeep/doctor';
 *
 * const { undo } = await vault.update((cache) => repair(cache, 'all'));
 * await vault.update((cache) => undoRepair(cache, undo));
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
