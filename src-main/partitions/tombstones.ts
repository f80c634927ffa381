/**
 * Keeps a late refresh from overwriting a newer sign-in.
 *
 * An entry records which accounts were signed out of it, and a random number (`born`) set when it was created, because an empty
 * partition is deleted together with its tombstones. An update that names the state it began with (`since`) cannot set
 * anything for an account that was signed out after that.
 */
import { createHash } from 'node:crypto';
import type { Change } from '../cache/entry.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { EntryMetadata } from './entry.ts';
import { newBirth, ownersIn, userOf } from './partition-contents.ts';

/** An epoch encodes which entry it was and how many accounts had been signed out of it. */
const EPOCHS = 2 ** 20;

/** The longest time that a refresh may take, in seconds: a laptop may sleep in the middle of one. */
const REMEMBERED = 7 * 24 * 3600;

/** Beyond this number of tombstones, the entry counts as new, and every refresh in progress as late. */
const MOST = 64;

/** Returns the `epoch` of a handle that has read this entry; 0: there was none. */
export function epochOf({ born = 0, epoch = 0 }: EntryMetadata): number {
  return born * EPOCHS + epoch;
}

function markOf(account: string, born: number): string {
  return createHash('sha256').update(`${born}\n${account}`).digest('base64url').slice(0, 16);
}

/**
 * Returns the changes of an update that belong to a late refresh, begun at `since`: those of accounts that were signed
 * out after that and for which the update sets anything. A late sign-out does not count.
 */
export function lateChanges(changes: readonly Change[], metadata: EntryMetadata, since: number): Change[] {
  if (since < EPOCHS) return []; // There was no entry, so the update is a sign-in.
  const { born = 0, tombstones = [] } = metadata;
  const isSame = Math.floor(since / EPOCHS) === born;
  const late = new Set<string>();
  for (const [mark, epoch] of tombstones) if (epoch > since % EPOCHS) late.add(mark);
  if (isSame && late.size === 0) return [];
  const isLate = (user: string): boolean => user !== '' && (!isSame || late.has(markOf(user, born)));
  const setting = new Set<string>();
  for (const { after } of changes) {
    if (after === undefined) continue;
    if (isLate(after.account)) setting.add(after.account);
    if (isLate(userOf(after))) setting.add(userOf(after));
  }
  return changes.filter(({ before, after }) => {
    const entry = after ?? before;
    return entry !== undefined && (setting.has(entry.account) || setting.has(userOf(entry)));
  });
}

/** Whether none of these users was signed out of the entry since an epoch; false if that is unknown. */
export function wereKeptSince(
  { born = 0, epoch = 0, tombstones = [] }: EntryMetadata,
  since: number | undefined,
  users: readonly string[],
): boolean {
  if (since === undefined) return false;
  const marks = new Set(users.map((user) => markOf(user, born)));
  const later = tombstones.filter(([, at]) => at > since);
  return later.length === epoch - since && !later.some(([mark]) => marks.has(mark));
}

/** Returns the metadata after these changes: tombstones of the removed accounts, and a new `born` for a new entry. */
export function metadataAfter(
  metadata: EntryMetadata,
  changes: readonly Change[],
  cache: TokenCache,
  now: number,
): EntryMetadata {
  if (metadata.born === undefined) return { ...metadata, born: newBirth(), epoch: 0 };
  const removed = new Set<string>();
  for (const change of changes) {
    if (change.before !== undefined) removed.add(change.before.account).add(userOf(change.before));
  }
  if (removed.size === 0) return metadata;
  const left = ownersIn(cache);
  const gone = [...removed].filter((account) => account !== '' && !left.has(account));
  if (gone.length === 0) return metadata;
  const { born, epoch = 0, tombstones = [] } = metadata;
  const added = gone.map(
    (account, index) => [markOf(account, born), epoch + 1 + index, Math.floor(now)] as const,
  );
  const all = [...tombstones.filter(([, , at]) => at > now - REMEMBERED), ...added];
  if (all.length > MOST || epoch + gone.length >= EPOCHS)
    return { ...metadata, born: newBirth(), epoch: 0, tombstones: [] };
  return { ...metadata, epoch: epoch + gone.length, tombstones: all };
}
