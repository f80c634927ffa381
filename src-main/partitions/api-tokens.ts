/** Tokens that an API or a background job gets for itself: on behalf of a caller, or of the app. */
import { createHash } from 'node:crypto';
import { assertTokens, codeThatAsksUser, isInvalidGrant } from '../cache/acquire.ts';
import { type CacheHandle, exclusively } from '../cache/handle.ts';
import { readToken, stringClaim } from '../cache/schema/claims.ts';
import type { AccessToken, RefreshToken } from '../cache/schema/entities.ts';
import { CLOCK_SKEW, expiryOf, isUsableAt, secondsOf, wantsRefresh } from '../cache/schema/expiry.ts';
import { scopesOf, sha256Base64url } from '../cache/schema/match.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError, SignInRequiredError } from '../errors.ts';
import { NAME, RECORD } from '../options.ts';

/** Parameters of a token request, without the authentication of the client: RFC 6749 §4.4 and §6, RFC 7523 §2.1, RFC 8693 §2.1. */
export interface TokenParameters extends Readonly<Record<string, string>> {
  readonly grant_type: string;
  readonly scope: string;
}

/** The response of a token endpoint. */
export interface TokenAnswer {
  /** The URL of the endpoint. */
  readonly token_endpoint: string;
  /** The JSON body, also that of an error response. The call then rejects with an error that has its code in `error`. */
  readonly response: Readonly<Record<string, unknown>>;
}

/**
 * Posts the parameters to the provider's token endpoint, with the authentication of the client.
 *
 * @param signal aborted when the turn is over; pass it to `fetch`
 */
export type AskTokenEndpoint = (parameters: TokenParameters, signal?: AbortSignal) => Promise<TokenAnswer>;

/** A token of the app itself (client credentials, RFC 6749 §4.4). */
export interface AppTokenRequest {
  client_id: string;
  /** The tenant. */
  realm: string;
  /** The provider's host, if the app uses several providers. */
  environment?: string;
  /** As a list, or separated by spaces. With Microsoft Entra ID: `<resource>/.default`. */
  scopes: string | readonly string[];
  /** Ignores the cached token, for example because the API refused it. Default: false. */
  forceRefresh?: boolean;
}

/** A token for another API, on behalf of the user who called this one. */
export interface OnBehalfOfRequest {
  client_id: string;
  /** The access token of the caller, **validated**: signature, issuer, audience, expiry. Its user determines which cache is used. */
  assertion: string;
  /** As a list, or separated by spaces. */
  scopes: string | readonly string[];
  /** `'jwt-bearer'` (the default), as Microsoft Entra ID requires, or `'token-exchange'` (RFC 8693). */
  grant?: 'jwt-bearer' | 'token-exchange';
  /** Ignores the cached token, for example because the API refused it. Default: false. */
  forceRefresh?: boolean;
}

/** How many assertions of one user are remembered. An older one asks the provider again. */
const MOST_ASSERTIONS = 20;

interface Wanted {
  readonly client_id: string;
  readonly scopes: readonly string[];
  /** The hash of the assertion; undefined for tokens of the app. */
  readonly hash: string | undefined;
  readonly forceRefresh: boolean;
  /** The grants to try, in this order, given the refresh tokens. */
  grants(refreshTokens: readonly RefreshToken[]): readonly TokenParameters[];
  /** Fields of the event in addition to the response. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** @throws InvalidArgumentError */
export function appWanted(request: AppTokenRequest): Wanted {
  const scopes = scopesIn(request.scopes);
  const { client_id, realm, environment, forceRefresh = false } = request;
  const parameters = { grant_type: 'client_credentials', scope: scopes.join(' ') };
  return {
    ...{ client_id: text('client_id', client_id), scopes, forceRefresh, hash: undefined },
    grants: () => [parameters],
    event: { realm: text('realm', realm), ...(environment === undefined ? {} : { environment }) },
  };
}

/** @throws InvalidArgumentError */
export function onBehalfWanted(request: OnBehalfOfRequest): Wanted {
  const scopes = scopesIn(request.scopes);
  const { client_id, grant = 'jwt-bearer', forceRefresh = false } = request;
  const assertion = text('assertion', request.assertion);
  const hash = sha256Base64url(assertion);
  const scope = scopes.join(' ');
  const exchange: TokenParameters =
    grant === 'jwt-bearer'
      ? {
          grant_type: `${OAUTH}:grant-type:jwt-bearer`,
          assertion,
          requested_token_use: 'on_behalf_of',
          scope,
        }
      : {
          grant_type: `${OAUTH}:grant-type:token-exchange`,
          subject_token: assertion,
          subject_token_type: `${OAUTH}:token-type:access_token`,
          scope,
        };
  return {
    ...{ client_id: text('client_id', client_id), scopes, forceRefresh, hash },
    // A refresh token outlives the assertion, so a job that runs longer than the assertion is valid still gets tokens.
    grants: (refreshTokens) => [
      ...refreshTokens.map(({ secret }) => ({ grant_type: 'refresh_token', refresh_token: secret, scope })),
      exchange,
    ],
    event: { data: { user_assertion_hash: hash } },
  };
}

const OAUTH = 'urn:ietf:params:oauth';

/** The app asks for scopes that do not exist, or that it may not have (RFC 6749 §5.2): no caller gets them by a new sign-in. */
const INVALID_SCOPE = 'invalid_scope';

/** The partition id of the user whose assertion this is: `oid` and `tid` (Entra ID), else `sub`, with the issuer. */
export function userOfAssertion(assertion: string): string {
  const token = readToken(assertion);
  const claims = token?.format === 'jwt' ? token.payload : undefined;
  const claim = (name: string): string => stringClaim(claims, name) ?? '';
  const own = claim('oid') === '' ? ['sub', claim('sub')] : ['oid', claim('tid'), claim('oid')];
  const id = own.at(-1) === '' ? ['assertion', assertion] : [claim('iss'), ...own];
  return `on behalf of ${createHash('sha256').update(JSON.stringify(id)).digest('base64url')}`;
}

/**
 * Returns a cached token, or asks the provider in a turn of this partition.
 *
 * @throws SignInRequiredError if the provider refused every grant, and only the user can change that; what `ask` throws;
 *   TokenErrorResponse, with the code, for any other error response
 */
export async function apiToken(
  handle: CacheHandle,
  wanted: Wanted,
  ask: AskTokenEndpoint,
  now: () => number,
): Promise<AccessToken> {
  const known = await handle.read((cache) => usable(cache, wanted, now()));
  const { forceRefresh } = wanted;
  if (known !== undefined && !forceRefresh && !wantsRefresh(known, now())) return known;
  const name = wanted.hash === undefined ? `app ${wanted.scopes.toSorted().join(' ')}` : 'on behalf of';
  try {
    return await exclusively(handle, name, async (signal) => {
      const found = await handle.read((cache) => ({
        token: usable(cache, wanted, now()),
        refreshTokens: refreshTokensIn(cache, wanted),
        since: handle.epoch,
      }));
      const isNew = found.token !== undefined && found.token.secret !== known?.secret;
      if (found.token !== undefined && (isNew || !(forceRefresh || wantsRefresh(found.token, now()))))
        return found.token;
      return await asked(handle, wanted, ask, found, now, signal);
    });
  } catch (error) {
    if (known === undefined || forceRefresh) throw error;
    // An early refresh that failed. The user may have been signed out meanwhile, or another caller got a token.
    const left = await handle.read((cache) => usable(cache, wanted, now())).catch(() => undefined);
    if (left === undefined) throw error;
    return left;
  }
}

/** What the cache had when the turn began. */
interface FoundInTurn {
  readonly token: AccessToken | undefined;
  readonly refreshTokens: readonly RefreshToken[];
  readonly since: number | undefined;
}

async function asked(
  handle: CacheHandle,
  wanted: Wanted,
  ask: AskTokenEndpoint,
  { token: before, refreshTokens, since }: FoundInTurn,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  const refused: string[] = [];
  const causes: unknown[] = [];
  for (const parameters of wanted.grants(refreshTokens)) {
    let answer: TokenAnswer;
    try {
      answer = answerIn(await ask(parameters, signal));
      assertTokens(answer.response);
    } catch (error) {
      const sent = parameters['refresh_token'];
      const code = wanted.hash === undefined ? undefined : codeThatAsksUser(error);
      const isRefused = isInvalidGrant(error);
      if (sent !== undefined && isRefused) refused.push(sent);
      // A refresh token may be for fewer scopes than the assertion.
      if (isRefused || (code !== undefined && (code !== INVALID_SCOPE || sent !== undefined))) {
        causes.push(error);
        continue;
      }
      if (refused.length > 0) await handle.update((cache) => dropRefreshTokens(cache, refused));
      throw error;
    }
    const { token_endpoint, response } = answer;
    await handle.update(
      (cache) => {
        cache.add({
          client_id: wanted.client_id,
          scope: [...wanted.scopes],
          token_endpoint,
          response,
          grant_type: parameters.grant_type,
          ...wanted.event,
        });
        tidy(cache, wanted, { refused, used: refreshTokens, response, now: now() });
      },
      since === undefined ? {} : { since },
    );
    // What was stored, which is nothing for a user who was signed out meanwhile.
    const token = await handle.read((cache) => {
      const own = tokensOf(cache, 'AccessToken', wanted.client_id);
      const stored = own.find(({ secret }) => secret === response['access_token']);
      if (stored !== undefined) return stored;
      // Without leases, another server may have stored its own token in place of this one.
      const other = usable(cache, wanted, now());
      return other?.secret === before?.secret ? undefined : other;
    });
    if (token !== undefined) return token;
    throw new SignInRequiredError(
      'The provider answered without a token for this user, or the user was signed out meanwhile. Nothing was stored.',
    );
  }
  if (refused.length > 0) await handle.update((cache) => dropRefreshTokens(cache, refused));
  const cause = causes.find(hasClaims) ?? causes.at(-1);
  throw new SignInRequiredError(
    'The provider refused to give a token on these grounds. Nothing was stored. The caller has to get a new token for this API: answer 401.',
    { cause, reason: codeThatAsksUser(cause) ?? null },
  );
}

/** @throws InvalidArgumentError for anything else, such as a body without its endpoint */
function answerIn(answer: unknown): TokenAnswer {
  const { token_endpoint, response } = Object(answer) as Partial<TokenAnswer>;
  if (NAME.is(token_endpoint) && RECORD.is(response)) return answer as TokenAnswer;
  throw new InvalidArgumentError(
    'The function that asks the token endpoint has to return { token_endpoint, response }: the URL, and the JSON body of the answer. What it returned was not used, and nothing was stored.',
  );
}

/** Whether the provider said what the user has to prove. */
function hasClaims(failure: unknown): boolean {
  const { claims } = Object(failure) as { claims?: unknown };
  return typeof claims === 'string' && claims !== '';
}

function usable(
  cache: TokenCache,
  { client_id, scopes, hash }: Wanted,
  now: number,
): AccessToken | undefined {
  const query = { client_id, ...(hash === undefined ? {} : { user_assertion_hash: hash }) };
  const tokens = cache
    .find('AccessToken', { target: [...scopes], query })
    .filter((token) => token.client_id === client_id && isUsableAt(token, now, CLOCK_SKEW));
  const expiry = (token: AccessToken): number => Math.min(expiryOf(token), Number.MAX_SAFE_INTEGER);
  return tokens.toSorted((a, b) => expiry(b) - expiry(a))[0];
}

function refreshTokensIn(cache: TokenCache, { client_id, hash }: Wanted): RefreshToken[] {
  if (hash === undefined) return [];
  return tokensOf(cache, 'RefreshToken', client_id).filter((token) => assertionOf(token) === hash);
}

/** Client IDs are case-sensitive (RFC 6749 §2.2), which a search by client ID is not. */
function tokensOf<T extends 'AccessToken' | 'RefreshToken'>(cache: TokenCache, type: T, client_id: string) {
  return cache.find(type, { query: { client_id } }).filter((token) => token.client_id === client_id);
}

function assertionOf(token: RefreshToken | AccessToken): unknown {
  return token['user_assertion_hash'] ?? token['userAssertionHash'];
}

/**
 * Drops tokens that a response replaced, expired tokens, and tokens of the oldest assertions: users get a new assertion about every hour.
 */
function tidy(
  cache: TokenCache,
  { hash }: Wanted,
  {
    refused,
    used,
    response,
    now,
  }: {
    readonly refused: readonly string[];
    readonly used: readonly RefreshToken[];
    readonly response: Readonly<Record<string, unknown>>;
    readonly now: number;
  },
): void {
  dropRefreshTokens(cache, refused);
  if (hash === undefined) return;
  const fresh = response['refresh_token'];
  if (typeof fresh === 'string')
    dropRefreshTokens(
      cache,
      used.map(({ secret }) => secret).filter((secret) => secret !== fresh),
    );
  const ages = new Map<unknown, number>();
  for (const token of cache.find('AccessToken')) {
    if (expiryOf(token) <= now) cache.modify('AccessToken', token, null);
    const age = secondsOf(token.cached_at) || 0;
    ages.set(assertionOf(token), Math.max(age, ages.get(assertionOf(token)) ?? 0));
  }
  for (const token of cache.find('RefreshToken')) {
    const age = secondsOf(token.last_modification_time) || 0;
    ages.set(assertionOf(token), Math.max(age, ages.get(assertionOf(token)) ?? 0));
  }
  const others = [...ages].filter(([own]) => own !== hash).sort(([, a], [, b]) => b - a);
  const old = new Set(others.slice(MOST_ASSERTIONS - 1).map(([own]) => own));
  for (const type of ['AccessToken', 'RefreshToken'] as const)
    for (const token of cache.find(type)) if (old.has(assertionOf(token))) cache.modify(type, token, null);
}

function dropRefreshTokens(cache: TokenCache, secrets: readonly string[]): void {
  for (const token of cache.find('RefreshToken'))
    if (secrets.includes(token.secret)) cache.modify('RefreshToken', token, null);
}

function scopesIn(scopes: string | readonly string[]): string[] {
  const list = typeof scopes === 'string' ? scopesOf(scopes) : [...scopes].flatMap(scopesOf);
  if (list.length > 0) return list;
  throw new InvalidArgumentError('`scopes` is empty: name the scopes of the API. Nothing was sent.', {
    field: 'scopes',
  });
}

function text(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidArgumentError(`\`${field}\` is a string that is not empty. Nothing was sent.`, { field });
}
