/** The tokens of one account as a window shows them: purpose, lifetime and claims, never a secret or a signature. */
import { createHmac, randomBytes } from 'node:crypto';
import { membersIn } from '../cache/json.ts';
import {
  type Claims,
  decodeBase64url,
  type ReadToken,
  readToken,
  stringClaim,
} from '../cache/schema/claims.ts';
import { expiryOf, isExpiryUnknown, secondsOf } from '../cache/schema/expiry.ts';
import { extensionOf, scopesOf } from '../cache/schema/match.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import {
  type AccountId,
  allTokensOf,
  type CachedAccount,
  findAccount,
  idOf,
  type Token,
} from '../accounts/cached-accounts.ts';
import type { Claim, DecodedToken, TokenItem } from './contract.ts';

/** The account's id, a dot, and the token's id, so that a token is found without searching all accounts. */
export type TokenId = string;

export interface IdentifiedToken {
  id: TokenId;
  type: TokenItem['type'];
  token: Token;
}

/** @throws InvalidArgumentError if the token or its account no longer exists */
export function findToken(cache: TokenCache, id: TokenId): [CachedAccount, IdentifiedToken] {
  const account = findAccount(cache, accountIdOf(id));
  const found = identify(account).find((candidate) => candidate.id === id);
  if (found !== undefined) return [account, found];
  throw new InvalidArgumentError('This token is no longer in the cache. Nothing was done.');
}

const accountIdOf = (id: TokenId): AccountId => id.split('.', 1)[0] ?? '';

/** Access tokens first, then refresh and ID tokens, each with its id. */
export function identify(account: CachedAccount): IdentifiedToken[] {
  const taken = new Map<string, number>();
  const { accessTokens, refreshTokens, idTokens } = allTokensOf(account);
  return [
    ...accessTokens.map((token) => ({ type: 'AccessToken' as const, token })),
    ...refreshTokens.map((token) => ({ type: 'RefreshToken' as const, token })),
    ...idTokens.map((token) => ({ type: 'IdToken' as const, token })),
  ].map(({ type, token }) => {
    const own = idOf(type, ...identity(token));
    // Two libraries may have stored one credential under different keys; both are shown.
    const before = taken.get(own) ?? 0;
    taken.set(own, before + 1);
    return { id: `${account.id}.${before === 0 ? own : `${own}-${before}`}`, type, token };
  });
}

/** Returns the fields that identify a credential independently of its secret. */
function identity(token: Token): string[] {
  const fields = ['environment', 'client_id', 'realm', 'target', 'token_type', 'key_id', 'family_id'];
  return [...fields.map((field) => text(token, field) ?? ''), extensionOf(token)];
}

/**
 * Returns the tokens of an account as a window lists them: nothing in them is a secret.
 *
 * @example
 * import { type AccountId, findAccount, tokenItems } from 'tokenkeep/ipc';
 *
 * const expiries = (id: AccountId) =>
 *   vault.read((cache) => tokenItems(findAccount(cache, id)).map(({ expires_on }) => expires_on));
 */
export function tokenItems(account: CachedAccount): TokenItem[] {
  const names = clientNames(account);
  return identify(account).map(({ id, type, token }) => ({
    id,
    type,
    place: 'vault',
    environment: token.environment,
    realm: realmOf(token),
    client_id: token.client_id,
    client_name: names.get(token.client_id.toLowerCase()) ?? null,
    scopes: scopesOf(text(token, 'target') ?? ''),
    audience: audienceOf(type, token),
    token_type: text(token, 'token_type'),
    key_id: text(token, 'key_id'),
    family_id: text(token, 'family_id'),
    format: contentsOf(token)?.format ?? 'opaque',
    cached_at: seconds(token['cached_at']),
    expires_on: type === 'IdToken' ? numberClaim(token, 'exp') : seconds(expiryOf(token)),
    extended_expires_on: isExpiryUnknown(token) ? null : seconds(token['extended_expires_on']),
    refresh_on: seconds(token['refresh_on']),
    last_modification_time: seconds(token['last_modification_time']),
    signature: null,
  }));
}

/** The tenant of a token; null if it has none. */
export function realmOf(token: Token): string | null {
  return text(token, 'realm');
}

/** Names of apps by client id, from the access tokens that have one (Microsoft's v1 tokens do). */
export function clientNames(account: CachedAccount): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const token of account.accessTokens) {
    const name = stringClaim(claimsOf(token), 'app_displayname');
    if (name !== undefined) names.set(token.client_id.toLowerCase(), name);
  }
  return names;
}

/** A time in seconds since the epoch; null if the field is missing or not a time. */
export function seconds(field: unknown): number | null {
  const value = secondsOf(field);
  return Number.isFinite(value) ? value : null;
}

/** A token's header and payload. [Note: no secret in a window]: never the signature, never an opaque token. */
export function decoded(token: Token): DecodedToken {
  const secret = secretOf(token);
  const found = secret === '' ? OPAQUE : contentsOf(token);
  const mark = createHmac('sha256', MARKS).update(secret).digest('base64url').slice(0, 22);
  if (found === null) return { mark, format: 'opaque', length: secret.length };
  const [headerText, payloadText] = secret.split('.', 2).map((part) => decodeBase64url(part) ?? '');
  // A header that is not read, such as one that names a field twice, is not shown either.
  const header = Object.keys(found.header).length === 0 ? [] : claimList(headerText ?? '');
  return found.format === 'jwe'
    ? { mark, format: 'jwe', header }
    : { mark, format: 'jwt', header, payload: claimList(payloadText ?? '') };
}

/** The key of the marks: without it, a window can't test guesses of a token. */
const MARKS = randomBytes(32);

const OPAQUE = null;
const decodedTokens = new WeakMap<Token, ReadToken | typeof OPAQUE>();

/**
 * The contents of a token; null if the token is opaque or its secret can't be opened any more. Reading opens the secret, which a vault
 * encrypts separately, so it is done once, when first needed, and only the claims are kept. Entities are frozen, so the result stays true.
 */
export function contentsOf(token: Token): ReadToken | null {
  const before = decodedTokens.get(token);
  if (before !== undefined) return before;
  const fresh = read(token);
  decodedTokens.set(token, fresh);
  return fresh;
}

function read(token: Token): ReadToken | null {
  try {
    return readToken(token.secret) ?? OPAQUE;
  } catch {
    return OPAQUE; // a damaged seal is in the vault's report; the rest of the entity can still be shown
  }
}

/** The payload of a JWT; empty for anything else. */
export function claimsOf(token: Token): Claims {
  const found = contentsOf(token);
  return found?.format === 'jwt' ? found.payload : {};
}

/**
 * Returns the members of a JSON object as the claims that a window shows: in their order, and with numbers to the last digit, which
 * `JSON.parse` rounds.
 *
 * @param text valid JSON. Anything but an object has no claims
 *
 * @example
 * import { claimList } from 'tokenkeep/ipc';
 *
 * claimList('{"uid": 1234567890123456789}'); // [{ name: 'uid', json: '1234567890123456789' }]
 */
export function claimList(text: string): Claim[] {
  return membersIn(text);
}

/** Returns the secret; "" if it can't be opened any more. */
export function secretOf(token: Token): string {
  try {
    return token.secret;
  } catch {
    return ''; // see `read`
  }
}

/**
 * Returns the API of an access token, by its `aud` or its scopes, or the app of an ID token; null if unknown.
 *
 * @example
 * import { audienceOf } from 'tokenkeep/ipc';
 *
 * for (const token of cache.find('AccessToken')) console.log(audienceOf('AccessToken', token) ?? 'unknown audience');
 */
export function audienceOf(type: TokenItem['type'], token: Token): string | null {
  if (type === 'RefreshToken') return null;
  if (type === 'IdToken') return token.client_id;
  const audience = claimsOf(token)['aud'];
  if (typeof audience === 'string' && audience !== '') return audience;
  if (Array.isArray(audience)) {
    const named = audience.filter((entry) => typeof entry === 'string');
    if (named.length > 0) return named.join(' ');
  }
  return resourceOf(scopesOf(text(token, 'target') ?? ''));
}

/** `https://graph.microsoft.com/User.Read` → `https://graph.microsoft.com`; null if no scope names a resource. */
function resourceOf(scopes: readonly string[]): string | null {
  for (const scope of scopes) {
    const end = scope.lastIndexOf('/');
    if (/^[a-z][a-z\d+.-]*:\/\/[^/]/i.test(scope) && end > scope.indexOf('//') + 1)
      return scope.slice(0, end);
  }
  return null;
}

function numberClaim(token: Token, name: string): number | null {
  const value = claimsOf(token)[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(token: Token, field: string): string | null {
  const value = token[field];
  return typeof value === 'string' && value !== '' ? value : null;
}
