/** What a partition holds, seen from outside: whose it is, whether anything is in it, how long it will be of use. */
import type { EntityType } from '../cache/schema/entities.ts';
import { secondsOf } from '../cache/schema/expiry.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { DocumentError } from '../errors.ts';
import { fault, readEntry, type Sealing, writeEntry } from './entry.ts';
import type { PartitionName } from './partition-name.ts';
import type { StoredPartition } from './partition-store.ts';

/** What was found under a key. */
export interface Found {
  readonly cache: SerializableTokenCache;
  readonly owner: string | undefined;
  /** null: nothing was there. */
  readonly version: string | null;
}

/** @throws PartitionError where it can't be opened */
export function openFound(
  stored: StoredPartition | null,
  name: PartitionName,
  sealing: Sealing,
  now: () => number,
): Found {
  const cache = new SerializableTokenCache({ now });
  if (stored === null) return { cache, owner: undefined, version: null };
  const { document, owner } = readEntry(stored.bytes, name, sealing);
  try {
    cache.deserialize(document);
  } catch (error) {
    if (error instanceof DocumentError) throw fault('partition_damaged', name, error);
    throw error;
  }
  return { cache, owner, version: stored.version };
}

export function closeUp(
  cache: SerializableTokenCache,
  owner: string | undefined,
  name: PartitionName,
  sealing: Sealing,
): Uint8Array {
  return writeEntry({ document: cache.serialize(), owner }, name, sealing);
}

const OF_USERS = ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const;

/** The accounts that anything in the cache belongs to, lower-cased; of entries that are not understood too. */
export function usersIn(cache: TokenCache): Set<string> {
  const users = new Set<string>();
  for (const { account } of entriesOf(cache, OF_USERS)) if (account !== '') users.add(account);
  return users;
}

/** Whether there is nothing worth an entry. What is known of an app alone is nobody's, and is told again at a sign-in. */
export function isEmpty(cache: TokenCache): boolean {
  const store = storeOf(cache);
  for (const _entry of entriesOf(cache, OF_USERS)) return false;
  return store.malformed.size === 0 && store.keptRoots().length === 0;
}

function* entriesOf(cache: TokenCache, types: readonly EntityType[]) {
  for (const type of types) yield* storeOf(cache).entries(type);
}

/** When the last token in it expires, in seconds since the epoch; undefined where that can't be told: refresh tokens don't say. */
export function lastExpiry(cache: TokenCache): number | undefined {
  if (cache.find('RefreshToken').length > 0) return undefined;
  const times = cache.find('AccessToken').map((token) => secondsOf(token.expires_on));
  const known = times.filter((time) => Number.isFinite(time));
  return known.length === 0 ? undefined : Math.max(...known);
}
