/**
 * Determines the issuer of a refresh or ID token, which is sent nowhere else. The source is the data stored with the token,
 * the user's earlier consent, or an ID token of the same app; never a host alone.
 */
import { configuredEnvironment, isMicrosoft, plainIssuer } from 'tokenkeep/cache';
import { type AccountHistory, type CachedAccount, isCustomerHost } from 'tokenkeep/ipc';
import type { SignInProfile } from './contract.ts';
import { issuerOfProfile, microsoftIssuer } from './profiles.ts';
import { claimsIn } from './received.ts';

export interface IssuerLookup {
  /** The issuer, for discovery. */
  issuer: string;
  /**
   * `known`: stored with the token, agreed to before, or one of Microsoft's clouds. `claimed`: an imported ID token says
   * so. `guessed`: only a profile for the same app on this host exists. The user is asked unless the issuer is `known`.
   */
  certainty: 'known' | 'claimed' | 'guessed';
}

/**
 * @param client_id the app that the token was issued to
 * @param own the token's own `issuer` field, where it has one
 * @param realm the tenant, where it is known
 * @returns undefined if it can't be determined
 */
export function lookUpIssuer(
  account: CachedAccount,
  { issuers, shared }: Pick<AccountHistory, 'issuers' | 'shared'>,
  profiles: readonly SignInProfile[],
  { client_id, own, realm }: { client_id: string; own?: unknown; realm?: string | undefined },
): IssuerLookup | undefined {
  const { environment } = account;
  const customers = isCustomerHost(environment);
  if (isMicrosoft(environment) && !customers) {
    const issuer = microsoftIssuer(configuredEnvironment(environment), realm || 'organizations');
    return { issuer, certainty: 'known' };
  }
  const stored = typeof own === 'string' ? plainIssuer(own) : undefined;
  if (stored !== undefined && !customers) return { issuer: stored, certainty: 'known' };
  const agreed = Object.hasOwn(issuers, client_id) ? issuers[client_id] : undefined;
  if (agreed !== undefined) return { issuer: agreed, certainty: 'known' };
  const claimed = claimedIssuer(account, client_id, environment);
  if (claimed !== undefined && !customers) {
    return { issuer: claimed, certainty: shared ? 'claimed' : 'known' };
  }
  // B2C and External ID name the policy in the path, which no token contains: only a profile does.
  const here = profiles.filter(
    (profile) =>
      profile.kind === 'oidc' &&
      profile.client_id === client_id &&
      isAt(environment, issuerOfProfile(profile)),
  );
  const [only, ...others] = new Set(here.map(issuerOfProfile));
  return only === undefined || others.length > 0 ? undefined : { issuer: only, certainty: 'guessed' };
}

/**
 * The `iss` that all ID tokens of an app agree on or, if it has none, those of all apps of the account. It must be on the account's own
 * host, because a forged document can claim anything.
 */
function claimedIssuer(account: CachedAccount, client_id: string, environment: string): string | undefined {
  const claims = account.idTokens.map((token) => ({ client_id: token.client_id, iss: issuerIn(token) }));
  const own = distinct(claims.filter((claim) => claim.client_id === client_id));
  const all = own.length > 0 ? own : distinct(claims);
  const [only] = all;
  const issuer = all.length === 1 && only !== undefined ? plainIssuer(only) : undefined;
  return issuer !== undefined && isAt(environment, issuer) ? issuer : undefined;
}

const distinct = (claims: readonly { iss: string | undefined }[]): string[] => [
  ...new Set(claims.flatMap(({ iss }) => iss ?? [])),
];

function issuerIn(token: CachedAccount['idTokens'][number]): string | undefined {
  const stored = token['issuer'];
  if (typeof stored === 'string' && stored !== '') return stored;
  const issuer = claimsIn(token)?.['iss'];
  return typeof issuer === 'string' && issuer !== '' ? issuer : undefined;
}

/** Whether an issuer is on the host of an environment. MSAL Python omits the port of an environment, MSAL Node keeps it. */
function isAt(environment: string, issuer: string): boolean {
  const { host, hostname } = new URL(issuer);
  return [host, hostname].includes(environment.toLowerCase());
}
