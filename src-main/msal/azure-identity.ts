/**
 * `tokenkeep/azure-identity`: persistent token caches for the credentials of `@azure/identity`.
 *
 * @module tokenkeep/azure-identity
 */
import type { CacheHandle } from '../cache/handle.ts';
import { InvalidArgumentError } from '../errors.ts';
import { msalCachePlugin } from './cache-plugin.ts';
import type { CachePlugin } from './library.ts';

/** The part of the context of `useIdentityPlugin` that this plugin uses. The package passes it as `unknown`. */
interface PluginContext {
  readonly cachePluginControl: {
    setPersistence(factory: (options?: { readonly name?: string }) => Promise<CachePlugin>): void;
  };
}

const SUFFIX = /\.(?:cae|nocae)$/;

/**
 * Returns the plugin for `useIdentityPlugin` of `@azure/identity`. Credentials with `tokenCachePersistenceOptions: { enabled: true }` then
 * keep their tokens in the caches that `open` returns.
 *
 * Each name has two caches: tokens that were requested with continuous access evaluation (`enableCae`) are for programs that handle its
 * challenges, and are kept apart from the others. The package does the same.
 *
 * @param open opens the cache of a name, such as `msal.cache.cae` or `msal.cache.nocae`. Called once for each name
 * @throws InvalidArgumentError if `open` is not a function
 * @example
 * import { DeviceCodeCredential, useIdentityPlugin } from '@azure/identity';
 * import { openVault } from 'tokenkeep';
 * import { identityCachePlugin } from 'tokenkeep/azure-identity';
 *
 * const open = (name: string) => openVault({ file: `/home/ada/.config/my-app/${name}.vault`, name });
 * useIdentityPlugin(identityCachePlugin(open));
 * const credential = new DeviceCodeCredential({ tokenCachePersistenceOptions: { enabled: true } });
 */
export function identityCachePlugin(
  open: (name: string) => CacheHandle | Promise<CacheHandle>,
): (context: unknown) => void {
  if (typeof open !== 'function')
    throw new InvalidArgumentError('`open` is not a function that opens a cache.', { field: 'open' });
  const plugins = new Map<string, Promise<CachePlugin>>();
  const pluginFor = (name: string): Promise<CachePlugin> => {
    // A promise: what `open` throws is the error of each call that needs the cache, and not of the credential's constructor.
    const plugin = plugins.get(name) ?? Promise.resolve(msalCachePlugin(opened(open, name)));
    plugins.set(name, plugin);
    return plugin;
  };
  return (context) => {
    let isCae = false;
    (context as PluginContext).cachePluginControl.setPersistence(({ name = 'msal.cache' } = {}) => {
      // A name that the app chose comes without its suffix: first for the cache without CAE, then for the one with it.
      const suffix = isCae ? 'cae' : 'nocae';
      isCae = !isCae;
      return pluginFor(SUFFIX.test(name) ? name : `${name}.${suffix}`);
    });
  };
}

async function opened(
  open: (name: string) => CacheHandle | Promise<CacheHandle>,
  name: string,
): Promise<CacheHandle> {
  return open(name);
}
