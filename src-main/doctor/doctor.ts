/**
 * Finds and repairs entries that make a library throw, miss a token or sign a user out, typically because several libraries share a
 * document. A repair never removes a usable entry, is shown before it is made, and can be undone.
 */
import { type Change, inverse, placeOf } from '../cache/entry.ts';
import { sameJson } from '../cache/json.ts';
import { isEntityType } from '../cache/schema/entities.ts';
import type { Store } from '../cache/store.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { checkOptions, AMOUNT } from '../options.ts';
import { duplicates } from './duplicates.ts';
import { bySeverity, type Diagnosis, type Difference, differenceOf, type Finding } from './finding.ts';
import { collisions } from './issuers.ts';
import { leftovers } from './leftovers.ts';
import { unreadable } from './unreadable.ts';

/** The result of a repair. `undo` contains secrets and must not leave the process. */
export interface Repair {
  difference: Difference;
  /** Reverses the repair; pass it to `undoRepair`. */
  undo: RepairUndo;
}

interface Undoing {
  changes: readonly Change[];
  /** Accounts, lower-cased, whose last entry the repair removed. */
  emptied: ReadonlySet<string>;
}

const UNDOING: unique symbol = Symbol('undoing');

/**
 * An opaque undo record of a repair. It contains secrets but never serializes them.
 *
 * @example
 * import { repair, type RepairUndo, undoRepair } from 'tokenkeep/doctor';
 *
 * const undos: RepairUndo[] = [];
 * undos.push((await vault.update((cache) => repair(cache, 'all'))).undo);
 * const last = undos.pop();
 * if (last !== undefined) await vault.update((cache) => undoRepair(cache, last));
 */
export class RepairUndo {
  readonly #undoing: Undoing;

  constructor(undoing: Undoing) {
    this.#undoing = undoing;
  }

  /** Used by `undoRepair` only. */
  get [UNDOING](): Undoing {
    return this.#undoing;
  }

  /** Prevents serialization of the secrets. */
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
  /** Limits the examination to one account, by its `home_account_id`; "" selects the entries of apps. Default: all of them. */
  account?: string;
}

/**
 * Returns everything that is wrong with the cache, most severe first. Does not change the cache. The only secrets it opens are those of
 * ID tokens that are stored twice or have no account.
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
export function examine(cache: TokenCache, options: ExamineOptions = {}): Finding[] {
  const { now, account } = checkOptions('examine', options, { now: AMOUNT, account: true });
  const store = storeOf(cache);
  const at = now ?? store.now();
  const accounts = account === undefined ? accountsToExamine(cache) : [account];
  const findings = accounts.flatMap((id) => diagnoses(store, id, at).map(({ finding }) => finding));
  return findings.toSorted(bySeverity);
}

/**
 * Returns the ids, lower-cased, of all accounts that have an entry in the cache, with or without an account entity. The first item is "",
 * which stands for the entries of apps.
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

/** The part of a finding that identifies it. With `entities`, only the accounts that they belong to are examined again. */
export type FindingToRepair = Pick<Finding, 'id'> & Partial<Pick<Finding, 'entities'>>;

/**
 * Repairs findings atomically, with one `change` event. Findings whose entities have changed since the examination are skipped. In a
 * vault: `vault.update((cache) => repair(cache, findings))`.
 *
 * @param findings the findings to repair, or `all` for everything that is wrong now
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
    // If two findings concern the same entity, the first one applies.
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
 * Undoes a repair, except for entries that have changed since: those stay as they are, and accounts that were signed out in the meantime
 * are not restored. An account of which the repair left nothing is, unless the update gets the vault's `epoch` after the repair.
 *
 * @returns the changes made
 * @example
 * import { repair, undoRepair } from 'tokenkeep/doctor';
 *
 * const { undo } = await vault.update((cache) => repair(cache, 'all'));
 * const since = vault.epoch;
 * await vault.update((cache) => undoRepair(cache, undo), { since });
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
