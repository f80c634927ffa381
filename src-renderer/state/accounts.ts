import type { AccountItem, AccountList, PlainError } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import { type AccountGroup, groupAccounts, keepOnly, type TenantNames, tenantNames } from './groups.ts';
import { createStore, type Store } from './store.ts';
import { number } from './words.ts';

export interface AccountsView {
  /** null until the first answer. */
  totals: AccountList['totals'] | null;
  byId: ReadonlyMap<string, AccountItem>;
  /** All groups, and the groups with only the accounts that match the search. */
  groups: readonly AccountGroup[];
  tenants: TenantNames;
  shown: readonly AccountGroup[];
  /** Number of accounts in `shown`. */
  shownCount: number;
  /** Text of the search field. */
  text: string;
  /** The answer to `text` is pending. */
  searching: boolean;
  error: PlainError | null;
}

/** Milliseconds without typing before main is asked. */
export const SEARCH_PAUSE = 120;

/**
 * Milliseconds between two loads of the list after expiries. Long lists are loaded less often: 10,000 accounts at
 * most once a minute. `setTimeout` can't wait for months.
 */
const SHORTEST_PAUSE = 5_000;
const PAUSE_PER_ACCOUNT = 6;
const LONGEST_PAUSE = 24 * 3600 * 1000;

export interface Accounts {
  view: Store<AccountsView>;
  /** Loads the list from main. Calls during a load lead to one more load. */
  load: () => Promise<void>;
  search: (text: string) => void;
}

export function createAccounts({ tokenCache, time }: Ports): Accounts {
  const view = createStore<AccountsView>({
    totals: null,
    byId: new Map(),
    groups: [],
    tenants: new Map(),
    shown: [],
    shownCount: 0,
    text: '',
    searching: false,
    error: null,
  });
  let matching: ReadonlySet<string> | null = null;
  /** Inputs of the current `shown`. */
  let shownOf: { groups: readonly AccountGroup[]; matching: ReadonlySet<string> | null } = {
    groups: [],
    matching,
  };
  let question = 0;
  let callOff = () => {};
  let callOffLook = () => {};
  let loading: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const patch = (changes: Partial<AccountsView>) => {
    const next = { ...view.get(), ...changes };
    // Typing alone keeps `shown`, so that the list is not laid out again.
    if (next.groups !== shownOf.groups || matching !== shownOf.matching) {
      shownOf = { groups: next.groups, matching };
      next.shown = matching === null ? next.groups : keepOnly(next.groups, matching);
      next.shownCount = next.shown.reduce((sum, group) => sum + group.accounts.length, 0);
    }
    view.set(next);
  };

  const ask = async () => {
    const text = view.get().text.trim();
    question += 1;
    const mine = question;
    if (text === '') {
      matching = null;
      patch({ searching: false });
      return;
    }
    const answer = await tokenCache.search(text);
    if (mine !== question) return; // superseded by a newer request
    matching = new Set(answer.ok ? answer.value : []);
    patch({ searching: false, error: answer.ok ? null : answer.error });
  };

  const loadOnce = async () => {
    const answer = await tokenCache.accounts();
    if (!answer.ok) {
      patch({ error: answer.error });
      return;
    }
    const { accounts: all, totals } = answer.value;
    patch({
      totals,
      byId: new Map(all.map((account) => [account.id, account])),
      groups: groupAccounts(all),
      tenants: tenantNames(all),
      error: null,
    });
    lookAgainWhenDue(all);
    if (view.get().text.trim() !== '') await ask();
  };

  /** Loads the list again when the next token has expired. */
  const lookAgainWhenDue = (all: readonly AccountItem[]) => {
    callOffLook();
    const now = time.now();
    const next = all.reduce(
      (soonest, { nextExpiry }) => (nextExpiry === null ? soonest : Math.min(soonest, nextExpiry * 1000)),
      Number.POSITIVE_INFINITY,
    );
    if (next === Number.POSITIVE_INFINITY) return;
    const pause = Math.min(
      LONGEST_PAUSE,
      Math.max(SHORTEST_PAUSE, all.length * PAUSE_PER_ACCOUNT, next - now + 1000),
    );
    callOffLook = time.after(pause, () => void accounts.load());
  };

  const accounts: Accounts = {
    view,
    load() {
      if (loading === null) {
        loading = loadOnce().finally(() => {
          loading = null;
          next = null;
        });
        return loading;
      }
      // The pending answer may be older than this call.
      next ??= loading.then(() => accounts.load());
      return next;
    },
    search(text) {
      callOff();
      question += 1; // drops a pending answer to another text
      const idle = text.trim() === '';
      if (idle) matching = null;
      patch({ text, searching: !idle, error: null });
      if (!idle) callOff = time.after(SEARCH_PAUSE, () => void ask());
    },
  };
  return accounts;
}

/** Text beside the search field: "12 of 10,000". Empty without a search. */
export function searchFound({ text, searching, shownCount, byId }: AccountsView): string {
  if (text.trim() === '') return '';
  return searching ? 'searching…' : `${number(shownCount)} of ${number(byId.size)}`;
}
