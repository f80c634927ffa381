/** Whose credentials may be in a partition. */
import { InvalidArgumentError, PartitionError } from '../errors.ts';
import { type Found, usersIn } from './partition-contents.ts';
import type { PartitionName } from './partition-name.ts';

/**
 * `one` (the default): one user, whoever is first. `home_account_id`: that user and no other. `ownId`: the user that your app
 * calls so: the first update notes it inside the entry, and whoever comes with another id is refused; one account, whoever is
 * first. `several`: any users, for apps in which people have several accounts. `none`: no user at all, for tokens of apps.
 */
export type PartitionUser =
  | 'one'
  | 'several'
  | 'none'
  | { readonly home_account_id: string }
  | { readonly ownId: string };

export interface Ownership {
  /** What the entry is to say; undefined: nothing, or what it says already. */
  readonly owner: string | undefined;
  /** @throws PartitionError `partition_other_user` where someone else's credentials are in it */
  check(found: Pick<Found, 'cache' | 'owner'>, name: PartitionName): void;
}

/** @throws InvalidArgumentError */
export function ownershipOf(user: PartitionUser): Ownership {
  if (user === 'several') return { owner: undefined, check: () => undefined };
  if (user === 'none') return counted(undefined, (users) => users.size === 0);
  if (user === 'one') return counted(undefined, (users) => users.size <= 1);
  if ('home_account_id' in user) {
    const home = text(user.home_account_id).toLowerCase();
    return counted(undefined, (users) => users.size === 0 || (users.size === 1 && users.has(home)));
  }
  return counted(text(user.ownId), (users) => users.size <= 1);
}

function counted(ownId: string | undefined, allows: (users: ReadonlySet<string>) => boolean): Ownership {
  return {
    owner: ownId,
    check: ({ cache, owner }, { key }) => {
      const isOthers = ownId !== undefined && owner !== undefined && owner !== ownId;
      if (isOthers || !allows(usersIn(cache))) throw refusal(key);
    },
  };
}

function refusal(key: string): PartitionError {
  return new PartitionError(
    'partition_other_user',
    key,
    `The partition ${key} holds, or would now hold, the credentials of another user than it is for. Nothing was given out or written. Sign the one user out before the other signs in, and look for a partition id that two users share.`,
  );
}

function text(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidArgumentError('The user of a partition is named by an id that is not empty.');
}
