/**
 * Types that `@azure/msal-node` majors 2 to 7 pass to a cache plugin. Declared here and not imported: the shape is the same in all majors,
 * and apps without MSAL do not need the package. A test compares them with the types of each major.
 */
import type { Dialect } from '../cache/schema/dialects.ts';
import { InvalidArgumentError } from '../errors.ts';

/**
 * The part of MSAL's token cache that its plugin interface exposes.
 *
 * @example
 * import { PublicClientApplication } from '@azure/msal-node';
 * import type { SerializableTokenCache } from 'tokenkeep/msal';
 *
 * const tokenCache: SerializableTokenCache = new PublicClientApplication({ auth }).getTokenCache();
 */
export interface SerializableTokenCache {
  /** Returns the contents of MSAL's memory as a cache document. */
  serialize(): string;
  /** Adds a cache document to MSAL's memory. */
  deserialize(cache: string): void;
}

/**
 * One access of MSAL to its cache. An app may create its own, with MSAL's `TokenCacheContext`.
 *
 * @example
 * import { PublicClientApplication } from '@azure/msal-node';
 * import { msalCachePlugin, type TokenCacheContext } from 'tokenkeep/msal';
 *
 * const application = new PublicClientApplication({ auth });
 * const plugin = msalCachePlugin(vault);
 * const context: TokenCacheContext = { tokenCache: application.getTokenCache(), cacheHasChanged: true };
 * await plugin.afterCacheAccess(context); // saves what MSAL has changed
 */
export interface TokenCacheContext {
  /** Whether MSAL is about to write, or has written. */
  readonly cacheHasChanged: boolean;
  /** MSAL's token cache. */
  readonly tokenCache: SerializableTokenCache;
}

/**
 * `ICachePlugin` of `@azure/msal-node`.
 *
 * @example
 * import { type CachePlugin, msalCachePlugin } from 'tokenkeep/msal';
 *
 * const cachePlugin: CachePlugin = msalCachePlugin(vault);
 */
export interface CachePlugin {
  /** Called by MSAL before it reads its memory. */
  beforeCacheAccess(context: TokenCacheContext): Promise<void>;
  /** Called by MSAL after it has read or changed its memory. */
  afterCacheAccess(context: TokenCacheContext): Promise<void>;
}

/** An entity in MSAL's memory, with MSAL's own field names. MSAL replaces the object whenever a field changes. */
export type LiveEntity = Readonly<Record<string, unknown>>;

/**
 * MSAL Node's own `TokenCache`. `deserialize` adds and never removes, so an entity that was removed elsewhere has to be taken out of the
 * live store by its key.
 */
export interface LiveTokenCache extends SerializableTokenCache {
  /** Returns the live store: entities by key, including MSAL's internal entries. */
  getKVStore(): Record<string, LiveEntity>;
}

export function isLive(cache: object): cache is LiveTokenCache {
  return 'getKVStore' in cache && typeof cache.getKVStore === 'function';
}

/** @throws InvalidArgumentError if this is not the token cache of `@azure/msal-node` */
export function liveCache(cache: SerializableTokenCache): LiveTokenCache {
  if (isLive(cache)) return cache;
  throw new InvalidArgumentError(
    'tokenCache is not the token cache of @azure/msal-node, and this plugin works with that library only. Nothing was read or written.',
  );
}

/** The storage behind MSAL's token cache. Not part of MSAL's API, and the same from major 2 to 7; each member may be missing. */
export interface Storage {
  setCache?(entries: Record<string, LiveEntity>): void;
  /** Calls `emitter` synchronously after each change of the live store. */
  registerChangeEmitter?(emitter: () => void): void;
  /** Generates the key of a credential; available from major 3. */
  generateCredentialKey?(credential: LiveEntity): unknown;
  /** Options of the app: `canonicalAuthority`, `knownAuthorities`, `cloudDiscoveryMetadata`. */
  staticAuthorityOptions?: unknown;
}

/** Returns the storage behind MSAL's token cache, limited to the members that have the expected type. */
export function storageOf(cache: SerializableTokenCache): Storage {
  const storage: unknown = 'storage' in cache ? cache.storage : undefined;
  if (typeof storage !== 'object' || storage === null) return {};
  const found: Storage = {};
  const setCache = methodOf(storage, 'setCache');
  const registerChangeEmitter = methodOf(storage, 'registerChangeEmitter');
  const generateCredentialKey = methodOf(storage, 'generateCredentialKey');
  if (setCache !== undefined) found.setCache = setCache;
  if (registerChangeEmitter !== undefined) found.registerChangeEmitter = registerChangeEmitter;
  if (generateCredentialKey !== undefined) found.generateCredentialKey = generateCredentialKey;
  if ('staticAuthorityOptions' in storage) found.staticAuthorityOptions = storage.staticAuthorityOptions;
  return found;
}

function methodOf(object: object, name: string): ((argument: unknown) => unknown) | undefined {
  const method: unknown = Reflect.get(object, name);
  if (typeof method !== 'function') return undefined;
  return (argument) => {
    const result: unknown = Reflect.apply(method, object, [argument]);
    return result;
  };
}

/**
 * Returns the dialect in which this MSAL writes its keys. MSAL does not expose its version, but its storage makes keys when asked: up to
 * major 3 they end with one more hyphen. A storage that does not answer as expected is treated as a newer one. Both find an entity under
 * the other's key, so a wrong guess loses nothing.
 */
export function dialectOf(storage: Storage): Dialect {
  if (storage.setCache === undefined) return 'msal-node';
  if (storage.generateCredentialKey === undefined) return 'msal-node-3'; // major 2
  const sample = { homeAccountId: 'h', environment: 'e', credentialType: 'RefreshToken', clientId: 'c' };
  const key = storage.generateCredentialKey(sample);
  return typeof key === 'string' && key.endsWith('----') ? 'msal-node-3' : 'msal-node';
}
