/** Sign-ins and sealing keys for the tests of partitions. */
import { randomBytes } from 'node:crypto';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import {
  memoryStore,
  type PartitionedCachesOptions,
  partitionedCaches,
  type PartitionStore,
  type SealingKeys,
} from '../../src-main/partitions/index.ts';
import { base64url } from '../cache/events.ts';

export const KEYS: SealingKeys = [{ id: 'k1', key: randomBytes(32) }];

/** Adds the response of one user's sign-in. */
export function signIn(
  cache: TokenCache,
  uid: string,
  scope = 'orders',
  expires_in = 3600,
  refresh_token = `refresh token of ${uid}`,
): void {
  cache.add({
    client_id: 'my_client_id',
    scope: [scope],
    token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
    response: {
      access_token: `access token of ${uid} for ${scope}`,
      refresh_token,
      token_type: 'Bearer',
      expires_in,
      client_info: base64url({ uid, utid: 'utid' }),
      id_token: `${base64url({ alg: 'none' })}.${base64url({ oid: uid, sub: uid, preferred_username: `${uid}@contoso.example` })}.`,
    },
  });
}

export const namesIn = (cache: TokenCache): string[] => cache.accounts().map(({ username }) => username);

export function caches(options: Partial<PartitionedCachesOptions> = {}) {
  return partitionedCaches({ store: memoryStore(), sealingKeys: KEYS, ...options });
}

/** A store that counts its calls and runs a test's hooks before or after the real ones. */
export function observed(store: PartitionStore = memoryStore()) {
  const counts = { read: 0, write: 0, remove: 0, touch: 0 };
  const hooks: { beforeWrite?: () => Promise<void>; beforeRead?: () => Promise<void> } = {};
  const ttls: (number | null)[] = [];
  const watched: PartitionStore = {
    read: async (key, call) => {
      counts.read += 1;
      await hooks.beforeRead?.();
      return store.read(key, call);
    },
    write: async (key, entry, condition, call) => {
      counts.write += 1;
      ttls.push(condition.ttl);
      await hooks.beforeWrite?.();
      return store.write(key, entry, condition, call);
    },
    remove: (key, expected, call) => {
      counts.remove += 1;
      return store.remove(key, expected, call);
    },
    touch: (key, ttl, call) => {
      counts.touch += 1;
      return store.touch(key, ttl, call);
    },
  };
  return { store: watched, inner: store, counts, hooks, ttls };
}
