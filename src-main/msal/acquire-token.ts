import {
  codeThatAsksUser,
  prepareRefresh,
  refreshTokensFor,
  singleFlight,
  stillCached,
  type TokenRequest,
} from '../cache/acquire.ts';
import { systemClock } from '../cache/clock.ts';
import { type CacheHandle, exclusively, type Synchronous, withoutSignal } from '../cache/handle.ts';
import { isMicrosoft } from '../cache/schema/authorities.ts';
import { EXPIRY_MARGIN } from '../cache/schema/expiry.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { AmbiguousAccountError, SignInRequiredError } from '../errors.ts';
import { checkOptions, SIGNAL } from '../options.ts';
import { type Abortable, abandonable } from '../waiting.ts';
import { accountInfo, cachedResult, isPlain } from './cached-result.ts';
import { answerTo, rememberAnswer } from './claims.ts';
import { flight, type Seen } from './flight.ts';
import { isLive } from './library.ts';

/**
 * An application of `@azure/msal-node` whose cache plugin is `msalCachePlugin` of the same handle.
 *
 * @example
 * import { type AuthenticationResult, PublicClientApplication, type SilentFlowRequest } from '@azure/msal-node';
 * import type { SilentApplication } from 'tokenkeep/msal';
 *
 * const application: SilentApplication<SilentFlowRequest, AuthenticationResult> = new PublicClientApplication({ auth });
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
 * const request: SilentRequest = { scopes: ['User.Read'], forceRefresh: true };
 */
export interface SilentRequest {
  /**
   * The account, as returned by `getAllAccounts` of the application. Default: the only one in the cache, so that a web app, which keeps one
   * user in a partition, needs no MSAL object to find it.
   */
  account?: { homeAccountId: string; environment: string; tenantId?: string } | null | undefined;
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
 * A valid cached token is returned without MSAL, after one read of the cache. Pass a function as `application`: it is called only when MSAL
 * is needed, and creating a client costs more than reading the token. A request with `claims` asks the provider, once for all callers that
 * come together with the same claims. If the process that asks dies, the next one takes over. If an early refresh that the provider asked
 * for fails, the cached token is returned. A refresh token that the provider refuses is removed from the cache, so that no process sends
 * it again; if the account has another one, that is tried next.
 *
 * `signal` stops waiting. A refresh that has begun is finished nevertheless, and what came back is kept: the refresh token may have been
 * used up.
 *
 * @param handle the vault or partition, or the promise of one
 * @param application the application, or a function that returns it when it is needed
 * @param clientId the client ID from the application's configuration, which MSAL does not expose
 * @throws SignInRequiredError if the provider requires the user to sign in, or no refresh token is left; MSAL's error is its `cause`.
 *   Also if the request names no account and nobody is signed in, or the user was signed out in the meantime
 * @throws AmbiguousAccountError if the request names no account and several users are signed in
 * @throws other errors of `acquireTokenSilent`; an error with code `vault_busy` or `partition_busy` if the lock was not released in time
 * @example
 * import { PublicClientApplication } from '@azure/msal-node';
 * import { acquireToken, msalCachePlugin } from 'tokenkeep/msal';
 *
 * const application = () => new PublicClientApplication({ auth, cache: { cachePlugin: msalCachePlugin(vault) } });
 * const { accessToken } = await acquireToken(vault, application, auth.clientId, { scopes: ['User.Read'] });
 */
export async function acquireToken<Request extends SilentRequest, Result>(
  handle: CacheHandle | Promise<CacheHandle>,
  application: SilentApplication<Request, Result> | (() => SilentApplication<Request, Result>),
  clientId: string,
  request: Request,
  options?: Abortable,
): Promise<Result>;
/** Without an account: the only one in the cache. */
export async function acquireToken<Request extends SilentRequest, Result>(
  handle: CacheHandle | Promise<CacheHandle>,
  application: SilentApplication<Request, Result> | (() => SilentApplication<Request, Result>),
  clientId: string,
  request: Omit<Request, 'account'>,
  options?: Abortable,
): Promise<Result>;
export async function acquireToken<Request extends SilentRequest, Result>(
  handle: CacheHandle | Promise<CacheHandle>,
  application: SilentApplication<Request, Result> | (() => SilentApplication<Request, Result>),
  clientId: string,
  request: Request,
  options: Abortable = {},
): Promise<Result> {
  const { signal } = checkOptions('acquireToken', options, { signal: SIGNAL });
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
  const { scopes, claims, correlationId = '' } = request;
  const hasClaims = claims !== undefined && claims !== '';
  const forceRefresh = request.forceRefresh === true || hasClaims;
  let client = typeof application === 'function' ? undefined : application;
  const made = (): SilentApplication<Request, Result> =>
    (client ??= typeof application === 'function' ? application() : application);
  const opened = await handle;
  const { accessToken, refreshSoon, before, lock, cached, account, wanted } = await opened.read((cache) => {
    const account = request.account ?? onlyAccount(cache);
    const wanted: TokenRequest = {
      client_id: clientId,
      home_account_id: account.homeAccountId,
      environment: account.environment,
      scopes,
      forceRefresh,
      margin: EXPIRY_MARGIN, // The margin of MSAL, which decides whether to refresh.
      ...realmOf(request, account),
    };
    const found = prepareRefresh(cache, wanted, systemClock());
    const token = isPlain(request) ? found.accessToken : undefined;
    // The result has the same fields as MSAL's.
    const result = token && (cachedResult(cache, token, account, correlationId) as Result | undefined);
    return { ...found, cached: result, account, wanted };
  });
  const ask = async (fresh: boolean): Promise<Result> => {
    const library = made();
    // Listing accounts makes MSAL 2 read the cache, which it does not do before it looks for a token.
    const isRead = 'overwriteCache' in library.getTokenCache();
    // Outside Microsoft's clouds MSAL may know the account under another environment, such as one with a port.
    const isKnown = request.account === undefined ? isMicrosoft(account.environment) : true;
    const accounts = isRead && isKnown ? undefined : await library.getTokenCache().getAllAccounts();
    const own = ofTenant(request.account ?? ownObject(accounts, account), wanted.realm);
    return library.acquireTokenSilent({ ...request, account: own, forceRefresh: fresh });
  };
  if (accessToken !== undefined && !refreshSoon) return cached ?? ask(false);
  const watched = new InTurn(opened, wanted);
  // MSAL takes no signal.
  const renew = withoutSignal(async (): Promise<Result> => {
    assertWanted();
    return untilRefusedAll(watched, made, wanted, () =>
      flight.run(
        { handle: opened, tokenCache: made().getTokenCache(), epoch: watched.since, seen: watched.seen },
        () => ask(forceRefresh || refreshSoon),
      ),
    );
  });
  if (hasClaims)
    return exclusively(opened, lock, async () => {
      // The first of the callers that were challenged with the same claims asks for all of them.
      const shared = await watched.read((cache) => {
        const token = isPlain(request) ? answerTo(cache, wanted, claims, before, systemClock()) : undefined;
        return { result: token && cachedResult(cache, token, account, correlationId) };
      });
      if (shared.result !== undefined) return shared.result as Result;
      const result = await renew();
      await rememberAnswer(opened, wanted, claims, result).catch(() => undefined); // The next caller then asks itself.
      return result;
    });
  const renewal = singleFlight(watched, wanted, {
    now: systemClock,
    lock,
    before,
    found: () => ask(false),
    renew, // MSAL may still find a token that was not found here.
  });
  if (accessToken === undefined) return renewal;
  return renewal.catch(async (failure: unknown) => {
    const left = await stillCached(opened, wanted, accessToken, systemClock, failure);
    return left.secret === accessToken.secret && cached !== undefined ? cached : ask(false);
  });
}

type Account = NonNullable<SilentRequest['account']>;

/** The account as MSAL lists it. @throws SignInRequiredError, AmbiguousAccountError */
function onlyAccount(cache: TokenCache): Account {
  const [account, ...others] = cache.accounts();
  if (account === undefined)
    throw new SignInRequiredError(
      'Nobody is signed in in this cache. Sign the user in, then ask for a token.',
    );
  if (others.length > 0)
    throw new AmbiguousAccountError(
      'Several users are signed in in this cache, so the request must name one: pass `account`. Nothing was sent.',
      [account, ...others],
    );
  return accountInfo(account);
}

/** MSAL knows the account by its own object, which has fields that only MSAL reads. */
function ownObject(accounts: unknown, account: Account): Account {
  const listed = Array.isArray(accounts) ? (accounts as Account[]) : [];
  return listed.find(({ homeAccountId }) => homeAccountId === account.homeAccountId) ?? account;
}

/** MSAL looks for a cached token in the tenant of the account, whatever the authority of the request is. */
function ofTenant(account: Account, realm: string | undefined): Account {
  const isSame = realm === undefined || account.tenantId?.toLowerCase() === realm.toLowerCase();
  return isSame || !isMicrosoft(account.environment) ? account : { ...account, tenantId: realm };
}

/** Returns the tenant of the requested token: that of the request's authority, as in MSAL, else the account's. */
function realmOf(request: object, { environment, tenantId = '' }: Account): { realm?: string } {
  const authority: unknown = Reflect.get(request, 'authority');
  const tenant =
    typeof authority === 'string' && isMicrosoft(environment)
      ? /^https:\/\/[^/]+\/([^/?#]+)/.exec(authority)?.[1]
      : undefined;
  const realm = tenant === undefined || GENERIC_TENANTS.has(tenant.toLowerCase()) ? tenantId : tenant;
  return realm === '' ? {} : { realm };
}

const GENERIC_TENANTS: ReadonlySet<string> = new Set(['common', 'organizations', 'consumers']);

/** A handle that records on each read what a refresh needs, so that the cache is not read again. */
class InTurn implements CacheHandle {
  readonly #handle: CacheHandle;
  readonly #wanted: TokenRequest;
  /** `epoch` of the handle as of the last read. */
  since: number | undefined;
  /** The cache as of the last read. */
  seen: Seen | undefined;
  /** The secrets of the refresh tokens to try. */
  refreshTokens: readonly string[] = [];

  constructor(handle: CacheHandle, wanted: TokenRequest) {
    this.#handle = handle;
    this.#wanted = wanted;
  }

  read<T>(fn: Synchronous<T>): Promise<T> {
    const noting = (cache: TokenCache): T => {
      this.since = this.#handle.epoch;
      this.seen = { cache, version: cache.version };
      this.refreshTokens = refreshTokensFor(cache, this.#wanted).map(({ secret }) => secret);
      return fn(cache);
    };
    return this.#handle.read(noting as Synchronous<T>);
  }

  update<T>(fn: Synchronous<T>): Promise<T> {
    return this.#handle.update(fn);
  }

  exclusively<T>(name: string, task: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    return exclusively(this.#handle, name, task);
  }
}

/**
 * Calls `ask` until MSAL gets a token or no refresh token is left. MSAL stops at the first refresh token that is refused, so an expired
 * token of the family hides a valid one of the app (msal-js #8849).
 */
async function untilRefusedAll<Result>(
  handle: InTurn,
  application: () => SilentApplication<never, Result>,
  wanted: TokenRequest,
  ask: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const before = handle.refreshTokens;
    try {
      return await ask();
    } catch (error) {
      if (!isSignInRequired(error)) throw error;
      const tokenCache = application().getTokenCache();
      const sent = sentBy(tokenCache, before);
      await tokenCache.getAllAccounts(); // Saves MSAL's removals.
      await removeRefused(handle, wanted, error, sent);
      await handle.read(() => undefined);
      const { length } = handle.refreshTokens;
      if (length > 0 && length < before.length) continue;
      throw new SignInRequiredError(
        'The provider did not renew this sign-in, so there is no access token. What is cached stays; sign the user in again.',
        { cause: error, reason: codeThatAsksUser(error) ?? null },
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

/** Returns the refresh token that MSAL sends of these: the first in its memory. Undefined if there are several and its memory is unknown. */
function sentBy(tokenCache: object, candidates: readonly string[]): string | undefined {
  if (candidates.length < 2) return candidates[0];
  if (!isLive(tokenCache)) return undefined;
  const tokens = Object.values(tokenCache.getKVStore()).filter(
    ({ credentialType }) => credentialType === 'RefreshToken',
  );
  return tokens.map(({ secret }) => String(secret)).find((secret) => candidates.includes(secret));
}

/**
 * Removes the refresh token that a provider other than Microsoft's has refused: there, `invalid_grant` means that the token is invalid,
 * expired or revoked (RFC 6749 §5.2). Microsoft's providers also return it for a missing consent; MSAL itself recognizes a bad token
 * (`bad_token`) and drops it.
 */
async function removeRefused(
  handle: CacheHandle,
  { client_id, home_account_id, environment }: TokenRequest,
  error: unknown,
  sent: string | undefined,
): Promise<void> {
  if (sent === undefined || !isObject(error)) return;
  if (error.errorCode !== 'invalid_grant' || isMicrosoft(environment)) return;
  const query = { client_id, home_account_id, environment };
  const find = (cache: TokenCache): ReadonlySet<unknown> =>
    new Set(cache.find('RefreshToken', { query }).filter(({ secret }) => secret === sent));
  if ((await handle.read((cache) => find(cache).size)) === 0) return;
  await handle.update((cache) => {
    const [store, refused] = [storeOf(cache), find(cache)];
    // `modify` would also remove a token that differs in its scopes only.
    store.run(() => {
      for (const entry of [...store.entries('RefreshToken')]) if (refused.has(entry.shown)) store.drop(entry);
    });
  });
}
