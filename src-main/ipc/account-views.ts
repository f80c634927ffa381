/** The account list of a window: users, apps without a user, and tokens whose account is not in the cache; and its search. */
import { accountStatus } from '../cache/account-status.ts';
import { stringClaim } from '../cache/schema/claims.ts';
import { expiryOf, secondsOf } from '../cache/schema/expiry.ts';
import { scopesOf } from '../cache/schema/scopes.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { type AccountHistory, historyOf } from './account-history.ts';
import {
  type AccountId,
  allTokensOf,
  type CachedAccount,
  type CachedAccounts,
  forEachAccount,
  type Token,
  tokensOf,
} from './cached-accounts.ts';
import type { AccountItem, AccountList } from './contract.ts';
import { accountsAt, partsOf, type PlaceCache } from './places.ts';
import { claimsOf, clientNames, contentsOf, seconds } from './token-views.ts';

/** @param now seconds since the epoch */
export async function accountList(
  cache: TokenCache,
  now: number,
  places: readonly PlaceCache[] = [],
): Promise<AccountList> {
  const cached = accountsAt(cache, places);
  const accounts: AccountItem[] = [];
  let tokens = 0;
  // The first time, names are read from ID tokens, which takes long with many accounts.
  await forEachAccount(cached.byId, (account) => {
    accounts.push(accountItem(account, now, historyOf(cache, account.id)));
    tokens += tokensOf(account).length;
  });
  const apps = accounts.filter(({ kind }) => kind === 'app').length;
  return {
    accounts,
    totals: { accounts: accounts.length - apps, apps, tokens, notUnderstood: cached.notUnderstood },
  };
}

function accountItem(account: CachedAccount, now: number, history: AccountHistory): AccountItem {
  const { id, kind, home_account_id, environment, summary } = account;
  const tokens = tokensOf(account);
  const { accessTokens, refreshTokens, idTokens } = allTokensOf(account);
  return {
    id,
    kind,
    home_account_id,
    environment,
    issuer: issuerOf(account),
    username: usernameOf(account),
    name: nameOf(account),
    authority_type: summary?.authority_type ?? null,
    tenants: summary?.tenants ?? tenantsOf(tokens),
    clients: distinct(tokens.map((token) => token.client_id)),
    tokens: {
      AccessToken: accessTokens.length,
      RefreshToken: refreshTokens.length,
      IdToken: idTokens.length,
    },
    status: accountStatus({ accessTokens, refreshTokens }, history.refusal, now),
    source: history.source,
    places: partsOf(account).map(({ place }) => place),
    ...timesOf(account, now),
  };
}

function timesOf(
  account: CachedAccount,
  now: number,
): Pick<AccountItem, 'nextExpiry' | 'lastExpiry' | 'since'> {
  // A token that was cached in the future is not used until the clock is right again.
  const expiries = allTokensOf(account)
    .accessTokens.filter((token) => !(secondsOf(token.cached_at) > now))
    .map((token) => seconds(expiryOf(token)));
  const known = expiries.filter((expiry) => expiry !== null);
  const cached = tokensOf(account)
    .flatMap((token) => [seconds(token['cached_at']), seconds(token['last_modification_time'])])
    .filter((time) => time !== null);
  return {
    nextExpiry: seconds(Math.min(Infinity, ...known.filter((expiry) => expiry > now))),
    lastExpiry: known.length < expiries.length ? null : seconds(Math.max(-Infinity, ...known)),
    since: seconds(Math.min(Infinity, ...cached)),
  };
}

/**
 * Returns the display name of an account, or null.
 *
 * @example
 * import { cachedAccounts, nameOf } from 'tokenkeep/ipc';
 *
 * await vault.read((cache) => {
 *   for (const account of cachedAccounts(cache).byId.values()) console.log(nameOf(account) ?? 'no name');
 * });
 */
export function nameOf(account: CachedAccount): string | null {
  if (account.kind === 'app') return [...clientNames(account).values()][0] ?? null;
  return account.summary?.name ?? fromIdTokens(account, ['name']) ?? null;
}

/**
 * Returns the user name of the account, else of its ID tokens (OpenID Connect Core §5.1).
 *
 * @example
 * import { cachedAccounts, usernameOf } from 'tokenkeep/ipc';
 *
 * await vault.read((cache) => {
 *   for (const account of cachedAccounts(cache).byId.values()) console.log(usernameOf(account));
 * });
 */
export function usernameOf(account: CachedAccount): string {
  if (account.kind === 'app') return '';
  const stored = account.summary?.username ?? '';
  return stored !== '' ? stored : (fromIdTokens(account, ['preferred_username', 'upn', 'email']) ?? '');
}

/**
 * The issuer that all of an account's entities agree on: what is stored with them, else the `iss` of its ID tokens.
 * null if unknown, or if they disagree.
 *
 * @example
 * import { cachedAccounts, issuerOf } from 'tokenkeep/ipc';
 *
 * await vault.read((cache) => {
 *   for (const account of cachedAccounts(cache).byId.values()) console.log(issuerOf(account) ?? 'unknown issuer');
 * });
 */
export function issuerOf(account: CachedAccount): string | null {
  const stored = distinct(
    [account.summary, ...tokensOf(account)].flatMap((entity) => stringField(entity, 'issuer') ?? []),
  );
  if (stored.length > 0) return stored.length === 1 ? (stored[0] ?? null) : null;
  const claimed = distinct(account.idTokens.flatMap((token) => stringClaim(claimsOf(token), 'iss') ?? []));
  return claimed.length === 1 ? (claimed[0] ?? null) : null;
}

function stringField(entity: object | null, name: string): string | undefined {
  const value: unknown = entity === null ? undefined : Reflect.get(entity, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fromIdTokens(account: CachedAccount, claims: readonly string[]): string | undefined {
  for (const token of account.idTokens) {
    for (const claim of claims) {
      const value = stringClaim(claimsOf(token), claim);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

function tenantsOf(tokens: readonly Token[]): AccountItem['tenants'] {
  const realms = distinct(tokens.map((token) => ('realm' in token ? String(token.realm) : '')));
  return realms.filter((realm) => realm !== '').map((realm) => ({ realm, local_account_id: '' }));
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** The searchable text of entities, computed once because they are frozen. */
const textOfTokens = new WeakMap<Token, string>();
const textOfAccounts = new WeakMap<CachedAccount, string>();

/**
 * Ids of the accounts in which every word is found somewhere, in any case, in the order of the list. Secrets and
 * signatures are not searched.
 */
export async function search(accounts: CachedAccounts['byId'], text: string): Promise<AccountId[]> {
  const words = plain(text)
    .split(/\s+/u)
    .filter((word) => word !== '');
  const found: AccountId[] = [];
  await forEachAccount(accounts, (account) => {
    const known = textOf(account);
    if (words.every((word) => known.includes(word))) found.push(account.id);
  });
  return found;
}

function textOf(account: CachedAccount): string {
  const before = textOfAccounts.get(account);
  if (before !== undefined) return before;
  const { summary, home_account_id, environment } = account;
  const tenants = (summary?.tenants ?? []).flatMap((tenant) => [
    tenant.realm,
    tenant.username ?? '',
    tenant.name ?? '',
  ]);
  const own = [usernameOf(account), nameOf(account) ?? '', home_account_id ?? '', environment, ...tenants];
  const fresh = [joined(own), ...tokensOf(account).map(textOfToken)].join('\n');
  textOfAccounts.set(account, fresh);
  return fresh;
}

function textOfToken(token: Token): string {
  const before = textOfTokens.get(token);
  if (before !== undefined) return before;
  const target = typeof token['target'] === 'string' ? token['target'] : '';
  const realm = typeof token['realm'] === 'string' ? token['realm'] : '';
  const found = contentsOf(token);
  const claims = found?.format === 'jwt' ? valuesIn(found.payload) : [];
  const fresh = joined([token.environment, token.client_id, realm, ...scopesOf(target), ...claims]);
  textOfTokens.set(token, fresh);
  return fresh;
}

/** Returns the names, strings and numbers in a claim at any depth. Booleans are not searchable. */
function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(valuesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...valuesIn(inner)]);
}

/** Joins with line breaks. A search word contains none, so it never matches across two parts. */
function joined(parts: readonly string[]): string {
  return plain(parts.filter((part) => part !== '').join('\n'));
}

/** Normalizes case and accents for comparison. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
