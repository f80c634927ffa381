/**
 * `tokenkeep/partitions`: one token cache per user of a web app. Re-exports only.
 *
 * @module tokenkeep/partitions
 */
export {
  AmbiguousAccountError,
  InvalidArgumentError,
  LogoutTokenError,
  type LogoutTokenErrorCode,
  NoRequestError,
  PartitionError,
  type PartitionErrorCode,
  PartitionStoreError,
  type PartitionStoreErrorCode,
  SessionEndedError,
  SignInRequiredError,
  TokenkeepError,
} from '../errors.ts';
export {
  type AppTokenRequest,
  type AskTokenEndpoint,
  type OnBehalfOfRequest,
  type TokenAnswer,
  type TokenParameters,
} from './api-tokens.ts';
export { type ResealOptions, type ResealReport, type SealingReport } from './maintenance.ts';
export { type PartitionEvent } from './diagnostics.ts';
export { type PartitionTtl } from './lifetime.ts';
export {
  type LoggedOutUser,
  type LogoutTokenOptions,
  logoutTokens,
  type VerifyLogoutToken,
} from './logout-token.ts';
export { type PartitionUser } from './ownership.ts';
export {
  type AppPartition,
  type Partition,
  type PartitionedCaches,
  partitionedCaches,
  type PartitionOptions,
  type SignedIn,
  type UserSignOutReceipt,
} from './partitioned-caches.ts';
export {
  type Lease,
  type PartitionLeases,
  type PartitionStore,
  type StoreCall,
  type StoredPartition,
  type StoreMaintenance,
  type WriteCondition,
} from './partition-store.ts';
export { perRequest, type PerRequest, type PerRequestOptions } from './per-request.ts';
export { parseSealingKeys, type SealingKey, type SealingKeys } from './sealing-keys.ts';
export { type ProviderKeys } from './signing-keys.ts';
export { type PartitionedCachesOptions, type PartitionImport } from './settings.ts';
export {
  layered,
  type LayeredOptions,
  type LayeredStore,
  type PartitionInvalidation,
} from './stores/layered-store.ts';
export { type MemoryStore, memoryStore, type MemoryStoreOptions } from './stores/memory-store.ts';
export { type PartitionUserReference } from './user-index.ts';
