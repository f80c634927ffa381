/** A Redis that refuses calls while the app runs: each error names the cause, and the same client works again afterwards. */
import { EventEmitter, once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster } from 'redis';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PartitionedCaches, PartitionStore } from '../../src-main/partitions/index.ts';
import { withoutArguments } from '../../src-main/partitions/stores/redis-client.ts';
import { redisStore, type RedisStoreOptions } from '../../src-main/partitions/stores/redis-store.ts';
import { askRedis, type RedisServer, startRedis, startRedisCluster } from '../support/servers/redis.ts';
import { caches, namesIn, signIn } from './people.ts';

const KINDS = ['createClient', 'createClientPool', 'ioredis'] as const;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function open(kind: (typeof KINDS)[number], url: string): Promise<PartitionedCaches> {
  if (kind === 'ioredis') {
    const client = new Redis(url);
    client.on('error', () => undefined);
    ends.push(() => client.disconnect());
    return caches({ store: redisStore({ client }) });
  }
  const client = kind === 'createClient' ? createClient({ url }) : createClientPool({ url });
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.destroy());
  return caches({ store: redisStore({ client }) });
}

/** The arguments of a command are the entry, the lease's owner, or the password of the client. */
function assertTellsNothing(error: unknown): void {
  expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/\bargs\b|<Buffer|our-password/);
}

/** Returns how the calls on a partition end: `done`, or an error's code. */
async function outcomes(all: PartitionedCaches): Promise<{ read: string; update: string; turn: string }> {
  const told = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'done',
      (error: unknown) => {
        const { code, message } = error as { code: string; message: string };
        expect(/try again/i.test(message), message).toBe(code === 'store_unavailable');
        assertTellsNothing(error);
        return code;
      },
    );
  const partition = all.partition('a');
  return {
    read: await told(partition.read(namesIn)),
    update: await told(partition.update((cache) => signIn(cache, 'noor'))),
    turn: await told(partition.exclusively('turn', () => Promise.resolve())),
  };
}

const DONE = { read: 'done', update: 'done', turn: 'done' };
const all = (code: string) => ({ read: code, update: code, turn: code });
const writes = (code: string) => ({ read: 'done', update: code, turn: code });

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 200; ; left -= 1) {
    try {
      await check();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Trouble {
  readonly begin: (url: string) => unknown;
  readonly end: (url: string) => unknown;
  readonly told: { read: string; update: string; turn: string };
}

const config = (name: string, value: string) => (url: string) => askRedis(url, 'CONFIG', 'SET', name, value);
/** The path at which Redis saves its data. A folder there makes saving fail. */
const obstacle = async (url: string): Promise<string> => {
  const answer = (await askRedis(url, 'CONFIG', 'GET', 'dir')) as object;
  // A map with RESP3; with RESP2, a list of names and values.
  const folder: unknown = Array.isArray(answer) ? answer[1] : Reflect.get(answer, 'dir');
  return join(String(folder), 'dump.rdb');
};
const withPassword = (url: string): string => url.replace('//', '//:changed@');

const TROUBLES: Record<string, Trouble> = {
  'its memory is full (OOM)': {
    begin: config('maxmemory', '1'),
    end: config('maxmemory', '0'),
    told: writes('store_full'),
  },
  'it cannot save to disk (MISCONF)': {
    begin: async (url) => {
      await config('save', '900 1')(url);
      await rm(await obstacle(url), { force: true });
      await mkdir(await obstacle(url));
      await askRedis(url, 'BGSAVE');
      await eventually(async () =>
        expect(await askRedis(url, 'INFO', 'persistence')).toContain('rdb_last_bgsave_status:err'),
      );
    },
    end: async (url) => {
      await rm(await obstacle(url), { recursive: true });
      await askRedis(url, 'BGSAVE');
    },
    told: writes('store_full'),
  },
  'it has too few replicas (NOREPLICAS)': {
    begin: config('min-replicas-to-write', '1'),
    end: config('min-replicas-to-write', '0'),
    told: writes('store_unavailable'),
  },
  'a script of another program runs (BUSY)': {
    begin: async (url) => {
      await config('busy-reply-threshold', '10')(url);
      void askRedis(url, 'EVAL', 'while true do end', '0').catch(() => undefined);
      await eventually(async () => {
        await expect(askRedis(url, 'GET', 'a')).rejects.toThrow('BUSY');
      });
    },
    end: (url) => askRedis(url, 'SCRIPT', 'KILL'),
    told: all('store_unavailable'),
  },
  'it loads its data (LOADING)': {
    begin: async (url) => {
      await config('key-load-delay', '1000')(url);
      await config('loading-process-events-interval-bytes', '1024')(url);
      await askRedis(url, 'EVAL', "for i = 1, 10000 do redis.call('SET', 'filler' .. i, i) end", '0');
      void askRedis(url, 'DEBUG', 'RELOAD').catch(() => undefined);
      await eventually(async () => {
        await expect(askRedis(url, 'GET', 'a')).rejects.toThrow('LOADING');
      });
    },
    end: config('key-load-delay', '0'),
    told: all('store_unavailable'),
  },
  'it forgot its scripts (NOSCRIPT)': {
    begin: (url) => askRedis(url, 'SCRIPT', 'FLUSH'),
    end: () => undefined,
    told: DONE,
  },
  'its ACL takes a permission away (NOPERM)': {
    begin: (url) => askRedis(url, 'ACL', 'SETUSER', 'default', '-getex', '-evalsha'),
    end: (url) => askRedis(url, 'ACL', 'SETUSER', 'default', '+@all'),
    told: all('store_forbidden'),
  },
  'its password changes (NOAUTH, WRONGPASS)': {
    begin: async (url) => {
      await config('requirepass', 'changed')(url);
      await askRedis(withPassword(url), 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: async (url) => {
      await config('requirepass', '')(withPassword(url));
      // A connection that began unauthenticated stays so.
      await askRedis(url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    told: all('store_forbidden'),
  },
  'it lost its primary (MASTERDOWN)': {
    begin: async (url) => {
      await config('replica-serve-stale-data', 'no')(url);
      await askRedis(url, 'REPLICAOF', '127.0.0.1', '1');
    },
    end: (url) => askRedis(url, 'REPLICAOF', 'NO', 'ONE'),
    told: all('store_read_only'),
  },
};

describe.each(KINDS)('%s', (kind) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(['--enable-debug-command', 'yes']);
  }, 60_000);
  afterAll(() => server.close());

  test.each(Object.entries(TROUBLES))(
    '%s',
    async (_name, { begin, end, told }) => {
      const opened = await open(kind, server.url);
      expect(await outcomes(opened)).toEqual(DONE);
      await begin(server.url);
      await eventually(async () => expect(await outcomes(opened)).toEqual(told));
      await end(server.url);
      await eventually(async () => expect(await outcomes(opened)).toEqual(DONE));
      expect(await opened.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    },
    60_000,
  );
});

// `ioredis` sends again what was not answered before the connection broke, which may have been executed.
test('a command that is sent twice is answered twice like the first time', async () => {
  const server = await startRedis();
  ends.push(() => server.close());
  const client = new Redis(server.url);
  ends.push(() => client.disconnect());
  const store = redisStore({ client });
  const key = 'k'.repeat(43);
  const entry = (letter: string) => ({ bytes: Buffer.from(letter), version: letter.repeat(16) });
  for (const letter of ['a', 'a'])
    expect(await store.write(key, entry(letter), { expected: null, ttl: 60 })).toBe(true);
  for (const letter of ['b', 'b'])
    expect(await store.write(key, entry(letter), { expected: 'a'.repeat(16), ttl: 60 })).toBe(true);
  for (const letter of ['c', 'c'])
    expect(await store.maintenance!.replace(key, entry(letter), 'b'.repeat(16))).toBe(true);
  expect(await store.write(key, entry('d'), { expected: 'a'.repeat(16), ttl: 60 })).toBe(false);
  expect((await store.read(key))?.version).toBe('c'.repeat(16));
});

/** An address of a server. `cut` runs when the server has answered the next script, whose answer and connection are lost then. */
async function lossy({ port }: RedisServer) {
  const place = { url: '', cut: undefined as (() => Promise<unknown>) | undefined };
  const listener = createServer((socket) => {
    const server = connect(port, '127.0.0.1');
    socket.pipe(server);
    server.on('data', (answer) => {
      const { cut } = place;
      if (cut === undefined || !answer.toString().startsWith(':')) {
        socket.write(answer);
        return;
      }
      place.cut = undefined;
      void cut().finally(() => socket.destroy());
    });
    for (const one of [socket, server]) one.on('error', () => undefined);
    socket.on('close', () => server.destroy());
    ends.push(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  ends.push(() => listener.close());
  place.url = `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return place;
}

test('a command that is sent twice is not denied, though another server has written in between', async () => {
  const server = await startRedis();
  ends.push(() => server.close());
  const place = await lossy(server);
  const [store, other] = [place.url, server.url].map((url) => {
    const client = new Redis(url);
    client.on('error', () => undefined);
    ends.push(() => client.disconnect());
    return redisStore({ client });
  }) as [PartitionStore, PartitionStore];
  const key = 'k'.repeat(43);
  const entry = (letter: string) => ({ bytes: Buffer.from(letter), version: letter.repeat(16) });
  const written = (letter: string, expected: string | null) => async () =>
    expect(await other.write(key, entry(letter), { expected, ttl: 60 })).toBe(true);
  const { version: a } = entry('a');
  await written('a', null)();
  expect((await store.read(key))?.version).toBe(a); // It is connected.
  place.cut = written('b', null);
  await expect(store.remove(key, a)).rejects.toThrow(/is unknown/);
  place.cut = written('d', entry('c').version);
  await expect(store.write(key, entry('c'), { expected: entry('b').version, ttl: 60 })).rejects.toThrow(
    /is unknown/,
  );
  place.cut = written('f', entry('e').version);
  await expect(store.maintenance!.replace(key, entry('e'), entry('d').version)).rejects.toThrow(/is unknown/);
  // Nothing was done, and the connection stays.
  expect(await store.remove(key, a)).toBe(false);
  // Nobody else has written.
  place.cut = () => Promise.resolve();
  expect(await store.remove(key, entry('f').version)).toBe(true);
});

test.each<[string, () => { client: RedisStoreOptions['client']; lose: () => void }]>([
  [
    'a cluster of ioredis',
    () => {
      const node = new EventEmitter();
      const own = { callBuffer: () => Promise.resolve(0), nodes: () => [node] };
      return { client: Object.assign(new EventEmitter(), own), lose: () => node.emit('close') };
    },
  ],
  [
    'a cluster of ioredis with a new node',
    () => {
      const [client, node] = [new EventEmitter(), new EventEmitter()];
      const own = { callBuffer: () => Promise.resolve(0), nodes: () => [] };
      const lose = (): void => {
        client.emit('+node', node);
        node.emit('close');
      };
      return { client: Object.assign(client, own), lose };
    },
  ],
  ...['client-error', 'topology-change'].map(
    (event): [string, () => { client: RedisStoreOptions['client']; lose: () => void }] => [
      `a sentinel of redis (${event})`,
      () => {
        const zero = () => Promise.resolve(0);
        const commands = { del: zero, pExpire: zero, evalSha: zero, eval: zero };
        const own = { withCommandOptions: () => commands, sendCommand: zero };
        const client = Object.assign(new EventEmitter(), own);
        return { client, lose: () => client.emit(event) };
      },
    ],
  ),
])('nor by a client that may have sent it twice: %s', async (_what, made) => {
  const { client, lose } = made();
  const store = redisStore({ client });
  const key = 'k'.repeat(43);
  expect(await store.remove(key, 'a'.repeat(16))).toBe(false);
  const removed = store.remove(key, 'a'.repeat(16));
  const taken = store.leases!.take(key, { name: key, owner: 'o'.repeat(22), ttl: 10 });
  lose();
  await expect(removed).rejects.toThrow(/is unknown/);
  expect(await taken).toBe(false); // Another owner has it, however often it was asked for.
});

test('the password of AUTH is in no error either', () => {
  const ofNode = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['our-password'] } });
  const error = withoutArguments(Object.assign(new Error('all failed'), { lastNodeError: ofNode }));
  assertTellsNothing(error);
  expect(inspect(error)).toContain('auth');
});

test('a node of a cluster without slots (CLUSTERDOWN) works as soon as it has them', async () => {
  const server = await startRedis(['--cluster-enabled', 'yes']);
  ends.push(() => server.close());
  const opened = await open('createClient', server.url);
  expect(await outcomes(opened)).toEqual(all('store_unavailable'));
  await askRedis(server.url, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually(async () => expect(await outcomes(opened)).toEqual(DONE));
}, 60_000);

describe('a replica that lags behind', () => {
  let nodes: RedisServer[];
  let replica: RedisServer;
  beforeAll(async () => {
    nodes = await startRedisCluster();
    replica = await startRedis(['--cluster-enabled', 'yes']);
    await askRedis(replica.url, 'CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port));
    const id = String(await askRedis(nodes[0]!.url, 'CLUSTER', 'MYID'));
    await eventually(async () => {
      expect(await askRedis(replica.url, 'CLUSTER', 'REPLICATE', id)).toBe('OK');
    });
    await eventually(async () => {
      expect(await askRedis(replica.url, 'INFO', 'replication')).toContain('master_link_status:up');
      expect(await askRedis(nodes[0]!.url, 'CLUSTER', 'SLOTS').then(JSON.stringify)).toContain(
        String(replica.port),
      );
    });
  }, 60_000);
  afterAll(() => Promise.all([...nodes, replica].map((server) => server.close())));

  test.each(KINDS)(
    'is not read by %s',
    async (kind) => {
      const [primary, lagging] = await Promise.all([startRedis(), startRedis()]);
      ends.push(
        () => primary.close(),
        () => lagging.close(),
      );
      const [there, here] = [await open(kind, primary.url), await open(kind, lagging.url)];
      for (const one of [there, here]) await one.partition('a').update((cache) => signIn(cache, 'noor'));
      await askRedis(lagging.url, 'REPLICAOF', '127.0.0.1', String(primary.port));
      await eventually(async () =>
        expect(await askRedis(lagging.url, 'INFO', 'replication')).toContain('master_link_status:up'),
      );
      // The replica hears nothing more. There, the user is still signed in.
      primary.pause();
      for (const id of ['a', 'of nobody'])
        await expect(here.partition(id).read(namesIn)).rejects.toMatchObject({ code: 'store_read_only' });
      await askRedis(lagging.url, 'REPLICAOF', 'NO', 'ONE');
      await eventually(async () => expect(await here.partition('a').read(namesIn)).toHaveLength(1));
      primary.resume();
    },
    60_000,
  );

  test.each(['redis', 'ioredis'])(
    'is not read by a cluster client of %s that reads replicas',
    async (library) => {
      const url = nodes[0]!.url;
      let store;
      let get: (key: string) => Promise<unknown>;
      if (library === 'redis') {
        const client = createCluster({ rootNodes: [{ url }], useReplicas: true });
        client.on('error', () => undefined);
        await client.connect();
        ends.push(() => client.destroy());
        store = redisStore({ client });
        get = (key) => client.get(key);
      } else {
        const client = new Cluster([url], { scaleReads: 'slave' });
        ends.push(() => client.disconnect());
        store = redisStore({ client });
        get = (key) => client.get(key);
      }
      const opened = caches({ store, timeout: 20_000 });
      const ids = Array.from({ length: 12 }, (_, index) => `user ${index}`);
      for (const id of ids) await opened.partition(id).update((cache) => signIn(cache, 'noor'));
      const reads = async (): Promise<number> => {
        const stats = String(await askRedis(replica.url, 'INFO', 'commandstats'));
        return [...stats.matchAll(/cmdstat_(?:get|getex|evalsha):calls=(\d+)/g)].reduce(
          (sum, [, calls]) => sum + Number(calls),
          0,
        );
      };
      // Its other reads do go there, so the test can fail.
      const none = await reads();
      await eventually(async () => {
        for (const id of ids) await get(`tokenkeep:${opened.partition(id).key}`);
        expect(await reads()).toBeGreaterThan(none);
      });
      const before = await reads();
      for (const id of ids) expect(await opened.partition(id).read(namesIn)).toHaveLength(1);
      expect(await reads()).toBe(before);
      await Promise.all(ids.map((id) => opened.partition(id).remove()));
    },
    60_000,
  );
});

test.each<[string, (url: string) => Promise<RedisStoreOptions['client']>]>([
  ['createClient', (url) => connected(createClient({ url, keyPrefix: 'app[1]:' }))],
  ['createClient, as bytes', (url) => connected(createClient({ url, keyPrefix: Buffer.from('app[1]:') }))],
  ['createClientPool', (url) => connected(createClientPool({ url, keyPrefix: 'app[1]:' }))],
  ['ioredis', (url) => Promise.resolve(ioredis(url, { keyPrefix: 'app[1]:' }))],
  [
    'ioredis with pipelines',
    (url) => Promise.resolve(ioredis(url, { keyPrefix: 'app[1]:', enableAutoPipelining: true })),
  ],
])(
  'a key prefix of %s is that of reads, writes and scans',
  async (_, clientAt) => {
    const server = await startRedis();
    ends.push(() => server.close());
    const client = await clientAt(server.url);
    // What the client itself writes: `redis` 5 has no such option.
    await (Reflect.get(client, 'set') as (key: string, value: string) => Promise<unknown>).call(
      client,
      'own',
      '',
    );
    const [ownKey = ''] = (await askRedis(server.url, 'KEYS', '*')) as string[];
    await askRedis(server.url, 'DEL', ownKey);
    const opened = caches({ store: redisStore({ client }) });
    expect(await outcomes(opened)).toEqual(DONE);
    expect(await opened.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    const key = ownKey.replace(/own$/, `tokenkeep:${opened.partition('a').key}`);
    expect(await askRedis(server.url, 'KEYS', '*')).toEqual([key]);
    expect(await opened.reseal()).toMatchObject({ entries: 1, current: 1, skipped: {} });
    await opened.partition('a').remove();
    expect(await askRedis(server.url, 'KEYS', '*')).toEqual([]);
  },
  60_000,
);

test('a client that has nothing but callBuffer, as the documented adapter, reads, writes and reseals', async () => {
  const server = await startRedis();
  ends.push(() => server.close());
  const client = await connected(createClient({ url: server.url }));
  const callBuffer = (...command: (string | Buffer)[]): Promise<unknown> =>
    client.sendCommand(command, { typeMapping: { 36: Buffer } });
  const opened = caches({ store: redisStore({ client: { callBuffer } }) });
  expect(await outcomes(opened)).toEqual(DONE);
  expect(await opened.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
  expect(await opened.reseal()).toMatchObject({ entries: 1, current: 1, skipped: {} });
}, 60_000);

async function connected<
  C extends {
    on: (name: 'error', listener: () => void) => unknown;
    connect(): Promise<unknown>;
    destroy(): unknown;
  },
>(client: C): Promise<C> {
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.destroy());
  return client;
}

function ioredis(url: string, options: { keyPrefix: string; enableAutoPipelining?: boolean }): Redis {
  const client = new Redis(url, options);
  client.on('error', () => undefined);
  ends.push(() => client.disconnect());
  return client;
}

describe('failover behind one address', () => {
  let servers: readonly [RedisServer, RedisServer];
  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRedis()]);
  }, 60_000);
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  /** An address that leads new connections to one server, as a virtual IP or a DNS name does, and leaves existing ones alone. */
  async function address(first: RedisServer) {
    let target = first.port;
    let connections = 0;
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      connections += 1;
      const other = connect(target, '127.0.0.1');
      for (const [one, another] of [
        [socket, other],
        [other, socket],
      ] as const) {
        sockets.add(one);
        one.pipe(another);
        one.on('error', () => another.destroy());
        one.on('close', () => another.destroy());
      }
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    ends.push(() => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    });
    return {
      url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`,
      leadTo: ({ port }: RedisServer) => void (target = port),
      connections: () => connections,
    };
  }

  test.each(KINDS)(
    '%s leaves the server that was demoted',
    async (kind) => {
      const [first, second] = servers;
      for (const { url } of servers) await askRedis(url, 'REPLICAOF', 'NO', 'ONE');
      const place = await address(first);
      const opened = await open(kind, place.url);
      const names = ['a', 'b', 'c', 'd'];
      const update = (name: string) => opened.partition(name).update((cache) => signIn(cache, name));
      await Promise.all(names.map(update)); // A pool opens a connection for each.

      await askRedis(first.url, 'REPLICAOF', '127.0.0.1', String(second.port));
      const refused = await Promise.allSettled(names.map(update));
      expect(refused.map((result) => result.status === 'rejected' && result.reason.code)).toContain(
        'store_read_only',
      );
      // The address leads to a replica for a while. Each connection (a pool has several) is given up at most once a second.
      const before = place.connections();
      const began = performance.now();
      for (let left = 200; left > 0; left -= 1) await update('a').catch(() => undefined);
      const seconds = (performance.now() - began) / 1000;
      expect(place.connections() - before).toBeLessThanOrEqual((seconds + 2) * 10);

      place.leadTo(second);
      await eventually(async () => {
        const results = await Promise.allSettled(names.map(update));
        expect(results.map(({ status }) => status)).toEqual(names.map(() => 'fulfilled'));
      });
      for (const name of names)
        expect(await askRedis(second.url, 'EXISTS', `tokenkeep:${opened.partition(name).key}`)).toBe(1);
    },
    60_000,
  );
});
