import type { AccountItem, AccountList } from '../../src-main/ipc/contract.ts';
import {
  compareTexts,
  providerOf,
  sharedDomain,
  shownName,
  tenantDomains,
  withRealm,
} from '../../src-main/cache/shown-names.ts';
import { kept } from './kept.ts';
import { plainText, shortId, visible } from './text.ts';
import { PERSONAL_TENANT } from './wellKnown.ts';
import { listing } from './words.ts';

/** A section of the account list: one tenant, one provider, or the apps. */
export interface AccountGroup {
  id: string;
  title: string;
  accounts: readonly AccountItem[];
}

/** The accounts of all groups. */
export const accountsIn = kept((groups: readonly AccountGroup[]): readonly AccountItem[] =>
  groups.flatMap((group) => group.accounts),
);

/** Names that the user gave to tenants, by ID in lower case. */
export type Nicknames = AccountList['tenantNames'];

/** Returns the name that the user gave to a tenant. Its ID is untrusted text and may be `constructor`. */
export function nicknameOf(nicknames: Nicknames, realm: string): string | undefined {
  const id = realm.toLowerCase();
  return Object.hasOwn(nicknames, id) ? nicknames[id] : undefined;
}

/** Maximum characters, the same as main accepts. */
export const LONGEST_TENANT_NAME = 60;

/** Returns the name of an account; never empty. */
export const accountName = (account: AccountItem): string => shownName(account, shortId);

/** Returns the name of an account where only names are shown: "ada (id.example/realms/test)" if its host alone does not tell it apart. */
export const nameWithRealm = (account: AccountItem): string => withRealm(accountName(account), account);

/** Returns the second line of an account; differs from its name. */
export function accountDetail(account: AccountItem, names: TenantNames): string {
  if (account.kind === 'app') {
    const realm = account.tenants[0]?.realm;
    return realm ? `tenant ${tenantName(realm, names)}` : visible(account.environment);
  }
  if (account.kind === 'orphan') return visible(account.environment);
  if (account.username !== '' && account.username !== accountName(account)) return account.username;
  return visible(providerOf(account));
}

/**
 * Groups accounts by home tenant, or by host if the provider has no tenants; then apps, then tokens without an
 * account. A tenant is named after the domain of its users, because the cache has no tenant names.
 */
export function groupAccounts(
  accounts: readonly AccountItem[],
  nicknames: Nicknames = {},
  names: TenantNames = tenantNames(accounts, nicknames),
): AccountGroup[] {
  const byId = new Map<string, AccountItem[]>();
  for (const account of byName(accounts)) {
    const id = groupId(account);
    const group = byId.get(id);
    if (group === undefined) byId.set(id, [account]);
    else group.push(account);
  }
  return [...byId]
    .map(([id, group]) => ({ id, title: titleOf(id, group, names), accounts: group }))
    .sort((a, b) => rank(a.id) - rank(b.id) || compareTexts(a.title, b.title) || compareTexts(a.id, b.id));
}

/** The place of each account in the order of all names: comparing names is slow, and a long list is sorted often. */
const places = new WeakMap<AccountItem, number>();

/** Sorts all accounts of a list by name, and stores their places for `compareNames`. */
function byName(accounts: readonly AccountItem[]): AccountItem[] {
  const names = new Map(accounts.map((account) => [account, accountName(account)]));
  const sorted = [...accounts].sort((a, b) => compare(names.get(a) ?? '', names.get(b) ?? '', a, b));
  sorted.forEach((account, place) => places.set(account, place));
  return sorted;
}

/** Compares two accounts of a list by name. */
export function compareNames(a: AccountItem, b: AccountItem): number {
  const [x, y] = [places.get(a), places.get(b)];
  return x === undefined || y === undefined ? compare(accountName(a), accountName(b), a, b) : x - y;
}

function compare(nameOfA: string, nameOfB: string, a: AccountItem, b: AccountItem): number {
  return compareTexts(nameOfA, nameOfB) || compareTexts(a.id, b.id);
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
  return tenant ? `tenant ${tenant}` : `host ${providerOf(account)}`;
}

function rank(id: string): number {
  if (id === 'orphan') return 2;
  return id === 'app' ? 1 : 0;
}

export const GROUP_TITLES = { app: 'Apps without a user', orphan: 'Tokens without an account' } as const;
/** What a row of the table says of an app. */
export const APP_ROW = 'App without a user';

function titleOf(id: string, accounts: readonly AccountItem[], names: TenantNames): string {
  if (id === 'app' || id === 'orphan') return GROUP_TITLES[id];
  if (id.startsWith('host ')) return visible(id.slice(5));
  const tenant = id.slice(7);
  const name = names.get(tenant);
  if (name !== undefined) return name;
  const domain = sharedDomain(accounts);
  return domain === null ? `Tenant ${shortId(tenant)}` : visible(domain);
}

/**
 * Names of tenants by lower-case ID: the domain that the users at home there share, else the domain in the username of
 * a guest. The cache has no tenant names.
 */
export type TenantNames = ReadonlyMap<string, string>;

export function tenantNames(accounts: readonly AccountItem[], nicknames: Nicknames = {}): TenantNames {
  return namesOf(tenantDomains(accounts), nicknames);
}

/** Returns the names of tenants whose domains are known. */
export function namesOf(domains: Iterable<[string, string]>, nicknames: Nicknames = {}): TenantNames {
  const names = new Map([...domains].map(([id, domain]) => [id, visible(domain)]));
  names.set(PERSONAL_TENANT, 'Personal Microsoft accounts');
  for (const [id, name] of Object.entries(nicknames)) names.set(id, visible(name));
  return toldApart(names);
}

/** Adds the short ID to names that several tenants have: it would not be known which of them is meant. */
function toldApart(names: ReadonlyMap<string, string>): Map<string, string> {
  const looks = (name: string) => plainText(name).replaceAll(/\s+/g, ' ');
  const seen = new Map<string, number>();
  for (const name of names.values()) seen.set(looks(name), (seen.get(looks(name)) ?? 0) + 1);
  return new Map(
    [...names].map(([id, name]) => [
      id,
      (seen.get(looks(name)) ?? 0) > 1 ? `${name} (${shortId(id)})` : name,
    ]),
  );
}

/** Returns the name of a tenant, else its short ID: "contoso.example", "72f9…db47". */
export function tenantName(realm: string, names: TenantNames): string {
  return names.get(realm.toLowerCase()) ?? shortId(realm);
}

/** Name of the home tenant, or host of a provider without tenants. */
export function homeTenant(account: AccountItem, names: TenantNames): string {
  const home = account.tenants[0]?.realm;
  return home && hasTenants(account) ? tenantName(home, names) : visible(providerOf(account));
}

/** The tenants of an account, at home and as a guest, by ID in lower case; for a provider without tenants, its host. */
export function tenantIds(account: AccountItem): readonly string[] {
  const ids = account.tenants.map(({ realm }) => realm.toLowerCase()).filter((id) => id !== '');
  return ids.length > 0 && hasTenants(account) ? ids : [providerOf(account)];
}

export function hasTenants({ authority_type, kind }: AccountItem): boolean {
  return authority_type === 'MSSTS' || kind === 'app';
}

/** Returns the line under the name of the shown account: "ada@contoso.example · guest in fabrikam.example". */
export function accountPlace(account: AccountItem, names: TenantNames): string {
  const home = account.tenants[0]?.realm;
  if (account.kind === 'app')
    return home ? `tenant ${tenantName(home, names)} · ${account.environment}` : account.environment;
  if (account.kind === 'orphan') return `${account.environment} · account not in the cache`;
  const provider = providerOf(account);
  const hasUsername = account.username !== '' && account.name !== null;
  const parts = [hasUsername ? account.username : provider];
  if (hasUsername && provider !== account.environment) parts.push(provider);
  const guest = account.tenants.slice(1).map(({ realm }) => tenantName(realm, names));
  if (guest.length > 0) parts.push(`guest in ${listing(guest, 3)}`);
  return parts.join(' · ');
}
