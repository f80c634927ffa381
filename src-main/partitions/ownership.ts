/** Restricts which user's credentials a partition may hold. */
import { isRecord } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError, PartitionError } from '../errors.ts';
import type { EntryMetadata } from './entry.ts';
import { isUser, userCountIn, usersIn } from './partition-contents.ts';
import type { PartitionName } from './partition-name.ts';

/**
 * Which user's credentials a partition may hold.
 *
 * - `'one'` (the default): one user, whoever signs in first.
 * - `{ home_account_id }`: this user and no other.
 * - `{ ownId }`: the user that your app knows by this id. The first update notes the id inside the entry, and a partition opened
 *   with another id is refused. One account, whoever signs in first.
 * - `'several'`: any users, for apps in which one user signs in with several accounts.
 * - `'none'`: no user, for app tokens.
 */
export type PartitionUser =
  | 'one'
  | 'several'
  | 'none'
  | { readonly home_account_id: string }
  | { readonly ownId: string };

export interface Ownership {
  /** The owner to store in the entry; undefined: none, or no change. */
  readonly owner: string | undefined;
  /** @throws PartitionError `partition_other_user` if the partition holds another user's credentials */
  check(found: { cache: TokenCache; metadata: EntryMetadata }, name: PartitionName): void;
}

/** @throws InvalidArgumentError */
export function ownershipOf(user: PartitionUser): Ownership {
  if (user === 'several') return { owner: undefined, check: () => undefined };
  if (user === 'none') return counted(undefined, (_cache, count) => count === 0);
  if (user === 'one') return counted(undefined, (_cache, count) => count <= 1);
  if (isRecord(user) && 'home_account_id' in user) {
    const home = text(user.home_account_id);
    const isTheirs = (cache: TokenCache): boolean => usersIn(cache).every((one) => isUser(one, home));
    return counted(undefined, (cache, count) => count === 0 || (count === 1 && isTheirs(cache)));
  }
  if (isRecord(user) && 'ownId' in user) return counted(text(user.ownId), (_cache, count) => count <= 1);
  throw new InvalidArgumentError(
    "A partition's user is 'one', 'several', 'none', { home_account_id } or { ownId }. Nothing was read or written.",
    { field: 'user' },
  );
}

function counted(
  ownId: string | undefined,
  allows: (cache: TokenCache, count: number) => boolean,
): Ownership {
  return {
    owner: ownId,
    check: ({ cache, metadata: { owner } }, { key }) => {
      const isOthers = ownId !== undefined && owner !== undefined && owner !== ownId;
      if (isOthers || !allows(cache, userCountIn(cache))) throw refusal(key);
    },
  };
}

function refusal(key: string): PartitionError {
  return new PartitionError(
    'partition_other_user',
    key,
    `The partition ${key} holds, or would now hold, credentials of a user it is not for. Nothing was returned or written. Sign the first user out before another signs in, and make sure that no two users share a partition id.`,
  );
}

function text(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidArgumentError("The id of a partition's user must be a string that is not empty.", {
    field: 'user',
  });
}
