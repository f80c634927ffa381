import { createAccounts, type Accounts } from './accounts.ts';
import { type Care, createCare } from './care.ts';
import { createClock } from './clock.ts';
import { createDialogs, type Dialogs } from './dialogs.ts';
import type { Doors } from './doors.ts';
import { createHealth, type Health } from './health.ts';
import { createImporting, type Importing } from './importing.ts';
import { createPages, type Pages } from './pages.ts';
import { createSecret, type Secret } from './secret.ts';
import { createSecurity, type Security } from './security.ts';
import { createSelection, type Selection } from './selection.ts';
import { createSignIn, type SignIn } from './signIn.ts';
import { createSignOut, type SignOut } from './signOut.ts';
import type { Store } from './store.ts';
import { createToasts, type Toasts } from './toasts.ts';
import { createUpdate, type Update } from './update.ts';
import { createVault, type Vault } from './vault.ts';

/** All that the window knows and can do. */
export interface Model {
  doors: Doors;
  clock: Pick<Store<number>, 'get' | 'subscribe'>;
  pages: Pages;
  vault: Vault;
  accounts: Accounts;
  selection: Selection;
  secret: Secret;
  dialogs: Dialogs;
  toasts: Toasts;
  importing: Importing;
  signIn: SignIn;
  signOut: SignOut;
  security: Security;
  update: Update;
  health: Health;
  care: Care;
  /** Asks for everything the first screen needs. */
  start: () => Promise<void>;
}

export function createModel(doors: Doors): Model {
  const dialogs = createDialogs();
  const toasts = createToasts(doors);
  const vault = createVault(doors);
  const accounts = createAccounts(doors);
  const selection = createSelection(doors, accounts);
  const update = createUpdate(doors);
  const secret = createSecret(doors, selection, toasts, dialogs);
  const signIn = createSignIn(doors, accounts, selection, dialogs, toasts);

  doors.tokenCache.on('change', () => void accounts.load());

  const pages = createPages();
  const health = createHealth(doors, pages, accounts, dialogs, toasts);

  // Another state of the vault may mean other accounts: unlocked, recovered, begun anew.
  let state = vault.view.get().status?.state;
  vault.view.subscribe(() => {
    const next = vault.view.get().status?.state;
    if (next === state) return;
    const first = state === undefined;
    state = next;
    if (!first) void accounts.load();
  });

  return {
    doors,
    clock: createClock(doors.time),
    pages,
    vault,
    accounts,
    selection,
    secret,
    dialogs,
    toasts,
    importing: createImporting(doors, dialogs, toasts),
    security: createSecurity(doors, dialogs, toasts),
    update,
    health,
    signIn,
    signOut: createSignOut(doors, vault, accounts, selection, dialogs),
    care: createCare(doors, vault, accounts, selection, toasts),
    async start() {
      await vault.load();
      await accounts.load();
      await signIn.load();
      await update.load();
    },
  };
}
