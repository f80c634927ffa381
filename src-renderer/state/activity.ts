import type { SignOutReport } from '../../app/contract.ts';
import type { AccountItem, ActivityEvent, CopyForm, PlainError } from '../../src-main/ipc/contract.ts';
import { withRealm } from '../../src-main/cache/shown-names.ts';
import type { Dialogs } from './dialogs.ts';
import { accountName, nameWithRealm, type TenantNames, tenantName } from './groups.ts';
import type { Ports } from './ports.ts';
import { shownAppName } from './search.ts';
import { ownCopyLines, placesText, providerResultLines, receiptSums, stillSignedIn } from './signOut.ts';
import { createStore, type Store } from './store.ts';
import { plainCell, shortId, tabbedText, visible } from './text.ts';
import { clockTime, dayTitle, isoTime, localTime, shortTime } from './time.ts';
import type { Toasts } from './toasts.ts';
import { resourceName } from './wellKnown.ts';
import { capitalized, addCounts, count, listing, number, removals } from './words.ts';

export interface ActivityView {
  /** ID of the account whose activity is shown; null for all accounts, undefined while none is shown. */
  of: string | null | undefined;
  /** Newest first; null until loaded. */
  events: readonly ActivityEvent[] | null;
  /** Number of events in the vault, including those that main has not sent. */
  total: number;
  receipts: readonly SignOutReport[];
  error: PlainError | null;
}

export interface ActivityLog {
  view: Store<ActivityView>;
  /** Loads the activity, and again whenever it changes, until the returned function is called. */
  watch: (of: string | null) => () => void;
  /** Asks main to clear the activity. Main asks the user. */
  clear: () => Promise<void>;
}

const NOTHING: ActivityView = { of: undefined, events: null, total: 0, receipts: [], error: null };

/** The activity that main has recorded. It is loaded while it is shown. */
export function createActivityLog({ tokenCache, app }: Ports, dialogs: Dialogs, toasts: Toasts): ActivityLog {
  const view = createStore<ActivityView>(NOTHING);
  let question = 0;

  const load = async () => {
    const { of } = view.get();
    if (of === undefined) return;
    question += 1;
    const mine = question;
    const [events, receipts] = await Promise.all([tokenCache.activity(of), app.signOuts()]);
    if (mine !== question) return; // superseded by a newer request
    view.set({
      of,
      events: events.ok ? events.value.events : (view.get().events ?? []),
      total: events.ok ? events.value.total : view.get().total,
      receipts: receipts.ok ? receipts.value : view.get().receipts,
      error: events.ok ? (receipts.ok ? null : receipts.error) : events.error,
    });
  };
  tokenCache.on('activity', () => void load());
  // A sign-in or an import is recorded in the same change.
  tokenCache.on('change', () => void load());
  // Another vault state can mean other activity: unlocked, recovered, or the file's version chosen.
  tokenCache.on('status', () => void load());
  app.on('signOuts', () => void load());

  return {
    view,
    watch(of) {
      view.set({ ...NOTHING, of });
      void load();
      return () => {
        if (view.get().of !== of) return;
        question += 1; // drops the answer that is on its way
        view.set(NOTHING);
      };
    },
    async clear() {
      const answer = await app.clearActivity();
      if (!answer.ok) dialogs.fail('The activity could not be cleared', answer.error);
      else if (answer.value) toasts.show('Activity cleared.');
    },
  };
}

/** The groups of the filter. */
export type ActivityKind = 'sign-ins' | 'refreshes' | 'refused' | 'receipts' | 'copies' | 'vault';

export const ACTIVITY_KINDS: readonly { id: ActivityKind; label: string }[] = [
  { id: 'sign-ins', label: 'Sign-ins' },
  { id: 'refreshes', label: 'Refreshes' },
  { id: 'refused', label: 'Refused' },
  { id: 'receipts', label: 'Receipts' },
  { id: 'copies', label: 'Copies' },
  { id: 'vault', label: 'Vault' },
];

const KIND_OF: Readonly<Record<ActivityEvent['kind'], ActivityKind>> = {
  'sign-in': 'sign-ins',
  refresh: 'refreshes',
  refused: 'refused',
  reveal: 'copies',
  copy: 'copies',
  removal: 'receipts',
  'sign-out': 'receipts',
  import: 'vault',
  export: 'vault',
  rotation: 'vault',
  repair: 'vault',
  cleared: 'vault',
};

export interface ActivityRow {
  id: string;
  /** Seconds since the epoch. */
  at: number;
  kind: ActivityKind;
  what: ActivityEvent['kind'];
  title: string;
  detail: string;
  /** "Dana Whitfield", "3 accounts"; "" if it is about no account. */
  who: string;
  /** The names of the accounts. */
  names: readonly string[];
  /** Number of accounts that it does not name. */
  unnamed: number;
  accountIds: readonly string[];
  /** The receipt of a sign-out; else null. */
  report: SignOutReport | null;
}

/** The accounts, and the names of apps and tenants that the window knows. */
export interface ActivityNames {
  byId: ReadonlyMap<string, AccountItem>;
  tenants: TenantNames;
  appNames: ReadonlyMap<string, string>;
}

/**
 * Returns the events and the receipts of sign-outs in one list, newest first.
 *
 * @param account limits the receipts to this account; they are found by the user name, because the account was removed
 */
export function activityRows(
  { events, receipts }: Pick<ActivityView, 'events' | 'receipts'>,
  names: ActivityNames,
  now: number,
  account: AccountItem | null = null,
  timeZone?: string,
): ActivityRow[] {
  // Main lists an event with a time in the future, from a clock that was ahead, before the event that was recorded before it.
  let after = now;
  const placed = (events ?? []).map((event) => {
    if (event.at <= now) after = event.at;
    return { row: eventRow(event, names, now, timeZone), at: after };
  });
  const told = receiptsOf(receipts, account).map((report) => ({ row: receiptRow(report), at: report.at }));
  return [...placed, ...told].sort((a, b) => b.at - a.at).map(({ row }) => row);
}

function receiptsOf(
  receipts: readonly SignOutReport[],
  account: AccountItem | null,
): readonly SignOutReport[] {
  if (account === null) return receipts;
  const of = withRealm(account.username || accountName(account), account);
  return receipts.filter(
    (report) => report.names.includes(of) || report.receipts.some((receipt) => receipt.account === of),
  );
}

/** Returns the number of events and receipts of an account, of which only the newest are shown; null until they are loaded. */
export function activityCount(
  { of, events, total, receipts }: Pick<ActivityView, 'of' | 'events' | 'total' | 'receipts'>,
  account: AccountItem,
): number | null {
  return of !== account.id || events === null ? null : total + receiptsOf(receipts, account).length;
}

/** The number of accounts that an event is about, of which it may name only some. */
const accountsOf = ({ accounts, others = 0 }: ActivityEvent): number => accounts.length + others;

function eventRow(event: ActivityEvent, names: ActivityNames, now: number, timeZone?: string): ActivityRow {
  const { id, at, accounts, kind } = event;
  const total = accountsOf(event);
  const who = accounts.map((account) => nameOf(account, names.byId));
  return {
    id,
    at,
    kind: KIND_OF[kind],
    what: kind,
    ...says(event, names, now, timeZone),
    who: total > 1 ? count(total, 'account') : (who[0] ?? ''),
    names: who,
    unnamed: event.others ?? 0,
    accountIds: accounts.map((account) => account.id),
    report: null,
  };
}

/** The account's name in the list, else the recorded one. */
function nameOf({ id, name }: ActivityEvent['accounts'][number], byId: ActivityNames['byId']): string {
  const account = byId.get(id);
  if (account !== undefined) return visible(nameWithRealm(account));
  return name === '' ? 'Removed account' : visible(name);
}

const COPIED: Readonly<Record<CopyForm, string>> = {
  token: 'Copied',
  header: 'Copied an Authorization header',
  curl: 'Copied a curl command',
};
const TOKEN = { AccessToken: 'an access token', RefreshToken: 'a refresh token', IdToken: 'an ID token' };
const REFUSED = {
  refused: '',
  expired: 'The refresh token had expired.',
  revoked: 'The sign-in was revoked.',
};

function says(
  event: ActivityEvent,
  { appNames, byId, tenants }: ActivityNames,
  now: number,
  timeZone?: string,
): { title: string; detail: string } {
  const app = (client_id: string) => shownAppName(client_id, appNames) ?? shortId(client_id);
  const api = (audience: string | null) =>
    audience === null ? '' : (resourceName(audience) ?? visible(audience));
  const from = (one: { from?: string }) => (one.from === undefined ? '' : `from ${visible(one.from)}`);
  const home = byId.get(event.accounts[0]?.id ?? '')?.tenants[0]?.realm.toLowerCase();
  /** The tenant, unless it is the account's home tenant. */
  const tenant = ({ realm }: { realm?: string }) =>
    realm === undefined || realm.toLowerCase() === home ? '' : tenantName(realm, tenants);
  const joined = (parts: readonly string[]) => parts.filter((part) => part !== '').join(' · ');
  switch (event.kind) {
    case 'sign-in':
      return {
        title: `Signed in with ${app(event.client_id)}`,
        detail: joined([
          event.way === 'browser' ? 'Authorization code with PKCE' : 'Device code',
          visible(event.provider),
        ]),
      };
    case 'refresh': {
      const apis = event.apis.map(api);
      const one = event.tokens === 1 && apis.length === 1;
      const until = event.until === null ? '' : `valid until ${shortTime(event.until, now, timeZone)}`;
      return {
        title: one ? `Refreshed ${apis[0]}` : `Refreshed ${count(event.tokens, 'access token')}`,
        detail: joined([
          one ? event.client_ids.map(app).join(', ') : listing(apis, 4),
          listing((event.realms ?? []).map((realm) => tenant({ realm })).filter(Boolean), 2),
          event.automatic ? 'auto-refresh' : '',
          until,
        ]),
      };
    }
    case 'refused':
      return {
        title: `Refresh refused by ${visible(event.provider)}`,
        detail: joined([
          event.client_id === '' ? '' : app(event.client_id),
          visible(event.code ?? 'no error code'),
          REFUSED[event.reason],
        ]),
      };
    case 'reveal':
      return {
        title: `Showed ${TOKEN[event.token]}`,
        detail: joined([api(event.api), tenant(event), app(event.client_id), from(event)]),
      };
    case 'copy':
      return {
        title: event.form === 'token' ? `${COPIED.token} ${TOKEN[event.token]}` : COPIED[event.form],
        detail: joined([
          api(event.api),
          tenant(event),
          app(event.client_id),
          from(event),
          'clipboard cleared after 30 s',
        ]),
      };
    case 'removal':
      return {
        title: `Removed ${count(event.tokens, 'token')}`,
        detail: joined([event.api === null ? '' : api(event.api), tenant(event), app(event.client_id)]),
      };
    case 'sign-out':
      return { title: 'Signed out', detail: `${count(event.tokens, 'token')} removed` };
    case 'import':
      return {
        title: `Imported ${count(accountsOf(event), 'account')}`,
        detail: joined([visible(event.file), `${count(event.tokensAdded, 'token')} added`]),
      };
    case 'export':
      return {
        title: 'Exported the vault',
        detail: joined([visible(event.file), count(event.accountsExported, 'account')]),
      };
    case 'rotation':
      return { title: 'Rotated the encryption key', detail: 'Older copies of the file can’t be opened' };
    case 'repair':
      return {
        title: event.undo ? 'Undid a repair' : 'Repaired the cache',
        detail: count(event.entries, 'entry', 'entries'),
      };
    case 'cleared':
      return { title: 'Activity cleared', detail: 'Everything before was removed' };
  }
}

function receiptRow(report: SignOutReport): ActivityRow {
  const { id, at, receipts, revoked, places } = report;
  const all = report.names.length > 0 ? report.names : receipts.map(({ account }) => account);
  const names = all.map((name) => visible(name));
  const accounts = Math.max(names.length, receipts.length);
  const still = stillSignedIn(report).map(({ name }) => name);
  const removed = addCounts(receipts.map((receipt) => receipt.removed));
  const tokens = removed.AccessToken + removed.RefreshToken + removed.IdToken;
  const key = receipts.find(({ oldKey }) => oldKey !== undefined)?.oldKey;
  const parts = [
    'Receipt',
    ...(still.length > 0 ? [`still signed in: ${still.join(', ')}`] : []),
    ...(receipts.length > 0 || places.length === 0 ? [`${count(tokens, 'token')} removed`] : []),
    ...(revoked !== null && revoked.count > 0 ? [`${count(revoked.count, 'refresh token')} revoked`] : []),
    ...(revoked?.pending ? ['revocation pending'] : []),
    ...(revoked !== null && revoked.problem !== null && revoked.pending === 0 ? ['not revoked'] : []),
    ...(key === undefined ? [] : [key === 'destroyed' ? 'old key destroyed' : 'old key pending']),
  ];
  return {
    id: `receipt ${id}`,
    at,
    kind: 'receipts',
    what: 'sign-out',
    title: capitalized(placesText(report) ?? 'signed out'),
    detail: parts.join(' · '),
    who: accounts > 1 ? count(accounts, 'account') : (names[0] ?? ''),
    names,
    unnamed: 0,
    accountIds: [],
    report,
  };
}

export interface ActivityFilters {
  /** null: all. */
  kind: ActivityKind | null;
  /** A name, because a removed account has no other. */
  name: string | null;
  /** Number of days; null: 90. */
  days: number | null;
}

export const NO_ACTIVITY_FILTERS: ActivityFilters = { kind: null, name: null, days: null };

/** Returns the rows that pass the filters, and the number by kind of those that pass the other filters. */
export function filteredActivity(
  rows: readonly ActivityRow[],
  { kind, name, days }: ActivityFilters,
  now: number,
): { rows: ActivityRow[]; counts: ReadonlyMap<ActivityKind, number>; all: number } {
  const passing = rows.filter(
    (row) =>
      (name === null || row.names.includes(name)) && (days === null || row.at > now - days * 24 * 3600),
  );
  const counts = new Map<ActivityKind, number>();
  for (const row of passing) counts.set(row.kind, (counts.get(row.kind) ?? 0) + 1);
  return {
    rows: kind === null ? passing : passing.filter((row) => row.kind === kind),
    counts,
    all: passing.length,
  };
}

/** Names of the accounts in these rows, most active first. */
export function activityNames(rows: readonly ActivityRow[]): { id: string; name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { names } of rows)
    for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, n]) => ({ id: name, name, count: n }))
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name, 'en'));
}

export interface ActivityDay {
  title: string;
  rows: ActivityRow[];
}

/** Groups rows by local day. */
export function activityDays(rows: readonly ActivityRow[], now: number, timeZone?: string): ActivityDay[] {
  const days: ActivityDay[] = [];
  for (const row of rows) {
    const title = dayTitle(row.at, now, timeZone);
    // A time in the future may stand between two rows of one day.
    const day = days.find((one) => one.title === title);
    if (day === undefined) days.push({ title, rows: [row] });
    else day.rows.push(row);
  }
  return days;
}

/** As many names as a tooltip has room for: "Ada Marsh, Ben Okoro (2 accounts) and 18 more". */
export function firstNames({ names, unnamed }: Pick<ActivityRow, 'names' | 'unnamed'>): string {
  const counted = countedNames(names);
  return listing(counted.slice(0, 12), 12, counted.length + unnamed);
}

/** "Ada Marsh, Ben Okoro (2 accounts), 18 more". */
const allNames = ({ names, unnamed }: Pick<ActivityRow, 'names' | 'unnamed'>): string =>
  [...countedNames(names), ...(unnamed > 0 ? [`${number(unnamed)} more`] : [])].join(', ');

/** Each name once: one user name can be of several accounts, in different tenants. */
function countedNames(names: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times].map(([name, n]) => (n === 1 ? name : `${name} (${count(n, 'account')})`));
}

/** The rows as tab-separated text. */
export function activityText(rows: readonly ActivityRow[]): string {
  const lines = rows.map((row) => [isoTime(row.at), row.title, row.detail, allNames(row)]);
  return tabbedText([['Time', 'Event', 'Details', 'Account'], ...lines.map((cells) => cells.map(plainCell))]);
}

/** One place of a sign-out. */
export interface ReceiptPlace {
  says: string;
  value: string;
  tone: 'ok' | 'bad' | 'plain';
}

/** Returns the rows of a receipt: the places, the key, other copies, and what the provider was asked to do. */
export function receiptPlaces(report: SignOutReport): ReceiptPlace[] {
  const { removed, remaining, oldKey } = receiptSums(report.receipts);
  const what = removals(removed);
  const vault = report.receipts.length > 0 || report.places.length === 0;
  return [
    ...stillSignedIn(report).map(({ name, says: why }) => ({
      says: name,
      value: `Still signed in. ${why}`,
      tone: 'bad' as const,
    })),
    ...(vault
      ? [
          {
            says: 'This vault',
            value: what.length === 0 ? 'Nothing to remove' : `${listing(what)} removed`,
            tone: remaining === 0 ? ('ok' as const) : ('bad' as const),
          },
        ]
      : []),
    ...report.places
      .filter(({ result }) => result === 'signed-out')
      .map(({ name, says: how }) => ({ says: name, value: how, tone: 'ok' as const })),
    ...report.places
      .filter(({ result }) => result === 'not-confirmed')
      .map(({ name, says: how }) => ({ says: name, value: `Not confirmed. ${how}`, tone: 'plain' as const })),
    ...(oldKey === null ? [] : [oldKey]),
    ...ownCopyLines(report),
    ...providerResultLines(report),
  ];
}

/** The receipt as text, for a ticket or a mail. What others wrote, such as the name of a file, can't add a line. */
export function receiptText(report: SignOutReport, now: number, timeZone?: string): string {
  return [
    `${capitalized(placesText(report) ?? 'signed out')}: ${listing(countedNames(receiptRow(report).names))}`,
    `When: ${localTime(report.at, now, timeZone)} (${isoTime(report.at)})`,
    ...receiptPlaces(report).map(({ says: place, value }) => `${place}: ${value}`),
  ]
    .map(visible)
    .join('\n');
}

export const rowTime = (row: ActivityRow, timeZone?: string): string => clockTime(row.at, timeZone);
