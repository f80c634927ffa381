/** The account list of a window: users, apps without a user, and tokens whose account is not in the cache; and its search. */
import { accountOutline } from '../cache/accounts.ts';
import { tenantDomains, type TenantSource, withRealm } from '../cache/shown-names.ts';
import { accountStatus } from '../cache/account-status.ts';
import type { StatusSource } from '../cache/shown-status.ts';
import type { AccountOutline, TokenOutline } from '../cache/schema/entities.ts';
import { decodeBase64url } from '../cache/schema/claims.ts';
import { scopesOf } from '../cache/schema/match.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { type AccountHistory, historyOf, isUnused } from '../accounts/account-history.ts';
import {
  type AccountId,
  allTokensOf,
  type CachedAccount,
  type CachedAccounts,
  forEachAccount,
  indexedOutline,
  type Token,
  tokensOf,
} from '../accounts/cached-accounts.ts';
import type { AccountItem, AccountList } from './contract.ts';
import { accountsAt, isVisible, partsOf, type PlaceCache, VAULT_PLACE } from './places.ts';
import { tenantNames } from './tenant-names.ts';
import { claimsOf, clientNames, contentsOf, seconds, secretOf } from './token-views.ts';

const outlines = new WeakMap<CachedAccount, AccountOutline>();

/** Returns what a list shows of an account's tokens, from the vault's index if the tokens have not been opened. */
export function outlineOf(account: CachedAccount): AccountOutline {
  const known = outlines.get(account);
  if (known !== undefined) return known;
  const outline =
    indexedOutline(account) ??
    accountOutline(account.summary, allTokensOf(account), account.idTokens, claimsOf);
  outlines.set(account, outline);
  return outline;
}

/** Returns the number of an account's tokens. */
export function tokenCount(account: CachedAccount): number {
  return outlineOf(account).tokens.length;
}

/**
 * Returns the accounts as a window lists them, without opening the tokens of those that the vault's index describes.
 *
 * @param now seconds since the epoch
 * @param places opened caches of other programs, shown beside the vault's
 *
 * @example
 * import { accountList } from 'tokenkeep/ipc';
 *
 * const { accounts } = await accountList(cache, Math.floor(Date.now() / 1000));
 * console.log(accounts.filter(({ status }) => status.state === 'needs-sign-in').length);
 */
export async function accountList(
  cache: TokenCache,
  now: number,
  places: readonly PlaceCache[] = [],
): Promise<AccountList> {
  const cached = accountsAt(cache, places);
  const accounts: AccountItem[] = [];
  let tokens = 0;
  await forEachAccount(cached.byId, (account) => {
    accounts.push(accountItem(account, now, historyOf(cache, account.id)));
    tokens += tokenCount(account);
  });
  const apps = accounts.filter(({ kind }) => kind === 'app').length;
  return {
    accounts,
    totals: { accounts: accounts.length - apps, apps, tokens, notUnderstood: cached.notUnderstood },
    tenantNames: tenantNames(cache),
  };
}

/** Returns the data that determines how an account's status is shown. */
export function statusSource(account: CachedAccount, now: number, history: AccountHistory): StatusSource {
  const { tokens } = outlineOf(account);
  const count = { AccessToken: 0, RefreshToken: 0, IdToken: 0 };
  for (const { type } of tokens) count[type] += 1;
  const status = accountStatus(tokens, history.refusal, now, isUntried(account, history));
  return { kind: account.kind, status, tokens: count };
}

export function accountItem(account: CachedAccount, now: number, history: AccountHistory): AccountItem {
  const { id, home_account_id, environment, summary } = account;
  const { issuer, clients, tokens } = outlineOf(account);
  return {
    ...statusSource(account, now, history),
    id,
    home_account_id,
    environment,
    issuer,
    username: usernameOf(account),
    name: nameOf(account),
    authority_type: summary?.authority_type ?? null,
    tenants: summary?.tenants ?? tenantsOf(tokensOf(account)),
    clients: [...clients],
    source: history.source,
    places: partsOf(account).map(({ place }) => place),
    ...timesOf(tokens, now),
  };
}

/** Whether another program obtained all of an account's refresh tokens, and none was used here. */
function isUntried(account: CachedAccount, history: AccountHistory): boolean {
  const parts = partsOf(account);
  const own = parts.find(({ place }) => place === VAULT_PLACE)?.account;
  if (own === undefined || isUnused(history, own)) return true;
  return parts.length > 1 && !outlineOf(own).tokens.some(({ type }) => type === 'RefreshToken');
}

function timesOf(
  tokens: readonly TokenOutline[],
  now: number,
): Pick<AccountItem, 'nextExpiry' | 'lastExpiry' | 'since'> {
  // A token that was cached in the future is not used until the clock is right again.
  const expiries = tokens
    .filter(({ type, cachedAt }) => type === 'AccessToken' && (cachedAt === null || cachedAt <= now))
    .map(({ expiresAt }) => expiresAt);
  const known = expiries.filter((expiry) => expiry !== null);
  const cached = tokens.flatMap(({ cachedAt, modifiedAt }) => [cachedAt, modifiedAt]);
  return {
    nextExpiry: seconds(Math.min(Infinity, ...known.filter((expiry) => expiry > now))),
    lastExpiry: known.length < expiries.length ? null : seconds(Math.max(-Infinity, ...known)),
    since: seconds(Math.min(Infinity, ...cached.filter((time) => time !== null))),
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
  if (account.kind === 'app') return [...clientNames(account).values()].find(isVisible) ?? null;
  const { name } = outlineOf(account);
  return name !== null && isVisible(name) ? name : null;
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
  const { username } = outlineOf(account);
  return isVisible(username) ? username : '';
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
  return outlineOf(account).issuer;
}

/**
 * Returns a name of an account with its realm, "ada (id.example/realms/test)", if the provider's host has several: two of them may have users
 * of the same name.
 *
 * @example
 * import { cachedAccounts, nameWithRealm, usernameOf } from 'tokenkeep/ipc';
 *
 * await vault.read((cache) => {
 *   for (const account of cachedAccounts(cache).byId.values())
 *     console.log(nameWithRealm(usernameOf(account), account));
 * });
 */
export function nameWithRealm(
  name: string,
  account: Pick<AccountItem, 'authority_type' | 'environment' | 'issuer'> | CachedAccount,
): string {
  if (!('summary' in account)) return withRealm(name, account);
  const { environment, summary } = account;
  return withRealm(name, {
    environment,
    authority_type: summary?.authority_type ?? null,
    issuer: issuerOf(account),
  });
}

/** What the names of tenants are derived from. */
export function* tenantSources(byId: CachedAccounts['byId']): Generator<TenantSource> {
  for (const account of byId.values()) {
    const { kind, summary } = account;
    if (summary === null) continue;
    const { authority_type, tenants } = summary;
    yield { kind, authority_type, tenants, username: usernameOf(account) };
  }
}

/** A tenant in which an account is a guest. `name`: the user's name for it, or the domain of its users, if there is one. */
export interface GuestTenant {
  realm: string;
  name: string | undefined;
}

/**
 * Returns the tenant of a token; undefined if it is the home tenant of its account, or the token names none.
 *
 * @param realm of the token
 * @param places opened caches of other programs, whose accounts name tenants as well
 *
 * @example
 * import { type AccountId, findAccount, tenantOf, tokenItems } from 'tokenkeep/ipc';
 *
 * async function guestTenantsOf(id: AccountId): Promise<string[]> {
 *   return vault.read((cache) => {
 *     const account = findAccount(cache, id);
 *     const guest = tokenItems(account).flatMap(({ realm }) => tenantOf(cache, account, realm) ?? []);
 *     return guest.map(({ realm, name }) => name ?? realm);
 *   });
 * }
 */
export function tenantOf(
  cache: TokenCache,
  account: CachedAccount,
  realm: string | null,
  places: readonly PlaceCache[] = [],
): GuestTenant | undefined {
  const home = account.summary?.tenants[0]?.realm.toLowerCase();
  const id = realm?.toLowerCase() ?? '';
  if (realm === null || id === '' || home === undefined || home === id) return undefined;
  const own = new Map(Object.entries(tenantNames(cache))).get(id);
  return { realm, name: own ?? tenantDomains(tenantSources(accountsAt(cache, places).byId)).get(id) };
}

/** Returns the tenants of an account that has no account entity. */
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
  const values = found?.format === 'jwt' ? valuesIn(found.payload) : [];
  const claims = values.some((text) => ROUNDED.test(text)) ? [...values, ...longNumbersIn(token)] : values;
  const fresh = joined([token.environment, token.client_id, realm, ...scopesOf(target), ...claims]);
  textOfTokens.set(token, fresh);
  return fresh;
}

/** A number that may have lost digits to JSON.parse. */
const ROUNDED = /^-?\d{16,}$|e\+/;

/** Returns the numbers of a JWT's claims as they are written, with all their digits. */
function longNumbersIn(token: Token): readonly string[] {
  return decodeBase64url(secretOf(token).split('.', 2)[1] ?? '')?.match(/\d{16,}/g) ?? [];
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
