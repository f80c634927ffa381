import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
} from 'react';
import { Button } from 'react-aria-components';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { copyText } from '../bridge.ts';
import { NoMatch } from '../parts/AccountList.tsx';
import { Action, Progress } from '../parts/Action.tsx';
import { ChoiceChip } from '../parts/ChoiceChip.tsx';
import { useDrawn, useModel, useNamedUsers, useSeen, useStore, useTimed } from '../parts/hooks.ts';
import { Avatar, Icon } from '../parts/Icon.tsx';
import { NamedSignIns, SourceHead } from '../parts/SourceHead.tsx';
import { PlaceBadges, SourceList, useAccountPlaces } from '../parts/SourceList.tsx';
import { Highlight } from '../parts/text.tsx';
import { accountStatus, STATUSES } from '../state/accountStatus.ts';
import {
  accountDetail,
  accountName,
  accountsIn,
  APP_ROW,
  hasTenants,
  homeTenant,
  nameWithRealm,
  type TenantNames,
} from '../state/groups.ts';
import {
  appChoices,
  appLabel,
  filteredAccounts,
  foundAccounts,
  guestTenants,
  listFile,
  listText,
  nextExpiry,
  type OverviewColumn,
  rowIndexes,
  selectionText,
  sortedAccounts,
  STATUS_LABELS,
  statusCounts,
  tenantCount,
  tenantChoices,
} from '../state/overview.ts';
import { isCommand, isShortcut } from '../state/platform.ts';
import { refreshable } from '../state/refreshStatus.ts';
import { DRAWN_WHOLE, moved } from '../state/rows.ts';
import { type NamedUser, namedUserPlace, placesOf } from '../state/sources.ts';
import { visible } from '../state/text.ts';
import { changesAt } from '../state/time.ts';
import { count, listing, number } from '../state/words.ts';

/** Pixels, the same as in overview.css. */
const ROW_HEIGHT = 44;
const HEAD_HEIGHT = 31;
/** Rows drawn above and below the visible ones: as many as a wheel scrolls at once. */
const AROUND = 3;

const COLUMNS: readonly { id: OverviewColumn | null; title: string; name: string }[] = [
  { id: 'account', title: 'Account', name: 'account' },
  { id: 'tenant', title: 'Home tenant', name: 'tenant' },
  { id: null, title: 'Also in', name: 'guest' },
  { id: null, title: 'Apps', name: 'apps' },
  { id: 'status', title: 'Status', name: 'status' },
  { id: 'expiry', title: 'Next expiry', name: 'expiry' },
  { id: null, title: 'Source', name: 'source' },
];

/** All accounts as a table: who is signed in, where, and until when. Until a long list is loaded, only its first accounts. */
export function OverviewPage() {
  const { accounts, dialogs, overview, ports, sources, toasts } = useModel();
  // Each part is read separately, because a typed letter changes none of them.
  const groups = useStore(accounts.view, (view) => view.groups);
  const shown = useStore(accounts.view, (view) => view.shown);
  const byId = useStore(accounts.view, (view) => view.byId);
  const first = useStore(accounts.view, (view) => view.first);
  const { tenants, appNames } = useNames();
  const searched = useStore(accounts.view, (view) => view.text.trim() !== '');
  const { filters, order, selected } = useStore(overview.view);
  // Order and filters are updated once a minute, texts exactly when they change.
  const now = useTimed((at) => {
    changesAt((Math.floor(at / 60) + 1) * 60, at);
    return at;
  });
  const all = accountsIn(shown);
  const placed = useMemo(
    () => (filters.place === null ? all : all.filter(({ places: its }) => its.includes(filters.place ?? ''))),
    [all, filters.place],
  );
  // The rows and the counts of the chips use the same time.
  const minute = Math.floor(now / 60) * 60 + 59;
  const sorted = sortedAccounts(accountsIn(groups), order, tenants, minute);
  const rows = first?.first ?? filteredAccounts(foundAccounts(sorted, all), filters, minute);
  const rowOf = rowIndexes(rows);
  const size = first?.size ?? rows.length;
  useEffect(() => void accounts.nameApps(), [accounts, byId]);
  const items = useStore(sources.view, (view) => view.items);
  const { place } = filters;
  const source = items.find(({ id }) => id === place) ?? null;
  const unknown = place !== null && place !== 'vault' && source === null;
  useEffect(() => {
    if (unknown) overview.filter({ place: null });
  }, [overview, unknown]);
  const save = async () => {
    const answer = await ports.app.saveList(await listFile(list, now, ports.time));
    if (!answer.ok) dialogs.fail('The list could not be saved', answer.error);
    else if (answer.value !== null)
      toasts.show(`${listed} saved to ${visible(answer.value)}, without tokens.`);
  };
  const copy = async () => {
    const copied = copyText(await listText(list, now, ports.time));
    toasts.show(copied ? `${listed} copied, without tokens.` : 'The list could not be copied.');
  };
  const filtered =
    filters.status !== null || filters.app !== null || filters.tenant !== null || filters.place !== null;
  const { all: everyNamed, found } = useNamedUsers();
  const named = filtered ? [] : found;
  const placeNames = new Map([['vault', 'This vault'], ...items.map(({ id, name }) => [id, name] as const)]);
  const list = {
    accounts: rows,
    named,
    tenants,
    appNames,
    places: (one: AccountItem) => placesOf(one, items).map((id) => placeNames.get(id) ?? ''),
  };
  const listed = count(rows.length + named.length, 'account');
  return (
    <main className="overview-frame">
      <nav className="accounts sources-column" aria-label="Sources">
        <SourceList withAll />
      </nav>
      <div className="overview">
        {first !== null && (
          <div className="list-loading">
            <Progress says="Loading all accounts" />
          </div>
        )}
        {source !== null ? (
          <SourceHead item={source} />
        ) : (
          <div className="overview-head">
            <h1>{place === 'vault' ? 'This vault' : 'Accounts'}</h1>
            <span className="overview-sum">
              {first !== null
                ? count(size, 'account')
                : place === null
                  ? `${number(byId.size)} in ${count(tenantCount(byId, tenants), 'tenant')}${everyNamed.length === 0 ? '' : `, ${number(everyNamed.length)} named by programs`}`
                  : count(rows.length, 'account')}
            </span>
            {filters.tenant !== null && rows.some(hasTenants) && (
              <Action
                kind="quiet"
                onPress={() => dialogs.open({ kind: 'tenant-name', realm: filters.tenant ?? '' })}
              >
                Name tenant…
              </Action>
            )}
            <Action kind="quiet" isDisabled={first !== null} onPress={() => void save()}>
              Save list…
            </Action>
            <Action kind="quiet" isDisabled={first !== null} onPress={() => void copy()}>
              Copy list
            </Action>
          </div>
        )}
        {source !== null && source.names.length > 0 ? (
          <NamedSignIns item={source} />
        ) : source !== null && source.accounts === 0 ? null : (
          <>
            <Filters all={placed} now={minute} />
            {rows.length > 0 ? (
              <Table rows={rows} rowOf={rowOf} size={size} />
            ) : named.length > 0 ? null : searched && all.length === 0 ? (
              <NoMatch />
            ) : (
              <div className="no-match">
                <p role="status">No account matches the filters.</p>
              </div>
            )}
            {rows.length === 0 && filtered && (
              <div className="no-match">
                <Action
                  onPress={() => overview.filter({ status: null, app: null, tenant: null, place: null })}
                >
                  Clear filters
                </Action>
              </div>
            )}
          </>
        )}
        <NamedUsers users={named} />
        {selected.size > 0 && first === null && <SelectionBar rowOf={rowOf} />}
      </div>
    </main>
  );
}

/** Users that only programs name, below the table of accounts. */
function NamedUsers({ users }: { users: readonly NamedUser[] }) {
  const { overview } = useModel();
  if (users.length === 0) return null;
  return (
    <section className="named-users" aria-label="Named by programs">
      <h2>Also signed in</h2>
      <p className="note">Named by their programs. Tokenkeep doesn’t read these tokens.</p>
      <ul>
        {users.map((user, index) => (
          <li key={`${String(index)} ${user.name}`}>
            <button type="button" onClick={() => overview.filter({ place: user.programs[0]?.id ?? null })}>
              <span>
                <Highlight>{visible(user.name)}</Highlight>
              </span>
              <span className="second">
                <Highlight>{namedUserPlace(user)}</Highlight>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The names of tenants and apps. */
function useNames() {
  const { accounts } = useModel();
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const appNames = useStore(accounts.view, (view) => view.appNames);
  return { tenants, appNames };
}

function Filters({ all, now }: { all: readonly AccountItem[]; now: number }) {
  const { accounts, overview, sources } = useModel();
  const items = useStore(sources.view, (view) => view.items);
  const { filters } = useStore(overview.view);
  const { tenants, appNames } = useNames();
  const byId = useStore(accounts.view, (view) => view.byId);
  const first = useStore(accounts.view, (view) => view.first);
  const counts =
    first === null ? statusCounts(all, now) : new Map(STATUSES.map((id) => [id, first.statuses[id]]));
  const chip = (status: (typeof STATUSES)[number] | null, label: string, n: number) => (
    <Button
      key={label}
      className="chip"
      aria-pressed={filters.status === status}
      onPress={() => overview.filter({ status })}
    >
      {label} <span className="chip-count">{number(n)}</span>
    </Button>
  );
  return (
    <div className="filters" role="group" aria-label="Filters">
      {chip(null, 'All', first?.size ?? all.length)}
      {STATUSES.filter((id) => id !== 'active').map((id) => {
        const n = counts.get(id) ?? 0;
        return n > 0 || filters.status === id ? chip(id, STATUS_LABELS[id], n) : null;
      })}
      <span className="filter-divider" />
      <ChoiceChip
        label="App"
        every="All apps"
        chosen={filters.app}
        choices={() => appChoices(all, appNames)}
        nameOf={(id) => appLabel(id, appNames)}
        onChoose={(app) => overview.filter({ app })}
      />
      <ChoiceChip
        label="Tenant"
        every="All tenants"
        chosen={filters.tenant}
        choices={() => tenantChoices(all, tenants)}
        nameOf={(id) => tenants.get(id) ?? visible(id)}
        onChoose={(tenant) => overview.filter({ tenant })}
      />
      {items.length > 0 && (
        <ChoiceChip
          label="Source"
          every="All sources"
          chosen={filters.place}
          choices={() =>
            [{ id: 'vault', name: 'This vault' }, ...items].map(({ id, name }) => ({
              id,
              name,
              count: [...byId.values()].filter(({ places }) => places.includes(id)).length,
            }))
          }
          nameOf={(id) =>
            id === 'vault' ? 'This vault' : visible(items.find((item) => item.id === id)?.name ?? '')
          }
          onChoose={(place) => overview.filter({ place })}
        />
      )}
    </div>
  );
}

/** The shown accounts by ID, each with its row. */
type RowOf = ReadonlyMap<string, number>;

/** @param size number of rows in the table; until the list is loaded, `rows` has only the first ones */
function Table({ rows, rowOf, size }: { rows: readonly AccountItem[]; rowOf: RowOf; size: number }) {
  const { overview, selection, vault } = useModel();
  const { order, activeId, selected } = useStore(overview.view);
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const found = rowOf.get(activeId ?? '') ?? -1;
  const index = found === -1 ? 0 : found;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || found === -1) return;
    const top = found * ROW_HEIGHT;
    const last = top + ROW_HEIGHT + HEAD_HEIGHT - element.clientHeight;
    element.scrollTop = Math.max(last, Math.min(top, element.scrollTop));
  }, [found]);

  const isWhole = rows.length === size;
  const show = (account: AccountItem) => {
    selection.account(account.id);
    overview.activate(account.id);
    overview.close();
  };
  const toggle = (at: number) => {
    const account = rows[at];
    if (account === undefined) return;
    overview.anchor(account.id);
    overview.activate(account.id);
    overview.select([account.id], !selected.has(account.id));
  };
  const press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.altKey) return;
    const { platform } = vault.view.get().info ?? {};
    const isModified = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor((seen.height - HEAD_HEIGHT) / ROW_HEIGHT) - 1);
    const account = rows[index];
    if (event.key === 'Enter' && account !== undefined) show(account);
    else if (event.key === ' ') toggle(index);
    else if (isShortcut('a', event, platform) && isWhole)
      overview.select(
        rows.map(({ id }) => id),
        true,
      );
    else if (event.key === 'Escape' && selected.size > 0) overview.clear();
    else {
      const to = isModified ? null : moved(event.key, found === -1 ? -1 : index, rows.length, page);
      const next = to === null ? undefined : rows[to];
      if (to === null || next === undefined) return;
      overview.activate(next.id);
      if (event.shiftKey) overview.selectTo(rows, rowOf, to);
      else overview.anchor(next.id);
    }
    event.preventDefault();
  };
  // One handler for the table, so that the props of its rows stay the same when it is rendered again.
  const click = (event: MouseEvent) => {
    const { target, shiftKey } = event;
    const row = target instanceof Element ? target.closest('[role="row"]') : null;
    const at = Number(row?.getAttribute('aria-rowindex') ?? 0) - 2;
    const account = rows[at];
    if (!(target instanceof Element) || account === undefined) return;
    const onCheck = target.closest('.check-cell') !== null;
    if (shiftKey) overview.selectTo(rows, rowOf, at);
    else if (onCheck || isCommand(event, vault.view.get().info?.platform)) toggle(at);
    else show(account);
  };

  const few = size <= DRAWN_WHOLE;
  const first = Math.max(0, Math.floor(seen.top / ROW_HEIGHT) - AROUND);
  const until = Math.ceil((seen.top + seen.height) / ROW_HEIGHT) + AROUND;
  const isDrawn = useDrawn(few ? rowOf : null);
  const from = few ? 0 : first;
  const drawn = rows
    .slice(from, few ? rows.length : until)
    .map((account, offset) => ({ account, at: from + offset }))
    .filter(({ account, at }) => (at >= first && at < until) || isDrawn.has(account.id));
  const active = rows[index];
  if (active !== undefined && !drawn.some(({ at }) => at === index))
    drawn.push({ account: active, at: index });
  const chosen = useMemo(() => [...selected].filter((id) => rowOf.has(id)).length, [rowOf, selected]);
  const everyone = chosen === rows.length;
  return (
    <div
      className="people"
      role="grid"
      aria-label="Accounts"
      aria-multiselectable="true"
      aria-rowcount={size + 1}
      aria-busy={!isWhole}
      aria-activedescendant={active === undefined ? undefined : `person-${String(index)}`}
      tabIndex={0}
      ref={box}
      onKeyDown={press}
    >
      <div role="rowgroup" className="people-head">
        <div role="row" className="people-columns" aria-rowindex={1}>
          <div role="columnheader" className="check-cell">
            <input
              type="checkbox"
              aria-label="Select all"
              checked={everyone}
              disabled={!isWhole}
              ref={(input) => {
                if (input !== null) input.indeterminate = !everyone && chosen > 0;
              }}
              onChange={() =>
                overview.select(
                  rows.map(({ id }) => id),
                  !everyone,
                )
              }
            />
          </div>
          {COLUMNS.map(({ id, title, name }) => (
            <div
              key={name}
              role="columnheader"
              className={`col-${name}`}
              {...(id === null ? {} : { 'aria-sort': order.column === id ? order.direction : 'none' })}
            >
              {id === null ? (
                title
              ) : (
                <button type="button" onClick={() => overview.sort(id)}>
                  {title}
                  <span className="sort" aria-hidden="true">
                    {order.column !== id ? '' : order.direction === 'ascending' ? '↑' : '↓'}
                  </span>
                </button>
              )}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="people-rows" style={{ height: size * ROW_HEIGHT }} onClick={click}>
        {drawn.map(({ account, at }) => (
          <Person
            key={account.id}
            account={account}
            index={at}
            isSelected={selected.has(account.id)}
            isActive={at === index}
          />
        ))}
      </div>
    </div>
  );
}

const Person = memo(function Person({
  account,
  index,
  isSelected,
  isActive,
}: {
  account: AccountItem;
  index: number;
  isSelected: boolean;
  isActive: boolean;
}) {
  const { tenants, appNames } = useNames();
  const status = useTimed((now) => accountStatus(account, now));
  const expiry = useTimed((now) => nextExpiry(account, now));
  const guest = guestTenants(account, tenants);
  const apps = account.clients.map((id) => appLabel(id, appNames));
  const places = useAccountPlaces(account);
  return (
    <div
      role="row"
      id={`person-${String(index)}`}
      className="person people-columns"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-active={isActive}
      style={{ top: index * ROW_HEIGHT }}
    >
      <div role="gridcell" className="check-cell">
        <span className="check" data-on={isSelected} aria-hidden="true">
          {isSelected && <Icon name="check" size={12} />}
        </span>
      </div>
      <div role="rowheader" className="col-account" title={accountTitle(account, tenants)}>
        <Avatar account={account} />
        <span className="two-lines">
          <span>
            <Highlight>{visible(accountName(account))}</Highlight>
          </span>
          <span className="second">
            {account.kind === 'app' ? (
              <Highlight>{APP_ROW}</Highlight>
            ) : (
              <Highlight>{visible(accountDetail(account, tenants))}</Highlight>
            )}
          </span>
        </span>
      </div>
      <Cell name="tenant" texts={[homeTenant(account, tenants)]} />
      <Cell name="guest" texts={guest} />
      <Cell name="apps" texts={apps} />
      <div role="gridcell" className="col-status">
        <span className="person-status">
          <span className="dot" data-tone={status.tone} />
          <Highlight>{status.title}</Highlight>
        </span>
        <span className="second">
          <Highlight>{status.detail}</Highlight>
        </span>
      </div>
      <div role="gridcell" className="col-expiry">
        <span>
          <Highlight>{expiry.text}</Highlight>
        </span>
        <span className="second">{expiry.detail}</span>
      </div>
      <div role="gridcell" className="col-source">
        <PlaceBadges places={places} />
      </div>
    </div>
  );
});

/** Name and username, each of which may be cut off in the row. */
function accountTitle(account: AccountItem, tenants: TenantNames): string {
  const name = visible(accountName(account));
  const detail = account.kind === 'app' ? '' : visible(accountDetail(account, tenants));
  return detail === '' || detail === name ? name : `${name}, ${detail}`;
}

/** The first text, and how many more. */
function Cell({ name, texts }: { name: string; texts: readonly string[] }) {
  const [first] = texts;
  return (
    <div
      role="gridcell"
      className={`col-${name}`}
      title={texts.length === 0 ? undefined : listing(texts, 12)}
    >
      {first === undefined ? (
        <span className="nothing">–</span>
      ) : (
        <span>
          <Highlight>{first}</Highlight>
        </span>
      )}
      {texts.length > 1 && <span className="second">+{number(texts.length - 1)} more</span>}
    </div>
  );
}

/** Number of selected accounts that are named. */
const NAMED = 6;

function SelectionBar({ rowOf }: { rowOf: RowOf }) {
  const { accounts, overview, refreshStatus, signOut, vault } = useModel();
  const { selected } = useStore(overview.view);
  const byId = useStore(accounts.view, (view) => view.byId);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const refreshing = useStore(refreshStatus.several);
  const chosen = useMemo(() => [...selected].flatMap((id) => byId.get(id) ?? []), [selected, byId]);
  const says = useMemo(() => selectionText(chosen, rowOf), [chosen, rowOf]);
  const renewed = useMemo(() => (demo ? [] : refreshable(chosen)), [demo, chosen]); // sample data makes no requests
  return (
    <section className="selection" aria-label="Selection">
      <b role="status">{says}</b>
      <span className="selection-names">
        {listing(
          chosen.slice(0, NAMED).map((account) => visible(nameWithRealm(account))),
          NAMED,
          chosen.length,
        )}
      </span>
      {refreshing === null ? (
        <Action kind="quiet" onPress={overview.clear}>
          Clear
        </Action>
      ) : (
        <Action kind="quiet" onPress={refreshStatus.stop}>
          Stop
        </Action>
      )}
      {(renewed.length > 0 || refreshing !== null) && (
        <Action
          pending={
            refreshing === null
              ? null
              : `Refreshing ${number(refreshing.done + 1)} of ${number(refreshing.of)}…`
          }
          onPress={() => void refreshStatus.refreshSeveral(renewed.map(({ id }) => id))}
        >
          {`Refresh ${number(renewed.length)}`}
        </Action>
      )}
      <Action kind="danger-solid" onPress={() => void signOut.several([...selected])}>
        {`Sign out ${number(chosen.length)}…`}
      </Action>
    </section>
  );
}
