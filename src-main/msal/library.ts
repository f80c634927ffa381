/**
 * What `@azure/msal-node` hands to a cache plugin, from major 2 to 7. Written down here and not imported: the shape is
 * the same in all of them, and the package is not needed to use it. A test holds it against the types of each.
 */
import { InvalidArgumentError } from '../errors.ts';
import type { Profile } from '../cache/schema/dialects.ts';

/** MSAL's token cache, as much of it as its plugin interface names. */
export interface SerializableTokenCache {
  /** All that MSAL has in memory, as a cache document. */
  serialize(): string;
  /** Adds a cache document to what MSAL has in memory. */
  deserialize(cache: string): void;
}

/** One access of MSAL to its cache. */
export interface TokenCacheContext {
  /** Whether MSAL is about to write, or has written. */
  readonly cacheHasChanged: boolean;
  /** What MSAL has in memory. */
  readonly tokenCache: SerializableTokenCache;
}

/** `ICachePlugin` of `@azure/msal-node`. */
export interface CachePlugin {
  /** MSAL calls it before it looks. */
  beforeCacheAccess(context: TokenCacheContext): Promise<void>;
  /** MSAL calls it after it has looked, or changed something. */
  afterCacheAccess(context: TokenCacheContext): Promise<void>;
}

/**
 * An entity as MSAL has it in memory, with MSAL's own names for the fields. A new object whenever something in it
 * changes.
 */
export type LiveEntity = Readonly<Record<string, unknown>>;

/**
 * MSAL Node's own `TokenCache`. `deserialize` adds to what is there and removes nothing, so what was removed elsewhere has
 * to be taken out of the live store by its key.
 */
export interface LiveTokenCache extends SerializableTokenCache {
  /** The live store: entities by key, among other things of MSAL's. */
  getKVStore(): Record<string, LiveEntity>;
}

function isLive(cache: SerializableTokenCache): cache is LiveTokenCache {
  return 'getKVStore' in cache && typeof cache.getKVStore === 'function';
}

/** What is behind MSAL's token cache. No part of MSAL's API; the same from major 2 to 7. */
export interface Storage {
  setCache(entries: Record<string, LiveEntity>): void;
}

/** undefined where it is not as it is known. */
export function storageOf(cache: SerializableTokenCache): Storage | undefined {
  const storage: unknown = 'storage' in cache ? cache.storage : undefined;
  return isStorage(storage) ? storage : undefined;
}

function isStorage(storage: unknown): storage is Storage {
  if (typeof storage !== 'object' || storage === null) return false;
  return 'setCache' in storage && typeof storage.setCache === 'function';
}

/** @throws InvalidArgumentError where this is not the token cache of `@azure/msal-node` */
export function liveCache(cache: SerializableTokenCache): LiveTokenCache {
  if (isLive(cache)) return cache;
  throw new InvalidArgumentError(
    'This is no token cache of @azure/msal-node. The cache plugin is for that library alone; nothing was read or written.',
  );
}

/**
 * The keys that this MSAL writes. It does not say its version, but the storage behind its cache makes keys when asked: up
 * to major 3 they end with one more hyphen. Where it does not answer as expected, it is taken for a newer one; both find
 * an entity under the other's key, so nothing is lost by it.
 */
export function profileOf(cache: SerializableTokenCache): Profile {
  const storage = storageOf(cache);
  if (storage === undefined) return 'msal-node';
  if (!makesKeys(storage)) return 'msal-node-3'; // major 2
  const sample = { homeAccountId: 'h', environment: 'e', credentialType: 'RefreshToken', clientId: 'c' };
  const key = storage.generateCredentialKey(sample);
  return typeof key === 'string' && key.endsWith('----') ? 'msal-node-3' : 'msal-node';
}

function makesKeys(
  storage: Storage,
): storage is Storage & { generateCredentialKey(credential: LiveEntity): unknown } {
  return 'generateCredentialKey' in storage && typeof storage.generateCredentialKey === 'function';
}
