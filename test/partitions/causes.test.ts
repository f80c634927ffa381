/** Permanent failures: with real servers, each has a code of its own, and `check()` finds it when the app starts. */
import { Cluster, Redis } from 'ioredis';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { createClient, createClientPool, createSentinel } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { partitionStoreConformance } from '../../src-main/partitions/conformance/conformance.ts';
import {
  migratePartitions,
  postgresInvalidation,
  postgresStore,
  removeExpired,
} from '../../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import type { PartitionStore } from '../../src-main/partitions/partition-store.ts';
import { type PostgresServer, startPgBouncer, startPostgres } from '../support/servers/postgres.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { caches, namesIn, signIn } from './people.ts';

/** An update, a read and the check at the start fail with the same code, which does not stand for an outage. */
async function expectCode(store: PartitionStore, code: string, { reads = true } = {}): Promise<void> {
  const all = caches({ store });
  await expect(all.check()).rejects.toMatchObject({ code });
  const partition = all.partition('a');
  await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({ code });
  if (reads) await expect(partition.read(namesIn)).rejects.toMatchObject({ code });
  await partition
    .update(() => undefined)
    .catch((error: unknown) => {
      expect((error as Error).message).not.toMatch(/try again/i);
    });
}

const createSentinelClient = (port: number) =>
  createSentinel({ name: 'mymaster', sentinelRootNodes: [{ host: '127.0.0.1', port }] });

describe.each(['redis', 'ioredis'] as const)('%s', (library) => {
  let server: RedisServer;
  const ends: (() => unknown)[] = [];
  const admin = async () => {
    const client = createClient({ url: server.url });
    client.on('error', () => undefined);
    ends.push(() => client.destroy());
    return client.connect();
  };
  const connect = async (url = server.url): Promise<PartitionStore> => {
    if (library === 'ioredis') {
      const own = new Redis(url);
      own.on('error', () => undefined);
      ends.push(() => own.disconnect());
      return redisStore({ client: own });
    }
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    ends.push(() => client.destroy());
    return redisStore({ client });
  };
  beforeAll(async () => {
    server = await startRedis();
  }, 60_000);
  afterAll(async () => {
    for (const end of ends) await end();
    await server.close();
  });

  it('the documented permissions suffice, and each missing one is reported', async () => {
    const client = await admin();
    const needs = ['get', 'getex', 'del', 'pexpire', 'eval', 'evalsha', 'set', 'getrange'].map(
      (name) => `+${name}`,
    );
    const setUser = (name: string, rules: string[]) =>
      client.sendCommand([
        'ACL',
        'SETUSER',
        name,
        'reset',
        'on',
        '>pw',
        '~tokenkeep:*',
        '+ping',
        '+hello',
        '+client',
        '+info',
        '+script',
        ...rules,
      ]);
    await setUser('enough', [...needs, '+scan']);
    const url = (name: string) => server.url.replace('//', `//${name}:pw@`);
    const all = caches({ store: await connect(url('enough')) });
    await all.check();
    await all.partition('a').update((cache) => signIn(cache, 'noor'));
    await all.partition('a').exclusively('turn', () => Promise.resolve());
    expect((await all.sealingReport()).entries).toBe(1);
    await all.partition('a').remove();
    // The scripts are in the server's memory now, for users without +eval as well.
    const stopsUpdates = ['+getex', '+eval', '+evalsha', '+set', '+getrange'];
    for (const missing of needs) {
      const user = `without${missing.slice(1)}`;
      await setUser(
        user,
        needs.filter((name) => name !== missing),
      );
      const store = await connect(url(user));
      if (stopsUpdates.includes(missing))
        await expectCode(store, 'store_forbidden', { reads: missing === '+getex' });
      else await expect(caches({ store }).check()).rejects.toMatchObject({ code: 'store_forbidden' });
    }
  });

  it('a replica, something else under a key, and a full server', async () => {
    const replica = await startRedis(['--replicaof', `127.0.0.1 ${server.port}`]);
    const other = await startRedis(['--maxmemory', '100kb', '--maxmemory-policy', 'noeviction']);
    try {
      await expectCode(await connect(replica.url), 'store_read_only');
      await expectCode(await connect(other.url), 'store_full', { reads: false });
      const client = await admin();
      const partition = caches({ store: await connect() }).partition('wrong');
      await client.lPush(`tokenkeep:${partition.key}`, 'a list');
      await expect(partition.read(namesIn)).rejects.toMatchObject({ code: 'store_wrong_type' });
      await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({
        code: 'store_wrong_type',
      });
    } finally {
      await replica.close();
      await other.close();
    }
  });

  it('a client that is closed, and one that only receives messages', async () => {
    if (library === 'redis') {
      const options = { url: server.url, RESP: 2 as const };
      const [never, subscribed, pool] = [
        createClient(options),
        createClient(options),
        createClientPool(options),
      ];
      subscribed.on('error', () => undefined);
      await subscribed.connect();
      ends.push(() => subscribed.destroy());
      await expectCode(redisStore({ client: never }), 'store_client');
      await expectCode(redisStore({ client: pool }), 'store_client');
      await expectCode(redisStore({ client: createSentinelClient(server.port) }), 'store_client');
      const store = redisStore({ client: subscribed });
      await caches({ store }).check();
      await subscribed.subscribe('news', () => undefined);
      await expectCode(store, 'store_client');
      return;
    }
    const client = new Redis(server.url, { stringNumbers: true });
    const store = redisStore({ client });
    await caches({ store }).check();
    await caches({ store }).partition('a').remove();
    const end = new Promise((resolve) => client.once('end', resolve));
    await client.quit();
    await end;
    await expectCode(store, 'store_client');
    const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }]);
    ends.push(() => cluster.disconnect());
    const ofCluster = redisStore({ client: cluster });
    await new Promise((resolve) => cluster.on('error', resolve));
    await expectCode(ofCluster, 'store_client');
    for (const pending of [client.pipeline(), client.multi()])
      expect(() => redisStore({ client: pending as never })).toThrow(
        expect.objectContaining({ code: 'store_client' }),
      );
  });

  if (library === 'redis') return;
  describe('conforms', () => {
    const open = async () => ({ store: await connect(), another: await connect() });
    const server_ = {
      stop: () => server.stop(),
      start: () => server.start(),
      pause: () => server.pause(),
      resume: () => server.resume(),
    };
    for (const { name, isAlone, run } of partitionStoreConformance({ open, server: server_ }))
      (isAlone ? it : it.concurrent)(name, run);
  });
});

it.each([
  ['MOVED 12182 10.0.0.2:6379', 'store_client'],
  ['ASK 3999 10.0.0.2:6379', 'store_client'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'store_client'],
  ["READONLY You can't write against a read only replica.", 'store_read_only'],
  ['DENIED Redis is running in protected mode because protected mode is enabled', 'store_forbidden'],
  ['NOAUTH Authentication required.', 'store_forbidden'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'store_forbidden'],
  ["ERR unknown command 'evalsha', with args beginning with:", 'store_forbidden'],
  ['ERR Unknown Redis command called from script script: 4f5a, on @user_script:3.', 'store_forbidden'],
  ['MISCONF Redis is configured to save RDB snapshots', 'store_full'],
  ['CLUSTERDOWN The cluster is down', 'store_unavailable'],
  ['LOADING Redis is loading the dataset in memory', 'store_unavailable'],
])('Redis answers "%s": %s', async (text, code) => {
  const refuse = () => Promise.reject(new Error(text));
  const client = { callBuffer: refuse };
  const partition = caches({ store: redisStore({ client }) }).partition('a');
  for (const call of [
    partition.read(namesIn),
    partition.update((cache) => signIn(cache, 'noor')),
    partition.exclusively('turn', () => Promise.resolve()),
  ]) {
    const error = (await call.catch((failure: unknown) => failure)) as Error;
    expect(error).toMatchObject({ code });
    expect(/try again/i.test(error.message)).toBe(code === 'store_unavailable');
  }
});

describe('a client that uses TLS, and a server that does not', () => {
  async function answering(answer: string): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write(answer));
      onTestFinished(() => void socket.destroy());
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it.each(['redis', 'ioredis'])('%s', async (library) => {
    const url = `rediss://127.0.0.1:${await answering('-ERR this is no TLS\r\n')}`;
    const client = library === 'redis' ? createClient({ url }) : new Redis(url, { tls: {} });
    const store = redisStore({ client });
    const failed = new Promise((resolve) => client.on('error', resolve));
    if ('connect' in client) client.connect().catch(() => undefined);
    onTestFinished(() => {
      if ('destroy' in client) client.destroy();
      else client.disconnect();
    });
    await failed;
    await expectCode(store, 'store_client');
  });

  it('pg', async () => {
    const pool = new pg.Pool({ host: '127.0.0.1', port: await answering('N'), ssl: true });
    onTestFinished(() => pool.end());
    await expectCode(postgresStore({ pool }), 'store_client');
  });
});

it.each([
  [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'store_client'],
  [{ code: 'CERT_HAS_EXPIRED' }, 'store_client'],
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'store_client'],
  [{ message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string' }, 'store_forbidden'],
])('pg fails with %o: %s', async (fields, code) => {
  const pool = {
    connect: (done: (error: Error) => void) => done(Object.assign(new Error('failed'), fields)),
  };
  await expectCode(postgresStore({ pool }), code);
  const ignore = (): void => undefined;
  await expect(postgresInvalidation({ pool }).subscribe(ignore, ignore)).rejects.toMatchObject({ code });
});

describe('pg', () => {
  let server: PostgresServer;
  let owner: pg.Pool;
  const pools: pg.Pool[] = [];
  const poolOf = (user: string, options = ''): pg.Pool => {
    const pool = new pg.Pool({ connectionString: server.url.replace('app@', `${user}@`), max: 3, options });
    pool.on('error', () => undefined);
    pools.push(pool);
    return pool;
  };
  beforeAll(async () => {
    server = await startPostgres();
    owner = poolOf('app');
    await migratePartitions(owner);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.close();
  });

  it('the documented grants suffice, and each missing one is reported', async () => {
    await owner.query('CREATE ROLE web LOGIN');
    await owner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON tokenkeep_partitions TO web');
    const pool = poolOf('web');
    const all = caches({ store: postgresStore({ pool }) });
    await all.check();
    await all.partition('a').update((cache) => signIn(cache, 'noor'));
    expect((await all.sealingReport()).entries).toBe(1);
    expect(await removeExpired(pool)).toBe(0);
    await owner.query('CREATE ROLE reader LOGIN');
    await owner.query('GRANT SELECT ON tokenkeep_partitions TO reader');
    await expectCode(postgresStore({ pool: poolOf('reader') }), 'store_forbidden', { reads: false });
    await owner.query('CREATE ROLE stranger LOGIN');
    await expectCode(postgresStore({ pool: poolOf('stranger') }), 'store_forbidden');
  });

  it('a missing table, other columns, and a server that only reads', async () => {
    await expectCode(postgresStore({ pool: owner, table: 'nowhere' }), 'store_table_missing');
    await owner.query('CREATE TABLE other_columns (key text PRIMARY KEY, value text)');
    const { code } = (await caches({ store: postgresStore({ pool: owner, table: 'other_columns' }) })
      .check()
      .catch((error: unknown) => error)) as { code: string };
    expect(code).toBe('store_wrong_type');
    const reading = poolOf('app', '-c default_transaction_read_only=on');
    await expectCode(postgresStore({ pool: reading }), 'store_read_only', { reads: false });
    const ended = new pg.Pool({ connectionString: server.url });
    await ended.end();
    await expectCode(postgresStore({ pool: ended }), 'store_client');
  });

  it('a pool of which every connection would listen, until one of them stops', async () => {
    const pool = new pg.Pool({ connectionString: server.url, max: 2, connectionTimeoutMillis: 5000 });
    pools.push(pool);
    const subscribe = () =>
      postgresInvalidation({ pool }).subscribe(
        () => undefined,
        () => undefined,
      );
    const end = await subscribe();
    await expect(subscribe()).rejects.toMatchObject({
      code: 'store_client',
      message: expect.stringContaining('`max: 3`') as string,
    });
    await caches({ store: postgresStore({ pool }) }).check();
    await end();
    await (await subscribe())();
  });

  it('works behind PgBouncer in transaction mode, and refuses invalidation at subscription', async () => {
    const bouncer = await startPgBouncer(server);
    const pool = new pg.Pool({ connectionString: bouncer.url, max: 4 });
    pool.on('error', () => undefined);
    try {
      const all = caches({ store: postgresStore({ pool }) });
      await all.check();
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          all.partition(`bounced ${index}`).exclusively('turn', async () => {
            await all.partition(`bounced ${index}`).update((cache) => signIn(cache, `user${index}`));
          }),
        ),
      );
      expect(await all.partition('bounced 7').read(namesIn)).toEqual(['user7@contoso.example']);
      const subscribed = postgresInvalidation({ pool }).subscribe(
        () => undefined,
        () => undefined,
      );
      await expect(subscribed).rejects.toMatchObject({ code: 'store_client' });
    } finally {
      await pool.end();
      await bouncer.close();
    }
  });
});
