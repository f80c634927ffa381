import { useRef } from 'react';
import {
  Button,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Tab,
  TabList,
  TabPanel,
  Tabs,
} from 'react-aria-components';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { copyText } from '../bridge.ts';
import { Facts, StatusCard } from '../parts/AccountFacts.tsx';
import { AccountBar, AccountList } from '../parts/AccountList.tsx';
import { Action } from '../parts/Action.tsx';
import { Avatar, Icon } from '../parts/Icon.tsx';
import { Lines } from '../parts/Lines.tsx';
import { PlaceBadges, useAccountPlaces } from '../parts/SourceList.tsx';
import { TimelineTab } from '../parts/Timeline.tsx';
import { TokenPanel } from '../parts/TokenPanel.tsx';
import { TokenTable } from '../parts/TokenTable.tsx';
import { UserInfoTab } from '../parts/UserInfoTab.tsx';
import { useAccountEvents, useMenuOf, useModel, useStore } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { Problem, Unasked } from '../parts/Problem.tsx';
import { activityCount } from '../state/activity.ts';
import { namedTenant, profile } from '../state/claims.ts';
import { accountName, accountPlace, nicknameOf } from '../state/groups.ts';
import { number } from '../state/words.ts';
import { AccountActivity } from './ActivityPage.tsx';

/** Account list, selected account, selected token. */
export function MainScreen() {
  const { accounts, selection } = useModel();
  const accountId = useStore(selection.view, (view) => view.accountId);
  const byId = useStore(accounts.view, (view) => view.byId);
  const opened = useStore(selection.view, (view) => view.opened);
  const place = useRef<HTMLElement>(null);
  const account = accountId === null ? undefined : byId.get(accountId);

  const close = () => {
    selection.closeToken();
    place.current?.querySelector<HTMLElement>('[role="grid"]')?.focus();
  };
  return (
    <main
      className="main"
      ref={place}
      // In the capture phase, because the table handles the key otherwise.
      onKeyDownCapture={(event) => {
        // In the revealed token's field, Escape hides the token.
        if (event.key === 'Escape' && opened && !(event.target instanceof HTMLTextAreaElement)) close();
      }}
    >
      <AccountList />
      <AccountBar />
      {account === undefined ? (
        <section className="account" aria-label="Account" />
      ) : (
        <AccountView account={account} />
      )}
      <TokenPanel onClose={close} />
    </main>
  );
}

/** The name that the user gave to a tenant, and a button to change it. */
function TenantName({ realm }: { realm: string }) {
  const { accounts, dialogs } = useModel();
  const name = useStore(accounts.view, (view) => nicknameOf(view.nicknames, realm));
  return (
    <>
      {name !== undefined && (
        <b>
          <UserText>{name}</UserText>
        </b>
      )}
      <Action
        kind="quiet"
        aria-label={`${name === undefined ? 'Name' : 'Rename'} tenant ${realm}…`}
        onPress={() => dialogs.open({ kind: 'tenant-name', realm })}
      >
        {name === undefined ? 'Name tenant…' : 'Rename…'}
      </Action>
    </>
  );
}

/** Further actions for the account; nothing if there are none. */
function AccountMenu({ account }: { account: AccountItem }) {
  const { accounts, dialogs, refreshStatus, signIn, toasts, vault } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const realm = namedTenant(account, 0);
  const name = useStore(accounts.view, (view) => nicknameOf(view.nicknames, realm ?? ''));
  const refreshable = useStore(
    refreshStatus.view,
    (view) => view.accountId === account.id && view.status?.refreshable === true,
  );
  const signsIn = account.kind === 'user' && account.places.includes('vault') && !demo;
  const menu = useMenuOf(account.id);
  const { username } = account;
  if (!signsIn && realm === null && username === '') return null;
  return (
    <MenuTrigger {...menu}>
      <Button className="button icon-only" aria-label="Account actions">
        <Icon name="more" />
      </Button>
      <Popover className="popover" placement="bottom end" offset={4}>
        <Menu className="menu" aria-label="Account actions">
          {refreshable && <MenuItem onAction={() => void refreshStatus.refresh(null)}>Refresh now</MenuItem>}
          {signsIn && <MenuItem onAction={() => void signIn.again(account.id)}>Sign in again…</MenuItem>}
          {realm !== null && (
            <MenuItem onAction={() => dialogs.open({ kind: 'tenant-name', realm })}>
              {name === undefined ? 'Name tenant…' : 'Rename tenant…'}
            </MenuItem>
          )}
          {username !== '' && (
            <MenuItem
              onAction={() =>
                toasts.show(copyText(username) ? 'Username copied.' : 'The username could not be copied.')
              }
            >
              Copy username
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

/** The selected account: status, facts, tokens and profile. */
export function AccountView({ account }: { account: AccountItem }) {
  const { accounts, activity, selection, signOut, vault } = useModel();
  const tokens = useStore(selection.view, (view) => view.tokens);
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const error = useStore(selection.view, (view) => view.error);
  const missed = useStore(selection.view, (view) => view.missed);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  // Sample accounts have no provider, and tokens of other programs are only read.
  const asksProvider = account.kind === 'user' && account.places.includes('vault') && !demo;
  const { AccessToken, RefreshToken, IdToken } = account.tokens;
  const places = useAccountPlaces(account);
  useAccountEvents(account.id);
  const events = useStore(activity.view, (view) => activityCount(view, account));
  return (
    <section className="account" aria-label="Account">
      <div className="who">
        <Avatar account={account} large />
        <div className="who-words">
          <h1>
            <UserText>{accountName(account)}</UserText>
          </h1>
          <p>
            <UserText>{accountPlace(account, tenants)}</UserText>
          </p>
          {places.some((place) => place !== 'vault') && <PlaceBadges all places={places} />}
        </div>
        <Action kind="danger" onPress={() => void signOut.one()}>
          {account.kind === 'user' ? 'Sign out…' : 'Remove…'}
        </Action>
        <AccountMenu account={account} />
      </div>
      <StatusCard account={account} />
      <Facts account={account} tokens={tokens ?? []} />
      {error !== null && <Problem>{error.message}</Problem>}
      {missed !== null && <Unasked>{missed.message}</Unasked>}
      <Tabs className="tabs">
        <TabList className="tab-list" aria-label="Account details">
          <Tab id="tokens" className="tab">
            Tokens <span className="tab-count">{number(AccessToken + RefreshToken + IdToken)}</span>
          </Tab>
          <Tab id="timeline" className="tab">
            Timeline
          </Tab>
          <Tab id="activity" className="tab">
            Activity
            {events !== null && <span className="tab-count"> {number(events)}</span>}
          </Tab>
          <Tab id="profile" className="tab">
            Profile
          </Tab>
          {asksProvider && (
            <Tab id="user-info" className="tab">
              User info
            </Tab>
          )}
        </TabList>
        <TabPanel id="tokens" className="tab-panel">
          <TokenTable account={account} />
        </TabPanel>
        <TabPanel id="timeline" className="tab-panel">
          <TimelineTab account={account} />
        </TabPanel>
        <TabPanel id="activity" className="tab-panel">
          <AccountActivity account={account} />
        </TabPanel>
        <TabPanel id="profile" className="tab-panel">
          <div className="profile-facts">
            <Facts account={account} tokens={tokens ?? []} />
          </div>
          {profile(account, tokens ?? []).map((section, index) => (
            <section className="profile" key={`${String(index)} ${section.title}`} aria-label={section.title}>
              <div className="profile-head">
                <h2>{section.title}</h2>
                {section.realm !== undefined && <TenantName realm={section.realm} />}
              </div>
              <Lines lines={section.lines} />
            </section>
          ))}
        </TabPanel>
        {asksProvider && (
          <TabPanel id="user-info" className="tab-panel">
            <UserInfoTab account={account} />
          </TabPanel>
        )}
      </Tabs>
    </section>
  );
}
