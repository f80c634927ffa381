import { type Abortable, abandonable } from '../abort.ts';
import { lookup, prepareRefresh, singleFlight, type TokenRequest } from '../cache/acquire.ts';
import { EXPIRY_MARGIN } from '../cache/schema/expiry.ts';
import { systemClock } from '../cache/clock.ts';
import { type CacheHandle, exclusively } from '../cache/handle.ts';
import { isMicrosoft } from '../cache/schema/environments.ts';
import { SignInRequiredError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { cachedResult, isPlain } from './cached-result.ts';
import { flight } from './flight.ts';

/**
 * An application of `@azure/msal-node` whose cache plugin is `msalCachePlugin` of the same handle.
 *
 * @example
 * import type { SilentApplication } from 'tokenkeep/msal';
 *
 * const silent: SilentApplication<{ account: null; scopes: string[] }, { accessToken: string }> = application;
 */
export interface SilentApplication<Request, Result> {
  /** As in `@azure/msal-node`. */
  acquireTokenSilent(request: Request): Promise<Result>;
  /** As in `@azure/msal-node`; listing accounts makes MSAL read the cache. */
  getTokenCache(): {
    /** As in `@azure/msal-node`. */
    getAllAccounts(): Promise<unknown>;
  };
}

/**
 * The part of MSAL's `SilentFlowRequest` that selects the token.
 *
 * @example
 * import type { SilentRequest } from 'tokenkeep/msal';
 *
 * const request: SilentRequest = { account, scopes: ['User.Read'] };
 */
export interface SilentRequest {
  /** The account, as returned by `getAllAccounts` of the application. */
  account: { homeAccountId: string; environment: string; tenantId?: string } | null | undefined;
  /** Scopes of one resource. */
  scopes: string[];
  /** Ignores a cached access token. Default: false. */
  forceRefresh?: boolean;
  /** A claims challenge of a resource (step-up, continuous access evaluation). Cached access tokens are then ignored. */
  claims?: string;
  /** As in `@azure/msal-node`. */
  correlationId?: string;
}

/**
 * Calls `application.acquireTokenSilent(request)` so that a refresh token is redeemed once, however many processes share the vault or the
 * partition: one process asks the provider, the others wait and use the token it got. Otherwise, two processes that refresh at the same
 * time send the same refresh token, and a provider that rotates refresh tokens signs the user out.
 *
 * A valid cached token is returned without MSAL. If `application` is a function, it is called only when MSAL is needed. A request with
 * `claims` always asks the provider. If the process that asks dies, the next one takes over. If an early refresh that the provider asked
 * for fails, the cached token is returned. A refresh token that the provider refuses is removed from the cache, so that no process sends
 * it again; if the account has another one, that is tried next.
 *
 * `signal` stops waiting. A refresh that has begun is finished nevertheless, and what came back is kept: the refresh token may have been
 * used up.
 *
 * @param handle the vault or partition, or the promise of one
 * @param application the application, or a function that returns it when it is needed
 * @param clientId the client ID from the application's configuration, which MSAL does not expose
 * @throws SignInRequiredError if the provider requires the user to sign in, or no refresh token is left; MSAL's error is its `cause`
 * @throws other errors of `acquireTokenSilent`; an error with code `vault_busy` or `partition_busy` if the lock was not released in time
 * @example
 * import { acquireToken } from 'tokenkeep/msal';
 *
 * const [account] = await application.getTokenCache().getAllAccounts();
 * const { accessToken } = await acquireToken(vault, application, clientId, { account, scopes: ['User.Read'] });
 */
export async function acquireToken<Request extends SilentRequest, Result>(
  handle: CacheHandle | Promise<CacheHandle>,
  application: SilentApplication<Request, Result> | (() => SilentApplication<Request, Result>),
  clientId: string,
  request: Request,
  options: Abortable = {},
): Promise<Result> {
  const { signal } = checkOptions('acquireToken', options, { signal: true });
  return abandonable(signal, (assertWanted) =>
    acquired(handle, application, clientId, request, assertWanted),
  );
}

async function acquired<Request extends SilentRequest, Result>(
  handle: CacheHandle | Promise<CacheHandle>,
  application: SilentApplication<Request, Result> | (() => SilentApplication<Request, Result>),
  clientId: string,
  request: Request,
  assertWanted: () => void,
): Promise<Result> {
  const { account, scopes, claims, correlationId = '' } = request;
  const hasClaims = claims !== undefined && claims !== '';
  const forceRefresh = request.forceRefresh === true || hasClaims;
  const made = (): SilentApplication<Request, Result> =>
    typeof application === 'function' ? application() : application;
  if (account === null || account === undefined) return made().acquireTokenSilent(request); // MSAL reports the missing account.
  const opened = await handle;
  const wanted: TokenRequest = {
    client_id: clientId,
    home_account_id: account.homeAccountId,
    environment: account.environment,
    scopes,
    forceRefresh,
    margin: EXPIRY_MARGIN, // The margin of MSAL, which decides whether to refresh.
    ...(account.tenantId === undefined || account.tenantId === '' ? {} : { realm: account.tenantId }),
  };
  const { accessToken, refreshSoon, before, lock, cached } = await opened.read((cache) => {
    const found = prepareRefresh(cache, wanted, systemClock());
    const token = isPlain(request) ? found.accessToken : undefined;
    // The result has the same fields as that of MSAL.
    const result = token && (cachedResult(cache, token, account, correlationId) as Result | undefined);
    return { ...found, cached: result };
  });
  // Listing accounts makes MSAL 2 read the cache, which it does not do before it looks for a token.
  const ask = async (fresh: boolean): Promise<Result> => {
    await made().getTokenCache().getAllAccounts();
    return made().acquireTokenSilent({ ...request, forceRefresh: fresh });
  };
  if (accessToken !== undefined && !refreshSoon) return cached ?? ask(false);
  const renew = async (): Promise<Result> => {
    assertWanted();
    const epoch = await opened.read(() => opened.epoch);
    return flight.run(epoch, () =>
      untilRefusedAll(opened, made(), wanted, () => ask(forceRefresh || refreshSoon)),
    );
  };
  // A token that another caller got in the meantime was requested without these claims.
  if (hasClaims) return exclusively(opened, lock, renew);
  const renewal = singleFlight(opened, wanted, {
    now: systemClock,
    lock,
    before,
    found: () => ask(false),
    renew, // MSAL may still find a token that was not found here.
  });
  return accessToken === undefined ? renewal : renewal.catch(() => cached ?? ask(false));
}

/**
 * Calls `ask` until MSAL gets a token or no refresh token is left. MSAL stops at the first refresh token that is refused, so an expired
 * token of the family hides a valid one of the app (msal-js #8849).
 */
async function untilRefusedAll<Result>(
  handle: CacheHandle,
  application: SilentApplication<never, Result>,
  wanted: TokenRequest,
  ask: () => Promise<Result>,
): Promise<Result> {
  const refreshTokens = async (): Promise<string[]> =>
    handle.read((cache) => lookup(cache, wanted, systemClock()).refreshTokens.map(({ secret }) => secret));
  let left = await refreshTokens();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isSignInRequired(error)) throw error;
      await application.getTokenCache().getAllAccounts(); // Saves MSAL's removals.
      await removeRefused(handle, wanted, error, left);
      const before = left;
      left = await refreshTokens();
      if (left.length > 0 && left.length < before.length) continue;
      throw new SignInRequiredError(
        'The provider did not renew this sign-in, so there is no access token. What is cached stays; sign the user in again.',
        { cause: error },
      );
    }
  }
}

/** The fields of an MSAL error that are evaluated here. */
interface LibraryError {
  readonly name?: unknown;
  readonly errorCode?: unknown;
  readonly subError?: unknown;
}

const isObject = (error: unknown): error is LibraryError => typeof error === 'object' && error !== null;

/** Whether the user has to sign in: MSAL has no refresh token, or the provider refused it (RFC 6749 §5.2). */
function isSignInRequired(error: unknown): boolean {
  if (!isObject(error)) return false;
  return error.errorCode === 'invalid_grant' || error.name === 'InteractionRequiredAuthError';
}

/**
 * Removes the refresh tokens that a provider other than Microsoft's has refused: there, `invalid_grant` means that the token is invalid,
 * expired or revoked (RFC 6749 §5.2). Microsoft's providers also return it for a missing consent; MSAL itself recognizes a bad token
 * (`bad_token`) and drops it.
 */
async function removeRefused(
  handle: CacheHandle,
  { client_id, home_account_id, environment }: TokenRequest,
  error: unknown,
  sent: readonly string[],
): Promise<void> {
  if (!isObject(error) || error.errorCode !== 'invalid_grant' || isMicrosoft(environment)) return;
  const query = { client_id, home_account_id, environment };
  const refused = await handle.read((cache) =>
    cache.find('RefreshToken', { query }).filter(({ secret }) => sent.includes(secret)),
  );
  if (refused.length === 0) return;
  await handle.update((cache) => {
    for (const token of refused) cache.modify('RefreshToken', token, null);
  });
}
