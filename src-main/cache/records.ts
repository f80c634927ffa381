/** A cache as a flat list: what a vault seals piece by piece. */
import type { Clock } from './clock.ts';
import { freezeJson } from './json.ts';
import { ownerOf } from './mention.ts';
import { profileOf as profileOfStore } from './place.ts';
import type { Profile } from './profiles.ts';
import { isEntityType } from './store.ts';
import { storeOf, TokenCache } from './token-cache.ts';
import { DocumentError } from '../errors.ts';

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
export function fromRecords(records: Iterable<CacheRecord>, options: RecordOptions = {}): TokenCache {
  const cache = new TokenCache(options.now === undefined ? {} : { now: options.now });
  const store = storeOf(cache);
  store.profile = options.profile ?? null;
  for (const { section, key, value } of records) {
    if (!freezeJson(value))
      throw new DocumentError('document_not_a_cache', 'A record holds something that is no JSON.');
    store.put(section, key, value);
  }
  return cache;
}

/** The profile that a cache's document came in, in which new entities are written. */
export function profileOf(cache: TokenCache): Profile {
  return profileOfStore(storeOf(cache));
}

/** The account that a record belongs to, lower-cased; null for what belongs to an app, or to nobody. */
export function accountOf(record: CacheRecord): string | null {
  return record.key === null ? null : ownerOf(record.value) || null;
}
