import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { shortId } from '../state/text.ts';
import { appLabel, awayTenant, type TokenColumn, tokenDetail, tokenTitle } from '../state/tokens.ts';
import { Left } from './Left.tsx';
import { useModel, useStore } from './model.ts';

const COLUMNS: readonly { id: TokenColumn; title: string }[] = [
  { id: 'token', title: 'Token' },
  { id: 'app', title: 'App' },
  { id: 'time', title: 'Time left' },
];

/** The account's tokens. What is chosen here is what the panel shows. */
export function TokenTable({ account }: { account: AccountItem }) {
  const { selection } = useModel();
  const { tokens, tokenId, order } = useStore(selection.view);
  if (tokens === null) return <div className="tokens-wait" aria-busy="true" />;
  if (tokens.length === 0) return <p className="empty">No tokens: only the account itself is cached.</p>;
  return (
    <Table
      className="tokens"
      aria-label="Tokens"
      selectionMode="single"
      selectionBehavior="replace"
      disallowEmptySelection
      selectedKeys={tokenId === null ? [] : [tokenId]}
      onSelectionChange={(keys) => {
        if (keys === 'all') return;
        for (const key of keys) selection.token(String(key));
      }}
      onRowAction={(key) => selection.token(String(key))}
      sortDescriptor={order}
      onSortChange={({ column, direction }) => {
        const chosen = COLUMNS.find(({ id }) => id === column);
        if (chosen !== undefined) selection.sort({ column: chosen.id, direction });
      }}
    >
      <TableHeader>
        {COLUMNS.map(({ id, title }) => (
          <Column key={id} id={id} isRowHeader={id === 'token'} allowsSorting className={`column ${id}`}>
            {({ sortDirection }) => (
              <span className="column-title">
                {title}
                <span className="sort" aria-hidden="true">
                  {sortDirection === undefined ? '' : sortDirection === 'ascending' ? '↑' : '↓'}
                </span>
              </span>
            )}
          </Column>
        ))}
      </TableHeader>
      <TableBody items={tokens} dependencies={[account]}>
        {(token) => <TokenRow token={token} account={account} />}
      </TableBody>
    </Table>
  );
}

function TokenRow({ token, account }: { token: TokenItem; account: AccountItem }) {
  const { selection } = useModel();
  const { kind, subject } = tokenTitle(token);
  const away = awayTenant(token, account);
  const detail = tokenDetail(token);
  const app = appLabel(token);
  return (
    <Row
      id={token.id}
      className="token-row"
      textValue={`${kind} ${subject}`}
      onClick={() => selection.token(token.id)} // the chosen one too: its panel may have been closed
    >
      <Cell>
        <span className="token-title">
          <span className="token-kind">{kind}</span> <bdi>{subject}</bdi>
        </span>
        <span className="second" title={token.scopes.join(' ')}>
          <bdi>{away === null ? detail : `${detail} · in tenant ${shortId(away)}`}</bdi>
        </span>
      </Cell>
      <Cell>
        <span className="app-name" title={token.client_id}>
          <bdi>{app}</bdi>
        </span>
        {app !== shortId(token.client_id) && <span className="second mono">{shortId(token.client_id)}</span>}
      </Cell>
      <Cell>
        <Left token={token} />
      </Cell>
    </Row>
  );
}
