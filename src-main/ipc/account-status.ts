/** Computes the status of an account from its entries and its history. */
import { isRecord } from '../cache/json.ts';
import type { RefreshToken } from '../cache/schema/entities.ts';
import type { AccountHistory } from './account-history.ts';
import type { CachedAccount } from './cached-accounts.ts';
import type { AccountStatus } from './contract.ts';
import { seconds } from './token-views.ts';

/**
 * Returns the status that the dot, the facts, the filters, the search and the screen reader use.
 *
 * - A refusal counts until something newer is cached: a sign-in or a refresh elsewhere ends it.
 * - A refresh token that has not expired renews the account.
 * - Otherwise the account is active until its last access token expires.
 * - If no lifetime is known, the status is unknown.
 *
 * @param now seconds since the epoch
 */
export function accountStatus(
  { accessTokens, refreshTokens }: CachedAccount,
  { refusal }: Pick<AccountHistory, 'refusal'>,
  now: number,
): AccountStatus {
  const expiries = accessTokens.map((token) => seconds(token.expires_on));
  const lastExpiry = Math.max(-Infinity, ...expiries.filter((time) => time !== null));
  const activeUntil = lastExpiry > now ? lastExpiry : null;
  const newest = Math.max(
    -Infinity,
    ...[...accessTokens, ...refreshTokens].map(
      (token) => seconds(token['cached_at']) ?? seconds(token['last_modification_time']) ?? -Infinity,
    ),
  );
  if (refusal !== null && newest <= refusal.at) {
    return {
      state: 'needs-sign-in',
      reason: refusal.reason,
      at: refusal.at,
      code: refusal.code,
      activeUntil,
    };
  }
  const usable = refreshTokens.filter((token) => !isRefused(token));
  if (refreshTokens.length > 0 && usable.length === 0) {
    // Another program that shares the cache was refused and recorded it on the token.
    const at = Number.isFinite(newest) ? newest : now;
    return { state: 'needs-sign-in', reason: 'refused', at, code: 'invalid_grant', activeUntil };
  }
  const ends = usable.map((token) => seconds(token['expires_on']));
  if (ends.some((end) => end === null || end > now)) return { state: 'renews', activeUntil };
  if (activeUntil !== null) return { state: 'active', until: activeUntil };
  const unknown = expiries.some((time) => time === null);
  const ended = Math.max(lastExpiry, ...ends.filter((end) => end !== null));
  if (unknown || !Number.isFinite(ended)) return { state: 'unknown' };
  return { state: 'needs-sign-in', reason: 'expired', at: ended, code: null, activeUntil: null };
}

/** Whether a refresh token is marked as refused for all requests. See rememberRefusal. */
function isRefused(token: RefreshToken): boolean {
  const { refusals } = token;
  return (
    Array.isArray(refusals) &&
    refusals.some(
      (refusal) => isRecord(refusal) && refusal['client_id'] === token.client_id && !('scopes' in refusal),
    )
  );
}
