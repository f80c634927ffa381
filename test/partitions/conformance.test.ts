import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, createCluster } from 'redis';
import pg from 'pg';
import { partitionStoreConformance } from '../../src-main/partitions/conformance.ts';
import { layered } from '../../src-main/partitions/layered.ts';
import { memoryStore } from '../../src-main/partitions/memory.ts';
import { migratePartitions, postgresNews, postgresStore } from '../../src-main/partitions/postgres.ts';
import { redisNews, redisStore } from '../../src-main/partitions/redis.ts';
import { sessionStore } from '../../src-main/partitions/session.ts';
import { type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/servers/redis.ts';

/** Seconds. A copy's age is what `layered` promises, so it is waited for. */
const STALENESS = 0.2;

function conforms(options: Parameters<typeof partitionStoreConformance>[0]): void {
  for (const { name, run } of partitionStoreConformance(options)) test(name, run);
}

describe('memory', () => {
  conforms({
    open: () => {
      const store = memoryStore();
      return Promise.resolve({ store, another: store });
    },
  });
});

describe('session', () => {
  conforms({
    open: () => {
      // As express-session has it: an object with methods that are not enumerable.
      const session = Object.defineProperty({}, 'save', { value: (done: () => void) => setImmediate(done) });
      return Promise.resolve({ store: sessionStore(session), another: sessionStore(session) });
    },
  });
});

describe('Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  }, 60_000);
  afterAll(() => server.close());

  async function connect() {
    const client = createClient({ url: server.url, socket: { reconnectStrategy: 100 } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
  const controls = {
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };

  describe('alone', () => {
    conforms({
      open: async () => {
        const [one, other] = [await connect(), await connect()];
        return {
          store: redisStore({ client: one }),
          another: redisStore({ client: other }),
          close: async () => {
            await one.close();
            await other.close();
          },
        };
      },
      server: controls,
    });
  });

  describe('with memory in front', () => {
    conforms({
      open: async () => {
        const [one, other] = [await connect(), await connect()];
        const layer = (client: typeof one) =>
          layered({ store: redisStore({ client }), staleness: STALENESS, news: redisNews({ client }) });
        const [store, another] = [layer(one), layer(other)];
        await Promise.all([store.listening, another.listening]);
        return {
          store,
          another,
          seen: () => new Promise((resolve) => setTimeout(resolve, STALENESS * 1000)),
          close: async () => {
            await store.close();
            await another.close();
            await one.close();
            await other.close();
          },
        };
      },
    });
  });

  describe('a cluster of three', () => {
    let nodes: RedisServer[] = [];
    beforeAll(async () => {
      nodes = await startRedisCluster();
    }, 60_000);
    afterAll(() => Promise.all(nodes.map((node) => node.close())));

    conforms({
      open: async () => {
        const connectAll = async () => {
          const cluster = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
          cluster.on('error', () => undefined);
          await cluster.connect();
          return cluster;
        };
        const [one, other] = [await connectAll(), await connectAll()];
        return {
          store: redisStore({ client: one }),
          another: redisStore({ client: other }),
          close: async () => {
            await one.close();
            await other.close();
          },
        };
      },
    });

    test('partitions are spread over the nodes', async () => {
      const sizes = await Promise.all(
        nodes.map(async ({ url }) => {
          const client = await createClient({ url }).connect();
          const size = await client.dbSize();
          await client.close();
          return size;
        }),
      );
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    });
  });

  test('asks with one command each: a script that compares and writes, sent by its hash', async () => {
    const client = await connect();
    const store = redisStore({ client, prefix: 'count:' });
    const counts = async (): Promise<string> => (await client.info('commandstats')).replace(/,.*/g, '');
    await client.scriptFlush();
    await store.write(
      'k',
      { bytes: Buffer.from('a'), version: 'aaaaaaaaaaaaaaaa' },
      { expected: null, ttl: null },
    );
    await client.configResetStat();
    await store.read('k');
    expect(
      await store.write(
        'k',
        { bytes: Buffer.from('b'), version: 'bbbbbbbbbbbbbbbb' },
        { expected: 'aaaaaaaaaaaaaaaa', ttl: 60 },
      ),
    ).toBe(true);
    const lines = (await counts()).split(/\r?\n/);
    expect(lines).toContain('cmdstat_get:calls=1');
    expect(lines).toContain('cmdstat_evalsha:calls=1');
    expect(lines.some((line) => line.startsWith('cmdstat_eval:'))).toBe(false);
    expect(await client.keys('count:*')).toEqual(['count:k']);
    await client.close();
  });
});

describe('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    const pool = connect();
    await Promise.all([migratePartitions(pool), migratePartitions(pool), migratePartitions(pool)]);
    await pool.end();
  }, 60_000);
  afterAll(() => server.close());

  function connect(): pg.Pool {
    const pool = new pg.Pool({ connectionString: server.url, max: 5 });
    pool.on('error', () => undefined);
    return pool;
  }
  const controls = {
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };

  describe('alone', () => {
    conforms({
      open: () => {
        const [one, other] = [connect(), connect()];
        return Promise.resolve({
          store: postgresStore({ pool: one }),
          another: postgresStore({ pool: other }),
          close: async () => {
            await one.end();
            await other.end();
          },
        });
      },
      server: controls,
    });
  });

  describe('with memory in front', () => {
    conforms({
      open: async () => {
        const [one, other] = [connect(), connect()];
        const layer = (pool: pg.Pool) =>
          layered({ store: postgresStore({ pool }), staleness: STALENESS, news: postgresNews({ pool }) });
        const [store, another] = [layer(one), layer(other)];
        await Promise.all([store.listening, another.listening]);
        return {
          store,
          another,
          seen: () => new Promise((resolve) => setTimeout(resolve, STALENESS * 1000)),
          close: async () => {
            await store.close();
            await another.close();
            await one.end();
            await other.end();
          },
        };
      },
    });
  });
});
