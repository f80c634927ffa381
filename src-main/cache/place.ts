/** Putting an entity where its library looks for it, in the place of what denotes the same credential. */
import { sameCredential, supersedes } from './schema/credential.ts';
import type { Account, Entity, EntityType } from './schema/entities.ts';
import { sameEnvironment } from './schema/environments.ts';
import { keyOf } from './schema/keys.ts';
import type { Profile } from './schema/dialects.ts';
import { Entry } from './entry.ts';
import { freeKey, type Store } from './store.ts';
import { InvalidArgumentError } from '../errors.ts';

/** What a cache writes that was not read from a document. */
export const DEFAULT_PROFILE: Profile = 'msal-python';

export function profileOf(store: Store): Profile {
  return store.profile ?? DEFAULT_PROFILE;
}

/** The fields by which the index finds what may denote the same credential. */
function neighbours<T extends EntityType>(store: Store, type: T, entity: Entity): Entry<T>[] {
  const text = (field: string): string | null => {
    const value = entity[field];
    return typeof value === 'string' ? value : null;
  };
  return store.candidates(type, {
    home_account_id: text('home_account_id'),
    client_id: text('client_id'),
    realm: text('realm'),
  });
}

/** The stored entries, under whatever keys, that denote the same credential as the entity. */
export function sameEntries<T extends EntityType>(store: Store, type: T, entity: Entity): Entry<T>[] {
  return neighbours(store, type, entity).filter(
    (entry) => entry.entity !== null && sameCredential(type, entity, entry.entity),
  );
}

/** The stored entries that adding the entity makes superfluous. */
export function supersededEntries<T extends EntityType>(store: Store, type: T, entity: Entity): Entry<T>[] {
  return neighbours(store, type, entity).filter(
    (entry) => entry.entity !== null && supersedes(type, entity, entry.entity),
  );
}

/**
 * Puts an entity under its key in the document's profile, and drops what it replaces. Where something else has that
 * key (MSAL Python's does not tell a bound token from a plain one) nothing is overwritten: the new one goes beside it.
 *
 * @throws InvalidArgumentError where the entity is not one of this type. To be run in a transaction
 */
export function place<T extends EntityType>(
  store: Store,
  type: T,
  entity: Entity,
  replaced: readonly Entry<T>[],
  preferred = keyOf(type, entity, profileOf(store)),
): void {
  const gone = new Set(replaced.map((entry) => entry.key));
  const key = freeKey(preferred, (name) => {
    const occupant = store.entry(type, name);
    return occupant !== undefined && !gone.has(name) && !isOneFamily(occupant.entity, entity);
  });
  const placed: Entry = Entry.of(type, key, entity);
  if (!placed.isUnderstood) {
    throw new InvalidArgumentError(`That would not be an entity of type ${type}. Nothing was changed.`);
  }
  for (const entry of replaced) if (entry.key !== key) store.drop(entry);
  store.put(placed);
}

/** MSAL Node and MSAL.NET keep one refresh token per family, whichever of its apps got it last. */
function isOneFamily(occupant: Entity | null, entity: Entity): boolean {
  const family = entity['family_id'];
  return (
    entity['credential_type'] === 'RefreshToken' &&
    typeof family === 'string' &&
    family !== '' &&
    occupant?.['family_id'] === family
  );
}

/** The account entities of the same user, of whatever tenant. */
export function usersAccounts(store: Store, account: Account): Entry<'Account'>[] {
  return store
    .candidates('Account', { home_account_id: account.home_account_id })
    .filter(({ entity }) => entity !== null && sameEnvironment(entity.environment, account.environment));
}
