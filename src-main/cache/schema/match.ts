/**
 * Decides whether an entity matches a filter, whether two entities denote the same credential, and whether one supersedes
 * another, regardless of the library that wrote them and of their keys.
 */
import type { Entity, EntityFilter, EntityType } from './entities.ts';
import { sameEnvironment } from './environments.ts';
import { extensionOf } from './extension.ts';
import { issuerIn, sameIssuer } from './issuers.ts';
import { answers, covers, grantOf, sameScopes, scopesOverlap } from './scopes.ts';

type Wanted = string | null;
type Predicate = (entity: Entity, wanted: Wanted) => boolean;

/** Normalizes IDs and realms for comparison: libraries lower-case them in keys, and differ in fields. */
export function folded(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Schemes of tokens that are bound to a key (RFC 9449, MSAL). Every other `token_type` means a bearer token. */
const BOUND_SCHEMES: ReadonlySet<string> = new Set(['pop', 'dpop', 'ssh-cert', 'mac', 'hok']);

/** Kinds of access tokens that are used as bearer tokens. */
const BEARER_KINDS: ReadonlySet<string> = new Set(['', 'accesstoken', 'accesstokenextended', 'atext']);

/**
 * Returns an access token's scheme; "" for a bearer token, whatever the provider calls it: `JWT`, `BearerToken`, `N_A` (RFC
 * 8693 §2.2.1), Slack's `bot`, or nothing. Case does not matter (RFC 6749 §7.1). Some tokens name their scheme only in
 * `credential_type`.
 */
export function schemeOf(entity: Entity): string {
  const scheme = folded(entity['token_type']);
  if (BOUND_SCHEMES.has(scheme)) return scheme;
  const kind = folded(entity['credential_type']).replace(/[^a-z]/g, '');
  if (BEARER_KINDS.has(kind)) return '';
  return kind === 'accesstokenwithauthscheme' ? unnamedScheme(scheme) : kind;
}

function unnamedScheme(scheme: string): string {
  return scheme === '' || scheme === 'bearer' ? 'pop' : scheme;
}

/** Returns the scheme that a `token_type` names; see schemeOf. */
function namedScheme(wanted: unknown): string {
  const scheme = folded(wanted);
  return BOUND_SCHEMES.has(scheme) ? scheme : '';
}

/** Returns the ID of the key that an access token is bound to; "" if none. MSAL.NET calls the field `kid`. */
export function keyIdOf(entity: Entity): string {
  return textOf(entity['key_id'] ?? entity['kid']);
}

/** Returns the hash of the assertion of an on-behalf-of token; "" if none. */
export function assertionHashOf(entity: Entity): string {
  return textOf(entity['user_assertion_hash'] ?? entity['userAssertionHash']);
}

/** Returns the hash of the requested claims; "" if none. MSAL Node 2 and 3 include it in their keys. */
export function claimsHashOf(entity: Entity): string {
  return folded(entity['requested_claims_hash'] ?? entity['requestedClaimsHash']);
}

/**
 * The purposes of an access token beside its scopes. A request must name a purpose to get such a token, and tokens for
 * different purposes do not replace each other.
 */
const PURPOSES = {
  token_type: schemeOf,
  key_id: keyIdOf,
  ext_cache_key: extensionOf,
  resource: (entity: Entity): string => textOf(entity['resource']), // RFC 8707
  audience: (entity: Entity): string => textOf(entity['audience']), // RFC 8693
  user_assertion_hash: assertionHashOf,
  requested_claims_hash: claimsHashOf,
} as const;

type Purpose = keyof typeof PURPOSES;

const PURPOSE_NAMES = Object.keys(PURPOSES) as Purpose[];

/** Returns the purposes of an access token, in a fixed order. Entities of the same credential have the same purposes. */
export function purposesOf(entity: Entity): string[] {
  return PURPOSE_NAMES.map((name) => PURPOSES[name](entity));
}

/** Field names of a purpose in queries, including those that MSAL Node and MSAL.NET write. */
const ALIASES: ReadonlyMap<string, Purpose> = new Map<string, Purpose>([
  ...PURPOSE_NAMES.map((name): [string, Purpose] => [name, name]),
  ['kid', 'key_id'],
  ['userAssertionHash', 'user_assertion_hash'],
  ['requestedClaimsHash', 'requested_claims_hash'],
]);

/** Normalizes the queried value of a purpose for comparison. */
function purposeWanted(purpose: Purpose, wanted: unknown): string {
  if (purpose === 'token_type') return namedScheme(wanted);
  return purpose === 'ext_cache_key' || purpose === 'requested_claims_hash' ? folded(wanted) : textOf(wanted);
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
  // Entities without an issuer are Microsoft's, or of a library that keeps none.
  ['issuer', (entity, wanted) => issuerIn(entity) === '' || sameIssuer(issuerIn(entity), wanted ?? '')],
]);

function fieldMatches(entity: Entity, field: string, wanted: Wanted): boolean {
  const predicate = PREDICATES.get(field);
  if (predicate !== undefined) return predicate(entity, wanted);
  const purpose = ALIASES.get(field);
  if (purpose !== undefined) return PURPOSES[purpose](entity) === purposeWanted(purpose, wanted);
  return (Object.hasOwn(entity, field) ? (entity[field] ?? null) : null) === wanted;
}

type Query = NonNullable<EntityFilter['query']>;

/** Returns whether the entity has the values that the query names. */
export function fieldsMatch(entity: Entity, query: Query): boolean {
  for (const field in query) if (!fieldMatches(entity, field, query[field] ?? null)) return false;
  return true;
}

/**
 * Returns whether a valid entity of this type matches the filter. A token for a special purpose never matches a request
 * that does not name the purpose, and vice versa; see EntityFilter.
 */
export function matches(type: EntityType, entity: Entity, filter: EntityFilter = {}): boolean {
  const query = filter.query ?? {};
  if (!fieldsMatch(entity, query)) return false;
  if (type !== 'AccessToken')
    return filter.target === undefined || covers(textOf(entity['target']), filter.target);
  if (filter.target !== undefined && !answers(entity, filter.target)) return false;

  const filtered = filter.target !== undefined || filter.query !== undefined;
  if (filtered && !Object.hasOwn(query, 'ext_cache_key') && extensionOf(entity) !== '') return false;
  if (filter.target === undefined) return true;
  // Naming only the key or only the scheme selects bound tokens.
  const asksForBound = folded(query['key_id']) !== '' || namedScheme(query['token_type']) !== '';
  if (asksForBound !== (schemeOf(entity) !== '' || keyIdOf(entity) !== '')) return false;
  const named = new Set(Object.keys(query).map((field) => ALIASES.get(field)));
  return UNNAMED.every((purpose) => named.has(purpose) || PURPOSES[purpose](entity) === '');
}

/** Purposes that must each be named explicitly. */
const UNNAMED = ['resource', 'audience', 'user_assertion_hash', 'requested_claims_hash'] as const;

type Same = (a: Entity, b: Entity) => boolean;

const sameField =
  (field: string): Same =>
  (a, b) =>
    a[field] === b[field] || folded(a[field]) === folded(b[field]);

const sameHome = sameField('home_account_id');
const sameClient = sameField('client_id');
const sameRealm = sameField('realm');

/** Same user of the same issuer. An entity without an issuer may belong to any issuer on its host. */
const sameUser: Same = (a, b) => {
  const [left, right] = [issuerIn(a), issuerIn(b)];
  if (!sameHome(a, b)) return false;
  if (left !== '' && right !== '') return sameIssuer(left, right);
  return sameEnvironment(textOf(a['environment']), textOf(b['environment']));
};

const samePlace: Same = (a, b) =>
  sameHome(a, b) && sameEnvironment(textOf(a['environment']), textOf(b['environment']));

/** Same account, app, tenant and purpose, regardless of scopes and of the key that the token is bound to. */
const sameSlot: Same = (a, b) =>
  sameClient(a, b) &&
  sameRealm(a, b) &&
  sameUser(a, b) &&
  PURPOSE_NAMES.every((name) => name === 'key_id' || PURPOSES[name](a) === PURPOSES[name](b));

/** A refresh token without a target (MSAL Node, MSAL.NET) is valid for all scopes of its app. */
const sameRefreshTarget: Same = (a, b) => {
  const [left, right] = [textOf(a['target']), textOf(b['target'])];
  return left === '' || right === '' || sameScopes(left, right);
};

const SAME: Readonly<Record<EntityType, Same>> = {
  AccessToken: (a, b) => sameSlot(a, b) && keyIdOf(a) === keyIdOf(b) && sameScopes(grantOf(a), grantOf(b)),
  RefreshToken: (a, b) =>
    sameClient(a, b) &&
    sameUser(a, b) &&
    assertionHashOf(a) === assertionHashOf(b) &&
    sameRefreshTarget(a, b),
  IdToken: (a, b) => sameClient(a, b) && sameRealm(a, b) && sameUser(a, b),
  Account: (a, b) => sameRealm(a, b) && sameUser(a, b),
  AppMetadata: (a, b) => sameClient(a, b) && samePlace(a, b),
};

/** Returns whether two valid entities of the type denote the same credential, account or app. */
export function sameCredential(type: EntityType, a: Entity, b: Entity): boolean {
  return SAME[type](a, b);
}

/**
 * Returns whether adding `fresh` supersedes `old`. An access token supersedes tokens for the same purpose whose scopes
 * overlap. Because bound keys are replaced, it also supersedes a token for exactly the same scopes with another key.
 */
export function supersedes(type: EntityType, fresh: Entity, old: Entity): boolean {
  if (type !== 'AccessToken') return sameCredential(type, fresh, old);
  if (!sameSlot(fresh, old)) return false;
  const [grant, oldGrant] = [grantOf(fresh), grantOf(old)];
  if (keyIdOf(fresh) === keyIdOf(old)) return scopesOverlap(grant, oldGrant);
  return keyIdOf(fresh) !== '' && keyIdOf(old) !== '' && sameScopes(grant, oldGrant);
}
