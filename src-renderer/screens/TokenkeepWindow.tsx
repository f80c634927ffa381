import { useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { onKey } from '../bridge.ts';
import { DropZone } from '../parts/DropZone.tsx';
import { Footer } from '../parts/Footer.tsx';
import { Header } from '../parts/Header.tsx';
import { Banners } from '../parts/Notices.tsx';
import { Toasts } from '../parts/Toasts.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { MainScreen } from './AccountsPage.tsx';
import { ActivityPage } from './ActivityPage.tsx';
import { Dialogs } from './Dialogs.tsx';
import { HealthPage } from './HealthPage.tsx';
import { InspectPage } from './InspectPage.tsx';
import { OverviewPage } from './OverviewPage.tsx';
import { SecurityPage } from './SecurityPage.tsx';
import { FirstRun, ListFailed, NoticeScreen, Opening } from './StartScreens.tsx';
import { isPage, type Screen, screenOf } from '../state/pages.ts';

/** The window: header, page, footer, and dialogs, toasts and the drop zone above them. */
export function TokenkeepWindow() {
  const { vault, accounts, pages, dialogs, importing, signIn, signOut, ports } = useModel();
  const page = useStore(pages.view);
  const { status, info, error } = useStore(vault.view);
  const { totals, error: listError } = useStore(accounts.view);
  const search = useRef<HTMLInputElement>(null);
  const screen = screenOf(status, info, totals, error ?? listError);

  const accountsShown = page === 'accounts';

  useEffect(() => {
    const find = () => {
      // The search field exists only on the Accounts page.
      if (pages.view.get() !== 'accounts') flushSync(() => pages.show('accounts'));
      search.current?.focus();
      search.current?.select();
    };
    const endCommands = ports.app.on('command', (command) => {
      if (command === 'find') find();
      else if (dialogs.view.get() !== null)
        return; // one dialog at a time
      else if (isPage(command)) pages.show(command);
      else if (command === 'sign-in') signIn.open();
      else if (command === 'import') void importing.choose();
      else if (command === 'sign-out') void signOut.one();
      else if (command === 'sign-out-all') void signOut.all();
      else dialogs.open({ kind: 'about' });
    });
    const endKeys = onKey((event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'f') {
        event.preventDefault();
        find();
      }
    });
    return () => {
      endCommands();
      endKeys();
    };
  }, [ports, dialogs, pages, importing, signIn, signOut]);

  return (
    <div className="window">
      <Header search={search} screen={accountsShown ? screen.kind : null} />
      <Banners notice={accountsShown && screen.kind === 'main' ? screen.notice : null} />
      {page === 'inspect' && <InspectPage />}
      {page === 'activity' && <ActivityPage />}
      {page === 'security' && <SecurityPage />}
      {page === 'health' && <HealthPage />}
      {accountsShown && <AccountsPage screen={screen} />}
      <Toasts />
      <Footer />
      <Dialogs />
      <DropZone />
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

/** All accounts, or one of them. */
function Accounts() {
  const { overview } = useModel();
  return useStore(overview.view, (view) => view.isOpen === true) ? <OverviewPage /> : <MainScreen />;
}
