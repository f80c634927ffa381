/**
 * Outside Microsoft's identity platform, a user is identified by issuer and subject together (OpenID Connect Core §2): two
 * realms of one Keycloak may issue the same subjects on one host. MSAL libraries have no field for the issuer and ignore
 * ours. Microsoft's clouds, B2C, External ID and AD FS follow MSAL's rules and have no issuer here.
 */
import { textOf } from '../json.ts';
import { claimsIn, stringClaim, subjectOf } from './claims.ts';
import type { Entity } from './entities.ts';

/** Normalizes an issuer for comparison. Google's tokens name theirs with and without `https://`. */
export function canonicalIssuer(issuer: string): string {
  const url = issuer.includes('://') ? issuer : `https://${issuer}`;
  return url.replace(/\/+$/, '');
}

export function sameIssuer(a: string, b: string): boolean {
  return a === b || canonicalIssuer(a) === canonicalIssuer(b);
}

/**
 * Returns an issuer as it is requested and may be shown to a user (OpenID Connect Discovery §3: https, without query and fragment): the
 * host in lower case and Punycode, without a default port. undefined if the text is not an issuer, or could be mistaken for another one:
 * with a user name, a backslash, white space, or invisible and bidirectional control characters, which URL parsers accept and drop.
 *
 * @example
 * import { plainIssuer } from 'tokenkeep/cache';
 *
 * plainIssuer('https://ID.example:443/acme'); // 'https://id.example/acme'
 * plainIssuer('https://id.example@other.example'); // undefined
 */
export function plainIssuer(text: string): string | undefined {
  if (text.length > 500 || /[\s\\?#\p{C}]/u.test(text) || !/^https:\/\/[^/]/i.test(text)) return undefined;
  if (!URL.canParse(text)) return undefined;
  const { href, username, password } = new URL(text);
  if (username !== '' || password !== '') return undefined;
  return text.endsWith('/') ? href : href.replace(/\/$/, '');
}

/**
 * Returns the issuer stored in an entity; "" if there is none, or if MSAL's rules identify the user: a document may name any issuer, and
 * Microsoft's tokens are sent to Microsoft only.
 */
export function issuerIn(entity: Entity | null | undefined): string {
  const issuer = entity?.['issuer'];
  return typeof issuer !== 'string' || issuer === '' || isMsals(entity) ? '' : issuer;
}

/** Returns whether MSAL's rules identify the user of an entity: by host and ID alone. */
export function isMsals(entity: Entity | null | undefined): boolean {
  const [environment, realm, type] = ['environment', 'realm', 'authority_type'].map((field) =>
    textOf(entity?.[field]),
  );
  return followsMsal(environment ?? '', realm ?? '', type);
}

/** Returns whether MSAL's rules apply: an account is identified by host and ID alone. */
export function followsMsal(environment: string, realm: string, authorityType = ''): boolean {
  return isMicrosoft(environment) || authorityType.toUpperCase() === 'ADFS' || realm.toLowerCase() === 'adfs';
}

const ADFS_PATH = /\/adfs(?:\/|$)/i;

/**
 * Returns the `iss` of an ID token if the issuer is part of the user's identity: the token's subject is the account's ID,
 * and the provider does not follow MSAL's rules. "" otherwise. Reads the secret.
 */
export function issuerSaidBy(idToken: Entity): string {
  if (isMsals(idToken)) return '';
  const secret = idToken['secret'];
  const claims = typeof secret === 'string' ? claimsIn(secret) : undefined;
  const issuer = stringClaim(claims, 'iss');
  if (issuer === undefined || ADFS_PATH.test(issuer)) return '';
  const subject = subjectOf(claims);
  const account = idToken['home_account_id'];
  return typeof account === 'string' && account.toLowerCase() === subject?.toLowerCase() ? issuer : '';
}

/** Path suffixes of token endpoints, longest first. The part before it is the authority. */
const ENDPOINTS =
  /\/(?:protocol\/openid-connect\/token|login\/oauth\/access_token|oauth2?\/v\d(?:\.\d)?\/token|oauth2?\/(?:access_)?token|v\d(?:\.\d)?\/token|connect\/token|oauth2?|oauth[\w.]*|access_token|token)$/i;

/** Returns the authority of a token endpoint, with port and path. It serves as the issuer if no ID token names one. */
export function authorityOf(tokenEndpoint: URL): string {
  const path = tokenEndpoint.pathname.replace(/\/+$/, '').replace(ENDPOINTS, '');
  return `${tokenEndpoint.origin}${path}`;
}

/**
 * Returns whether the issuer may own the token endpoint. On the same origin, the endpoint's path must be below the
 * issuer's. On different origins (as at Google), the URLs don't show it: true.
 */
export function mayOwn(issuer: string, tokenEndpoint: URL): boolean {
  let url: URL;
  try {
    url = new URL(canonicalIssuer(issuer));
  } catch {
    return true;
  }
  if (url.origin !== tokenEndpoint.origin) return true;
  const path = url.pathname.replace(/\/+$/, '');
  return tokenEndpoint.pathname === path || tokenEndpoint.pathname.startsWith(`${path}/`);
}

/**
 * The hosts of Microsoft's clouds, with their aliases. Every other host is its own environment. Source: the instance discovery
 * metadata that MSAL Node (AuthorityMetadata) and MSAL.NET (KnownMetadataProvider) carry.
 */
interface Cloud {
  /** The host that MSAL Node and MSAL.NET write into a cache. */
  cached: string;
  /** The host of the cloud in MSAL Python's constants. MSAL Python writes the host that was configured. */
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

/** Finds the cloud of a host, whatever its port. A region's host (`westus2.login.microsoft.com`) belongs to its cloud. */
function find(environment: string): Cloud | undefined {
  const known = BY_ALIAS.get(environment);
  if (known !== undefined) return known;
  const host = hostOf(environment);
  // A document may hold `evil.example/.login.microsoft.com`, which a URL would lead elsewhere.
  const cloud = /^[a-z\d-]+\.(.+)$/.exec(host)?.[1] ?? '';
  return BY_ALIAS.get(host) ?? BY_ALIAS.get(cloud);
}

/** Returns the host of an environment without its port: MSAL Node writes the port, MSAL Python does not. */
export function hostOf(environment: string): string {
  return environment.toLowerCase().replace(/:\d+$/, '');
}

const PORT = /:(\d+)$/;

/** Returns the same name for all aliases of an environment: the one that MSAL Node and MSAL.NET write. */
export function canonicalEnvironment(environment: string): string {
  return find(environment)?.cached ?? environment.toLowerCase();
}

/** Returns the same name for an environment under all aliases, with and without its port; "" for a value that is not text. */
export function cloudOf(environment: unknown): string {
  return hostOf(canonicalEnvironment(textOf(environment)));
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

/** Returns the host under which MSAL Node and MSAL.NET look up an environment. Hosts of no known cloud stay as they are. */
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
  return isCloudHost(environment) || CUSTOMERS_HOST.test(hostOf(environment));
}

/** Returns whether the host belongs to one of Microsoft's own clouds, not to one of its customers. */
export function isCloudHost(environment: string): boolean {
  return find(environment) !== undefined;
}

const OF_CUSTOMERS = String.raw`\.(?:b2clogin\.(?:com|cn|us|de)|ciamlogin\.com)`;
const CUSTOMERS_HOST = new RegExp(String.raw`^[\w.-]+${OF_CUSTOMERS}$`);
const CUSTOMERS = new RegExp(String.raw`${OF_CUSTOMERS}(?::\d+)?$`, 'i');

/** Returns whether a host is one that Microsoft runs for a customer (Azure AD B2C, External ID). Subdomain and path name the customer. */
export function isCustomerHost(host: string): boolean {
  return CUSTOMERS.test(host);
}
