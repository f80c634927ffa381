import { useEffect, useRef } from 'react';
import { onKey } from '../bridge.ts';
import { Banners } from '../parts/Banners.tsx';
import { DropZone } from '../parts/DropZone.tsx';
import { Footer } from '../parts/Footer.tsx';
import { Header } from '../parts/Header.tsx';
import { useModel, useStore } from '../parts/model.ts';
import { Toasts } from '../parts/Toasts.tsx';
import { screenOf } from '../state/screen.ts';
import { Dialogs } from './Dialogs.tsx';
import { FirstRun } from './FirstRun.tsx';
import { ListFailed } from './ListFailed.tsx';
import { MainScreen } from './MainScreen.tsx';
import { NoticeScreen } from './NoticeScreen.tsx';
import { Opening } from './Opening.tsx';

/** The window: header, the screen that fits the state, footer; dialogs, toasts and the drop zone above it. */
export function TokenkeepWindow() {
  const { vault, accounts, dialogs, importing, signOut, doors } = useModel();
  const { status, info, error } = useStore(vault.view);
  const { totals, error: listError } = useStore(accounts.view);
  const search = useRef<HTMLInputElement>(null);
  const screen = screenOf(status, info, totals, error ?? listError);

  useEffect(() => {
    const find = () => {
      search.current?.focus();
      search.current?.select();
    };
    const endCommands = doors.app.on('command', (command) => {
      if (command === 'find') find();
      else if (dialogs.view.get() !== null)
        return; // one question at a time
      else if (command === 'import') void importing.choose();
      else if (command === 'sign-out') void signOut.one();
      else if (command === 'sign-out-all') void signOut.all();
      else if (command === 'about') dialogs.open({ kind: 'about' });
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
  }, [doors, dialogs, importing, signOut]);

  return (
    <div className="window">
      <Header search={search} screen={screen.kind} />
      <Banners notice={screen.kind === 'main' ? screen.notice : null} />
      {screen.kind === 'opening' && <Opening />}
      {screen.kind === 'failed' && <ListFailed error={screen.error} />}
      {screen.kind === 'notice' && <NoticeScreen notice={screen.notice} />}
      {screen.kind === 'first-run' && <FirstRun />}
      {screen.kind === 'main' && <MainScreen />}
      <Footer />
      <Toasts />
      <Dialogs />
      <DropZone />
    </div>
  );
}
