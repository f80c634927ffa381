/**
 * `tokenkeep/msal`: integration with `@azure/msal-node`. Re-exports only.
 *
 * @module tokenkeep/msal
 */
export { acquireToken, type SilentApplication, type SilentRequest } from './acquire-token.ts';
export { type CachePlugin, type SerializableTokenCache, type TokenCacheContext } from './library.ts';
export { msalCachePlugin } from './cache-plugin.ts';
