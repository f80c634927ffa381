/** The stores in which several processes share tokens; each process opens them itself. */
import pg from 'pg';
import { createClient } from 'redis';
import { type CacheHandle, openVault } from '../../../src-main/index.ts';
import { FolderKeychain } from '../../torture/folder-keychain.ts';
import {
  type Partition,
  partitionedCaches,
  type PartitionStore,
} from '../../../src-main/partitions/index.ts';
import { postgresStore } from '../../../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../../../src-main/partitions/stores/redis-store.ts';

export type Place =
  /** `key`: the folder of a FolderKeychain. */
  | { kind: 'vault'; file: string; key: string }
  /** `key`: the sealing key, base64. `lease`: milliseconds. */
  | { kind: 'redis' | 'postgres'; url: string; key: string; lease: number };

export interface Opened {
  handle: CacheHandle;
  /** undefined in a vault. */
  partition: Partition | undefined;
  close: () => Promise<unknown>;
}

export async function open(place: Place): Promise<Opened> {
  if (place.kind === 'vault') {
    const vault = await openVault({ file: place.file, keychain: new FolderKeychain(place.key) });
    return { handle: vault, partition: undefined, close: () => vault.close() };
  }
  const { store, close } = await storeAt(place.kind, place.url);
  const sealingKeys = [{ id: 'test', key: Buffer.from(place.key, 'base64') }] as const;
  const caches = partitionedCaches({ store, sealingKeys, lease: place.lease });
  const partition = caches.partition(`whose key is ${place.key}`);
  return { handle: partition, partition, close };
}

async function storeAt(
  kind: 'redis' | 'postgres',
  url: string,
): Promise<{ store: PartitionStore; close: () => Promise<unknown> }> {
  if (kind === 'redis') {
    const client = await createClient({ url }).connect();
    return { store: redisStore({ client }), close: () => client.close() };
  }
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  return { store: postgresStore({ pool }), close: () => pool.end() };
}
