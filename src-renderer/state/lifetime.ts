import type { TokenItem } from '../../src-main/ipc/contract.ts';
import { changesAt, isPast, relative, spanUntil } from './time.ts';

/** Apps don't use an access token in its last five minutes (all MSAL libraries). Seconds. */
const MARGIN = 300;
/** A token expires soon in the last quarter of its lifetime, but at most this many seconds before its end. */
const LONGEST_SOON = 15 * 60;
/** Lifetime of a token whose start is not known. Seconds. */
const USUAL_LIFETIME = 3600;

/** ok: usable. soon: expires soon. gone: expired. none: unknown or without expiry. */
export type Tone = 'ok' | 'soon' | 'gone' | 'none';

export interface Lifetime {
  tone: Tone;
  /** "52 min", "Expires in 12 min", "Expired 2 h ago", "No fixed end". */
  text: string;
  /** Remaining share of the lifetime, 0 to 1; null if unknown. */
  left: number | null;
  /** Explanation; null if the text needs none. */
  why: string | null;
}

/** Returns the state of a token at `now`, by the rules of the MSAL libraries. */
export function lifetime(token: TokenItem, now: number): Lifetime {
  const { cached_at, expires_on, refresh_on } = token;
  if (token.type === 'RefreshToken' && expires_on === null) {
    return {
      tone: 'none',
      text: 'No fixed end',
      left: null,
      why: 'A refresh token is valid until the provider ends it. The provider doesn’t say when.',
    };
  }
  if (isUncertain(token, now)) {
    return {
      tone: 'none',
      text: 'Uncertain',
      left: null,
      why: `Cached ${relative(cached_at ?? now, now)} by this computer’s clock, so a clock was wrong. Apps don’t use this token.`,
    };
  }
  if (expires_on === null) {
    return {
      tone: 'none',
      text: 'Not known',
      left: null,
      why: 'Neither the provider nor the token says when it expires.',
    };
  }
  if (isPast(expires_on, now))
    return { tone: 'gone', text: `Expired ${relative(expires_on, now)}`, left: 0, why: null };

  const whole = cached_at === null ? USUAL_LIFETIME : Math.max(1, expires_on - cached_at);
  // In whole percent: the bar moves by about a pixel. It moves at the first second with at most `percent - 1` left.
  const percent = Math.min(100, Math.ceil(((expires_on - now) * 100) / whole));
  changesAt(expires_on - Math.floor(((percent - 1) * whole) / 100), now);
  const access = token.type === 'AccessToken';
  const unused = access && isPast(expires_on - MARGIN, now);
  const due = access && refresh_on !== null && isPast(refresh_on, now);
  const soon = isPast(expires_on - Math.min(LONGEST_SOON, whole / 4), now);
  return {
    tone: soon ? 'soon' : 'ok',
    text: `${soon ? 'Expires in ' : ''}${spanUntil(expires_on, now)}`,
    left: percent / 100,
    why: unused
      ? 'Apps renew an access token in its last 5 minutes.'
      : due
        ? 'Renewal is due: the next app that uses this token requests a new one.'
        : null,
  };
}

/** Whether the expiry of a token can't be trusted: it was cached in the future, so a clock was wrong. */
export function isUncertain({ cached_at }: Pick<TokenItem, 'cached_at'>, now: number): boolean {
  return cached_at !== null && !isPast(cached_at, now);
}

/** Returns the next expiry of these access tokens in seconds since the epoch; null if all have expired. */
export function nextToExpire(tokens: readonly TokenItem[], now: number): number | null {
  let next: number | null = null;
  for (const token of tokens) {
    const { type, expires_on } = token;
    if (type !== 'AccessToken' || expires_on === null || isUncertain(token, now) || isPast(expires_on, now))
      continue;
    if (next === null || expires_on < next) next = expires_on;
  }
  return next;
}
