/**
 * Decides which hosts an issuer's endpoints may be on. A refresh token is sent to a host other than the issuer's only if the user has
 * agreed.
 */
import { isCloudHost, isMicrosoft } from '../cache/schema/authorities.ts';

/**
 * Returns whether an issuer is one of Microsoft's own clouds, which need no consent.
 *
 * @example
 * import { isMicrosoftCloud } from 'tokenkeep/ipc';
 *
 * isMicrosoftCloud('https://login.microsoftonline.com/common/v2.0'); // true
 */
export function isMicrosoftCloud(issuer: string): boolean {
  return isCloudHost(new URL(issuer).host);
}

/** The endpoints that receive tokens, codes or the user, and the keys that verify ID tokens. */
const ENDPOINTS = {
  authorization_endpoint: 'sign-in page',
  token_endpoint: 'token endpoint',
  revocation_endpoint: 'revocation endpoint',
  end_session_endpoint: 'sign-out page',
  device_authorization_endpoint: 'device code endpoint',
  jwks_uri: 'signing keys',
} as const;

/**
 * Returns the endpoints in an issuer's metadata that are on other hosts, and that the user has to be asked about.
 *
 * @param allowed the hosts that the user has agreed to for this issuer
 * @example
 * import { foreignEndpoints } from 'tokenkeep/ipc';
 *
 * const metadata = { token_endpoint: 'https://tokens.example/token' };
 * foreignEndpoints('https://id.example', metadata, []); // [{ host: 'tokens.example', name: 'token endpoint' }]
 */
export function foreignEndpoints(
  issuer: string,
  metadata: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): { host: string; name: string }[] {
  const home = new URL(issuer).host;
  return Object.entries(ENDPOINTS).flatMap(([field, name]) => {
    const url = metadata[field];
    const host = typeof url === 'string' && URL.canParse(url) ? new URL(url).host : home;
    const isKnown =
      host === home || allowed.includes(host) || (isMicrosoftCloud(issuer) && isMicrosoft(host));
    return isKnown ? [] : [{ host, name }];
  });
}
