/** The status texts that the window, the menu bar, notices and the command show. Each formats only the times itself. */
import type { AccountStatus } from './account-status.ts';

/**
 * The groups of statuses, in the order in which they need attention.
 *
 * @example
 * import { STATUSES } from 'tokenkeep/ipc';
 *
 * console.log(STATUSES.join()); // needs-sign-in,until,unknown,active
 */
export const STATUSES = ['needs-sign-in', 'until', 'unknown', 'active'] as const;

/** `until`: active, and can't renew itself. */
export type StatusId = (typeof STATUSES)[number];

/**
 * The title of each group. "Active until" is followed by a time.
 *
 * @example
 * import { STATUS_TITLES } from 'tokenkeep/ipc';
 *
 * console.log(STATUS_TITLES['needs-sign-in']); // Needs sign-in
 */
export const STATUS_TITLES = {
  'needs-sign-in': 'Needs sign-in',
  until: 'Active until',
  unknown: 'Unknown',
  active: 'Active',
} as const satisfies Record<StatusId, string>;

/** The status of an account as it is shown. Times are seconds since the epoch. */
export interface ShownStatus {
  id: StatusId;
  /** "Active", "Active until", "Needs sign-in" or "Unknown". */
  title: (typeof STATUS_TITLES)[StatusId];
  /** A few words, such as "Renews itself", "Can’t renew itself", "Refused" or "Never tried"; never "". */
  detail: string;
  /** When an active account stops being active, or when it was refused, revoked or expired; null if there is no such time. */
  time: number | null;
  /** When the status changes although the account does not; null if it stays. */
  changesAt: number | null;
  /** Why the user has to sign in again. */
  ended: Extract<AccountStatus, { state: 'needs-sign-in' }> | null;
}

/** The fields that the status is computed from; an `AccountItem` has them. */
export interface StatusSource {
  kind: 'user' | 'app' | 'orphan';
  status: AccountStatus;
  tokens: { AccessToken: number; RefreshToken: number; IdToken: number };
}

/**
 * Returns the status of an account as it is shown. The status in an `AccountItem` is that of the time at which the list was made; this one
 * is that of `now`.
 *
 * @param now seconds since the epoch
 *
 * @example
 * import { accountList, shownStatus } from 'tokenkeep/ipc';
 *
 * const now = Math.floor(Date.now() / 1000);
 * const { accounts } = await accountList(await vault.read((cache) => cache, { held: true }), now);
 * for (const account of accounts) console.log(account.username, shownStatus(account, now).title);
 */
export function shownStatus({ kind, status, tokens }: StatusSource, now: number): ShownStatus {
  if (kind === 'orphan') return shown('unknown', 'No account entry');
  switch (status.state) {
    case 'renews': {
      const { activeUntil, next } = status;
      if (next !== undefined && next.at <= now)
        return shownStatus({ kind, status: next.status, tokens }, now);
      const changesAt = next?.at ?? null;
      // A refresh token that another program obtained and nobody has used here.
      if (status.untried !== true) return { ...shown('active', 'Renews itself'), changesAt };
      if (activeUntil === null || activeUntil <= now)
        return { ...shown('unknown', 'Never tried'), changesAt };
      return { ...shown('active', 'Renews itself'), changesAt: Math.min(activeUntil, changesAt ?? Infinity) };
    }
    case 'active': {
      const { until } = status;
      const expired = {
        state: 'needs-sign-in',
        reason: 'expired',
        at: until,
        code: null,
        activeUntil: null,
      } as const;
      if (until <= now) return ended(kind, expired);
      if (kind === 'app') return { ...shown('active', 'Renews itself'), changesAt: until };
      return { ...shown('until', 'Can’t renew itself'), time: until, changesAt: until };
    }
    case 'needs-sign-in':
      return ended(kind, status);
    case 'unknown':
      return shown('unknown', noExpiry(tokens));
  }
}

function shown(id: StatusId, detail: string): ShownStatus {
  return { id, title: STATUS_TITLES[id], detail, time: null, changesAt: null, ended: null };
}

function ended(
  kind: 'user' | 'app',
  status: Extract<AccountStatus, { state: 'needs-sign-in' }>,
): ShownStatus {
  const detail = { refused: 'Refused', expired: 'Expired', revoked: 'Revoked' }[status.reason];
  // An app gets new tokens with its own credentials.
  if (kind === 'app') return { ...shown('unknown', detail), time: status.at };
  return { ...shown('needs-sign-in', detail), time: status.at, ended: status };
}

function noExpiry({ AccessToken, RefreshToken, IdToken }: StatusSource['tokens']): string {
  if (AccessToken + RefreshToken > 0) return 'Expiry not known';
  return IdToken > 0 ? 'Only an ID token' : 'No tokens';
}
