/**
 * Measures a user's token cache in Redis and PostgreSQL with 1,000 to 100,000 users. `--long`: also 1,000,000 in
 * Redis; `--quick`: up to 10,000; `redis`, `postgres`: only that store; `--users N`: only that number. Starts its own
 * servers. `ratios`: only the ratios of reads, updates and tokens under MSAL, within a few minutes.
 */
import { randomBytes } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createClient, RESP_TYPES } from 'redis';
import { writeEntry } from '../src-main/partitions/entry.ts';
import {
  type PartitionedCaches,
  partitionedCaches,
  type PartitionStore,
  type SealingKeys,
} from '../src-main/partitions/index.ts';
import { partitionName } from '../src-main/partitions/partition-name.ts';
import { migratePartitions, postgresStore } from '../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../src-main/partitions/stores/redis-store.ts';
import { KeyRing } from '../src-main/partitions/sealing-keys.ts';
import { startPostgres } from '../test/support/servers/postgres.ts';
import { startRedis } from '../test/support/servers/redis.ts';
import { clientPerRequest, distributedCachePlugin, type Users } from './distributed.ts';
import { app } from './generate.ts';
import { reportLimits } from './partitions-limits.ts';
import { reportRatios } from './partitions-ratios.ts';
import { SCOPES, smallDocument, smallResponse, smallUser } from './small-user.ts';
import { duration, median, times } from './statistics.ts';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, long: { type: 'boolean' }, users: { type: 'string' } },
  allowPositionals: true,
});
const all = values.quick === true ? [1000, 10_000] : [1000, 10_000, 100_000];
const sizes = values.users === undefined ? all : [Number(values.users)];
const longest = values.long === true ? [1_000_000] : [];
const isIn = (place: 'redis' | 'postgres' | 'ratios'): boolean =>
  positionals.length === 0 || positionals.includes(place);
const BATCH = 500;
const SAMPLES = 500;

const keys: SealingKeys = [{ id: 'bench', key: randomBytes(32) }];
const sealing = { keys: new KeyRing(keys), acceptPlainText: false };
const now = Math.floor(Date.now() / 1000);

function sealedEntry(index: number): { key: string; bytes: Buffer; version: string } {
  const name = partitionName('user', smallUser(index).home_account_id);
  const bytes = writeEntry(
    { document: JSON.stringify(JSON.parse(smallDocument(index, now))), metadata: {} },
    name,
    sealing,
  );
  return { key: name.key, bytes: Buffer.from(bytes), version: randomBytes(12).toString('base64url') };
}

/** Tokenkeep's own calls: the cost for an app that does not use MSAL. */
function direct(caches: PartitionedCaches): Users {
  const { client_id, environment, host, tenant } = app;
  return {
    read: (index) => {
      const { home_account_id } = smallUser(index);
      const query = { home_account_id, environment, client_id, realm: tenant };
      return caches
        .partition(home_account_id)
        .read((cache) => cache.find('AccessToken', { target: SCOPES, query })[0]?.secret ?? '');
    },
    update: (index, salt) =>
      caches.partition(smallUser(index).home_account_id).update(
        (cache) =>
          void cache.add({
            client_id,
            scope: SCOPES,
            token_endpoint: `https://${host}/${tenant}/oauth2/v2.0/token`,
            response: smallResponse(index, salt),
          }),
      ),
  };
}

interface Figures {
  read: number;
  update: number;
}

async function measure(users: Users, count: number): Promise<Figures> {
  const pick = (turn: number): number => (turn * 7919 + 13) % count;
  const timed = async (task: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await task();
    return performance.now() - start;
  };
  await untilSteady(async (turn) => {
    await users.read(pick(turn));
    await users.update(pick(turn), 0);
  });
  const [read, update]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < SAMPLES; turn += 1) {
    const index = pick(turn);
    read.push(
      await timed(async () => {
        if (!(await users.read(index)).startsWith(`${index}.`)) throw new Error('Not the token of this user');
      }),
    );
  }
  for (let turn = 0; turn < SAMPLES; turn += 1)
    update.push(await timed(() => users.update(pick(turn), turn + 1)));
  return { read: median(read), update: median(update) };
}

/**
 * Warms up until three consecutive blocks are no faster than the best before them: then the code is compiled, the pools are filled, and the
 * server is warm.
 */
async function untilSteady(task: (turn: number) => Promise<void>): Promise<void> {
  const BLOCK = 100;
  let [best, standing] = [Infinity, 0];
  for (let turn = 0; standing < 3; turn += BLOCK) {
    const start = performance.now();
    for (let offset = 0; offset < BLOCK; offset += 1) await task(turn + offset);
    const time = performance.now() - start;
    standing = time > best * 0.97 ? standing + 1 : 0;
    best = Math.min(best, time);
  }
}

const first = new Map<string, Figures>();

function report(what: string, count: number, figures: Figures, bytes: number): void {
  const base = first.get(what) ?? figures;
  first.set(what, base);
  const columns = [
    count.toLocaleString('en').padStart(9),
    what.padEnd(44),
    `read ${duration(figures.read)} (${times(figures.read / base.read)})`.padEnd(24),
    `update ${duration(figures.update)} (${times(figures.update / base.update)})`.padEnd(26),
    `${Math.round(bytes).toLocaleString('en')} bytes a user`,
  ];
  console.log(columns.join('  '));
}

/** Measures the jobs over all entries: the report, and resealing with a new key. */
async function reportJobs(what: string, store: PartitionStore): Promise<void> {
  const newer: SealingKeys = [{ id: 'newer', key: randomBytes(32) }, ...keys];
  const caches = partitionedCaches({ store, sealingKeys: newer });
  const timed = async (job: () => Promise<{ entries: number }>): Promise<string> => {
    const [start, before] = [performance.now(), process.cpuUsage()];
    const { entries } = await job();
    const { user, system } = process.cpuUsage(before);
    const rate = Math.round((entries / (performance.now() - start)) * 1000);
    return `${rate.toLocaleString('en')} a second, ${Math.round((user + system) / entries)} µs CPU each`;
  };
  const counted = await timed(() => caches.sealingReport());
  const resealed = await timed(() => caches.reseal());
  console.log(
    `${''.padStart(9)}  ${`${what}, all entries`.padEnd(44)}  counted ${counted}; resealed ${resealed}`,
  );
}

async function inRedis(counts: readonly number[]): Promise<void> {
  const server = await startRedis(['--appendonly', 'no']);
  const redis = await createClient({ url: server.url }).connect();
  const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const fill = async (count: number, put: (index: number) => [string, string | Buffer]): Promise<number> => {
    await redis.flushAll();
    const before = await used();
    for (let from = 0; from < count; from += BATCH) {
      const writes = Array.from({ length: Math.min(BATCH, count - from) }, (_, offset) => {
        const [key, value] = put(from + offset);
        return redis.set(key, value, { expiration: { type: 'EX', value: 90 * 24 * 3600 } });
      });
      await Promise.all(writes);
    }
    return ((await used()) - before) / count;
  };
  const caches = partitionedCaches({ store: redisStore({ client: redis }), sealingKeys: keys });
  for (const count of counts) {
    const sealed = await fill(count, (index) => {
      const { key, bytes, version } = sealedEntry(index);
      return [`tokenkeep:${key}`, Buffer.concat([Buffer.from(version), bytes])];
    });
    report('Redis, Tokenkeep, sealed', count, await measure(direct(caches), count), sealed);
    report(
      'Redis, Tokenkeep under MSAL Node, sealed',
      count,
      await measure(clientPerRequest(caches), count),
      sealed,
    );
    if (count === counts.at(-1))
      await reportLimits({
        users: direct(caches),
        count,
        sealing,
        get: async (index) => {
          const { key } = partitionName('user', smallUser(index).home_account_id);
          const value = await bytes.get(`tokenkeep:${key}`);
          if (!Buffer.isBuffer(value)) throw new Error('Nothing there');
          return { version: value.toString('latin1', 0, 16), bytes: value.subarray(16) };
        },
      });
    await reportJobs('Redis', redisStore({ client: redis }));
    if (longest.includes(count)) continue;
    const plain = await fill(count, (index) => [
      `msal:${smallUser(index).home_account_id}`,
      smallDocument(index, now),
    ]);
    const peer = await measure(distributedCachePlugin(redis, 'msal:'), count);
    report("Redis, MSAL Node's DistributedCachePlugin", count, peer, plain);
  }
  await redis.close();
  await server.close();
}

async function inPostgres(): Promise<void> {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => undefined);
  await migratePartitions(pool);
  const caches = partitionedCaches({ store: postgresStore({ pool }), sealingKeys: keys });
  for (const count of sizes) {
    await pool.query('TRUNCATE tokenkeep_partitions');
    for (let from = 0; from < count; from += BATCH) {
      const entries = Array.from({ length: Math.min(BATCH, count - from) }, (_, offset) =>
        sealedEntry(from + offset),
      );
      await pool.query(
        `INSERT INTO tokenkeep_partitions SELECT k, v, b, clock_timestamp() + interval '90 days'
         FROM unnest($1::text[], $2::text[], $3::bytea[]) AS rows (k, v, b)`,
        [
          entries.map(({ key }) => key),
          entries.map(({ version }) => version),
          entries.map(({ bytes }) => bytes),
        ],
      );
    }
    await pool.query('ANALYZE tokenkeep_partitions');
    const { rows } = await pool.query("SELECT pg_total_relation_size('tokenkeep_partitions') AS bytes");
    report(
      'PostgreSQL, Tokenkeep, sealed',
      count,
      await measure(direct(caches), count),
      Number(rows[0].bytes) / count,
    );
    await reportJobs('PostgreSQL', postgresStore({ pool }));
  }
  await pool.end();
  await server.close();
}

console.log(
  `${cpus()[0]?.model ?? ''}, ${cpus().length} cores; load ${loadavg()[0]?.toFixed(1) ?? ''}; Node ${process.versions.node}`,
);
console.log(
  `a document of ${smallDocument(0, now).length} bytes for each user; medians of ${SAMPLES} calls, one after the other\n`,
);
if (isIn('ratios')) await reportRatios();
if (isIn('redis')) await inRedis(sizes);
if (isIn('postgres')) await inPostgres();
if (isIn('redis')) await inRedis(longest);
