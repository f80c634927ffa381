import {
  type KeyboardEvent,
  memo,
  type MouseEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Popover } from 'react-aria-components';
import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { tenantName } from '../state/groups.ts';
import { lifetime } from '../state/lifetime.ts';
import { isShortcut } from '../state/platform.ts';
import { DRAWN_WHOLE, moved } from '../state/rows.ts';
import { shortId } from '../state/text.ts';
import { appLabel, awayTenant, type TokenColumn, tokenDetail, tokenTitle } from '../state/tokens.ts';
import { TokenMenu } from './TokenMenu.tsx';
import { PlaceBadges } from './SourceList.tsx';
import { useDrawn, useModel, useSeen, useStore, useTimed } from './hooks.ts';
import { Highlight } from './text.tsx';

/** Pixels, the same as in account.css. */
const ROW_HEIGHT = 48;
const HEAD_HEIGHT = 33;

/** Rows rendered above and below the visible part. */
const AROUND = 5;

const COLUMNS: readonly { id: TokenColumn; title: string }[] = [
  { id: 'token', title: 'Token' },
  { id: 'app', title: 'App' },
  { id: 'time', title: 'Time left' },
];

/**
 * The tokens of the account. The panel shows the selected one. Of thousands of tokens, only the visible rows are
 * rendered.
 */
export function TokenTable({ account }: { account: AccountItem }) {
  const { selection } = useModel();
  const tokens = useStore(selection.view, (view) => view.tokens);
  if (tokens === null) return <div aria-busy="true" />;
  if (tokens.length === 0) return <p className="empty">No tokens. Only the account is cached.</p>;
  return <Grid key={account.id} account={account} />;
}

function Grid({ account }: { account: AccountItem }) {
  const { secret, selection, vault } = useModel();
  const { tokens, tokenId, menu } = useStore(selection.view);
  const box = useRef<HTMLDivElement>(null);
  const spot = useRef<HTMLSpanElement>(null);
  const [place, setPlace] = useState<{ x: number; y: number; start: 'first' | true }>({
    x: 0,
    y: 0,
    start: true,
  });
  const seen = useSeen(box);
  const all = tokens ?? [];
  const index = all.findIndex((token) => token.id === tokenId);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || index === -1) return;
    const top = index * ROW_HEIGHT; // below the sticky header
    const last = top + ROW_HEIGHT + HEAD_HEIGHT - element.clientHeight;
    element.scrollTop = Math.max(last, Math.min(top, element.scrollTop));
  }, [index]);

  // With the table, the place of the menu is forgotten.
  useEffect(() => () => selection.menu(false), [selection]);

  const press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.altKey) return;
    if (isShortcut('c', event, vault.view.get().info?.platform)) {
      event.preventDefault();
      void secret.copy();
    }
    if (event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((seen.height - HEAD_HEIGHT) / ROW_HEIGHT) - 1);
    const to = event.key === 'Enter' || event.key === ' ' ? index : moved(event.key, index, all.length, page);
    const token = to === null ? undefined : all[to];
    if (token === undefined) return;
    event.preventDefault();
    selection.token(token.id);
  };

  // For a right click, the menu key and Shift+F10. The browser reports all of them, the keys with the grid as the target.
  const openMenu = (event: MouseEvent) => {
    event.preventDefault();
    const row = event.target instanceof Element ? event.target.closest('[role="row"][id]') : null;
    const at = row === null ? index : Number(row.id.replace('token-', ''));
    const token = all[at];
    if (token === undefined) return;
    if (token.id !== tokenId) selection.token(token.id);
    const shown = row ?? box.current?.querySelector(`#${rowId(at)}`);
    const { left = 0, bottom = 0 } = shown?.getBoundingClientRect() ?? {};
    // The keys open it with the first item chosen, as they do in other programs.
    setPlace(
      row === null
        ? { x: left + 24, y: bottom, start: 'first' }
        : { x: event.clientX, y: event.clientY, start: true },
    );
    selection.menu(true);
  };

  const few = all.length <= DRAWN_WHOLE;
  const first = Math.max(0, Math.floor(seen.top / ROW_HEIGHT) - AROUND);
  const until = Math.ceil((seen.top + seen.height) / ROW_HEIGHT) + AROUND;
  const byId = useMemo(() => new Map(tokens?.map((token) => [token.id, token])), [tokens]);
  const isDrawn = useDrawn(few ? byId : null);
  const drawn = all
    .map((token, at) => ({ token, at }))
    .filter(({ token, at }) => (at >= first && at < until) || isDrawn.has(token.id));
  const chosen = all[index];
  // Adds the selected row if it is out of view, because `aria-activedescendant` names it.
  if (chosen !== undefined && !drawn.some(({ at }) => at === index)) drawn.push({ token: chosen, at: index });
  return (
    <div
      className="tokens"
      role="grid"
      aria-label="Tokens"
      aria-rowcount={all.length + 1}
      aria-activedescendant={index === -1 ? undefined : rowId(index)}
      tabIndex={0}
      ref={box}
      onKeyDown={press}
      onContextMenu={openMenu}
    >
      <Head />
      <div role="rowgroup" className="token-rows" style={{ height: all.length * ROW_HEIGHT }}>
        {drawn.map(({ token, at }) => (
          <TokenRow
            key={token.id}
            token={token}
            account={account}
            index={at}
            top={at * ROW_HEIGHT}
            chosen={at === index}
          />
        ))}
      </div>
      {menu && chosen !== undefined && (
        <>
          <span className="menu-spot" ref={spot} style={{ left: place.x, top: place.y }} aria-hidden="true" />
          <Popover
            className="popover"
            aria-label="Token"
            triggerRef={spot}
            placement="bottom start"
            isOpen
            onOpenChange={(open) => {
              if (open) return;
              selection.menu(false);
              box.current?.focus();
            }}
          >
            <TokenMenu token={chosen} start={place.start} />
          </Popover>
        </>
      )}
    </div>
  );
}

function Head() {
  const { selection } = useModel();
  const order = useStore(selection.view, (view) => view.order);
  const sort = (column: TokenColumn) => {
    const turn = order.column === column && order.direction === 'ascending';
    selection.sort({ column, direction: turn ? 'descending' : 'ascending' });
  };
  return (
    <div role="rowgroup" className="token-head">
      <div role="row" className="token-columns" aria-rowindex={1}>
        {COLUMNS.map(({ id, title }) => (
          <div key={id} role="columnheader" aria-sort={order.column === id ? order.direction : 'none'}>
            <button type="button" onClick={() => sort(id)}>
              {title}
              <span className="sort" aria-hidden="true">
                {order.column !== id ? '' : order.direction === 'ascending' ? '↑' : '↓'}
              </span>
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

/** Element ID of the row at that index, for `aria-activedescendant`. */
export function rowId(index: number): string {
  return `token-${String(index)}`;
}

export const TokenRow = memo(function TokenRow({
  token,
  account,
  index,
  top,
  chosen,
}: {
  token: TokenItem;
  account: AccountItem;
  index: number;
  top: number;
  chosen: boolean;
}) {
  const { accounts, selection } = useModel();
  const { kind, subject } = tokenTitle(token);
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const away = awayTenant(token, account);
  const detail = tokenDetail(token);
  const app = appLabel(token);
  return (
    <div
      className="token-row token-columns"
      role="row"
      id={rowId(index)}
      aria-rowindex={index + 2}
      aria-selected={chosen}
      style={{ top }}
      onClick={() => selection.token(token.id)}
    >
      <div role="rowheader">
        <span className="token-title">
          <span className="token-kind">{kind}</span> <Highlight>{subject}</Highlight>
        </span>
        <span className="second" title={token.scopes.join(' ')}>
          <Highlight>{away === null ? detail : `${detail} · ${tenantName(away, tenants)}`}</Highlight>
        </span>
      </div>
      <div role="gridcell">
        <span className="app-name" title={token.client_id}>
          <Highlight>{app}</Highlight>
        </span>
        {account.places.length > 1 || token.place !== 'vault' ? (
          <PlaceBadges places={[token.place]} />
        ) : (
          app !== shortId(token.client_id) && <span className="second mono">{shortId(token.client_id)}</span>
        )}
      </div>
      <div role="gridcell">
        <Left token={token} />
      </div>
    </div>
  );
});

/** Time left of a token as text and bar. */
function Left({ token }: { token: TokenItem }) {
  const { tone, text, why, left } = useTimed((now) => lifetime(token, now));
  return (
    <span className="left" title={why ?? undefined}>
      <span className="left-text" data-tone={tone}>
        {text}
      </span>
      {why !== null && <span className="unseen">. {why}</span>}
      {left !== null && (
        <svg
          className="bar"
          data-tone={tone}
          aria-hidden="true"
          viewBox="0 0 100 4"
          preserveAspectRatio="none"
        >
          <rect className="bar-track" width="100" height="4" />
          {/* The bar of an expired token is full, to mark it. */}
          <rect className="bar-left" width={tone === 'gone' ? 100 : left * 100} height="4" />
        </svg>
      )}
    </span>
  );
}
