/**
 * `tokenkeep/vault`: the encrypted file, and the types of everything it reports. Re-exports only.
 *
 * @module tokenkeep/vault
 */
export { type ImportReport } from './exchange/import.ts';
export { openVault } from './file-vault.ts';
export { printable } from './printable.ts';
export {
  type Recovered,
  type VaultRegions,
  type VaultReport,
  type VaultState,
  type VaultStatus,
} from './status.ts';
export { type Erasure, type Vault, type VaultOptions } from './vault.ts';
