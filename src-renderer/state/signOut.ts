import type { Accounts } from './accounts.ts';
import type { Dialogs } from './dialogs.ts';
import type { Doors } from './doors.ts';
import { accountName } from './groups.ts';
import type { Selection } from './selection.ts';
import { appLabels } from './tokens.ts';

export interface SignOut {
  /** Opens the dialog for one account; without an id, for the one that is looked at. */
  one: (accountId?: string) => Promise<void>;
  all: () => Promise<void>;
  /** What the dialog on the screen asked was answered with yes. */
  confirm: () => Promise<void>;
}

export function createSignOut(
  doors: Doors,
  accounts: Accounts,
  selection: Selection,
  dialogs: Dialogs,
): SignOut {
  const { tokenCache } = doors;

  const open = async (accountId: string | null, user: boolean, who: string, apps: readonly string[]) => {
    dialogs.open({ kind: 'sign-out', accountId, user, who, apps, counts: null, working: false });
    const answer = await tokenCache.removalCount(accountId);
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.accountId !== accountId) return; // closed, or another by now
    if (answer.ok) dialogs.open({ ...dialog, counts: answer.value });
    else dialogs.fail('What would be removed could not be counted', answer.error);
  };

  return {
    async one(accountId) {
      const id = accountId ?? selection.view.get().accountId;
      const account = id === null ? undefined : accounts.view.get().byId.get(id);
      if (account === undefined) return;
      const { accountId: shown, tokens } = selection.view.get();
      const names = appLabels(account.clients, shown === account.id && tokens !== null ? tokens : []);
      await open(account.id, account.kind === 'user', accountName(account), names);
    },
    async all() {
      const { byId } = accounts.view.get();
      if (byId.size === 0) return;
      const clients = new Set([...byId.values()].flatMap((account) => account.clients));
      const tokens = selection.view.get().tokens ?? [];
      await open(null, true, 'everyone', appLabels([...clients], tokens));
    },
    async confirm() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'sign-out' || dialog.working || dialog.counts === null) return;
      dialogs.open({ ...dialog, working: true });
      const { accountId, user, who } = dialog;
      const answer =
        accountId === null
          ? await tokenCache.signOutAll()
          : await tokenCache
              .signOut(accountId)
              .then((one) => (one.ok ? { ok: true as const, value: [one.value] } : one));
      if (answer.ok) dialogs.open({ kind: 'receipt', user, who, receipts: answer.value });
      else dialogs.fail(user ? 'Nothing was signed out' : 'Nothing was removed', answer.error);
    },
  };
}
