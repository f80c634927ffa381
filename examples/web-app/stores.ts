/** The stores of sessions and of the users' token caches, as the settings name them. */
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import type express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import type { WebSignInOptions } from 'tokenkeep/express';
import { memoryStore, partitionedCaches, type PartitionStore } from 'tokenkeep/partitions';
import { migratePartitions, postgresStore, removeExpired } from 'tokenkeep/partitions/postgres';
import { redisStore } from 'tokenkeep/partitions/redis';
import { sessionStore } from 'tokenkeep/partitions/session';
import { sqliteStore } from 'tokenkeep/partitions/sqlite';
import { SessionsUnavailable } from './failures.ts';
import type { Settings } from './settings.ts';

export interface Stores {
  caches: WebSignInOptions['caches'];
  sessions: express.RequestHandler;
  close(): Promise<void>;
}

const EIGHT_HOURS = 8 * 3600 * 1000;
const TEN_MINUTES = 600_000;
/** Milliseconds for which a request waits at most for a server that is down or hangs. */
const PATIENCE = 4000;

export async function openStores(settings: Settings): Promise<Stores> {
  const { cache, sealingKeys } = settings;
  const redis = settings.redisUrl === undefined ? undefined : await connected(settings.redisUrl);
  const pool = cache === 'postgres' ? await table(settings.postgresUrl) : undefined;
  const timer = setInterval(() => void (pool && removeExpired(pool).catch(() => undefined)), TEN_MINUTES);
  const own = (store: PartitionStore) => partitionedCaches({ store, sealingKeys, userIndex: true });
  const places: Record<Settings['cache'], () => Stores['caches']> = {
    memory: () => own(memoryStore()),
    sqlite: () => own(sqliteStore({ file: settings.sqliteFile })),
    redis: () => own(redisStore({ client: redis as NonNullable<typeof redis> })),
    postgres: () => own(postgresStore({ pool: pool as pg.Pool })),
    session: () => (req) => partitionedCaches({ store: sessionStore(req.session as object), sealingKeys }),
  };
  return {
    caches: places[cache](),
    sessions: sessionsOf(settings, redis && new RedisStore({ client: redis, prefix: 'session:' })),
    close: async () => {
      clearInterval(timer);
      await pool?.end();
      await redis?.close();
    },
  };
}

/** @param store the store of the sessions. Default: memory, so that they end with the process */
function sessionsOf({ sessionSecret: secret, url }: Settings, store?: session.Store): express.RequestHandler {
  const cookie = {
    httpOnly: true,
    sameSite: 'lax',
    secure: url.startsWith('https:'),
    maxAge: EIGHT_HOURS,
  } as const;
  const options = { name: 'session', secret, resave: false, saveUninitialized: false, cookie };
  const sessions = session(store === undefined ? options : { ...options, store });
  return (req, res, next) =>
    sessions(req, res, (cause?: unknown) =>
      next(cause && new SessionsUnavailable('The sessions can’t be read', { cause })),
    );
}

async function connected(url: string) {
  const client = createClient({
    url,
    disableOfflineQueue: true, // Requests fail at once while Redis is down, instead of waiting.
    pingInterval: PATIENCE / 2,
    socket: {
      connectTimeout: PATIENCE,
      socketTimeout: PATIENCE,
      // The default strategy gives up for good after such a timeout.
      reconnectStrategy: (retries) => Math.min(retries * 100, 2000),
    },
  });
  client.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  await client.connect();
  return client;
}

async function table(connectionString: string | undefined): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: PATIENCE });
  pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`));
  await migratePartitions(pool).catch((cause: unknown) => {
    throw new Error(`PostgreSQL, at POSTGRES_URL: ${String(cause)}`, { cause });
  });
  return pool;
}
