import { type Accounts, createAccounts } from './accounts.ts';
import { type ActivityLog, createActivityLog } from './activity.ts';
import { type Clock, createClock } from './clock.ts';
import { createDialogs, type Dialogs } from './dialogs.ts';
import { createHealth, type Health } from './health.ts';
import { createImporting, type Importing } from './importing.ts';
import { createInspect, type Inspect } from './inspect.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import { createOverview, type Overview } from './overview.ts';
import { createPages, type Pages } from './pages.ts';
import type { Ports } from './ports.ts';
import { createRefreshStatus, type RefreshStatus } from './refreshStatus.ts';
import { createSecret, type Secret } from './secret.ts';
import { createSelection, type Selection } from './selection.ts';
import { createSettings, type Settings } from './settings.ts';
import { createSignatureChecks, type SignatureChecks } from './signatureCheck.ts';
import { createSignIn, type SignIn } from './signIn.ts';
import { createSignOut, type SignOut } from './signOut.ts';
import { createSources, placesOf, type Sources } from './sources.ts';
import { createToasts, type Toasts } from './toasts.ts';
import { createUpdate, type Update } from './update.ts';
import { createUserInfo, type UserInfoRequests } from './userInfo.ts';
import { createVault, type Vault } from './vault.ts';

/** State and actions of the window. */
export interface Model {
  ports: Ports;
  clock: Clock;
  pages: Pages;
  vault: Vault;
  accounts: Accounts;
  overview: Overview;
  activity: ActivityLog;
  sources: Sources;
  settings: Settings;
  selection: Selection;
  secret: Secret;
  dialogs: Dialogs;
  toasts: Toasts;
  importing: Importing;
  inspect: Inspect;
  signatures: SignatureChecks;
  userInfo: UserInfoRequests;
  signIn: SignIn;
  signOut: SignOut;
  maintenance: Maintenance;
  update: Update;
  health: Health;
  refreshStatus: RefreshStatus;
  /** Loads what the first screen needs. */
  start: () => Promise<void>;
}

export function createModel(ports: Ports): Model {
  const dialogs = createDialogs();
  const toasts = createToasts(ports);
  const vault = createVault(ports);
  const accounts = createAccounts(ports);
  const selection = createSelection(ports, accounts);
  const update = createUpdate(ports, dialogs);
  const secret = createSecret(ports, selection, toasts, dialogs);
  const signIn = createSignIn(ports, accounts, selection, dialogs, toasts);

  ports.tokenCache.on('change', () => void accounts.load());

  const pages = createPages();
  const inspect = createInspect();
  const signatures = createSignatureChecks(ports, dialogs);
  // Nobody who finds the computer unlocked later sees a token that was pasted before.
  ports.app.on('lock', inspect.clear);
  pages.view.subscribe(() => {
    if (pages.view.get() !== 'inspect') inspect.clear();
    signatures.clear();
  });
  const settings = createSettings(ports);
  const sources = createSources(ports, dialogs, toasts);
  const namePlaces = () => {
    const { items } = sources.view.get();
    accounts.namePlaces(
      new Map([['vault', 'This vault'], ...items.map(({ id, name }) => [id, name] as const)]),
      (account) => placesOf(account, items),
    );
  };
  namePlaces();
  sources.view.subscribe(namePlaces);
  const health = createHealth(ports, pages, accounts, dialogs, toasts);

  // Another vault state can mean other accounts: unlocked, recovered, started fresh.
  let state = vault.view.get().status?.state;
  vault.view.subscribe(() => {
    const next = vault.view.get().status?.state;
    if (next === state) return;
    const first = state === undefined;
    state = next;
    if (!first) void accounts.load();
  });

  return {
    ports,
    clock: createClock(ports),
    pages,
    vault,
    accounts,
    overview: createOverview(ports, accounts),
    sources,
    settings,
    activity: createActivityLog(ports, dialogs, toasts),
    selection,
    secret,
    dialogs,
    toasts,
    importing: createImporting(ports, vault, dialogs, toasts),
    inspect,
    signatures,
    userInfo: createUserInfo(ports, selection),
    maintenance: createMaintenance(ports, dialogs, toasts),
    update,
    health,
    signIn,
    signOut: createSignOut(ports, vault, accounts, selection, dialogs, toasts),
    refreshStatus: createRefreshStatus(ports, vault, accounts, selection, dialogs, toasts),
    async start() {
      // The time zone must be known before the first list is drawn.
      await Promise.all([vault.load(), accounts.load(settings.load())]);
      // Main loads its sign-in code to answer, so this waits until the window is drawn.
      await ports.time.drawn();
      await signIn.load();
      await Promise.all([update.load(), sources.load()]);
    },
  };
}
