/**
 * [Note: answered claims] Records which access token was issued for which claims challenge, so that one request answers all challenged
 * callers.
 */
import type { CacheHandle } from '../cache/handle.ts';
import type { TokenRequest } from '../cache/acquire.ts';
import type { AccessToken } from '../cache/schema/entities.ts';
import { isExpired } from '../cache/schema/expiry.ts';
import { hashText } from '../cache/schema/match.ts';
import type { TokenCache } from '../cache/token-cache.ts';

/** The field of an access token. A library that replaces the token may keep it, so its hash covers the secret. */
const FIELD = 'answered_claims';

const markOf = (claims: string, secret: string): string => hashText(`${claims}\n${secret}`);

function tokensFor(
  cache: TokenCache,
  { home_account_id, environment, client_id, realm, scopes }: TokenRequest,
): AccessToken[] {
  const query = { home_account_id, environment, client_id, ...(realm === undefined ? {} : { realm }) };
  return cache.find('AccessToken', { target: typeof scopes === 'string' ? [scopes] : scopes, query });
}

/**
 * Returns the token that another caller got for the same claims in the meantime.
 *
 * @param before secrets of the tokens that the caller knew when it was challenged
 */
export function answerTo(
  cache: TokenCache,
  request: TokenRequest,
  claims: string,
  before: ReadonlySet<string>,
  now: number,
): AccessToken | undefined {
  return tokensFor(cache, request).find(
    (token) =>
      !before.has(token.secret) && token[FIELD] === markOf(claims, token.secret) && !isExpired(token, now),
  );
}

/** Marks the token that was issued for the claims. @param result the result of MSAL */
export async function rememberAnswer(
  handle: CacheHandle,
  request: TokenRequest,
  claims: string,
  result: unknown,
): Promise<void> {
  const secret: unknown =
    typeof result === 'object' && result !== null ? Reflect.get(result, 'accessToken') : undefined;
  if (typeof secret !== 'string' || secret === '') return;
  await handle.update((cache) => {
    const token = tokensFor(cache, request).find((one) => one.secret === secret);
    if (token !== undefined) cache.modify('AccessToken', token, { [FIELD]: markOf(claims, secret) });
  });
}
