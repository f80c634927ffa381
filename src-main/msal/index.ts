/** `tokenkeep/msal`: for apps that use `@azure/msal-node`. Re-exports only. */
export { type CachePlugin, type SerializableTokenCache, type TokenCacheContext } from './library.ts';
export { msalCachePlugin } from './plugin.ts';
