/**
 * The tenants of an account. MSAL Python and MSAL.NET store one account entity per tenant; MSAL Node stores one entity with
 * a list in `tenantProfiles`, each item a JSON string.
 */

import { filled, folded, isRecord } from '../json.ts';
import type { Account, TenantProfile } from './entities.ts';

/** Realms that name no tenant. They mean the user's home tenant. */
export const ANY_TENANT: ReadonlySet<string> = new Set(['common', 'organizations', 'consumers']);

/** The realm that MSAL Python stores for AD FS, which has no tenants. MSAL Node stores "". */
export const ADFS_REALM = 'adfs';

/** Returns the home tenant of a `uid.utid`; undefined for an ID of another form. */
export function homeTenantOf(home_account_id: string): string | undefined {
  const start = home_account_id.indexOf('.') + 1;
  const end = home_account_id.indexOf('.', start);
  const tenant = start === 0 ? '' : home_account_id.slice(start, end < 0 ? undefined : end);
  return tenant === '' ? undefined : tenant;
}

function named(account: Account, tenant: string): string {
  return tenant === '' && account.authority_type === 'ADFS' ? ADFS_REALM : tenant;
}

function profile(
  realm: string,
  local: string,
  username: string | undefined,
  name: string | undefined,
): TenantProfile {
  return {
    realm,
    local_account_id: local,
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Parses MSAL Node's list and skips invalid items. */
function listed(account: Account): TenantProfile[] {
  const list = account['tenantProfiles'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const fields = typeof item === 'string' ? parsed(item) : undefined;
    if (fields === undefined || typeof fields['tenantId'] !== 'string') return [];
    const local = filled(fields['localAccountId']) ?? '';
    return [
      profile(named(account, fields['tenantId']), local, filled(fields['username']), filled(fields['name'])),
    ];
  });
}

function parsed(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the entity's own tenant. MSAL Python may have written `common`. */
export function realmOf(account: Account): string {
  const home = homeTenantOf(account.home_account_id);
  return home !== undefined && ANY_TENANT.has(folded(account.realm))
    ? home
    : named(account, account.realm ?? '');
}

export function isHomeTenant(account: Account, realm: string): boolean {
  return folded(homeTenantOf(account.home_account_id)) === folded(realm);
}

function ownTenant(account: Account): TenantProfile {
  const local = filled(account.local_account_id) ?? '';
  return profile(realmOf(account), local, filled(account.username), filled(account['name']));
}

/** Returns the tenants of one user's account entities, without duplicates, the home tenant first. */
export function tenantsOf(accounts: readonly Account[]): TenantProfile[] {
  const [only, ...others] = accounts;
  if (only !== undefined && others.length === 0 && !Array.isArray(only['tenantProfiles']))
    return [ownTenant(only)];
  const tenants = new Map<string, TenantProfile>();
  const add = (tenant: TenantProfile): void => {
    const known = tenants.get(folded(tenant.realm));
    tenants.set(folded(tenant.realm), known === undefined ? tenant : { ...tenant, ...known });
  };
  for (const account of accounts) {
    const list = listed(account);
    // In MSAL Node's documents, the list is complete, and the entity's realm (B2C) may be a tenant that no token names.
    if (list.length === 0) add(ownTenant(account));
    for (const tenant of list) add(tenant);
  }
  const first = accounts[0];
  const all = [...tenants.values()];
  if (first === undefined) return all;
  return [
    ...all.filter((t) => isHomeTenant(first, t.realm)),
    ...all.filter((t) => !isHomeTenant(first, t.realm)),
  ];
}

/** Serializes a tenant as MSAL Node does. */
export function writtenProfile(account: Account, tenant: TenantProfile): string {
  return JSON.stringify({
    tenantId: account.authority_type === 'ADFS' && tenant.realm === ADFS_REALM ? '' : tenant.realm,
    localAccountId: tenant.local_account_id,
    name: tenant.name,
    username: tenant.username ?? '',
    isHomeTenant: isHomeTenant(account, tenant.realm),
  });
}

/** Returns MSAL Node's list of all tenants of one user's entities. Existing items keep their text. */
export function joinedProfiles(accounts: readonly Account[]): string[] {
  const written = new Map<string, string>();
  const unlisted: Account[] = [];
  for (const account of accounts) {
    const list = account['tenantProfiles'];
    let isListed = false;
    for (const item of Array.isArray(list) ? list : []) {
      const fields = typeof item === 'string' ? parsed(item) : undefined;
      if (typeof item !== 'string' || typeof fields?.['tenantId'] !== 'string') continue;
      written.set(folded(named(account, fields['tenantId'])), item);
      isListed = true;
    }
    if (!isListed) unlisted.push(account);
  }
  for (const account of unlisted) {
    const name = folded(realmOf(account));
    if (!written.has(name)) written.set(name, writtenProfile(account, ownTenant(account)));
  }
  return [...written.values()];
}
