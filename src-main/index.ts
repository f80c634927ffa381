/** The public API of `tokenkeep`: re-exports only. */
export { type AccountFilter } from './cache/accounts.ts';
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
} from './cache/entities.ts';
export { type CacheHandle, inMemory } from './cache/handle.ts';
export { type Profile } from './cache/profiles.ts';
export { type TokenResponseEvent } from './cache/response.ts';
export { type AppTokenFilter, type RemovalCount, type SignOutFilter } from './cache/sign-out.ts';
export { TokenCache, type TokenCacheOptions } from './cache/token-cache.ts';
export * from './errors.ts';
