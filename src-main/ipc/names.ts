/** The names of the contract at run time: what `ipcMain` listens on and what the preload script exposes. */
import type { TokenCacheEvents, TokenCacheRequests } from './contract.ts';
import type { Names } from './requests.ts';

/** Before every channel, so that the token cache's channels and an app's own never meet. */
export const TOKEN_CACHE_PREFIX = 'tokenkeep';

export const TOKEN_CACHE_REQUESTS: Names<TokenCacheRequests> = {
  status: true,
  accounts: true,
  tokens: true,
  claims: true,
  search: true,
  removalCount: true,
  signOut: true,
  signOutAll: true,
  reveal: true,
  copy: true,
  chooseImport: true,
  planImport: true,
  unlockImport: true,
  confirmImport: true,
  cancelImport: true,
  retry: true,
  recover: true,
  startFresh: true,
  verify: true,
  rotateKey: true,
  compact: true,
  exportAll: true,
  examine: true,
  repair: true,
  undoRepair: true,
};

export const TOKEN_CACHE_EVENTS: Names<TokenCacheEvents> = {
  change: true,
  status: true,
  importReading: true,
  importPlanned: true,
  importFailed: true,
  verifying: true,
  clipboardCleared: true,
};

/** Requests and events have channels of their own: an event can't be mistaken for a request. */
export const requestChannel = (prefix: string, name: string): string => `${prefix}:request:${name}`;
export const eventChannel = (prefix: string, name: string): string => `${prefix}:event:${name}`;
