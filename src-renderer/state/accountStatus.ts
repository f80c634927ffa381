import { shownStatus, type StatusId } from '../../src-main/cache/shown-status.ts';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import type { Tone } from './lifetime.ts';
import { visible } from './text.ts';
import { changesAt, dayOrTime, isoTime, isPast, localTime } from './time.ts';

export { STATUSES, type StatusId } from '../../src-main/cache/shown-status.ts';

/** The status of an account as text. The dot, the list, the filters and the search use the same one. */
export interface StatusText {
  id: StatusId;
  tone: Tone;
  /** "Active", "Active until 14:20", "Needs sign-in", "Unknown". */
  title: string;
  /** "Renews itself", "Refused 14:02"; may be "". */
  detail: string;
}

const TONES: Readonly<Record<StatusId, Tone>> = {
  'needs-sign-in': 'gone',
  until: 'soon',
  unknown: 'none',
  active: 'ok',
};

/** Returns the status of an account as text. */
export function accountStatus(account: AccountItem, now: number, timeZone?: string): StatusText {
  return statusText(account, now, (time) => dayOrTime(time, now, timeZone));
}

/** Returns the status as a sentence that stays true, for a file: "Active until 2026-11-22T15:08:22.000Z". */
export function keptStatus(account: AccountItem, now: number): string {
  return statusSentence(statusText(account, now, isoTime));
}

function statusText(account: AccountItem, now: number, say: (time: number) => string): StatusText {
  const { id, title, detail, time } = current(account, now);
  const when = time === null ? '' : ` ${say(time)}`;
  return id === 'until'
    ? { id, tone: TONES[id], title: `${title}${when}`, detail }
    : { id, tone: TONES[id], title, detail: `${detail}${when}` };
}

/** Returns the status group alone, which is cheaper than its text. */
export function statusId(account: AccountItem, now: number): StatusId {
  return current(account, now).id;
}

/** Returns the status without times, for the search: "Needs sign-in, refused". */
export function statusWords(account: AccountItem, now: number): string {
  return statusSentence(current(account, now));
}

/** "Needs sign-in, refused 14:02": for tooltips and screen readers. */
export function statusSentence({ title, detail }: Pick<StatusText, 'title' | 'detail'>): string {
  return detail === '' ? title : `${title}, ${detail.charAt(0).toLowerCase()}${detail.slice(1)}`;
}

/** Why the user has to sign in again: "login.example.org refused the refresh token today 14:02:11. Code: invalid_grant." */
export function signInAgainText(account: AccountItem, now: number, timeZone?: string): string {
  const { ended } = current(account, now);
  if (ended === null || (ended.reason === 'expired' && ended.code === null))
    return 'All access tokens have expired. Sign in again.';
  const when = localTime(ended.at, now, timeZone);
  const what = {
    refused: `${visible(account.environment)} refused the refresh token ${when}.`,
    expired: `The refresh token expired ${when}.`,
    revoked: `The sign-in was revoked ${when}, for example because the password changed.`,
  }[ended.reason];
  return `${what}${ended.code === null ? '' : ` Code: ${visible(ended.code)}.`}`;
}

/** Returns the status that main sent with the list, updated by what has ended since. */
function current(account: AccountItem, now: number): ReturnType<typeof shownStatus> {
  const shown = shownStatus(account, now);
  if (shown.changesAt !== null) changesAt(shown.changesAt, now);
  return shown;
}

/** The word for an account without a valid access token. */
export const EXPIRED = 'Expired';

/** Returns when the next access token expires, else when the last one expired; null if that is not known. */
export function expiryShown(
  { nextExpiry: next, lastExpiry: last }: AccountItem,
  now: number,
): { at: number; isPast: boolean } | null {
  if (next !== null && !isPast(next, now)) return { at: next, isPast: false };
  return last !== null && isPast(last, now) ? { at: last, isPast: true } : null;
}
