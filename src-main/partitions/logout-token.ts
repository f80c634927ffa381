/** Verification of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6), so that a provider can sign users out of a web app. */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { systemClock } from '../cache/clock.ts';
import { isRecord } from '../cache/json.ts';
import { type Claims, readToken, stringClaim } from '../cache/schema/claims.ts';
import { sameIssuer } from '../cache/schema/issuers.ts';
import { InvalidArgumentError, LogoutTokenError } from '../errors.ts';
import { checkOptions } from '../options.ts';

/** A provider's JSON Web Key Set (RFC 7517 §5). */
export interface ProviderKeys {
  /** Public keys. Keys that can't verify a logout token are passed over. */
  readonly keys: readonly JsonWebKey[];
}

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
/** Seconds between two requests for keys. */
const REFETCH_AFTER = 30;
/** Token ids that are remembered, so that no token is accepted twice. */
const MOST_IDS = 10_000;

interface Algorithm {
  readonly type: 'rsa' | 'rsa-pss' | 'ec' | 'ed25519';
  readonly hash: string | null;
  readonly curve?: string;
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', { type: 'rsa', hash: 'sha256' }],
  ['RS384', { type: 'rsa', hash: 'sha384' }],
  ['RS512', { type: 'rsa', hash: 'sha512' }],
  ['PS256', { type: 'rsa-pss', hash: 'sha256' }],
  ['PS384', { type: 'rsa-pss', hash: 'sha384' }],
  ['PS512', { type: 'rsa-pss', hash: 'sha512' }],
  ['ES256', { type: 'ec', hash: 'sha256', curve: 'prime256v1' }],
  ['ES384', { type: 'ec', hash: 'sha384', curve: 'secp384r1' }],
  ['ES512', { type: 'ec', hash: 'sha512', curve: 'secp521r1' }],
  ['EdDSA', { type: 'ed25519', hash: null }],
  ['Ed25519', { type: 'ed25519', hash: null }],
]);

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
  let known: Promise<readonly VerificationKey[]> | undefined;
  let fetched = -Infinity;

  const keysNow = (): Promise<readonly VerificationKey[]> => {
    if (typeof keys !== 'function') return (known ??= Promise.resolve(publicKeys(keys)));
    const before = known;
    fetched = now();
    known = fetchKeys(keys);
    known.catch(() => (known = before)); // Tokens signed with the keys from before are still accepted.
    return known;
  };

  const verifySignature = async (token: string, header: Claims): Promise<void> => {
    const had = known !== undefined;
    if (isSignedByOneOf(await (known ?? keysNow()), token, header)) return;
    const mayFetch = had && typeof keys === 'function' && now() - fetched >= REFETCH_AFTER;
    if (mayFetch && isSignedByOneOf(await keysNow(), token, header)) return;
    invalid('is not signed with a key of the provider');
  };

  return async (token) => {
    if (typeof token !== 'string' || token === '')
      invalid('is missing: the form has no field "logout_token"');
    if (token.length > LONGEST_TOKEN) invalid(`is longer than ${LONGEST_TOKEN} characters`);
    const read = readToken(token);
    if (read === undefined) invalid('is not a JWT');
    if (read.format === 'jwe') invalid('is encrypted, which is not supported');
    const { header, payload } = read;
    await verifySignature(token, header);
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

interface VerificationKey {
  readonly key: KeyObject;
  readonly kid: unknown;
  readonly alg: unknown;
}

async function fetchKeys(fetch: () => Promise<ProviderKeys>): Promise<readonly VerificationKey[]> {
  try {
    const set: unknown = await fetch();
    if (!isRecord(set) || !Array.isArray(set['keys'])) throw new TypeError('There is no JSON Web Key Set.');
    return publicKeys(set as unknown as ProviderKeys);
  } catch (cause) {
    throw new LogoutTokenError(
      'logout_token_keys_unavailable',
      "The provider's keys could not be fetched, so the logout token could not be verified. Nobody was signed out.",
      { cause },
    );
  }
}

/** Returns the keys that verify signatures. A symmetric key never does: anyone with the client secret could sign. */
function publicKeys({ keys }: ProviderKeys): VerificationKey[] {
  return keys.flatMap((jwk: unknown) => {
    if (!isRecord(jwk) || jwk['kty'] === 'oct' || jwk['use'] === 'enc') return [];
    try {
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      return [{ key, kid: jwk['kid'], alg: jwk['alg'] }];
    } catch {
      return []; // of a kind that Node does not know
    }
  });
}

function isSignedByOneOf(keys: readonly VerificationKey[], token: string, header: Claims): boolean {
  const { alg, kid, typ, crit } = header;
  const algorithm = typeof alg === 'string' ? ALGORITHMS.get(alg) : undefined;
  if (algorithm === undefined) invalid('has an unsupported signature algorithm in its header');
  if (crit !== undefined) invalid('has a header "crit", which is not supported');
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (type !== undefined && type !== 'logout+jwt' && type !== 'jwt') invalid('is a token of another type');
  const end = token.lastIndexOf('.');
  const data = Buffer.from(token.slice(0, end), 'ascii');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return keys.some((one) => {
    if (kid !== undefined && one.kid !== undefined && kid !== one.kid) return false;
    if (one.alg !== undefined && one.alg !== alg) return false;
    return isSignature(algorithm, one.key, data, signature);
  });
}

function isSignature(
  { type, hash, curve }: Algorithm,
  key: KeyObject,
  data: Buffer,
  signature: Buffer,
): boolean {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  try {
    switch (type) {
      case 'rsa':
        return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && verify(hash, data, key, signature);
      case 'rsa-pss': {
        const isRsa = key.asymmetricKeyType === 'rsa' && modulusLength >= 2048;
        // 6: RSA_PKCS1_PSS_PADDING, -1: RSA_PSS_SALTLEN_DIGEST
        return isRsa && verify(hash, data, { key, padding: 6, saltLength: -1 }, signature);
      }
      case 'ec': {
        const isCurve = key.asymmetricKeyType === 'ec' && namedCurve === curve;
        return isCurve && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
      }
      case 'ed25519':
        return key.asymmetricKeyType === 'ed25519' && verify(hash, data, key, signature);
    }
  } catch {
    return false; // a signature of another length
  }
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
