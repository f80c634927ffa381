/** Subscriptions that can't be made, or are given up: no connection is left, and the error says what to change. */
import { Redis } from 'ioredis';
import { EventEmitter } from 'node:events';
import pg from 'pg';
import { createClient } from 'redis';
import { expect, it } from 'vitest';
import { layered, memoryStore, type PartitionInvalidation } from '../../src-main/partitions/index.ts';
import { postgresInvalidation } from '../../src-main/partitions/stores/postgres-store.ts';
import { redisInvalidation } from '../../src-main/partitions/stores/redis-store.ts';
import { freePort } from '../support/servers/server.ts';

const ignore = (): void => undefined;

it.each([
  ['of redis', 'destroy', ignore],
  [
    'of redis, which has ended by itself',
    'destroy',
    () => {
      throw new Error('closed');
    },
  ],
  ['of ioredis', 'disconnect', ignore],
] as const)('closes the connection %s', async (_name, close, closing) => {
  let closed = 0;
  let refusal = new Error("NOPERM User app has no permissions to access the 'tokenkeep' channel");
  const subscriber = {
    ...(close === 'destroy' ? { connect: () => Promise.resolve() } : {}),
    on: ignore,
    subscribe: () => Promise.reject(refusal),
    [close]: () => {
      closed += 1;
      closing();
    },
  };
  const client = { publish: () => Promise.resolve(0), duplicate: () => subscriber };
  const invalidation = redisInvalidation({ client: client as never });
  const said = (code: string, message: string): object => ({
    code,
    cause: refusal,
    message: expect.stringContaining(message) as string,
  });
  await expect(invalidation.subscribe(ignore, ignore)).rejects.toMatchObject(
    said('store_forbidden', '+subscribe'),
  );
  expect(closed).toBe(1);
  refusal = new Error('WRONGPASS invalid username-password pair');
  await expect(invalidation.subscribe(ignore, ignore)).rejects.toMatchObject(
    said('store_forbidden', 'credentials'),
  );
  refusal = new Error('Socket closed unexpectedly');
  await expect(invalidation.subscribe(ignore, ignore)).rejects.toMatchObject(
    said('store_unavailable', 'Nothing was subscribed'),
  );
});

it('postgresInvalidation says what to change where PostgreSQL refuses', async () => {
  const refusing = (code: string) => ({
    connect: (done: (error: Error) => void) => done(Object.assign(new Error('refused'), { code })),
  });
  for (const [code, expected] of [
    ['28P01', 'store_forbidden'],
    ['3D000', 'store_forbidden'],
    ['ECONNREFUSED', 'store_unavailable'],
    ['53300', 'store_unavailable'],
  ] as const) {
    const invalidation = postgresInvalidation({ pool: refusing(code) });
    await expect(invalidation.subscribe(ignore, ignore)).rejects.toMatchObject({
      code: expected,
      cause: { code },
    });
  }
});

it('postgresInvalidation does not wait for ever for the second connection of a pool', async () => {
  let left = 1;
  const connection = Object.assign(new EventEmitter(), {
    query: () => Promise.resolve({ rows: [], rowCount: 0 }),
    release: ignore,
  });
  const pool = {
    connect: (done: (error: undefined, given: never) => void) => {
      left -= 1;
      if (left === 0) done(undefined, connection as never);
    },
  };
  await expect(postgresInvalidation({ pool }).subscribe(ignore, ignore)).rejects.toMatchObject({
    code: 'store_client',
    message: expect.stringContaining('at least two') as string,
  });
}, 10_000);

it('postgresInvalidation says what to change where the pool has one connection, whatever its time limits', async () => {
  const pool = new pg.Pool({ max: 1, connectionTimeoutMillis: 1 });
  const { listening } = layered({
    store: memoryStore(),
    staleness: 10,
    invalidation: postgresInvalidation({ pool }),
  });
  await expect(listening).rejects.toMatchObject({
    code: 'store_client',
    message: expect.stringContaining('Give it `max: 2` or more.') as string,
  });
  expect(pool.totalCount).toBe(0);
});

const nowhere = `127.0.0.1:${await freePort()}`;

/** Clients that try again for ever, and functions that tell whether the connection of a subscription is closed. */
const CLIENTS: Record<string, () => { invalidation: PartitionInvalidation; isClosed: () => boolean }> = {
  redis: () => {
    const subscriber = createClient({ url: `redis://${nowhere}` }).on('error', ignore);
    const client = { publish: () => Promise.resolve(), duplicate: () => subscriber };
    return { invalidation: redisInvalidation({ client }), isClosed: () => !subscriber.isOpen };
  },
  ioredis: () => {
    const subscriber = new Redis(`redis://${nowhere}`, { maxRetriesPerRequest: null }).on('error', ignore);
    const client = { publish: () => Promise.resolve(), duplicate: () => subscriber };
    return { invalidation: redisInvalidation({ client }), isClosed: () => subscriber.status === 'end' };
  },
  pg: () => {
    const pool = new pg.Pool({ connectionString: `postgres://${nowhere}` });
    let [isOut, give] = [true, ignore];
    const connection = Object.assign(new EventEmitter(), { release: () => (isOut = false) });
    pool.connect = ((done: (error: undefined, given: unknown) => void) => {
      give = () => done(undefined, connection);
    }) as never;
    const isClosed = (): boolean => {
      give(); // The connection comes late.
      return !isOut;
    };
    return { invalidation: postgresInvalidation({ pool }), isClosed };
  },
  'a client that does not know the signal': () => {
    let [end, isClosed] = [ignore, false];
    return {
      invalidation: {
        publish: ignore,
        subscribe: () =>
          new Promise((resolve) => {
            end = () =>
              resolve(() => {
                isClosed = true;
                return Promise.resolve();
              });
          }),
      },
      isClosed: () => {
        end();
        return isClosed;
      },
    };
  },
};

it.each(Object.keys(CLIENTS))(
  'closing a layered store gives up a subscription that is still being made: %s',
  async (name) => {
    const { invalidation, isClosed } = CLIENTS[name]!();
    const store = layered({ store: memoryStore(), staleness: 10, invalidation });
    await store.close();
    await expect.poll(isClosed, { timeout: 5000 }).toBe(true);
    await expect(store.listening).rejects.toMatchObject({ name: 'AbortError' });
    await store.close();
  },
);
