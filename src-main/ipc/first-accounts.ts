/**
 * What a window shows first of many accounts: a row for each would cost the main process and the window more time than opening the vault.
 */
import { compareTexts, shownName, tenantDomains } from '../cache/shown-names.ts';
import { shownStatus, type StatusId, STATUSES } from '../cache/shown-status.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { historyOf } from '../accounts/account-history.ts';
import {
  accountItem,
  nameOf,
  outlineOf,
  statusSource,
  tenantSources,
  tokenCount,
  usernameOf,
} from './account-views.ts';
import {
  type CachedAccount,
  type CachedAccounts,
  cachedAccounts,
  forEachAccount,
} from '../accounts/cached-accounts.ts';
import type { FirstAccounts } from './contract.ts';
import { tenantNames } from './tenant-names.ts';

/** Minimum number of users. With fewer, the whole list is just as fast. */
const MANY = 500;

/** The maximum number of rows that are drawn at once, on a screen that is 2,500 pixels high. */
const ROWS = 60;

interface Ranked {
  account: CachedAccount;
  /** In the order of `STATUSES`. */
  rank: number;
  name: string;
}

/**
 * Returns what a window shows first of many accounts of a vault; null if they are not many, so that it can list them all.
 *
 * @param now seconds since the epoch
 */
export async function firstAccounts(cache: TokenCache, now: number): Promise<FirstAccounts | null> {
  const { byId, notUnderstood } = cachedAccounts(cache);
  if (userCount(byId) < MANY) return null;
  const statuses = Object.fromEntries(STATUSES.map((id) => [id, 0])) as Record<StatusId, number>;
  const totals = { accounts: 0, apps: 0, tokens: 0, notUnderstood };
  const first: Ranked[] = [];
  await forEachAccount(byId, (account) => {
    const { id } = shownStatus(statusSource(account, now, historyOf(cache, account.id)), now);
    statuses[id] += 1;
    totals[account.kind === 'app' ? 'apps' : 'accounts'] += 1;
    totals.tokens += tokenCount(account);
    keep(first, { account, rank: STATUSES.indexOf(id), name: rowName(account) });
  });
  const shown = first.map(({ account }) => accountItem(account, now, historyOf(cache, account.id)));
  const realms = new Set(shown.flatMap(({ tenants }) => tenants.map(({ realm }) => realm.toLowerCase())));
  const domains = tenantDomains(tenantSources(byId));
  return {
    first: shown,
    size: byId.size,
    statuses,
    tenantDomains: Object.fromEntries([...domains].filter(([id]) => realms.has(id))),
    totals,
    tenantNames: tenantNames(cache),
  };
}

function userCount(byId: CachedAccounts['byId']): number {
  let users = 0;
  for (const { kind } of byId.values()) if (kind === 'user') users += 1;
  return users;
}

/** Inserts a row at its place, if it is one of the first. */
function keep(first: Ranked[], row: Ranked): void {
  const last = first.at(-1);
  if (first.length === ROWS && last !== undefined && compare(last, row) <= 0) return;
  const at = first.findIndex((other) => compare(row, other) < 0);
  first.splice(at < 0 ? first.length : at, 0, row);
  if (first.length > ROWS) first.pop();
}

function compare(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || compareTexts(a.name, b.name) || compareTexts(a.account.id, b.account.id);
}

function rowName(account: CachedAccount): string {
  const { kind, home_account_id } = account;
  const named = { kind, home_account_id, name: nameOf(account), username: usernameOf(account) };
  return shownName({ ...named, clients: outlineOf(account).clients }, (id) => id);
}
