import { memo } from 'react';
import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { shortId } from '../state/text.ts';
import { appLabel, awayTenant, tokenDetail, tokenTitle } from '../state/tokens.ts';
import { Hits } from './Hits.tsx';
import { Left } from './Left.tsx';
import { useModel } from './model.ts';

/** The id of the element that shows the token at that place: what `aria-activedescendant` names. */
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
  const { selection } = useModel();
  const { kind, subject } = tokenTitle(token);
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
          <span className="token-kind">{kind}</span> <Hits>{subject}</Hits>
        </span>
        <span className="second" title={token.scopes.join(' ')}>
          <Hits>{away === null ? detail : `${detail} · in tenant ${shortId(away)}`}</Hits>
        </span>
      </div>
      <div role="gridcell">
        <span className="app-name" title={token.client_id}>
          <Hits>{app}</Hits>
        </span>
        {app !== shortId(token.client_id) && <span className="second mono">{shortId(token.client_id)}</span>}
      </div>
      <div role="gridcell">
        <Left token={token} />
      </div>
    </div>
  );
});
