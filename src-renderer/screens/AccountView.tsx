import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { CareLine } from '../parts/CareLine.tsx';
import { Facts } from '../parts/Facts.tsx';
import { Lines } from '../parts/Lines.tsx';
import { useModel, useStore } from '../parts/model.ts';
import { SignInAgain } from '../parts/SignInAgain.tsx';
import { TokenTable } from '../parts/TokenTable.tsx';
import { UserText } from '../parts/UserText.tsx';
import { accountName, whereabouts } from '../state/groups.ts';
import { profile } from '../state/profile.ts';
import { number } from '../state/words.ts';

/** The chosen account: who it is, how it stands, its tokens, its fields. */
export function AccountView({ account }: { account: AccountItem }) {
  const { selection, signOut, care } = useModel();
  const refreshable = useStore(
    care.view,
    (view) => view.accountId === account.id && view.care?.refreshable === true,
  );
  const refreshing = useStore(care.view, (view) => view.refreshing);
  const tokens = useStore(selection.view, (view) => view.tokens);
  const error = useStore(selection.view, (view) => view.error);
  const { AccessToken, RefreshToken, IdToken } = account.tokens;
  return (
    <section className="account" aria-label="Account">
      <div className="who">
        <Avatar account={account} large />
        <div className="who-words">
          <h1>
            <UserText>{accountName(account)}</UserText>
          </h1>
          <p>
            <UserText>{whereabouts(account)}</UserText>
          </p>
        </div>
        {refreshable && (
          <Action onPress={() => void care.refresh()} pending={refreshing ? 'Refreshing…' : null}>
            Refresh now
          </Action>
        )}
        <Action kind="danger" onPress={() => void signOut.one()}>
          {account.kind === 'user' ? 'Sign out…' : 'Remove…'}
        </Action>
      </div>
      <Facts account={account} tokens={tokens ?? []} />
      <CareLine accountId={account.id} />
      <SignInAgain account={account} />
      {error !== null && (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      <Tabs className="tabs">
        <TabList className="tab-list" aria-label="About the account">
          <Tab id="tokens" className="tab">
            Tokens <span className="tab-count">{number(AccessToken + RefreshToken + IdToken)}</span>
          </Tab>
          <Tab id="profile" className="tab">
            Profile
          </Tab>
        </TabList>
        <TabPanel id="tokens" className="tab-panel">
          <TokenTable account={account} />
        </TabPanel>
        <TabPanel id="profile" className="tab-panel">
          {profile(account, tokens ?? []).map((section, index) => (
            <section className="profile" key={`${String(index)} ${section.title}`} aria-label={section.title}>
              <h2>{section.title}</h2>
              <Lines lines={section.lines} />
            </section>
          ))}
        </TabPanel>
      </Tabs>
    </section>
  );
}
