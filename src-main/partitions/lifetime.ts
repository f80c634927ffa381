/** The lifetime of an entry in its store. */
import { isRecord } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { lastExpiry } from './partition-contents.ts';

/**
 * The lifetime of an entry.
 *
 * - `'tokens'` (the default): until its longest-lived token expires. If the provider did not say when a refresh token does, 90
 *   days after the last update, which is how long Microsoft Entra ID keeps an unused one.
 * - `{ refreshTokens }`: the same, with this many seconds in place of 90 days.
 * - a number: seconds after the last update.
 * - `{ sliding }`: seconds after the last read or update.
 * - `'none'`: no limit.
 */
export type PartitionTtl =
  | number
  | 'tokens'
  | 'none'
  | { readonly sliding: number }
  | { readonly refreshTokens: number };

const NINETY_DAYS = 90 * 24 * 3600;

/** Seconds: the shortest lifetime, also if all tokens have expired, to avoid edge cases in stores. */
const SHORTEST = 60;

/** A sliding entry is touched once a tenth of its lifetime has passed, so that not every read causes a write. */
const TOUCH_AFTER = 0.1;

export interface Lifetime {
  /** The TTL in seconds of an entry that is written now; null: no limit. */
  ttl(cache: TokenCache, now: number): number | null;
  /** If not null, a read extends the lifetime to `ttl` seconds from now, unless another did less than `after` seconds ago. */
  readonly sliding: { readonly ttl: (now: number) => number; readonly after: number } | null;
}

/** @throws InvalidArgumentError */
export function lifetimeOf(setting: PartitionTtl): Lifetime {
  if (setting === 'none') return { ttl: () => null, sliding: null };
  if (setting === 'tokens') return ofTokens(NINETY_DAYS);
  if (typeof setting === 'number') {
    const ttl = seconds(setting);
    return { ttl: () => ttl, sliding: null };
  }
  if (isRecord(setting) && 'refreshTokens' in setting) return ofTokens(seconds(setting.refreshTokens));
  if (isRecord(setting) && 'sliding' in setting) {
    const ttl = seconds(setting.sliding);
    return { ttl: () => ttl, sliding: { ttl: () => ttl, after: ttl * TOUCH_AFTER } };
  }
  throw new InvalidArgumentError(
    "ttl is a number of seconds, 'tokens', 'none', { sliding } or { refreshTokens }. Nothing was read or written.",
    { field: 'ttl' },
  );
}

/**
 * Limits a lifetime to the end of the session.
 *
 * @param expires seconds since the epoch
 */
export function endingAt(lifetime: Lifetime, expires: number): Lifetime {
  const left = (now: number): number => Math.max(1, expires - now);
  const { sliding } = lifetime;
  return {
    ttl: (cache, now) => Math.min(lifetime.ttl(cache, now) ?? Infinity, left(now)),
    sliding: sliding && { ...sliding, ttl: (now) => Math.min(sliding.ttl(now), left(now)) },
  };
}

function ofTokens(refreshTokens: number): Lifetime {
  return {
    ttl: (cache, now) => Math.max(SHORTEST, Math.ceil((lastExpiry(cache) ?? now + refreshTokens) - now)),
    sliding: null,
  };
}

/** Seconds: ten years. */
export const LONGEST_TTL = 10 * 365 * 24 * 3600;

function seconds(value: number): number {
  if (Number.isFinite(value) && value >= 1 && value <= LONGEST_TTL) return value;
  throw new InvalidArgumentError(
    'A TTL is a number of seconds, from 1 to 315,360,000 (ten years). Nothing was read or written.',
    { field: 'ttl' },
  );
}
