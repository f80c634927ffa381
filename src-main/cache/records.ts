/** A cache as a flat list: what a vault seals piece by piece. */
import type { Clock } from './clock.ts';
import { homeOf, type Unread } from './entry.ts';
import { freezeJson } from './json.ts';
import { profileOf as profileOfStore } from './place.ts';
import type { Profile } from './schema/dialects.ts';
import { isUnderstood } from './schema/fields.ts';
import { isEntityType } from './store.ts';
import { storeOf, TokenCache } from './token-cache.ts';
import { DocumentError } from '../errors.ts';

export { homeOf, type Unread, type UnreadSource } from './entry.ts';

/** One entity, or one root that is not understood. */
export interface CacheRecord {
  /** The name of the root. */
  readonly section: string;
  /** null: the whole root. */
  readonly key: string | null;
  /** Frozen. `secret` may be an accessor: [Note: secrets stay sealed]. */
  readonly value: unknown;
}

/** What a list of records does not hold. */
export interface RecordOptions {
  /** In which new entities are written; see profileOf. */
  profile?: Profile | null;
  now?: Clock;
}

/** Root by root in the document's order, entities in the order in which they are stored. */
export function* recordsOf(cache: TokenCache): Iterable<CacheRecord> {
  const store = storeOf(cache);
  for (const section of store.roots) {
    const kept = store.kept(section);
    if (kept !== undefined) yield { section, key: null, value: kept };
    else if (isEntityType(section)) {
      for (const { key, value } of store.entries(section)) yield { section, key, value };
    }
  }
}

/**
 * The cache that these records make up. It keeps the very values, and freezes them; a `secret` that is an accessor stays
 * one. A later record of the same place replaces an earlier one.
 *
 * @throws DocumentError (document_not_a_cache) where a value is no JSON
 */
export function fromRecords(
  records: Iterable<CacheRecord | Unread>,
  options: RecordOptions = {},
): TokenCache {
  const cache = new TokenCache(options.now === undefined ? {} : { now: options.now });
  storeOf(cache).profile = options.profile ?? null;
  addRecords(cache, records);
  return cache;
}

/** Goes on with what `fromRecords` began: they are no change, and nobody hears of them. */
export function addRecords(cache: TokenCache, records: Iterable<CacheRecord | Unread>): void {
  const store = storeOf(cache);
  for (const record of records) {
    if ('source' in record) {
      store.load(record);
      continue;
    }
    const { section, key, value } = record;
    if (!freezeJson(value))
      throw new DocumentError('document_not_a_cache', 'A record holds something that is no JSON.');
    store.put(section, key, value);
  }
}

/** The profile that a cache's document came in, in which new entities are written. */
export function profileOf(cache: TokenCache): Profile {
  return profileOfStore(storeOf(cache));
}

/** The account that a record belongs to, lower-cased; null for what belongs to an app, or to nobody. */
export function accountOf({ section, key, value }: CacheRecord): string | null {
  if (key === null) return null;
  return homeOf(value, isEntityType(section) && isUnderstood(section, value)) || null;
}

/** The accounts of a cache, lower-cased: those that some record belongs to. Costs nothing for each of its records. */
export function accountIds(cache: TokenCache): Iterable<string> {
  return storeOf(cache).homes;
}

/** What belongs to the account; null: to none. */
export function recordsOfAccount(cache: TokenCache, account: string | null): CacheRecord[] {
  const store = storeOf(cache);
  const records: CacheRecord[] = store.ofAccount(account ?? '');
  if (account !== null) return records;
  for (const section of store.roots) {
    const kept = store.kept(section);
    if (kept !== undefined) records.push({ section, key: null, value: kept });
  }
  return records;
}

/** How many records `recordsOf` gives. */
export function sizeOf(cache: TokenCache): number {
  return storeOf(cache).size;
}
