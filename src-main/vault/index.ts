/**
 * `tokenkeep/vault`: the vault, an encrypted file, and the types of its status and reports. Re-exports only.
 *
 * @module tokenkeep/vault
 */
export { type AdoptionReport, adopt, type EarlierCache, type EarlierContents } from './adopt.ts';
export {
  type Erasure,
  type Forgotten,
  type ReadOptions,
  type Vault,
  type VaultOptions,
} from './api.ts';
export { earlierFile, type EarlierFileOptions } from './earlier-file.ts';
export { type ImportReport } from './exchange/import.ts';
export { printable } from './printable.ts';
export {
  type OlderFile,
  type Recovered,
  type VaultRegions,
  type VaultReport,
  type VaultState,
  type VaultStatus,
  type VaultWarning,
} from './state.ts';
export { openVault } from './vault.ts';
