/** Which provider a cached account's tokens came from: told by a profile, or by the name of a Microsoft cloud. */
import { configuredEnvironment, isMicrosoft } from 'tokenkeep/cache';
import { type RefreshToken, type TokenCache } from 'tokenkeep';
import type { AccountName, SignInProfile } from './contract.ts';
import { issuerOf, microsoftIssuer } from './profile.ts';

/** Hosts whose path names more than a tenant: a policy. Only a profile knows it. */
const CUSTOMERS = /\.(?:b2clogin\.(?:com|cn|us|de)|ciamlogin\.com)$/i;

/**
 * @param realm the token's tenant, where it is known.
 * @returns the issuer; undefined where nothing tells it.
 */
export function issuerFor(
  profiles: readonly SignInProfile[],
  environment: string,
  client_id: string,
  realm: string | undefined,
): string | undefined {
  if (isMicrosoft(environment) && !CUSTOMERS.test(environment)) {
    return microsoftIssuer(configuredEnvironment(environment), realm || 'organizations');
  }
  const here = profiles.filter((profile) => profile.kind === 'oidc' && isAt(environment, issuerOf(profile)));
  const own = here.find((profile) => profile.client_id === client_id) ?? here[0];
  return own && issuerOf(own);
}

/** MSAL Python leaves the port out of an environment, MSAL Node keeps it. */
function isAt(environment: string, issuer: string): boolean {
  const { host, hostname } = new URL(issuer);
  return [host, hostname].includes(environment.toLowerCase());
}

/** Whose home is `home_account_id` there. A copy with its secrets, which stay readable when the account is gone. */
export function refreshTokensOf(
  cache: TokenCache,
  { home_account_id, environment }: AccountName,
): RefreshToken[] {
  return cache
    .find('RefreshToken', { query: { home_account_id, environment } })
    .map((token) => ({ ...token, secret: token.secret }));
}
