/**
 * What belongs to an account goes, found by its fields and never by a key made up from them: MSAL Python removes by key,
 * and leaves behind what MSAL Node wrote. An entry that is not understood goes whole where it names the account; of a
 * root that is not understood, what names it goes. [Note: what names an account]
 */
import { InvalidArgumentError } from '../errors.ts';
import { ENTITY_TYPES, type EntityType, type SignOutReceipt } from './schema/entities.ts';
import { sameEnvironment } from './schema/environments.ts';
import { isRecord } from './json.ts';
import { fieldsMatch, folded } from './schema/match.ts';
import { mentions, without } from './mention.ts';
import { Entry } from './entry.ts';
import type { Store } from './store.ts';

/** Where a user is signed out. Without a field: everywhere. */
export interface SignOutFilter {
  /** This environment only, under all its aliases; what is not understood and names none stays. */
  environment?: string;
}

/** Whose tokens, of an app itself. Without a field: whatever it is. */
export interface AppTokenFilter {
  client_id?: string;
  realm?: string;
  environment?: string;
}

/** How many entries, by the root they stand under. */
export type RemovalCount = Record<EntityType, number>;

function countOf(entries: readonly Entry<EntityType>[]): RemovalCount {
  const count: RemovalCount = { AccessToken: 0, RefreshToken: 0, IdToken: 0, Account: 0, AppMetadata: 0 };
  for (const entry of entries) count[entry.section] += 1;
  return count;
}

function inEnvironment(value: unknown, filter: SignOutFilter): boolean {
  if (filter.environment === undefined) return true;
  const environment = isRecord(value) ? value['environment'] : undefined;
  return typeof environment === 'string' && sameEnvironment(environment, filter.environment);
}

/** The one rule for what a sign-out removes and what its preview counts. Costs what the account has. */
function belongings(store: Store, home: string, filter: SignOutFilter): Entry<EntityType>[] {
  const own = store.ofAccount(home).filter((entry) => entry.isUnderstood);
  const loose = [...store.malformed].filter((entry) => mentions(entry.value, home, entry.key));
  return [...own, ...loose].filter((entry) => inEnvironment(entry.value, filter));
}

/** A second look at all there is, entry by entry: no index that could be wrong has a part in it. */
function remaining(store: Store, home: string, filter: SignOutFilter): number {
  let left = 0;
  for (const type of ENTITY_TYPES) {
    for (const entry of store.entries(type)) {
      const named = entry.isUnderstood ? entry.account === home : mentions(entry.value, home, entry.key);
      if (named && inEnvironment(entry.value, filter)) left += 1;
    }
  }
  for (const section of store.roots) {
    const value = store.kept(section)?.value;
    if (value !== unsigned(value, home, section, filter)) left += 1;
  }
  return left;
}

/** What stays of a root that is not understood. */
function unsigned(value: unknown, home: string, section: string, filter: SignOutFilter): unknown {
  return value === undefined ? value : without(value, home, (part) => !inEnvironment(part, filter), section);
}

function homeOf(home_account_id: unknown): string {
  if (typeof home_account_id === 'string' && home_account_id !== '') return folded(home_account_id);
  throw new InvalidArgumentError('home_account_id must be the id of an account. Nothing was removed.');
}

/** See TokenCache.signOut. */
export function signOut(
  store: Store,
  home_account_id: string,
  filter: SignOutFilter = {},
  at: number,
): SignOutReceipt {
  const home = homeOf(home_account_id);
  const entries = belongings(store, home, filter);
  for (const entry of entries) store.drop(entry);
  for (const section of [...store.roots]) {
    const value = store.kept(section)?.value;
    const rest = unsigned(value, home, section, filter);
    if (rest === value) continue;
    if (rest === undefined) store.drop({ section, key: null });
    else store.put(Entry.of(section, null, rest));
  }
  return { home_account_id, at, removed: countOf(entries), remaining: remaining(store, home, filter) };
}

/** What `signOut` would remove, by the same rule. */
export function countBelongings(
  store: Store,
  home_account_id: string,
  filter: SignOutFilter = {},
): RemovalCount {
  return countOf(belongings(store, homeOf(home_account_id), filter));
}

function appTokens(store: Store, filter: AppTokenFilter): Entry<EntityType>[] {
  const query = { home_account_id: null, ...filter };
  return store
    .candidates('AccessToken', query)
    .filter(({ entity }) => entity !== null && fieldsMatch(entity, query));
}

/** See TokenCache.removeAppTokens. */
export function removeAppTokens(store: Store, filter: AppTokenFilter = {}, at: number): SignOutReceipt {
  const entries = appTokens(store, filter);
  for (const entry of entries) store.drop(entry);
  const left = [...store.entries('AccessToken')].filter(
    ({ entity }) => entity !== null && fieldsMatch(entity, { home_account_id: null, ...filter }),
  );
  return { home_account_id: '', at, removed: countOf(entries), remaining: left.length };
}

/** What `removeAppTokens` would remove. */
export function countAppTokens(store: Store, filter: AppTokenFilter = {}): RemovalCount {
  return countOf(appTokens(store, filter));
}
