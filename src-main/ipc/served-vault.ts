import type { Vault } from '../vault/api.ts';

/** What a window's requests need of a vault. Closing it, and its files, are the app's business. */
export type ServedVault = Pick<
  Vault,
  | 'status'
  | 'read'
  | 'update'
  | 'erase'
  | 'retry'
  | 'recover'
  | 'startFresh'
  | 'verify'
  | 'compact'
  | 'exportTo'
>;
