/** Finds the entries of the same credential, stores an entity under its key, and modifies entities. */
import { InvalidArgumentError } from '../errors.ts';
import { issuerFor } from './accounts.ts';
import { Entry } from './entry.ts';
import { sourceOf } from './hidden-secret.ts';
import { copyWith, folded, isRecord, textOf } from './json.ts';
import { issuerIn, sameEnvironment, sameIssuer } from './schema/authorities.ts';
import { readToken } from './schema/claims.ts';
import { keyOf } from './schema/dialects.ts';
import { type Account, ENTITY_TYPES, type Entity, type EntityType } from './schema/entities.ts';
import { secondsOf } from './schema/expiry.ts';
import { faultsOf } from './schema/fields.ts';
import { grantOf, sameCredential, supersedes } from './schema/match.ts';
import { dialectOf, freeKey, type Store } from './store.ts';

/** Whether two entities have different issuers, one of which is only known from an ID token. */
function isOfAnotherIssuer(store: Store, a: Entity, b: Entity): boolean {
  if ((issuerIn(a) === '') === (issuerIn(b) === '')) return false;
  const [left, right] = [issuerFor(store, a), issuerFor(store, b)];
  return left !== '' && right !== '' && !sameIssuer(left, right);
}

/** Returns the stored entries, under any key, that denote the same credential as the entity. */
export function sameEntries<T extends EntityType>(store: Store, type: T, entity: Entity): Entry<T>[] {
  return store
    .like(type, entity)
    .filter(
      ({ entity: other }) =>
        other !== null && sameCredential[type](entity, other) && !isOfAnotherIssuer(store, entity, other),
    );
}

/** Returns the stored entries that the entity supersedes. */
export function supersededEntries<T extends EntityType>(store: Store, type: T, entity: Entity): Entry<T>[] {
  const query = {
    home_account_id: textOf(entity['home_account_id']),
    client_id: textOf(entity['client_id']),
    realm: textOf(entity['realm']),
  };
  return store
    .candidates(type, query, type === 'AccessToken' ? grantOf(entity) : undefined)
    .filter(
      ({ entity: other }) =>
        other !== null && supersedes(type, entity, other) && !isOfAnotherIssuer(store, entity, other),
    );
}

/**
 * Stores an entity under its key in the document's dialect and removes the entries it replaces. If another entity has that
 * key (MSAL Python uses one key for bound and plain tokens), it is not overwritten: the new one gets a different key.
 * Must run in a transaction.
 *
 * @throws InvalidArgumentError if the entity is not valid for its type
 */
export function place<T extends EntityType>(
  store: Store,
  type: T,
  entity: Entity,
  replaced: readonly Entry<T>[],
  preferred = keyOf(type, entity, dialectOf(store)),
): Entry<T> {
  const gone = new Set(replaced.map((entry) => entry.key));
  const key = freeKey(preferred, (name) => {
    const occupant = store.entry(type, name);
    return occupant !== undefined && !gone.has(name) && !isOneFamily(occupant.entity, entity);
  });
  const placed: Entry<T> = Entry.of(type, key, entity);
  if (!placed.isUnderstood) throw invalidEntity(type, entity);
  for (const entry of replaced) if (entry.key !== key) store.drop(entry);
  store.put(placed);
  return placed;
}

function invalidEntity(type: EntityType, entity: Entity): InvalidArgumentError {
  const [fault] = faultsOf(type, entity);
  const why = fault === undefined ? '' : `: ${fault.message}`;
  return new InvalidArgumentError(`This would not be an entity of type ${type}${why}. Nothing was changed.`, {
    ...(fault !== undefined && fault.field !== '' ? { field: fault.field } : {}),
  });
}

/** MSAL Node and MSAL.NET store one refresh token per family: the latest one of any of its apps. */
function isOneFamily(occupant: Entity | null, entity: Entity): boolean {
  const family = entity['family_id'];
  return (
    entity['credential_type'] === 'RefreshToken' &&
    typeof family === 'string' &&
    family !== '' &&
    occupant?.['family_id'] === family &&
    issuerIn(occupant) === issuerIn(entity)
  );
}

/** Returns the account entities of an id on one host, of any tenant and issuer. */
export function accountsLike(store: Store, home_account_id: string, environment: string): Entry<'Account'>[] {
  return store
    .candidates('Account', { home_account_id })
    .filter(({ entity }) => entity !== null && sameEnvironment(entity.environment, environment));
}

/** Returns the account entities of the same user, of any tenant. */
export function usersAccounts(store: Store, account: Account): Entry<'Account'>[] {
  return accountsLike(store, account.home_account_id, account.environment).filter(({ entity }) => {
    const [own, other] = [issuerFor(store, account), issuerFor(store, entity ?? {})];
    return own === '' || other === '' || sameIssuer(own, other);
  });
}

/** Implements TokenCache.modify. Must run in a transaction. */
export function modifyEntity(
  store: Store,
  type: EntityType,
  old: Entity,
  changes: Readonly<Record<string, unknown>> | null,
): void {
  assertModifiable(type, old, changes);
  const found = sameEntries(store, type, old);
  if (changes === null) {
    for (const entry of found) store.drop(entry);
    return;
  }
  // If several entries denote the credential, modify the one that the caller passed; the others are stale.
  const passed = sourceOf(old)?.value ?? old;
  const entry = found.find(({ value }) => value === passed) ?? found[0];
  if (entry === undefined || entry.entity === null) return;
  // MSAL Python replaces the secret alone when a refresh token is rotated. The lifetime was that of the old one.
  const isRotated =
    entry.entity['expires_on'] !== undefined && type === 'RefreshToken' && 'secret' in changes;
  const entity = copyWith(entry.entity, { ...(isRotated ? { expires_on: null } : {}), ...ownJson(changes) });
  const dialect = dialectOf(store);
  const hadOwnKey = keyOf(type, entry.entity, dialect) === entry.key;
  // An entry under a key that belongs to no library keeps it.
  place(store, type, entity, found, hadOwnKey ? keyOf(type, entity, dialect) : entry.key);
}

function assertModifiable(type: unknown, old: unknown, changes: unknown): void {
  const invalid = (field: string, problem: string): InvalidArgumentError =>
    new InvalidArgumentError(`\`${field}\` ${problem}. Nothing was changed.`, { field });
  if (!ENTITY_TYPES.some((name) => name === type)) throw invalid('type', 'is not a type of entity');
  if (!isRecord(old)) throw invalid('old', 'is not an entity');
  if (changes !== null && !isRecord(changes)) throw invalid('changes', 'is neither an object nor null');
}

/** Copies the changes, so that freezing does not affect the caller's objects. */
function ownJson(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(changes);
  } catch (cause) {
    throw new InvalidArgumentError('An entity holds JSON values only. Nothing was changed.', { cause });
  }
}

function writtenAt(entity: Entity): number {
  const cached = secondsOf(entity['cached_at']);
  return Number.isNaN(cached) ? secondsOf(entity['last_modification_time']) : cached;
}

/**
 * Returns when a credential was written, in seconds since the epoch; NaN if unknown. For an ID token, this is its `iat`. A
 * refresh token of MSAL Node has no time, so the time of the newest access token of the same account and app is used.
 */
export function ageIn(store: Store, type: EntityType, entity: Entity): number {
  const written = writtenAt(entity);
  if (!Number.isNaN(written)) return written;
  if (type === 'IdToken') {
    const read = readToken(textOf(entity['secret']));
    const issued = read?.format === 'jwt' ? read.payload['iat'] : undefined;
    return typeof issued === 'number' ? issued : NaN;
  }
  if (type !== 'RefreshToken') return NaN;
  const beside = store
    .candidates('AccessToken', { home_account_id: textOf(entity['home_account_id']) })
    .map((entry) => entry.entity)
    .filter((token) => token !== null)
    .filter((token) => folded(token.client_id) === folded(entity['client_id']))
    .map(writtenAt);
  return beside.length === 0 ? NaN : Math.max(...beside);
}
