/** Getting an access token without asking the user: from the cache, or for a refresh token (RFC 6749 §6). */
import { SignInRequiredError } from '../errors.ts';
import type { AccessToken, RefreshToken } from './entities.ts';
import { isUsable, secondsOf, wantsRefresh } from './expiry.ts';
import { hashComponents } from './extension.ts';
import type { CacheHandle } from './handle.ts';
import { scopesOf } from './scopes.ts';
import type { TokenCache } from './token-cache.ts';

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

export interface Lookup {
  /** One that may be used now. */
  accessToken?: AccessToken;
  /** The provider asked for it to be refreshed by now; it may be used all the same. */
  refreshSoon: boolean;
  /** To be tried in this order. */
  refreshTokens: readonly RefreshToken[];
}

/**
 * @param request whose refresh token is to be redeemed
 * @returns the token endpoint's response, and where it was asked. Rejects where the endpoint refused or was not reached
 */
export type Redeem = (
  refreshToken: RefreshToken,
  request: TokenRequest,
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

/** @param now seconds since the epoch */
export function lookup(cache: TokenCache, request: TokenRequest, now: number): Lookup {
  const cached =
    request.forceRefresh === true
      ? []
      : cache.find('AccessToken', { target: request.scopes, query: queryOf(request) });
  const accessToken = longestLived(cached.filter((token) => isUsable(token, now)));
  return {
    ...(accessToken === undefined ? {} : { accessToken }),
    refreshSoon: accessToken !== undefined && wantsRefresh(accessToken, now),
    refreshTokens: refreshTokensFor(cache, request),
  };
}

/**
 * An access token for the request: the cached one, without any I/O beyond the handle's, while it is fresh; else a new
 * one. Where the provider asked for an early refresh and it fails, the cached token is given, and kept. No refresh token
 * is removed because it was refused.
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
  const found = await handle.read((cache) => lookup(cache, request, now()));
  if (found.accessToken !== undefined && !found.refreshSoon) return found.accessToken;

  let refused: unknown = new SignInRequiredError(
    'There is no token for this account and app: the user has to sign in.',
  );
  for (const refreshToken of found.refreshTokens) {
    let redeemed: Redeemed;
    try {
      redeemed = await redeem(refreshToken, request);
    } catch (error) {
      refused = error;
      continue;
    }
    const token = await handle.update((cache) => take(cache, request, refreshToken, redeemed));
    if (token !== undefined) return token;
    refused = new SignInRequiredError(
      'The provider answered, but with no access token for this account and app.',
    );
  }
  if (found.accessToken !== undefined) return found.accessToken;
  throw refused;
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
