import type { CachePlugin, SerializableTokenCache } from './library.ts';

/**
 * [Note: MSAL empties its memory] From major 3 MSAL has a plugin fill its memory before each silent request: it removes all that is in
 * it, one key after the other, calls the plugin, and copies what is there then (`TokenCache.overwriteCache`). This plugin keeps
 * the memory as the cache is, so all that is left to do is to call it: in this instance the method is replaced by one that does.
 * It also keeps requests that overlap from finding the memory empty, and losing what one of them has written so far.
 *
 * What is beside the entities (metadata of authorities, throttling) stays, too, as it does where MSAL has no plugin.
 * `clearCache()` empties the memory as ever; then, and in an MSAL without this method, LiveStore puts back what was in it.
 */
export function keepFilled(cache: SerializableTokenCache, own: CachePlugin): void {
  if (!overwrites(cache)) return;
  // An app may have put a plugin of its own around this one.
  const plugin = 'persistence' in cache && isPlugin(cache.persistence) ? cache.persistence : own;
  cache.overwriteCache = async () => {
    const context = { tokenCache: cache, cacheHasChanged: false };
    await plugin.beforeCacheAccess(context);
    await plugin.afterCacheAccess(context);
  };
}

function overwrites(
  cache: SerializableTokenCache,
): cache is SerializableTokenCache & { overwriteCache(): Promise<void> } {
  return 'overwriteCache' in cache && typeof cache.overwriteCache === 'function';
}

function isPlugin(value: unknown): value is CachePlugin {
  if (typeof value !== 'object' || value === null) return false;
  return 'beforeCacheAccess' in value && 'afterCacheAccess' in value;
}
