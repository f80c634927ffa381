import type { RefreshStatus as Status } from '../../app/contract.ts';
import type { AccountItem, PlainError } from '../../src-main/ipc/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Dialogs } from './dialogs.ts';
import { nameWithRealm } from './groups.ts';
import type { Ports } from './ports.ts';
import type { Selection } from './selection.ts';
import { createStore, type Store } from './store.ts';
import { isPast, relative } from './time.ts';
import type { Toasts } from './toasts.ts';
import type { Vault } from './vault.ts';
import { count, number } from './words.ts';

export interface RefreshStatusView {
  /** The shown account; null if it has no user. */
  accountId: string | null;
  status: Status | null;
  refreshing: boolean;
  /** Error of the last manual refresh. */
  problem: PlainError | null;
}

/** Progress of the refresh of several accounts. */
export interface Refreshing {
  done: number;
  of: number;
}

export interface RefreshStatus {
  view: Store<RefreshStatusView>;
  /** null while no selection is refreshed. */
  several: Store<Refreshing | null>;
  /** @param tokenId one access token; null: all of the account's */
  refresh: (tokenId: string | null) => Promise<void>;
  /** Refreshes these accounts, one after the other. A dialog names those that were not refreshed, and why. */
  refreshSeveral: (accountIds: readonly string[]) => Promise<void>;
  /** Stops `refreshSeveral` after the account that is being refreshed. */
  stop: () => void;
  setAutoRefresh: (on: boolean) => Promise<void>;
}

const NOTHING: RefreshStatusView = { accountId: null, status: null, refreshing: false, problem: null };

/** Refresh status of the shown account: manual refresh and auto-refresh. Sample data makes no requests. */
export function createRefreshStatus(
  { app, time }: Ports,
  vault: Vault,
  accounts: Accounts,
  selection: Selection,
  dialogs: Dialogs,
  toasts: Toasts,
): RefreshStatus {
  const view = createStore<RefreshStatusView>(NOTHING);
  const several = createStore<Refreshing | null>(null);
  let stopping = new AbortController();
  const patch = (changes: Partial<RefreshStatusView>) => view.set({ ...view.get(), ...changes });
  const shown = (): string | null => {
    const id = selection.view.get().accountId;
    const account = id === null ? undefined : accounts.view.get().byId.get(id);
    const here = account?.places.includes('vault') === true;
    return account?.kind !== 'user' || !here || vault.view.get().info?.demo !== false ? null : account.id;
  };

  let asked = 0;
  const load = async () => {
    asked += 1;
    const mine = asked;
    const account = shown();
    if (account === null) {
      view.set(NOTHING);
      return;
    }
    if (view.get().accountId !== account) view.set({ ...NOTHING, accountId: account });
    // Main loads its sign-in code for the first answer, so this waits until the window is drawn. Changes meanwhile lead to one request.
    await time.drawn();
    if (mine !== asked || view.get().accountId !== account) return;
    const answer = await app.refreshStatus(account);
    if (view.get().accountId === account) patch({ status: answer.ok ? answer.value : null });
  };

  let last: string | null = null;
  selection.view.subscribe(() => {
    const id = selection.view.get().accountId;
    if (id !== last) void load();
    last = id;
  });
  accounts.view.subscribe(() => {
    if (!accounts.view.get().searching) void load();
  });
  vault.view.subscribe(() => {
    if (view.get().accountId === null) void load();
  });
  app.on('refreshStatus', () => void load());
  app.on('profiles', () => void load());

  return {
    view,
    several,
    async refreshSeveral(accountIds) {
      if (several.get() !== null) return;
      stopping = new AbortController();
      const problems = new Map<string, string[]>();
      let done = 0;
      let refreshed = 0;
      for (const id of accountIds) {
        if (stopping.signal.aborted) break;
        several.set({ done, of: accountIds.length });
        const account = accounts.view.get().byId.get(id);
        const answer = await app.refreshUnasked(id);
        const problem = answer.ok ? answer.value.problem : answer.error;
        if (problem === null) refreshed += 1;
        else {
          const names = problems.get(problem.message) ?? [];
          names.push(account === undefined ? id : nameWithRealm(account));
          problems.set(problem.message, names);
        }
        done += 1;
      }
      several.set(null);
      const left = accountIds.length - done;
      if (problems.size > 0)
        dialogs.later(() => ({
          kind: 'not-refreshed',
          refreshed,
          problems: [...problems].map(([message, names]) => ({ message, names })),
          left,
        }));
      else toasts.show(`${count(refreshed, 'account')} refreshed${left > 0 ? `, ${number(left)} not` : ''}.`);
    },
    stop: () => stopping.abort(),
    async refresh(tokenId) {
      const account = shown();
      if (account === null || view.get().refreshing) return;
      patch({ refreshing: true, problem: null });
      const answer = await app.refreshNow(account, tokenId);
      if (view.get().accountId !== account) return;
      const problem = answer.ok ? answer.value.problem : answer.error;
      patch({ refreshing: false, problem });
      if (problem === null && answer.ok)
        toasts.show(`${count(answer.value.refreshed, 'access token')} refreshed.`);
      void load();
    },
    async setAutoRefresh(on) {
      const account = shown();
      if (account === null) return;
      patch({ problem: null });
      const answer = await app.setAutoRefresh(account, on);
      if (view.get().accountId !== account) return;
      patch(answer.ok ? { status: answer.value } : { problem: answer.error });
    },
  };
}

/** The accounts among these that have something to refresh: users of the vault with a refresh token. */
export function refreshable(all: readonly AccountItem[]): AccountItem[] {
  return all.filter(
    ({ kind, places, tokens }) => kind === 'user' && places.includes('vault') && tokens.RefreshToken > 0,
  );
}

/** Errors after which only a sign-in helps. The others say what helps when the user refreshes the account. */
const SIGN_IN: ReadonlySet<string> = new Set(['sign_in_again', 'sign_in_required']);

/** Returns the text beside the switch. */
export function refreshStatusText(
  { autoRefresh, nextTry, problem, unreplaced }: Status,
  now: number,
): string {
  if (!autoRefresh) return 'Off: apps refresh their tokens themselves';
  if (problem !== null && nextTry === null)
    return SIGN_IN.has(problem.code) ? 'Paused: sign in again' : 'Paused: choose Refresh now to see why';
  const left = count(unreplaced, 'access token');
  if (nextTry === null)
    return unreplaced === 0 ? 'Nothing to refresh' : `Stopped: the last refresh did not replace ${left}`;
  const when = isPast(nextTry - 1, now) ? 'now' : relative(nextTry, now);
  const next = problem === null ? `Refreshes ${when}` : `Last refresh failed. Next try ${when}`;
  return unreplaced === 0 ? next : `${next}. The last refresh did not replace ${left}`;
}
