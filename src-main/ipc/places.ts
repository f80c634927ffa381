/**
 * The places where an account can be: the vault, and caches of other programs that the user has opened. A user who is in several places is
 * one account. Only the vault is ever written here.
 */
import type { AccountSummary } from '../cache/schema/entities.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import {
  type AccountId,
  type CachedAccount,
  cachedAccounts,
  type CachedAccounts,
  notFound,
} from '../accounts/cached-accounts.ts';
import type { TokenItem } from './contract.ts';
import { tokenList } from './signatures.ts';
import { findToken, type IdentifiedToken, type TokenId, tokenItems } from './token-views.ts';

/** A cache whose accounts are shown beside the vault's. It is only read. */
export interface PlaceCache {
  /** Letters, digits, `-` and `_`, and not `vault`. */
  readonly id: string;
  /** The program's name, for questions. */
  readonly name: string;
  readonly cache: TokenCache;
}

/** The id of the vault among the places. */
export const VAULT_PLACE = 'vault';

/** An account in one place. */
export interface AccountPart {
  readonly place: string;
  readonly account: CachedAccount;
}

/** The parts of the accounts that are not only in the vault. */
const parts = new WeakMap<CachedAccount, readonly AccountPart[]>();

/** Returns where an account is, the vault first. */
export function partsOf(account: CachedAccount): readonly AccountPart[] {
  return parts.get(account) ?? [{ place: VAULT_PLACE, account }];
}

let last: { own: CachedAccounts; others: readonly CachedAccounts[]; all: CachedAccounts } | undefined;

/** Returns the accounts of the vault and of the other places. */
export function accountsAt(cache: TokenCache, places: readonly PlaceCache[]): CachedAccounts {
  const own = cachedAccounts(cache);
  if (places.length === 0) return own;
  const others = places.map((place) => cachedAccounts(place.cache));
  // Combined accounts are reused, because a search attaches its text to them.
  if (
    last?.own === own &&
    last.others.every((one, index) => one === others[index]) &&
    last.others.length === others.length
  )
    return last.all;
  const byId = new Map(own.byId);
  const found = new Map<AccountId, AccountPart[]>();
  for (const [index, place] of places.entries()) {
    for (const account of others[index]?.byId.values() ?? []) {
      const mine = own.byId.get(account.id);
      const before =
        found.get(account.id) ?? (mine === undefined ? [] : [{ place: VAULT_PLACE, account: mine }]);
      found.set(account.id, [...before, { place: place.id, account }]);
    }
  }
  for (const [id, all] of found) {
    const combined = combine(all);
    parts.set(combined, all);
    byId.set(id, combined);
  }
  last = { own, others, all: { byId, notUnderstood: own.notUnderstood } };
  return last.all;
}

function combine(all: readonly AccountPart[]): CachedAccount {
  const accounts = all.map(({ account }) => account);
  const first = accounts.find(({ summary }) => summary !== null) ?? accounts[0];
  if (first === undefined) throw new TypeError('An account is in one place at least.');
  return {
    ...first,
    summary: combineSummaries(accounts.flatMap(({ summary }) => summary ?? [])),
    accessTokens: accounts.flatMap((account) => account.accessTokens),
    refreshTokens: accounts.flatMap((account) => account.refreshTokens),
    idTokens: accounts.flatMap((account) => account.idTokens),
    grants: accounts.flatMap((account) => account.grants),
  };
}

function combineSummaries(all: readonly AccountSummary[]): AccountSummary | null {
  const [first, ...others] = all;
  if (first === undefined) return null;
  const tenants = new Map(first.tenants.map((tenant) => [tenant.realm.toLowerCase(), tenant]));
  for (const { tenants: more } of others)
    for (const tenant of more) {
      const realm = tenant.realm.toLowerCase();
      if (!tenants.has(realm)) tenants.set(realm, tenant);
    }
  const username = all.find((summary) => isVisible(summary.username))?.username ?? '';
  const name = all.find((summary) => isVisible(summary.name ?? ''))?.name;
  return { ...first, username, ...(name === undefined ? {} : { name }), tenants: [...tenants.values()] };
}

/** Whether a name has more than spaces: otherwise nothing would be there to see or to click. */
export const isVisible = (name: string): boolean => name.trim() !== '';

/** @throws InvalidArgumentError if no account has this id any more */
function findAccountAt(cache: TokenCache, places: readonly PlaceCache[], id: AccountId): CachedAccount {
  return accountsAt(cache, places).byId.get(id) ?? notFound();
}

/** The tokens of an account in all its places. The id of one outside the vault ends with its place. */
export function tokensAt(cache: TokenCache, places: readonly PlaceCache[], id: AccountId): TokenItem[] {
  return partsOf(findAccountAt(cache, places, id)).flatMap(({ place, account: part }) =>
    (place === VAULT_PLACE ? tokenList(cache, id) : tokenItems(part)).map((item) =>
      place === VAULT_PLACE ? item : { ...item, id: `${item.id}.${place}`, place },
    ),
  );
}

/** @throws InvalidArgumentError if the token, its account or its place no longer exists */
export function findTokenAt(
  cache: TokenCache,
  places: readonly PlaceCache[],
  id: TokenId,
): { account: CachedAccount; token: IdentifiedToken; place: PlaceCache | null } {
  const [own = '', token = '', where] = id.split('.');
  if (where === undefined) {
    const [account, found] = findToken(cache, id);
    return { account, token: found, place: null };
  }
  const place = places.find((one) => one.id === where);
  if (place === undefined)
    throw new InvalidArgumentError('This cache is not open any more. Nothing was done.');
  const [account, found] = findToken(place.cache, `${own}.${token}`);
  return { account, token: found, place };
}

/**
 * Returns the text of a token in a window's list, for a request of the app that must not send it to the window.
 *
 * @param places the opened caches that the window shows beside the vault
 * @throws InvalidArgumentError if the token, its account or its place no longer exists
 *
 * @example
 * import { tokenText } from 'tokenkeep/ipc';
 *
 * async function lengthOf(tokenId: string): Promise<number> {
 *   return vault.read((cache) => tokenText(cache, [], tokenId).length);
 * }
 */
export function tokenText(cache: TokenCache, places: readonly PlaceCache[], tokenId: string): string {
  return findTokenAt(cache, places, tokenId).token.token.secret;
}
