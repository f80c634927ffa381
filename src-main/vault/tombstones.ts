import { dropHistoriesOfRemoved, dropOldHistories } from '../accounts/account-history.ts';
import { type Change, type Entry, inverse } from '../cache/entry.ts';
import { canonicalIssuer, issuerIn } from '../cache/schema/authorities.ts';
import { signOutId } from '../cache/sign-out.ts';
import { apply, storeOf, type TokenCache, transact } from '../cache/token-cache.ts';
import { type Contents, keptFrames } from './contents.ts';
import { markOf, type Tombstone, type VaultMetadata, withTombstones } from './format/batch.ts';
import type { MarkedTombstone } from './format/key-item.ts';

/** Number of tombstones that are kept whatever their age. */
const KEPT = 1_000;

/** How long further tombstones are kept, in seconds: a refresh may be pending while a laptop sleeps. */
const REMEMBERED = 7 * 24 * 3600;

/**
 * The longest time that may pass from one sign-out to the next, or to now, for their ages, in seconds. A longer time can't be told from a
 * clock jump, such as that of a clock that was set after it had started at 1970.
 */
const LONGEST_GAP = 24 * 3600;

/**
 * [Note: no byte of the account] Returns tombstones for the accounts whose last entry these changes removed. A
 * tombstone is a keyed hash: after a sign-out the file must not hold the account's id either.
 */
export function tombstonesIn(
  cache: TokenCache,
  changes: readonly Change[],
  { header, metadata }: Contents,
  now: number,
): Tombstone[] {
  const store = storeOf(cache);
  const gone = new Map<string, string>();
  for (const { before, after } of changes) {
    if (before === undefined || before.account === '' || after !== undefined) continue;
    gone.set(before.account, before.account).set(userOf(before), before.account);
  }
  return [...gone]
    .filter(([user, account]) => {
      const left = store.ofAccount(account);
      return user === account ? left.length === 0 : left.every((entry) => userOf(entry) !== user);
    })
    .map(([user], index) => ({
      mark: markOf(user, header.fileId),
      epoch: metadata.epoch + 1 + index,
      at: now,
    }));
}

/** Returns the tombstones for a rewritten file: adds new ones, and drops those that no pending refresh can need. */
export function metadataAfter(
  metadata: VaultMetadata,
  added: readonly Tombstone[],
  now: number,
): VaultMetadata {
  const all = withTombstones(metadata, added);
  const tombstones = [...all.tombstones].sort((a, b) => a.epoch - b.epoch);
  let age = 0;
  let next = now;
  const kept: Tombstone[] = [];
  for (const one of tombstones.toReversed()) {
    age += Math.min(Math.max(next - one.at, 0), LONGEST_GAP);
    next = one.at;
    if (kept.length < KEPT || age < REMEMBERED) kept.push(one);
  }
  return { ...all, tombstones: kept.reverse() };
}

/**
 * Runs `fn`, and rolls back what it set for an account that was signed out after `since`: such a change comes from a
 * refresh that started earlier, and must not bring the account back. An account that leaves takes its history along.
 *
 * @param since undefined: nothing is rolled back
 */
export function withoutLate<T>(
  cache: TokenCache,
  fn: (cache: TokenCache) => T,
  contents: Contents | null,
  since: number | undefined,
): T {
  const { value, changes } = transact(cache, fn);
  const late = contents === null || since === undefined ? [] : changes.filter(bringsBack(contents, since));
  if (late.length > 0) {
    apply(cache, late.map(inverse));
    dropOldHistories(cache);
    return value;
  }
  const store = storeOf(cache);
  for (const { before, after } of changes) {
    if (after !== undefined || !before?.account) continue;
    if (store.ofAccount(before.account).some((entry) => userOf(entry) === userOf(before))) continue;
    dropHistoriesOfRemoved(cache, changes);
    break;
  }
  return value;
}

/**
 * Filters unsaved changes when the file is read again: those for an account that another process has signed out in
 * the meantime must not bring it back.
 */
export function withoutSignedOut(
  held: readonly Change[],
  before: Contents | null,
  contents: Contents | null,
): readonly Change[] {
  if (before === null || contents === null || held.length === 0) return held;
  const isLate = bringsBack(contents, before.metadata.epoch);
  return held.filter((change) => !isLate(change));
}

/** Returns whether a change sets an entry of an account that was signed out after `since`. */
function bringsBack({ header, metadata }: Contents, since: number): (change: Change) => boolean {
  const late = new Set<string>();
  for (const { mark, epoch } of metadata.tombstones) if (epoch > since) late.add(mark);
  return ({ after }) => {
    if (late.size === 0 || after === undefined || after.account === '') return false;
    const users = new Set([after.account, userOf(after)]);
    return [...users].some((user) => late.has(markOf(user, header.fileId)));
  };
}

/** Returns the user of an entry: the account, with the issuer if that distinguishes two users with the same id. */
function userOf({ account, entity }: Entry): string {
  const issuer = issuerIn(entity);
  return issuer === '' ? account : `${account} ${canonicalIssuer(issuer)}`;
}

/**
 * Removes accounts that were signed out after an older file was written from its contents, and records that. The
 * frames of these accounts are no longer copied.
 */
export function removeSignedOut(
  contents: Contents,
  tombstones: readonly MarkedTombstone[],
): readonly Change[] {
  const { cache, header, metadata } = contents;
  const later = new Map(
    tombstones.filter(({ epoch }) => epoch > metadata.epoch).map((one) => [one.mark, one.epoch]),
  );
  if (later.size === 0) return [];
  const { changes } = transact(cache, () => {
    const store = storeOf(cache);
    for (const account of store.accounts) {
      if (later.has(markOf(account, header.fileId))) signOutId(store, account, {}, store.now());
      const issuers = new Set(store.ofAccount(account).map(({ entity }) => issuerIn(entity)));
      for (const issuer of issuers) {
        const user = `${account} ${canonicalIssuer(issuer)}`;
        if (issuer !== '' && later.has(markOf(user, header.fileId)))
          cache.signOut({ home_account_id: account, issuer });
      }
    }
    dropOldHistories(cache);
  });
  // Their frames, and those that hold entries of others, are not copied.
  const kept = keptFrames(contents, changes);
  for (const account of [...contents.groups.keys()]) if (!kept.has(account)) contents.groups.delete(account);
  contents.metadata = withTombstones(
    metadata,
    [...later].map(([mark, epoch]) => ({ mark, epoch, at: 0 })),
  );
  return changes;
}
