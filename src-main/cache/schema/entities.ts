/**
 * The entities of the unified cache schema that the MSAL libraries share. Fields keep the names they have on the
 * wire; fields that Tokenkeep does not know are kept as they are. Times are decimal seconds since the epoch, as
 * strings.
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

/** Whether a root of a cache document holds entities. */
export function isEntityType(section: string): section is EntityType {
  return TYPES.has(section);
}

/** The entities that hold a secret. */
export type CredentialType = 'AccessToken' | 'RefreshToken' | 'IdToken';

/** Any entity, as it stands in a document. Frozen once it is in a cache: change it through `modify`. */
export interface Entity {
  readonly [field: string]: unknown;
}

/** Seconds since the epoch: decimal digits, or a number where MSAL Go or another program wrote the entity. */
export type Seconds = string | number;

/** A token used to call an API (RFC 6749 §1.4). */
export interface AccessToken extends Entity {
  /** `AccessToken`; other values for tokens that are bound to a key or have extension components. */
  readonly credential_type?: string | null;
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** `uid.utid`; null (MSAL Python), "" (MSAL Node) or absent in a token that belongs to an app and to no user. */
  readonly home_account_id?: string | null;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
  /** The granted scopes, space-separated. */
  readonly target: string;
  /** The scopes that were asked for, where the provider granted others. */
  readonly requested_scopes?: string;
  /** The tenant that it is for; "" where there are none. */
  readonly realm?: string | null;
  /** As the provider says it, such as `Bearer` or `pop`; MSAL.NET leaves `Bearer` out. */
  readonly token_type?: string | null;
  /** When it was cached. Where it lies in the future, the clock was set back since, and the token is not used. */
  readonly cached_at?: Seconds | null;
  /** When the API stops accepting it. See `isExpiryUnknown`: where nobody knows, MSAL's 600 seconds stand here. */
  readonly expires_on: Seconds;
  /** The value of `expires_on` that is no more than a placeholder, since the provider told no lifetime. */
  readonly unknown_expiry?: Seconds | null;
  /** Until when a library may use it while the provider is down; `acquireTokenSilent` of Tokenkeep does not. */
  readonly extended_expires_on?: Seconds | null;
  /** From when on the provider wants it refreshed, though it is still good. */
  readonly refresh_on?: Seconds | null;
  /** Names the key that the token is bound to. */
  readonly key_id?: string | null;
  /** The resource that it was requested for (RFC 8707). */
  readonly resource?: string;
  /** The audience that it was requested for (RFC 8693). */
  readonly audience?: string;
}

/** A token used to obtain new access tokens (RFC 6749 §1.5). Its lifetime is unknown. */
export interface RefreshToken extends Entity {
  /** `RefreshToken`, in any spelling. */
  readonly credential_type?: string | null;
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** The account: `uid.utid`, or the `sub` of the ID token. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
  /** Scopes that it was given for, space-separated. MSAL Node leaves them out. */
  readonly target?: string | null;
  /** When it was cached; MSAL Node leaves it out. */
  readonly last_modification_time?: Seconds | null;
  /** "1" where every app of Microsoft’s family may use it. */
  readonly family_id?: string | null;
}

/** What the provider says of the user (OpenID Connect Core §2). It is kept as it came, and not verified again. */
export interface IdToken extends Entity {
  /** `IdToken`, in any spelling. */
  readonly credential_type?: string | null;
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** The account: `uid.utid`, or the `sub` of the token. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The tenant that speaks; "" where there are none. */
  readonly realm?: string | null;
  /** The client ID of the app that the token was issued to. */
  readonly client_id: string;
}

/** A signed-in user in one tenant. A user of several tenants has one for each. */
export interface Account extends Entity {
  /** `uid.utid`, the user and the home tenant; elsewhere the `sub` of the ID token. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The issuer of the account, outside of Microsoft's clouds, B2C and AD FS. MSAL libraries don't write it. */
  readonly issuer?: string | null;
  /** The tenant; `adfs` for AD FS, "" where there are none. */
  readonly realm?: string | null;
  /** null in MSAL Python where a response had no ID token. */
  readonly local_account_id?: string | null;
  /** `preferred_username`, else `upn`, `unique_name`, `email` or the first of `emails`; else "". */
  readonly username?: string | null;
  /** `MSSTS`, `ADFS` or `Generic`. MSAL Python lists no generic accounts, so its documents say `MSSTS`. */
  readonly authority_type?: string | null;
  /** How the user signed in, as MSAL Python notes it: its grant type. */
  readonly account_source?: string;
}

/** What is known of an app: whether it belongs to Microsoft’s family, whose refresh tokens its apps share. */
export interface AppMetadata extends Entity {
  /** The app. */
  readonly client_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** "1": it is of the family. null or absent: it is not. Of an app without metadata nobody knows yet. */
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

/** Names one user. Outside of Microsoft's clouds, B2C and AD FS the issuer is part of who that is. */
export interface AccountReference {
  readonly home_account_id: string;
  /** Under any alias. */
  readonly environment?: string;
  readonly issuer?: string;
}

/** One user, whatever the number of tenants, environment aliases and apps the cache knows the user under. */
export interface AccountSummary {
  /** `uid.utid`, or the `sub` of the ID token. */
  home_account_id: string;
  /** As the first of its accounts has it. */
  environment: string;
  /** Absent for Microsoft's clouds, B2C and AD FS, and where nothing says it. */
  issuer?: string;
  /** "" where the provider gave none. */
  username: string;
  /** Where an ID token or MSAL Node’s account tells it. */
  name?: string;
  /** In the home tenant: `oid`, else `sub`; "" where it is not known. */
  local_account_id: string;
  /** `MSSTS`, `ADFS` or `Generic`; `OAuth` for an account that has only grants of `tokenkeep/oauth`. */
  authority_type: string;
  /** The home tenant first. A user who is a guest elsewhere has more than one. */
  tenants: readonly TenantProfile[];
}

/** A user as one tenant knows them. */
export interface TenantProfile {
  /** The tenant. */
  realm: string;
  /** The user’s id there: `oid`, else `sub`; "" where it is not known. */
  local_account_id: string;
  username?: string;
  name?: string;
}

/** One entity set or removed. `before` is absent when it is new, `after` when it was removed. */
export interface EntityChange {
  type: EntityType;
  /** The key it stands under in the document. */
  key: string;
  before?: Entity;
  after?: Entity;
}

/** Data that is kept as it is because it is not understood: an entity of a wrong shape, or a whole root. */
export interface KeptChange {
  /** The root it stands under. */
  section: string;
  /** null: the root itself. */
  key: string | null;
  before?: unknown;
  after?: unknown;
}

/**
 * What one call (`add`, `modify`, `signOut`, `deserialize`, a merge, a transaction) did. Emitted once, after all of
 * it is done.
 */
export interface CacheChange {
  /** What was set or removed, in order. */
  entities: readonly EntityChange[];
  /** The same of what is not understood. */
  kept: readonly KeptChange[];
}

/** Selects the entities that `search` and `find` return. Default: all of the type. */
export interface EntityFilter {
  /**
   * Scopes: the entity's target must hold all of them. A filter with a target asks for a token to use, so a token
   * that is bound to a key or to an auth scheme answers it only where the query names `key_id` or `token_type`.
   */
  target?: readonly string[];
  /**
   * Fields and the values they must have. Environments match under any alias of their cloud; ids, realms and user
   * names in any case; `target` as a set of scopes; anything else exactly. null matches null, "" and absent alike
   * in `home_account_id`. A token with extension components is given only where `ext_cache_key` (the hash of the
   * components) is named, or where there is no filter at all.
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
  /** The scopes that the provider says it granted; those asked for where it says nothing (RFC 6749 §5.1). */
  readonly granted: readonly string[];
  /** The requested scopes that the provider does not list as granted. */
  readonly notGranted: readonly string[];
  /** Where the access token's expiry comes from: the response, the token itself, or nowhere. null: no access token. */
  readonly expiry: 'given' | 'derived' | 'unknown' | null;
}

/** Number of entries by type. */
export interface EntryCount extends Record<EntityType, number> {
  /** Of the grants of `tokenkeep/oauth`. Absent where there are none. */
  grants?: number;
}

/** The receipt of a sign-out: counts, never secrets. */
export interface SignOutReceipt {
  /** The account; "" for tokens of apps. */
  home_account_id: string;
  /** The issuer of the account; absent where it has none, or where all accounts of the id were meant. */
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
