import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { EXPIRED, expiryShown, keptStatus, STATUSES, type StatusId, statusId } from './accountStatus.ts';
import type { Accounts } from './accounts.ts';
import { providerOf } from '../../src-main/cache/shown-names.ts';
import { accountName, compareNames, homeTenant, tenantIds, type TenantNames, tenantName } from './groups.ts';
import { kept } from './kept.ts';
import type { Ports } from './ports.ts';
import { shownAppName } from './search.ts';
import type { NamedUser } from './sources.ts';
import { createStore, type Store } from './store.ts';
import { csvText, plainCell, shortId, tabbedText, visible } from './text.ts';
import { dayOrTime, isoTime, relative } from './time.ts';
import { inTurns } from './turns.ts';
import { number } from './words.ts';

/** From this many accounts on, the Accounts page starts with the overview. */
export const OVERVIEW_FROM = 6;

/** Whether there are enough accounts for an overview: users, not apps. */
export function isLarge(byId: ReadonlyMap<string, AccountItem>): boolean {
  let users = 0;
  for (const { kind } of byId.values()) {
    if (kind === 'user') users += 1;
    if (users >= OVERVIEW_FROM) return true;
  }
  return false;
}

export type OverviewColumn = 'account' | 'tenant' | 'status' | 'expiry';

export interface OverviewOrder {
  column: OverviewColumn;
  direction: 'ascending' | 'descending';
}

/** null: no filter. */
export interface OverviewFilters {
  status: StatusId | null;
  /** Client ID. */
  app: string | null;
  /** Tenant ID in lower case. */
  tenant: string | null;
  /** `vault`, or the ID of an opened cache of another program. */
  place: string | null;
}

export interface OverviewView {
  /** null until the first list has been loaded. */
  isOpen: boolean | null;
  filters: OverviewFilters;
  order: OverviewOrder;
  /** The row that the keyboard acts on. */
  activeId: string | null;
  selected: ReadonlySet<string>;
}

export interface Overview {
  view: Store<OverviewView>;
  open: () => void;
  /** Leaves the overview for one account. */
  close: () => void;
  filter: (changes: Partial<OverviewFilters>) => void;
  sort: (column: OverviewColumn) => void;
  activate: (id: string) => void;
  /** Adds accounts to the selection or removes them. */
  select: (ids: readonly string[], on: boolean) => void;
  /** Sets the account at which `selectTo` begins; before that, it begins at the first row. */
  anchor: (id: string) => void;
  /**
   * Adds the rows from the anchor's to this one. Adds only this one, and anchors it, if the anchor is not among the rows any more.
   *
   * @param rowOf index of each row by ID
   */
  selectTo: (rows: readonly AccountItem[], rowOf: ReadonlyMap<string, number>, at: number) => void;
  clear: () => void;
}

const NO_FILTERS: OverviewFilters = { status: null, app: null, tenant: null, place: null };

/** The table of all accounts: filters, order and selection. */
export function createOverview(_ports: Ports, accounts: Accounts): Overview {
  const view = createStore<OverviewView>({
    isOpen: null,
    filters: NO_FILTERS,
    order: { column: 'status', direction: 'ascending' },
    activeId: null,
    selected: new Set(),
  });
  const patch = (changes: Partial<OverviewView>) => view.set({ ...view.get(), ...changes });
  /** An ID rather than an index, because filters, order and accounts change. */
  let anchorId: string | null = null;

  let known = accounts.view.get().byId;
  accounts.view.subscribe(() => {
    const { byId } = accounts.view.get();
    if (byId === known) return;
    known = byId;
    const { isOpen, selected, activeId } = view.get();
    const left = [...selected].filter((id) => byId.has(id));
    patch({
      // The first list decides whether the table is open, later the user. An empty table is not shown.
      isOpen: byId.size === 0 ? null : (isOpen ?? isLarge(byId)),
      ...(left.length === selected.size ? {} : { selected: new Set(left) }),
      ...(activeId === null || byId.has(activeId) ? {} : { activeId: null }),
    });
  });

  const overview: Overview = {
    view,
    open: () => patch({ isOpen: true }),
    close() {
      anchorId = null;
      patch({ isOpen: false });
    },
    filter: (changes) => patch({ filters: { ...view.get().filters, ...changes } }),
    sort(column) {
      const { order } = view.get();
      const turn = order.column === column && order.direction === 'ascending';
      patch({ order: { column, direction: turn ? 'descending' : 'ascending' } });
    },
    activate: (activeId) => patch({ activeId }),
    select(ids, on) {
      const selected = new Set(view.get().selected);
      for (const id of ids) {
        if (on) selected.add(id);
        else selected.delete(id);
      }
      patch({ selected });
    },
    anchor: (id) => void (anchorId = id),
    selectTo(rows, rowOf, at) {
      anchorId ??= rows[0]?.id ?? null;
      const from = rowOf.get(anchorId ?? '');
      if (from === undefined) anchorId = rows[at]?.id ?? null;
      const [first, last] = from === undefined ? [at, at] : [Math.min(from, at), Math.max(from, at)];
      overview.select(
        rows.slice(first, last + 1).map(({ id }) => id),
        true,
      );
    },
    clear: () => patch({ selected: new Set() }),
  };
  return overview;
}

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** The accounts that pass the filters, in the same order. */
export const filteredAccounts = kept(
  (
    all: readonly AccountItem[],
    { status, app, tenant, place }: OverviewFilters,
    now: number,
  ): readonly AccountItem[] =>
    all.filter(
      (account) =>
        (status === null || statusId(account, now) === status) &&
        (place === null || account.places.includes(place)) &&
        (app === null || account.clients.includes(app)) &&
        (tenant === null || tenantIds(account).includes(tenant)),
    ),
);

/** The accounts that a search found, in the order of all accounts. */
export const foundAccounts = kept(
  (sorted: readonly AccountItem[], found: readonly AccountItem[]): readonly AccountItem[] => {
    if (found.length === sorted.length) return sorted;
    const isFound = new Set(found);
    return sorted.filter((account) => isFound.has(account));
  },
);

/** Index of each row by the ID of its account. */
export const rowIndexes = kept(
  (rows: readonly AccountItem[]): ReadonlyMap<string, number> => new Map(rows.map(({ id }, at) => [id, at])),
);

/** The accounts by name. Comparing 10,000 names takes as long as drawing the table. */
const named = kept((all: readonly AccountItem[]) => all.toSorted(compareNames));

/**
 * The accounts in order; those with the same value by name. All accounts are sorted, and then searched and filtered: sorting 10,000 for each
 * letter or choice would stop the window.
 */
export const sortedAccounts = kept(
  (
    all: readonly AccountItem[],
    { column, direction }: OverviewOrder,
    tenants: TenantNames,
    now: number,
  ): readonly AccountItem[] => {
    const sign = direction === 'ascending' ? 1 : -1;
    if (column === 'account') return sign === 1 ? named(all) : named(all).toReversed();
    if (column === 'tenant')
      return byValue(
        all,
        (account) => homeTenant(account, tenants),
        (a, b) => sign * collator.compare(a, b),
      );
    if (column === 'status')
      return byValue(
        all,
        (account) => STATUSES.indexOf(statusId(account, now)),
        (a, b) => sign * (a - b),
      );
    // Accounts without an expiry come last in both directions.
    return byValue(
      all,
      (account) => expiryShown(account, now)?.at ?? Infinity,
      (a, b) => (a === b ? 0 : a === Infinity ? 1 : b === Infinity ? -1 : sign * (a - b)),
    );
  },
);

/** Sorts accounts by a value, and by name where it is the same. Compares each value once, not for every account that has it. */
function byValue<Value>(
  all: readonly AccountItem[],
  valueOf: (account: AccountItem) => Value,
  compare: (a: Value, b: Value) => number,
): AccountItem[] {
  const having = new Map<Value, AccountItem[]>();
  for (const account of named(all)) {
    const value = valueOf(account);
    const others = having.get(value);
    if (others === undefined) having.set(value, [account]);
    else others.push(account);
  }
  return [...having].sort(([a], [b]) => compare(a, b)).flatMap(([, accounts]) => accounts);
}

/**
 * "3 selected, 2 of them not shown": actions apply to accounts that a search or a filter hides, too.
 *
 * @param rows IDs of the accounts that are shown
 */
export function selectionText(
  selected: readonly AccountItem[],
  rows: Pick<ReadonlySet<string>, 'has'>,
): string {
  const hidden = selected.filter(({ id }) => !rows.has(id)).length;
  const text = `${number(selected.length)} selected`;
  if (hidden === 0) return text;
  return hidden === selected.length ? `${text}, not shown` : `${text}, ${number(hidden)} of them not shown`;
}

/** Number of accounts by status. */
export const statusCounts = kept(
  (all: readonly AccountItem[], now: number): ReadonlyMap<StatusId, number> => {
    const counts = new Map<StatusId, number>(STATUSES.map((id) => [id, 0]));
    for (const account of all) {
      const id = statusId(account, now);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  },
);

/** Labels of the filter chips. */
export const STATUS_LABELS: Readonly<Record<StatusId, string>> = {
  'needs-sign-in': 'Needs sign-in',
  until: 'Can’t renew',
  unknown: 'Unknown',
  active: 'Active',
};

export interface Choice {
  id: string;
  name: string;
  count: number;
}

/** The apps of these accounts, most used first. */
export const appChoices = kept((all: readonly AccountItem[], appNames: ReadonlyMap<string, string>) =>
  choices(
    all,
    ({ clients }) => clients,
    (id) => appLabel(id, appNames),
  ),
);

/** The tenants of these accounts, at home or as a guest, and the providers without tenants, most used first. */
export const tenantChoices = kept((all: readonly AccountItem[], tenants: TenantNames) => {
  const hosts = new Set(all.map((account) => providerOf(account)));
  return choices(all, tenantIds, (id) =>
    hosts.has(id) && !tenants.has(id) ? visible(id) : tenantName(id, tenants),
  );
});

function choices(
  all: readonly AccountItem[],
  idsOf: (account: AccountItem) => readonly string[],
  nameOf: (id: string) => string,
): Choice[] {
  const counts = new Map<string, number>();
  for (const account of all) {
    const ids = idsOf(account);
    for (const id of ids.length > 1 ? new Set(ids) : ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...counts]
    .filter(([id]) => id !== '')
    .map(([id, count]) => ({ id, name: nameOf(id), count }))
    .sort((a, b) => b.count - a.count || collator.compare(a.name, b.name) || collator.compare(a.id, b.id));
}

export function appLabel(clientId: string, appNames: ReadonlyMap<string, string>): string {
  return shownAppName(clientId, appNames) ?? shortId(clientId);
}

/** Number of tenants in which the accounts are at home or guests. A provider without tenants counts as one. */
export const tenantCount = kept(
  (byId: ReadonlyMap<string, AccountItem>, tenants: TenantNames): number =>
    new Set(
      [...byId.values()].flatMap((account) => [
        homeTenant(account, tenants),
        ...guestTenants(account, tenants),
      ]),
    ).size,
);

/** Names of the tenants in which the account is a guest. */
export function guestTenants({ kind, tenants: all }: AccountItem, tenants: TenantNames): string[] {
  return kind === 'user' ? all.slice(1).map(({ realm }) => tenantName(realm, tenants)) : [];
}

/** When the next access token expires: "in 12 min", "14:19". */
export function nextExpiry(
  account: AccountItem,
  now: number,
  timeZone?: string,
): { text: string; detail: string } {
  const shown = expiryShown(account, now);
  if (shown === null) return { text: '–', detail: '' };
  return {
    text: shown.isPast ? EXPIRED : relative(shown.at, now),
    detail: dayOrTime(shown.at, now, timeZone),
  };
}

/** The contents of a copied or saved list. */
export interface Listed {
  accounts: readonly AccountItem[];
  /** Users that only programs name. */
  named: readonly NamedUser[];
  tenants: TenantNames;
  appNames: ReadonlyMap<string, string>;
  /** Returns the names of the sources of an account. */
  places: (account: AccountItem) => readonly string[];
}

/** What lets the window take input while a list is made. */
type Turns = Pick<Ports['time'], 'spent' | 'turn'>;

/** The list as tab-separated text, without tokens. */
export async function listText(listed: Listed, now: number, time: Turns): Promise<string> {
  return tabbedText(await listCells(listed, now, time));
}

/** The list as a CSV file, without tokens. */
export async function listFile(listed: Listed, now: number, time: Turns): Promise<string> {
  return csvText(await listCells(listed, now, time));
}

async function listCells(
  { accounts, named, tenants, appNames, places }: Listed,
  now: number,
  time: Turns,
): Promise<string[][]> {
  const lines: string[][] = [];
  const add = (cells: string[]) => lines.push(cells.map(plainCell));
  add(['Account', 'Username', 'Home tenant', 'Also in', 'Apps', 'Status', 'Next expiry', 'Source']);
  await inTurns(accounts, time, (account) => {
    add([
      accountName(account),
      account.username,
      homeTenant(account, tenants),
      guestTenants(account, tenants).join(', '),
      account.clients.map((id) => appLabel(id, appNames)).join(', '),
      keptStatus(account, now),
      account.nextExpiry === null ? '' : isoTime(account.nextExpiry),
      places(account).join(', '),
    ]);
  });
  for (const { name, at, programs } of named) {
    const from = programs.map((program) => program.name).join(', ');
    add([name, name, at.join(', '), '', '', 'Named by its program', '', from]);
  }
  return lines;
}
