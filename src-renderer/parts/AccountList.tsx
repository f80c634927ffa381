import {
  Collection,
  Header,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  ListLayout,
  Virtualizer,
} from 'react-aria-components';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountDetail, accountName } from '../state/groups.ts';
import { standing } from '../state/lifetime.ts';
import { visible } from '../state/text.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Avatar } from './Avatar.tsx';
import { useModel, useStore, useTimed } from './model.ts';
import { UserText } from './UserText.tsx';

/** Heights in pixels, the same as in accounts.css: only the lines that are seen are drawn. */
const LAYOUT = { rowSize: 48, headingSize: 32, padding: 8, gap: 0 };

export function AccountList() {
  const { accounts, selection } = useModel();
  const shown = useStore(accounts.view, (view) => view.shown);
  const chosen = useStore(selection.view, (view) => view.accountId);
  return (
    <nav className="accounts" aria-label="Accounts">
      {shown.length === 0 ? (
        <NoMatch />
      ) : (
        <Virtualizer layout={ListLayout} layoutOptions={LAYOUT}>
          <ListBox
            className="account-list"
            aria-label="Accounts"
            items={shown}
            selectionMode="single"
            selectionBehavior="replace"
            disallowEmptySelection
            selectedKeys={chosen === null ? [] : [chosen]}
            onSelectionChange={(keys) => {
              if (keys === 'all') return;
              for (const key of keys) selection.account(String(key));
            }}
          >
            {(group) => (
              <ListBoxSection id={group.id}>
                <Header className="group">
                  <span>{group.title}</span>
                  {group.accounts.length > 1 && (
                    <span className="group-count">{number(group.accounts.length)}</span>
                  )}
                </Header>
                <Collection items={group.accounts}>
                  {(account) => <AccountLine account={account} />}
                </Collection>
              </ListBoxSection>
            )}
          </ListBox>
        </Virtualizer>
      )}
    </nav>
  );
}

function AccountLine({ account }: { account: AccountItem }) {
  const name = accountName(account);
  return (
    <ListBoxItem id={account.id} textValue={visible(name)} className="account-line">
      <Avatar account={account} />
      <span className="account-words">
        <span className="account-name">
          <UserText>{name}</UserText>
        </span>
        <span className="account-detail">
          <UserText>{accountDetail(account)}</UserText>
        </span>
      </span>
      <Standing account={account} />
    </ListBoxItem>
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

function NoMatch() {
  const { accounts } = useModel();
  const text = useStore(accounts.view, (view) => view.text);
  return (
    <div className="no-match">
      <p role="status">
        Nothing matches{' '}
        <b>
          “<UserText>{text.trim()}</UserText>”
        </b>
        .
      </p>
      <p>Names, tenants, apps, scopes, audiences and claims are searched; secrets are not.</p>
      <Action onPress={() => accounts.search('')}>Clear the search</Action>
    </div>
  );
}
