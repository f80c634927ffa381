import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { relative, span } from './time.ts';

/** Apps don't use an access token in its last five minutes (all MSAL libraries). Seconds. */
export const MARGIN = 300;
/** From here on the window calls it "soon". Seconds. */
const SOON = 15 * 60;

/** ok: usable. soon: expires soon. gone: expired. none: unknown or without expiry. */
export type Tone = 'ok' | 'soon' | 'gone' | 'none';

export interface Lifetime {
  tone: Tone;
  /** "52 min", "expires in 12 min", "expired 2 h ago", "no fixed end". */
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
      text: 'no fixed end',
      left: null,
      why: 'A refresh token is valid until the provider ends it. The provider doesn’t say when.',
    };
  }
  if (cached_at !== null && cached_at > now) {
    return {
      tone: 'none',
      text: 'uncertain',
      left: null,
      why: `Cached ${relative(cached_at, now)} by this computer's clock, so a clock was wrong. Apps don't use this token.`,
    };
  }
  if (expires_on === null) {
    return { tone: 'none', text: 'not known', left: null, why: 'The entry has no expiry.' };
  }
  const remaining = expires_on - now;
  if (remaining <= 0)
    return { tone: 'gone', text: `expired ${relative(expires_on, now)}`, left: 0, why: null };

  const whole = cached_at === null ? 3600 : Math.max(1, expires_on - cached_at);
  const left = Math.min(1, remaining / whole);
  const access = token.type === 'AccessToken';
  if (access && remaining <= MARGIN) {
    return {
      tone: 'soon',
      text: `expires in ${span(remaining)}`,
      left,
      why: 'Apps renew an access token in its last 5 minutes.',
    };
  }
  if (remaining <= SOON) return { tone: 'soon', text: `expires in ${span(remaining)}`, left, why: null };
  if (access && refresh_on !== null && refresh_on <= now) {
    return {
      tone: 'ok',
      text: span(remaining),
      left,
      why: 'Renewal is due: the next app that uses this token requests a new one.',
    };
  }
  return { tone: 'ok', text: span(remaining), left, why: null };
}

/** Returns the status of an account in the list. */
export function standing(account: AccountItem, now: number): { tone: Tone; text: string } {
  const { nextExpiry, lastExpiry, tokens } = account;
  if (account.kind === 'orphan') return { tone: 'none', text: 'account not in the cache' };
  if (lastExpiry !== null && lastExpiry > now + MARGIN) {
    return nextExpiry !== null && nextExpiry > now && nextExpiry <= now + SOON
      ? { tone: 'soon', text: `next token expires in ${span(nextExpiry - now)}` }
      : { tone: 'ok', text: 'signed in' };
  }
  if (tokens.RefreshToken > 0) return { tone: 'ok', text: 'signed in; renews at the next use' };
  if (tokens.AccessToken > 0 && account.kind === 'app')
    return { tone: 'none', text: 'expired; the app gets a new one by itself' };
  if (tokens.AccessToken > 0) return { tone: 'gone', text: 'expired; needs to sign in again' };
  return tokens.IdToken > 0
    ? { tone: 'none', text: 'known, but holds no token that opens anything' }
    : { tone: 'none', text: 'no tokens' };
}

/** Returns the next expiry of these access tokens in seconds since the epoch; null if all have expired. */
export function nextToExpire(tokens: readonly TokenItem[], now: number): number | null {
  let next: number | null = null;
  for (const { type, expires_on } of tokens) {
    if (type !== 'AccessToken' || expires_on === null || expires_on <= now) continue;
    if (next === null || expires_on < next) next = expires_on;
  }
  return next;
}
