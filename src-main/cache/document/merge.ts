/**
 * Merges the accounts and tokens of one cache into another. Entities are matched by their fields, not by their keys. Of two entries for one
 * credential, the newer stays. Unrecognized entries are copied. App data is not: anyone may have written the document, so its profiles,
 * agreed issuers and verified signatures are not trusted.
 */
import { summaries } from '../accounts.ts';
import { Entry } from '../entry.ts';
import { copyWith, sameJson } from '../json.ts';
import { ageIn, place, sameEntries, supersededEntries } from '../place.ts';
import { assertSpelling } from '../response.ts';
import { sameEnvironment } from '../schema/authorities.ts';
import { libraryOf } from '../schema/dialects.ts';
import type { Entity, EntityOf } from '../schema/entities.ts';
import { isExpired, secondsOf } from '../schema/expiry.ts';
import { isSection, isUnderstood } from '../schema/fields.ts';
import { GRANT, type Section } from '../schema/grants.ts';
import { freeKey, type Store } from '../store.ts';
import { foreignRoots } from '../app-data.ts';
import { storeOf, type TokenCache } from '../token-cache.ts';
import { type Admit, admission, asItIs } from './foreign-issuers.ts';

/** Counts of what a merge adds and replaces. */
export interface MergeCounts {
  /** Number of users, not of account entities. */
  accounts: { added: number; known: number; names: readonly string[] };
  /**
   * Number of credentials and grants. `unchanged` includes what is not taken, such as a token that would give existing ones another issuer.
   * `expired`: access tokens among those added or replaced that have expired.
   */
  tokens: { added: number; replaced: number; unchanged: number; expired: number };
  /** Unrecognized entries and roots, copied unchanged. */
  notUnderstood: number;
  /** The library that wrote the imported document; null if unknown. */
  writtenBy: 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | null;
}

const CREDENTIALS = ['AccessToken', 'RefreshToken', 'IdToken'] as const;

type CredentialName = (typeof CREDENTIALS)[number];
type Verdict = 'added' | 'replaced' | 'unchanged';

/** Decides whether an imported credential is added, replaces one or is skipped. If neither age is known, the imported one wins. */
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

/**
 * Selects the newest of several entries for one credential in the imported cache; of equally new ones, the last. Those
 * that the newest replaces are not looked at again: a document may hold thousands of them.
 */
function newest<T extends CredentialName>(from: Store, type: T, part: Part): Entry<T>[] {
  const entries = from.candidates(type, part === ALL ? {} : { home_account_id: part });
  const places = new Map(entries.map((entry, index) => [entry, index]));
  const ages = new Map<Entry<T>, number>();
  const ageOf = (entry: Entry<T>): number => {
    let age = ages.get(entry);
    if (age === undefined)
      ages.set(entry, (age = entry.entity === null ? NaN : ageIn(from, type, entry.entity)));
    return age;
  };
  const isReplacedBy = (old: Entry<T>, entry: Entry<T>): boolean => {
    const [age, other] = [ageOf(old), ageOf(entry)];
    return other > age || (!(other < age) && (places.get(entry) ?? 0) > (places.get(old) ?? 0));
  };
  const replaced = new Set<Entry<T>>();
  for (const entry of entries) {
    let current = entry;
    while (!replaced.has(current)) {
      const same = current.entity === null ? [] : sameEntries(from, type, current.entity);
      if (same.every((other) => other === current)) break; // The usual case: its age does not matter.
      for (const other of same) if (isReplacedBy(other, current)) replaced.add(other);
      const best = same.reduce((a, b) => (isReplacedBy(a, b) ? b : a), current);
      if (best === current) break;
      replaced.add(current);
      current = best;
    }
  }
  return entries.filter((entry) => !replaced.has(entry));
}

interface Step {
  readonly type: CredentialName;
  readonly entity: EntityOf[CredentialName];
  readonly verdict: Verdict;
}

interface GrantStep {
  readonly entry: Entry<typeof GRANT>;
  readonly verdict: Verdict;
}

/** The imported grants. Grants of one label and client share a key, so the newer replaces the older. */
function grantSteps(into: Store, from: Store, part: Part): GrantStep[] {
  const entries = part === ALL ? from.entries(GRANT) : from.ofAccount(part);
  return [...entries].flatMap((entry): GrantStep[] => {
    if (!isGrant(entry) || entry.entity === null) return [];
    const known = into.entry(GRANT, entry.key)?.entity ?? null;
    if (known === null) return [{ entry, verdict: 'added' }];
    const isNewer = !(secondsOf(known['cached_at']) > secondsOf(entry.entity['cached_at']));
    const isSame = sameJson(known, entry.entity);
    return [{ entry, verdict: isSame || !isNewer ? 'unchanged' : 'replaced' }];
  });
}

function isGrant(entry: Entry<Section>): entry is Entry<typeof GRANT> {
  return entry.section === GRANT;
}

function stepsOf(into: Store, from: Store, part: Part, admit: Admit): Step[] {
  const steps: Step[] = [];
  for (const type of CREDENTIALS) {
    for (const { entity: own } of newest(from, type, part)) {
      if (own === null) continue;
      const entity = admit(type, own);
      if (entity === null) steps.push({ type, entity: own, verdict: 'unchanged' });
      else steps.push({ type, entity, verdict: verdict(into, from, type, entity) });
    }
  }
  return steps;
}

function countsOf(steps: readonly Step[], into: Store, from: Store, part: Part): MergeCounts {
  const tokens = { added: 0, replaced: 0, unchanged: 0, expired: 0 };
  for (const { verdict } of grantSteps(into, from, part)) tokens[verdict] += 1;
  for (const step of steps) {
    tokens[step.verdict] += 1;
    if (step.verdict !== 'unchanged' && isExpired(step.entity, into.now())) tokens.expired += 1;
  }
  const users = part === '' ? [] : summaries(from, part === ALL ? {} : { home_account_id: part });
  const there = new Map<string, string[]>();
  let known = 0;
  for (const { home_account_id, environment } of users) {
    let environments = there.get(home_account_id);
    if (environments === undefined) {
      environments = summaries(into, { home_account_id }).map((user) => user.environment);
      there.set(home_account_id, environments);
    }
    if (environments.some((other) => sameEnvironment(other, environment))) known += 1;
  }
  return {
    accounts: {
      added: users.length - known,
      known,
      names: users.map((user) => user.username || user.name || user.home_account_id),
    },
    tokens,
    notUnderstood: part === ALL || part === '' ? from.malformed.size + foreignRoots(from).length : 0,
    writtenBy: from.dialect === null ? null : libraryOf(from.dialect),
  };
}

/**
 * Returns what `merge` would do, without changing either cache.
 *
 * @example
 * import { planMerge, SerializableTokenCache } from 'tokenkeep/cache';
 *
 * const imported = new SerializableTokenCache();
 * imported.deserialize(text);
 * console.log(planMerge(cache, imported));
 */
export function planMerge(into: TokenCache, from: TokenCache): MergeCounts {
  const [target, source] = [storeOf(into), storeOf(from)];
  return countsOf(stepsOf(target, source, ALL, admission(target, source)), target, source, ALL);
}

/**
 * Merges the entries of `from` into `into`, atomically and with one `change` event. `from` is not changed. App data (`setAppData` of
 * `tokenkeep/ipc`) is left out, and so is what would give tokens of `into` another issuer.
 *
 * @returns counts of what was added and replaced
 * @example
 * import { merge, SerializableTokenCache } from 'tokenkeep/cache';
 *
 * const imported = new SerializableTokenCache();
 * imported.deserialize(text);
 * merge(cache, imported);
 */
export function merge(into: TokenCache, from: TokenCache): MergeCounts {
  return mergePart(into, from, ALL);
}

/** Like `merge`, for entries of this program's own sign-ins: they may say the issuer of what is there. */
export function mergeOwn(into: TokenCache, from: TokenCache): MergeCounts {
  return mergePart(into, from, ALL, asItIs);
}

/**
 * Merges what a provider has just issued. As `TokenCache.add` does, it replaces what is there, whose time may be later: the clocks of two
 * servers differ.
 *
 * @throws InvalidArgumentError if it is about a user whose ID differs only in case from that of another user, who is signed in
 */
export function mergeIssued(into: TokenCache, issued: TokenCache): void {
  const [target, source] = [storeOf(into), storeOf(issued)];
  target.run(() => {
    const superseded = CREDENTIALS.flatMap((type) =>
      source.candidates(type).flatMap(({ entity }): Entry[] => {
        if (entity === null) return [];
        const replaced = supersededEntries(target, type, entity);
        assertSpelling(entity, replaced);
        return replaced;
      }),
    );
    for (const { entity } of source.candidates('Account'))
      if (entity !== null) assertSpelling(entity, sameEntries(target, 'Account', entity));
    const grants = [...source.entries(GRANT)].flatMap(({ key }) => target.entry(GRANT, key) ?? []);
    for (const entry of [...superseded, ...grants]) target.drop(entry);
    mergeOwn(into, issued);
  });
}

/** Everything, or what belongs to one account; "": what belongs to none, or is not understood. */
type Part = string | typeof ALL;

const ALL = Symbol('everything');

/** The parts of a cache, for `mergePart`. */
export function partsOf(from: TokenCache): string[] {
  return [...storeOf(from).accounts, ''];
}

/** Does what `merge` does for a part, so that long work can pause between them. Together, the parts are everything. */
export function mergePart(
  into: TokenCache,
  from: TokenCache,
  part: Part,
  admit: Admit = admission(storeOf(into), storeOf(from)),
): MergeCounts {
  const [target, source] = [storeOf(into), storeOf(from)];
  const isRest = part === ALL || part === '';
  return target.run(() => {
    target.dialect ??= source.dialect;
    const steps = stepsOf(target, source, part, admit);
    const accounts = source
      .candidates('Account', part === ALL ? {} : { home_account_id: part })
      .flatMap(({ entity }) => (entity === null ? [] : (admit('Account', entity) ?? [])));
    const done = countsOf(steps, target, source, part);
    for (const { type, entity, verdict } of steps) {
      if (verdict !== 'unchanged') place(target, type, entity, sameEntries(target, type, entity));
    }
    for (const entity of accounts) complete(target, 'Account', entity, admit === asItIs);
    if (isRest)
      for (const { entity } of source.candidates('AppMetadata'))
        if (entity !== null) complete(target, 'AppMetadata', entity, true);
    for (const { entry, verdict: own } of grantSteps(target, source, part))
      if (own !== 'unchanged') target.put(entry);
    if (isRest) for (const entry of missingRest(target, source)) target.put(entry);
    return done;
  }).value;
}

/** Adds the counts of a part to those of others. */
export function addCounts(sum: MergeCounts | null, part: MergeCounts): MergeCounts {
  if (sum === null) return part;
  const { accounts, tokens } = sum;
  accounts.added += part.accounts.added;
  accounts.known += part.accounts.known;
  (accounts.names as string[]).push(...part.accounts.names);
  for (const name of ['added', 'replaced', 'unchanged', 'expired'] as const)
    tokens[name] += part.tokens[name];
  sum.notUnderstood += part.notUnderstood;
  return sum;
}

/** Adds missing fields to accounts and app metadata. Existing fields are not changed. An issuer is added only from this program's own. */
function complete<T extends 'Account' | 'AppMetadata'>(
  store: Store,
  type: T,
  entity: EntityOf[T],
  isOwn: boolean,
): void {
  const known = sameEntries(store, type, entity);
  const first = known[0]?.entity ?? null;
  if (first === null) {
    place(store, type, entity, known);
    return;
  }
  const empty = (value: unknown): boolean => value === undefined || value === null || value === '';
  const news = Object.entries(entity).filter(
    ([field, value]) => empty(first[field]) && !empty(value) && (isOwn || field !== 'issuer'),
  );
  if (news.length === 0) return;
  const completed = copyWith(first, Object.fromEntries(news));
  if (isUnderstood(type, completed)) place(store, type, completed, known, known[0]?.key);
}

/** Returns copies of the unrecognized entries that the target lacks, under their own name, or under a numbered one if the name is taken. */
function missingRest(into: Store, from: Store): Entry[] {
  const missing: Entry[] = [];
  for (const { section, key, value } of from.malformed) {
    const isTaken = (name: string): boolean => {
      const entry = into.entry(section, name);
      return entry !== undefined && !sameJson(entry.value, value);
    };
    const name = freeKey(key, isTaken);
    if (into.entry(section, name) === undefined) missing.push(Entry.of(section, name, value));
  }
  for (const { section, value } of foreignRoots(from)) {
    const isTaken = (name: string): boolean => {
      const known = into.kept(name);
      return (known !== undefined || isSection(name)) && !sameJson(known?.value, value);
    };
    const name = freeKey(section, isTaken);
    if (into.kept(name) === undefined) missing.push(Entry.of(name, null, value));
  }
  return missing;
}

/** Whether everything in `from` is in `into`: each account, a token at least as new as each of its tokens, and each unrecognized entry. */
export function isMerged(into: TokenCache, from: TokenCache): boolean {
  const { accounts, tokens } = planMerge(into, from);
  return accounts.added + tokens.added + missingRest(storeOf(into), storeOf(from)).length === 0;
}
