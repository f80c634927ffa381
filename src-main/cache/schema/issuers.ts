/**
 * Outside of Microsoft's identity platform a user is known by issuer and subject together (OpenID Connect Core §2): two
 * realms of one Keycloak give out the same subjects on one host. MSAL libraries have no field for the issuer and pass over
 * the one that is kept here. Microsoft's clouds, B2C, External ID and AD FS follow MSAL's rules and have none.
 */
import { readToken, stringClaim, subjectOf } from './claims.ts';
import type { Entity } from './entities.ts';
import { isMicrosoft } from './environments.ts';

/** An issuer as it is compared. Google's tokens name theirs with and without `https://`. */
export function canonicalIssuer(issuer: string): string {
  const url = issuer.includes('://') ? issuer : `https://${issuer}`;
  return url.replace(/\/+$/, '');
}

/** Whether both are the same issuer. */
export function sameIssuer(a: string, b: string): boolean {
  return a === b || canonicalIssuer(a) === canonicalIssuer(b);
}

/** The issuer that an entity names; "" where it names none, and where the provider follows MSAL's rules. */
export function issuerIn(entity: Entity | null | undefined): string {
  const issuer = entity?.['issuer'];
  return typeof issuer === 'string' ? issuer : '';
}

/** Whether an account is known by host and id alone, as MSAL knows it. */
export function followsMsal(environment: string, realm: string, authorityType = ''): boolean {
  return isMicrosoft(environment) || authorityType.toUpperCase() === 'ADFS' || realm.toLowerCase() === 'adfs';
}

const ADFS_PATH = /\/adfs(?:\/|$)/i;

/**
 * The issuer that an ID token says, where it is part of who the user is: the token's subject is the account's id, and
 * the provider does not follow MSAL's rules. "" otherwise. Reads the secret.
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

/** Ends of token endpoints, longest first, as providers have them. What is before is the authority. */
const ENDPOINTS =
  /\/(?:protocol\/openid-connect\/token|login\/oauth\/access_token|oauth2?\/v\d(?:\.\d)?\/token|oauth2?\/(?:access_)?token|v\d(?:\.\d)?\/token|connect\/token|oauth2?|oauth[\w.]*|access_token|token)$/i;

/** The authority that a token endpoint belongs to, with port and path: an issuer where no ID token says one. */
export function authorityOf(tokenEndpoint: URL): string {
  const path = tokenEndpoint.pathname.replace(/\/+$/, '').replace(ENDPOINTS, '');
  return `${tokenEndpoint.origin}${path}`;
}

/**
 * Whether the issuer may own the token endpoint. Of one origin: the endpoint's path is below the issuer's. Of different
 * ones (Google's) nobody can tell from their names.
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
