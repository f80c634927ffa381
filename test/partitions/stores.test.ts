/** What each store does beyond what all stores do. */
import session from 'express-session';
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { layered, memoryStore, type PartitionInvalidation } from '../../src-main/partitions/index.ts';
import {
  migratePartitions,
  postgresInvalidation,
  type PostgresPool,
  postgresStore,
  removeExpired,
} from '../../src-main/partitions/stores/postgres-store.ts';
import { redisInvalidation, redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import { type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { startRedis } from '../support/servers/redis.ts';
import { jwt } from '../cache/events.ts';
import { caches, namesIn, observed, signIn } from './people.ts';

const version = (name: string): string => name.padEnd(16, '.');
const entry = (name: string, bytes = 10) => ({ bytes: Buffer.alloc(bytes, name), version: version(name) });
const fresh = { expected: null, ttl: null };

async function until(isTrue: () => unknown): Promise<void> {
  for (let left = 400; left > 0 && !(await isTrue()); left -= 1)
    await new Promise((resolve) => setTimeout(resolve, 25));
  expect(await isTrue()).toBeTruthy();
}

describe('memory', () => {
  it('keeps maxEntries entries and removes the least recently used', async () => {
    const store = memoryStore({ maxEntries: 2 });
    for (const name of ['a', 'b']) await store.write(name, entry(name), fresh);
    await store.read('a');
    await store.write('c', entry('c'), fresh);
    expect(store.size).toBe(2);
    expect([await store.read('a'), await store.read('b'), await store.read('c')].map(Boolean)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('keeps maxBytes bytes, and counts replaced and removed entries', async () => {
    const store = memoryStore({ maxBytes: 100 });
    for (let turn = 0; turn < 20; turn += 1) {
      expect(
        await store.write('a', entry(`a${turn}`, 60), {
          expected: turn === 0 ? null : version(`a${turn - 1}`),
          ttl: null,
        }),
      ).toBe(true);
    }
    await store.write('b', entry('b', 40), fresh);
    expect(store.size).toBe(2);
    await store.remove('a');
    await store.write('c', entry('c', 60), fresh);
    expect(store.size).toBe(2);
    await expect(store.write('d', entry('d', 101), fresh)).rejects.toMatchObject({
      code: 'partition_too_large',
    });
    expect(store.size).toBe(2);
  });

  it.each([[{ maxEntries: 0 }], [{ maxBytes: NaN }]])('%j is refused', (options) => {
    expect(() => memoryStore(options)).toThrow(InvalidArgumentError);
  });
});

describe('session', () => {
  it('refuses an update that does not fit into the cookie, and leaves the session unchanged', async () => {
    const cookie: Record<string, unknown> = { user: 'noor' };
    const partition = caches({ store: sessionStore(() => cookie, { cookie: {} }) }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    const before = JSON.stringify(cookie);
    expect(before).toContain('tokenkeep');
    const update = partition.update((cache) => signIn(cache, 'noor', 'x'.repeat(3000)));
    await expect(update).rejects.toMatchObject({ code: 'partition_too_large' });
    expect(JSON.stringify(cookie)).toBe(before);
    await partition.signOut('noor.utid');
    expect(cookie).toEqual({ user: 'noor' });
  });

  it('measures the cookie with the function of the app', async () => {
    const sizes: object[] = [];
    const empty = {};
    const cookie = { maxBytes: 100, size: (all: object) => sizes.push(all) * 101 };
    const partition = caches({ store: sessionStore(() => empty, { cookie }) }).partition('a');
    await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toThrow(/101 bytes.* 100/);
  });

  it('is unchanged if it could not be saved', async () => {
    const broken = { save: (done: (error?: unknown) => void) => done(new Error('no room')) };
    const partition = caches({ store: sessionStore(() => broken) }).partition('a');
    await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(Object.keys(broken)).toEqual(['save']);
  });

  it('requires a session', () => {
    expect(() => sessionStore(undefined as never)).toThrow(/middleware/);
  });

  it('loses no update of simultaneous requests of one browser, with the real express-session', async () => {
    const app = express();
    app.use(session({ secret: 'of the test', resave: false, saveUninitialized: false }));
    let [arrived, open] = [0, (): void => undefined];
    const all = new Promise<void>((resolve) => (open = resolve));
    app.get('/sign-in/:scope', async (req, res) => {
      if (req.query['wait'] !== undefined && (arrived += 1) === 4) open();
      if (req.query['wait'] !== undefined) await all; // Every request has read the session before any of them saves it.
      const partition = caches({ store: sessionStore(req.session) }).partition('a');
      await partition.exclusively('turn', async () => {
        inside += 1;
        most = Math.max(most, inside);
        await partition.update((cache) => signIn(cache, 'noor', req.params.scope));
        inside -= 1;
      });
      res.send('ok');
    });
    let [inside, most] = [0, 0];
    app.get('/sign-out', (req, res) => req.session.destroy(() => res.send('ok')));
    app.get('/', async (req, res) => {
      const partition = caches({ store: sessionStore(req.session) }).partition('a');
      res.json(await partition.read((cache) => cache.find('AccessToken').map(({ target }) => target)));
    });
    app.get('/late', async (req, res) => {
      const partition = caches({ store: sessionStore(req.session) }).partition('a');
      await fetch(`${url}/sign-out`, { headers: { cookie } });
      res.json(await partition.read(namesIn));
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const cookie = (await fetch(`${url}/sign-in/s0`)).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const get = async (path: string) => fetch(`${url}${path}`, { headers: { cookie } });
    await Promise.all(['s1', 's2', 's3', 's4'].map((scope) => get(`/sign-in/${scope}?wait`)));
    expect(((await (await get('/')).json()) as string[]).sort()).toEqual(['s0', 's1', 's2', 's3', 's4']);
    expect(most).toBe(1);
    expect(await (await fetch(url)).json()).toEqual([]);
    expect(await (await get('/late')).json()).toEqual([]); // The session ended while this request was running.
    server.close();
    server.closeAllConnections();
  });
});

describe('memory in front', () => {
  it('answers from its copy for the staleness and no longer', async () => {
    const back = observed();
    const store = layered({ store: back.store, staleness: 0.3 });
    await back.inner.write('a', entry('a'), fresh);
    for (let turn = 0; turn < 5; turn += 1) expect((await store.read('a'))?.version).toBe(version('a'));
    expect(back.counts.read).toBe(1);
    await back.inner.write('a', entry('b'), { expected: version('a'), ttl: null });
    await until(async () => (await store.read('a'))?.version === version('b'));
    expect(back.counts.read).toBe(2);
  });

  it('repeats an update that ran on an old copy, and loses nothing', async () => {
    const back = observed();
    const here = caches({ store: layered({ store: back.store, staleness: 300 }) });
    const there = caches({ store: back.inner });
    await here.partition('a').update((cache) => signIn(cache, 'noor', 's1'));
    await there.partition('a').update((cache) => signIn(cache, 'noor', 's2'));
    await here.partition('a').update((cache) => signIn(cache, 'noor', 's3'));
    expect(await there.partition('a').read((cache) => cache.find('AccessToken').length)).toBe(3);
    expect(back.counts.write).toBe(3);
  });

  it('signs out what another server has written since a copy was made', async () => {
    const store = memoryStore();
    const server = () => caches({ store: layered({ store, staleness: 300 }), userIndex: true });
    const [here, there] = [server(), server()];
    const claims = { iss: 'https://id.example', sub: 'noor' };
    const event = (token: string) => ({
      client_id: 'app',
      scope: ['openid'],
      token_endpoint: 'https://id.example/token',
      grant_type: 'authorization_code',
      response: { access_token: token, refresh_token: token, id_token: jwt(claims), expires_in: 300 },
    });
    await here.partition('session-1').update((cache) => cache.add(event('one')));
    await there.partition('session-2').update((cache) => cache.add(event('two')));
    const receipt = await here.signOutUser({ issuer: claims.iss, sub: claims.sub });
    expect(receipt).toMatchObject({ remaining: 0 });
    const left = await there.partition('session-2').update((cache) => cache.find('RefreshToken').length);
    expect(left).toBe(0);
  });

  it('keeps no copy of what another server has removed, once it has found that out', async () => {
    const store = memoryStore();
    const here = layered({ store, staleness: 300 });
    await here.write('a', { bytes: new Uint8Array([1]), version: 'one' }, { expected: null, ttl: null });
    await store.remove('a');
    expect(await here.read('a')).not.toBeNull();
    expect(await here.read('a', { fresh: true })).toBeNull();
    expect(await here.read('a')).toBeNull();
  });

  it('an update that finds nothing to do has looked in the store', async () => {
    const store = memoryStore();
    const server = () =>
      caches({ store: layered({ store, staleness: 300 }) }).partition('a', { user: 'several' });
    const [here, there] = [server(), server()];
    await here.update((cache) => signIn(cache, 'noor', 's1'));
    await there.update((cache) => signIn(cache, 'omar', 's1'));
    const id = await there.read(
      (cache) => cache.accounts({ username: 'omar@contoso.example' })[0]!.home_account_id,
    );
    expect((await here.signOut(id)).removed.RefreshToken).toBe(1);
    expect(await server().read((cache) => cache.accounts({ username: 'omar@contoso.example' }))).toEqual([]);
  });

  it('an update reads the store once, and not at all while its cache is kept open', async () => {
    const reads = async (openCaches: number): Promise<number> => {
      const back = observed();
      const own = caches({ store: layered({ store: back.store, staleness: 300 }), openCaches }).partition(
        'a',
      );
      await own.update((cache) => signIn(cache, 'noor', 's1'));
      const before = back.counts.read;
      await own.update((cache) => signIn(cache, 'noor', 's2'));
      return back.counts.read - before;
    };
    expect(await reads(10)).toBe(0);
    expect(await reads(0)).toBe(1);
  });

  it('keeps no old copy of a read that was in progress at the invalidation', async () => {
    const back = observed();
    let tell: (key: string) => void = () => undefined;
    const invalidation: PartitionInvalidation = {
      publish: () => undefined,
      subscribe: (onChange) => {
        tell = onChange;
        return Promise.resolve(() => Promise.resolve());
      },
    };
    await back.inner.write('a', entry('a'), fresh);
    const old = await back.inner.read('a');
    let go: (() => void) | undefined;
    const slow = {
      ...back.inner,
      read: async (key: string) => {
        if (go !== undefined) return back.inner.read(key);
        await new Promise<void>((resolve) => (go = resolve));
        return old;
      },
    };
    const store = layered({ store: slow, staleness: 300, invalidation });
    await store.listening;
    const reading = store.read('a');
    await until(() => go);
    await back.inner.write('a', entry('b'), { expected: version('a'), ttl: null });
    tell('a');
    go?.();
    await reading;
    expect((await store.read('a'))?.version).toBe(version('b'));
  });

  it.each([[0], [301], [NaN]])('a staleness of %d is refused', (staleness) => {
    expect(() => layered({ store: memoryStore(), staleness })).toThrow(InvalidArgumentError);
  });

  it('Redis notifies other processes of changes; after a gap they drop all copies', async () => {
    const server = await startRedis();
    const connect = async () => {
      const client = createClient({ url: server.url, socket: { reconnectStrategy: 50 } });
      client.on('error', () => undefined);
      return client.connect();
    };
    const [one, other] = [await connect(), await connect()];
    const layer = (client: typeof one) =>
      layered({ store: redisStore({ client }), staleness: 300, invalidation: redisInvalidation({ client }) });
    const [here, there] = [layer(one), layer(other)];
    try {
      await Promise.all([here.listening, there.listening]);
      await here.write('a', entry('a'), fresh);
      expect((await there.read('a'))?.version).toBe(version('a'));
      await here.write('a', entry('b'), { expected: version('a'), ttl: null });
      await until(async () => (await there.read('a'))?.version === version('b'));
      expect((await here.read('a'))?.version).toBe(version('b'));
      await server.stop();
      await server.start();
      const direct = await connect();
      await redisStore({ client: direct }).write('a', entry('c'), { expected: version('b'), ttl: null }); // Nobody is notified.
      await direct.close();
      await until(async () => (await there.read('a').catch(() => null))?.version === version('c'));
    } finally {
      await here.close();
      await there.close();
      one.destroy();
      other.destroy();
      await server.close();
    }
  });
});

describe('Redis', () => {
  it('creates no timer in a command that is sent at once', async () => {
    const server = await startRedis();
    const client = await createClient({ url: server.url }).connect();
    const timers = vi.spyOn(AbortSignal, 'timeout');
    try {
      const partition = caches({ store: redisStore({ client }) }).partition('a');
      await partition.update((cache) => signIn(cache, 'noor'));
      expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
      expect(timers).not.toHaveBeenCalled();
    } finally {
      timers.mockRestore();
      await client.close();
      await server.close();
    }
  });

  it('leaves its timeout to a client that may keep a command for a node that is away', () => {
    const given: object[] = [];
    const withCommandOptions = (options: object) => given.push(options) as never;
    const sendCommand = () => Promise.resolve(null);
    const cluster = { withCommandOptions, sendCommand, isReady: true };
    redisStore({ client: Object.assign({ legacy: () => undefined, duplicate: () => undefined }, cluster) });
    redisStore({ client: cluster });
    expect(given.map((options) => 'timeout' in options)).toEqual([true, false]);
  });
});

describe('PostgreSQL', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = new pg.Pool({ connectionString: server.url });
    pool.on('error', () => undefined);
  }, 60_000);
  afterAll(async () => {
    await pool.end();
    await server.close();
  });

  it('creates its table once, whichever process is first, and leaves a newer or foreign table unchanged', async () => {
    await Promise.all(Array.from({ length: 5 }, () => migratePartitions(pool)));
    await postgresStore({ pool }).write('k', entry('k'), fresh);
    await migratePartitions(pool);
    expect((await postgresStore({ pool }).read('k'))?.version).toBe(version('k'));

    await pool.query('CREATE SCHEMA tokens');
    await migratePartitions(pool, { table: 'tokens.of_users' });
    expect(await postgresStore({ pool, table: 'tokens.of_users' }).read('k')).toBeNull();

    await pool.query('CREATE TABLE taken (key text)');
    await expect(migratePartitions(pool, { table: 'taken' })).rejects.toBeInstanceOf(InvalidArgumentError);
    await pool.query("COMMENT ON TABLE tokens.of_users IS 'tokenkeep partitions 99'");
    await expect(migratePartitions(pool, { table: 'tokens.of_users' })).rejects.toMatchObject({
      code: 'store_newer',
    });
    for (const table of ['', 'a b', 'a"; DROP TABLE x', 'A', 'a.b.c'])
      await expect(migratePartitions(pool, { table })).rejects.toBeInstanceOf(InvalidArgumentError);
  });

  it('ignores expired rows and removes them in batches', async () => {
    await migratePartitions(pool, { table: 'expiring' });
    const store = postgresStore({ pool, table: 'expiring' });
    await pool.query(
      `INSERT INTO expiring SELECT 'k' || n, 'v', '', clock_timestamp() - interval '1 minute' FROM generate_series(1, 25) AS n`,
    );
    await store.write('lives', entry('lives'), { expected: null, ttl: 60 });
    await store.write('stays', entry('stays'), fresh);
    expect(await store.read('k1')).toBeNull();
    const statements: unknown[] = [];
    const counting: PostgresPool = {
      connect: (callback) =>
        pool.connect((error, connection) => {
          if (connection === undefined) {
            callback(error);
            return;
          }
          const query = connection.query.bind(connection);
          Reflect.set(connection, 'query', (...args: unknown[]) => {
            statements.push(args);
            return Reflect.apply(query, connection, args);
          });
          callback(undefined, connection);
        }),
    };
    expect(await removeExpired(counting, { table: 'expiring', batch: 10 })).toBe(25);
    expect(statements).toHaveLength(3);
    const { rows } = await pool.query('SELECT key FROM expiring ORDER BY key');
    expect(rows).toEqual([{ key: 'lives' }, { key: 'stays' }]);
    expect(await removeExpired(pool, { table: 'expiring' })).toBe(0);
  });

  it('NOTIFY notifies other processes of changes; after a lost connection they drop all copies', async () => {
    const layer = () =>
      layered({
        store: postgresStore({ pool }),
        staleness: 300,
        invalidation: postgresInvalidation({ pool }),
      });
    const [here, there] = [layer(), layer()];
    await Promise.all([here.listening, there.listening]);
    await here.write('invalidation', entry('a'), fresh);
    expect((await there.read('invalidation'))?.version).toBe(version('a'));
    await here.write('invalidation', entry('b'), { expected: version('a'), ttl: null });
    await until(async () => (await there.read('invalidation'))?.version === version('b'));
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
    await postgresStore({ pool }).write('invalidation', entry('c'), { expected: version('b'), ttl: null }); // Nobody is notified.
    await until(async () => (await there.read('invalidation'))?.version === version('c'));
    await until(async () => {
      const { rows } = await pool.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
      return rows.length === 2;
    });
    await here.write('invalidation', entry('d'), { expected: version('c'), ttl: null });
    await until(async () => (await there.read('invalidation'))?.version === version('d'));
    await here.close();
    await there.close();
  });

  it('closes the invalidation connection of a server that hangs', async () => {
    const small = new pg.Pool({ connectionString: server.url, max: 2 });
    small.on('error', () => undefined);
    const invalidation = postgresInvalidation({ pool: small });
    const open = await Promise.all([small.connect(), small.connect()]);
    for (const connection of open) connection.release();
    server.pause();
    try {
      invalidation.publish('a');
      invalidation.publish('b');
      await until(() => small.totalCount === 0);
    } finally {
      server.resume();
    }
    expect((await small.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await small.end();
  });
});
