/**
 * [Note: errors between connect and listener] A thousand connections whose server says in one packet that they are ready and that they end.
 * An error without a listener would end the process; the test runner fails on any such error.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { createClient } from 'redis';
import { afterEach, expect, it } from 'vitest';
import { postgresInvalidation, postgresStore } from '../../src-main/partitions/stores/postgres-store.ts';
import { redisInvalidation, redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { caches, namesIn } from './people.ts';

const ROUNDS = 1000;
const AT_ONCE = 20;

let server: Server | undefined;
afterEach(() => void server?.close());

/** A server that answers the first packet of each connection with these bytes, and closes it. */
async function ending(answer: Buffer): Promise<{ port: number; connections: () => number }> {
  let count = 0;
  server = createServer((socket: Socket) => {
    count += 1;
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, connections: () => count };
}

const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
};

async function rounds(task: () => Promise<unknown>): Promise<string[]> {
  const codes = new Set<string>();
  const lane = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS / AT_ONCE; round += 1)
      await task().then(
        () => codes.add('done'),
        (error: unknown) => codes.add((error as { code?: string }).code ?? String(error)),
      );
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return [...codes];
}

it('PostgreSQL ends each connection as it becomes ready: calls reject, and nothing is uncaught', async () => {
  const fields = ['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''];
  const end = message('E', Buffer.from(fields.map((field) => `${field}\0`).join('')));
  const ready = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const { port, connections } = await ending(Buffer.concat([...ready, end]));
  const pool = new pg.Pool({ connectionString: `postgres://app@127.0.0.1:${port}/app`, max: AT_ONCE });
  pool.on('error', () => undefined);
  const partition = caches({ store: postgresStore({ pool }) }).partition('a');
  let turn = 0;
  const codes = await rounds(() => {
    turn += 1;
    if (turn % 10 > 0) return partition.read(namesIn);
    const invalidation = postgresInvalidation({ pool });
    return invalidation
      .subscribe(
        () => undefined,
        () => undefined,
      )
      .catch(() => Promise.reject(Object.assign(new Error('ended'), { code: 'store_unavailable' })));
  });
  await pool.end();
  expect(codes).toEqual(['store_unavailable']);
  expect(connections()).toBeGreaterThan(100);
});

it('Redis ends each connection as it becomes ready: calls reject, and nothing is uncaught', async () => {
  const { port, connections } = await ending(Buffer.from('-ERR max number of clients reached\r\n'));
  let isOver = false;
  const reconnectStrategy = () => (isOver ? (false as const) : 0);
  const codes = new Set<string>();
  const lane = async (): Promise<void> => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      disableOfflineQueue: true,
      socket: { reconnectStrategy },
    });
    client.on('error', () => undefined);
    const connected = client.connect().catch(() => undefined);
    const subscribed = redisInvalidation({ client })
      .subscribe(
        () => undefined,
        () => undefined,
      )
      .catch(() => undefined);
    const partition = caches({ store: redisStore({ client }) }).partition('a');
    while (connections() < ROUNDS) {
      await partition.read(namesIn).catch((error: unknown) => codes.add((error as { code: string }).code));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    isOver = true;
    await Promise.all([connected, subscribed]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  expect([...codes]).toEqual(['store_unavailable']);
}, 60_000);
