/** Determines the issuer of a refresh or ID token, which is sent nowhere else, with the help of the sign-in profiles. */
import { type AccountHistory, type CachedAccount, isIssuerAt, issuerOfToken } from 'tokenkeep/ipc';
import type { SignInProfile } from './contract.ts';
import { issuerOfProfile } from './profiles.ts';

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
 * @param token see `issuerOfToken`
 * @returns undefined if it can't be determined
 */
export function lookUpIssuer(
  account: CachedAccount,
  history: Pick<AccountHistory, 'issuers' | 'shared'>,
  profiles: readonly SignInProfile[],
  token: Parameters<typeof issuerOfToken>[2],
): IssuerLookup | undefined {
  const found = issuerOfToken(account, history, token);
  if (found !== undefined) return found;
  const here = profiles.filter(
    (profile) =>
      profile.kind === 'oidc' &&
      profile.client_id === token.client_id &&
      isIssuerAt(account.environment, issuerOfProfile(profile)),
  );
  const [only, ...others] = new Set(here.map(issuerOfProfile));
  return only === undefined || others.length > 0 ? undefined : { issuer: only, certainty: 'guessed' };
}
