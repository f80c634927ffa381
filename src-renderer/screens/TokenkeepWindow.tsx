import { useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { onKey } from '../bridge.ts';
import { focusReloaded } from '../focus.ts';
import { DropZone } from '../parts/DropZone.tsx';
import { Footer } from '../parts/Footer.tsx';
import { Header } from '../parts/Header.tsx';
import { Banners } from '../parts/Notices.tsx';
import { Toasts } from '../parts/Toasts.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { later } from '../parts/later.ts';
import { MainScreen } from './AccountsPage.tsx';
import { dialogContents, Dialogs } from './Dialogs.tsx';
import { OverviewPage } from './OverviewPage.tsx';
import { FirstRun, ListFailed, LockedScreen, NoticeScreen, Opening } from './StartScreens.tsx';
import type { Model } from '../state/model.ts';
import { isPage, type Screen, screenOf } from '../state/pages.ts';
import { isShortcut } from '../state/platform.ts';

const otherPages = later(() => import('./Pages.tsx'));

/** Loads the scripts that the first accounts don't need. */
export const loadRest = (): Promise<unknown> => Promise.all([dialogContents.load(), otherPages.load()]);

/** The window; a single screen while the vault is locked. */
export function TokenkeepWindow() {
  const locked = useStore(useModel().vault.view, (view) => view.info?.locked === true);
  return locked ? (
    <div className="window">
      <LockedScreen />
    </div>
  ) : (
    <OpenWindow />
  );
}

/** Header, page, footer, and dialogs, toasts and the drop zone above them. */
function OpenWindow() {
  const model = useModel();
  const { vault, accounts, pages, dialogs, importing, signIn, signOut, ports } = model;
  const page = useStore(pages.view);
  const { status, info, error } = useStore(vault.view);
  const { totals, error: listError } = useStore(accounts.view);
  const search = useRef<HTMLInputElement>(null);
  const screen = screenOf(status, info, totals, error ?? listError);

  const others = otherPages.use(page !== 'accounts');
  const accountsShown = page === 'accounts';
  const isOpening = screen.kind === 'opening';
  useEffect(() => {
    if (!isOpening) focusReloaded();
  }, [isOpening]);

  useEffect(() => {
    const find = () => {
      if (dialogs.view.get() !== null) return;
      // The search field exists only on the Accounts page.
      if (pages.view.get() !== 'accounts') flushSync(() => pages.show('accounts'));
      search.current?.focus();
      search.current?.select();
    };
    /** Carries out an action chosen in the menu bar or a notification, possibly before the list is loaded. */
    const forAccount = async (id: string, action: 'show-account' | 'sign-in-again' | 'sign-out') => {
      if (dialogs.view.get() !== null) return;
      if (!accounts.view.get().byId.has(id)) await accounts.load();
      if (!accounts.view.get().byId.has(id)) return; // the account was signed out meanwhile
      if (dialogs.view.get() !== null) return;
      pages.show('accounts');
      model.overview.close();
      model.selection.account(id);
      if (action === 'sign-in-again') await signIn.again(id);
      else if (action === 'sign-out') await signOut.several([id]);
    };
    const endCommands = ports.app.on('command', (command) => {
      if (command === 'find') find();
      else if (dialogs.view.get() !== null)
        return; // one dialog at a time
      else if (isPage(command)) pages.show(command);
      else if (command === 'sign-in') signIn.open();
      else if (command === 'import') void importing.choose();
      else if (command === 'sign-out') {
        const ids = chosenAccounts(model);
        if (ids.length > 0) void signOut.several(ids);
      } else if (command === 'sign-out-all') void signOut.all();
      else dialogs.open({ kind: 'about' });
    });
    const endChosen = ports.app.on(
      'forAccount',
      ({ accountId, action }) => void forAccount(accountId, action),
    );
    const endKeys = onKey((event) => {
      const { platform } = vault.view.get().info ?? {};
      if (isShortcut('f', event, platform) && !event.shiftKey) {
        event.preventDefault();
        find();
      }
    });
    return () => {
      endCommands();
      endChosen();
      endKeys();
    };
  }, [model, ports, vault, accounts, dialogs, pages, importing, signIn, signOut]);

  return (
    <div className="window">
      <Header search={search} screen={accountsShown ? screen.kind : null} />
      <Banners notice={accountsShown && screen.kind === 'main' ? screen.notice : null} />
      {page !== 'accounts' && others !== null && <others.OtherPage page={page} />}
      {accountsShown && <AccountsPage screen={screen} />}
      <Toasts />
      <Footer />
      <Dialogs />
      <DropZone />
      <MenuStates />
    </div>
  );
}

/** The accounts, or the screen shown instead. */
function AccountsPage({ screen }: { screen: Screen }) {
  switch (screen.kind) {
    case 'opening':
      return <Opening />;
    case 'failed':
      return <ListFailed error={screen.error} />;
    case 'notice':
      return <NoticeScreen notice={screen.notice} />;
    case 'first-run':
      return <FirstRun />;
    case 'main':
      return <Accounts />;
  }
}

/** All accounts, or one of them. Until a long list is loaded, its first accounts are shown in the table. */
function Accounts() {
  const { accounts, overview } = useModel();
  const isOpen = useStore(overview.view, (view) => view.isOpen === true);
  const isFirst = useStore(accounts.view, (view) => view.first !== null);
  return isOpen || isFirst ? <OverviewPage /> : <MainScreen />;
}

/** Returns the accounts that File › Sign out… applies to: the selected rows of the table, or the account that is shown. */
function chosenAccounts({ pages, overview, selection, accounts }: Model): string[] {
  if (pages.view.get() !== 'accounts') return [];
  const { isOpen, selected } = overview.view.get();
  const { accountId } = selection.view.get();
  const ids = isOpen ? [...selected] : accountId === null ? [] : [accountId];
  return ids.filter((id) => accounts.view.get().byId.has(id));
}

/** Tells the menu bar which sign-outs are possible. */
function MenuStates() {
  const model = useModel();
  useStore(model.pages.view);
  useStore(model.overview.view);
  useStore(model.selection.view);
  const { byId } = useStore(model.accounts.view);
  const signOut = chosenAccounts(model).length > 0;
  const signOutAll = byId.size > 0;
  const { app } = model.ports;
  useEffect(() => void app.menuState({ signOut, signOutAll }), [app, signOut, signOutAll]);
  return null;
}
