/**
 * Adds the response of a token endpoint. Sources of the fields: RFC 6749 §5.1, OpenID Connect Core §3.1.3.3, and MSAL for
 * `client_info`, `foci`, `refresh_in` and `ext_expires_in`. Nothing is dropped silently: each token is stored, named in the
 * receipt, or refused with an error.
 */
import { InvalidArgumentError } from '../errors.ts';
import { checkOptions, HOST, type Kind, type OptionNames, TEXT, TEXT_OR_NULL, TEXTS } from '../options.ts';
import type { Entry } from './entry.ts';
import { issuerFor } from './accounts.ts';
import { copyWith, filled, folded, isRecord, sameJson, textOf } from './json.ts';
import { accountsLike, place, sameEntries, supersededEntries, usersAccounts } from './place.ts';
import {
  authorityOf,
  cachedEnvironment,
  followsMsal,
  isMicrosoft,
  issuerIn,
  mayOwn,
  sameEnvironment,
  sameIssuer,
} from './schema/authorities.ts';
import { type Claims, claimsIn, decodeObject, isAmbiguous, stringClaim, subjectOf } from './schema/claims.ts';
import { type Dialect, isNode } from './schema/dialects.ts';
import type {
  AccessToken,
  Account,
  AddReceipt,
  AppMetadata,
  Entity,
  EntityType,
  IdToken,
  RefreshToken,
} from './schema/entities.ts';
import {
  componentsOf,
  covers,
  hashComponents,
  hashText,
  schemeOf,
  scopesOf,
  sha256Base64url,
} from './schema/match.ts';
import { ADFS_REALM, homeTenantOf, joinedProfiles, tenantsOf } from './schema/tenant-profiles.ts';
import { dialectOf, type Store } from './store.ts';

/** The argument of `TokenCache.add`: a token response, and the parts of the request that the response does not contain. */
export interface TokenResponseEvent {
  client_id: string;
  /** The requested scopes, as a list or a space-separated string. `response.scope` contains the granted ones. */
  scope: string | readonly string[];
  /** The URL of the endpoint. Its host is the environment, the first part of its path is the realm. */
  token_endpoint: string;
  /** The parsed response. Numbers may be strings. Of `id_token_claims`, which MSAL Python adds, nothing is read: the ID token says it. */
  response: Readonly<Record<string, unknown>>;
  /**
   * The issuer (OpenID Connect Discovery §3). Name it where several issuers share a host: `client_info` then names no account, because it
   * does not say whose it is, and an ID token of another issuer is refused. Default: the issuer in the ID token, else that of the account in `home_account_id`, else the authority of the
   * endpoint.
   */
  issuer?: string;
  /** Overrides the host of the endpoint. */
  environment?: string;
  /** Overrides the tenant in the endpoint's path. */
  realm?: string;
  /**
   * The account, if the response does not name it: not every refresh does, and many providers have no ID tokens. You may use
   * an ID of your own. Default: an ID derived from the first token, which no other user can have. The receipt names it.
   */
  home_account_id?: string;
  /** `MSSTS`, `ADFS` or `Generic`, if it cannot be derived from the endpoint. With `Generic`, `client_info` names no account. */
  authority_type?: string;
  /**
   * The grant, e.g. `authorization_code`. Pass it: a response to `client_credentials` belongs to the app, but looks like
   * one of a user of a provider without ID tokens. Without it, such a response is treated as the app's.
   */
  grant_type?: string;
  /**
   * Parameters of the request: `resource` (RFC 8707), `audience` (RFC 8693), `key_id`, `token_type`, `username`, `assertion`. Other
   * parameters become extension components of the token.
   */
  data?: Readonly<Record<string, unknown>>;
  /** For refreshes: no account is created, so that one that was signed out meanwhile does not come back. */
  skipAccountCreation?: boolean;
}

/** The entities of one response. */
export interface NewEntities {
  AccessToken?: AccessToken;
  /** In its tenant, as MSAL Python and MSAL.NET store it; see `nodeAccount`. */
  Account?: Account;
  /** The user's ID in the home tenant, from `client_info`. */
  uid?: string;
  IdToken?: IdToken;
  RefreshToken?: RefreshToken;
  AppMetadata: AppMetadata;
  /** Whom the response names. */
  readonly identity: Identity;
  readonly expiry: AddReceipt['expiry'];
  readonly asked: readonly string[];
  readonly granted: readonly string[];
}

/** Lifetime in seconds that MSAL libraries assume if none is given. */
const ASSUMED_LIFETIME = 600;

/** The end of the year 9999. Later times are clamped to it. */
const LATEST = 253_402_300_799;

/** Parses an integer from a number or string; undefined for anything else. */
function whole(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

function invalid(field: string, problem: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`\`${field}\` ${problem}. Nothing was added.`, { field, cause });
}

const EVENT: OptionNames<TokenResponseEvent> = {
  client_id: true,
  scope: true,
  token_endpoint: true,
  response: true,
  issuer: TEXT_OR_NULL,
  environment: TEXT_OR_NULL,
  realm: TEXT_OR_NULL,
  home_account_id: TEXT_OR_NULL,
  authority_type: TEXT_OR_NULL,
  grant_type: TEXT_OR_NULL,
  data: true,
  skipAccountCreation: true,
};

/** Parameters of `data` that determine the purpose of a token. */
const DATA: Readonly<Record<string, Kind>> = {
  resource: TEXTS,
  audience: TEXTS,
  key_id: TEXT,
  token_type: TEXT,
  username: TEXT,
  assertion: TEXT,
  grant_type: TEXT,
  user_assertion_hash: TEXT,
  requested_claims_hash: TEXT,
};

/** Error codes that are safe to include in a message: short, and of common characters of RFC 6749 §5.2. */
const ERROR_CODE = /^[\w.:-]{1,80}$/;

const TOKENS = ['access_token', 'refresh_token', 'id_token'] as const;

/** The header of the last ID token, which names no field twice: the tokens of a provider have the same one until it changes its key. */
let checkedHeader = '';

/**
 * Checks the event, and decodes the parts of the response that say who the user is.
 *
 * @throws InvalidArgumentError that names the first invalid field
 */
function saidIn(event: TokenResponseEvent): Said {
  const given: unknown = event;
  if (!isRecord(given)) throw invalid('event', 'is not an object');
  const { client_id, environment, data, response, scope } = given;
  if (filled(client_id) === undefined) throw invalid('client_id', 'is not the id of an app');
  checkOptions('add', event, EVENT, 'Nothing was added.');
  if (filled(environment) !== undefined && !HOST.is(environment))
    throw invalid('environment', 'is not a host');
  if (data !== undefined) {
    if (!isRecord(data)) throw invalid('data', 'is not an object');
    for (const name in data) {
      const kind = Object.hasOwn(DATA, name) ? DATA[name] : undefined;
      if (kind !== undefined && !kind.is(data[name] ?? ''))
        throw invalid(`data.${name}`, `must be ${kind.what}`);
    }
  }
  if (!isRecord(response)) throw invalid('response', 'is not an object');
  const error = filled(response['error']);
  if (error !== undefined) {
    const code = ERROR_CODE.test(error) ? ` (${error})` : '';
    throw invalid(
      'response.error',
      `says that the provider refused${code}: there are no tokens in this response`,
    );
  }
  for (const field of TOKENS) {
    if (typeof (response[field] ?? '') !== 'string') throw invalid(`response.${field}`, 'is not text');
  }
  if (!TOKENS.some((field) => filled(response[field]))) throw invalid('response', 'holds no token');
  const idToken = filled(response['id_token']) ?? '';
  const claimed = claimsIn(idToken);
  // Decoded claims name no field twice, so the header is left.
  const header = claimed === undefined ? idToken : (idToken.split('.', 1)[0] ?? '');
  if (header !== checkedHeader) {
    if (isAmbiguous(header)) throw ambiguous('id_token');
    if (claimed !== undefined) checkedHeader = header;
  }
  const clientInfo = filled(response['client_info']) ?? '';
  const info = decodeObject(clientInfo);
  if (info === undefined && isAmbiguous(clientInfo)) throw ambiguous('client_info');
  if (scope === undefined && response['scope'] === undefined) throw invalid('scope', 'is missing');
  if (!TEXTS.is(scope ?? '')) throw invalid('scope', 'is neither text nor a list of texts');
  if (!TEXTS.is(response['scope'] ?? ''))
    throw invalid('response.scope', 'is neither text nor a list of texts');
  // MSAL Python and brokers copy the claims into `id_token_claims`: text beside the token, which no provider has signed.
  return { clientInfo: info, claims: claimed };
}

function ambiguous(field: string): InvalidArgumentError {
  return invalid(`response.${field}`, 'names a field twice, so programs may read different users from it');
}

/** Returns scopes as a list without duplicates. */
function listOf(scope: unknown): string[] {
  if (typeof scope === 'string') return [...new Set(scopesOf(scope))];
  return Array.isArray(scope) ? [...new Set((scope as string[]).flatMap(scopesOf))] : [];
}

/** GitHub, Slack and LinkedIn separate scopes by commas, which RFC 6749 §3.3 allows within a scope. The request decides. */
function grantedScopes(granted: readonly string[], asked: readonly string[]): readonly string[] {
  if (!granted.some((scope) => scope.includes(','))) return granted;
  const parts = granted.flatMap((scope) => scope.split(',')).filter((scope) => scope !== '');
  const known = new Set(asked.flatMap((scope) => scope.split(',')));
  return parts.length > granted.length && parts.some((scope) => known.has(scope)) ? parts : granted;
}

/** The URL of a token endpoint, and what it names. */
interface Endpoint {
  readonly url: URL;
  readonly environment: string;
  readonly tenant: string;
}

/** Derives environment and tenant from the endpoint. MSAL Python omits the port, MSAL Node keeps it. */
function placeOf(event: TokenResponseEvent, dialect: Dialect): Endpoint {
  let url: URL;
  try {
    url = new URL(event.token_endpoint);
  } catch (cause) {
    throw invalid('token_endpoint', 'is not a URL', cause);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid('token_endpoint', 'is neither an https nor an http URL');
  const host = filled(event.environment) ?? (dialect === 'msal-python' ? url.hostname : url.host);
  if (host === '') throw invalid('token_endpoint', 'has no host');
  let tenant = event.realm ?? url.pathname.split('/', 2)[1] ?? '';
  if (event.realm === undefined && tenant.includes('%')) {
    try {
      tenant = decodeURIComponent(tenant);
    } catch {
      // This is not valid percent-encoding: the tenant stays as it is.
    }
  }
  return { url, environment: dialect === 'msal-python' ? host : cachedEnvironment(host), tenant };
}

/** What a response says about the user. */
interface Said {
  clientInfo: Claims | undefined;
  /** The claims of the ID token. */
  claims: Claims | undefined;
}

interface Identity extends Said {
  home_account_id: string | undefined;
  local_account_id: string | undefined;
}

/** Returns `uid.utid` from `client_info` if present; else the subject of the ID token (AD FS, generic OpenID Connect). */
function identityOf({ clientInfo, claims }: Said): Identity {
  const uid = stringClaim(clientInfo, 'uid');
  const utid = stringClaim(clientInfo, 'utid');
  const subject = subjectOf(claims);
  return {
    home_account_id: uid !== undefined && utid !== undefined ? `${uid}.${utid}` : subject,
    local_account_id: stringClaim(claims, 'oid') ?? subject,
    clientInfo: uid !== undefined && utid !== undefined ? clientInfo : undefined,
    claims,
  };
}

/** Returns whether MSAL's rules identify the user of the response, as far as the request tells. */
function followsMsals(event: TokenResponseEvent, { environment, tenant }: Endpoint): boolean {
  const type = folded(event.authority_type);
  // A provider that the caller calls generic can't choose a tenant by which it would be AD FS.
  if (type === 'generic') return isMicrosoft(environment);
  return type === 'mssts' || followsMsal(environment, tenant, type);
}

/**
 * [Note: client_info] `client_info` names an account without its issuer. Where several issuers share a host, one of them could name an
 * account of another. So it counts where MSAL's rules apply. Elsewhere (a cloud or a domain that this code does not know, or a provider
 * that MSAL is configured for by `knownAuthorities`), it counts only if the caller names no issuer, and the ID token an issuer of Entra's
 * form or one that is the host itself.
 */
function mayNameAccount(
  event: TokenResponseEvent,
  endpoint: Endpoint,
  { home_account_id = '', clientInfo, claims }: Identity,
  known: KnownIssuers,
): boolean {
  if (clientInfo === undefined) return false;
  if (followsMsals(event, endpoint)) return true;
  if (folded(event.authority_type) === 'generic' || filled(event.issuer) !== undefined) return false;
  // An account that `client_info` named has no issuer. One that has an issuer is another's.
  if (known.has(home_account_id, endpoint.environment)) return false;
  const issuer = stringClaim(claims, 'iss');
  if (issuer === undefined) return ENTRA_ENDPOINT.test(endpoint.url.pathname);
  return ENTRA_ISSUER.test(issuer) || sameIssuer(issuer, endpoint.url.origin);
}

/** A tenant, a policy (B2C), and the path of Entra's token endpoint. */
const ENTRA_ENDPOINT = /^(?:\/tfp)?\/[^/]+(?:\/[^/]+)?(?:\/oauth2)?(?:\/v2(?:\.0)?)?\/token$/i;
const ENTRA_ISSUER =
  /^https?:\/\/[^/?#]+(?:\/tfp)?\/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:\/[^/?#]+)?(?:\/v2\.0)?\/?$/i;

/** Grants in which a user signs in. Their tokens belong to a user, even if the user is unknown. */
const USER_GRANTS: ReadonlySet<string> = new Set([
  'authorization_code',
  'password',
  'implicit',
  'broker',
  'urn:ietf:params:oauth:grant-type:device_code',
  'device_code',
  'urn:ietf:params:oauth:grant-type:saml1_1-bearer',
  'urn:ietf:params:oauth:grant-type:saml2-bearer',
  'urn:openid:params:grant-type:ciba',
]);

/**
 * Returns the account id; undefined if the tokens belong to the app. The id of an unknown user is derived from a token of the
 * sign-in, so that users do not share it, and has a prefix that no provider uses for subjects.
 */
function accountIdOf(
  event: TokenResponseEvent,
  identity: Identity,
  grant: string | undefined,
): string | undefined {
  const known = filled(event.home_account_id) ?? identity.home_account_id;
  if (known !== undefined) return known;
  const [idToken, refreshToken, accessToken] = ['id_token', 'refresh_token', 'access_token'].map((field) =>
    filled(event.response[field]),
  );
  // An ID token means a user, even if it can't be read: it may be encrypted, or lack a subject.
  const isUsers =
    refreshToken !== undefined ||
    idToken !== undefined ||
    grant === 'refresh_token' ||
    (grant !== undefined && USER_GRANTS.has(grant.toLowerCase()));
  return isUsers
    ? `unnamed:${hashText(refreshToken ?? accessToken ?? idToken ?? '').slice(0, 22)}`
    : undefined;
}

/** What the cache knows of issuers. */
interface KnownIssuers {
  /** Returns the issuer of an account; "" if MSAL's rules identify it, undefined if it is unknown. */
  of: (home_account_id: string, environment: string, endpoint: URL) => string | undefined;
  /** Whether the account, or a token of it, is one of this issuer, or of any if none is given. */
  has: (home_account_id: string, environment: string, issuer?: string) => boolean;
  /** Whether an ID token of the account names this issuer. */
  isSaid: (home_account_id: string, issuer: string) => boolean;
}
const NONE: KnownIssuers = { of: () => undefined, has: () => false, isSaid: () => false };

/**
 * Returns the issuer if it is part of the user's identity; see authorities.ts. If it is unknown, the endpoint's authority is
 * used.
 */
function issuerOf(
  event: TokenResponseEvent,
  endpoint: Endpoint,
  { clientInfo, claims }: Identity,
  home_account_id: string | undefined,
  known: KnownIssuers,
): string {
  const { url, environment } = endpoint;
  if (clientInfo !== undefined || followsMsals(event, endpoint)) return '';
  const [said, named] = [stringClaim(claims, 'iss'), filled(event.issuer)];
  if (said !== undefined && named !== undefined && !sameIssuer(said, named)) {
    // [Note: guessed issuer] The account was added without an ID token, under the authority of its endpoint. It stays under that name.
    const home = filled(event.home_account_id);
    const isGuess =
      home !== undefined &&
      sameIssuer(named, authorityOf(url)) &&
      known.has(home, environment, named) &&
      !known.isSaid(home, named);
    if (isGuess) return named;
    throw new OtherUserError('`response.id_token` is of another issuer than `issuer`. Nothing was added.', {
      field: 'response.id_token',
    });
  }
  const issuer = said ?? named;
  if (issuer !== undefined) return issuer;
  const adopted = home_account_id === undefined ? undefined : known.of(home_account_id, environment, url);
  return adopted ?? authorityOf(url);
}

/**
 * Returns the entities of a token response.
 *
 * @param now seconds since the epoch
 * @throws InvalidArgumentError if the event is invalid
 */
export function entitiesOf(
  event: TokenResponseEvent,
  now: number,
  dialect: Dialect,
  known: KnownIssuers = NONE,
): NewEntities {
  const { claims, clientInfo } = saidIn(event);
  const { client_id, response, data } = event;
  const where = placeOf(event, dialect);
  const { environment, tenant } = where;
  const told = identityOf({ claims, clientInfo });
  const isNamed = mayNameAccount(event, where, told, known);
  const identity = isNamed ? told : identityOf({ claims, clientInfo: undefined });
  const grant = filled(event.grant_type) ?? filled(data?.['grant_type']);
  const home_account_id = accountIdOf(event, identity, grant);
  const issuer = issuerOf(event, where, identity, home_account_id, known);
  // MSAL Node takes the tenant from the ID token (B2C: the policy), the others from the endpoint.
  const named =
    event.realm !== undefined || dialect === 'msal-python'
      ? tenant
      : (stringClaim(claims, 'tid') ?? stringClaim(claims, 'tfp') ?? stringClaim(claims, 'acr') ?? tenant);
  // MSAL's rules identify the user of an entity in this realm, and a provider writes its claims as it likes.
  const realm = issuer !== '' && folded(named) === ADFS_REALM ? '' : named;
  const scope: unknown = event.scope;
  const asked = listOf(scope === undefined ? response['scope'] : scope);
  const said = response['scope'] ?? undefined;
  const granted = said === undefined ? asked : grantedScopes(listOf(said), asked);
  const target = (dialect === 'msal-python' ? [...granted].sort() : granted).join(' ');
  const isAllGranted = granted === asked || covers(target, asked);
  const owner: { environment: string; client_id: string; issuer?: string } = { environment, client_id };
  if (issuer !== '') owner.issuer = issuer;
  const assertion = data && assertionHash(data, dialect);
  const foci = filled(response['foci']) ?? whole(response['foci']);
  const ofFamily = foci === undefined ? undefined : { family_id: String(foci) };
  const accessToken = filled(response['access_token']);
  const times = lifetime(response, accessToken ?? '', now);
  const entities: NewEntities = {
    AppMetadata: { environment, client_id, ...ofFamily },
    identity,
    expiry: accessToken === undefined ? null : times.expiry,
    asked,
    granted,
  };
  if (accessToken !== undefined) {
    const token_type = filled(response['token_type']) ?? filled(data?.['token_type']) ?? 'Bearer';
    entities.AccessToken = {
      credential_type: 'AccessToken',
      secret: accessToken,
      home_account_id: home_account_id ?? (dialect === 'msal-python' ? null : ''),
      ...owner,
      target,
      ...(isAllGranted ? undefined : { requested_scopes: asked.join(' ') }),
      realm,
      ...times.fields,
      token_type,
      ...(isNode(dialect) && schemeOf({ token_type }) !== ''
        ? { credential_type: 'AccessToken_With_AuthScheme' }
        : undefined),
      ...(data && purposeOf(data, dialect)),
      ...assertion,
    };
  }
  const idToken = filled(response['id_token']);
  if (home_account_id !== undefined && idToken !== undefined) {
    const ofUser = isNode(dialect) && folded(realm) === ADFS_REALM ? '' : realm;
    entities.IdToken = {
      credential_type: 'IdToken',
      secret: idToken,
      home_account_id,
      ...owner,
      realm: ofUser,
    };
  }
  const refreshToken = filled(response['refresh_token']);
  const refreshLife = REFRESH_LIFETIMES.map((name) => whole(response[name]) ?? 0).find((life) => life > 0);
  if (home_account_id !== undefined && refreshToken !== undefined) {
    entities.RefreshToken = {
      credential_type: 'RefreshToken',
      secret: refreshToken,
      home_account_id,
      ...owner,
      ...(isNode(dialect) ? undefined : { target, last_modification_time: String(now) }),
      ...(refreshLife === undefined ? undefined : { expires_on: timeText(now + refreshLife) }),
      ...ofFamily,
      ...assertion,
    };
  }
  if (home_account_id !== undefined && event.skipAccountCreation !== true) {
    const about = { environment, tenant, realm, issuer };
    entities.Account = accountOf(event, identity, home_account_id, about, grant, dialect);
    const uid = stringClaim(identity.clientInfo, 'uid');
    if (uid !== undefined) entities.uid = uid;
  }
  return entities;
}

/** Parses a time: seconds, milliseconds, ISO 8601, or the date format of Azure's managed identities. */
function timeOf(value: unknown): number | undefined {
  const number = whole(value);
  if (number !== undefined) return number > 1e11 ? Math.trunc(number / 1000) : number;
  const date = typeof value === 'string' && /\d[-/:]\d/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.trunc(date / 1000);
}

/** Returns a time as the schema writes it, in whole seconds. Times out of range are clamped. */
function timeText(time: number): string {
  return String(Math.min(Math.max(0, Math.trunc(time)), LATEST));
}

interface Lifetime {
  readonly expiry: 'given' | 'derived' | 'unknown';
  readonly fields: Pick<
    AccessToken,
    'cached_at' | 'expires_on' | 'extended_expires_on' | 'refresh_on' | 'unknown_expiry'
  >;
}

/** Returns the lifetime in the response, else that of the token itself, else an unknown one. */
function lifetime(response: TokenResponseEvent['response'], token: string, now: number): Lifetime {
  const seconds = whole(response['expires_in']);
  const until =
    seconds === undefined
      ? (timeOf(response['expires_on']) ?? timeOf(response['expires_at']))
      : now + seconds;
  const derived = until === undefined ? expiryIn(token) : undefined;
  const end = until ?? derived;
  const expires_on = timeText(end ?? now + ASSUMED_LIFETIME);
  const extended = whole(response['ext_expires_in']);
  const refresh = whole(response['refresh_in']);
  return {
    expiry: until !== undefined ? 'given' : derived !== undefined ? 'derived' : 'unknown',
    fields: {
      cached_at: String(now),
      expires_on,
      extended_expires_on: extended === undefined ? expires_on : timeText(now + extended),
      ...(refresh === undefined ? undefined : { refresh_on: timeText(now + refresh) }),
      ...(end === undefined ? { unknown_expiry: expires_on } : undefined),
    },
  };
}

/**
 * The lifetime of a refresh token, for which no standard has a name: `refresh_token_expires_in` at Microsoft, GitHub and
 * Google, `refresh_expires_in` at Keycloak, where 0 stands for no limit, `x_refresh_token_expires_in` at Intuit.
 */
const REFRESH_LIFETIMES = ['refresh_token_expires_in', 'refresh_expires_in', 'x_refresh_token_expires_in'];

/** Returns the `exp` of a JWT (RFC 7519 §4.1.4). */
function expiryIn(token: string): number | undefined {
  const exp = claimsIn(token)?.['exp'];
  return typeof exp === 'number' && Number.isFinite(exp) ? exp : undefined;
}

type Data = NonNullable<TokenResponseEvent['data']>;

/** Returns the fields for the purpose that a request gives a token: key, resource, audience, extension components. */
function purposeOf(data: Data, dialect: Dialect): Partial<AccessToken> {
  const key_id = filled(data['key_id']);
  const components = componentsOf(data);
  const resource = joinedText(data['resource']);
  const audience = joinedText(data['audience']);
  const claims = filled(data['requested_claims_hash']) ?? filled(data['requestedClaimsHash']);
  return {
    ...(key_id === undefined ? undefined : { key_id }),
    ...(resource === undefined ? undefined : { resource }),
    ...(audience === undefined ? undefined : { audience }),
    ...(claims === undefined ? undefined : { requestedClaimsHash: claims }),
    ...(components === undefined ? undefined : extended(components, dialect)),
  };
}

/** Joins several values of a parameter (RFC 8707 §2) into one text, independent of their order. */
export function joinedText(value: unknown): string | undefined {
  if (typeof value === 'string') return filled(value.trim());
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((item): item is string => typeof item === 'string' && item !== '');
  return texts.length === 0 ? undefined : texts.toSorted().join(' ');
}

/** Returns the hash of an on-behalf-of token's assertion (RFC 7523, MSAL). The token matches only this assertion. */
function assertionHash(
  data: Data,
  dialect: Dialect,
): { user_assertion_hash?: string; userAssertionHash?: string } | undefined {
  const onBehalf = data['requested_token_use'] === 'on_behalf_of' ? filled(data['assertion']) : undefined;
  const hash =
    filled(data['user_assertion_hash']) ??
    filled(data['userAssertionHash']) ??
    (onBehalf === undefined ? undefined : sha256Base64url(onBehalf));
  if (hash === undefined) return undefined;
  return isNode(dialect) ? { userAssertionHash: hash } : { user_assertion_hash: hash };
}

/** Returns the fields for extension components. MSAL Python needs only the hash, but the components are stored as well. */
function extended(components: Record<string, string>, dialect: Dialect): Partial<AccessToken> {
  if (dialect === 'msal-dotnet') return { credential_type: 'atext', ext: components };
  if (isNode(dialect)) return { additionalCacheKeyComponents: components };
  return { ext_cache_key: hashComponents(components), additionalCacheKeyComponents: components };
}

interface About {
  readonly environment: string;
  readonly tenant: string;
  readonly realm: string;
  readonly issuer: string;
}

/** MSAL Python lists accounts of generic providers only as `MSSTS`; the other libraries accept that too. */
function authorityTypeOf(event: TokenResponseEvent, about: About, known: boolean, dialect: Dialect): string {
  const generic = dialect === 'msal-python' ? 'MSSTS' : 'Generic';
  if (event.authority_type !== undefined)
    return event.authority_type === 'Generic' ? generic : event.authority_type;
  if (about.tenant.toLowerCase() === 'adfs') return 'ADFS';
  return known || isMicrosoft(about.environment) ? 'MSSTS' : generic;
}

const USERNAMES = ['preferred_username', 'upn', 'unique_name', 'email'] as const;

function accountOf(
  event: TokenResponseEvent,
  identity: Identity,
  home_account_id: string,
  about: About,
  grant: string | undefined,
  dialect: Dialect,
): Account {
  const { claims } = identity;
  const named = USERNAMES.find((claim) => stringClaim(claims, claim) !== undefined);
  const emails: unknown = claims?.['emails']; // B2C
  const email: unknown = Array.isArray(emails) ? emails[0] : undefined;
  const username = named === undefined ? email : claims?.[named];
  const signsIn = grant !== undefined && USER_GRANTS.has(grant.toLowerCase());
  const name = dialect === 'msal-python' ? undefined : stringClaim(claims, 'name');
  const client_info = dialect === 'msal-python' ? undefined : filled(event.response['client_info']);
  return {
    home_account_id,
    environment: about.environment,
    ...(about.issuer === '' ? undefined : { issuer: about.issuer }),
    realm: about.realm,
    local_account_id: identity.local_account_id ?? null,
    username: filled(username) ?? filled(event.data?.['username']) ?? '',
    authority_type: authorityTypeOf(event, about, identity.clientInfo !== undefined, dialect),
    ...(!signsIn || isNode(dialect) ? undefined : { account_source: grant }),
    ...(name === undefined ? undefined : { name }),
    ...(client_info === undefined ? undefined : { client_info }),
  };
}

/**
 * Returns the account as MSAL Node stores it: one per user, with the home tenant as its realm and a list of tenants.
 *
 * @param uid the user's ID in the home tenant, if it is known
 * @param others the user's account entities
 */
export function nodeAccount(account: Account, uid: string | undefined, others: readonly Account[]): Account {
  return {
    ...account,
    realm:
      homeTenantOf(account.home_account_id) ??
      (account.authority_type === 'ADFS' ? '' : (account.realm ?? '')),
    local_account_id: uid ?? account.local_account_id ?? '',
    tenantProfiles: joinedProfiles([account, ...others]),
  };
}

/**
 * Implements TokenCache.add. Must run in a transaction.
 *
 * @param now seconds since the epoch
 */
export function addResponse(store: Store, event: TokenResponseEvent, now: number): AddReceipt {
  const entities = entitiesOf(event, now, dialectOf(store), knownIssuers(store));
  const expected = filled(event.home_account_id);
  if (expected !== undefined) assertSubject(store, expected, entities);
  const kept: EntityType[] = [];
  for (const type of ['AccessToken', 'IdToken', 'RefreshToken'] as const) {
    const entity = entities[type];
    if (entity === undefined) continue;
    const superseded = supersededEntries(store, type, entity);
    assertSpelling(entity, superseded);
    place(store, type, entity, superseded);
    kept.push(type);
  }
  if (addAccount(store, entities)) kept.push('Account');
  if (addAppMetadata(store, entities.AppMetadata)) kept.push('AppMetadata');
  const { asked, granted, expiry } = entities;
  const all = granted.join(' ');
  const notGranted = granted === asked ? [] : asked.filter((scope) => !covers(all, [scope]));
  const { AccessToken, IdToken, RefreshToken } = entities;
  const entity = RefreshToken ?? IdToken ?? AccessToken;
  const id = entity?.home_account_id ?? '';
  const issuer = issuerIn(entity);
  const account: AddReceipt['account'] =
    entity === undefined || id === ''
      ? null
      : { home_account_id: id, environment: entity.environment, ...(issuer === '' ? undefined : { issuer }) };
  return Object.freeze({ account, kept, asked, granted, notGranted, expiry });
}

function knownIssuers(store: Store): KnownIssuers {
  const entitiesOfUser = (home: string, environment: string): Entity[] =>
    store
      .ofAccount(home)
      .map(({ entity }) => entity)
      .filter((entity) => entity !== null)
      .filter((entity) => sameEnvironment(textOf(entity['environment']), environment));
  return {
    of(home, environment, endpoint) {
      const accounts = accountsLike(store, home, environment).map(
        ({ entity }) => issuerIn(entity) || issuerFor(store, entity ?? {}),
      );
      const issuers = new Set(accounts.filter((issuer) => issuer !== '' && mayOwn(issuer, endpoint)));
      const [only] = issuers;
      if (issuers.size === 1) return only;
      // MSAL's rules identify it: another issuer would make it a second account.
      return accounts.length > 0 &&
        entitiesOfUser(home, environment).every((entity) => issuerIn(entity) === '')
        ? ''
        : undefined;
    },
    has: (home, environment, issuer) =>
      entitiesOfUser(home, environment)
        .map(issuerIn)
        .some((own) => own !== '' && (issuer === undefined || sameIssuer(own, issuer))),
    isSaid: (home, issuer) =>
      store.ofAccount(home).some(({ section, entity }) => {
        const iss =
          section === 'IdToken' ? stringClaim(claimsIn(String(entity?.['secret'])), 'iss') : undefined;
        return iss !== undefined && sameIssuer(iss, issuer);
      }),
  };
}

/**
 * A subject is case-sensitive (OpenID Connect Core §2). MSAL's keys are not, so what is here would be replaced by what another user gets.
 *
 * @throws InvalidArgumentError if the IDs of the two users differ only in case
 */
export function assertSpelling(fresh: Entity, replaced: readonly Entry[]): void {
  if (issuerIn(fresh) === '') return;
  const id = textOf(fresh['home_account_id']);
  if (replaced.every(({ entity }) => entity === null || textOf(entity['home_account_id']) === id)) return;
  throw invalid(
    'response.id_token',
    'names a user whose ID differs only in case from that of another user, who is signed in: sign that one out first',
  );
}

/** The tokens are of another user, or of another issuer, than the request was about. */
export class OtherUserError extends InvalidArgumentError {}

/**
 * Checks that a refresh returned tokens of the same user (OpenID Connect Core §12.2).
 *
 * @param expected the id of the account that was refreshed
 * @throws OtherUserError if the response belongs to another user
 */
function assertSubject(store: Store, expected: string, entities: NewEntities): void {
  const { Account, IdToken, identity: named } = entities;
  const owner = Account ?? IdToken;
  if (named.home_account_id === undefined || named.home_account_id === expected) return;
  if (folded(named.home_account_id) === folded(expected) && issuerIn(owner) === '') return;
  const another = (): OtherUserError => {
    const field = named.clientInfo === undefined ? 'response.id_token' : 'response.client_info';
    return new OtherUserError(
      `\`${field}\` is about another user than \`home_account_id\`. Nothing was added.`,
      {
        field,
      },
    );
  };
  if (named.clientInfo !== undefined) throw another();
  const environment = owner?.environment ?? '';
  const subject = subjectOf(named.claims);
  // Compare with the pairwise subject in the app's earlier ID token, which may differ from the account's ID.
  for (const { entity } of sameEntries(store, 'IdToken', { ...IdToken })) {
    const before = subjectOf(entity === null ? undefined : claimsIn(entity.secret));
    if (before !== undefined && before !== subject) throw another();
    if (before !== undefined) return;
  }
  if (homeTenantOf(expected) !== undefined && issuerIn(owner) === '') {
    const accounts = accountsLike(store, expected, environment).flatMap(({ entity }) => entity ?? []);
    if (isAnotherObject(expected, accounts, named.claims)) throw another();
    return;
  }
  const locals = accountsLike(store, expected, environment)
    .map(({ entity }) => filled(entity?.local_account_id))
    .filter((local) => local !== undefined);
  const isKnown = accountsLike(store, expected, environment).length > 0;
  const isSame = locals.length === 0 || locals.some((local) => local === named.local_account_id);
  if (!isKnown || !isSame) throw another();
}

/**
 * Returns whether an ID token of Entra is about another user than the account: its `oid` is the user's ID in its tenant `tid`. In the home
 * tenant, that is the account's `uid` (B2C adds the policy), elsewhere what the account's entity for the tenant says.
 */
function isAnotherObject(
  home_account_id: string,
  accounts: readonly Account[],
  claims: Claims | undefined,
): boolean {
  const [oid, tid] = [stringClaim(claims, 'oid'), stringClaim(claims, 'tid')].map((claim) => folded(claim));
  if (oid === undefined || tid === undefined || oid === '' || tid === '') return false;
  if (folded(homeTenantOf(home_account_id)) === tid) {
    const [uid = ''] = folded(home_account_id).split('.', 1);
    return uid !== oid && !uid.startsWith(`${oid}-`);
  }
  const known = folded(tenantsOf(accounts).find(({ realm }) => folded(realm) === tid)?.local_account_id);
  return known !== '' && known !== oid;
}

/**
 * Adds or updates an account. Fields that the response does not contain (grant type, other tenants) are kept.
 *
 * @returns whether there is an account
 */
function addAccount(store: Store, entities: NewEntities): boolean {
  if (entities.Account === undefined) return false;
  const dialect = dialectOf(store);
  const known = isNode(dialect)
    ? usersAccounts(store, entities.Account)
    : sameEntries(store, 'Account', entities.Account);
  assertSpelling(entities.Account, known);
  const accounts = known.flatMap(({ entity }) => entity ?? []);
  const fresh = isNode(dialect) ? nodeAccount(entities.Account, entities.uid, accounts) : entities.Account;
  const [before] = accounts;
  const changes: Record<string, unknown> = {};
  for (const field in fresh) {
    const value = fresh[field];
    if (value === '' || value === null) continue;
    // Keep the environment, and a user name that the technical name of a guest in another tenant would replace.
    if (before !== undefined && field === 'environment') continue;
    const isGuestName = field === 'username' && folded(value).includes('#ext#');
    if (!isGuestName || filled(before?.username) === undefined) changes[field] = value;
  }
  // Nearly every refresh describes the account as it is: that is no change, and is not written again.
  const isKnown = known.length === 1 && before !== undefined;
  if (isKnown && Object.keys(changes).every((field) => sameJson(changes[field], before[field]))) return true;
  const account = before === undefined ? fresh : copyWith(before, changes);
  place(store, 'Account', account, known, known[0]?.key);
  return true;
}

/**
 * MSAL Node throws if an app's metadata exists under two aliases, and writes metadata only for apps of a family.
 *
 * @returns whether there is app metadata
 */
function addAppMetadata(store: Store, fresh: AppMetadata): boolean {
  const known = sameEntries(store, 'AppMetadata', fresh);
  const { family_id } = fresh;
  if (known.length === 0 && family_id === undefined && isNode(dialectOf(store))) return false;
  // A response without a family does not remove the app from it: MSAL Node requests the family at every refresh.
  const before = known[0]?.entity;
  if (known.length === 1 && before && (family_id === undefined || before.family_id === family_id))
    return true;
  const app = before ? copyWith(before, family_id === undefined ? {} : { family_id }) : fresh;
  place(store, 'AppMetadata', app, known, known[0]?.key);
  return true;
}
