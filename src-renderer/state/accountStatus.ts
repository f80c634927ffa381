import type { AccountItem } from '../../src-main/ipc/contract.ts';
import type { Tone } from './lifetime.ts';
import { dayOrTime, isPast } from './time.ts';

/** Status groups, in the order in which they need attention. */
export const STATUSES = ['needs-sign-in', 'until', 'unknown', 'active'] as const;
export type StatusId = (typeof STATUSES)[number];

/** The status of an account as text. The dot, the list, the filters and the search use the same one. */
export interface StatusText {
  id: StatusId;
  tone: Tone;
  /** "Active", "Active until 14:20", "Needs sign-in", "Unknown". */
  title: string;
  /** "Renews itself", "Refused 14:02"; may be "". */
  detail: string;
}

/**
 * Whether an account can still be used, in seconds since the epoch.
 * `renews`: by a refresh token. `activeUntil`: end of its current access tokens; null if none is left.
 */
export type AccountStatus =
  | { state: 'renews'; activeUntil: number | null }
  | { state: 'active'; until: number }
  | {
      state: 'needs-sign-in';
      reason: 'refused' | 'expired' | 'revoked';
      at: number;
      code: string | null;
      activeUntil: number | null;
    }
  | { state: 'unknown' };

/** Returns the status of an account as text. */
export function accountStatus(account: AccountItem, now: number, timeZone?: string): StatusText {
  const active = (detail: string): StatusText => ({ id: 'active', tone: 'ok', title: 'Active', detail });
  const unknown = (detail: string): StatusText => ({ id: 'unknown', tone: 'none', title: 'Unknown', detail });
  if (account.kind === 'orphan') return unknown('Account not in the cache');
  const status = statusOf(account, now);
  switch (status.state) {
    case 'renews':
      return active('Renews itself');
    case 'active':
      if (account.kind === 'app') return active('Renews itself');
      return {
        id: 'until',
        tone: 'soon',
        title: `Active until ${dayOrTime(status.until, now, timeZone)}`,
        detail: 'Can’t renew itself',
      };
    case 'needs-sign-in': {
      const when = dayOrTime(status.at, now, timeZone);
      // An app gets new tokens with its own credentials.
      if (account.kind === 'app') return unknown(`Expired ${when}`);
      const detail = `${REASONS[status.reason]} ${when}`;
      return { id: 'needs-sign-in', tone: 'gone', title: 'Needs sign-in', detail };
    }
    case 'unknown':
      return unknown(noTokens(account));
  }
}

const REASONS = { refused: 'Refused', expired: 'Expired', revoked: 'Revoked' } as const;

/** "Needs sign-in, refused 14:02": for tooltips and screen readers. */
export function statusSentence({ title, detail }: StatusText): string {
  return detail === '' ? title : `${title}, ${detail.charAt(0).toLowerCase()}${detail.slice(1)}`;
}

function noTokens({ tokens }: AccountItem): string {
  if (tokens.AccessToken + tokens.RefreshToken > 0) return 'Expiry not known';
  return tokens.IdToken > 0 ? 'Only an ID token' : 'No tokens';
}

function statusOf(account: AccountItem, now: number): AccountStatus {
  const { lastExpiry, tokens } = account;
  const activeUntil = lastExpiry === null || isPast(lastExpiry, now) ? null : lastExpiry;
  if (tokens.RefreshToken > 0) return { state: 'renews', activeUntil };
  if (activeUntil !== null) return { state: 'active', until: activeUntil };
  if (lastExpiry === null) return { state: 'unknown' };
  return { state: 'needs-sign-in', reason: 'expired', at: lastExpiry, code: null, activeUntil: null };
}
