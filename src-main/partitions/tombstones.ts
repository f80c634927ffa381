/**
 * Keeps a late refresh from overwriting a newer sign-in.
 *
 * An entry notes which accounts were signed out of it, and under a random number (`born`) that it was made anew: an empty
 * partition is deleted, and its tombstones with it. An update that names the state it began with (`since`) cannot set
 * anything for an account that was signed out after that.
 */
import { createHash } from 'node:crypto';
import { apply, type RecordChange } from '../cache/change.ts';
import { accountOf } from '../cache/records.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { EntryMetadata } from './entry.ts';
import { newBirth, usersIn } from './partition-contents.ts';

/** One number says both: which entry it was, and how many accounts had been signed out of it. */
const EPOCHS = 2 ** 20;

/** A refresh can have been under way for this long, in seconds: a laptop lid closed in the middle of it. */
const REMEMBERED = 7 * 24 * 3600;

/** With more than this many, the entry counts as made anew, and every refresh that is under way as late. */
const MOST = 64;

/** The `epoch` of a handle that has read this; 0: there was nothing. */
export function epochOf({ born = 0, epoch = 0 }: EntryMetadata): number {
  return born * EPOCHS + epoch;
}

function markOf(account: string, born: number): string {
  return createHash('sha256').update(`${born}\n${account}`).digest('base64url').slice(0, 16);
}

/**
 * Takes back what an update set for accounts that were signed out after `since`: the end of a refresh that began before.
 * A late sign-out is not taken back.
 */
export function dropLate(
  cache: TokenCache,
  changes: readonly RecordChange[],
  metadata: EntryMetadata,
  since: number,
): void {
  if (since < EPOCHS) return; // There was no entry: what began then is a sign-in.
  const { born = 0, tombstones = [] } = metadata;
  const isSame = Math.floor(since / EPOCHS) === born;
  const late = new Set<string>();
  for (const [mark, epoch] of tombstones) if (epoch > since % EPOCHS) late.add(mark);
  if (isSame && late.size === 0) return;
  const isLate = (account: string | null): boolean =>
    account !== null && (!isSame || late.has(markOf(account, born)));
  const setting = new Set<string>();
  for (const change of changes) {
    const account = change.after === undefined ? null : accountOfChange(change);
    if (account !== null && isLate(account)) setting.add(account);
  }
  apply(cache, changes.filter((change) => setting.has(accountOfChange(change) ?? '')).map(inverse));
}

/** What the entry says after these changes: tombstones of the accounts that are gone, and a birth if it is new. */
export function metadataAfter(
  metadata: EntryMetadata,
  changes: readonly RecordChange[],
  cache: TokenCache,
  now: number,
): EntryMetadata {
  if (metadata.born === undefined) return { ...metadata, born: newBirth(), epoch: 0 };
  const removed = new Set<string>();
  for (const change of changes) {
    const account = change.before === undefined ? null : accountOfChange(change);
    if (account !== null) removed.add(account);
  }
  if (removed.size === 0) return metadata;
  const left = usersIn(cache);
  const gone = [...removed].filter((account) => !left.has(account));
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

function accountOfChange({ section, key, before, after }: RecordChange): string | null {
  return accountOf({ section, key, value: after ?? before });
}

function inverse({ section, key, before }: RecordChange): RecordChange {
  return { section, key, ...(before === undefined ? {} : { after: before }) };
}
