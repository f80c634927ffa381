import { useRef } from 'react';
import { AccountList } from '../parts/AccountList.tsx';
import { useModel, useStore } from '../parts/model.ts';
import { TokenPanel } from '../parts/TokenPanel.tsx';
import { AccountView } from './AccountView.tsx';

/** Accounts at the left, the chosen one in the middle, its chosen token at the right. */
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
      // On the way down: the table would keep the key to itself.
      onKeyDownCapture={(event) => {
        // In the secret's own field it hides the secret first.
        if (event.key === 'Escape' && opened && !(event.target instanceof HTMLTextAreaElement)) close();
      }}
    >
      <AccountList />
      {account === undefined ? (
        <section className="account" aria-label="Account" />
      ) : (
        <AccountView account={account} />
      )}
      <TokenPanel onClose={close} />
    </main>
  );
}
