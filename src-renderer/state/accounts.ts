import type {
  AccountItem,
  AccountList,
  FirstAccounts,
  Outcome,
  PlainError,
  TokenItem,
} from '../../src-main/ipc/contract.ts';
import {
  type AccountGroup,
  groupAccounts,
  keepOnly,
  namesOf,
  type Nicknames,
  type TenantNames,
  tenantNames,
} from './groups.ts';
import type { Ports } from './ports.ts';
import {
  highlightedWords,
  matchesShown,
  parseSearch,
  type SearchContext,
  type SearchTerm,
  shownAppName,
} from './search.ts';
import { createStore, type Store } from './store.ts';
import { visible } from './text.ts';
import { inTurns } from './turns.ts';
import { apisNamed } from './wellKnown.ts';
import { number } from './words.ts';

export interface AccountsView {
  /** The first accounts of a long list, shown until it is loaded; else null. No action uses these alone. */
  first: FirstAccounts | null;
  /** null until the first answer. */
  totals: AccountList['totals'] | null;
  byId: ReadonlyMap<string, AccountItem>;
  /** All groups, and the groups with only the accounts that match the search. */
  groups: readonly AccountGroup[];
  tenants: TenantNames;
  /** Names that the user gave to tenants. */
  nicknames: Nicknames;
  /** Names of apps by client ID, learned from their tokens. */
  appNames: ReadonlyMap<string, string>;
  shown: readonly AccountGroup[];
  /** Number of accounts in `shown`. */
  shownCount: number;
  /** Text of the search field. */
  text: string;
  /** The texts that it looks for, to highlight them. Parsed once, not for each of the hundreds of texts in view. */
  words: readonly string[];
  /** The answer to `text` is pending. */
  searching: boolean;
  error: PlainError | null;
}

/** Milliseconds without typing before main is asked. */
export const SEARCH_PAUSE = 120;

/** Maximum number of apps without a published name whose tokens are loaded at once to find one. */
const MOST_NAMED = 24;

/**
 * Limits, in milliseconds, of the time until the list is loaded again because a token expires. Long lists are loaded less
 * often: 10,000 accounts at most once a minute. `setTimeout` can't wait for months.
 */
const SHORTEST_PAUSE = 5_000;
const PAUSE_PER_ACCOUNT = 6;
const LONGEST_PAUSE = 24 * 3600 * 1000;

export interface Accounts {
  view: Store<AccountsView>;
  /** Loads the list from main, and shows it once `after` is resolved. Calls during a load lead to one more load. */
  load: (after?: Promise<unknown>) => Promise<void>;
  search: (text: string) => void;
  /** Gives a tenant a name; "" removes it. Resolves with the error, or null. */
  nameTenant: (realm: string, name: string) => Promise<PlainError | null>;
  /** Learns the names of apps from tokens. */
  learn: (tokens: readonly TokenItem[]) => void;
  /** Tells the search the names of the sources by ID, and at which of them an account is shown. */
  namePlaces: (names: ReadonlyMap<string, string>, placesOf: NonNullable<SearchContext['placesOf']>) => void;
  /** Loads tokens of apps whose names are not known, to learn them. */
  nameApps: () => Promise<void>;
}

export function createAccounts({ tokenCache, firstAccounts, time }: Ports): Accounts {
  const view = createStore<AccountsView>({
    first: null,
    totals: null,
    byId: new Map(),
    groups: [],
    tenants: new Map(),
    nicknames: {},
    appNames: new Map(),
    shown: [],
    shownCount: 0,
    text: '',
    words: [],
    searching: false,
    error: null,
  });
  let places: Pick<SearchContext, 'placeNames' | 'placesOf'> = {};
  let matching: ReadonlySet<string> | null = null;
  /** Inputs of the current `shown`. */
  let shownOf: { groups: readonly AccountGroup[]; matching: ReadonlySet<string> | null } = {
    groups: [],
    matching,
  };
  let question = 0;
  /** Client IDs whose names have been looked for. */
  const asked = new Set<string>();
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

  /** Finds the accounts that match one term: by what is shown of them, and by what main knows of their tokens. */
  const find = async (term: SearchTerm): Promise<Outcome<ReadonlySet<string>>> => {
    const { byId, tenants, appNames } = view.get();
    const context = { tenants, appNames, ...places, now: Math.floor(time.now() / 1000) };
    const ids = new Set<string>();
    await inTurns(byId.values(), time, (account) => {
      if (matchesShown(account, term, context)) ids.add(account.id);
    });
    if (term.field !== 'any') return { ok: true, value: ids };
    // No token contains "Azure Resource Manager", but tokens contain its ID and hosts.
    const answers = await Promise.all(
      [term.text, ...apisNamed(term.text)].map((text) => tokenCache.search(text)),
    );
    for (const answer of answers) {
      if (!answer.ok) return answer;
      for (const id of answer.value) ids.add(id);
    }
    return { ok: true, value: ids };
  };

  const ask = async () => {
    const text = view.get().text.trim();
    question += 1;
    const mine = question;
    const terms = parseSearch(text);
    // "app:", while its value is being typed.
    if (terms.length === 0) {
      matching = null;
      patch({ searching: false });
      return;
    }
    const answers = await Promise.all(terms.map(find));
    if (mine !== question) return; // superseded by a newer request
    const failed = answers.find((answer) => !answer.ok);
    const found = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    const [first = new Set<string>(), ...others] = found;
    matching = new Set(failed ? [] : [...first].filter((id) => others.every((ids) => ids.has(id))));
    patch({ searching: false, error: failed?.ok === false ? failed.error : null });
  };

  /** Loads the list. The first time, shows the first accounts of a long list before that. */
  const loadList = async (after?: Promise<unknown>): Promise<Outcome<AccountList>> => {
    if (view.get().totals !== null) return tokenCache.accounts();
    const answer = await firstAccounts();
    await after;
    if (!answer.ok) return answer;
    if ('accounts' in answer.value) return { ok: true, value: answer.value };
    const { totals, tenantNames: nicknames, tenantDomains } = answer.value;
    const tenants = namesOf(Object.entries(tenantDomains), nicknames);
    patch({ first: answer.value, totals, nicknames, tenants, error: null });
    await time.drawn();
    return tokenCache.accounts();
  };

  const loadOnce = async (after?: Promise<unknown>) => {
    const answer = await loadList(after);
    await after;
    if (!answer.ok) {
      patch({ error: answer.error, ...(view.get().first === null ? {} : { first: null, totals: null }) });
      return;
    }
    const { accounts: all, totals, tenantNames: nicknames } = answer.value;
    const tenants = tenantNames(all, nicknames);
    patch({
      first: null,
      totals,
      byId: new Map(all.map((account) => [account.id, account])),
      groups: groupAccounts(all, nicknames, tenants),
      tenants,
      nicknames,
      error: null,
    });
    lookAgainWhenDue(all);
    if (view.get().text.trim() !== '') await ask();
  };

  /** Loads the list again when the next access token, or the last refresh token of an account, has expired. */
  const lookAgainWhenDue = (all: readonly AccountItem[]) => {
    callOffLook();
    const now = time.now();
    const next = all.reduce((soonest, { nextExpiry, status }) => {
      const ends = status.state === 'renews' ? status.next?.at : undefined;
      return Math.min(soonest, (nextExpiry ?? Infinity) * 1000, (ends ?? Infinity) * 1000);
    }, Number.POSITIVE_INFINITY);
    if (next === Number.POSITIVE_INFINITY) return;
    const pause = Math.min(
      LONGEST_PAUSE,
      Math.max(SHORTEST_PAUSE, all.length * PAUSE_PER_ACCOUNT, next - now + 1000),
    );
    callOffLook = time.after(pause, () => void accounts.load());
  };

  const accounts: Accounts = {
    view,
    load(after) {
      if (loading === null) {
        loading = loadOnce(after).finally(() => {
          loading = null;
          next = null;
        });
        return loading;
      }
      // The pending answer may be older than this call.
      next ??= loading.then(() => accounts.load());
      return next;
    },
    async nameTenant(realm, name) {
      const answer = await tokenCache.nameTenant(realm, name);
      if (answer.ok) await accounts.load();
      return answer.ok ? null : answer.error;
    },
    learn(tokens) {
      const { appNames } = view.get();
      const learned = tokens.filter(
        ({ client_id, client_name }) => client_name && appNames.get(client_id) !== visible(client_name),
      );
      if (learned.length === 0) return;
      const names = learned.map(
        ({ client_id, client_name }) => [client_id, visible(client_name ?? '')] as const,
      );
      patch({ appNames: new Map([...appNames, ...names]) });
    },
    namePlaces(placeNames, placesOf) {
      places = { placeNames, placesOf };
    },
    async nameApps() {
      await time.drawn();
      const { byId, appNames } = view.get();
      const holders = new Map<string, string>();
      for (const { id, clients } of byId.values()) {
        for (const client of clients) {
          if (asked.has(client) || holders.has(client) || shownAppName(client, appNames) !== null) continue;
          if (holders.size < MOST_NAMED) holders.set(client, id);
        }
      }
      for (const client of holders.keys()) asked.add(client);
      const answers = await Promise.all([...new Set(holders.values())].map((id) => tokenCache.tokens(id)));
      accounts.learn(answers.flatMap((answer) => (answer.ok ? answer.value : [])));
    },
    search(text) {
      callOff();
      question += 1; // drops a pending answer to another text
      const idle = text.trim() === '';
      if (idle) matching = null;
      patch({ text, words: highlightedWords(text), searching: !idle, error: null });
      if (!idle) callOff = time.after(SEARCH_PAUSE, () => void ask());
    },
  };
  return accounts;
}

/** Text beside the search field: "12 of 10,000", including users that only programs name. Empty without a search. */
export function searchFound(
  { text, searching, shownCount, byId, first }: AccountsView,
  named = { found: 0, of: 0 },
): string {
  if (text.trim() === '') return '';
  return searching || first !== null
    ? 'searching…'
    : `${number(shownCount + named.found)} of ${number(byId.size + named.of)}`;
}
