/**
 * `tokenkeep/ipc`: the requests that a window can make, and the account lists that it shows, without Electron. Use it for requests of your
 * own app, and to test them in plain Node. Re-exports only.
 *
 * @module tokenkeep/ipc
 */
export {
  type ShownStatus,
  shownStatus,
  STATUS_TITLES,
  type StatusId,
  STATUSES,
  type StatusSource,
} from '../cache/shown-status.ts';
export {
  type AccountHistory,
  changeHistory,
  historyOf,
  refusalReason,
  sharedText,
} from '../accounts/account-history.ts';
export { type AllowedIssuers, allowedIssuersAt } from '../accounts/allowed-issuers.ts';
export { readSmallFile, smallFileError } from '../accounts/small-file.ts';
export { foreignEndpoints, isMicrosoftCloud } from '../accounts/issuer-hosts.ts';
export { issuerOfToken } from '../accounts/issuer-lookup.ts';
export { isIssuerAt } from '../cache/shown-names.ts';
export { ACTIVITY_KEPT, activityAccount, clearActivity, recordActivity, recordRefusal } from './activity.ts';
export {
  accountList,
  type GuestTenant,
  issuerOf,
  nameOf,
  nameWithRealm,
  tenantOf,
  usernameOf,
} from './account-views.ts';
export { resourceName } from '../cache/schema/well-known.ts';
export { appData, setAppData } from '../cache/token-cache.ts';
export { codeThatAsksUser, isTokenRefused } from '../cache/acquire.ts';
export {
  type AccountId,
  type CachedAccount,
  type CachedAccounts,
  cachedAccounts,
  findAccount,
  type Token,
} from '../accounts/cached-accounts.ts';
export type * from './contract.ts';
export type { GrantTokens } from '../oauth/grant-tokens.ts';
export { type PlaceCache, tokenText } from './places.ts';
export type { ServedVault } from './ports.ts';
export { CLEAR_ACTIVITY, type Question } from './questions.ts';
export {
  type ArgumentCheck,
  type ArgumentChecks,
  type Handlers,
  type Names,
  noArguments,
  plainError,
  type Requests,
} from './requests.ts';
export { audienceOf, claimList, tokenItems } from './token-views.ts';
export { signOutAccounts } from './sign-out.ts';
export { withSignature } from './signatures.ts';
