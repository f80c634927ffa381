import type { AccountItem, AccountStatus } from '../../src-main/ipc/contract.ts';
import type { Tone } from './lifetime.ts';
import { visible } from './text.ts';
import { dayOrTime, isPast, localTime } from './time.ts';

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

/** Returns the status of an account as text. */
export function accountStatus(account: AccountItem, now: number, timeZone?: string): StatusText {
  const active = (detail: string): StatusText => ({ id: 'active', tone: 'ok', title: 'Active', detail });
  const unknown = (detail: string): StatusText => ({ id: 'unknown', tone: 'none', title: 'Unknown', detail });
  if (account.kind === 'orphan') return unknown('No account entry');
  const status = current(account.status, now);
  switch (status.state) {
    case 'renews':
      // A refresh token that another program obtained and nobody has used here.
      return status.activeUntil === null && isForeign(account)
        ? unknown('Never tried')
        : active('Renews itself');
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

/** Returns the status group alone, which is cheaper than its text. */
export function statusId(account: AccountItem, now: number): StatusId {
  if (account.kind === 'orphan') return 'unknown';
  const status = current(account.status, now);
  const { state } = status;
  if (state === 'renews' && status.activeUntil === null && isForeign(account)) return 'unknown';
  if (account.kind === 'app') return state === 'needs-sign-in' || state === 'unknown' ? 'unknown' : 'active';
  return state === 'renews' ? 'active' : state === 'active' ? 'until' : state;
}

/** Returns the status without times, for the search: "Needs sign-in, refused". */
export function statusWords(account: AccountItem, now: number): string {
  const id = statusId(account, now);
  const status = current(account.status, now);
  if (id === 'active') return 'Active, renews itself';
  if (id === 'until') return 'Active until, can’t renew itself';
  if (status.state !== 'needs-sign-in') return status.state === 'renews' ? 'Unknown, never tried' : 'Unknown';
  const reason = REASONS[status.reason].toLowerCase();
  return id === 'needs-sign-in' ? `Needs sign-in, ${reason}` : `Unknown, ${reason}`;
}

/** "Needs sign-in, refused 14:02": for tooltips and screen readers. */
export function statusSentence({ title, detail }: StatusText): string {
  return detail === '' ? title : `${title}, ${detail.charAt(0).toLowerCase()}${detail.slice(1)}`;
}

/** Why the user has to sign in again: "login.example.org refused the refresh token today 14:02:11. Code: invalid_grant." */
export function signInAgainText(account: AccountItem, now: number, timeZone?: string): string {
  const status = current(account.status, now);
  if (status.state !== 'needs-sign-in' || (status.reason === 'expired' && status.code === null))
    return 'All access tokens have expired. Sign in again.';
  const when = localTime(status.at, now, timeZone);
  const what = {
    refused: `${visible(account.environment)} refused the refresh token ${when}.`,
    expired: `The refresh token expired ${when}.`,
    revoked: `The sign-in was revoked ${when}, for example because the password changed.`,
  }[status.reason];
  return `${what}${status.code === null ? '' : ` Code: ${visible(status.code)}.`}`;
}

/** Whether its refresh tokens are those of another program: imported, or in that program's own cache. */
const isForeign = ({ source, places }: AccountItem): boolean => source !== null || !places.includes('vault');

/** Main tells the status when the list is loaded; what has ended since is known without it. */
function current(status: AccountStatus, now: number): AccountStatus {
  if (status.state === 'active' && isPast(status.until, now))
    return { state: 'needs-sign-in', reason: 'expired', at: status.until, code: null, activeUntil: null };
  if (status.state === 'renews' && status.activeUntil !== null && isPast(status.activeUntil, now))
    return { state: 'renews', activeUntil: null };
  return status;
}

function noTokens({ tokens }: AccountItem): string {
  if (tokens.AccessToken + tokens.RefreshToken > 0) return 'Expiry not known';
  return tokens.IdToken > 0 ? 'Only an ID token' : 'No tokens';
}
