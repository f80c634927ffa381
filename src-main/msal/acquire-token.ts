import { singleFlight, standing, type TokenRequest } from '../cache/acquire.ts';
import { EXPIRY_MARGIN } from '../cache/schema/expiry.ts';
import type { CacheHandle } from '../cache/handle.ts';
import { systemClock } from '../cache/clock.ts';

/** An application of `@azure/msal-node` whose cache plugin is `msalCachePlugin` of the same handle. */
export interface SilentApplication<Request, Result> {
  /** As in `@azure/msal-node`. */
  acquireTokenSilent(request: Request): Promise<Result>;
  /** As in `@azure/msal-node`; asking for accounts is what makes it look at the cache. */
  getTokenCache(): {
    /** As in `@azure/msal-node`. */
    getAllAccounts(): Promise<unknown>;
  };
}

/** As much of MSAL's `SilentFlowRequest` as decides which token is wanted. */
export interface SilentRequest {
  /** As `getAllAccounts` of the application gives it. */
  account: { homeAccountId: string; environment: string; tenantId?: string } | null | undefined;
  /** Of one resource. */
  scopes: string[];
  /** A cached access token does not do. Default: false. */
  forceRefresh?: boolean;
}

/**
 * `application.acquireTokenSilent(request)`, so that a refresh token is redeemed once, however many processes share the
 * vault or the partition: one asks the provider, the others wait and get what it got. Without it two that refresh at the same moment
 * send the same refresh token, and a provider that rotates them signs the user out.
 *
 * A cached token is given at once. A holder that dies frees the way. Where the provider asked for an early refresh and
 * that fails, the cached token is given.
 *
 * @param clientId the application's, as in its configuration: MSAL does not tell it
 * @throws what `acquireTokenSilent` throws; an error of code `vault_busy` or `partition_busy` where others kept it too long
 */
export async function acquireToken<Request extends SilentRequest, Result>(
  handle: CacheHandle,
  application: SilentApplication<Request, Result>,
  clientId: string,
  request: Request,
): Promise<Result> {
  const { account, scopes, forceRefresh = false } = request;
  if (account === null || account === undefined) return application.acquireTokenSilent(request); // MSAL says what is wrong.
  const wanted: TokenRequest = {
    client_id: clientId,
    home_account_id: account.homeAccountId,
    environment: account.environment,
    scopes,
    forceRefresh,
    margin: EXPIRY_MARGIN, // MSAL's own: whether it refreshes is for it to say.
    ...(account.tenantId === undefined || account.tenantId === '' ? {} : { realm: account.tenantId }),
  };
  const { accessToken, refreshSoon, before } = await handle.read((cache) =>
    standing(cache, wanted, systemClock()),
  );
  // Major 2 does not look at what others wrote before it looks for a token.
  const ask = async (fresh: boolean): Promise<Result> => {
    await application.getTokenCache().getAllAccounts();
    return application.acquireTokenSilent({ ...request, forceRefresh: fresh });
  };
  if (accessToken !== undefined && !refreshSoon) return ask(false);
  const flight = singleFlight(handle, wanted, {
    now: systemClock,
    before,
    found: () => ask(false),
    // Where MSAL finds what was not found here, it knows better.
    renew: () => ask(forceRefresh || refreshSoon),
  });
  return accessToken === undefined ? flight : flight.catch(() => ask(false));
}
