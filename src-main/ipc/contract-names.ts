/** The names of the contract with a window, at run time. */
import type { TokenCacheEvents, TokenCacheRequests } from './contract.ts';
import type { Names } from './requests.ts';

/** The names of the contract's requests at run time. */
export const TOKEN_CACHE_REQUESTS: Names<TokenCacheRequests> = {
  status: true,
  accounts: true,
  accountsText: true,
  firstAccountsText: true,
  tokens: true,
  claims: true,
  search: true,
  nameTenant: true,
  removalCount: true,
  signOut: true,
  reveal: true,
  copy: true,
  removeTokens: true,
  chooseImport: true,
  planImport: true,
  unlockImport: true,
  confirmImport: true,
  cancelImport: true,
  retry: true,
  recover: true,
  startFresh: true,
  keepMine: true,
  takeFile: true,
  makeOwn: true,
  forget: true,
  verify: true,
  rotateKey: true,
  compact: true,
  exportAll: true,
  activity: true,
  clearActivity: true,
  examine: true,
  repair: true,
  undoRepair: true,
};

/** The events of the contract at run time. */
export const TOKEN_CACHE_EVENTS: Names<TokenCacheEvents> = {
  change: true,
  activity: true,
  status: true,
  importReading: true,
  importPlanned: true,
  importFailed: true,
  verifying: true,
  clipboardCleared: true,
};

/** The requests that read accounts and tokens and reveal no secret. A page gets these by default. */
export const READ_REQUESTS: readonly (keyof TokenCacheRequests)[] = [
  'status',
  'accounts',
  'accountsText',
  'firstAccountsText',
  'tokens',
  'claims',
  'search',
  'removalCount',
];

/** Returns the prefix of channel names, which keeps token caches and an app's own contracts apart. */
export const tokenCachePrefix = (name = 'tokenCache'): string =>
  name === 'tokenCache' ? 'tokenkeep' : `tokenkeep-${name}`;
