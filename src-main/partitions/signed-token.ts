/** The checks that ID tokens and logout tokens share: form, signature, audience and times (RFC 7519 §7.2). */
import { type Claims, readToken } from '../cache/schema/claims.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface ExpectedToken {
  readonly keys: SigningKeys;
  readonly clientId: string;
  /** Types that the header may name (RFC 8725 §3.11), in lower case and without `application/`. It may also name none. */
  readonly types: readonly string[];
  /** Seconds by which the provider's clock may be off. */
  readonly tolerance: number;
  readonly now: () => number;
}

/** Claims that have been verified. Times are in seconds since the epoch. */
export interface VerifiedToken {
  readonly claims: Claims;
  readonly issued: number;
  /** Not in the past. Undefined if the token has no `exp`. */
  readonly expires: number | undefined;
}

/** Returns the claims, or why the token is refused, as the end of a sentence about it. @throws if the keys can't be fetched */
export async function verifiedToken(
  token: string,
  { keys, clientId, types, tolerance, now }: ExpectedToken,
): Promise<VerifiedToken | string> {
  const read = readToken(token);
  if (read === undefined) return 'is not a JWT, or names a claim twice';
  if (read.format === 'jwe') return 'is encrypted, which is not supported';
  const { header, payload } = read;
  if (header['crit'] !== undefined) return 'has a header "crit", which is not supported';
  // RFC 7797 §7: not for JWTs. Other libraries would read another payload.
  if (header['b64'] !== undefined) return 'has a header "b64", which no JWT may have';
  const { typ } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (type !== undefined && !types.some((each) => each === type)) return 'is a token of another type ("typ")';
  const refusal = await keys.refusal(token, header);
  if (refusal !== undefined) return refusal;

  const { aud, iat, exp, nbf } = payload;
  if (!(Array.isArray(aud) ? aud : [aud]).includes(clientId)) return 'is for another client ("aud")';
  if (!isTime(iat)) return 'has no time of issue ("iat")';
  if (exp !== undefined && !isTime(exp)) return 'has an "exp" that is not a number of seconds';
  if (nbf !== undefined && !isTime(nbf)) return 'has an "nbf" that is not a number of seconds';
  const seconds = now(); // After the keys were fetched, which may have taken a while.
  if (iat > seconds + tolerance) return 'was issued in the future ("iat")';
  if (nbf !== undefined && nbf > seconds + tolerance) return 'is not valid yet ("nbf")';
  if (exp !== undefined && exp <= seconds - tolerance) return 'has expired ("exp")';
  return { claims: payload, issued: iat, expires: exp };
}

/** Whether it is a NumericDate (RFC 7519 §2). `JSON.parse` reads 1e999 as Infinity. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
