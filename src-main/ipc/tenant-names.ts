/** Names that the user gives to tenants, kept in the vault: a token cache has only IDs and the domains of usernames. */
import { isRecord } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { appData, setAppData } from '../cache/app-data.ts';
import { cachedAccounts } from '../accounts/cached-accounts.ts';

const NAME = 'tenants';

/** The most names that are kept; the oldest goes first. */
const MOST = 2_000;

/** Returns the names by tenant ID in lower case. */
export function tenantNames(cache: TokenCache): Readonly<Record<string, string>> {
  const stored = appData(cache, NAME);
  if (!isRecord(stored)) return {};
  return Object.fromEntries(
    Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/**
 * Names a tenant, inside an update. It need not be one of an account in the vault: other programs' caches are shown beside it.
 *
 * @param name "": the tenant has no name of the user's any more
 */
export function nameTenant(cache: TokenCache, realm: string, name: string): void {
  const tenant = realm.toLowerCase();
  const others = Object.entries(tenantNames(cache)).filter(([id]) => id !== tenant);
  const next = (name === '' ? others : [...others, [tenant, name] as const]).slice(-MOST);
  setAppData(cache, NAME, next.length === 0 ? undefined : Object.fromEntries(next));
}

/**
 * Removes accounts, inside an update, and with the last account of a tenant the name that the user gave to it. A tenant that no account of
 * this cache was in keeps its name.
 */
export function forgettingTenants<T>(cache: TokenCache, remove: () => T): T {
  if (Object.keys(tenantNames(cache)).length === 0) return remove();
  const before = tenantsIn(cache);
  const removed = remove();
  const after = tenantsIn(cache);
  for (const tenant of before) if (!after.has(tenant)) nameTenant(cache, tenant, '');
  return removed;
}

function tenantsIn(cache: TokenCache): Set<string> {
  const accounts = [...cachedAccounts(cache).byId.values()];
  return new Set(
    accounts.flatMap(({ summary }) => summary?.tenants.map(({ realm }) => realm.toLowerCase()) ?? []),
  );
}
