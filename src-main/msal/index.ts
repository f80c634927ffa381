/** `tokenkeep/msal`: for apps that use `@azure/msal-node`. Re-exports only. */
export { acquireToken, type SilentApplication, type SilentRequest } from './acquire-token.ts';
export { type CachePlugin, type SerializableTokenCache, type TokenCacheContext } from './library.ts';
export { msalCachePlugin } from './plugin.ts';
