/** Builds MSAL's result of a silent request from the cache. */
import { readToken } from '../cache/schema/claims.ts';
import type { AccessToken, AccountSummary } from '../cache/schema/entities.ts';
import { cachedEnvironment } from '../cache/schema/authorities.ts';
import { expiryOf, isExpiryUnknown, secondsOf } from '../cache/schema/expiry.ts';
import { scopesOf } from '../cache/schema/match.ts';
import type { TokenCache } from '../cache/token-cache.ts';

/** Fields of a silent request that make it more than "a bearer token for these scopes": MSAL answers those itself. */
const SPECIAL = [
  'authenticationScheme',
  'resourceRequestMethod',
  'resourceRequestUri',
  'shrClaims',
  'sshJwk',
  'popKid',
];

/** Whether a request is for a plain bearer token. */
export function isPlain(request: object): boolean {
  return SPECIAL.every((name) => {
    const value: unknown = Reflect.get(request, name);
    return value === undefined || value === null || (name === 'authenticationScheme' && value === 'Bearer');
  });
}

/** Returns the `AccountInfo` that MSAL lists for an account of the cache. */
export function accountInfo(account: AccountSummary) {
  const { home_account_id, environment, username, name, local_account_id, authority_type, tenants } = account;
  const tenantId = tenants[0]?.realm ?? '';
  return {
    homeAccountId: home_account_id,
    environment: cachedEnvironment(environment),
    tenantId,
    username,
    localAccountId: local_account_id,
    ...(name === undefined ? {} : { name }),
    authorityType: authority_type,
    tenantProfiles: new Map(
      tenants.map(({ realm, local_account_id: localAccountId, ...profile }) => [
        realm,
        { tenantId: realm, localAccountId, ...profile, isHomeTenant: realm === tenantId },
      ]),
    ),
  };
}

/**
 * Returns the `AuthenticationResult` that MSAL would return for a cached bearer token; undefined if MSAL must be called.
 *
 * @param account the account of the request
 */
export function cachedResult(
  cache: TokenCache,
  token: AccessToken,
  account: object,
  correlationId: string,
): object | undefined {
  const { home_account_id, environment, realm, client_id, target, secret } = token;
  if ((token.token_type ?? 'Bearer').toLowerCase() !== 'bearer') return undefined;
  const [idToken] = cache.find('IdToken', {
    query: { home_account_id: home_account_id ?? '', environment, realm: realm ?? null, client_id },
  });
  if (idToken === undefined) return undefined;
  const read = readToken(idToken.secret);
  if (read?.format !== 'jwt') return undefined;
  const claims = read.payload;
  const date = (field: unknown): Date | undefined =>
    Number.isFinite(secondsOf(field)) ? new Date(secondsOf(field) * 1000) : undefined;
  const extExpiresOn = isExpiryUnknown(token) ? undefined : date(token.extended_expires_on);
  const refreshOn = date(token.refresh_on);
  return {
    authority: `https://${environment}/${realm}/`,
    uniqueId: claims['oid'] ?? claims['sub'] ?? '',
    tenantId: claims['tid'] ?? '',
    scopes: scopesOf(target),
    account: { ...account, idToken: idToken.secret, idTokenClaims: claims },
    idToken: idToken.secret,
    idTokenClaims: claims,
    accessToken: secret,
    fromCache: true,
    expiresOn: date(expiryOf(token)) ?? null,
    ...(extExpiresOn === undefined ? {} : { extExpiresOn }),
    ...(refreshOn === undefined ? {} : { refreshOn }),
    tokenType: 'Bearer',
    correlationId,
    state: '',
  };
}
