/**
 * What makes an entity understood. Anything else in a document is kept as it is and never matched, because it makes
 * one library or another throw: `target: null`, `target: ""`, a missing `expires_on`.
 *
 * Plain predicates: fifty thousand entities are looked at each time a document is opened.
 */
import type { EntityOf, EntityType } from './entities.ts';
import { isAccessor, isRecord } from '../json.ts';

type Fields = Readonly<Record<string, unknown>>;

const TEXT = (value: unknown): boolean => typeof value === 'string';
const FILLED = (value: unknown): boolean => typeof value === 'string' && value !== '';
const MAYBE = (value: unknown): boolean => value === undefined || value === null || typeof value === 'string';
const TIME = (value: unknown): boolean => typeof value === 'string' && /^\d{1,15}$/.test(value);
const MAYBE_TIME = (value: unknown): boolean => value === undefined || value === null || TIME(value);

const ACCESS_TOKEN_TYPES: ReadonlySet<unknown> = new Set([
  'AccessToken',
  'AccessToken_With_AuthScheme',
  'atext',
]);

/** [Note: secrets stay sealed] An accessor is taken at its word. */
function hasSecret(entity: Fields): boolean {
  return isAccessor(entity, 'secret') || FILLED(entity['secret']);
}

const UNDERSTOOD: Readonly<Record<EntityType, (entity: Fields) => boolean>> = {
  AccessToken: (entity) =>
    ACCESS_TOKEN_TYPES.has(entity['credential_type']) &&
    hasSecret(entity) &&
    MAYBE(entity['home_account_id']) &&
    FILLED(entity['environment']) &&
    FILLED(entity['client_id']) &&
    FILLED(entity['target']) &&
    TEXT(entity['realm']) &&
    MAYBE(entity['token_type']) &&
    MAYBE(entity['key_id']) &&
    TIME(entity['cached_at']) &&
    TIME(entity['expires_on']) &&
    MAYBE_TIME(entity['extended_expires_on']) &&
    MAYBE_TIME(entity['refresh_on']),
  RefreshToken: (entity) =>
    entity['credential_type'] === 'RefreshToken' &&
    hasSecret(entity) &&
    FILLED(entity['home_account_id']) &&
    FILLED(entity['environment']) &&
    FILLED(entity['client_id']) &&
    MAYBE(entity['target']) &&
    MAYBE(entity['family_id']) &&
    MAYBE_TIME(entity['last_modification_time']),
  IdToken: (entity) =>
    entity['credential_type'] === 'IdToken' &&
    hasSecret(entity) &&
    FILLED(entity['home_account_id']) &&
    FILLED(entity['environment']) &&
    FILLED(entity['client_id']) &&
    TEXT(entity['realm']),
  Account: (entity) =>
    FILLED(entity['home_account_id']) &&
    FILLED(entity['environment']) &&
    TEXT(entity['realm']) &&
    MAYBE(entity['local_account_id']) &&
    TEXT(entity['username']) &&
    FILLED(entity['authority_type']),
  AppMetadata: (entity) =>
    FILLED(entity['environment']) && FILLED(entity['client_id']) && MAYBE(entity['family_id']),
};

export function isUnderstood<T extends EntityType>(type: T, value: unknown): value is EntityOf[T] {
  return isRecord(value) && UNDERSTOOD[type](value);
}
