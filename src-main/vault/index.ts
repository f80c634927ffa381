/**
 * `tokenkeep/vault`: the encrypted file, and the types of everything it reports. Re-exports only.
 *
 * @module tokenkeep/vault
 */
export { type ImportReport } from './exchange/import.ts';
export { openVault } from './vault.ts';
export { printable } from './printable.ts';
export {
  type Recovered,
  type VaultRegions,
  type VaultReport,
  type VaultState,
  type VaultStatus,
} from './state.ts';
export { type Erasure, type Vault, type VaultOptions } from './api.ts';
