import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { shortId, visible } from './text.ts';
import { appName, PERSONAL_TENANT } from './wellKnown.ts';

/** A section of the account list: one tenant, one provider, or the apps. */
export interface AccountGroup {
  id: string;
  title: string;
  accounts: readonly AccountItem[];
}

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** Returns the name of an account; never empty. */
export function accountName(account: AccountItem): string {
  if (account.kind === 'app') {
    const id = account.clients[0] ?? '';
    return account.name ?? appName(id) ?? shortId(id);
  }
  return (
    account.name ||
    account.username ||
    (account.home_account_id ? shortId(account.home_account_id) : 'No name')
  );
}

/** Returns the second line of an account; differs from its name. */
export function accountDetail(account: AccountItem): string {
  if (account.kind === 'app') {
    const realm = account.tenants[0]?.realm;
    return realm ? `tenant ${shortId(realm)}` : visible(account.environment);
  }
  if (account.kind === 'orphan') return visible(account.environment);
  if (account.username !== '' && account.username !== accountName(account)) return account.username;
  return visible(account.environment);
}

/**
 * Groups accounts by home tenant, or by host if the provider has no tenants; then apps, then tokens without an
 * account. A tenant is named after the domain of its users, because the cache has no tenant names.
 */
export function groupAccounts(accounts: readonly AccountItem[]): AccountGroup[] {
  const byId = new Map<string, AccountItem[]>();
  for (const account of accounts) {
    const id = groupId(account);
    const group = byId.get(id);
    if (group === undefined) byId.set(id, [account]);
    else group.push(account);
  }
  const names = new Map(accounts.map((account) => [account, accountName(account)]));
  const byName = (a: AccountItem, b: AccountItem) =>
    collator.compare(names.get(a) ?? '', names.get(b) ?? '') || collator.compare(a.id, b.id);
  return [...byId]
    .map(([id, group]) => ({ id, title: titleOf(id, group), accounts: group.sort(byName) }))
    .sort(
      (a, b) => rank(a.id) - rank(b.id) || collator.compare(a.title, b.title) || collator.compare(a.id, b.id),
    );
}

/** Keeps only these accounts and drops empty groups. */
export function keepOnly(groups: readonly AccountGroup[], ids: ReadonlySet<string>): AccountGroup[] {
  return groups
    .map((group) => ({ ...group, accounts: group.accounts.filter((account) => ids.has(account.id)) }))
    .filter((group) => group.accounts.length > 0);
}

function groupId(account: AccountItem): string {
  if (account.kind !== 'user') return account.kind;
  const tenant = account.authority_type === 'MSSTS' ? account.tenants[0]?.realm.toLowerCase() : undefined;
  return tenant ? `tenant ${tenant}` : `host ${account.environment.toLowerCase()}`;
}

function rank(id: string): number {
  if (id === 'orphan') return 2;
  return id === 'app' ? 1 : 0;
}

function titleOf(id: string, accounts: readonly AccountItem[]): string {
  if (id === 'app') return 'Apps without a user';
  if (id === 'orphan') return 'Tokens without an account';
  if (id.startsWith('host ')) return visible(id.slice(5));
  const tenant = id.slice(7);
  if (tenant === PERSONAL_TENANT) return 'Personal Microsoft accounts';
  return sharedDomain(accounts) ?? `Tenant ${shortId(tenant)}`;
}

function sharedDomain(accounts: readonly AccountItem[]): string | null {
  let shared: string | null = null;
  for (const { username } of accounts) {
    const domain = username.includes('@')
      ? username.slice(username.lastIndexOf('@') + 1).toLowerCase()
      : null;
    if (domain === null || domain === '') continue;
    if (shared !== null && shared !== domain) return null;
    shared = domain;
  }
  return shared === null ? null : visible(shared);
}

/** Returns the line under the name of the shown account: "ada@contoso.example · guest in fabrikam.example". */
export function accountPlace(account: AccountItem): string {
  if (account.kind === 'app') return `${accountDetail(account)} · ${account.environment}`;
  if (account.kind === 'orphan') return `${account.environment} · account not in the cache`;
  const parts = [account.username !== '' && account.name ? account.username : account.environment];
  const guest = account.tenants.length - 1;
  if (guest > 0)
    parts.push(
      `guest in ${guest === 1 ? `tenant ${shortId(account.tenants[1]?.realm ?? '')}` : `${guest} tenants`}`,
    );
  return parts.join(' · ');
}
