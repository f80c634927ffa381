/**
 * `tokenkeep/cache`: the token cache in memory, the types of its schema, and cache documents. Re-exports only.
 *
 * @module tokenkeep/cache
 */
export { type Abortable } from '../waiting.ts';
export { type AccountFilter } from './accounts.ts';
export {
  acquireTokenSilent,
  type Lookup,
  lookup,
  type Redeem,
  type TokenRequest,
} from './acquire.ts';
export { type Clock } from './clock.ts';
export { type SerializeOptions } from './document/document.ts';
export { type MergeCounts, merge, planMerge } from './document/merge.ts';
export { SerializableTokenCache } from './document/serializable-token-cache.ts';
export { type CacheHandle, inMemory, type Synchronous, type UpdateOptions } from './handle.ts';
export { hasDuplicateNames } from './json.ts';
export { type TokenResponseEvent } from './response.ts';
export { configuredEnvironment, isMicrosoft, plainIssuer } from './schema/authorities.ts';
export { type Dialect } from './schema/dialects.ts';
export {
  type AccessToken,
  type Account,
  type AccountReference,
  type AccountSummary,
  type AddReceipt,
  type AppMetadata,
  type CacheChange,
  type CredentialType,
  ENTITY_TYPES,
  type Entity,
  type EntityChange,
  type EntityFilter,
  type EntityOf,
  type EntityType,
  type EntryCount,
  type IdToken,
  type KeptChange,
  type RefreshToken,
  type Seconds,
  type SignOutReceipt,
  type TenantProfile,
} from './schema/entities.ts';
export { expiryOf } from './schema/expiry.ts';
export { type AppTokenFilter, type RemovalCount, type SignOutFilter } from './sign-out.ts';
export { appRemovalCount, removalCount, TokenCache, type TokenCacheOptions } from './token-cache.ts';
