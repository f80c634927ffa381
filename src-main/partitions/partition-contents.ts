/** The contents of a partition: its cache, its users, whether it is empty, and when its last token expires. */
import { randomInt } from 'node:crypto';
import { issuerFor } from '../cache/accounts.ts';
import type { Entry } from '../cache/entry.ts';
import { folded, textOf } from '../cache/json.ts';
import type { Entity } from '../cache/schema/entities.ts';
import { expiryOf, secondsOf } from '../cache/schema/expiry.ts';
import { GRANT } from '../cache/schema/grants.ts';
import { canonicalIssuer, issuerIn } from '../cache/schema/authorities.ts';
import { writeCompact } from '../cache/document/document.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { DocumentError } from '../errors.ts';
import { type EntryMetadata, fault, readEntry, type Sealing, writeEntry } from './entry.ts';
import { apart } from './packing.ts';
import type { PartitionName } from './partition-name.ts';
import type { StoredPartition } from './partition-store.ts';

/** The result of reading a key. */
export interface Found {
  readonly cache: SerializableTokenCache;
  /** `cache.version` when the entry was opened. If it differs now, the cache has been changed since. */
  readonly opened: number;
  readonly metadata: EntryMetadata;
  /** null: there was no entry. */
  readonly version: string | null;
}

/** @throws PartitionError if the entry cannot be opened */
export function openFound(
  stored: StoredPartition | null,
  name: PartitionName,
  sealing: Sealing,
  now: () => number,
): Found {
  const cache = new SerializableTokenCache({ now });
  storeOf(cache).isLent = true;
  if (stored === null) return { cache, opened: cache.version, metadata: {}, version: null };
  const { document, metadata } = readEntry(stored.bytes, name, sealing);
  try {
    cache.deserialize(document);
  } catch (error) {
    if (error instanceof DocumentError)
      throw fault('partition_damaged', name, 'contains no cache document', error);
    throw error;
  }
  restoreLayout(cache, metadata);
  return { cache, opened: cache.version, metadata, version: stored.version };
}

/** Returns the bytes of the entry, whose document has no line breaks: the metadata have its layout. Does not change the cache. */
export function closeUp(
  cache: SerializableTokenCache,
  metadata: EntryMetadata,
  name: PartitionName,
  sealing: Sealing,
): Uint8Array {
  const store = storeOf(cache);
  const { layout, dialect } = store;
  const secrets: string[] = [];
  const document = writeCompact(store, (value) =>
    sealing.keys === null ? JSON.stringify(value) : apart(value, secrets),
  );
  cache.hasStateChanged = false;
  const noted: EntryMetadata = {
    ...metadata,
    dialect,
    ...(layout === undefined ? {} : { layout: [layout.indent, layout.end, layout.ascii] as const }),
  };
  return writeEntry({ document, metadata: noted, secrets }, name, sealing);
}

function restoreLayout(cache: TokenCache, { dialect, layout }: EntryMetadata): void {
  if (dialect === undefined) return; // Format 1, or plain text of another program: the document itself shows its layout.
  const store = storeOf(cache);
  store.dialect = dialect as typeof store.dialect;
  store.layout = layout === undefined ? undefined : { indent: layout[0], end: layout[1], ascii: layout[2] };
}

/** Returns a random number that distinguishes an entry from earlier ones under the same key. */
export function newBirth(): number {
  return randomInt(1, 2 ** 30);
}

const OF_USERS = ['AccessToken', 'RefreshToken', 'IdToken', 'Account', GRANT] as const;

/** A user as the index and the owner of a partition name it. */
export interface NamedUser {
  /** Exactly as the provider spells it if `of` is present: subjects are case-sensitive (OpenID Connect Core §2). Else lower-cased. */
  readonly account: string;
  /** The issuer, if it is part of the user's identity. */
  readonly of?: string;
}

export function namedUser(cache: TokenCache, entity: Entity): NamedUser {
  const id = textOf(entity['home_account_id']);
  const of = issuerFor(storeOf(cache), entity);
  return of === '' ? { account: folded(id) } : { account: id, of };
}

/** Whether an account id names the user. */
export function isUser({ account, of }: NamedUser, id: string): boolean {
  return account === (of === undefined ? folded(id) : id);
}

/** Returns the users with entries in the cache, including entries that are not understood. */
export function usersIn(cache: TokenCache): NamedUser[] {
  const users = new Map<string, NamedUser>();
  for (const { account, entity } of entriesOf(cache)) {
    if (account === '') continue;
    const user = entity === null ? { account } : namedUser(cache, entity);
    users.set(JSON.stringify([user.account, user.of]), user);
  }
  return [...users.values()];
}

/** Whether an entry of the cache has this account id, exactly as it is spelled. */
export function isSpelledIn(cache: TokenCache, id: string): boolean {
  return entriesOf(cache).some(({ account, entity }) =>
    entity === null ? account === folded(id) : textOf(entity['home_account_id']) === id,
  );
}

/** Returns the user of an entry: the account id, with the issuer where it distinguishes two users; "" for an app. */
export function userOf({ account, entity }: Entry): string {
  const issuer = issuerIn(entity);
  return account === '' || issuer === '' ? account : `${account} ${canonicalIssuer(issuer)}`;
}

/** Returns the accounts and users, for comparison after a sign-out. */
export function ownersIn(cache: TokenCache): Set<string> {
  const owners = new Set<string>();
  for (const entry of entriesOf(cache)) owners.add(entry.account).add(userOf(entry));
  return owners;
}

/**
 * Counts the users. An account id counts once per issuer.
 *
 * @param only counts only users of this account id
 */
export function userCountIn(cache: TokenCache, only?: string): number {
  const users = new Map<string, Set<string>>();
  for (const entry of entriesOf(cache)) {
    const { account } = entry;
    if (account === '' || (only !== undefined && account !== only)) continue;
    const own = users.get(account) ?? new Set();
    users.set(account, issuerIn(entry.entity) === '' ? own : own.add(userOf(entry)));
  }
  let count = 0;
  for (const own of users.values()) count += Math.max(1, own.size);
  return count;
}

/** Whether the cache need not be stored. App metadata alone belongs to no user and is restored at the next sign-in. */
export function isEmpty(cache: TokenCache): boolean {
  const store = storeOf(cache);
  return entriesOf(cache).length === 0 && store.malformed.size === 0 && store.keptRoots().length === 0;
}

function entriesOf(cache: TokenCache): Entry[] {
  const entries: Entry[] = [];
  for (const type of OF_USERS) for (const entry of storeOf(cache).entries(type)) entries.push(entry);
  return entries;
}

/**
 * When the last token expires, in seconds since the epoch; undefined if that is unknown: few providers state it for refresh tokens, and
 * some don't for access tokens.
 */
export function lastExpiry(cache: TokenCache): number | undefined {
  const store = storeOf(cache);
  for (const _grant of store.entries(GRANT)) return undefined;
  let last = -Infinity;
  for (const { entity } of store.entries('RefreshToken')) {
    if (entity === null) continue;
    const time = secondsOf(entity.expires_on);
    if (Number.isNaN(time)) return undefined;
    last = Math.max(last, time);
  }
  for (const { entity } of store.entries('AccessToken')) {
    const time = entity === null ? NaN : expiryOf(entity);
    if (!Number.isNaN(time)) last = Math.max(last, time);
  }
  return Number.isFinite(last) ? last : undefined;
}
