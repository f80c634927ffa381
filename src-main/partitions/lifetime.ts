/** How long an entry lives in its store. */
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { lastExpiry } from './partition-contents.ts';

/**
 * Seconds from the last update; `sliding`: seconds from the last read or update; `tokens` (the default): until the longest-lived
 * token inside expires. Refresh tokens don't say when they do: as long as there is one, `refreshTokens` seconds from the last
 * update, by default 90 days, which is how long Microsoft Entra ID keeps one that is not used. `none`: for ever.
 */
export type PartitionTtl =
  | number
  | 'tokens'
  | 'none'
  | { readonly sliding: number }
  | { readonly refreshTokens: number };

const NINETY_DAYS = 90 * 24 * 3600;

/** An entry whose tokens have all expired is not worth keeping, and is not worth an edge case in every store either. */
const SHORTEST = 60;

/** A sliding entry is touched when a tenth of its time is over, so that not every read is a write. */
const TOUCH_AFTER = 0.1;

export interface Lifetime {
  /** Of an entry that is written now; null: for ever. */
  ttl(cache: TokenCache, now: number): number | null;
  /** Not null: a read lets the entry live for `ttl` seconds, unless it did so `after` seconds ago. */
  readonly sliding: { readonly ttl: number; readonly after: number } | null;
}

/** @throws InvalidArgumentError */
export function lifetimeOf(setting: PartitionTtl): Lifetime {
  if (setting === 'none') return { ttl: () => null, sliding: null };
  if (setting === 'tokens') return ofTokens(NINETY_DAYS);
  if (typeof setting === 'number') {
    const ttl = seconds(setting);
    return { ttl: () => ttl, sliding: null };
  }
  if ('refreshTokens' in setting) return ofTokens(seconds(setting.refreshTokens));
  const ttl = seconds(setting.sliding);
  return { ttl: () => ttl, sliding: { ttl, after: ttl * TOUCH_AFTER } };
}

function ofTokens(refreshTokens: number): Lifetime {
  return {
    ttl: (cache, now) => Math.max(SHORTEST, Math.ceil((lastExpiry(cache) ?? now + refreshTokens) - now)),
    sliding: null,
  };
}

function seconds(value: number): number {
  if (Number.isFinite(value) && value >= 1 && value <= 10 * 365 * 24 * 3600) return value;
  throw new InvalidArgumentError('A TTL is a number of seconds, from 1 to ten years.');
}
