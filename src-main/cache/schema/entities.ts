/**
 * The entities of the unified cache schema that the MSAL libraries share. Fields keep their wire names.
 * Unknown fields are preserved. Times are decimal seconds since the epoch, as strings.
 */

/**
 * The entity types, which are also the names of the roots of a cache document.
 *
 * @example
 * import { ENTITY_TYPES, TokenCache } from 'tokenkeep/cache';
 *
 * const cache = new TokenCache();
 * for (const type of ENTITY_TYPES) console.log(type, cache.find(type).length);
 */
export const ENTITY_TYPES = ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const;

/** The name of an entity type, as in the schema. */
export type EntityType = (typeof ENTITY_TYPES)[number];

const TYPES: ReadonlySet<string> = new Set(ENTITY_TYPES);

/** Returns whether a root of a cache document contains entities. */
export function isEntityType(section: string): section is EntityType {
  return TYPES.has(section);
}

/** The entity types with a secret. */
export type CredentialType = 'AccessToken' | 'RefreshToken' | 'IdToken';

/** Any entity, as stored in a document. Entities in a cache are frozen: change them through `modify`. */
export interface Entity {
  readonly [field: string]: unknown;
}

/** Seconds since the epoch: decimal digits, or a number where MSAL Go or another program wrote the entity. */
export type Seconds = string | number;

/** A token used to call an API (RFC 6749 §1.4). */
export interface AccessToken extends Entity {
  /** `AccessToken`; other values for tokens that are bound to a key or have extension components. */
  readonly credential_type?: string | null;
  /** The token itself. A vault encrypts it separately and decrypts it when it is read. */
  readonly secret: string;
  /** `uid.utid`; null (MSAL Python), "" (MSAL Node) or absent in a token that belongs to an app and to no user. */
  readonly home_account_id?: string | null;
  /** The provider's host, under any alias of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
  /** The granted scopes, space-separated. */
  readonly target: string;
  /** The requested scopes, if the provider granted others. */
  readonly requested_scopes?: string;
  /** The tenant; "" if the provider has none. */
  readonly realm?: string | null;
  /** The token type as the provider sent it, such as `Bearer` or `pop`; MSAL.NET omits `Bearer`. */
  readonly token_type?: string | null;
  /** When it was cached. If this is in the future, the clock was set back, and the token is not used. */
  readonly cached_at?: Seconds | null;
  /** When the API stops accepting it. If that is unknown, this is 600 seconds after `cached_at`, as in MSAL; see `unknown_expiry`. */
  readonly expires_on: Seconds;
  /** Equals `expires_on` if that is only a placeholder, because the provider did not state a lifetime. */
  readonly unknown_expiry?: Seconds | null;
  /** Until when a library may use it while the provider is down. Tokenkeep's `acquireTokenSilent` does not. */
  readonly extended_expires_on?: Seconds | null;
  /** When the provider wants the token to be refreshed, although it is still valid. */
  readonly refresh_on?: Seconds | null;
  /** The ID of the key that the token is bound to. */
  readonly key_id?: string | null;
  /** The requested resource (RFC 8707). */
  readonly resource?: string;
  /** The requested audience (RFC 8693). */
  readonly audience?: string;
}

/** A token used to obtain new access tokens (RFC 6749 §1.5). Few providers say how long it lives. */
export interface RefreshToken extends Entity {
  /** `RefreshToken`, in any spelling. */
  readonly credential_type?: string | null;
  /** The token itself. A vault encrypts it separately and decrypts it when it is read. */
  readonly secret: string;
  /** The account: `uid.utid`, or the `sub` of the ID token. */
  readonly home_account_id: string;
  /** The provider's host, under any alias of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
  /** The granted scopes, space-separated. MSAL Node omits them. */
  readonly target?: string | null;
  /** When it was cached. MSAL Node omits it. */
  readonly last_modification_time?: Seconds | null;
  /** When it expires, if the provider said so. MSAL libraries don't write it. */
  readonly expires_on?: Seconds | null;
  /** "1" if every app of Microsoft's family may use it. */
  readonly family_id?: string | null;
}

/** The provider's statement about the user (OpenID Connect Core §2). It is stored as received and not verified again. */
export interface IdToken extends Entity {
  /** `IdToken`, in any spelling. */
  readonly credential_type?: string | null;
  /** The token itself. A vault encrypts it separately and decrypts it when it is read. */
  readonly secret: string;
  /** The account: `uid.utid`, or the `sub` of the token. */
  readonly home_account_id: string;
  /** The provider's host, under any alias of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The tenant that issued it; "" if the provider has none. */
  readonly realm?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
}

/** A signed-in user in one tenant. A user of several tenants has one for each. */
export interface Account extends Entity {
  /** `uid.utid` (user and home tenant) at Microsoft; elsewhere the `sub` of the ID token. */
  readonly home_account_id: string;
  /** The provider's host, under any alias of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The tenant; `adfs` for AD FS, "" if the provider has none. */
  readonly realm?: string | null;
  /** The user's ID in the tenant. null if MSAL Python received no ID token. */
  readonly local_account_id?: string | null;
  /** `preferred_username`, else `upn`, `unique_name`, `email` or the first of `emails`; else "". */
  readonly username?: string | null;
  /** `MSSTS`, `ADFS` or `Generic`. MSAL Python does not list generic accounts, so its documents use `MSSTS`. */
  readonly authority_type?: string | null;
  /** The grant type of the sign-in, as MSAL Python records it. */
  readonly account_source?: string;
}

/** App metadata: whether an app belongs to Microsoft's family, whose apps share refresh tokens. */
export interface AppMetadata extends Entity {
  /** The app. */
  readonly client_id: string;
  /** The provider's host, under any alias of its cloud. */
  readonly environment: string;
  /** "1": the app belongs to the family. null or absent: it does not. For an app without metadata, this is unknown. */
  readonly family_id?: string | null;
}

/** The shape of each type of entity. */
export interface EntityOf {
  AccessToken: AccessToken;
  RefreshToken: RefreshToken;
  IdToken: IdToken;
  Account: Account;
  AppMetadata: AppMetadata;
}

/** Identifies one user. Outside Microsoft's clouds, B2C and AD FS, the issuer is part of the identity. */
export interface AccountReference {
  readonly home_account_id: string;
  /** Under any alias. */
  readonly environment?: string;
  readonly issuer?: string;
}

/** One user, across tenants, environment aliases and apps. */
export interface AccountSummary {
  /** `uid.utid`, or the `sub` of the ID token. */
  home_account_id: string;
  /** The environment of the first account entity. */
  environment: string;
  /** Absent for Microsoft's clouds, B2C and AD FS, and if it is unknown. */
  issuer?: string;
  /** "" if the provider sent none. */
  username: string;
  /** The display name, from an ID token or from MSAL Node's account. */
  name?: string;
  /** The ID in the home tenant: `oid`, else `sub`; "" if unknown. */
  local_account_id: string;
  /** `MSSTS`, `ADFS` or `Generic`; `OAuth` for an account that has only grants of `tokenkeep/oauth`. */
  authority_type: string;
  /** The home tenant first. A user who is a guest elsewhere has more than one. */
  tenants: readonly TenantProfile[];
}

/** A user in one tenant. */
export interface TenantProfile {
  /** The tenant. */
  realm: string;
  /** The user's ID in this tenant: `oid`, else `sub`; "" if unknown. */
  local_account_id: string;
  username?: string;
  name?: string;
}

/** A token without its secret. Times are seconds since the epoch; null where unknown. */
export interface TokenOutline {
  readonly type: CredentialType;
  readonly cachedAt: number | null;
  readonly modifiedAt: number | null;
  /** Of access and refresh tokens. */
  readonly expiresAt: number | null;
  /** The provider refused this refresh token permanently. */
  readonly isRefused: boolean;
  /** When that was; absent if unknown. */
  readonly refusedAt?: number;
}

/** An account as a list shows it. */
export interface AccountOutline {
  /** The issuer that all tokens agree on. */
  readonly issuer: string | null;
  /** "" if no token names the user. */
  readonly username: string;
  readonly name: string | null;
  /** The apps that have tokens, each once. */
  readonly clients: readonly string[];
  readonly tokens: readonly TokenOutline[];
}

/** An entity that was set or removed. `before` is absent if it is new, `after` if it was removed. */
export interface EntityChange {
  type: EntityType;
  /** Its key in the document. */
  key: string;
  before?: Entity;
  after?: Entity;
}

/** A change of data that is not understood and kept unchanged: a malformed entity, or a whole root. */
export interface KeptChange {
  /** The root of the document that contains it. */
  section: string;
  /** null: the root itself. */
  key: string | null;
  before?: unknown;
  after?: unknown;
}

/** The changes of one call (`add`, `modify`, `signOut`, `deserialize`, a merge, a transaction). Emitted once, after the call. */
export interface CacheChange {
  /** The entities that were set or removed, in order. */
  entities: readonly EntityChange[];
  /** Changes of data that is not understood. */
  kept: readonly KeptChange[];
}

/** Selects the entities that `search` and `find` return. Default: all of the type. */
export interface EntityFilter {
  /**
   * Scopes that the entity's target must contain, compared case-insensitively and without the OpenID Connect scopes. An
   * access token also matches by the scopes that it was requested with. With a target, tokens for a special purpose (bound
   * to a key or scheme, on behalf of a user, for a resource, audience or claims) match only if the query names that purpose.
   */
  target?: readonly string[];
  /**
   * Fields and their required values. `environment` matches under any alias of its cloud. `home_account_id`, `client_id`,
   * `realm`, `username` and `local_account_id` are compared case-insensitively, and null or "" matches null, "" and an
   * absent field. `target` is compared as a set of scopes. `token_type` compares schemes: all bearer types are equal.
   * `key_id`, `resource`, `audience`, `user_assertion_hash`, `requested_claims_hash` and `ext_cache_key` also match under
   * the names that other libraries use for them. Any other field must be equal; null matches null and an absent field. A
   * token with extension components matches only if `ext_cache_key` (the hash of the components) is named, or if there
   * is no filter.
   */
  query?: Readonly<Record<string, string | null>>;
}

/** The result of `add`. */
export interface AddReceipt {
  /** The account that the tokens were filed under; null for tokens of the app itself. */
  readonly account: AccountReference | null;
  /** The types of the entities written. */
  readonly kept: readonly EntityType[];
  /** The requested scopes. */
  readonly asked: readonly string[];
  /** The granted scopes according to the provider; the requested ones if it does not say (RFC 6749 §5.1). */
  readonly granted: readonly string[];
  /** The requested scopes that the provider does not list as granted. */
  readonly notGranted: readonly string[];
  /** The source of the access token's expiry: the response, the token itself, or none. null: no access token. */
  readonly expiry: 'given' | 'derived' | 'unknown' | null;
}

/** Number of entries by type. */
export interface EntryCount extends Record<EntityType, number> {
  /** The number of grants of `tokenkeep/oauth`. Absent if there are none. */
  grants?: number;
}

/** The receipt of a sign-out: counts, never secrets. */
export interface SignOutReceipt {
  /** The account; "" for tokens of apps. */
  home_account_id: string;
  /** The issuer of the account; absent if it has none, or if all accounts with the id were signed out. */
  issuer?: string;
  /** Seconds since the epoch. */
  at: number;
  /** Number of removed entries by type. */
  removed: EntryCount;
  /** Number of entries left, counted again after the removal. Expected: 0. */
  remaining: number;
  /** Vaults only: the state of the key that opens older copies of the file. */
  oldKey?: 'destroyed' | 'pending';
}
