/** The names by which accounts are shown and sorted: in the window, and in main, which sends only the first accounts of a long list. */
import { appName } from './schema/well-known.ts';

/** The fields that a name is derived from; an `AccountItem` has them. */
export interface NameSource {
  id: string;
  kind: 'user' | 'app' | 'orphan';
  name: string | null;
  username: string;
  home_account_id: string | null;
  clients: readonly string[];
}

/**
 * Returns the name of an account; never empty.
 *
 * @param shortened returns an identifier as it is shown
 */
export function shownName(
  { kind, name, username, home_account_id, clients }: Omit<NameSource, 'id'>,
  shortened: (id: string) => string,
): string {
  if (kind === 'app') {
    const id = clients[0] ?? '';
    return name ?? appName(id) ?? shortened(id);
  }
  return name || username || (home_account_id ? shortened(home_account_id) : 'No name');
}

/** The fields that the provider of an account is derived from; an `AccountItem` has them. */
export interface ProviderSource {
  authority_type: string | null;
  environment: string;
  issuer: string | null;
}

/**
 * Returns the provider of an account: its host, with the path of its issuer, by which two realms on one host are told apart. Microsoft's
 * accounts are told apart by their tenants. An issuer on another host, which a document may claim, is not named.
 */
export function providerOf({ authority_type, environment, issuer }: ProviderSource): string {
  if (issuer === null || authority_type === 'MSSTS' || authority_type === 'ADFS') return environment;
  if (!URL.canParse(issuer) || !isIssuerAt(environment, issuer)) return environment;
  const [, path = ''] = /^https?:\/\/[^/?#]+([^?#]*)/i.exec(issuer) ?? [];
  return `${environment}${path.replace(/\/+$/, '')}`;
}

/**
 * Returns whether an issuer is on the host of an environment. MSAL Python omits the port of an environment, MSAL Node keeps it.
 *
 * @example
 * import { isIssuerAt } from 'tokenkeep/ipc';
 *
 * isIssuerAt('id.example', 'https://id.example:8443/acme'); // true
 */
export function isIssuerAt(environment: string, issuer: string): boolean {
  const { host, hostname } = new URL(issuer);
  return [host, hostname].includes(environment.toLowerCase());
}

/** Returns an account's name with its provider, "ada (id.example/realms/test)", if its host alone does not tell it apart. */
export function withRealm(name: string, account: ProviderSource): string {
  const provider = providerOf(account);
  return provider === account.environment ? name : `${name} (${provider})`;
}

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** Compares names as people order them, regardless of case, with numbers by their value. */
export const compareTexts = (a: string, b: string): number => collator.compare(a, b);

/** The fields that tenant names are derived from; an `AccountItem` has them. */
export interface TenantSource {
  kind: NameSource['kind'];
  authority_type: string | null;
  username: string;
  tenants: readonly { realm: string; username?: string | undefined }[];
}

/**
 * Returns the domains of tenants by lower-case ID: the domain that the users of this home tenant share, else the domain in the
 * username of a guest. The cache has no tenant names.
 */
export function tenantDomains(accounts: Iterable<TenantSource>): Map<string, string> {
  const guests = new Map<string, string>();
  const homes = new Map<string, string | null>();
  for (const { kind, authority_type, username, tenants } of accounts) {
    if (kind !== 'user' || authority_type !== 'MSSTS') continue;
    for (const [index, tenant] of tenants.entries()) {
      const id = tenant.realm.toLowerCase();
      if (index === 0) {
        const own = domainOf(username);
        const others = homes.get(id);
        if (own !== null) homes.set(id, others === undefined || others === own ? own : null);
      }
      // Microsoft's username of a guest: "ada_contoso.example#EXT#@fabrikam.example".
      const domain = tenant.username?.includes('#EXT#@') === true ? domainOf(tenant.username) : null;
      if (domain !== null) guests.set(id, domain);
    }
  }
  for (const [id, domain] of homes) if (domain !== null) guests.set(id, domain);
  return guests;
}

/** Returns the domain that all of these users share; null if there is none. */
export function sharedDomain(accounts: Iterable<{ username: string }>): string | null {
  let shared: string | null = null;
  for (const { username } of accounts) {
    const domain = domainOf(username);
    if (domain === null) continue;
    if (shared !== null && shared !== domain) return null;
    shared = domain;
  }
  return shared;
}

function domainOf(username: string): string | null {
  const domain = username.slice(username.lastIndexOf('@') + 1).toLowerCase();
  return username.includes('@') && domain !== '' ? domain : null;
}
