/**
 * From a token endpoint's response to entities. What the fields mean: RFC 6749 §5.1, OpenID Connect Core §3.1.3.3, and
 * for `client_info`, `foci`, `refresh_in`, `ext_expires_in` MSAL.
 */
import { InvalidArgumentError } from '../errors.ts';
import { type Claims, decodeObject, readToken, stringClaim } from './schema/claims.ts';
import type { AccessToken, Account, AppMetadata, IdToken, RefreshToken } from './schema/entities.ts';
import { cachedEnvironment, isMicrosoft } from './schema/environments.ts';
import { componentsOf, hashComponents } from './schema/extension.ts';
import { isRecord } from './json.ts';
import { homeTenantOf } from './schema/keys.ts';
import { folded } from './schema/match.ts';
import { isNode, type Profile } from './schema/dialects.ts';
import { ADFS_REALM, joinedProfiles } from './schema/tenant-profiles.ts';

/** What `TokenCache.add` takes: a token response, and of the request what can't be told from the response. */
export interface TokenResponseEvent {
  client_id: string;
  /** The scopes that were granted: `scope` of the response where it has one, else those asked for. */
  scope: readonly string[];
  /** Its host is the environment, the first part of its path the realm. */
  token_endpoint: string;
  /** The response as it was parsed. Numbers may be strings. */
  response: Readonly<Record<string, unknown>>;
  /** Overrides the host of the endpoint. */
  environment?: string;
  /** Overrides the tenant in the endpoint's path. */
  realm?: string;
  /** The account, where the response does not say: not every refresh does. */
  home_account_id?: string;
  /** MSSTS, ADFS or Generic, where the endpoint does not tell. */
  authority_type?: string;
  /** How the user signed in, e.g. `authorization_code`. */
  grant_type?: string;
  /** Parameters of the request: `key_id`, `token_type`, `username`; what is no known parameter makes an extended token. */
  data?: Readonly<Record<string, unknown>>;
  /** For refreshes: an account that was signed out meanwhile does not come back. */
  skipAccountCreation?: boolean;
}

export interface NewEntities {
  AccessToken?: AccessToken;
  Account?: Account;
  IdToken?: IdToken;
  RefreshToken?: RefreshToken;
  AppMetadata: AppMetadata;
}

/** RFC 6749 §5.1 leaves the lifetime open where a response has none; all MSAL libraries take ten minutes. */
const DEFAULT_LIFETIME = 600;

/** A whole number, also where it is given as a string; undefined for anything else. */
function whole(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

function filled(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Where the tokens come from. MSAL Python leaves the port out, MSAL Node keeps it. */
function placeOf(event: TokenResponseEvent, profile: Profile): { environment: string; tenant: string } {
  let url: URL;
  try {
    url = new URL(event.token_endpoint);
  } catch (cause) {
    throw new InvalidArgumentError('token_endpoint is not a URL. Nothing was added.', { cause });
  }
  const host = event.environment ?? (profile === 'msal-python' ? url.hostname : url.host);
  return {
    environment: profile === 'msal-python' ? host : cachedEnvironment(host),
    tenant: event.realm ?? decodeURIComponentSafely(url.pathname.split('/')[1] ?? ''),
  };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface Identity {
  home_account_id: string | undefined;
  local_account_id: string | undefined;
  clientInfo: Claims | undefined;
}

/** `uid.utid` where the provider tells them; else the subject of the ID token (ADFS, generic OpenID Connect). */
function identityOf(clientInfo: Claims | undefined, claims: Claims | undefined): Identity {
  const uid = stringClaim(clientInfo, 'uid');
  const utid = stringClaim(clientInfo, 'utid');
  const subject = stringClaim(claims, 'sub');
  return {
    home_account_id: uid !== undefined && utid !== undefined ? `${uid}.${utid}` : subject,
    local_account_id: stringClaim(claims, 'oid') ?? subject,
    clientInfo: uid !== undefined && utid !== undefined ? clientInfo : undefined,
  };
}

/** The claims: those that a broker hands over beside the token, or else those in it. */
function claimsOf(response: TokenResponseEvent['response']): Claims | undefined {
  if (isRecord(response['id_token_claims'])) return response['id_token_claims'];
  const read = readToken(filled(response['id_token']) ?? '');
  return read?.format === 'jwt' ? read.payload : undefined;
}

/** MSAL Node takes the tenant from the ID token (B2C: the policy), the others from the endpoint. */
function realmOf(
  tenant: string,
  claims: Claims | undefined,
  profile: Profile,
  override: string | undefined,
): string {
  if (override !== undefined || profile === 'msal-python') return tenant;
  return stringClaim(claims, 'tid') ?? stringClaim(claims, 'tfp') ?? stringClaim(claims, 'acr') ?? tenant;
}

/** @param now seconds since the epoch */
export function entitiesOf(event: TokenResponseEvent, now: number, profile: Profile): NewEntities {
  const { client_id, response, data = {} } = event;
  const { environment, tenant } = placeOf(event, profile);
  const claims = claimsOf(response);
  const clientInfo = decodeObject(filled(response['client_info']) ?? '');
  const identity = identityOf(clientInfo, claims);
  const home_account_id = identity.home_account_id ?? event.home_account_id;
  const realm = realmOf(tenant, claims, profile, event.realm);
  const target = (profile === 'msal-python' ? [...event.scope].sort() : [...event.scope]).join(' ');
  const owner = { environment, client_id };
  const entities: NewEntities = { AppMetadata: { ...owner, ...family(response) } };

  const accessToken = filled(response['access_token']);
  if (accessToken !== undefined) {
    entities.AccessToken = {
      credential_type: 'AccessToken',
      secret: accessToken,
      home_account_id: home_account_id ?? (profile === 'msal-python' ? null : ''),
      ...owner,
      target,
      realm,
      ...lifetime(response, now),
      ...binding(response, data, profile),
    };
  }
  const idToken = filled(response['id_token']);
  if (home_account_id !== undefined && idToken !== undefined) {
    const ofUser = isNode(profile) && folded(realm) === ADFS_REALM ? '' : realm;
    entities.IdToken = {
      credential_type: 'IdToken',
      secret: idToken,
      home_account_id,
      ...owner,
      realm: ofUser,
    };
  }
  const refreshToken = filled(response['refresh_token']);
  if (home_account_id !== undefined && refreshToken !== undefined) {
    entities.RefreshToken = {
      credential_type: 'RefreshToken',
      secret: refreshToken,
      home_account_id,
      ...owner,
      ...(isNode(profile) ? {} : { target, last_modification_time: String(now) }),
      ...family(response),
    };
  }
  if (home_account_id !== undefined && event.skipAccountCreation !== true) {
    entities.Account = accountOf(
      event,
      identity,
      home_account_id,
      { environment, tenant, realm },
      claims,
      profile,
    );
  }
  return entities;
}

function family(response: TokenResponseEvent['response']): { family_id?: string } {
  const foci = filled(response['foci']) ?? whole(response['foci']);
  return foci === undefined ? {} : { family_id: String(foci) };
}

function lifetime(
  response: TokenResponseEvent['response'],
  now: number,
): Pick<AccessToken, 'cached_at' | 'expires_on' | 'extended_expires_on' | 'refresh_on'> {
  const until = whole(response['expires_on']); // Managed identities give the time itself.
  const seconds = whole(response['expires_in']) ?? (until === undefined ? DEFAULT_LIFETIME : until - now);
  const extended = whole(response['ext_expires_in']) ?? seconds;
  const refresh = whole(response['refresh_in']);
  const at = (delay: number): string => String(Math.max(0, now + delay));
  return {
    cached_at: String(now),
    expires_on: at(seconds),
    extended_expires_on: at(extended),
    ...(refresh === undefined ? {} : { refresh_on: at(refresh) }),
  };
}

/** What a token is bound to: its scheme, a key, extension components. */
function binding(
  response: TokenResponseEvent['response'],
  data: NonNullable<TokenResponseEvent['data']>,
  profile: Profile,
): Partial<AccessToken> {
  const token_type = filled(response['token_type']) ?? filled(data['token_type']) ?? 'Bearer';
  const key_id = filled(data['key_id']);
  const components = componentsOf(data);
  const bound = isNode(profile) && token_type.toLowerCase() !== 'bearer';
  return {
    token_type,
    ...(key_id === undefined ? {} : { key_id }),
    ...(bound ? { credential_type: 'AccessToken_With_AuthScheme' } : {}),
    ...(components === undefined ? {} : extended(components, profile)),
  };
}

/** The hash alone could not be turned back into components, so they are kept beside it for MSAL Python, too. */
function extended(components: Record<string, string>, profile: Profile): Partial<AccessToken> {
  if (profile === 'msal-dotnet') return { credential_type: 'atext', ext: components };
  if (isNode(profile)) return { additionalCacheKeyComponents: components };
  return { ext_cache_key: hashComponents(components), additionalCacheKeyComponents: components };
}

function authorityTypeOf(
  event: TokenResponseEvent,
  place: { environment: string; tenant: string },
  known: boolean,
): string {
  if (event.authority_type !== undefined) return event.authority_type;
  if (place.tenant.toLowerCase() === 'adfs') return 'ADFS';
  return known || isMicrosoft(place.environment) ? 'MSSTS' : 'Generic';
}

function accountOf(
  event: TokenResponseEvent,
  identity: Identity,
  home_account_id: string,
  place: { environment: string; tenant: string; realm: string },
  claims: Claims | undefined,
  profile: Profile,
): Account {
  const username = stringClaim(claims, 'preferred_username') ?? stringClaim(claims, 'upn');
  const account: Account = {
    home_account_id,
    environment: place.environment,
    realm: place.realm,
    local_account_id: identity.local_account_id ?? null,
    username: username ?? filled(event.data?.['username']) ?? '',
    authority_type: authorityTypeOf(event, place, identity.clientInfo !== undefined),
    ...(event.grant_type === undefined || isNode(profile) ? {} : { account_source: event.grant_type }),
  };
  if (profile === 'msal-python') return account;
  const name = stringClaim(claims, 'name');
  const client_info = filled(event.response['client_info']);
  const named: Account = {
    ...account,
    ...(name === undefined ? {} : { name }),
    ...(client_info === undefined ? {} : { client_info }),
  };
  if (!isNode(profile)) return named;
  // MSAL Node has one account per user: it stands for the home tenant, and lists the tenants.
  return {
    ...named,
    realm: homeTenantOf(home_account_id) ?? (account.authority_type === 'ADFS' ? '' : account.realm),
    local_account_id: stringClaim(identity.clientInfo, 'uid') ?? named.local_account_id ?? '',
    tenantProfiles: joinedProfiles([named]),
  };
}
