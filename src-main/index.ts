/**
 * The public API of `tokenkeep`: re-exports only.
 *
 * @module tokenkeep
 */
export {
  acquireTokenSilent,
  type Lookup,
  lookup,
  type Redeem,
  type TokenRequest,
} from './cache/acquire.ts';
export { type AccountFilter } from './cache/accounts.ts';
export {
  examine,
  examineInTurns,
  type FindingToRepair,
  repair,
  type Repair,
  type RepairUndo,
  undoRepair,
} from './doctor/doctor.ts';
export {
  FINDING_KINDS,
  type Cause,
  type Difference,
  type EntityReference,
  type Finding,
  type FindingKind,
  type Library,
} from './doctor/finding.ts';
export {
  ENTITY_TYPES,
  type AccessToken,
  type Account,
  type AccountSummary,
  type AppMetadata,
  type CacheChange,
  type CredentialType,
  type Entity,
  type EntityChange,
  type EntityFilter,
  type EntityOf,
  type EntityType,
  type IdToken,
  type KeptChange,
  type RefreshToken,
  type SignOutReceipt,
  type TenantProfile,
} from './cache/schema/entities.ts';
export { type SerializeOptions } from './cache/document/document.ts';
export { configuredEnvironment, isMicrosoft } from './cache/schema/environments.ts';
export { type CacheHandle, inMemory, type UpdateOptions } from './cache/handle.ts';
export { documentInSlices } from './cache/document/document-in-slices.ts';
export {
  merge,
  type MergeCounts,
  planMerge,
} from './cache/document/merge.ts';
export { type Profile } from './cache/schema/dialects.ts';
export { type Sliced } from './cache/sliced.ts';
export { type TokenResponseEvent } from './cache/response.ts';
export { appRemovalCount, removalCount } from './cache/removal.ts';
export { SerializableTokenCache } from './cache/document/serializable-token-cache.ts';
export { type AppTokenFilter, type RemovalCount, type SignOutFilter } from './cache/sign-out.ts';
export { TokenCache, type TokenCacheOptions } from './cache/token-cache.ts';
export * from './errors.ts';
export { type Clock } from './cache/clock.ts';
export { type Keychain } from './keychain/keychain.ts';
export { memoryKeychain } from './keychain/memory.ts';
export { type Keytar } from './keychain/keytar.ts';
export { type Timers } from './keychain/line.ts';
export { type SystemKeychainOptions, systemKeychain } from './keychain/system.ts';
export { openVault } from './vault/file-vault.ts';
export { type ImportReport } from './vault/exchange/import.ts';
export { printable } from './vault/printable.ts';
export {
  type Recovered,
  type VaultRegions,
  type VaultReport,
  type VaultState,
  type VaultStatus,
} from './vault/status.ts';
export { type Erasure, type Vault, type VaultOptions } from './vault/vault.ts';
