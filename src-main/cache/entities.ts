/**
 * The entities of the unified cache schema that the MSAL libraries share. Fields keep the names they have on the
 * wire; fields that Tokenkeep does not know are kept as they are. Times are decimal seconds since the epoch, as
 * strings.
 */

export const ENTITY_TYPES = ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const;

export type EntityType = (typeof ENTITY_TYPES)[number];
export type CredentialType = 'AccessToken' | 'RefreshToken' | 'IdToken';

/** Any entity, as it stands in a document. Frozen once it is in a cache: change it through `modify`. */
export interface Entity {
  readonly [field: string]: unknown;
}

export interface AccessToken extends Entity {
  readonly credential_type: 'AccessToken' | 'AccessToken_With_AuthScheme';
  readonly secret: string;
  /** `uid.utid`; null (MSAL Python) or "" (MSAL Node) in a token that belongs to an app and to no user. */
  readonly home_account_id: string | null;
  readonly environment: string;
  readonly client_id: string;
  /** Scopes, space-separated. */
  readonly target: string;
  readonly realm: string;
  readonly token_type?: string;
  readonly cached_at: string;
  readonly expires_on: string;
  readonly extended_expires_on?: string;
  readonly refresh_on?: string;
  readonly key_id?: string;
}

export interface RefreshToken extends Entity {
  readonly credential_type: 'RefreshToken';
  readonly secret: string;
  readonly home_account_id: string;
  readonly environment: string;
  readonly client_id: string;
  readonly target?: string;
  readonly last_modification_time?: string;
  readonly family_id?: string;
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
  readonly local_account_id: string;
  readonly username: string;
  /** `MSSTS`, `ADFS` or `Generic`. */
  readonly authority_type: string;
  readonly account_source?: string;
}

export interface AppMetadata extends Entity {
  readonly client_id: string;
  readonly environment: string;
  readonly family_id?: string;
}

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

/** What one call (`add`, `modify`, `signOut`, `deserialize`, a merge) did. Emitted once, after all of it is done. */
export interface CacheChange {
  entities: readonly EntityChange[];
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
