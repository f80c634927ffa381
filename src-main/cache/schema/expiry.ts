/**
 * The lifetime of an access token: told by the provider, read from the token itself, or unknown. MSAL libraries need one,
 * so an unknown lifetime is stored as their 600 seconds and marked in `unknown_expiry`. Everything in Tokenkeep that asks
 * when a token ends uses `expiryOf` or `isExpired`, never the field alone.
 */
import type { AccessToken, Entity } from './entities.ts';

/** The most seconds before its expiry that a token stops being used: clocks differ, and a call takes its time. */
export const EXPIRY_MARGIN = 300;

/** The seconds that a field holds; NaN where it holds none. MSAL Go and others write numbers. */
export function secondsOf(field: unknown): number {
  if (typeof field === 'number') return field;
  return typeof field === 'string' && field.trim() !== '' ? Number(field) : NaN;
}

/**
 * Whether nobody knows when a token expires. The mark names the time that it is about, so that it means nothing after
 * another library has replaced the token and kept the field.
 */
export function isExpiryUnknown(token: Entity): boolean {
  const mark = token['unknown_expiry'];
  return mark !== undefined && mark !== null && secondsOf(mark) === secondsOf(token['expires_on']);
}

/**
 * Returns when an access token expires. `expires_on` alone does not tell: where the provider named no lifetime, it holds
 * the 600 seconds that MSAL libraries assume.
 *
 * @returns seconds since the epoch; Infinity if the lifetime is unknown, NaN if the token has no `expires_on`
 * @example
 * ```ts
 * import type { AccessToken } from 'tokenkeep';
 * import { expiryOf } from 'tokenkeep/cache';
 *
 * export const endsWithinAnHour = (token: AccessToken): boolean => expiryOf(token) < Date.now() / 1000 + 3600;
 * ```
 */
export function expiryOf(token: Entity): number {
  return isExpiryUnknown(token) ? Infinity : secondsOf(token['expires_on']);
}

/**
 * How many seconds before its expiry a token stops being used: 300, or a quarter of its life where that is less. A token
 * of 300 seconds, Keycloak's default, would otherwise be refreshed at every call.
 *
 * @param margin what the caller wants instead
 */
export function marginOf(token: AccessToken, margin?: number): number {
  if (margin !== undefined) return margin;
  const life = secondsOf(token.expires_on) - secondsOf(token.cached_at);
  return life > 0 ? Math.min(EXPIRY_MARGIN, life / 4) : EXPIRY_MARGIN;
}

/**
 * Whether an access token may be used. One that was cached in the future is not: the clock has been set back, and
 * nothing is known of its age. It is not purged either, for the clock may be put right.
 */
export function isUsable(token: AccessToken, now: number, margin?: number): boolean {
  if (secondsOf(token.cached_at) > now) return false;
  return isExpiryUnknown(token) || now < secondsOf(token.expires_on) - marginOf(token, margin);
}

/** Whether the provider refuses it by now. Nobody knows that of a token of unknown expiry. */
export function isExpired(token: Entity, now: number): boolean {
  return expiryOf(token) <= now;
}

/** Whether the provider asked for it to be refreshed by now, long before it expires. */
export function wantsRefresh(token: AccessToken, now: number): boolean {
  return secondsOf(token.refresh_on) <= now;
}
