/**
 * The hosts of Microsoft's clouds and what else they are called. Every other host is its own environment. Source:
 * the instance discovery metadata that MSAL Node (AuthorityMetadata) and MSAL.NET (KnownMetadataProvider) carry.
 */
interface Cloud {
  /** What MSAL Node and MSAL.NET write into a cache. */
  cached: string;
  /** What MSAL Python's constants name the cloud; it writes the host that was configured. */
  configured: string;
  aliases: readonly string[];
}

function cloud(cached: string, configured: string, ...more: readonly string[]): Cloud {
  return { cached, configured, aliases: [...new Set([cached, configured, ...more])] };
}

const CLOUDS: readonly Cloud[] = [
  cloud('login.windows.net', 'login.microsoftonline.com', 'login.microsoft.com', 'sts.windows.net'),
  cloud('login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'),
  cloud('login.microsoftonline.us', 'login.microsoftonline.us', 'login.usgovcloudapi.net'),
  cloud('login.microsoftonline.de', 'login.microsoftonline.de'),
  cloud('login-us.microsoftonline.com', 'login-us.microsoftonline.com'),
  cloud('login.windows-ppe.net', 'login.windows-ppe.net', 'sts.windows-ppe.net', 'login.microsoft-ppe.com'),
  cloud('login.sovcloud-identity.fr', 'login.sovcloud-identity.fr'),
  cloud('login.sovcloud-identity.de', 'login.sovcloud-identity.de'),
  cloud('login.sovcloud-identity.sg', 'login.sovcloud-identity.sg'),
];

const BY_ALIAS: ReadonlyMap<string, Cloud> = new Map(
  CLOUDS.flatMap((known) => known.aliases.map((alias) => [alias, known] as const)),
);

/** A region's host (`westus2.login.microsoft.com`) is its cloud's. */
function find(environment: string): Cloud | undefined {
  const known = BY_ALIAS.get(environment);
  if (known !== undefined) return known;
  const host = environment.toLowerCase();
  return BY_ALIAS.get(host) ?? BY_ALIAS.get(host.slice(host.indexOf('.') + 1));
}

/** The host of an environment without its port: MSAL Node writes the port, MSAL Python does not. */
export function hostOf(environment: string): string {
  return environment.toLowerCase().replace(/:\d+$/, '');
}

const PORT = /:(\d+)$/;

/** The one name that stands for all aliases of an environment: what MSAL Node and MSAL.NET write. */
export function canonicalEnvironment(environment: string): string {
  return find(environment)?.cached ?? environment.toLowerCase();
}

/**
 * Returns the host that an app configures for an environment, under which MSAL Python stores tokens. Unknown hosts are returned unchanged.
 *
 * @example
 * import { configuredEnvironment } from 'tokenkeep/cache';
 *
 * configuredEnvironment('login.windows.net'); // 'login.microsoftonline.com'
 */
export function configuredEnvironment(environment: string): string {
  return find(environment)?.configured ?? environment;
}

/** What MSAL Node and MSAL.NET look under. Hosts of no known cloud stay as they are. */
export function cachedEnvironment(environment: string): string {
  return find(environment)?.cached ?? environment;
}

/**
 * Whether both may be names of one environment: aliases of a cloud, or one host, where MSAL Python leaves out the port.
 * Two providers on one host are distinguished by their issuers.
 */
export function sameEnvironment(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [canonicalEnvironment(a), canonicalEnvironment(b)];
  if (left === right) return true;
  const ports = [left, right].map((name) => PORT.exec(name)?.[1]);
  return ports.includes(undefined) && hostOf(left) === hostOf(right);
}

/**
 * Whether the host belongs to a Microsoft cloud, Azure AD B2C or Entra External ID.
 *
 * @example
 * import { isMicrosoft } from 'tokenkeep/cache';
 *
 * isMicrosoft('login.microsoftonline.com'); // true
 */
export function isMicrosoft(environment: string): boolean {
  return (
    find(environment) !== undefined || /\.(?:b2clogin\.(?:com|cn|us|de)|ciamlogin\.com)$/i.test(environment)
  );
}
