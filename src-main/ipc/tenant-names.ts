/** Names that the user gives to tenants, kept in the vault: a token cache has only IDs and the domains of usernames. */
import { isRecord } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { appData, setAppData } from '../cache/token-cache.ts';
import { cachedAccounts } from '../accounts/cached-accounts.ts';

const NAME = 'tenants';

/** The maximum number of names; the oldest is dropped first. */
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
 * Names a tenant, inside an update. No account in the vault need belong to it, because other programs' caches are shown as well.
 *
 * @param name "" removes the user's name for the tenant
 */
export function nameTenant(cache: TokenCache, realm: string, name: string): void {
  const tenant = realm.toLowerCase();
  const others = Object.entries(tenantNames(cache)).filter(([id]) => id !== tenant);
  const next = (name === '' ? others : [...others, [tenant, name] as const]).slice(-MOST);
  setAppData(cache, NAME, next.length === 0 ? undefined : Object.fromEntries(next));
}

/**
 * Removes accounts, inside an update. When the last account of a tenant is removed, so is the user's name for the tenant. A tenant without
 * an account in this cache before the removal keeps its name.
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
