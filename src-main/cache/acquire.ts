/** Getting an access token without asking the user: from the cache, or for a refresh token (RFC 6749 §6). */
import { SignInRequiredError } from '../errors.ts';
import type { AccessToken, RefreshToken } from './schema/entities.ts';
import { isUsable, secondsOf, wantsRefresh } from './schema/expiry.ts';
import { hashComponents } from './schema/extension.ts';
import { type CacheHandle, exclusively } from './handle.ts';
import { canonicalEnvironment } from './schema/environments.ts';
import { homeTenantOf } from './schema/keys.ts';
import { folded } from './schema/match.ts';
import { scopesOf } from './schema/scopes.ts';
import { ANY_TENANT } from './schema/tenant-profiles.ts';
import type { TokenCache } from './token-cache.ts';

/** Which access token is wanted. */
export interface TokenRequest {
  client_id: string;
  /** null: a token for the app itself. */
  home_account_id: string | null;
  environment: string;
  /** The tenant. Without: of any. */
  realm?: string;
  scopes: readonly string[];
  /** For a token that is bound to a key (SSH certificates, PoP), and its scheme. */
  key_id?: string;
  token_type?: string;
  /** For an extended token. */
  components?: Readonly<Record<string, string>>;
  /** Passes over the cached access token, e.g. because a resource refused it. */
  forceRefresh?: boolean;
}

/** What the cache has for a request. */
export interface Lookup {
  /** One that may be used now. */
  accessToken?: AccessToken;
  /** The provider asked for it to be refreshed by now; it may be used all the same. */
  refreshSoon: boolean;
  /** To be tried in this order. */
  refreshTokens: readonly RefreshToken[];
}

/**
 * Redeems a refresh token at its provider.
 *
 * @param request whose refresh token is to be redeemed
 * @param signal aborted when the turn is over (see CacheHandle.exclusively): pass it to the call to the provider
 * @returns the token endpoint's response, and where it was asked. Rejects where the endpoint refused or was not reached
 */
export type Redeem = (
  refreshToken: RefreshToken,
  request: TokenRequest,
  signal?: AbortSignal,
) => Promise<{ token_endpoint: string; response: Readonly<Record<string, unknown>> }>;

function queryOf(request: TokenRequest): Record<string, string | null> {
  return {
    home_account_id: request.home_account_id,
    environment: request.environment,
    client_id: request.client_id,
    ...(request.realm === undefined ? {} : { realm: request.realm }),
    ...(request.key_id === undefined ? {} : { key_id: request.key_id }),
    ...(request.token_type === undefined ? {} : { token_type: request.token_type }),
    ...(request.components === undefined ? {} : { ext_cache_key: hashComponents(request.components) }),
  };
}

/** The one that lives longest, so that a token which one library left behind does not shadow a newer one. */
function longestLived(tokens: readonly AccessToken[]): AccessToken | undefined {
  return [...tokens].sort((a, b) => secondsOf(b.expires_on) - secondsOf(a.expires_on))[0];
}

/** Newest first; of those that do not say, the one written last. */
function newestFirst(tokens: readonly RefreshToken[]): RefreshToken[] {
  const age = (token: RefreshToken): number => secondsOf(token.last_modification_time) || 0;
  return tokens.toReversed().sort((a, b) => age(b) - age(a));
}

/**
 * The app's own refresh tokens, then those of its family. An app of which nothing is known tries the family's newest
 * once: if that is refused, it is none of the family.
 */
function refreshTokensFor(cache: TokenCache, request: TokenRequest): RefreshToken[] {
  const { home_account_id, environment, client_id } = request;
  if (home_account_id === null) return [];
  const all = cache.find('RefreshToken', { query: { home_account_id, environment } });
  const own = all.filter((token) => token.client_id.toLowerCase() === client_id.toLowerCase());
  const ofFamily = newestFirst(all.filter((token) => Boolean(token.family_id) && !own.includes(token)));
  const app = cache.find('AppMetadata', { query: { client_id, environment } })[0];
  const shared =
    app === undefined ? ofFamily.slice(0, 1) : ofFamily.filter((token) => token.family_id === app.family_id);
  return [...newestFirst(own), ...shared];
}

/** The access tokens that would do, were they not too old. What was got as of any tenant is of the user's own. */
function candidates(cache: TokenCache, request: TokenRequest): AccessToken[] {
  const query = queryOf(request);
  const find = (realm: object): AccessToken[] =>
    cache.find('AccessToken', { target: request.scopes, query: { ...query, ...realm } });
  const home = homeTenantOf(request.home_account_id ?? '');
  const isHome = home !== undefined && folded(request.realm) === folded(home);
  return [...find({}), ...(isHome ? [...ANY_TENANT].flatMap((realm) => find({ realm })) : [])];
}

/**
 * What of the cache answers a request: an access token that is fresh (until 300 s before it expires), and the refresh tokens
 * to try where there is none, the likeliest first. Asks nobody and changes nothing.
 *
 * @param now seconds since the epoch
 * @param skew seconds by which the clock of whoever cached a token may be ahead of this one
 */
export function lookup(cache: TokenCache, request: TokenRequest, now: number, skew = 0): Lookup {
  const cached = request.forceRefresh === true ? [] : candidates(cache, request);
  const accessToken = longestLived(cached.filter((token) => isUsableAt(token, now, skew)));
  return {
    ...(accessToken === undefined ? {} : { accessToken }),
    refreshSoon: accessToken !== undefined && wantsRefresh(accessToken, now),
    refreshTokens: refreshTokensFor(cache, request),
  };
}

function isUsableAt(token: AccessToken, now: number, skew: number): boolean {
  const cached = secondsOf(token.cached_at);
  return isUsable(token, cached <= now + skew ? Math.max(now, cached) : now);
}

/** Processes on several machines share a cache: a token that one has just got must not look like one of the future. */
const CLOCK_SKEW = 60;

/** The name under which the refresh tokens of an account are redeemed: one at a time, as a family shares them. */
export function refreshName(request: Pick<TokenRequest, 'home_account_id' | 'environment'>): string {
  return `refresh ${folded(request.home_account_id)} ${canonicalEnvironment(request.environment)}`;
}

/**
 * Runs what gets a new token, one at a time for an account: of those who want one at the same time, in all processes that
 * share the handle, one asks the provider and the others find what it got. A provider that rotates refresh tokens takes
 * one that comes twice for stolen, and signs the user out.
 *
 * @param before secrets of the access tokens that were known not to do
 * @param find what another one got meanwhile, if it does
 */
export async function singleFlight<T>(
  handle: CacheHandle,
  request: TokenRequest,
  { now, before, found, renew }: Flight<T>,
): Promise<T> {
  return exclusively(handle, refreshName(request), async (signal) => {
    const token = await handle.read((cache) =>
      longestLived(
        candidates(cache, request).filter(
          (one) => !before.has(one.secret) && isUsableAt(one, now(), CLOCK_SKEW) && !wantsRefresh(one, now()),
        ),
      ),
    );
    return token === undefined ? renew(signal) : found(token);
  });
}

interface Flight<T> {
  now: () => number;
  before: ReadonlySet<string>;
  found: (token: AccessToken) => T | Promise<T>;
  /** @param signal aborted when the turn is over: whoever comes next may ask */
  renew: (signal?: AbortSignal) => Promise<T>;
}

/** What `singleFlight` has to know of the cache before it begins. */
export function standing(
  cache: TokenCache,
  request: TokenRequest,
  now: number,
): Lookup & { before: ReadonlySet<string> } {
  const found = lookup(cache, request, now, CLOCK_SKEW);
  const isDone = found.accessToken !== undefined && !found.refreshSoon;
  return { ...found, before: new Set(isDone ? [] : candidates(cache, request).map(({ secret }) => secret)) };
}

/**
 * An access token for the request: the cached one, without any I/O beyond the handle's, while it is fresh; else a new
 * one, for which one process asks at a time (see CacheHandle.exclusively). Where the provider asked for an early refresh
 * and it fails, the cached token is given, and kept. No refresh token is removed because it was refused.
 *
 * @throws SignInRequiredError where no refresh token is left to try, or the user was signed out meanwhile: what the
 *   provider gave then is dropped. Where all were refused, what `redeem` rejected with last
 */
export async function acquireTokenSilent(
  handle: CacheHandle,
  request: TokenRequest,
  redeem: Redeem,
  now: () => number,
): Promise<AccessToken> {
  const known = await handle.read((cache) => standing(cache, request, now()));
  const { accessToken, before } = known;
  if (accessToken !== undefined && !known.refreshSoon) return accessToken;
  if (known.refreshTokens.length === 0) return accessToken ?? signInRequired();
  try {
    return await singleFlight(handle, request, {
      now,
      before,
      found: (token) => token,
      renew: (signal) => renewed(handle, request, redeem, signal),
    });
  } catch (error) {
    if (accessToken !== undefined) return accessToken;
    throw error;
  }
}

function signInRequired(): never {
  throw new SignInRequiredError('There is no token for this account and app: the user has to sign in.');
}

/** Redeems the refresh tokens that there are now, until one gives an access token. */
async function renewed(
  handle: CacheHandle,
  request: TokenRequest,
  redeem: Redeem,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  // Who waited for the turn begins only now: a sign-in that came meanwhile is what is refreshed.
  const { refreshTokens, since } = await handle.read((cache) => ({
    refreshTokens: refreshTokensFor(cache, request),
    since: handle.epoch,
  }));
  const failures: unknown[] = [];
  for (const refreshToken of refreshTokens) {
    let redeemed: Redeemed;
    try {
      redeemed = await redeem(refreshToken, request, signal);
    } catch (error) {
      failures.push(error);
      continue;
    }
    const token = await handle.update(
      (cache) => take(cache, request, refreshToken, redeemed),
      since === undefined ? {} : { since },
    );
    if (token !== undefined) return token;
    failures.push(
      new SignInRequiredError('The provider answered, but with no access token for this account and app.'),
    );
  }
  if (failures.length === 0) signInRequired();
  throw failures.at(-1);
}

type Redeemed = Awaited<ReturnType<Redeem>>;

/** Whether anything of the account is left that a new token could belong to. */
function isSignedIn(cache: TokenCache, { home_account_id, environment }: TokenRequest): boolean {
  const query = { home_account_id, environment };
  return cache.find('RefreshToken', { query }).length > 0 || cache.find('Account', { query }).length > 0;
}

/** Takes the response in, and gives the token that came with it; undefined where none came for this account. */
function take(
  cache: TokenCache,
  request: TokenRequest,
  used: RefreshToken,
  { token_endpoint, response }: Redeemed,
): AccessToken | undefined {
  if (!isSignedIn(cache, request)) {
    throw new SignInRequiredError('The account was signed out while its token was being refreshed.');
  }
  // A provider that rotates refresh tokens has made the old one worthless, also where their targets differ.
  const isOwn = used.client_id.toLowerCase() === request.client_id.toLowerCase();
  if (isOwn && typeof response['refresh_token'] === 'string') cache.modify('RefreshToken', used, null);
  const granted = response['scope'];
  cache.add({
    client_id: request.client_id,
    scope: typeof granted === 'string' && granted !== '' ? scopesOf(granted) : request.scopes,
    token_endpoint,
    response,
    environment: request.environment,
    ...(request.realm === undefined ? {} : { realm: request.realm }),
    ...(request.home_account_id === null ? {} : { home_account_id: request.home_account_id }),
    data: {
      ...request.components,
      ...(request.key_id === undefined ? {} : { key_id: request.key_id }),
      ...(request.token_type === undefined ? {} : { token_type: request.token_type }),
    },
    skipAccountCreation: true,
  });
  const query = { home_account_id: request.home_account_id, client_id: request.client_id };
  const extended =
    request.components === undefined ? {} : { ext_cache_key: hashComponents(request.components) };
  return cache
    .find('AccessToken', { query: { ...query, ...extended } })
    .find((token) => token.secret === response['access_token']);
}
