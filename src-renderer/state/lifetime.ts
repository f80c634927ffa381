import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { relative, span } from './time.ts';

/** An app does not use an access token in its last five minutes (MSAL, all libraries). Seconds. */
export const MARGIN = 300;
/** From here on the window calls it "soon". Seconds. */
const SOON = 15 * 60;

/** ok: usable. soon: not for much longer. gone: no more. none: nothing can be said, or nothing needs to be. */
export type Tone = 'ok' | 'soon' | 'gone' | 'none';

export interface Lifetime {
  tone: Tone;
  /** A few words: "52 min", "expires in 12 min", "expired 2 h ago", "no fixed end". */
  text: string;
  /** What is left of its whole life, 0 to 1; null where that can't be told. */
  left: number | null;
  /** One sentence more, where the words leave a question open. */
  why: string | null;
}

/** Where a token stands at `now`, by the rules the MSAL libraries decide with. */
export function lifetime(token: TokenItem, now: number): Lifetime {
  const { cached_at, expires_on, refresh_on } = token;
  if (token.type === 'RefreshToken' && expires_on === null) {
    return {
      tone: 'none',
      text: 'no fixed end',
      left: null,
      why: 'A refresh token lasts until the provider ends it; it does not say when that is.',
    };
  }
  if (cached_at !== null && cached_at > now) {
    return {
      tone: 'none',
      text: 'uncertain',
      left: null,
      why: `Cached ${relative(cached_at, now)} by this computer's clock, so one of the clocks was wrong. Apps don't use it; it is kept.`,
    };
  }
  if (expires_on === null) {
    return { tone: 'none', text: 'not known', left: null, why: 'The entry does not say when it expires.' };
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
      why: 'Apps ask for a new one in the last 5 minutes.',
    };
  }
  if (remaining <= SOON) return { tone: 'soon', text: `expires in ${span(remaining)}`, left, why: null };
  if (access && refresh_on !== null && refresh_on <= now) {
    return {
      tone: 'ok',
      text: span(remaining),
      left,
      why: 'Renewal is due: the next app that uses it asks for a new one.',
    };
  }
  return { tone: 'ok', text: span(remaining), left, why: null };
}

/** The dot of a line in the account list, with the words that stand for it. */
export function standing(account: AccountItem, now: number): { tone: Tone; text: string } {
  const { nextExpiry, lastExpiry, tokens } = account;
  if (account.kind === 'orphan') return { tone: 'none', text: 'its account is not in the cache' };
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

/** Of these tokens, the access token that expires next, as seconds since the epoch; null where all have. */
export function nextToExpire(tokens: readonly TokenItem[], now: number): number | null {
  let next: number | null = null;
  for (const { type, expires_on } of tokens) {
    if (type !== 'AccessToken' || expires_on === null || expires_on <= now) continue;
    if (next === null || expires_on < next) next = expires_on;
  }
  return next;
}
