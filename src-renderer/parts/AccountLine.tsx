import { memo } from 'react';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountDetail, accountName } from '../state/groups.ts';
import { standing } from '../state/lifetime.ts';
import type { Row } from '../state/rows.ts';
import { visible } from '../state/text.ts';
import { number } from '../state/words.ts';
import { Avatar } from './Avatar.tsx';
import { Hits } from './Hits.tsx';
import { useModel, useTimed } from './model.ts';

/** The id of the element that shows the account at that place: what `aria-activedescendant` names. */
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
  /** How many accounts the whole list has. */
  size: number;
}) {
  const { selection } = useModel();
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
          <Hits>{visible(accountName(account))}</Hits>
        </span>
        <span className="account-detail">
          <Hits>{visible(accountDetail(account))}</Hits>
        </span>
      </span>
      <Standing account={account} />
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

/** The dot: its shape differs as well as its colour, and its words are read out. */
function Standing({ account }: { account: AccountItem }) {
  const tone = useTimed((now) => standing(account, now).tone);
  const text = useTimed((now) => standing(account, now).text);
  return (
    <span className="dot" data-tone={tone} title={text}>
      <span className="unseen">, {text}</span>
    </span>
  );
}
