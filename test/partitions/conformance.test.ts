import { AssertionError } from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MemoryStore } from 'express-session';
import { createClient, createCluster } from 'redis';
import pg from 'pg';
import { partitionStoreConformance } from '../../src-main/partitions/conformance/conformance.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { partitionedCaches } from '../../src-main/partitions/index.ts';
import { layered, type PartitionInvalidation } from '../../src-main/partitions/stores/layered-store.ts';
import { memoryStore } from '../../src-main/partitions/stores/memory-store.ts';
import {
  migratePartitions,
  postgresInvalidation,
  postgresStore,
} from '../../src-main/partitions/stores/postgres-store.ts';
import { redisInvalidation, redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import type { PartitionStore } from '../../src-main/partitions/partition-store.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/servers/redis.ts';
import type { Server } from '../support/servers/server.ts';

/** Seconds. `layered` promises this maximum age of a copy, so the tests wait for it. */
const STALENESS = 0.2;

function conforms(options: Parameters<typeof partitionStoreConformance>[0]): void {
  for (const { name, isAlone, run } of partitionStoreConformance(options))
    (isAlone ? test : test.concurrent)(name, run);
}

/** Runs something that waits only for timers, and turns the clock until it ends. No other test may run meanwhile. */
async function hastened(run: () => Promise<unknown>): Promise<void> {
  vi.useFakeTimers({
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  });
  const task = { isRunning: true };
  try {
    const ended = run().finally(() => (task.isRunning = false));
    ended.catch(() => undefined); // It is awaited below.
    const isOver = () => !task.isRunning && vi.getTimerCount() === 0; // the timer that all deadlines share ends last
    // Ten minutes of its time. What waits for anything else must not keep the clock from the tests that follow.
    for (let turn = 0; !isOver() && turn < 60_000; turn += 1) {
      vi.advanceTimersByTime(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!isOver()) throw new Error('It waits for something other than a timer, or left a timer behind.');
    await ended;
  } finally {
    vi.useRealTimers();
  }
}

/** A connection as another process would have one. */
interface Connection {
  readonly store: PartitionStore;
  readonly invalidation: PartitionInvalidation;
  readonly close: () => Promise<unknown>;
}

/** One store over two connections. */
async function twice(connect: () => Promise<Connection>) {
  const [one, other] = [await connect(), await connect()];
  return {
    store: one.store,
    another: other.store,
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
}

/** The same, with a copy in memory in front of each. */
async function layeredTwice(connect: () => Promise<Connection>) {
  const connections = [await connect(), await connect()] as const;
  const [store, another] = [layer(connections[0]), layer(connections[1])];
  await Promise.all([store.listening, another.listening]);
  return {
    store,
    another,
    seen: () => new Promise<void>((resolve) => setTimeout(resolve, STALENESS * 1000)),
    close: async () => {
      await Promise.all([store.close(), another.close()]);
      await Promise.all(connections.map(({ close }) => close()));
    },
  };
}

function layer({ store, invalidation }: Connection) {
  return layered({ store, staleness: STALENESS, invalidation });
}

describe('memory', () => {
  conforms({
    open: () => {
      const store = memoryStore();
      return Promise.resolve({ store, another: store });
    },
  });
});

describe('session, as cookie-session has it', () => {
  conforms({
    leases: false,
    open: () => {
      const session = {};
      return Promise.resolve({ store: sessionStore(() => session), another: sessionStore(() => session) });
    },
  });
});

describe('session, as two requests of one process have it in express-session', () => {
  conforms({
    open: () => {
      const sessions = new MemoryStore();
      const request = () => {
        const req = { sessionStore: sessions, sessionID: 'one', session: {} };
        return sessions.createSession(req as never, { cookie: { originalMaxAge: null } });
      };
      return Promise.resolve({ store: sessionStore(request()), another: sessionStore(request()) });
    },
  });
});

async function redisAt(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: 100 } });
  client.on('error', () => undefined);
  await client.connect();
  return {
    client,
    store: redisStore({ client }),
    invalidation: redisInvalidation({ client }),
    close: () => client.close(),
  };
}

function postgresAt(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 5 });
  pool.on('error', () => undefined);
  return {
    pool,
    store: postgresStore({ pool }),
    invalidation: postgresInvalidation({ pool }),
    close: () => pool.end(),
  };
}

describe.each<{
  name: string;
  begin: () => Promise<Server & { url: string }>;
  at: (url: string) => Promise<Connection> | Connection;
}>([
  { name: 'Redis', begin: startRedis, at: redisAt },
  {
    name: 'PostgreSQL',
    begin: async () => {
      const server = await startPostgres();
      const { pool, close } = postgresAt(server.url);
      await Promise.all([migratePartitions(pool), migratePartitions(pool), migratePartitions(pool)]);
      await close();
      return server;
    },
    at: postgresAt,
  },
])('$name', ({ begin, at }) => {
  let server: Server & { url: string };
  beforeAll(async () => {
    server = await begin();
  }, 60_000);
  afterAll(() => server.close());

  const connect = async (): Promise<Connection> => at(server.url);
  const controls = {
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
  describe('alone', () => conforms({ open: () => twice(connect), server: controls }));
  describe('with memory in front', () => conforms({ open: () => layeredTwice(connect), server: controls }));
});

describe('a Redis Cluster of three', () => {
  let nodes: RedisServer[] = [];
  beforeAll(async () => {
    nodes = await startRedisCluster();
  }, 60_000);
  afterAll(() => Promise.all(nodes.map((node) => node.close())));

  conforms({
    open: () =>
      twice(async () => {
        const cluster = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
        cluster.on('error', () => undefined);
        await cluster.connect();
        const invalidation = {
          publish: () => undefined,
          subscribe: () => Promise.reject(new Error('not here')),
        };
        return { store: redisStore({ client: cluster }), invalidation, close: () => cluster.close() };
      }),
  });

  test('a client of a single node is told so, and that is no outage', async () => {
    const client = createClient({ url: nodes[0]?.url ?? '' });
    client.on('error', () => undefined);
    await client.connect();
    const caches = partitionedCaches({ store: redisStore({ client }), sealingKeys: 'plain-text' });
    // The checks use keys of all nodes; one key in three is on this node.
    const checks = await Promise.allSettled(Array.from({ length: 24 }, () => caches.check()));
    const codes = checks.flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as { code: string }).code] : [],
    );
    expect(new Set(codes)).toEqual(new Set(['store_client']));
    client.destroy();
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

const plainEntry = (letter: string) => ({ bytes: Buffer.from(letter), version: letter.repeat(16) });

/** Faults of a store of one's own, and what the failed case says of them. */
const FAULTS: readonly [
  string,
  (store: PartitionStore) => Partial<PartitionStore>,
  string,
  waiting?: RegExp,
][] = [
  [
    'resolves with undefined where there is nothing',
    (store) => ({ read: async (...call) => (await store.read(...call)) ?? (undefined as never) }),
    'Resolve with null, not with undefined',
  ],
  [
    'stores text',
    (store) => ({
      write: (key, { bytes, version }, ...rest) =>
        store.write(key, { bytes: Buffer.from(Buffer.from(bytes).toString('utf8')), version }, ...rest),
    }),
    'Store binary data, not text',
  ],
  [
    'compares no version',
    (store) => ({
      write: async (key, entry, { ttl }) =>
        store.write(key, entry, { expected: (await store.read(key))?.version ?? null, ttl }),
    }),
    'Compare and replace in one atomic step',
  ],
  [
    'compares and then writes',
    (store) => ({
      write: async (key, entry, { expected, ttl }) => {
        const found = (await store.read(key))?.version ?? null;
        await new Promise((resolve) => setImmediate(resolve));
        return (
          found === expected &&
          store.write(key, entry, { expected: (await store.read(key))?.version ?? null, ttl })
        );
      },
    }),
    'Of 20 writers that expected the same version',
  ],
  [
    'says it has written, and has not',
    () => ({ write: () => Promise.resolve(true) }),
    '`read` does not return what `write` stored',
  ],
  [
    'writes and does not say so',
    (store) => ({ write: async (...call) => (await store.write(...call)) && (undefined as never) }),
    'or did not say so',
  ],
  [
    'removes nothing',
    () => ({ remove: () => Promise.resolve(true) }),
    'a user who signed out is still signed in',
  ],
  [
    'removes any version',
    (store) => ({ remove: (key) => store.remove(key) }),
    'of another version than the expected',
  ],
  [
    'counts its removals',
    (store) => ({
      remove: async (key, ...rest) => (await store.read(key)) !== null && store.remove(key, ...rest),
    }),
    'A sign-out that is repeated must succeed',
  ],
  [
    'takes milliseconds for seconds',
    (store) => ({
      write: (key, entry, { expected, ttl }) =>
        store.write(key, entry, { expected, ttl: ttl === null ? null : ttl * 1000 }),
    }),
    '`ttl` is in seconds',
    /an entry after its TTL/,
  ],
  [
    'creates entries by touching them',
    (store) => ({
      touch: async (key, ttl) => {
        await store.write(key, plainEntry('t'), { expected: null, ttl });
        await store.touch(key, ttl);
      },
    }),
    '`touch` created an entry',
  ],
  [
    'does not touch',
    () => ({ touch: () => Promise.resolve() }),
    'expired after its first 3 s',
    /an entry after its TTL/,
  ],
  [
    'keeps the first expiry of an entry that is replaced',
    (store) => {
      const ends = new Map<string, number>();
      const left = (key: string): number => Math.ceil(((ends.get(key) ?? 0) - Date.now()) / 1000);
      return {
        write: async (key, entry, { expected, ttl }) => {
          const isLasting = ends.has(key) && expected !== null;
          if (!isLasting && ttl !== null) ends.set(key, Date.now() + ttl * 1000);
          return store.write(key, entry, { expected, ttl: isLasting ? left(key) : ttl });
        },
      };
    },
    'Each `write` sets the expiry time anew',
    /an entry after its TTL/,
  ],
  [
    'keeps an entry for ever that was once to be kept for ever',
    (store) => {
      const kept = new Set<string>();
      return {
        write: async (key, entry, { expected, ttl }) => {
          if (ttl === null) kept.add(key);
          return store.write(key, entry, { expected, ttl: kept.has(key) ? null : ttl });
        },
      };
    },
    'keeps the later expiry of the one before',
    /an entry after its TTL/,
  ],
  [
    'revives what has expired',
    (store) => {
      const last = new Map<string, { bytes: Uint8Array; version: string }>();
      return {
        write: async (key, entry, options) => {
          const isWritten = await store.write(key, entry, options);
          if (isWritten) last.set(key, entry);
          return isWritten;
        },
        remove: async (key, expected) => {
          const isRemoved = await store.remove(key, expected);
          if (isRemoved) last.delete(key);
          return isRemoved;
        },
        touch: async (key, ttl) => {
          const entry = last.get(key);
          if (entry !== undefined) await store.write(key, entry, { expected: null, ttl });
          await store.touch(key, ttl);
        },
      };
    },
    '`touch` revived an entry',
    /an entry after its TTL/,
  ],
  [
    'never shortens a TTL',
    (store) => {
      const ends = new Map<string, number>();
      return {
        write: async (key, entry, { expected, ttl }) => {
          ends.set(key, Date.now() + (ttl ?? 0) * 1000);
          return store.write(key, entry, { expected, ttl });
        },
        touch: async (key, ttl) =>
          store.touch(key, Math.max(ttl, ((ends.get(key) ?? 0) - Date.now()) / 1000)),
      };
    },
    'whatever it was before',
    /an entry after its TTL/,
  ],
  [
    'folds the case of keys',
    (store) => ({
      read: (key) => store.read(key.toLowerCase()),
      write: (key, ...rest) => store.write(key.toLowerCase(), ...rest),
    }),
    'Compare the whole key',
  ],
  [
    'throws where it must not',
    (store) => ({
      read: async (...call) =>
        (await store.read(...call)) ?? Promise.reject(new Error('NotFound of the driver')),
    }),
    'NotFound of the driver',
  ],
  ['has no leases', () => ({ leases: undefined as never }), 'pass `leases: false`'],
  [
    'gives a lease to everyone',
    (store) => ({ leases: { ...store.leases, take: () => Promise.resolve(true) } as never }),
    'gave a lease that another owner holds',
  ],
  [
    'gives a lease to no one',
    (store) => ({ leases: { ...store.leases, take: () => Promise.resolve(false) } as never }),
    'no refresh can begin',
  ],
  [
    'never renews',
    (store) => {
      const taken = new Set<string>();
      const once: NonNullable<PartitionStore['leases']> = {
        take: async (key, lease) =>
          !taken.has(lease.owner) &&
          ((await store.leases?.take(key, lease)) ?? false) &&
          Boolean(taken.add(lease.owner)),
        give: async (key, lease) => store.leases?.give(key, lease),
      };
      return { leases: once };
    },
    'refused the owner of the lease',
  ],
  [
    'releases the lease of anyone',
    (store) => {
      const held = new Map<string, string>();
      const open: NonNullable<PartitionStore['leases']> = {
        take: async (key, lease) => {
          const isTaken = (await store.leases?.take(key, lease)) ?? false;
          if (isTaken) held.set(lease.name, lease.owner);
          return isTaken;
        },
        give: async (key, lease) =>
          store.leases?.give(key, { ...lease, owner: held.get(lease.name) ?? lease.owner }),
      };
      return { leases: open };
    },
    '`leases.give` released the lease of another owner',
  ],
  [
    'lists one page of its keys',
    (store) => ({
      maintenance: {
        keys: async function* firstPage() {
          const page: string[] = [];
          for await (const key of store.maintenance?.keys() ?? []) page.unshift(key);
          yield* page.slice(0, 100);
        },
        replace: async (...call) => (await store.maintenance?.replace(...call)) ?? false,
      },
    }),
    'Ask for all pages',
    /maintenance/,
  ],
  [
    'replaces any version in maintenance',
    (store) => ({
      maintenance: {
        keys: () => store.maintenance?.keys() as never,
        replace: async (key, entry) =>
          (await store.maintenance?.replace(key, entry, (await store.read(key))?.version ?? '')) ?? false,
      },
    }),
    '`reseal` would undo an update',
    /maintenance/,
  ],
  [
    'keeps no expiry in maintenance',
    (store) => ({
      maintenance: {
        keys: () => store.maintenance?.keys() as never,
        replace: async (key, entry, expected) =>
          (await store.read(key))?.version === expected && store.write(key, entry, { expected, ttl: null }),
      },
    }),
    'changed when the entry expires',
    /maintenance/,
  ],
];

test.each(FAULTS)(
  'a store that %s fails with errors that say what to change',
  async (_what, fault, told, waiting) => {
    const messages: string[] = [];
    const open = () => {
      const store = memoryStore();
      const faulty = { ...store, ...fault(store) };
      return Promise.resolve({ store: faulty, another: faulty });
    };
    const run = async ({ run: one }: { run: () => Promise<void> }) =>
      one().catch((error: unknown) => messages.push((error as Error).message));
    // A case that waits in vain takes up to a minute.
    const isQuick = ({ name }: { name: string }): boolean =>
      !/expires|maintenance|exclusively/.test(name) || waiting?.test(name) === true;
    const cases = partitionStoreConformance({ open }).filter(isQuick);
    await hastened(() => Promise.all(cases.map(run)));
    expect(messages.join('\n')).toContain(told);
    for (const message of messages)
      expect(message).toMatch(
        /Found .+, expected .+\.|Waited for 15 s\.|`cause` has the stack\.|pass `leases: false`/s,
      );
  },
  120_000,
);

// Vitest fails if a rejection is not handled.
test.each(['renews the lease', 'runs the next task once'])(
  'exclusively: %s: a case that fails leaves no call behind that fails later',
  async (name) => {
    const right = memoryStore();
    const refuse = { take: () => Promise.reject(new Error('of the driver')), give: () => Promise.resolve() };
    const refusing: PartitionStore = { ...right, leases: refuse };
    for (const stores of [
      { store: right, another: refusing },
      { store: refusing, another: refusing },
    ]) {
      const cases = partitionStoreConformance({ open: () => Promise.resolve(stores) });
      const [found] = cases.filter((one) => one.name.startsWith(`exclusively: ${name}`));
      await expect(found?.run()).rejects.toThrow(AssertionError);
    }
  },
  60_000,
);

test('reports at once a store that fails during an outage with an error of another kind', async () => {
  const inner = memoryStore();
  let isStopped = false;
  const store: PartitionStore = {
    ...inner,
    write: (...write) =>
      isStopped ? Promise.reject(new InvalidArgumentError('what the store says')) : inner.write(...write),
  };
  const nothing = (): void => undefined;
  const server = {
    ...{ pause: nothing, resume: nothing },
    stop: () => Promise.resolve(void (isStopped = true)),
    start: () => Promise.resolve(void (isStopped = false)),
  };
  const cases = partitionStoreConformance({ open: () => Promise.resolve({ store, another: store }), server });
  const inTheMiddle = cases.find(({ name }) => name.includes('if the server stops meanwhile'));
  await expect(inTheMiddle?.run()).rejects.toThrow('what the store says');
});

test('Redis is asked with one command each: a script that compares and writes, sent by its hash', async () => {
  const server = await startRedis();
  const { client, close } = await redisAt(server.url);
  const store = redisStore({ client, prefix: 'count:' });
  const entry = (letter: string) => ({ bytes: Buffer.from(letter), version: letter.repeat(16) });
  const lease = { name: 'n', owner: 'o', ttl: 60 };
  await store.write('k', entry('a'), { expected: null, ttl: null });
  await store.leases?.take('k', lease);
  await client.configResetStat();
  await store.read('k');
  expect(await store.write('k', entry('b'), { expected: entry('a').version, ttl: 60 })).toBe(true);
  expect(await store.leases?.take('k', lease)).toBe(true);
  const lines = (await client.info('commandstats')).replace(/,.*/g, '').split(/\r?\n/);
  expect(lines).toContain('cmdstat_evalsha:calls=2');
  expect(lines.some((line) => line.startsWith('cmdstat_eval:'))).toBe(false);
  expect(lines).toContain('cmdstat_getex:calls=1');
  expect(lines).toContain('cmdstat_get:calls=1'); // Inside of the script that takes the lease.
  expect((await client.keys('*')).sort()).toEqual(['count:k', 'count:k:lease:n']);
  await close();
  await server.close();
});
