import { readToken, type Claims, stringClaim } from '../cache/schema/claims.ts';
import { WebSignInError } from '../errors.ts';
import type { SigningKeys } from '../partitions/signing-keys.ts';

export interface ExpectedIdToken {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly now: number;
}

/** Seconds by which the provider's clock may be off. */
const TOLERANCE = 60;

/** Checks the ID token of a sign-in (OpenID Connect Core §3.1.3.7). @throws WebSignInError `sign_in_answer_invalid` */
export async function verifiedIdToken(
  token: unknown,
  keys: SigningKeys,
  { issuer, clientId, nonce, now }: ExpectedIdToken,
): Promise<Claims> {
  if (typeof token !== 'string') invalid('is missing: is the scope "openid" allowed for the app?');
  const read = readToken(token);
  if (read === undefined) invalid('is not a JWT, or names a claim twice');
  if (read.format === 'jwe') invalid('is encrypted, which is not supported');
  const { header, payload } = read;
  if (header['crit'] !== undefined) invalid('has a header "crit", which is not supported');
  const refusal = await keys.refusal(token, header);
  if (refusal !== undefined) invalid(refusal);
  const tenant = stringClaim(payload, 'tid');
  // Microsoft's metadata for all tenants contains a placeholder.
  const expected = issuer.replace('{tenantid}', tenant ?? '');
  if (payload['iss'] !== expected) invalid('is of another issuer ("iss")');
  const { aud, azp, exp, iat } = payload;
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) invalid('is for another client ("aud")');
  if ((audiences.length > 1 || azp !== undefined) && azp !== clientId)
    invalid('was issued to another client ("azp")');
  if (typeof exp !== 'number' || exp <= now - TOLERANCE) invalid('has expired');
  if (typeof iat === 'number' && iat > now + TOLERANCE) invalid('was issued in the future ("iat")');
  if (payload['nonce'] !== nonce) invalid('belongs to another sign-in ("nonce")');
  if (stringClaim(payload, 'sub') === undefined) invalid('names no user ("sub")');
  return payload;
}

function invalid(what: string): never {
  throw new WebSignInError('sign_in_answer_invalid', `The ID token ${what}. Nobody was signed in.`);
}
