/** When an entity answers a filter: one predicate per field, whatever library wrote the entity. */
import type { Entity, EntityFilter, EntityType } from './entities.ts';
import { sameEnvironment } from './environments.ts';
import { extensionOf } from './extension.ts';
import { covers, sameScopes } from './scopes.ts';

type Wanted = string | null;
type Predicate = (entity: Entity, wanted: Wanted) => boolean;

/** The form in which ids and realms are compared: the libraries lower-case them in keys, and differ in fields. */
export function folded(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

/** An access token's scheme; "" for Bearer, which MSAL.NET does not write. RFC 6749 §7.1: case does not matter. */
export function schemeOf(entity: Entity): string {
  const scheme = folded(entity['token_type']);
  return scheme === 'bearer' ? '' : scheme;
}

/** The key that an access token is bound to; "" for none. MSAL.NET calls the field `kid`. */
export function keyIdOf(entity: Entity): string {
  const id = entity['key_id'] ?? entity['kid'];
  return typeof id === 'string' ? id : '';
}

const ignoringCase =
  (field: string): Predicate =>
  (entity, wanted) =>
    entity[field] === wanted || folded(entity[field]) === folded(wanted);

const PREDICATES: ReadonlyMap<string, Predicate> = new Map<string, Predicate>([
  ['home_account_id', ignoringCase('home_account_id')],
  ['client_id', ignoringCase('client_id')],
  ['realm', ignoringCase('realm')],
  ['username', ignoringCase('username')],
  ['local_account_id', ignoringCase('local_account_id')],
  ['environment', (entity, wanted) => sameEnvironment(textOf(entity['environment']), wanted ?? '')],
  ['target', (entity, wanted) => sameScopes(textOf(entity['target']), wanted ?? '')],
  ['token_type', (entity, wanted) => schemeOf(entity) === schemeOf({ token_type: wanted })],
  ['key_id', (entity, wanted) => keyIdOf(entity) === (wanted ?? '')],
  ['ext_cache_key', (entity, wanted) => extensionOf(entity) === folded(wanted)],
]);

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function fieldMatches(entity: Entity, field: string, wanted: Wanted): boolean {
  const predicate = PREDICATES.get(field);
  if (predicate !== undefined) return predicate(entity, wanted);
  return (Object.hasOwn(entity, field) ? (entity[field] ?? null) : null) === wanted;
}

type Query = NonNullable<EntityFilter['query']>;

/** Whether the entity has the values that the query names. */
export function fieldsMatch(entity: Entity, query: Query): boolean {
  return Object.entries(query).every(([field, wanted]) => fieldMatches(entity, field, wanted));
}

/** Whether the query asks for a token that is bound to a key or to a scheme. */
function asksForBound(query: Query): boolean {
  return folded(query['key_id']) !== '' || schemeOf(query) !== '';
}

/**
 * Whether an understood entity of this type answers the filter. A token with a key, a scheme or extension components
 * never answers a request without them, nor the other way round; see EntityFilter.
 */
export function matches(type: EntityType, entity: Entity, filter: EntityFilter = {}): boolean {
  const query = filter.query ?? {};
  if (!fieldsMatch(entity, query)) return false;
  if (filter.target !== undefined && !covers(textOf(entity['target']), filter.target)) return false;
  if (type !== 'AccessToken') return true;

  const filtered = filter.target !== undefined || filter.query !== undefined;
  if (filtered && !Object.hasOwn(query, 'ext_cache_key') && extensionOf(entity) !== '') return false;
  if (filter.target === undefined) return true;
  return asksForBound(query) === (schemeOf(entity) !== '' || keyIdOf(entity) !== '');
}
