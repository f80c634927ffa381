import { apply, transact } from '../cache/batch.ts';
import { type Change, inverse } from '../cache/change.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import type { Contents } from './contents.ts';
import type { VaultMetadata } from './format/manifest.ts';
import { type Tombstone, markOf } from './format/metadata.ts';

// How long a refresh can have been under way, with a lid closed in the middle of it: a week, in seconds.
const REMEMBERED = 7 * 24 * 3600;

/**
 * [Note: no byte of the account] The accounts that these changes removed to the last entry. They are remembered by a
 * keyed hash: after a sign-out the file must not hold the account's id either.
 */
export function tombstonesIn(
  cache: TokenCache,
  changes: readonly Change[],
  { header, metadata }: Contents,
  now: number,
): Tombstone[] {
  const gone = new Set<string>();
  for (const { before, after } of changes) {
    if (before !== undefined && before.account !== '' && after === undefined) gone.add(before.account);
  }
  return [...gone]
    .filter((account) => storeOf(cache).ofAccount(account).length === 0)
    .map((account, index) => ({
      mark: markOf(account, header.fileId),
      epoch: metadata.epoch + 1 + index,
      at: now,
    }));
}

/** What a rewritten file says of tombstones: the old ones are dropped, the new ones added. */
export function metadataAfter(
  metadata: VaultMetadata,
  tombstones: readonly Tombstone[],
  now: number,
): VaultMetadata {
  return {
    ...metadata,
    epoch: metadata.epoch + tombstones.length,
    tombstones: [...metadata.tombstones.filter(({ at }) => at > now - REMEMBERED), ...tombstones],
  };
}

/**
 * Runs `fn`, and takes back what it set for an account that was signed out after `since`: that is the end of a
 * refresh which had begun before, and must not bring the account back.
 */
export function withoutLate<T>(
  cache: TokenCache,
  fn: (cache: TokenCache) => T,
  contents: Contents | null,
  since: number,
): T {
  const { value, changes } = transact(cache, fn);
  if (contents !== null) apply(cache, changes.filter(bringsBack(contents, since)).map(inverse));
  return value;
}

/**
 * What is left of changes that could not be saved, when the file is read again: what they set for an account that others
 * have signed out since must not bring it back either.
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

/** Whether a change sets something for an account that was signed out after `since`. */
function bringsBack({ header, metadata }: Contents, since: number): (change: Change) => boolean {
  const late = new Set<string>();
  for (const { mark, epoch } of metadata.tombstones) if (epoch > since) late.add(mark);
  return ({ after }) => {
    if (late.size === 0 || after === undefined || after.account === '') return false;
    return late.has(markOf(after.account, header.fileId));
  };
}
