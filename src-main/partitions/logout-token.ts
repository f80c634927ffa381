/** Verification of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6), so that a provider can sign users out of a web app. */
import { systemClock } from '../cache/clock.ts';
import { isRecord } from '../cache/json.ts';
import { type Claims, readToken, stringClaim } from '../cache/schema/claims.ts';
import { sameIssuer } from '../cache/schema/issuers.ts';
import { InvalidArgumentError, LogoutTokenError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { type ProviderKeys, SigningKeys } from './signing-keys.ts';

/** Options of `logoutTokens`. */
export interface LogoutTokenOptions {
  /** The provider's issuer, as its discovery document spells it. */
  readonly issuer: string;
  /** The client ID of the web app: the audience of the token. */
  readonly clientId: string;
  /**
   * The provider's keys (`jwks_uri` of its discovery document), or a function that fetches them. It is called for the first token, and
   * again, at most twice a minute, for a token that is signed with another key. It must end by itself: pass a timeout to `fetch`.
   */
  readonly keys: ProviderKeys | (() => Promise<ProviderKeys>);
  /** Seconds by which the provider's clock may be off. Default: 60. */
  readonly clockTolerance?: number;
  /** Seconds since the epoch. Default: the system clock. */
  readonly now?: () => number;
}

/** Who a logout token signs out. Pass it to `signOutUser`. */
export type LoggedOutUser = { readonly issuer: string } & (
  | { readonly sub: string; readonly sid?: string }
  | { readonly sub?: string; readonly sid: string }
);

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LONGEST_TOKEN = 16_384;
/** Seconds for which a token without `exp` is accepted after its `iat`. */
const LONGEST_LIFE = 300;
/** Token ids that are remembered, so that no token is accepted twice. */
const MOST_IDS = 10_000;

function invalid(what: string): never {
  throw new LogoutTokenError('logout_token_invalid', `The logout token ${what}. Nobody was signed out.`);
}

/**
 * Returns a function that verifies a logout token, which a provider posts to the app's back-channel logout URI, and says who is to be
 * signed out. It checks the signature, the issuer, the audience, the times, the event, that there is no `nonce`, and that the token was not
 * used before in this process.
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
 * });
 * const signOut = async (form: URLSearchParams) => caches.signOutUser(await verify(form.get('logout_token')));
 *
 * @returns a function that takes the `logout_token` of the posted form. It rejects with a LogoutTokenError: `logout_token_invalid` (answer
 *   with status 400), or `logout_token_keys_unavailable` where the keys could not be fetched (the provider may try again)
 * @throws InvalidArgumentError if an option is missing or malformed
 */
export function logoutTokens(options: LogoutTokenOptions): (token: unknown) => Promise<LoggedOutUser> {
  const { issuer, clientId, keys, clockTolerance = 60, now = systemClock } = checked(options);
  const used = new Map<string, number>();
  const signingKeys = new SigningKeys(keys, now);

  return async (token) => {
    if (typeof token !== 'string' || token === '')
      invalid('is missing: the form has no field "logout_token"');
    if (token.length > LONGEST_TOKEN) invalid(`is longer than ${LONGEST_TOKEN} characters`);
    const read = readToken(token);
    if (read === undefined) invalid('is not a JWT');
    if (read.format === 'jwe') invalid('is encrypted, which is not supported');
    const { header, payload } = read;
    const { crit, typ } = header;
    if (crit !== undefined) invalid('has a header "crit", which is not supported');
    const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
    if (type !== undefined && type !== 'logout+jwt' && type !== 'jwt') invalid('is a token of another type');
    const refusal = await signingKeys.refusal(token, header).catch(unavailable);
    if (refusal !== undefined) invalid(refusal);
    const seconds = now();
    const expires = checkClaims(payload, { issuer, clientId, clockTolerance, seconds });
    const id = stringClaim(payload, 'jti') ?? invalid('has no "jti"');
    for (const [other, end] of used) if (end < seconds || used.size >= MOST_IDS) used.delete(other);
    if (used.has(id)) invalid('was used before');
    used.set(id, expires + clockTolerance);
    const sub = stringClaim(payload, 'sub');
    const sid = stringClaim(payload, 'sid');
    if (sub !== undefined) return { issuer, sub, ...(sid === undefined ? {} : { sid }) };
    return { issuer, sid: sid ?? invalid('names neither a "sub" nor a "sid"') };
  };
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
    issuer: true,
    clientId: true,
    keys: true,
    clockTolerance: true,
    now: true,
  });
  for (const field of ['issuer', 'clientId'] as const) {
    if (typeof options[field] !== 'string' || options[field] === '')
      throw new InvalidArgumentError(`logoutTokens needs "${field}", a string that is not empty.`, { field });
  }
  const { keys, clockTolerance = 0 } = options;
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

interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly clockTolerance: number;
  readonly seconds: number;
}

/** Returns when the token expires, in seconds since the epoch. */
function checkClaims(claims: Claims, { issuer, clientId, clockTolerance, seconds }: Expected): number {
  if (!sameIssuer(stringClaim(claims, 'iss') ?? '', issuer)) invalid('is of another issuer ("iss")');
  const { aud, iat, exp, events, nonce } = claims;
  if (!(Array.isArray(aud) ? aud : [aud]).includes(clientId)) invalid('is for another client ("aud")');
  if (typeof iat !== 'number' || !Number.isFinite(iat)) invalid('has no time of issue ("iat")');
  if (iat > seconds + clockTolerance) invalid('was issued in the future ("iat")');
  if (exp !== undefined && (typeof exp !== 'number' || !Number.isFinite(exp)))
    invalid('has an "exp" that is not a number of seconds');
  const expires = exp ?? iat + LONGEST_LIFE;
  if (expires <= seconds - clockTolerance) invalid('has expired');
  if (!isRecord(events) || !isRecord(events[EVENT]))
    invalid('is no logout token: its "events" do not say so');
  if (nonce !== undefined) invalid('has a "nonce", so it is an ID token');
  return expires;
}
