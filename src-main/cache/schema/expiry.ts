import type { AccessToken } from './entities.ts';

/** A token is not used in its last five minutes: the clocks of two machines differ, and a call takes its time. */
export const EXPIRY_MARGIN = 300;

/** The seconds that a field holds; NaN where it holds none. */
export function secondsOf(field: unknown): number {
  return typeof field === 'string' && field.trim() !== '' ? Number(field) : NaN;
}

/**
 * Whether an access token may be used. One that was cached in the future is not: the clock has been set back, and
 * nothing is known of its age. It is not purged either, for the clock may be put right.
 */
export function isUsable(token: AccessToken, now: number): boolean {
  return secondsOf(token.cached_at) <= now && now < secondsOf(token.expires_on) - EXPIRY_MARGIN;
}

/** Whether the provider refuses it by now. */
export function isExpired(token: AccessToken, now: number): boolean {
  return secondsOf(token.expires_on) <= now;
}

/** Whether the provider asked for it to be refreshed by now, long before it expires. */
export function wantsRefresh(token: AccessToken, now: number): boolean {
  return secondsOf(token.refresh_on) <= now;
}
