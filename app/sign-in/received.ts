/**
 * Checks of a received token response that openid-client leaves to the app. openid-client has verified the ID token by then: its
 * signature with the provider's keys, and its issuer, audience, times and nonce (OpenID Connect Core §3.1.3.7).
 */
import { hasDuplicateNames } from 'tokenkeep/cache';
import { signInError } from './failures.ts';
import type { Provider } from './provider.ts';

/** An ID token whose signature was verified with a key of its provider. */
export interface VerifiedToken {
  secret: string;
  /** The key's `kid`; null if the token names none. */
  key_id: string | null;
}

/**
 * @param subjects the user's earlier `sub` at this provider, for the same app; empty if unknown
 * @returns the ID token; null if the response has none
 * @throws SignInError `answer_invalid` if the response is an error, or its ID token is for another app or user, or names a claim twice
 */
export function checkReceived(
  response: Readonly<Record<string, unknown>>,
  provider: Pick<Provider, 'issuer' | 'client_id'>,
  subjects: readonly string[] = [],
): VerifiedToken | null {
  // Errors have a status of 4xx (RFC 6749 §5.2). One with 200 must not pass for tokens.
  if (response['error'] !== undefined) throw signInError('answer_invalid', provider);
  const secret = response['id_token'];
  if (typeof secret !== 'string') return null;
  const [header, payload] = [protectedHeaderOf(secret), payloadOf(secret)];
  if (header === undefined || payload === undefined) throw signInError('answer_invalid', provider);
  const { azp, sub } = payload;
  // OpenID Connect Core §3.1.3.7, number 5: refuses a token that another app requested, even if it is for this one as well.
  if (azp !== undefined && azp !== provider.client_id) throw signInError('answer_invalid', provider);
  // §12.2: a refresh answers for the same user. `sub` is case-sensitive.
  if (subjects.length > 0 && !subjects.includes(String(sub))) throw signInError('answer_invalid', provider);
  const { kid } = header;
  return { secret, key_id: typeof kid === 'string' ? kid.slice(0, 200) : null };
}

/** Returns the claims of a JWT, not verified; undefined if it is encrypted, damaged, no JWT, or names a claim twice. */
export function payloadOf(token: string): Readonly<Record<string, unknown>> | undefined {
  return objectIn(token, 1);
}

/** Returns the claims of a cached token; undefined as well if its seal is damaged. */
export function claimsIn(token: { readonly secret: string }): ReturnType<typeof payloadOf> {
  try {
    return payloadOf(token.secret);
  } catch {
    return undefined;
  }
}

/** Returns the header of a JWT or JWE, not verified; undefined if there is none. */
export function protectedHeaderOf(token: string): Readonly<Record<string, unknown>> | undefined {
  return objectIn(token, 0);
}

function objectIn(token: string, part: 0 | 1): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !hasDuplicateNames(text)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
