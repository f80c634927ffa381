/**
 * The entities of the unified cache schema that the MSAL libraries share. Fields keep the names they have on the
 * wire; fields that Tokenkeep does not know are kept as they are. Times are decimal seconds since the epoch, as
 * strings.
 */

export const ENTITY_TYPES = ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const;

/** As the schema names them. */
export type EntityType = (typeof ENTITY_TYPES)[number];
/** The entities that hold a secret. */
export type CredentialType = 'AccessToken' | 'RefreshToken' | 'IdToken';

/** Any entity, as it stands in a document. Frozen once it is in a cache: change it through `modify`. */
export interface Entity {
  readonly [field: string]: unknown;
}

export interface AccessToken extends Entity {
  readonly credential_type: 'AccessToken' | 'AccessToken_With_AuthScheme' | 'atext';
  readonly secret: string;
  /** `uid.utid`; null (MSAL Python), "" (MSAL Node) or absent in a token that belongs to an app and to no user. */
  readonly home_account_id?: string | null;
  readonly environment: string;
  readonly client_id: string;
  /** Scopes, space-separated. */
  readonly target: string;
  readonly realm: string;
  readonly token_type?: string | null;
  readonly cached_at: string;
  readonly expires_on: string;
  readonly extended_expires_on?: string | null;
  readonly refresh_on?: string | null;
  readonly key_id?: string | null;
}

export interface RefreshToken extends Entity {
  readonly credential_type: 'RefreshToken';
  readonly secret: string;
  readonly home_account_id: string;
  readonly environment: string;
  readonly client_id: string;
  readonly target?: string | null;
  readonly last_modification_time?: string | null;
  readonly family_id?: string | null;
}

export interface IdToken extends Entity {
  readonly credential_type: 'IdToken';
  readonly secret: string;
  readonly home_account_id: string;
  readonly environment: string;
  readonly realm: string;
  readonly client_id: string;
}

export interface Account extends Entity {
  readonly home_account_id: string;
  readonly environment: string;
  readonly realm: string;
  /** null in MSAL Python where a response had no ID token. */
  readonly local_account_id?: string | null;
  readonly username: string;
  /** `MSSTS`, `ADFS` or `Generic`. */
  readonly authority_type: string;
  readonly account_source?: string;
}

export interface AppMetadata extends Entity {
  readonly client_id: string;
  readonly environment: string;
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

/** One user, whatever the number of tenants, environment aliases and apps the cache knows the user under. */
export interface AccountSummary {
  home_account_id: string;
  environment: string;
  username: string;
  name?: string;
  local_account_id: string;
  authority_type: string;
  /** The home tenant first. A user who is a guest elsewhere has more than one. */
  tenants: readonly TenantProfile[];
}

/** A user as one tenant knows them. */
export interface TenantProfile {
  realm: string;
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
  entities: readonly EntityChange[];
  kept: readonly KeptChange[];
}

/** Which entities `search` and `find` give. Without a filter: all of the type. */
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

/** What a sign-out removed: counts, never secrets. */
export interface SignOutReceipt {
  home_account_id: string;
  /** Seconds since the epoch. */
  at: number;
  removed: Record<EntityType, number>;
  /** Counted afresh after the removal, and 0. */
  remaining: number;
  /** Vaults only: what became of the key that opens older copies of the file. */
  oldKey?: 'destroyed' | 'pending';
}
