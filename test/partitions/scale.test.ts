/** docs/scale.md: Sentinel, partitioned tables and the store for DynamoDB, with the code of the page. */

import { readFileSync } from 'node:fs';
import pg from 'pg';
import { createSentinel } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partitionStoreConformance } from '../../src-main/partitions/conformance/conformance.ts';
import { type PartitionStore, partitionedCaches } from '../../src-main/partitions/index.ts';
import {
  migratePartitions,
  postgresStore,
  removeExpired,
} from '../../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { run } from '../docs/guide.ts';
import {
  type PostgresPair,
  type PostgresServer,
  startPostgres,
  startPostgresPair,
} from '../support/servers/postgres.ts';
import { type RedisSentinel, startRedisSentinel } from '../support/servers/redis.ts';
import { type DynamoClient, dynamoStandIn } from './dynamo-stand-in.ts';
import { caches as sealed, namesIn, signIn } from './people.ts';

function conforms(options: Parameters<typeof partitionStoreConformance>[0]): void {
  for (const { name, isAlone, run: task } of partitionStoreConformance(options))
    (isAlone ? test : test.concurrent)(name, task);
}

describe('DynamoDB', () => {
  let dynamoStore: (client: DynamoClient, table: string) => PartitionStore;
  beforeAll(async () => {
    const page = await run(
      'docs/scale.md',
      ['dynamoStore'],
      {},
      { only: ({ heading }) => heading === 'DynamoDB' },
    );
    dynamoStore = page['dynamoStore'] as typeof dynamoStore;
  });
  conforms({
    open: () => {
      const client = dynamoStandIn();
      return Promise.resolve({
        store: dynamoStore(client, 'tokens'),
        another: dynamoStore(client, 'tokens'),
      });
    },
  });

  test('does not deny what was done, where the SDK has sent a request again', async () => {
    const client = dynamoStandIn();
    const other = dynamoStore(client, 'tokens');
    let between = (): Promise<unknown> => Promise.resolve();
    /** The answer to the first attempt is lost. */
    const twice =
      <I>(call: (input: I) => Promise<unknown>) =>
      async (input: I): Promise<unknown> => {
        await call(input);
        await between();
        return call(input).catch((error: unknown) => {
          throw Object.assign(error as Error, { $metadata: { attempts: 2 } });
        });
      };
    const lossy: DynamoClient = {
      ...client,
      putItem: twice((input) => client.putItem(input)),
      deleteItem: twice((input) => client.deleteItem(input)),
    };
    const store = dynamoStore(lossy, 'tokens');
    const entry = (letter: string) => ({ bytes: Buffer.from(letter), version: letter.repeat(16) });
    const [first, next] = [entry('a'), entry('b')];
    const create = { expected: null, ttl: null };
    await expect(store.write('one', first, create)).rejects.toThrow(/condition/);
    const partition = sealed({ store }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor')); // The version shows that it was done.
    expect(await partition.read(namesIn)).toHaveLength(1);
    between = () => other.write('one', next, create);
    await expect(store.remove('one', first.version)).rejects.toThrow(/condition/);
    const lease = { name: 'n'.repeat(43), owner: 'o'.repeat(22), ttl: 60 };
    expect(await store.leases?.take('one', lease)).toBe(true);
  });
});

describe('a partitioned table', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    const page = readFileSync('docs/scale.md', 'utf8');
    const [, sql = ''] = /```\n(CREATE TABLE[^`]+)```/.exec(page) ?? [];
    const pool = new pg.Pool({ connectionString: server.url });
    await pool.query(sql);
    await migratePartitions(pool); // leaves the table unchanged
    await pool.end();
  }, 60_000);
  afterAll(() => server.close());

  const open = () => {
    const pools = [1, 2].map(() => new pg.Pool({ connectionString: server.url, max: 5 }));
    const [store, another] = pools.map((pool) => postgresStore({ pool })) as [PartitionStore, PartitionStore];
    return Promise.resolve({
      store,
      another,
      close: async () => {
        for (const pool of pools) await pool.end();
      },
    });
  };
  conforms({ open });

  test('spreads its rows, and expired ones are removed from all of them', async () => {
    const pool = new pg.Pool({ connectionString: server.url });
    const caches = partitionedCaches({
      store: postgresStore({ pool }),
      sealingKeys: 'plain-text',
      ttl: 60,
    });
    for (let user = 0; user < 24; user += 1)
      await caches.partition(`user ${user}`).update((cache) => signIn(cache, `user${user}`));
    const { rows } = await pool.query('SELECT DISTINCT tableoid FROM tokenkeep_partitions');
    expect(rows.length).toBe(4);
    await pool.query("UPDATE tokenkeep_partitions SET expires_at = now() - interval '1 hour'");
    await removeExpired(pool);
    expect((await pool.query('SELECT key FROM tokenkeep_partitions')).rows).toEqual([]);
    await pool.end();
  });
});

describe('Redis with Sentinel', () => {
  let servers: RedisSentinel;
  beforeAll(async () => {
    servers = await startRedisSentinel();
  }, 60_000);
  afterAll(() => servers.close());

  test('goes on with the replica when the primary dies', async () => {
    const client = createSentinel({
      name: 'mymaster',
      sentinelRootNodes: [servers.sentinel],
      scanInterval: 200,
    });
    client.on('error', () => undefined);
    await client.connect();
    const caches = partitionedCaches({
      store: redisStore({ client }),
      sealingKeys: 'plain-text',
      timeout: 3000,
    });
    await caches.check();
    await caches.partition('a').update((cache) => signIn(cache, 'noor'));
    await servers.replicated();
    await servers.primary.stop();
    let codes: unknown[] = [];
    for (;;) {
      const error: unknown = await caches
        .partition('b')
        .update((cache) => signIn(cache, 'piet'))
        .then(
          () => undefined,
          (cause: unknown) => cause,
        );
      if (error === undefined) break;
      codes = [...codes, (error as { code?: unknown }).code];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Until Sentinel has promoted the replica, errors report an outage or a read-only replica.
    for (const code of codes)
      expect(['store_unavailable', 'store_timeout', 'store_read_only']).toContain(code);
    expect(await caches.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    await client.destroy();
  }, 60_000);
});

describe('PostgreSQL with a standby', () => {
  let servers: PostgresPair;
  beforeAll(async () => {
    servers = await startPostgresPair();
  }, 60_000);
  afterAll(() => servers.close());

  test('refuses writes on the standby, and goes on once connections lead to the primary', async () => {
    const pool = new pg.Pool({ connectionString: servers.url, max: 1, connectionTimeoutMillis: 20_000 });
    pool.on('error', () => undefined);
    await migratePartitions(pool);
    const partition = partitionedCaches({
      store: postgresStore({ pool }),
      sealingKeys: 'plain-text',
    }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    await pool.end();

    const later = new pg.Pool({ connectionString: servers.url, max: 1, connectionTimeoutMillis: 20_000 });
    later.on('error', () => undefined);
    const again = partitionedCaches({
      store: postgresStore({ pool: later }),
      sealingKeys: 'plain-text',
    }).partition('a');
    servers.leadTo(servers.standby());
    // A standby that lags behind has no table yet.
    const refused = (): Promise<string> =>
      again.remove().then(
        () => 'removed',
        (error: unknown) => (error as { code: string }).code,
      );
    await expect.poll(refused).toBe('store_read_only');
    // The connection that refused is not used again.
    servers.leadTo(servers.primary());
    await again.remove();
    expect(await again.read(namesIn)).toEqual([]);
    await later.end();
  }, 60_000);

  test('reads nothing from the standby, which may lag behind, whether it has an entry or not', async () => {
    const pool = new pg.Pool({ connectionString: servers.url, max: 1, connectionTimeoutMillis: 20_000 });
    await migratePartitions(pool);
    const caches = partitionedCaches({ store: postgresStore({ pool }), sealingKeys: 'plain-text' });
    await caches.partition('b').update((cache) => signIn(cache, 'noor'));
    await pool.end();

    const later = new pg.Pool({ connectionString: servers.url, max: 1, connectionTimeoutMillis: 20_000 });
    const again = partitionedCaches({ store: postgresStore({ pool: later }), sealingKeys: 'plain-text' });
    servers.leadTo(servers.standby());
    for (const id of ['b', 'of nobody'])
      await expect(again.partition(id).read(namesIn)).rejects.toMatchObject({ code: 'store_read_only' });
    await expect(again.check()).rejects.toMatchObject({ code: 'store_read_only' });
    servers.leadTo(servers.primary());
    expect(await again.partition('b').read(namesIn)).toEqual(['noor@contoso.example']);
    expect(await again.partition('of nobody').read(namesIn)).toEqual([]);
    await again.partition('b').remove();
    await later.end();
  }, 60_000);

  test('has every acknowledged update after the standby was promoted', async () => {
    const pool = new pg.Pool({ connectionString: servers.url, max: 2, connectionTimeoutMillis: 20_000 });
    pool.on('error', () => undefined);
    await migratePartitions(pool);
    const caches = partitionedCaches({ store: postgresStore({ pool }), sealingKeys: 'plain-text' });
    await caches.partition('a').update((cache) => signIn(cache, 'noor'));
    await servers.failOver('killed');
    expect(await caches.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    await caches.partition('a').update((cache) => signIn(cache, 'noor'));
    await pool.end();
  }, 60_000);
});
