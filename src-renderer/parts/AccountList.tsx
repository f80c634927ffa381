import { type KeyboardEvent, memo, useLayoutEffect, useRef } from 'react';
import { Button } from 'react-aria-components';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountStatus, statusSentence } from '../state/accountStatus.ts';
import { accountDetail, accountName } from '../state/groups.ts';
import { isLarge } from '../state/overview.ts';
import {
  ACCOUNT_HEIGHT,
  beginningWith,
  DRAWN_WHOLE,
  layOut,
  moved,
  type Row,
  rowsWithin,
  scrolledTo,
} from '../state/rows.ts';
import { visible } from '../state/text.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { useDrawn, useModel, useNamedUsers, useSeen, useStore, useTimed } from './hooks.ts';
import { Avatar, Icon } from './Icon.tsx';
import { NamedRows, SourceList } from './SourceList.tsx';
import { Highlight, Message, UserText } from './text.tsx';

/** Milliseconds after which a typed letter starts a new search. */
const TYPING_PAUSE = 700;

/** Pixels rendered above and below the visible part: as much as a wheel scrolls at once. */
const AROUND = 130;

/**
 * The accounts by group, as a list box (WAI-ARIA, "Listbox Pattern"). Of many accounts, only the visible lines are
 * rendered. The list has the focus and names the active option, so that a key press costs the same with 10 and
 * 10,000 accounts.
 */
export function AccountList() {
  const { accounts, overview, sources } = useModel();
  const items = useStore(sources.view, (view) => view.items);
  const byId = useStore(accounts.view, (view) => view.byId);
  const large = isLarge(byId);
  const named = useNamedUsers();
  const searched = useStore(accounts.view, (view) => view.text.trim() !== '');
  const empty = useStore(accounts.view, (view) => view.shownCount === 0);
  return (
    <nav className="accounts" aria-label="Accounts">
      {(large || items.length > 0) && (
        <Button className="all-accounts" onPress={overview.open}>
          <Icon name="back" size={14} />
          All accounts <span>{number(byId.size + named.all.length)}</span>
        </Button>
      )}
      {!empty ? <List /> : named.found.length === 0 && <NoMatch />}
      {!large && <SourceList />}
      {large && searched && <NamedRows users={named.found} />}
    </nav>
  );
}

/** Replaces the list in a narrow window: buttons for all accounts and for the previous and next account. */
export function AccountBar() {
  const { accounts, overview, selection } = useModel();
  const shown = useStore(accounts.view, (view) => view.shown);
  const chosen = useStore(selection.view, (view) => view.accountId);
  const { found: named } = useNamedUsers();
  const list = layOut(shown);
  const index = (chosen === null ? undefined : list.indexes.get(chosen)) ?? -1;
  const step = (label: string, to: number) => {
    const row = list.accounts[to];
    return (
      <Button
        className="button icon-only"
        aria-label={label}
        isDisabled={row === undefined}
        onPress={() => {
          if (row !== undefined) selection.account(row.account.id);
        }}
      >
        <Icon name={to < index ? 'back' : 'forward'} size={14} />
      </Button>
    );
  };
  return (
    <nav className="account-bar" aria-label="Accounts">
      <Button className="all-accounts" onPress={overview.open}>
        <Icon name="back" size={14} />
        All accounts
      </Button>
      {list.accounts.length === 0 ? (
        named.length === 0 ? (
          <NoMatch />
        ) : (
          <span className="overview-sum">{`${number(named.length)} named by programs`}</span>
        )
      ) : (
        <>
          <span className="overview-sum">{`${number(index + 1)} of ${number(list.accounts.length)}`}</span>
          {step('Previous account', index - 1)}
          {step('Next account', index + 1)}
        </>
      )}
    </nav>
  );
}

function List() {
  const { accounts, selection, ports } = useModel();
  const shown = useStore(accounts.view, (view) => view.shown);
  const chosen = useStore(selection.view, (view) => view.accountId);
  const list = layOut(shown);
  const index = (chosen === null ? undefined : list.indexes.get(chosen)) ?? -1;
  const box = useRef<HTMLDivElement>(null);
  const typed = useRef({ text: '', at: 0 });
  const seen = useSeen(box);

  // Scrolls to the selected account, whatever selected it: a key, a sign-out, a search.
  useLayoutEffect(() => {
    const element = box.current;
    const row = list.accounts[index];
    if (element === null || row === undefined) return;
    element.scrollTop = scrolledTo(row, element.scrollTop, element.clientHeight);
  }, [list, index]);

  const go = (to: number | null) => {
    const row = to === null ? undefined : list.accounts[to];
    if (row !== undefined) selection.account(row.account.id);
    return row !== undefined;
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(seen.height / ACCOUNT_HEIGHT) - 1);
    let done = go(moved(event.key, index, list.accounts.length, page));
    if (!done && event.key.length === 1 && event.key !== ' ') {
      const now = ports.time.now();
      const again = now - typed.current.at < TYPING_PAUSE ? typed.current.text : '';
      typed.current = { text: again + event.key, at: now };
      done = go(beginningWith(list, typed.current.text, index));
    }
    if (done) event.preventDefault();
  };

  const near = rowsWithin(list, seen.top - AROUND, seen.height + 2 * AROUND);
  const few = list.rows.length <= DRAWN_WHOLE;
  const isDrawn = useDrawn(few ? list.indexes : null);
  const rows = few
    ? list.rows.filter((row) => row.kind === 'group' || isDrawn.has(row.account.id) || near.includes(row))
    : near;
  const drawn = withChosen(rows, list.accounts[index]);
  return (
    <div
      className="account-list"
      role="listbox"
      aria-label="Accounts"
      tabIndex={0}
      aria-activedescendant={index === -1 ? undefined : optionId(index)}
      ref={box}
      onKeyDown={press}
    >
      <div role="presentation" style={{ height: list.height }}>
        {byGroup(drawn).map(({ id, title, rows }) => (
          <div role="group" key={id} aria-label={title}>
            {rows.map((row) =>
              row.kind === 'group' ? (
                <GroupTitle key="title" row={row} />
              ) : (
                <AccountLine
                  key={row.account.id}
                  row={row}
                  chosen={row.index === index}
                  size={list.accounts.length}
                />
              ),
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Adds the selected row if it is out of view, because `aria-activedescendant` names it. */
function withChosen(rows: readonly Row[], chosen: Row | undefined): readonly Row[] {
  return chosen === undefined || rows.includes(chosen) ? rows : [...rows, chosen];
}

function byGroup(rows: readonly Row[]): { id: string; title: string; rows: Row[] }[] {
  const groups = new Map<string, { id: string; title: string; rows: Row[] }>();
  for (const row of rows) {
    const { id, title } = row.group;
    const group = groups.get(id) ?? { id, title, rows: [] };
    group.rows.push(row);
    groups.set(id, group);
  }
  return [...groups.values()];
}

/** Element ID of the option at that index, for `aria-activedescendant`. */
export function optionId(index: number): string {
  return `account-${String(index)}`;
}

export const AccountLine = memo(function AccountLine({
  row: { account, index, top },
  chosen,
  size,
}: {
  row: Extract<Row, { kind: 'account' }>;
  chosen: boolean;
  /** Number of accounts in the list. */
  size: number;
}) {
  const { accounts, selection } = useModel();
  const tenants = useStore(accounts.view, (view) => view.tenants);
  return (
    <div
      className="account-line"
      role="option"
      id={optionId(index)}
      aria-selected={chosen}
      aria-posinset={index + 1}
      aria-setsize={size}
      style={{ top }}
      onClick={() => selection.account(account.id)}
    >
      <Avatar account={account} />
      <span className="account-words">
        <span className="account-name">
          <Highlight>{visible(accountName(account))}</Highlight>
        </span>
        <span className="account-detail">
          <Highlight>{visible(accountDetail(account, tenants))}</Highlight>
        </span>
      </span>
      <StatusDot account={account} />
    </div>
  );
});

export function GroupTitle({ row: { group, top } }: { row: Extract<Row, { kind: 'group' }> }) {
  return (
    <div className="group" role="presentation" style={{ top }}>
      <span>{group.title}</span>
      {group.accounts.length > 1 && <span className="group-count">{number(group.accounts.length)}</span>}
    </div>
  );
}

/** The status dot. Each status has its own shape and color, and screen readers get the text. */
function StatusDot({ account }: { account: AccountItem }) {
  const status = useTimed((now) => accountStatus(account, now));
  const text = statusSentence(status);
  return (
    <span className="dot" data-tone={status.tone} title={text}>
      <span className="unseen">, {text}</span>
    </span>
  );
}

/** Shown instead of the list if a search finds nothing or fails. */
export function NoMatch() {
  const { accounts } = useModel();
  const { text, error } = useStore(accounts.view);
  return (
    <div className="no-match">
      {error !== null ? (
        <p role="alert">
          <Message>{error.message}</Message>
        </p>
      ) : (
        <p role="status">
          No account matches “<UserText>{text.trim()}</UserText>”.
        </p>
      )}
      <p>
        The search reads names, tenants, apps, APIs, scopes, claims, states and sources, not tokens. Try{' '}
        <code>is:expired</code>, <code>tenant:contoso.example</code>, <code>app:azure</code> or{' '}
        <code>source:vault</code>.
      </p>
      <Action onPress={() => accounts.search('')}>Clear search</Action>
    </div>
  );
}
