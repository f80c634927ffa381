/**
 * The entities of the unified cache schema that the MSAL libraries share. Fields keep the names they have on the
 * wire; fields that Tokenkeep does not know are kept as they are. Times are decimal seconds since the epoch, as
 * strings.
 */

export const ENTITY_TYPES = ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'] as const;

/** As the schema names them. */
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

/** What an API is called with (RFC 6749 §1.4). Its key is of no meaning; what it is for is in its fields. */
export interface AccessToken extends Entity {
  /** `AccessToken`; another for a token that is bound to a key or has extension components. */
  readonly credential_type: 'AccessToken' | 'AccessToken_With_AuthScheme' | 'atext';
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** `uid.utid`; null (MSAL Python), "" (MSAL Node) or absent in a token that belongs to an app and to no user. */
  readonly home_account_id?: string | null;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The app that it was given to. */
  readonly client_id: string;
  /** Scopes, space-separated. */
  readonly target: string;
  /** The tenant that it is for; "" where there are none. */
  readonly realm: string;
  /** As the provider says it, such as `Bearer` or `pop`; MSAL.NET leaves `Bearer` out. */
  readonly token_type?: string | null;
  /** When it was cached. In the future: the clock was set back since, and the token is not used. */
  readonly cached_at: string;
  /** When the API stops to accept it; it is not used in the 300 seconds before. */
  readonly expires_on: string;
  /** Until when a library may use it while the provider is down; `acquireTokenSilent` of Tokenkeep does not. */
  readonly extended_expires_on?: string | null;
  /** From when on the provider wants it refreshed, though it is still good. */
  readonly refresh_on?: string | null;
  /** Names the key that the token is bound to. */
  readonly key_id?: string | null;
}

/** What new access tokens are got with (RFC 6749 §1.5). It does not say how long it is good for. */
export interface RefreshToken extends Entity {
  readonly credential_type: 'RefreshToken';
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** Whose it is: `uid.utid`, or the `sub` of the ID token. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The app that it was given to. */
  readonly client_id: string;
  /** Scopes that it was given for, space-separated. MSAL Node leaves them out. */
  readonly target?: string | null;
  /** When it was cached; MSAL Node leaves it out. */
  readonly last_modification_time?: string | null;
  /** "1" where every app of Microsoft’s family may use it. */
  readonly family_id?: string | null;
}

/** What the provider says of the user (OpenID Connect Core §2). It is kept as it came, and not verified again. */
export interface IdToken extends Entity {
  readonly credential_type: 'IdToken';
  /** The token itself. In a vault it is sealed by itself, and opened when it is read. */
  readonly secret: string;
  /** Whose it is: `uid.utid`, or its own `sub`. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The tenant that speaks; "" where there are none. */
  readonly realm: string;
  /** The app that it was given to. */
  readonly client_id: string;
}

/** A signed-in user in one tenant. A user of several has one for each. */
export interface Account extends Entity {
  /** `uid.utid`: the user and the home tenant; elsewhere the `sub` of the ID token. */
  readonly home_account_id: string;
  /** Host of the provider, in one of the names of its cloud. */
  readonly environment: string;
  /** The tenant; `adfs` for AD FS, "" where there are none. */
  readonly realm: string;
  /** null in MSAL Python where a response had no ID token. */
  readonly local_account_id?: string | null;
  /** What the user signs in with: `preferred_username`, else `upn`, else "". */
  readonly username: string;
  /** `MSSTS`, `ADFS` or `Generic`. */
  readonly authority_type: string;
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

/** One user, whatever the number of tenants, environment aliases and apps the cache knows the user under. */
export interface AccountSummary {
  /** `uid.utid`, or the `sub` of the ID token. What `signOut` takes. */
  home_account_id: string;
  /** As the first of its accounts has it. */
  environment: string;
  /** "" where the provider gave none. */
  username: string;
  /** Where an ID token or MSAL Node’s account tells it. */
  name?: string;
  /** In the home tenant: `oid`, else `sub`; "" where it is not known. */
  local_account_id: string;
  /** `MSSTS`, `ADFS` or `Generic`. */
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
  /** Who was signed out; "" where it was an app. */
  home_account_id: string;
  /** Seconds since the epoch. */
  at: number;
  /** How many of each type. */
  removed: Record<EntityType, number>;
  /** Counted afresh after the removal, and 0. */
  remaining: number;
  /** Vaults only: what became of the key that opens older copies of the file. */
  oldKey?: 'destroyed' | 'pending';
}
