/** What a partition holds: the cache behind its bytes, whose it is, whether anything is in it, how long it is of use. */
import { randomInt } from 'node:crypto';
import type { Entry } from '../cache/entry.ts';
import type { EntityType } from '../cache/schema/entities.ts';
import { expiryOf } from '../cache/schema/expiry.ts';
import { canonicalIssuer, issuerIn } from '../cache/schema/issuers.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { DocumentError } from '../errors.ts';
import { type EntryMetadata, fault, readEntry, type Sealing, writeEntry } from './entry.ts';
import type { PartitionName } from './partition-name.ts';
import type { StoredPartition } from './partition-store.ts';

/** What was found under a key. */
export interface Found {
  readonly cache: SerializableTokenCache;
  /** `cache.version` when it was opened: another number means that the cache is not what was found any more. */
  readonly opened: number;
  readonly metadata: EntryMetadata;
  /** null: there was no entry. */
  readonly version: string | null;
}

/** The stored form has no line breaks; how the document came in is noted beside it. */
const COMPACT = { indent: 0, end: '', ascii: false } as const;

/** @throws PartitionError where it cannot be opened */
export function openFound(
  stored: StoredPartition | null,
  name: PartitionName,
  sealing: Sealing,
  now: () => number,
): Found {
  const cache = new SerializableTokenCache({ now });
  if (stored === null) return { cache, opened: cache.version, metadata: {}, version: null };
  const { document, metadata } = readEntry(stored.bytes, name, sealing);
  try {
    cache.deserialize(document);
  } catch (error) {
    if (error instanceof DocumentError) throw fault('partition_damaged', name, error);
    throw error;
  }
  restoreLayout(cache, metadata);
  return { cache, opened: cache.version, metadata, version: stored.version };
}

/** The entry's bytes. The cache is as it was. */
export function closeUp(
  cache: SerializableTokenCache,
  metadata: EntryMetadata,
  name: PartitionName,
  sealing: Sealing,
): Uint8Array {
  const store = storeOf(cache);
  const { layout, profile } = store;
  store.layout = COMPACT;
  const document = cache.serialize();
  store.layout = layout;
  const noted: EntryMetadata = {
    ...metadata,
    dialect: profile,
    ...(layout === undefined ? {} : { layout: [layout.indent, layout.end, layout.ascii] as const }),
  };
  return writeEntry({ document, metadata: noted }, name, sealing);
}

function restoreLayout(cache: TokenCache, { dialect, layout }: EntryMetadata): void {
  if (dialect === undefined) return; // Format 1, and plain text of another program: the document shows it.
  const store = storeOf(cache);
  store.profile = dialect as typeof store.profile;
  store.layout = layout === undefined ? undefined : { indent: layout[0], end: layout[1], ascii: layout[2] };
}

/** A random number that tells an entry from one that stood under the same key before. */
export function newBirth(): number {
  return randomInt(1, 2 ** 30);
}

const OF_USERS = ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const;

/** The accounts that anything in the cache belongs to, lower-cased; those of entries that are not understood too. */
export function usersIn(cache: TokenCache): Set<string> {
  const users = new Set<string>();
  for (const { account } of entriesOf(cache, OF_USERS)) if (account !== '') users.add(account);
  return users;
}

/** The user of an entry: the account, with the issuer where two users of one id are told apart by it; "" for an app. */
export function userOf({ account, entity }: Entry): string {
  const issuer = issuerIn(entity);
  return account === '' || issuer === '' ? account : `${account} ${canonicalIssuer(issuer)}`;
}

/** Accounts and users: what a sign-out may have left nothing of. */
export function ownersIn(cache: TokenCache): Set<string> {
  const owners = usersIn(cache);
  for (const entry of entriesOf(cache, OF_USERS)) owners.add(userOf(entry));
  return owners;
}

/**
 * How many users these are: of one account id there are as many as it has issuers.
 *
 * @param only of this account id
 */
export function userCountIn(cache: TokenCache, only?: string): number {
  const users = new Map<string, Set<string>>();
  for (const entry of entriesOf(cache, OF_USERS)) {
    const { account } = entry;
    if (account === '' || (only !== undefined && account !== only)) continue;
    const own = users.get(account) ?? new Set();
    users.set(account, issuerIn(entry.entity) === '' ? own : own.add(userOf(entry)));
  }
  let count = 0;
  for (const own of users.values()) count += Math.max(1, own.size);
  return count;
}

/** Whether nothing in it is worth an entry. App metadata alone belongs to nobody, and comes again with a sign-in. */
export function isEmpty(cache: TokenCache): boolean {
  const store = storeOf(cache);
  for (const _entry of entriesOf(cache, OF_USERS)) return false;
  return store.malformed.size === 0 && store.keptRoots().length === 0;
}

function* entriesOf(cache: TokenCache, types: readonly EntityType[]) {
  for (const type of types) yield* storeOf(cache).entries(type);
}

/**
 * When the last token expires, in seconds since the epoch; undefined where that is unknown: refresh tokens don't say, nor
 * does an access token whose lifetime nobody told.
 */
export function lastExpiry(cache: TokenCache): number | undefined {
  if (cache.find('RefreshToken').length > 0) return undefined;
  const times = cache.find('AccessToken').map(expiryOf);
  const last = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return Number.isFinite(last) ? last : undefined;
}
