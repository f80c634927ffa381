/**
 * Decides whether an entity matches a filter, whether two entities denote the same credential, and whether one supersedes
 * another, regardless of the library that wrote them and of their keys.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { folded, isRecord, textOf } from '../json.ts';
import { issuerIn, sameEnvironment, sameIssuer } from './authorities.ts';
import type { Entity, EntityFilter, EntityType } from './entities.ts';

type Wanted = string | null;
type Predicate = (entity: Entity, wanted: Wanted) => boolean;

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
  const type = folded(entity['credential_type']);
  if (BEARER_KINDS.has(type)) return ''; // The usual spellings need no normalizing.
  const kind = type.replace(/[^a-z]/g, '');
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

/** Whether two valid entities of a type denote the same credential, account or app. */
export const sameCredential: Readonly<Record<EntityType, Same>> = {
  AccessToken: (a, b) => sameSlot(a, b) && keyIdOf(a) === keyIdOf(b) && sameScopes(grantOf(a), grantOf(b)),
  RefreshToken: (a, b) =>
    sameClient(a, b) &&
    sameUser(a, b) &&
    assertionHashOf(a) === assertionHashOf(b) &&
    sameRefreshTarget(a, b),
  IdToken: (a, b) => sameClient(a, b) && sameRealm(a, b) && sameUser(a, b),
  Account: (a, b) => sameRealm(a, b) && sameUser(a, b),
  AppMetadata: (a, b) =>
    sameClient(a, b) && sameHome(a, b) && sameEnvironment(textOf(a['environment']), textOf(b['environment'])),
};

/**
 * Returns whether adding `fresh` supersedes `old`. An access token supersedes tokens for the same purpose whose scopes
 * overlap. Because bound keys are replaced, it also supersedes a token for exactly the same scopes with another key.
 */
export function supersedes(type: EntityType, fresh: Entity, old: Entity): boolean {
  if (type !== 'AccessToken') return sameCredential[type](fresh, old);
  if (!sameSlot(fresh, old)) return false;
  const [grant, oldGrant] = [grantOf(fresh), grantOf(old)];
  if (keyIdOf(fresh) === keyIdOf(old)) return scopesOverlap(grant, oldGrant);
  return keyIdOf(fresh) !== '' && keyIdOf(old) !== '' && sameScopes(grant, oldGrant);
}

// Scopes are sets (RFC 6749 §3.3): order does not matter. Case does not matter either, because libraries write scopes as
// the server or the app spells them. OpenID Connect scopes are ignored, because they request other tokens than the
// access token.

const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'offline_access', 'email']);

/** Splits a text into scopes and keeps their spelling. */
export function scopesOf(text: string): string[] {
  return text.split(/\s+/).filter((scope) => scope !== '');
}

function significant(scopes: Iterable<string>): Set<string> {
  const set = new Set<string>();
  for (const scope of scopes) {
    const name = scope.toLowerCase();
    if (!OPENID_SCOPES.has(name)) set.add(name);
  }
  return set;
}

function significantIn(text: string): Set<string> {
  return significant(scopesOf(text));
}

function contains(set: ReadonlySet<string>, part: ReadonlySet<string>): boolean {
  for (const scope of part) if (!set.has(scope)) return false;
  return true;
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const scope of a) if (b.has(scope)) return true;
  return false;
}

/** Returns whether `target` contains all wanted scopes. */
export function covers(target: string, wanted: readonly string[]): boolean {
  return contains(significantIn(target), significant(wanted));
}

/** Returns whether both texts contain the same scopes. */
export function sameScopes(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === right.size && contains(left, right);
}

/** Returns whether they have a scope in common. Two texts with only OpenID Connect scopes overlap. */
export function scopesOverlap(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === 0 && right.size === 0 ? true : overlap(left, right);
}

/** Returns the granted scopes of a token, and the requested ones if the provider granted others. */
export function grantOf(token: Entity): string {
  const asked = textOf(token['requested_scopes']);
  const target = textOf(token['target']);
  return asked === '' ? target : `${target} ${asked}`;
}

/** Returns index keys: the scopes without OpenID Connect scopes, lower-cased; one empty key if there are none. */
export function scopeKeys(scopes: string | readonly string[]): string[] {
  const set = significant(typeof scopes === 'string' ? scopesOf(scopes) : scopes);
  return set.size === 0 ? [''] : [...set];
}

/**
 * Returns whether an access token matches a request for these scopes: all of them were granted; or exactly these were
 * requested, however few were granted; or they are among the requested ones, and the provider names granted scopes in its
 * own form (AD FS returns `openid`).
 */
export function answers(token: Entity, wanted: readonly string[]): boolean {
  const target = textOf(token['target']);
  if (covers(target, wanted)) return true;
  const requested = textOf(token['requested_scopes']);
  if (requested === '') return false;
  const [asked, want] = [significantIn(requested), significant(wanted)];
  if (!contains(asked, want)) return false;
  return want.size === asked.size || !overlap(asked, significantIn(target));
}

// Extension components restrict an access token to a special purpose, such as one agent (`fmi_path`). It matches only
// requests with the same components, and its key ends with their hash.

/** Parameters of a token request that do not restrict the token, or that have their own field. */
const NO_COMPONENTS: ReadonlySet<string> = new Set([
  ...['grant_type', 'code', 'redirect_uri', 'client_id', 'client_secret', 'code_verifier', 'refresh_token'], // RFC 6749, 7636
  ...['scope', 'username', 'password', 'state', 'response_type', 'response_mode', 'device_code'], // RFC 6749, 8628
  ...['assertion', 'client_assertion', 'client_assertion_type'], // RFC 7521
  ...['resource', 'audience', 'requested_token_type', 'subject_token', 'subject_token_type'], // RFC 8707, 8693
  ...['actor_token', 'actor_token_type'], // RFC 8693
  ...['nonce', 'claims', 'prompt', 'login_hint', 'domain_hint', 'id_token_hint'], // OpenID Connect Core §3.1.2.1
  ...['client_info', 'requested_token_use', 'on_behalf_of', 'token_type', 'req_cnf', 'key_id'], // MSAL
  ...['user_assertion_hash', 'userAssertionHash', 'requested_claims_hash', 'requestedClaimsHash'],
]);

/** Returns the extension components of a token request; undefined if there are none. */
export function componentsOf(
  data: Readonly<Record<string, unknown>> | undefined,
): Record<string, string> | undefined {
  const components = Object.entries(data ?? {}).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' &&
      pair[1] !== '' &&
      !NO_COMPONENTS.has(pair[0]) &&
      !pair[0].startsWith('x-'),
  );
  return components.length > 0 ? Object.fromEntries(components) : undefined;
}

/**
 * Returns the SHA-256 of the components, sorted by name, each encoded as `length:name` `length:value` with lengths in
 * bytes, so that the encoding is unambiguous. Lower-case base64url, as all MSAL libraries use it in keys.
 */
export function hashComponents(components: Readonly<Record<string, string>>): string {
  const utf8 = new TextEncoder();
  const measured = (text: string): string => `${utf8.encode(text).length}:${text}`;
  const written = Object.entries(components)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => measured(name) + measured(value))
    .join('');
  return hashText(written);
}

/**
 * Returns the hash at the end of MSAL Node's keys. MSAL Node looks tokens up by the hash above, but stores them under the
 * hash of the components' JSON (`saveAccessToken` in msal-common 16.16, confirmed by documents it wrote). Under any other
 * key, it would store a second token instead of replacing this one.
 */
export function hashComponentsForNode(components: Readonly<Record<string, string>>): string {
  return hashText(JSON.stringify(components));
}

/** SHA-256 as base64url, as MSAL Node hashes assertions. */
export function sha256Base64url(text: string): string {
  const digest = String.fromCharCode(...sha256(new TextEncoder().encode(text)));
  return btoa(digest).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** SHA-256 as lower-cased base64url. */
export function hashText(text: string): string {
  return sha256Base64url(text).toLowerCase();
}

/** The field in which MSAL Node and MSAL.NET store the components. MSAL Python stores only the hash. */
const COMPONENT_FIELDS = ['additionalCacheKeyComponents', 'ext'] as const;

/** Returns the components of an access token; undefined if it has none, or only their hash. */
export function componentsIn(token: Entity): Record<string, string> | undefined {
  for (const field of COMPONENT_FIELDS) {
    const value = token[field];
    if (!isRecord(value)) continue;
    const pairs = Object.entries(value).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    );
    if (pairs.length > 0) return Object.fromEntries(pairs);
  }
  return undefined;
}

/** Returns the hash of an access token's components; "" if it has none. */
export function extensionOf(token: Entity): string {
  const hash = token['ext_cache_key'];
  if (typeof hash === 'string' && hash !== '') return hash.toLowerCase();
  const components = componentsIn(token);
  return components === undefined ? '' : hashComponents(components);
}
