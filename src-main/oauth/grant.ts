/** Grants: their types, validation, and their form in a cache document. */
import { isRecord, MAX_DEPTH } from '../cache/json.ts';
import { type Claims, isAmbiguous, readToken, stringClaim } from '../cache/schema/claims.ts';
import {
  canonicalIssuer,
  followsMsal,
  isCustomerHost,
  isMicrosoft,
  sameIssuer,
} from '../cache/schema/authorities.ts';
import { sha256Base64url } from '../cache/schema/match.ts';
import type { GrantItem } from '../cache/schema/grants.ts';
import { GrantError, InvalidArgumentError } from '../errors.ts';

/** A JSON object of the caller or of the provider. Kept verbatim. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The answer of a token endpoint (RFC 6749 §5.1), with whatever fields the provider adds. */
export interface TokenResponse extends JsonObject {
  readonly access_token: string;
  readonly token_type?: string;
  /** Seconds, counted from now. */
  readonly expires_in?: number | string;
  readonly refresh_token?: string;
  readonly scope?: string;
  /** Parsed but not verified: validate it before you keep it (OpenID Connect Core §3.1.3.7). */
  readonly id_token?: string;
}

/** The user who signed in, if the tokens don't tell. */
export interface GrantAccount {
  /** The provider's id of the user. Default: `sub` of the ID token, else of the token response. */
  readonly subject?: string;
  /** The name that a list shows. Default: `preferred_username`, `upn` or `email` of the ID token, else the label. */
  readonly username?: string;
  /** Default: `name` of the ID token. */
  readonly name?: string;
}

/** One grant of an OAuth client, kept as it came. Everything in it is JSON. */
export interface Grant {
  /** The answer of the token endpoint. Absent before the first sign-in has ended. */
  readonly tokens?: TokenResponse;
  /** When the access token expires, in seconds since the epoch. Default: from `expires_in`, else from the token itself. */
  readonly expires_at?: number;
  /** The user who signed in. */
  readonly account?: GrantAccount;
  /** Keys that tokens are bound to (RFC 9449), as JWK JSON, by names of your own. Export a `CryptoKey` first. */
  readonly keys?: JsonObject;
  /** The client's registration (RFC 7591): client id, secret, registration token. */
  readonly client?: JsonObject;
  /** The metadata from discovery (RFC 8414, RFC 9728). */
  readonly discovery?: JsonObject;
  /** The data that a sign-in in progress needs to finish: PKCE verifier, state, nonce. */
  readonly pending?: JsonObject;
  /** Anything else that belongs to the grant. */
  readonly data?: JsonObject;
}

/** The part of a grant that a list shows: no secrets. */
export interface GrantSummary {
  readonly label: string;
  /** The issuer that it is filed under. */
  readonly issuer: string;
  /** The client that it is filed under. */
  readonly client_id: string;
  /** The account that it belongs to, for `signOut`. */
  readonly home_account_id: string;
  /** The label, if the provider gave no name. */
  readonly username: string;
  /** The granted scopes, space-separated; "" if the provider named none. */
  readonly scope: string;
  /** When the access token expires, in seconds since the epoch; null if unknown or there is none. */
  readonly expires_at: number | null;
  /** When it was kept, in seconds since the epoch. */
  readonly cached_at: number;
  /** The parts that it has: `access_token`, `refresh_token`, `id_token`, `keys`, `client`, … */
  readonly holds: readonly string[];
  /** Whether the provider refused its refresh token for good, so that the user has to sign in. */
  readonly isRefused: boolean;
}

/** A grant as it is kept. */
export interface KeptGrant
  extends Grant,
    Pick<GrantSummary, 'label' | 'issuer' | 'client_id' | 'cached_at'> {}

/** The fields that identify a grant. */
export interface Place {
  readonly issuer: string;
  /** Whether `issuer` is the resource that the grant is for, whose authorization server has a different issuer. */
  readonly isResource?: boolean;
  readonly client_id: string;
  readonly label: string;
}

/** A refusal, and the hash of the refresh token that it is about: another program may have replaced the token since. */
export interface Refusal {
  readonly hash: string;
  readonly at: number;
  /** The provider answered for another user, or as another issuer, instead of refusing. Where tokens rotate, the answer has used the refresh token up. */
  readonly other?: Other;
}

type Other = 'subject' | 'issuer';

/** A grant, and Tokenkeep's own data about it. */
export interface Stored {
  readonly grant: Grant;
  readonly refused?: Refusal;
}

/** The key of a grant in its root. It reveals nothing, and no two places share one. */
export function keyOf({ issuer, client_id, label }: Place): string {
  return `grant-${sha256Base64url(JSON.stringify([canonicalIssuer(issuer), client_id, label])).slice(0, 32)}`;
}

const PARTS = ['tokens', 'account', 'keys', 'client', 'discovery', 'pending', 'data'] as const;
const FIELDS: ReadonlySet<string> = new Set([...PARTS, 'expires_at']);
/** Fields that `get` and `fresh` add to a grant. They are not part of it. */
const OWN: ReadonlySet<string> = new Set(['label', 'issuer', 'client_id', 'cached_at']);
/** The last second of the year 9999. What is later is in milliseconds. */
const LAST_SECOND = 253_402_300_799;
const OPTIONAL_TOKENS: ReadonlySet<string> = new Set(['refresh_token', 'id_token']);
const TOKEN_TEXTS = ['access_token', 'refresh_token', 'id_token', 'token_type', 'scope'] as const;

function cannotKeep(field: string, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(`This grant can’t be kept: \`${field}\` ${problem}. Nothing was changed.`, {
    field,
  });
}

/** @throws InvalidArgumentError naming the first field that JSON can't hold */
function assertJson(value: unknown, field: string, depth = 0): void {
  if (depth > MAX_DEPTH - 10) throw cannotKeep(field, 'is nested too deep, or contains itself');
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined': // Left out, as JSON leaves it out.
      return;
    case 'number':
      if (!Number.isFinite(value)) throw cannotKeep(field, 'is not a number that JSON can hold');
      return;
    case 'object':
      break;
    default:
      throw cannotKeep(field, `is a ${typeof value}, which JSON can’t hold`);
  }
  if (value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (item === undefined) throw cannotKeep(`${field}[${index}]`, 'is missing');
      assertJson(item, `${field}[${index}]`, depth + 1);
    }
    return;
  }
  if (!isRecord(value)) {
    const kind: unknown = value.constructor.name;
    const hint = kind === 'CryptoKey' ? ': export it as a JWK' : '';
    throw cannotKeep(field, `is a ${String(kind)}, which JSON can’t hold${hint}`);
  }
  for (const name of Object.keys(value)) assertJson(value[name], `${field}.${name}`, depth + 1);
}

/**
 * Returns a copy of the grant that shares nothing with the caller's.
 *
 * @throws InvalidArgumentError if it can't be kept; `field` names the cause
 */
export function checkedGrant(grant: unknown): Grant {
  if (!isRecord(grant)) throw cannotKeep('grant', 'is not an object');
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(grant)) {
    if (OWN.has(name) || grant[name] === undefined) continue;
    if (!FIELDS.has(name)) throw cannotKeep(name, 'is no field of a grant; put it into `data`');
    assertJson(grant[name], name);
    copy[name] = JSON.parse(JSON.stringify(grant[name]));
  }
  for (const name of PARTS)
    if (copy[name] !== undefined && !isRecord(copy[name])) throw cannotKeep(name, 'is not an object');
  const { tokens, account, expires_at } = copy;
  if (isRecord(tokens)) {
    // Providers whose serializer writes empty fields mean that there is none.
    copy['tokens'] = Object.fromEntries(
      Object.entries(tokens).filter(
        ([name, value]) => !OPTIONAL_TOKENS.has(name) || (value !== '' && value !== null),
      ),
    );
    assertTokens(copy['tokens'] as JsonObject);
  }
  for (const [name, value] of Object.entries((account ?? {}) as JsonObject))
    if (typeof value !== 'string' || value === '') throw cannotKeep(`account.${name}`, 'is not text');
  if (expires_at !== undefined && !isSecond(expires_at))
    throw cannotKeep('expires_at', 'is not a number of seconds since the epoch');
  return copy;
}

function isSecond(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
}

function assertTokens(tokens: JsonObject): void {
  if (tokens['error'] !== undefined)
    throw cannotKeep('tokens', 'is an error of the provider, not its tokens');
  for (const name of TOKEN_TEXTS) {
    const value = tokens[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') throw cannotKeep(`tokens.${name}`, 'is not text');
    if (value === '' && name !== 'scope' && name !== 'token_type')
      throw cannotKeep(`tokens.${name}`, 'is empty');
    if (name === 'id_token' && isAmbiguous(value))
      throw cannotKeep(
        'tokens.id_token',
        'names a field twice, so programs may read different users from it',
      );
  }
  if (typeof tokens['access_token'] !== 'string' && typeof tokens['refresh_token'] !== 'string')
    throw cannotKeep('tokens.access_token', 'is missing');
  const { expires_in } = tokens;
  if (expires_in !== undefined && expires_in !== null && Number.isNaN(secondsIn(expires_in)))
    throw cannotKeep('tokens.expires_in', 'is not a number of seconds');
}

function secondsIn(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : NaN;
  return typeof value === 'string' && /^\d{1,12}(?:\.\d+)?$/.test(value) ? Number(value) : NaN;
}

/** The claims of a token that is a JWT; empty for anything else. */
function claimsIn(token: unknown): Claims {
  const read = typeof token === 'string' ? readToken(token) : undefined;
  return read?.format === 'jwt' ? read.payload : {};
}

/** Returns when the access token expires, in seconds since the epoch; undefined if unknown. */
export function expiryOf({ tokens, expires_at }: Grant, cachedAt: number): number | undefined {
  if (tokens?.access_token === undefined) return undefined;
  if (expires_at !== undefined) return Math.min(expires_at, LAST_SECOND);
  const told = secondsIn(tokens.expires_in);
  if (!Number.isNaN(told)) return Math.min(cachedAt + told, LAST_SECOND); // some say "never" by a huge number
  const { exp } = claimsIn(tokens.access_token);
  if (typeof exp !== 'number' || exp < 0) return undefined;
  return Math.floor(exp > LAST_SECOND ? exp / 1000 : exp);
}

/** Returns the subject that the caller or the tokens name; undefined if none does. */
function subjectOf({ tokens, account }: Grant): string | undefined {
  return account?.subject ?? stringClaim(claimsIn(tokens?.id_token), 'sub') ?? stringClaim(tokens, 'sub');
}

/** Returns the issuers that the tokens name. */
function issuersSaidBy(tokens: TokenResponse): string[] {
  const said = [
    stringClaim(claimsIn(tokens.id_token), 'iss'),
    stringClaim(tokens, 'iss'),
    stringClaim(tokens, 'issuer'),
  ];
  return said.filter((issuer) => issuer !== undefined);
}

/**
 * Whether an issuer that an ID token names may be the one that the grant is filed under. Microsoft's ID tokens name the user's tenant even
 * if the app was configured with `common`.
 */
function mayBe(said: string, { issuer: filed, isResource }: Place): boolean {
  if (isResource === true || sameIssuer(said, filed)) return true;
  const [one, other] = [hostIn(said), hostIn(filed)];
  if (!isMicrosoft(one) || !isMicrosoft(other)) return false;
  if (one === other || !(isCustomerHost(one) || isCustomerHost(other))) return true;
  // The tokens of External ID have the tenant's ID in place of its name, in the host and in the path.
  const [tenant = ''] = one.split('.');
  return (
    GUID.test(tenant) &&
    said.includes(`//${tenant}.ciamlogin.com/${tenant}`) &&
    other.endsWith('.ciamlogin.com')
  );
}

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function hostIn(issuer: string): string {
  try {
    return new URL(canonicalIssuer(issuer)).host;
  } catch {
    return '';
  }
}

/** @throws InvalidArgumentError if the ID token names an issuer that the grant is not filed under */
export function assertIssuer({ tokens }: Grant, place: Place): void {
  const said = stringClaim(claimsIn(tokens?.id_token), 'iss');
  if (said === undefined || mayBe(said, place)) return;
  throw cannotKeep(
    'tokens.id_token',
    'was issued by another issuer than the one that the grant is filed under',
  );
}

/**
 * Returns the grant after a refresh. What the provider left out stays: the refresh token (RFC 6749 §6), the scope and the ID token.
 *
 * @throws GrantError if the answer is for another user or from another issuer
 */
export function refreshed(old: Grant, answer: TokenResponse, place: Place): Grant {
  const { tokens: before } = old;
  if (isOfAnotherUser(old, answer)) throw mismatch('subject', place);
  const known = before === undefined ? [] : issuersSaidBy(before);
  const isOther = (said: string): boolean =>
    known.length > 0 ? !known.some((issuer) => sameIssuer(issuer, said)) : !mayBe(said, place);
  if (issuersSaidBy(answer).some(isOther)) throw mismatch('issuer', place);
  const kept: Record<string, unknown> = {};
  for (const name of ['refresh_token', 'scope', 'id_token'] as const)
    if (before?.[name] !== undefined && (answer[name] ?? '') === '') kept[name] = before[name];
  const { expires_at, ...rest } = old;
  return { ...rest, tokens: { ...answer, ...kept } };
}

/** Compares like with like: what the ID tokens say, what the responses say, and only then what the caller said. */
function isOfAnotherUser({ tokens, account }: Grant, answer: TokenResponse): boolean {
  const [idTokens, responses] = [
    [tokens?.id_token, answer.id_token].map((token) => stringClaim(claimsIn(token), 'sub')),
    [tokens, answer].map((response) => stringClaim(response, 'sub')),
  ];
  const pairs = [idTokens, responses, [account?.subject, idTokens[1] ?? responses[1]]];
  const [was, is] = pairs.find(([one, other]) => one !== undefined && other !== undefined) ?? [];
  return was !== is;
}

/** Returns the error for a refresh that was answered for another user, or from another issuer. */
export function mismatch(other: Other, { label }: Place): GrantError {
  const [code, who] =
    other === 'subject'
      ? (['grant_other_subject', 'for another user'] as const)
      : (['grant_other_issuer', 'from another issuer'] as const);
  return new GrantError(
    code,
    `The provider answered the refresh of “${label}” with tokens ${who}. They were not kept, and the old grant is unchanged. Its refresh token is not sent again. Sign the user in again.`,
  );
}

/** Returns what differed if a refresh was answered for another user or from another issuer. */
export function mismatchIn(error: unknown): Other | undefined {
  if (!(error instanceof GrantError)) return undefined;
  if (error.code === 'grant_other_subject') return 'subject';
  return error.code === 'grant_other_issuer' ? 'issuer' : undefined;
}

function holdsOf(grant: Grant): string[] {
  const tokens = ['access_token', 'refresh_token', 'id_token'].filter(
    (name) => typeof grant.tokens?.[name] === 'string',
  );
  return [
    ...tokens,
    ...(['keys', 'client', 'discovery', 'pending', 'data'] as const).filter((name) => grant[name]),
  ];
}

/** The account id: at Microsoft the one that MSAL gives a user of the tenant. For guests and with B2C, MSAL's may differ. */
function accountIdOf(grant: Grant, { label }: Place, environment: string): string {
  const { oid, tid } = claimsIn(grant.tokens?.id_token);
  if (isMicrosoft(environment) && typeof oid === 'string' && typeof tid === 'string') return `${oid}.${tid}`;
  return subjectOf(grant) ?? `label:${label}`;
}

/** The item that a document holds for a grant. */
export function itemOf(place: Place, { grant, refused }: Stored, cachedAt: number): GrantItem {
  const { issuer, client_id, label } = place;
  const environment = hostIn(issuer);
  const path = new URL(canonicalIssuer(issuer)).pathname;
  const isMsal = followsMsal(environment, /^\/adfs(?:\/|$)/i.test(path) ? 'adfs' : '');
  const claims = claimsIn(grant.tokens?.id_token);
  const username =
    grant.account?.username ??
    ['preferred_username', 'upn', 'email'].map((name) => stringClaim(claims, name)).find((text) => text);
  const name = grant.account?.name ?? stringClaim(claims, 'name');
  const expires = expiryOf(grant, cachedAt);
  return {
    home_account_id: accountIdOf(grant, place, environment),
    environment,
    ...(isMsal ? {} : { issuer: canonicalIssuer(issuer) }),
    authority: issuer,
    client_id,
    label,
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
    ...(typeof grant.tokens?.scope === 'string' ? { target: grant.tokens.scope } : {}),
    ...(expires === undefined ? {} : { expires_on: String(Math.floor(expires)) }),
    cached_at: String(cachedAt),
    holds: holdsOf(grant).join(' '),
    ...(refused === undefined ? {} : { refused_at: String(refused.at) }),
    secret: JSON.stringify({ grant, ...(refused === undefined ? {} : { refused }) }),
  };
}

/** Reads the grant in an item. Opens its secret. undefined if the text is of a newer version. */
export function storedIn(item: GrantItem): Stored | undefined {
  try {
    const value: unknown = JSON.parse(item.secret);
    return isRecord(value) && isRecord(value['grant']) ? (value as unknown as Stored) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // Its message quotes the text.
    throw error;
  }
}

/** Returns the part of an item that a list shows. Opens no secret. */
export function summaryOf(item: GrantItem): GrantSummary {
  const expires = item.expires_on ?? null;
  return {
    label: item.label,
    issuer: item.authority,
    client_id: item.client_id,
    home_account_id: item.home_account_id,
    username: item.username ?? item.label,
    scope: item.target ?? '',
    expires_at: expires === null ? null : Number(expires),
    cached_at: Number(item.cached_at ?? 0),
    holds: item.holds.split(' ').filter((part) => part !== ''),
    isRefused: (item.refused_at ?? null) !== null,
  };
}

export function keptGrant(item: GrantItem, { grant }: Stored): KeptGrant {
  const { label, authority, client_id } = item;
  const cachedAt = Number(item.cached_at ?? 0);
  const expires = expiryOf(grant, cachedAt);
  const at = expires === undefined ? {} : { expires_at: expires };
  return { ...grant, ...at, label, issuer: authority, client_id, cached_at: cachedAt };
}

/** @throws InvalidArgumentError if the issuer is no URL, or a name is empty */
export function checkedPlace(place: Place): Place {
  for (const name of ['issuer', 'client_id', 'label'] as const) {
    const value: unknown = place[name];
    if (typeof value !== 'string' || value === '')
      throw new InvalidArgumentError(`\`${name}\` is not text. Nothing was changed.`, { field: name });
  }
  if (hostIn(place.issuer) === '')
    throw new InvalidArgumentError('`issuer` is not the URL of an issuer. Nothing was changed.', {
      field: 'issuer',
    });
  return place;
}
