/** Verification of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6), so that a provider can sign users out of a web app. */
import { systemClock } from '../cache/clock.ts';
import { isRecord } from '../cache/json.ts';
import { type Claims, stringClaim } from '../cache/schema/claims.ts';
import { sameIssuer } from '../cache/schema/authorities.ts';
import { InvalidArgumentError, LogoutTokenError } from '../errors.ts';
import { checkOptions, FUNCTION, TEXT } from '../options.ts';
import { marksOf, UsedOnce } from './marks.ts';
import type { PartitionedCaches } from './partitioned-caches.ts';
import { verifiedToken } from './signed-token.ts';
import { type ProviderKeys, SigningKeys } from './signing-keys.ts';

/** Options of `logoutTokens`. */
export interface LogoutTokenOptions {
  /** The provider's issuer, as its discovery document spells it. */
  readonly issuer: string;
  /** The client ID of the web app: the audience of the token. */
  readonly clientId: string;
  /**
   * The provider's keys (`jwks_uri` of its discovery document), or a function that fetches them. It is called for the first token, and
   * again, at most twice a minute, for a token that is signed with another key. Tokens wait at most 15 s for it. Pass a shorter timeout to
   * `fetch`, so that its connection ends too.
   */
  readonly keys: ProviderKeys | (() => Promise<ProviderKeys>);
  /** Seconds by which the provider's clock may be off. Default: 60. */
  readonly clockTolerance?: number;
  /**
   * The result of `partitionedCaches`, in whose store used tokens are remembered, so that no process accepts a token that another one has
   * accepted. Default: they are remembered in the memory of this process only.
   */
  readonly caches?: PartitionedCaches;
  /** Seconds since the epoch. Default: the system clock. */
  readonly now?: () => number;
}

/** The user that a logout token signs out. Pass it to `signOutUser`. */
export type LoggedOutUser = { readonly issuer: string } & (
  | { readonly sub: string; readonly sid?: string }
  | { readonly sub?: string; readonly sid: string }
);

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const TYPES = ['logout+jwt', 'jwt'];
const LONGEST_TOKEN = 16_384;
/** Seconds for which a token without `exp` is accepted after its `iat`. */
const LONGEST_LIFE = 300;
/** Seconds for which any token is accepted after its `iat`, because its id has to be remembered for as long. */
const LONGEST_GIVEN_LIFE = 86_400;

function invalid(what: string): never {
  throw new LogoutTokenError('logout_token_invalid', `The logout token ${what}. Nobody was signed out.`);
}

/**
 * Verifies a logout token.
 *
 * @param token the `logout_token` of the posted form
 * @param signOut signs the user out. The token counts as used once it has resolved, so that the provider may post it again after a failure.
 *   Without it, the token counts as used at once
 * @throws LogoutTokenError `logout_token_invalid` (answer with status 400), or `logout_token_keys_unavailable` where the keys could not be
 *   fetched (the provider may try again); PartitionStoreError; what `signOut` throws
 * @example
 * import type { PartitionedCaches, VerifyLogoutToken } from 'tokenkeep/partitions';
 *
 * const logout = (verify: VerifyLogoutToken, caches: PartitionedCaches, form: URLSearchParams) =>
 *   verify(form.get('logout_token'), (user) => caches.signOutUser(user));
 */
export type VerifyLogoutToken = (
  token: unknown,
  signOut?: (user: LoggedOutUser) => unknown,
) => Promise<LoggedOutUser>;

/**
 * Returns a function that verifies a logout token, which a provider posts to the app's back-channel logout URI, and returns the user to
 * sign out. It checks the signature, the issuer, the audience, the times, the event, that there is no `nonce`, and that the token was not
 * used before: by any process with `caches`, else by this one.
 *
 * @example
 * import { redisStore } from 'tokenkeep/partitions/redis';
 * import { logoutTokens, partitionedCaches } from 'tokenkeep/partitions';
 *
 * const caches = partitionedCaches({ store: redisStore({ client }), sealingKeys, userIndex: true });
 * const verify = logoutTokens({
 *   issuer: 'https://id.example',
 *   clientId: 'my-app',
 *   keys: async () => (await fetch('https://id.example/jwks', { signal: AbortSignal.timeout(5000) })).json(),
 *   caches,
 * });
 * const signOut = (form: URLSearchParams) => verify(form.get('logout_token'), (user) => caches.signOutUser(user));
 *
 * @throws InvalidArgumentError if an option is missing or malformed
 */
export function logoutTokens(options: LogoutTokenOptions): VerifyLogoutToken {
  const { issuer, clientId, keys, clockTolerance = 60, now = systemClock, caches } = checked(options);
  const used = new UsedOnce(caches && marksOf(caches), ['logout', issuer, clientId], now);
  const signingKeys = new SigningKeys(keys, now, unavailable);

  return async (token, signOut) => {
    if (typeof token !== 'string' || token === '')
      invalid('is missing: the form must have the field "logout_token" once');
    if (token.length > LONGEST_TOKEN) invalid(`is longer than ${LONGEST_TOKEN} characters`);
    const expected = { keys: signingKeys, clientId, types: TYPES, tolerance: clockTolerance, now };
    const verified = await verifiedToken(token, expected);
    if (typeof verified === 'string') invalid(verified);
    const { claims, issued, expires: exp } = verified;
    const expires = Math.min(exp ?? issued + LONGEST_LIFE, issued + LONGEST_GIVEN_LIFE);
    if (expires <= now() - clockTolerance) invalid('is too old');
    checkLogout(claims, issuer);
    const id = stringClaim(claims, 'jti') ?? invalid('has no "jti"');
    const user = userIn(claims, issuer);
    const end = expires + clockTolerance;
    if (signOut === undefined) {
      if (!(await used.use(id, end))) usedBefore();
      return user;
    }
    // A token that arrives twice at the same time signs the user out twice, which is harmless.
    if (await used.has(id)) usedBefore();
    await signOut(user);
    await used.use(id, end);
    return user;
  };
}

function userIn(claims: Claims, issuer: string): LoggedOutUser {
  const sub = stringClaim(claims, 'sub');
  const sid = stringClaim(claims, 'sid');
  if (sub !== undefined) return { issuer, sub, ...(sid === undefined ? {} : { sid }) };
  return { issuer, sid: sid ?? invalid('names neither a "sub" nor a "sid"') };
}

function usedBefore(): never {
  return invalid('was used before');
}

function unavailable(cause: unknown): never {
  throw new LogoutTokenError(
    'logout_token_keys_unavailable',
    "The provider's keys could not be fetched, so the logout token could not be verified. Nobody was signed out.",
    { cause },
  );
}

function checked(options: LogoutTokenOptions): LogoutTokenOptions {
  checkOptions('logoutTokens', options, {
    issuer: TEXT,
    clientId: true,
    keys: true,
    clockTolerance: true,
    caches: true,
    now: FUNCTION,
  });
  for (const field of ['issuer', 'clientId'] as const) {
    if (typeof options[field] !== 'string' || options[field] === '')
      throw new InvalidArgumentError(`logoutTokens needs "${field}", a string that is not empty.`, { field });
  }
  const { keys, clockTolerance = 0, caches } = options;
  if (caches !== undefined && marksOf(caches) === undefined)
    throw new InvalidArgumentError(
      'logoutTokens needs "caches": what partitionedCaches returned, and no copy.',
      {
        field: 'caches',
      },
    );
  if (!(Number.isFinite(clockTolerance) && clockTolerance >= 0))
    throw new InvalidArgumentError('logoutTokens needs "clockTolerance" in seconds, 0 or more.', {
      field: 'clockTolerance',
    });
  if (typeof keys !== 'function' && !(isRecord(keys) && Array.isArray(keys['keys'])))
    throw new InvalidArgumentError(
      'logoutTokens needs "keys": a JSON Web Key Set, or a function that fetches one.',
      { field: 'keys' },
    );
  return options;
}

/** OpenID Connect Back-Channel Logout §2.6, beyond what any signed token must satisfy. */
function checkLogout(claims: Claims, issuer: string): void {
  if (!sameIssuer(stringClaim(claims, 'iss') ?? '', issuer)) invalid('is of another issuer ("iss")');
  const { events, nonce } = claims;
  if (!isRecord(events) || !isRecord(events[EVENT]))
    invalid('is no logout token: its "events" do not say so');
  if (nonce !== undefined) invalid('has a "nonce", so it is an ID token');
}
