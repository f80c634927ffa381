/**
 * Taking the accounts and tokens of one cache into another. Matched by fields, whatever the keys; of two forms of one
 * credential the newer stays; what is not understood comes along.
 */
import { summaries } from '../accounts.ts';
import { ageIn } from '../place.ts';
import type { Entity, EntityOf } from '../schema/entities.ts';
import { secondsOf } from '../schema/expiry.ts';
import { copyWith, sameJson } from '../json.ts';
import { place, sameEntries } from '../place.ts';
import { libraryOf } from '../schema/dialects.ts';
import { isUnderstood } from '../schema/fields.ts';
import { Entry } from '../entry.ts';
import { isEntityType } from '../schema/entities.ts';
import { freeKey, type Store } from '../store.ts';
import { storeOf, type TokenCache } from '../token-cache.ts';

/** What a merge will do, or has done. */
export interface MergeCounts {
  /** Users, not entities. */
  accounts: { added: number; known: number; names: readonly string[] };
  /** Credentials. `expired`: access tokens among those added or replaced that are of no use any more. */
  tokens: { added: number; replaced: number; unchanged: number; expired: number };
  /** Entries and roots that are not understood, and are taken in as they are. */
  notUnderstood: number;
  /** The library whose keys the imported document has; null where it does not tell. */
  writtenBy: 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | null;
}

const CREDENTIALS = ['AccessToken', 'RefreshToken', 'IdToken'] as const;

type CredentialName = (typeof CREDENTIALS)[number];
type Verdict = 'added' | 'replaced' | 'unchanged';

/** What becomes of an imported credential. Of two whose age is not known, the imported one is what the user wants. */
function verdict(into: Store, from: Store, type: CredentialName, entity: Entity): Verdict {
  const known = sameEntries(into, type, entity);
  if (known.length === 0) return 'added';
  const age = ageIn(from, type, entity);
  const stays = known.some(
    (entry) =>
      entry.entity !== null &&
      (entry.entity.secret === entity['secret'] || ageIn(into, type, entry.entity) > age),
  );
  return stays ? 'unchanged' : 'replaced';
}

/** Of several forms of one credential in the imported cache, the newest alone counts; of equals the last. */
function isNewest<T extends CredentialName>(
  from: Store,
  type: T,
  entry: Entry<T>,
  entity: EntityOf[T],
): boolean {
  const best = sameEntries(from, type, entity).reduce((a, b) => {
    if (a === b || a.entity === null || b.entity === null) return a;
    return ageIn(from, type, b.entity) < ageIn(from, type, a.entity) ? a : b;
  }, entry);
  return best === entry;
}

interface Step {
  readonly type: CredentialName;
  readonly entity: EntityOf[CredentialName];
  readonly verdict: Verdict;
}

function stepsOf(into: Store, from: Store): Step[] {
  const steps: Step[] = [];
  for (const type of CREDENTIALS) {
    for (const entry of from.candidates(type)) {
      const { entity } = entry;
      if (entity === null || !isNewest(from, type, entry, entity)) continue;
      steps.push({ type, entity, verdict: verdict(into, from, type, entity) });
    }
  }
  return steps;
}

function countsOf(steps: readonly Step[], into: Store, from: Store): MergeCounts {
  const tokens = { added: 0, replaced: 0, unchanged: 0, expired: 0 };
  for (const step of steps) {
    tokens[step.verdict] += 1;
    const isExpired = secondsOf(step.entity['expires_on']) <= into.now();
    if (step.verdict !== 'unchanged' && isExpired) tokens.expired += 1;
  }
  const users = summaries(from);
  let known = 0;
  for (const { home_account_id, environment } of users) {
    if (summaries(into, { home_account_id, environment }).length > 0) known += 1;
  }
  return {
    accounts: {
      added: users.length - known,
      known,
      names: users.map((user) => user.username || user.name || user.home_account_id),
    },
    tokens,
    notUnderstood: from.malformed.size + from.keptRoots().length,
    writtenBy: from.profile === null ? null : libraryOf(from.profile),
  };
}

/** What `merge` would do now. Changes nothing. */
export function planMerge(into: TokenCache, from: TokenCache): MergeCounts {
  const [target, source] = [storeOf(into), storeOf(from)];
  return countsOf(stepsOf(target, source), target, source);
}

/**
 * Takes all that is in `from` into `into`: whole or not at all, with one `change` event. `from` stays as it is.
 *
 * @returns what was done
 */
export function merge(into: TokenCache, from: TokenCache): MergeCounts {
  const [target, source] = [storeOf(into), storeOf(from)];
  return target.run(() => {
    target.profile ??= source.profile;
    const steps = stepsOf(target, source);
    const done = countsOf(steps, target, source);
    for (const { type, entity, verdict } of steps) {
      if (verdict !== 'unchanged') place(target, type, entity, sameEntries(target, type, entity));
    }
    for (const type of ['Account', 'AppMetadata'] as const) {
      for (const { entity } of source.candidates(type)) {
        if (entity !== null) complete(target, type, entity);
      }
    }
    takeRest(target, source);
    return done;
  }).value;
}

/** Accounts and apps are not replaced but completed: a field that is there stays. */
function complete<T extends 'Account' | 'AppMetadata'>(store: Store, type: T, entity: EntityOf[T]): void {
  const known = sameEntries(store, type, entity);
  const first = known[0]?.entity ?? null;
  if (first === null) {
    place(store, type, entity, known);
    return;
  }
  const empty = (value: unknown): boolean => value === undefined || value === null || value === '';
  const news = Object.entries(entity).filter(([field, value]) => empty(first[field]) && !empty(value));
  if (news.length === 0) return;
  const completed = copyWith(first, Object.fromEntries(news));
  if (isUnderstood(type, completed)) place(store, type, completed, known, known[0]?.key);
}

/** What is not understood: under its own name, or beside what has that name already. */
function takeRest(into: Store, from: Store): void {
  for (const { section, key, value } of from.malformed) {
    const isTaken = (name: string): boolean => {
      const entry = into.entry(section, name);
      return entry !== undefined && !sameJson(entry.value, value);
    };
    into.put(Entry.of(section, freeKey(key, isTaken), value));
  }
  for (const { section, value } of from.keptRoots()) {
    const isTaken = (name: string): boolean => {
      const known = into.kept(name);
      return (known !== undefined || isEntityType(name)) && !sameJson(known?.value, value);
    };
    const name = freeKey(section, isTaken);
    if (into.kept(name) === undefined) into.put(Entry.of(name, null, value));
  }
}
