/** Computes whether an account can still be used, from its tokens and its provider's refusals. */
import type { TokenOutline } from './schema/entities.ts';

/** Whether an account can still be used. Times are seconds since the epoch. */
export type AccountStatus =
  /**
   * A refresh token renews it. `activeUntil`: expiry of its current access tokens; null if none is left. `untried`: the refresh token was
   * obtained by another program, which may have used it up, and was never used here. `next`: the status from the expiry of the last
   * refresh token on; absent if that expiry is unknown.
   */
  | {
      state: 'renews';
      activeUntil: number | null;
      untried?: true;
      next?: { at: number; status: AccountStatus };
    }
  /** No refresh token: active until its last access token expires. */
  | { state: 'active'; until: number }
  /**
   * `code`: the provider's error code, if it refused. `activeUntil`: expiry of the cached access tokens; null if none is left.
   */
  | {
      state: 'needs-sign-in';
      reason: 'refused' | 'expired' | 'revoked';
      at: number;
      code: string | null;
      activeUntil: number | null;
    }
  /** The lifetime of its tokens is unknown. */
  | { state: 'unknown' };

/** A refresh that the provider refused permanently. */
export interface Refusal {
  /** `refused`: for an unspecified reason. */
  reason: 'refused' | 'expired' | 'revoked';
  /** Seconds since the epoch. */
  at: number;
  /** The provider's error code, such as `invalid_grant`; null if there was none. */
  code: string | null;
}

/**
 * Returns the status that the window and the command show.
 *
 * - A refusal counts until something newer is cached: a sign-in or a refresh elsewhere ends it.
 * - A refresh token that has not expired renews the account.
 * - Otherwise, if the lifetime of an access token is unknown, so is the status. The 600 seconds written to the document for MSAL
 *   libraries do not count.
 * - Otherwise the account is active until its last access token expires.
 * - An access token whose `cached_at` is in the future is ignored until the clock is right again.
 *
 * @param tokens of one account
 * @param refusal the last refusal that the caller knows of; refusals marked on the tokens count as well
 * @param now seconds since the epoch
 * @param isUntried whether all of its refresh tokens are another program's and were never used here
 */
export function accountStatus(
  tokens: readonly TokenOutline[],
  refusal: Refusal | null,
  now: number,
  isUntried = false,
): AccountStatus {
  const accessTokens = tokens.filter(({ type }) => type === 'AccessToken');
  const refreshTokens = tokens.filter(({ type }) => type === 'RefreshToken');
  // A token whose `cached_at` is in the future is not used until the clock is right again.
  const current = accessTokens.filter(({ cachedAt }) => cachedAt === null || cachedAt <= now);
  const expiries = current.map(({ expiresAt }) => expiresAt);
  const lastExpiry = latest(expiries);
  const activeUntil = lastExpiry > now ? lastExpiry : null;
  const newest = latest(
    [...accessTokens, ...refreshTokens].map((token) => token.cachedAt ?? token.modifiedAt),
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
  const usable = refreshTokens.filter(({ isRefused }) => !isRefused);
  if (refreshTokens.length > 0 && usable.length === 0) {
    // Another program that shares the cache was refused and recorded it on the token.
    const known = latest(refreshTokens.map((token) => token.refusedAt ?? null));
    const at = [known, newest].find((time) => Number.isFinite(time)) ?? now;
    return { state: 'needs-sign-in', reason: 'refused', at, code: 'invalid_grant', activeUntil };
  }
  const ends = usable.map(({ expiresAt }) => expiresAt);
  if (ends.some((end) => end === null || end > now)) {
    const at = ends.includes(null) ? null : latest(ends);
    return {
      state: 'renews',
      activeUntil,
      ...(isUntried ? { untried: true } : {}),
      ...(at === null ? {} : { next: { at, status: accountStatus(tokens, refusal, at, isUntried) } }),
    };
  }
  // The expiry is unknown, so there is no "active until".
  if (expiries.includes(null)) return { state: 'unknown' };
  if (activeUntil !== null) return { state: 'active', until: activeUntil };
  const ended = Math.max(lastExpiry, latest(ends));
  if (current.length < accessTokens.length || !Number.isFinite(ended)) return { state: 'unknown' };
  return { state: 'needs-sign-in', reason: 'expired', at: ended, code: null, activeUntil: null };
}

function latest(times: readonly (number | null)[]): number {
  return Math.max(-Infinity, ...times.filter((time) => time !== null));
}
