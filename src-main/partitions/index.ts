/**
 * `tokenkeep/partitions`: one token cache for each user of a web app. Re-exports only.
 *
 * @module tokenkeep/partitions
 */
export {
  InvalidArgumentError,
  NoRequestError,
  PartitionError,
  type PartitionErrorCode,
  PartitionStoreError,
  type PartitionStoreErrorCode,
  TokenkeepError,
} from '../errors.ts';
export {
  layered,
  type LayeredOptions,
  type LayeredStore,
  type PartitionInvalidation,
} from './stores/layered-store.ts';
export { type MemoryStore, memoryStore, type MemoryStoreOptions } from './stores/memory-store.ts';
export { type PartitionUser } from './ownership.ts';
export {
  type AppPartition,
  type Partition,
  type PartitionedCaches,
  partitionedCaches,
  type PartitionedCachesOptions,
  type PartitionOptions,
} from './partitioned-caches.ts';
export { perRequest, type PerRequest, type PerRequestOptions } from './per-request.ts';
export { parseSealingKeys, type SealingKey, type SealingKeys } from './sealing-keys.ts';
export {
  type Lease,
  type PartitionLeases,
  type PartitionStore,
  type StoreCall,
  type StoredPartition,
  type WriteCondition,
} from './partition-store.ts';
export { type PartitionTtl } from './lifetime.ts';
