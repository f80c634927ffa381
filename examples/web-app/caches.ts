/** The token caches of the users, in the place that the setting names. */
import type { Session } from 'express-session';
import pg from 'pg';
import { type Partition, type PartitionStore, partitionedCaches } from 'tokenkeep/partitions';
import { migratePartitions, postgresStore, removeExpired } from 'tokenkeep/partitions/postgres';
import { type RedisClient, redisStore } from 'tokenkeep/partitions/redis';
import { sessionStore } from 'tokenkeep/partitions/session';
import type { Settings } from './settings.ts';

export interface Caches {
  /** The cache that belongs to a sign-in. The id is the app's own, and was never seen by a browser. */
  of(session: Session, id: string): Partition;
  close(): Promise<void>;
}

const TEN_MINUTES = 600_000;

export async function openCaches(settings: Settings, redis: RedisClient): Promise<Caches> {
  const { sealingKeys } = settings;
  if (settings.cache === 'session') {
    return {
      of: (session, id) => partitionedCaches({ store: sessionStore(session), sealingKeys }).partition(id),
      close: async () => undefined,
    };
  }
  const opened = settings.cache === 'redis' ? inRedis(redis) : await inPostgres(settings);
  const caches = partitionedCaches({ store: opened.store, sealingKeys });
  return { of: (_session, id) => caches.partition(id), close: () => opened.close() };
}

interface Opened {
  store: PartitionStore;
  close(): Promise<void>;
}

function inRedis(client: RedisClient): Opened {
  return { store: redisStore({ client }), close: async () => undefined };
}

async function inPostgres({ postgresUrl }: Settings): Promise<Opened> {
  const pool = new pg.Pool({ connectionString: postgresUrl, connectionTimeoutMillis: 4000 });
  pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`));
  await migratePartitions(pool).catch((cause: unknown) => {
    throw new Error(`PostgreSQL, at POSTGRES_URL: ${String(cause)}`, { cause });
  });
  const timer = setInterval(() => void removeExpired(pool).catch(() => undefined), TEN_MINUTES);
  return {
    store: postgresStore({ pool }),
    close: async () => {
      clearInterval(timer);
      await pool.end();
    },
  };
}
