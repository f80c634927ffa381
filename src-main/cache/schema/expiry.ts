/**
 * Whether a token can still be used: its lifetime, and whether its provider refused it. The lifetime of an access token is
 * stated by the provider, read from the token itself, or unknown. MSAL libraries need one, so an unknown lifetime is stored as
 * their 600 seconds and marked in `unknown_expiry`. Everything in Tokenkeep that asks when a token ends uses `expiryOf` or
 * `isExpired`, never the field alone.
 */

import { folded, isRecord } from '../json.ts';
import type { AccessToken, Entity, RefreshToken } from './entities.ts';
import { hashText } from './match.ts';

/** Maximum seconds before its expiry at which a token is no longer used, because clocks differ and calls take time. */
export const EXPIRY_MARGIN = 300;

/** Tolerated clock skew in seconds: on a shared cache, a token cached by another machine may carry a time slightly in the future. */
export const CLOCK_SKEW = 60;

/** Parses a time in seconds; NaN if there is none. MSAL Go and others write numbers. */
export function secondsOf(field: unknown): number {
  if (typeof field === 'number') return field;
  return typeof field === 'string' && field.trim() !== '' ? Number(field) : NaN;
}

/**
 * Returns whether a token's expiry is unknown. The mark repeats `expires_on`, so that it becomes void if another library
 * replaces the token and keeps the field.
 */
export function isExpiryUnknown(token: Entity): boolean {
  const mark = token['unknown_expiry'];
  return mark !== undefined && mark !== null && secondsOf(mark) === secondsOf(token['expires_on']);
}

/**
 * Returns when an access token expires. `expires_on` alone is not enough: if the provider named no lifetime, it holds
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
 * Returns how many seconds before its expiry a token is no longer used: 300, or a quarter of its lifetime if that is less.
 * Otherwise a token of 300 seconds, Keycloak's default, would be refreshed at every call.
 *
 * @param margin overrides it
 */
export function marginOf(token: AccessToken, margin?: number): number {
  if (margin !== undefined) return margin;
  const life = secondsOf(token.expires_on) - secondsOf(token.cached_at);
  return life > 0 ? Math.min(EXPIRY_MARGIN, life / 4) : EXPIRY_MARGIN;
}

/**
 * Returns whether an access token may be used. A token that was cached in the future is not: the clock was set back, so its
 * age is unknown. It is not removed either, because the clock may be corrected.
 */
export function isUsable(token: AccessToken, now: number, margin?: number): boolean {
  if (secondsOf(token.cached_at) > now) return false;
  return isExpiryUnknown(token) || now < secondsOf(token.expires_on) - marginOf(token, margin);
}

/** Like `isUsable`, for a token that another machine may have cached, whose clock is ahead by up to `skew` seconds. */
export function isUsableAt(token: AccessToken, now: number, skew: number, margin?: number): boolean {
  const cached = secondsOf(token.cached_at);
  return isUsable(token, cached <= now + skew ? Math.max(now, cached) : now, margin);
}

/** Returns whether a token has expired. A token of unknown expiry has not. */
export function isExpired(token: Entity, now: number): boolean {
  return expiryOf(token) <= now;
}

/** Returns whether the time has come at which the provider wants the token refreshed, before it expires. */
export function wantsRefresh(token: AccessToken, now: number): boolean {
  return secondsOf(token.refresh_on) <= now;
}

// [Note: refused once] Refusals of a refresh token, which are recorded in the token itself, so that no process sends it again.

/** A refusal of the token to one app, for these scopes; without `scopes`, for all. */
export interface Refusal {
  readonly client_id: string;
  /** The hash of the refused secret: if another library replaces the token but keeps this field, the refusal no longer applies. */
  readonly secret: string;
  readonly scopes?: string;
  /** Seconds since the epoch; absent if unknown. */
  readonly at?: number;
}

/** Returns the refusals that are recorded in a refresh token. */
export function refusalsOf(token: RefreshToken): Refusal[] {
  const list: unknown = token['refusals'];
  return Array.isArray(list) ? list.filter(isRefusal) : [];
}

function isRefusal(value: unknown): value is Refusal {
  if (!isRecord(value)) return false;
  const { client_id, secret, scopes = '' } = value;
  return [client_id, secret, scopes].every((field) => typeof field === 'string');
}

/** Whether the provider refused this refresh token to its own app, for any scopes. */
export function isRefusedForGood(token: RefreshToken): boolean {
  const refusals = refusalsOf(token).filter(
    ({ client_id, scopes }) => scopes === undefined && folded(client_id) === folded(token.client_id),
  );
  if (refusals.length === 0) return false;
  try {
    const secret = hashText(token.secret);
    return refusals.some((refusal) => refusal.secret === secret);
  } catch {
    return false; // The secret can't be decrypted, so it can't be compared.
  }
}
