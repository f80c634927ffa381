/** Gets access tokens without user interaction: from the cache, or by redeeming a refresh token (RFC 6749 §6). */

import { InvalidArgumentError, SignInRequiredError } from '../errors.ts';
import {
  AMOUNT,
  checkOptions,
  FLAG,
  HOST,
  NAME,
  NAMES,
  type OptionNames,
  requireOptions,
  SIGNAL,
  TEXT,
  TEXT_OR_NULL,
  TEXT_RECORD,
  TEXTS,
} from '../options.ts';
import { type Abortable, abandonable } from '../waiting.ts';
import { issuerFor, issuersFor } from './accounts.ts';
import { type CacheHandle, exclusively, needsSignal, withoutSignal } from './handle.ts';
import { folded, sameJson } from './json.ts';
import { modifyEntity, sameEntries } from './place.ts';
import { addResponse, joinedText, OtherUserError } from './response.ts';
import { cloudOf, issuerIn, sameIssuer } from './schema/authorities.ts';
import type { AccessToken, AccountSummary, Entity, RefreshToken } from './schema/entities.ts';
import {
  CLOCK_SKEW,
  expiryOf,
  isUsableAt,
  type Refusal,
  refusalsOf,
  secondsOf,
  wantsRefresh,
} from './schema/expiry.ts';
import { assertionHashOf, hashComponents, hashText, scopesOf, sha256Base64url } from './schema/match.ts';
import { ANY_TENANT, homeTenantOf } from './schema/tenant-profiles.ts';
import type { Store } from './store.ts';
import { storeOf, type TokenCache } from './token-cache.ts';

/** Describes the access token that is requested. */
export interface TokenRequest {
  client_id: string;
  /** The account; null for a token of the app itself. */
  home_account_id: string | null;
  environment: string;
  /** The issuer of the account, as `accounts()` returns it. Tokens of other issuers are never returned. */
  issuer?: string;
  /** The tenant. Default: any. */
  realm?: string;
  /** The scopes, as a list or as a space-separated string (RFC 6749 §3.3). */
  scopes: string | readonly string[];
  /** The resource that the token is for (RFC 8707). Tokens for other resources, or for none, are not returned. */
  resource?: string | readonly string[];
  /** The audience that the token is for (RFC 8693), matched like `resource`. */
  audience?: string;
  /** The assertion used to get the token on behalf of a user, matched like `resource`. Alternatively, pass `user_assertion_hash`. */
  user_assertion?: string;
  /** The hash of `user_assertion`. */
  user_assertion_hash?: string;
  /** The hash of the requested claims, matched like `resource`. */
  requested_claims_hash?: string;
  /** The key that the token is bound to (SSH certificates, proof of possession). `token_type` is its scheme. */
  key_id?: string;
  token_type?: string;
  /** The extension components of an extended token. */
  components?: Readonly<Record<string, string>>;
  /** Seconds before expiry from which a token is no longer used. Default: 300, limited to a quarter of its lifetime. */
  margin?: number;
  /** Ignores the cached access token, for example because a resource refused it. Default: false. */
  forceRefresh?: boolean;
}

/** A spread `AccountSummary` may be part of a request. */
const TOKEN_REQUEST: OptionNames<TokenRequest & AccountSummary> = {
  client_id: NAME,
  home_account_id: TEXT_OR_NULL,
  environment: HOST,
  issuer: TEXT,
  realm: TEXT,
  scopes: TEXTS,
  resource: NAMES,
  audience: NAME,
  user_assertion: TEXT,
  user_assertion_hash: TEXT,
  requested_claims_hash: TEXT,
  key_id: TEXT,
  token_type: TEXT,
  components: TEXT_RECORD,
  margin: AMOUNT,
  forceRefresh: FLAG,
  username: TEXT,
  name: TEXT,
  local_account_id: TEXT,
  authority_type: TEXT,
  tenants: true,
};

/** @throws InvalidArgumentError with the name of the first field that is missing, unknown or of the wrong kind */
function checkRequest(caller: string, request: TokenRequest): void {
  checkOptions(caller, request, TOKEN_REQUEST);
  requireOptions(caller, request, ['client_id', 'home_account_id', 'environment', 'scopes']);
}

/** The result of `lookup`. */
export interface Lookup {
  /** A token that can be used now. */
  accessToken?: AccessToken;
  /** Whether the provider wants a refresh by now (`refresh_in`), although the access token is still valid. */
  refreshSoon: boolean;
  /** The refresh tokens to try, in order. */
  refreshTokens: readonly RefreshToken[];
}

/**
 * Redeems a refresh token at its provider.
 *
 * @param request the request that the refresh token is redeemed for
 * @param signal aborted when the lock is lost (see CacheHandle.exclusively); pass it to the call to the provider
 * @returns the token response and its endpoint. Rejects if the endpoint refused or could not be reached
 */
export type Redeem = (
  refreshToken: RefreshToken,
  request: TokenRequest & { readonly scopes: readonly string[] },
  signal?: AbortSignal,
) => Promise<{ token_endpoint: string; response: Readonly<Record<string, unknown>> }>;

function scopesIn(request: TokenRequest): string[] {
  const { scopes } = request;
  return typeof scopes === 'string' ? scopesOf(scopes) : scopes.flatMap(scopesOf);
}

function assertionHash(request: TokenRequest): string | undefined {
  if (request.user_assertion_hash !== undefined) return request.user_assertion_hash;
  return request.user_assertion === undefined ? undefined : sha256Base64url(request.user_assertion);
}

/** Returns the fields that a token must match in addition to the scopes. */
function purposeOf(request: TokenRequest): Record<string, string> {
  const resource = joinedText(request.resource);
  const assertion = assertionHash(request);
  return {
    ...(request.key_id === undefined ? {} : { key_id: request.key_id }),
    ...(request.token_type === undefined ? {} : { token_type: request.token_type }),
    ...(resource === undefined ? {} : { resource }),
    ...(request.audience === undefined ? {} : { audience: request.audience }),
    ...(assertion === undefined ? {} : { user_assertion_hash: assertion }),
    ...(request.requested_claims_hash === undefined
      ? {}
      : { requested_claims_hash: request.requested_claims_hash }),
  };
}

function queryOf(request: TokenRequest): Record<string, string | null> {
  return {
    home_account_id: request.home_account_id,
    environment: request.environment,
    client_id: request.client_id,
    ...(request.issuer === undefined ? {} : { issuer: request.issuer }),
    ...(request.realm === undefined ? {} : { realm: request.realm }),
    ...purposeOf(request),
    ...(request.components === undefined ? {} : { ext_cache_key: hashComponents(request.components) }),
  };
}

/**
 * Selects the tokens of the requested issuer. If the request names no issuer, all tokens must have the same one. A token that may
 * belong to several issuers is never selected.
 */
function ofIssuer<T extends Entity>(
  store: Store,
  tokens: readonly T[],
  { home_account_id, issuer }: TokenRequest,
): T[] {
  if (home_account_id === null || tokens.length === 0) return [...tokens];
  // A subject is case-sensitive (OpenID Connect Core §2), which a search by account ID is not.
  const own = tokens.filter(
    (token) => token['home_account_id'] === home_account_id || issuersFor(store, token).length === 0,
  );
  if (issuer !== undefined)
    return own.filter((token) => issuersFor(store, token).every((its) => sameIssuer(its, issuer)));
  const all = new Set(own.flatMap((token) => issuersFor(store, token)));
  return all.size > 1 ? [] : own;
}

/** Returns the expiry as a finite number, for sorting. */
function rank(token: AccessToken): number {
  return Math.min(expiryOf(token), Number.MAX_SAFE_INTEGER);
}

/** Returns the token that expires last, so that an old token of one library does not hide a newer one. */
function longestLived(tokens: readonly AccessToken[]): AccessToken | undefined {
  return tokens.toSorted((a, b) => rank(b) - rank(a))[0];
}

/** Sorts tokens by time, newest first. Tokens without a time come last, the most recently written one first. */
function newestFirst(tokens: readonly RefreshToken[]): RefreshToken[] {
  const age = (token: RefreshToken): number => secondsOf(token.last_modification_time) || 0;
  return tokens.toReversed().sort((a, b) => age(b) - age(a));
}

/** Refusals that could not be written to the cache, by handle. They are remembered until the process ends. */
const unwritten = new WeakMap<CacheHandle, Set<string>>();

function refusalName(token: RefreshToken, client_id: string): string {
  return `${folded(client_id)} ${hashText(token.secret)}`;
}

/** Whether the provider refused this refresh token to the app before, for all scopes or for these. */
function isRefused(token: RefreshToken, request: TokenRequest): boolean {
  const refusals = refusalsOf(token);
  if (refusals.length === 0) return false;
  const secret = hashText(token.secret);
  const wanted = scopesIn(request).toSorted().join(' ');
  return refusals.some(
    (refusal) =>
      folded(refusal.client_id) === folded(request.client_id) &&
      refusal.secret === secret &&
      (refusal.scopes === undefined || refusal.scopes === wanted),
  );
}

/**
 * Returns the app's own refresh tokens, then those of its family, without refused ones. If it is unknown whether the app belongs to a
 * family, the family's newest token is tried once; a refusal shows that the app does not belong to it.
 */
export function refreshTokensFor(cache: TokenCache, request: TokenRequest): RefreshToken[] {
  const { home_account_id, environment, client_id, issuer } = request;
  if (home_account_id === null) return [];
  const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
  const assertion = assertionHash(request) ?? '';
  const all = ofIssuer(storeOf(cache), cache.find('RefreshToken', { query }), request).filter(
    (token) => assertionHashOf(token) === assertion && !isRefused(token, request),
  );
  const own = all.filter((token) => folded(token.client_id) === folded(client_id));
  const ofFamily = newestFirst(all.filter((token) => Boolean(token.family_id) && !own.includes(token)));
  const app = cache.find('AppMetadata', { query: { client_id, environment } })[0];
  const shared =
    app === undefined ? ofFamily.slice(0, 1) : ofFamily.filter((token) => token.family_id === app.family_id);
  return [...newestFirst(own), ...shared];
}

/** Returns the access tokens that match the request, including expired ones. `common` and the like are the home tenant. */
function candidates(cache: TokenCache, request: TokenRequest): AccessToken[] {
  const query = queryOf(request);
  const target = scopesIn(request);
  const find = (realm: object): AccessToken[] =>
    cache.find('AccessToken', { target, query: { ...query, ...realm } });
  const [home, realm] = [homeTenantOf(request.home_account_id ?? ''), folded(request.realm)];
  const isHome = home !== undefined && (realm === folded(home) || ANY_TENANT.has(realm));
  const found = isHome ? [home, ...ANY_TENANT].flatMap((tenant) => find({ realm: tenant })) : find({});
  return ofIssuer(storeOf(cache), found, request);
}

/**
 * Looks up a request in the cache: a valid access token, and the refresh tokens to try otherwise, most likely first. Does no I/O and does
 * not change the cache.
 *
 * @example
 * import { lookup } from 'tokenkeep/cache';
 *
 * const now = Math.floor(Date.now() / 1000);
 * for (const { home_account_id, environment } of cache.accounts()) {
 *   const { accessToken } = lookup(cache, { home_account_id, environment, client_id: 'my-app', scopes: ['files.read'] }, now);
 *   console.log(accessToken?.expires_on ?? 'needs a refresh');
 * }
 *
 * @param now seconds since the epoch
 * @param skew seconds by which the clock of the machine that cached a token may be ahead of this one
 * @throws InvalidArgumentError if the request lacks a field, or has one that does not exist or is of the wrong kind
 */
export function lookup(cache: TokenCache, request: TokenRequest, now: number, skew = 0): Lookup {
  checkRequest('lookup', request);
  const cached = request.forceRefresh === true ? [] : candidates(cache, request);
  const accessToken = longestLived(cached.filter((token) => isUsableAt(token, now, skew, request.margin)));
  return {
    ...(accessToken === undefined ? {} : { accessToken }),
    refreshSoon: accessToken !== undefined && wantsRefresh(accessToken, now),
    refreshTokens: refreshTokensFor(cache, request),
  };
}

/**
 * Returns the name of the lock for refreshes of an account. It covers all apps, since a family shares refresh tokens. It depends on what is
 * cached and not on whether the request names its issuer: requests that may send the same refresh token get the same name, those of two
 * issuers on one host don't.
 */
function refreshLock(cache: TokenCache, request: TokenRequest): string {
  const { home_account_id, environment } = request;
  const name = `refresh ${folded(home_account_id)} ${cloudOf(environment)}`;
  if (home_account_id === null) return name;
  const store = storeOf(cache);
  const tokens = cache.find('RefreshToken', { query: { home_account_id, environment } });
  const issuers = new Set(ofIssuer(store, tokens, request).map((token) => issuerFor(store, token)));
  const [issuer = '', ...others] = issuers;
  // A token without an issuer may be redeemed for any of them.
  return issuer === '' || others.length > 0 ? name : `${name} ${issuer}`;
}

/**
 * Runs one refresh at a time per account, across all processes that share the handle: one caller asks the provider, the others use the
 * token it got. Providers that rotate refresh tokens treat reuse as theft and sign the user out (RFC 9700 §4.14.2).
 *
 * @param lock as `prepareRefresh` returns it
 * @param before secrets of the access tokens that do not answer the request
 * @param find finds a token that another caller got in the meantime
 */
export async function singleFlight<T>(
  handle: CacheHandle,
  request: TokenRequest,
  { now, lock, before, found, renew }: Flight<T>,
): Promise<T> {
  const turn = async (signal?: AbortSignal): Promise<T> => {
    const token = await handle.read((cache) =>
      longestLived(
        candidates(cache, request).filter(
          (one) =>
            !before.has(one.secret) &&
            isUsableAt(one, now(), CLOCK_SKEW, request.margin) &&
            !wantsRefresh(one, now()),
        ),
      ),
    );
    return token === undefined ? renew(signal) : found(token);
  };
  // Creating a signal costs as much as a read, so one is requested only where it is used.
  return exclusively(handle, lock, needsSignal(renew) ? turn : withoutSignal(() => turn()));
}

interface Flight<T> {
  now: () => number;
  lock: string;
  before: ReadonlySet<string>;
  found: (token: AccessToken) => T | Promise<T>;
  /** @param signal aborted when the lock is lost and the next caller may refresh; absent where `renew` is marked by `withoutSignal` */
  renew: (signal?: AbortSignal) => Promise<T>;
}

/** Looks up a request, the access tokens that do not answer it, and the name of the lock for its refresh: input for `singleFlight`. */
export function prepareRefresh(
  cache: TokenCache,
  request: TokenRequest,
  now: number,
): Lookup & { before: ReadonlySet<string>; lock: string } {
  const found = lookup(cache, request, now, CLOCK_SKEW);
  const isDone = found.accessToken !== undefined && !found.refreshSoon;
  const before = new Set(isDone ? [] : candidates(cache, request).map(({ secret }) => secret));
  return { ...found, before, lock: isDone ? '' : refreshLock(cache, request) };
}

/**
 * Returns an access token for the request. A valid cached token is returned without network access; otherwise a refresh token is redeemed,
 * by one process at a time (see CacheHandle.exclusively). If an early refresh that the provider asked for fails, the cached token is
 * returned. A refresh token that the provider refused, or answered for another user or issuer, stays in the cache, is marked as refused, and
 * is not sent again.
 *
 * `signal` stops waiting. A refresh that has begun is finished nevertheless, and what came back is kept: the refresh token may have been
 * used up.
 *
 * @example
 * import { acquireTokenSilent, type TokenRequest } from 'tokenkeep';
 * import type { Redeem } from 'tokenkeep/cache';
 *
 * async function getFiles(request: TokenRequest, redeem: Redeem): Promise<Response> {
 *   const token = await acquireTokenSilent(vault, request, redeem, () => Math.floor(Date.now() / 1000));
 *   return fetch('https://files.example/', { headers: { authorization: `Bearer ${token.secret}` } });
 * }
 *
 * @throws SignInRequiredError if no refresh token is left, the provider refused all of them (`invalid_grant`), it answered for another
 *   user or issuer, or the user was signed out in the meantime (the new tokens are then dropped, and the cached one is not returned);
 *   otherwise the error that `redeem` rejected with
 */
export async function acquireTokenSilent(
  handle: CacheHandle,
  request: TokenRequest,
  redeem: Redeem,
  now: () => number,
  options: Abortable = {},
): Promise<AccessToken> {
  checkRequest('acquireTokenSilent', request);
  const { signal } = checkOptions('acquireTokenSilent', options, { signal: SIGNAL });
  return abandonable(signal, (assertWanted) => acquired(handle, request, redeem, now, assertWanted));
}

async function acquired(
  handle: CacheHandle,
  request: TokenRequest,
  redeem: Redeem,
  now: () => number,
  assertWanted: () => void,
): Promise<AccessToken> {
  const known = await handle.read((cache) => prepareRefresh(cache, request, now()));
  const { accessToken, before, lock } = known;
  if (accessToken !== undefined && !known.refreshSoon) return accessToken;
  if (known.refreshTokens.length === 0) return accessToken ?? signInRequired();
  try {
    return await singleFlight(handle, request, {
      now,
      lock,
      before,
      found: (token) => token,
      renew: (signal) => {
        assertWanted();
        return renewed(handle, request, redeem, signal);
      },
    });
  } catch (error) {
    if (accessToken === undefined) throw error;
    return await stillCached(handle, request, accessToken, now, error);
  }
}

/**
 * Returns the token to use after an early refresh has failed: the one that was cached before it, if it still is, or one that a sign-in or
 * another program has put in its place.
 *
 * @throws SignInRequiredError if the user was signed out in the meantime; `failure` if there is no such token for another reason, or the
 *   cache can't be read
 */
export async function stillCached(
  handle: CacheHandle,
  request: TokenRequest,
  { secret }: AccessToken,
  now: () => number,
  failure: unknown,
): Promise<AccessToken> {
  const found = await handle
    .read((cache) => {
      const tokens = candidates(cache, request);
      const isLeft = (one: AccessToken): boolean =>
        one.secret === secret || isUsableAt(one, now(), CLOCK_SKEW, request.margin);
      return { token: longestLived(tokens.filter(isLeft)), isOut: !isSignedIn(cache, request) };
    })
    .catch(() => ({ token: undefined, isOut: false }));
  if (found.token !== undefined) return found.token;
  throw found.isOut ? signedOutMeanwhile(failure) : failure;
}

function signedOutMeanwhile(cause?: unknown): SignInRequiredError {
  return new SignInRequiredError('The account was signed out while its token was being refreshed.', {
    cause,
  });
}

function signInRequired(cause?: unknown): never {
  throw new SignInRequiredError(
    cause === undefined
      ? 'There is no token for this account and app. The user has to sign in.'
      : isTokenRefused(cause)
        ? 'The provider refused the refresh token of this account. The user has to sign in again.'
        : 'The provider gives no token for these scopes without asking the user. What is cached stays. The user has to sign in.',
    { cause, reason: cause === undefined ? null : 'invalid_grant' },
  );
}

/** Error codes of a refresh that only the user can resolve, by a new sign-in (RFC 6749 §5.2, OpenID Connect Core §3.1.2.6). */
const ASKS_USER: ReadonlySet<unknown> = new Set([
  'invalid_grant',
  'invalid_scope',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
]);

const INVALID_GRANT: ReadonlySet<unknown> = new Set(['invalid_grant']);

interface ErrorCode {
  readonly code: string;
  readonly suberror: string;
}

/** Returns the error code of a rejected token request, if it is one of these. OAuth libraries store it in different places. */
function errorCodeIn(failure: unknown, codes: ReadonlySet<unknown>): ErrorCode | undefined {
  for (const fields of answersIn(failure)) {
    for (const name of ['error', 'errorCode', 'code']) {
      // GitHub's own error code: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps
      const code = fields[name] === 'bad_refresh_token' ? 'invalid_grant' : fields[name];
      if (typeof code === 'string' && codes.has(code)) return { code, suberror: suberrorIn(fields) };
    }
  }
  return undefined;
}

/** Returns Entra's suberror. Most libraries copy only the fields of RFC 6749 into their error, and keep the answer as its cause. */
function suberrorIn(failure: unknown): string {
  for (const { suberror, subError } of answersIn(failure))
    for (const found of [suberror, subError]) if (typeof found === 'string') return found;
  return '';
}

/** Yields an error, and what it holds where errors of OAuth libraries have what the provider answered. */
function* answersIn(failure: unknown, depth = 0): Generator<Readonly<Record<string, unknown>>> {
  if (typeof failure !== 'object' || failure === null || depth > 4) return;
  const fields = failure as Readonly<Record<string, unknown>>;
  yield fields;
  for (const name of ['body', 'data', 'response', 'error', 'cause'])
    yield* answersIn(fields[name], depth + 1);
}

/** Whether a token request failed with `invalid_grant` (RFC 6749 §5.2), so that a retry would fail as well. */
export function isInvalidGrant(failure: unknown): boolean {
  return errorCodeIn(failure, INVALID_GRANT) !== undefined;
}

/**
 * Returns the provider's error code if the token request failed with one that only a new sign-in resolves.
 *
 * @param failure the error of an OAuth library, or the body of the response
 * @example
 * import { codeThatAsksUser } from 'tokenkeep/ipc';
 *
 * codeThatAsksUser({ error: 'interaction_required' }); // 'interaction_required'
 * codeThatAsksUser({ error: 'temporarily_unavailable' }); // undefined
 */
export function codeThatAsksUser(failure: unknown): string | undefined {
  return isInvalidGrant(failure) ? 'invalid_grant' : errorCodeIn(failure, ASKS_USER)?.code;
}

/** Suberrors of Entra ID that concern the request, not the refresh token. */
const ABOUT_REQUEST: ReadonlySet<string> = new Set([
  'basic_action',
  'additional_action',
  'consent_required',
  'message_only',
  'protection_policy_required',
]);

/**
 * Returns whether a provider refused the refresh token itself. Otherwise it may still give tokens for other scopes.
 *
 * @param failure the error of an OAuth library, or the body of the response
 * @example
 * import { isTokenRefused } from 'tokenkeep/ipc';
 *
 * isTokenRefused({ error: 'invalid_grant' }); // true
 * isTokenRefused({ error: 'invalid_grant', suberror: 'consent_required' }); // false
 */
export function isTokenRefused(failure: unknown): boolean {
  const refused = errorCodeIn(failure, INVALID_GRANT);
  return refused !== undefined && !ABOUT_REQUEST.has(refused.suberror);
}

/** [Note: refused once] Marks a refresh token as refused wherever it is stored, so that no process sends it again. */
export async function rememberRefusal(
  handle: CacheHandle,
  token: RefreshToken,
  request: TokenRequest,
  failure: unknown,
): Promise<void> {
  const isForScopes = isInvalidGrant(failure) && !isTokenRefused(failure);
  const refusal: Refusal = {
    client_id: request.client_id,
    secret: hashText(token.secret),
    ...(isForScopes ? { scopes: scopesIn(request).toSorted().join(' ') } : {}),
  };
  try {
    await handle.update((cache) => {
      const store = storeOf(cache);
      const { home_account_id } = token;
      for (const { entity } of store.candidates('RefreshToken', { home_account_id })) {
        if (entity === null || folded(entity.client_id) !== folded(token.client_id)) continue;
        if (entity.secret !== token.secret) continue;
        const refusals = refusalsOf(entity).filter(({ secret }) => secret === refusal.secret);
        if (refusals.some((known) => sameJson(known, refusal))) continue;
        modifyEntity(store, 'RefreshToken', entity, { refusals: [...refusals, refusal] });
      }
    });
  } catch {
    // The cache can't be written now, so only this process remembers the refusal.
    const known = unwritten.get(handle) ?? new Set<string>();
    unwritten.set(handle, known.add(refusalName(token, request.client_id)));
  }
}

/** Redeems the cached refresh tokens one after another until one yields an access token. */
async function renewed(
  handle: CacheHandle,
  request: TokenRequest,
  redeem: Redeem,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  // Read again after waiting for the lock: the user may have signed in meanwhile.
  const { refreshTokens, since } = await handle.read((cache) => ({
    refreshTokens: refreshTokensFor(cache, request),
    since: handle.epoch,
  }));
  const known = unwritten.get(handle);
  let refused: unknown;
  let failure: Error | undefined;
  const sent = new Set<string>(); // One token may be stored for several scopes.
  for (const refreshToken of refreshTokens) {
    if (known?.has(refusalName(refreshToken, request.client_id)) === true) continue;
    if (sent.has(refreshToken.secret)) continue;
    sent.add(refreshToken.secret);
    let redeemed: Redeemed;
    try {
      redeemed = await redeem(refreshToken, { ...request, scopes: scopesIn(request) }, signal);
      assertTokens(redeemed.response);
    } catch (error) {
      const reason = error instanceof TokenErrorResponse ? codeThatAsksUser(error) : undefined;
      if (isInvalidGrant(error)) {
        refused = error;
        await rememberRefusal(handle, refreshToken, request, error);
      } else if (reason !== undefined) {
        failure = new SignInRequiredError(
          'The provider gives no token for this account and app without asking the user. What is cached stays. The user has to sign in.',
          { cause: error, reason },
        );
      } else failure = error instanceof Error ? error : new Error('A refresh failed.', { cause: error });
      continue;
    }
    let token: AccessToken | undefined;
    try {
      token = await handle.update(
        (cache) => take(cache, request, refreshToken, redeemed),
        since === undefined ? {} : { since },
      );
    } catch (error) {
      // Where tokens rotate, the answer has used the refresh token up, and to send it again would be taken for theft.
      if (error instanceof Error && error.cause instanceof OtherUserError)
        await rememberRefusal(handle, refreshToken, request, error);
      throw error;
    }
    if (token !== undefined) return token;
    failure = new SignInRequiredError(
      'The provider answered, but with no access token for this account and app. The user has to sign in.',
    );
  }
  if (failure !== undefined) throw failure;
  return signInRequired(refused);
}

/** An error response (RFC 6749 §5.2) that a function returned instead of rejecting. Its fields are those of the response. */
export class TokenErrorResponse extends Error {
  readonly error: string;
  readonly suberror: unknown;
  readonly claims: unknown;

  constructor(error: string, { suberror, claims }: Readonly<Record<string, unknown>>) {
    super(
      `The token endpoint answered ${/^[\w.-]{1,64}$/.test(error) ? error : 'an error'}. Nothing was stored.`,
    );
    this.error = error;
    this.suberror = suberror;
    this.claims = claims;
  }
}

/** @throws TokenErrorResponse if it is an error response */
export function assertTokens(response: Readonly<Record<string, unknown>>): void {
  const { error } = response;
  if (typeof error !== 'string' || error === '') return;
  throw new TokenErrorResponse(error === 'bad_refresh_token' ? 'invalid_grant' : error, response);
}

type Redeemed = Awaited<ReturnType<Redeem>>;

/** Whether the account still has an account entity or a refresh token, so that a new token can belong to it. */
function isSignedIn(cache: TokenCache, { home_account_id, environment, issuer }: TokenRequest): boolean {
  const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
  return cache.find('RefreshToken', { query }).length > 0 || cache.find('Account', { query }).length > 0;
}

/** Adds the response to the cache. Returns its access token; undefined if it has none for this account. */
function take(
  cache: TokenCache,
  request: TokenRequest,
  used: RefreshToken,
  { token_endpoint, response: answered }: Redeemed,
): AccessToken | undefined {
  if (!isSignedIn(cache, request)) throw signedOutMeanwhile();
  const store = storeOf(cache);
  const successor = successorOf(store, used);
  if (successor !== undefined) {
    const { accessToken } = lookup(cache, { ...request, forceRefresh: false }, store.now());
    if (accessToken !== undefined && secondsOf(accessToken.cached_at) >= timeOf(successor))
      return accessToken;
  }
  // The refresh token of a newer sign-in stays.
  const response = successor === undefined ? answered : { ...answered, refresh_token: undefined };
  const issuer = request.issuer ?? (issuerIn(used) || issuerFor(store, used));
  // After a rotation the old refresh token is invalid, even if the new one has other scopes.
  const isOwn = folded(used.client_id) === folded(request.client_id);
  const fresh = response['refresh_token'];
  const isRotated = isOwn && typeof fresh === 'string' && fresh !== '';
  try {
    const event = {
      client_id: request.client_id,
      scope: scopesIn(request),
      token_endpoint,
      response,
      environment: request.environment,
      ...(issuer === '' ? {} : { issuer }),
      ...(request.realm === undefined ? {} : { realm: request.realm }),
      ...(request.home_account_id === null ? {} : { home_account_id: request.home_account_id }),
      grant_type: 'refresh_token',
      data: { ...request.components, ...purposeOf(request) },
      skipAccountCreation: true,
    };
    // Store the new token before dropping the old one: an invalid response must not remove anything.
    addResponse(store, event, store.now());
    if (isRotated) dropRotated(store, used, fresh);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new SignInRequiredError(
      'The provider answered a refresh with something else than tokens of this account. They were not kept, and the cached tokens are unchanged. The user has to sign in.',
      { cause: error },
    );
  }
  const query = {
    home_account_id: request.home_account_id,
    environment: request.environment,
    client_id: request.client_id,
    ...(issuer === '' ? {} : { issuer }),
    ...purposeOf(request),
  };
  const extended =
    request.components === undefined ? {} : { ext_cache_key: hashComponents(request.components) };
  return cache
    .find('AccessToken', { query: { ...query, ...extended } })
    .find((token) => token.secret === response['access_token']);
}

/** Returns the refresh token that has replaced a redeemed one meanwhile: from a new sign-in, or from another program's refresh. */
function successorOf(store: Store, used: RefreshToken): RefreshToken | undefined {
  const all = sameEntries(store, 'RefreshToken', used).flatMap(({ entity }) => entity ?? []);
  if (all.some(({ secret }) => secret === used.secret)) return undefined;
  return all.find((entity) => timeOf(entity) >= timeOf(used));
}

function timeOf({ last_modification_time }: RefreshToken): number {
  return secondsOf(last_modification_time) || 0;
}

/** Drops the redeemed refresh token if it is still stored next to its replacement. */
function dropRotated(store: Store, used: RefreshToken, fresh: string): void {
  for (const entry of store.candidates('RefreshToken', { home_account_id: used.home_account_id })) {
    const { entity } = entry;
    if (entity === null || folded(entity.client_id) !== folded(used.client_id)) continue;
    if (entity.secret === used.secret && entity.secret !== fresh) store.drop(entry);
  }
}
