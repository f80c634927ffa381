/** The pages on which a user of Microsoft ends the sessions on all devices: Microsoft has no endpoint that revokes a refresh token. */
import type { AccountSummary } from '../cache/schema/entities.ts';
import { configuredEnvironment } from '../cache/schema/authorities.ts';
import { PERSONAL_TENANT } from '../cache/schema/well-known.ts';

/**
 * A page on which a user can end the sessions on all devices.
 *
 * @example
 * import { type EverywherePage, everywherePage } from 'tokenkeep/sources';
 *
 * const pages: EverywherePage[] = [];
 * await vault.read((cache) => {
 *   for (const account of cache.accounts()) {
 *     const page = everywherePage(account);
 *     if (page !== null) pages.push(page);
 *   }
 * });
 */
export interface EverywherePage {
  /** The page's name, such as "My Account". */
  readonly name: string;
  /** An https URL without parameters. */
  readonly url: string;
  /** What to choose there, such as "Sign out everywhere". */
  readonly choose: string;
}

/** The pages of the clouds for work and school accounts. Clouds without a known page are left out. */
const WORK: Readonly<Record<string, string>> = {
  'login.microsoftonline.com': 'https://myaccount.microsoft.com',
  'login.microsoftonline.us': 'https://myaccount.microsoft.us',
  'login.chinacloudapi.cn': 'https://myaccount.windowsazure.cn',
};

/**
 * Returns the page on which the user of an account can sign out on all devices.
 *
 * @returns null if the provider is not Microsoft, or has no such page, as Azure AD B2C has none
 * @example
 * import { everywherePage } from 'tokenkeep/sources';
 *
 * const page = everywherePage({ home_account_id: 'u.t', environment: 'login.microsoftonline.com' });
 * console.log(page?.url); // https://myaccount.microsoft.com
 */
export function everywherePage({
  home_account_id,
  environment,
}: Pick<AccountSummary, 'home_account_id' | 'environment'>): EverywherePage | null {
  const cloud = configuredEnvironment(environment);
  const isPersonal = home_account_id.toLowerCase().endsWith(`.${PERSONAL_TENANT}`);
  if (isPersonal && cloud === 'login.microsoftonline.com')
    return {
      name: 'Your Microsoft account',
      url: 'https://account.microsoft.com/security',
      choose: 'Advanced security options, then Sign me out',
    };
  const url = Object.hasOwn(WORK, cloud) ? WORK[cloud] : undefined;
  return url === undefined ? null : { name: 'My Account', url, choose: 'Sign out everywhere' };
}
