/**
 * Outside Microsoft's identity platform, a user is identified by issuer and subject together (OpenID Connect Core §2): two
 * realms of one Keycloak may issue the same subjects on one host. MSAL libraries have no field for the issuer and ignore
 * ours. Microsoft's clouds, B2C, External ID and AD FS follow MSAL's rules and have no issuer here.
 */
import { readToken, stringClaim, subjectOf } from './claims.ts';
import type { Entity } from './entities.ts';
import { isMicrosoft } from './environments.ts';

/** Normalizes an issuer for comparison. Google's tokens name theirs with and without `https://`. */
export function canonicalIssuer(issuer: string): string {
  const url = issuer.includes('://') ? issuer : `https://${issuer}`;
  return url.replace(/\/+$/, '');
}

export function sameIssuer(a: string, b: string): boolean {
  return a === b || canonicalIssuer(a) === canonicalIssuer(b);
}

/** Returns the issuer stored in an entity; "" if there is none, as for providers that follow MSAL's rules. */
export function issuerIn(entity: Entity | null | undefined): string {
  const issuer = entity?.['issuer'];
  return typeof issuer === 'string' ? issuer : '';
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
  const secret = idToken['secret'];
  const read = typeof secret === 'string' ? readToken(secret) : undefined;
  const claims = read?.format === 'jwt' ? read.payload : undefined;
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
