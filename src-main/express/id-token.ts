import { type Claims, stringClaim } from '../cache/schema/claims.ts';
import { WebSignInError } from '../errors.ts';
import { verifiedToken } from '../partitions/signed-token.ts';
import type { SigningKeys } from '../partitions/signing-keys.ts';

export interface ExpectedIdToken {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly now: () => number;
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
  const expected = { keys, clientId, types: ['jwt'], tolerance: TOLERANCE, now };
  const verified = await verifiedToken(token, expected);
  if (typeof verified === 'string') invalid(verified);
  const { claims, expires } = verified;
  const tenant = stringClaim(claims, 'tid');
  // Microsoft's metadata for all tenants contains a placeholder.
  if (claims['iss'] !== issuer.replace('{tenantid}', tenant ?? '')) invalid('is of another issuer ("iss")');
  const { aud, azp } = claims;
  const isForSeveral = Array.isArray(aud) && aud.length > 1;
  if ((isForSeveral || azp !== undefined) && azp !== clientId)
    invalid('was issued to another client ("azp")');
  if (expires === undefined) invalid('does not say when it expires ("exp")');
  if (claims['nonce'] !== nonce) invalid('belongs to another sign-in ("nonce")');
  if (stringClaim(claims, 'sub') === undefined) invalid('names no user ("sub")');
  return claims;
}

function invalid(what: string): never {
  throw new WebSignInError('sign_in_answer_invalid', `The ID token ${what}. Nobody was signed in.`);
}
