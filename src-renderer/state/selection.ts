import type { DecodedToken, PlainError, TokenItem } from '../../src-main/ipc/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Ports } from './ports.ts';
import type { AccountGroup } from './groups.ts';
import { createStore, type Store } from './store.ts';
import { sortTokens, type TokenOrder } from './tokens.ts';

export interface SelectionView {
  accountId: string | null;
  /** Tokens of the account in table order; null until loaded. */
  tokens: readonly TokenItem[] | null;
  order: TokenOrder;
  tokenId: string | null;
  /** The menu of the selected token's row is open. It closes if another token is selected, such as after this one was removed. */
  menu: boolean;
  /** null until loaded. */
  claims: DecodedToken | null;
  /** The user opened the token panel. In a narrow window, it is shown only then, over the table. */
  opened: boolean;
  /** Why what the user chose could not be loaded. */
  error: PlainError | null;
  /** Why it could not be loaded again, after a change. */
  missed: PlainError | null;
}

export interface Selection {
  view: Store<SelectionView>;
  account: (id: string) => void;
  /** Selects the first of these accounts if the selected one is not among them. */
  among: (groups: readonly AccountGroup[]) => void;
  token: (id: string) => void;
  closeToken: () => void;
  /** Opens or closes the menu of the selected token's row. */
  menu: (isOpen: boolean) => void;
  sort: (order: TokenOrder) => void;
}

/** The selected account and token. If the selected account is removed, its neighbour is selected. */
export function createSelection({ tokenCache }: Ports, accounts: Accounts): Selection {
  const view = createStore<SelectionView>({
    accountId: null,
    tokens: null,
    order: { column: 'token', direction: 'ascending' },
    tokenId: null,
    menu: false,
    claims: null,
    opened: false,
    error: null,
    missed: null,
  });
  const patch = (changes: Partial<SelectionView>) => {
    const before = view.get();
    const next = { ...before, ...changes };
    view.set(next.tokenId === before.tokenId ? next : { ...next, menu: false });
  };
  /** Account IDs of the last list in order, to find the neighbour of a removed account. */
  let places: readonly string[] = [];

  const failed = (error: PlainError, isAgain: boolean) =>
    isAgain ? { error: null, missed: error } : { error, missed: null };

  const loadClaims = async (tokenId: string, isAgain = false) => {
    const answer = await tokenCache.claims(tokenId);
    if (view.get().tokenId !== tokenId) return;
    patch(answer.ok ? { claims: answer.value } : failed(answer.error, isAgain));
  };

  const loadTokens = async (accountId: string, isAgain = false) => {
    const answer = await tokenCache.tokens(accountId);
    const before = view.get();
    if (before.accountId !== accountId) return;
    if (!answer.ok) {
      // The account may have been removed meanwhile; then the list reloads next.
      if (accounts.view.get().byId.has(accountId))
        patch({ ...failed(answer.error, isAgain), tokens: [], tokenId: null, claims: null });
      return;
    }
    accounts.learn(answer.value);
    const tokens = sortTokens(answer.value, before.order);
    const kept = tokens.some((token) => token.id === before.tokenId);
    const tokenId = kept ? before.tokenId : (tokens[0]?.id ?? null);
    patch({ tokens, tokenId, error: null, missed: null, ...(kept ? {} : { claims: null, opened: false }) });
    if (tokenId !== null) await loadClaims(tokenId, isAgain);
  };

  const choose = (accountId: string | null) => {
    patch({ accountId, tokens: null, tokenId: null, claims: null, opened: false, error: null, missed: null });
    if (accountId !== null) void loadTokens(accountId);
  };

  let seen = accounts.view.get().groups;
  accounts.view.subscribe(() => {
    const { groups, byId } = accounts.view.get();
    if (groups === seen) return; // only the search changed
    seen = groups;
    const { accountId } = view.get();
    const flat = groups.flatMap((group) => group.accounts.map((account) => account.id));
    if (accountId !== null && byId.has(accountId)) void loadTokens(accountId, true);
    else {
      const place = accountId === null ? 0 : Math.max(0, places.indexOf(accountId));
      choose(flat[Math.min(place, flat.length - 1)] ?? null);
    }
    places = flat;
  });

  return {
    view,
    account(id) {
      if (id !== view.get().accountId) choose(id);
    },
    among(groups) {
      const { accountId } = view.get();
      const first = groups[0]?.accounts[0];
      const some = groups.some(({ accounts: all }) => all.some(({ id }) => id === accountId));
      if (!some && first !== undefined) choose(first.id);
    },
    token(id) {
      const same = id === view.get().tokenId;
      patch({ tokenId: id, opened: true, ...(same ? {} : { claims: null, error: null, missed: null }) });
      if (!same) void loadClaims(id);
    },
    closeToken: () => patch({ opened: false }),
    menu: (isOpen) => patch({ menu: isOpen && view.get().tokenId !== null }),
    sort(order) {
      const { tokens } = view.get();
      patch({ order, tokens: tokens && sortTokens(tokens, order) });
    },
  };
}
