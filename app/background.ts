/** What the app does without a window, if the user has enabled it: an item in the menu bar, and a notice before an account ends. */
import { type AccountItem, nameWithRealm, type ShownStatus, shownStatus, STATUS_TITLES } from 'tokenkeep/ipc';
import { printable } from 'tokenkeep/vault';
import { AwayError } from './away-lock.ts';
import { type ErrorPorts, plainErrorOf } from './sign-in/failures.ts';

/** How many seconds before an account expires the user is told that it can't renew itself. */
const NOTICE = 600;
/** Notices that are shown at once. More are one notice, so that a document with thousands of accounts is not thousands of notices. */
const MOST_AT_ONCE = 3;
/** Seconds between notices. */
const QUIET = 60;
/** Accounts and tokens that a menu lists. The window has the rest. */
const MOST = 12;

/** What a menu item does; `show` brings the window to the front. */
export type BackgroundAction =
  | { do: 'show-account' | 'sign-in-again' | 'sign-out'; accountId: string }
  | { do: 'copy'; tokenId: string }
  | { do: 'hide-tokens' | 'show' | 'settings' | 'quit' };

export interface BackgroundItem {
  /** "" for a separator. */
  label: string;
  /** undefined: a heading, or a submenu. */
  action?: BackgroundAction;
  items?: readonly BackgroundItem[];
}

/** An access token that can be copied. */
export interface CopyableToken {
  id: string;
  /** The API that it is for. */
  api: string;
  account: string;
  /** The tenant in which the account is a guest; null: its home tenant, or it has none. */
  tenant: string | null;
}

/** Returns a name that anyone can choose as a part of a line of a menu or notice. */
const shown = (text: string | null): string => printable(text ?? '', 60);

function nameOfAccount(account: AccountItem): string {
  const { name, username, home_account_id } = account;
  const own = shown(name) || shown(username) || shown(home_account_id) || 'No name';
  return printable(nameWithRealm(own, account), 120);
}

/**
 * Returns when an account expires unless someone renews it, in seconds since the epoch; null if that is unknown, or for accounts that have
 * expired. What another program's refresh token does is unknown.
 */
function endOf({ status }: AccountItem, { id, time }: ShownStatus): number | null {
  if (id === 'until') return time;
  if (id !== 'active' || status.state !== 'renews' || status.untried === true) return null;
  const { at, status: then } = status.next ?? {};
  if (then?.state === 'active') return then.until;
  return then?.state === 'needs-sign-in' ? (at ?? null) : null;
}

/** Whether auto-refresh plans to renew an account before it ends, in seconds since the epoch. */
export type IsRenewed = (accountId: string, end: number) => boolean;

/** "in 9 min". */
function minutesUntil(end: number, now: number): string {
  return `in ${Math.max(1, Math.ceil((end - now) / 60))} min`;
}

/** @param now seconds since the epoch */
export function menuBarItems(
  accounts: readonly AccountItem[],
  tokens: readonly CopyableToken[],
  now: number,
  isRenewed: IsRenewed = () => false,
): BackgroundItem[] {
  const line = { label: '' };
  const users = accounts.filter(({ kind }) => kind === 'user');
  const statuses = new Map(users.map((account) => [account, shownStatus(account, now)]));
  const endsAt = (account: AccountItem): number | null => {
    const status = statuses.get(account);
    return status === undefined ? null : endOf(account, status);
  };
  const isSoon = (account: AccountItem): boolean => {
    const end = endsAt(account) ?? Infinity;
    return end <= now + NOTICE && !(statuses.get(account)?.id === 'active' && isRenewed(account.id, end));
  };
  const soon = users.filter(isSoon);
  const having = (...ids: ShownStatus['id'][]): AccountItem[] =>
    users.filter((account) => !isSoon(account) && ids.some((id) => statuses.get(account)?.id === id));
  const unknown = having('unknown');
  const active = having('active', 'until');
  const more = (all: number): BackgroundItem[] =>
    all > MOST ? [{ label: `${all - MOST} more…`, action: { do: 'show' } }] : [];
  const listed = (
    of: readonly AccountItem[],
    action: 'show-account' | 'sign-in-again' | 'sign-out',
    detail: (account: AccountItem) => string = ({ username }) => shown(username),
  ): BackgroundItem[] => [
    ...of.slice(0, MOST).map((account) => {
      const [name, more] = [nameOfAccount(account), detail(account)];
      const label = more === '' || more === name ? name : `${name} · ${more}`;
      return { label, action: { do: action, accountId: account.id } };
    }),
    ...more(of.length),
  ];
  const group = (title: string, items: BackgroundItem[]): BackgroundItem[] =>
    items.length === 0 ? [] : [{ label: title }, ...items, line];
  const folder = (title: string, items: BackgroundItem[]): BackgroundItem[] =>
    items.length === 0 ? [] : [{ label: title, items }];
  const minutes = (account: AccountItem): string => minutesUntil(endsAt(account) ?? now, now);
  const folders = [
    ...folder(`${STATUS_TITLES.active}: ${active.length}`, listed(active, 'show-account')),
    ...folder(`${STATUS_TITLES.unknown}: ${unknown.length}`, listed(unknown, 'show-account')),
  ];
  return [
    ...(users.length === 0 ? [{ label: 'No accounts' }, line] : []),
    ...group(STATUS_TITLES['needs-sign-in'], listed(having('needs-sign-in'), 'sign-in-again')),
    ...group('Expires soon', listed(soon, 'sign-in-again', minutes)),
    ...(folders.length === 0 ? [] : [...folders, line]),
    ...folder('Copy access token', [
      ...tokens.slice(0, MOST).map(({ id, api, account, tenant }) => ({
        label: [
          printable(api, 40),
          printable(account, 60),
          ...(tenant === null ? [] : [printable(tenant, 40)]),
        ].join(' · '),
        action: { do: 'copy' as const, tokenId: id },
      })),
      ...more(tokens.length),
    ]),
    ...folder('Sign out', listed(users, 'sign-out')),
    { label: 'Hide revealed tokens', action: { do: 'hide-tokens' } },
    line,
    { label: 'Open Tokenkeep', action: { do: 'show' } },
    { label: 'Settings…', action: { do: 'settings' } },
    { label: 'Quit Tokenkeep', action: { do: 'quit' } },
  ];
}

export interface Notice {
  /** null: it is about several accounts. */
  accountId: string | null;
  title: string;
  body: string;
}

export interface ExpiryNotices {
  /**
   * Returns the notices that are due and were not returned before, and when to look again: seconds since the epoch, null for never. After a
   * notice, the next ones come a minute later at the earliest, however often the accounts change.
   *
   * @param now seconds since the epoch
   */
  look(
    accounts: readonly AccountItem[],
    now: number,
    isRenewed?: IsRenewed,
  ): { due: Notice[]; next: number | null };
}

/** Returns the notice for a token that could not be copied from the menu; null if the app was locked, which its menu shows. */
export function failedCopy(error: unknown, ports: ErrorPorts): Notice | null {
  if (error instanceof AwayError) return null;
  return { accountId: null, title: 'The token was not copied', body: plainErrorOf(error, ports).message };
}

function summaryOf(due: readonly Notice[]): Notice {
  return {
    accountId: null,
    title: `${due.length} accounts expire soon`,
    body: 'Sign in again to continue without a break.',
  };
}

/** Remembers which expiries were announced, so that each is announced once. */
export function expiryNotices(): ExpiryNotices {
  let told = new Map<string, number>();
  let quietUntil = -Infinity;
  return {
    look(accounts, now, isRenewed = () => false) {
      const due: Notice[] = [];
      const isQuiet = now < quietUntil && now >= quietUntil - QUIET; // The clock may have been set back.
      let next = Infinity;
      const seen = new Map<string, number>();
      for (const account of accounts) {
        const status = shownStatus(account, now);
        const end = account.kind === 'user' ? endOf(account, status) : null;
        if (end === null) continue;
        // A refresh token that lives for a few minutes has a new end after each refresh: it is announced once.
        const isTold = status.id === 'active' ? told.has(account.id) : told.get(account.id) === end;
        if (end > now + NOTICE) next = Math.min(next, end - NOTICE);
        else if (isTold) seen.set(account.id, end);
        // A refresh that fails may change nothing in the vault.
        else if (status.id === 'active' && isRenewed(account.id, end)) next = Math.min(next, now + QUIET);
        else if (isQuiet) next = Math.min(next, quietUntil);
        else {
          seen.set(account.id, end);
          due.push({
            accountId: account.id,
            title: `${nameOfAccount(account)} expires ${minutesUntil(end, now)}`,
            body:
              status.id === 'active'
                ? 'Its refresh token expires. Refresh the account, or sign in again, to continue without a break.'
                : 'This sign-in can’t renew itself. Sign in to continue without a break.',
          });
        }
      }
      told = seen;
      if (due.length > 0) quietUntil = now + QUIET;
      return {
        due: due.length > MOST_AT_ONCE ? [summaryOf(due)] : due,
        next: next === Infinity ? null : next,
      };
    },
  };
}
