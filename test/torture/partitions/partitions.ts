/**
 * Eight servers of a web app share Redis or PostgreSQL, half of them a version that seals with a newer key. They are killed, and so is
 * the store; it hangs, ends connections, answers with the wrong entry, is full, is flushed, and fails over to a replica or a standby.
 * What was acknowledged must be there, for its own user only.
 */
import pg from 'pg';
import { createClient } from 'redis';
import { migratePartitions } from '../../../src-main/partitions/stores/postgres-store.ts';
import { type PostgresPair, startPostgres, startPostgresPair } from '../../support/servers/postgres.ts';
import { type RedisSentinel, startRedis, startRedisSentinel } from '../../support/servers/redis.ts';
import type { Server } from '../../support/servers/server.ts';
import { Child } from '../child.ts';
import type { Random } from '../random.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import { cachesOver, STORES, type StoreName, strangersIn } from './server.ts';

/** In the short form, half of them. */
const MOST_SERVERS = 8;
const USERS = 24;

/** Milliseconds after a flush within which an acknowledgement may still be of before it. */
const IN_FLIGHT = 1500;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const keyOf = (random: Random): string =>
  Buffer.from(Array.from({ length: 32 }, () => random.below(256))).toString('base64');

type Running = Server & { url: string };
type Faults = Record<string, () => Promise<void>>;

export async function troubleStores(scene: Scene): Promise<void> {
  // On a busy machine, a replica may not be promoted in time: the long form has the machine to itself.
  const stores = scene.short ? STORES.filter((store) => store !== 'sentinel' && store !== 'standby') : STORES;
  for (const store of stores) await troubleStore(scene, store);
}

async function troubleStore(scene: Scene, store: StoreName): Promise<void> {
  const { tally, short, seed } = scene;
  const serverCount = short ? MOST_SERVERS / 2 : MOST_SERVERS;
  const random = scene.random.fork(store);
  const replicated = store === 'sentinel' ? await startRedisSentinel() : undefined;
  const pair = store === 'standby' ? await startPostgresPair() : undefined;
  const running = replicated
    ? reachedBy(replicated)
    : pair
      ? reachedAt(pair)
      : store === 'redis'
        ? await startRedis()
        : await startPostgres();
  if (store === 'postgres' || store === 'standby') await migrate(running.url);
  const rows = { updates: `partitions in ${store}: updates`, faults: `partitions in ${store}: faults` };
  const keys = `old:${keyOf(random)},new:${keyOf(random)}`;
  /** Acknowledged scopes by user. */
  const acknowledged = new Map<string, Set<string>>();
  let tried = 0;
  let forgiveUntil = 0;
  const leaked: string[] = [];
  const working = new Set<number>();
  const odd: string[] = [];
  const begin = (index: number, life: number): Child => {
    const sealWith = index % 2 === 0 ? 'old' : 'new';
    const name = `${index}x${life}`;
    const words = [
      store,
      running.url,
      keys,
      sealWith,
      name,
      String(seed * 1000 + index * 100 + life),
      String(USERS),
    ];
    const child = new Child(scene.program, ['server', ...words]);
    child.hear = (line) => {
      const [what, user = '', scope = ''] = line.split(' ');
      if (what === 'try') tried += 1;
      else if (what === 'leak') leaked.push(line);
      else if (what === 'odd') odd.push(line);
      else if (what === 'ok') {
        working.add(index);
        if (performance.now() <= forgiveUntil) return;
        acknowledged.set(user, (acknowledged.get(user) ?? new Set()).add(scope));
      }
    };
    return child;
  };
  const userKeys = await keysOfUsers(store, running, keys);
  const servers = Array.from({ length: serverCount }, (_, index) => begin(index, 0));
  let lives = 0;
  const aServerIsKilled = async (): Promise<void> => {
    const index = random.below(serverCount);
    await servers[index]?.kill();
    servers[index] = begin(index, (lives += 1));
  };
  /** Redis replicates asynchronously, so only what the replica has, and what comes after the failover, is sure to stay. */
  const failsOver = (sentinel: RedisSentinel, how: 'killed' | 'hanging') => async (): Promise<void> => {
    forgiveUntil = Infinity;
    await sentinel.replicated();
    await sentinel.failOver(how);
    await pause(IN_FLIGHT);
    forgiveUntil = 0;
  };
  const ofReplicas: (of: RedisSentinel) => Faults = (of) => ({
    'a server is killed': aServerIsKilled,
    'the primary is killed, and its replica is promoted': failsOver(of, 'killed'),
    'the primary hangs, and its replica is promoted': failsOver(of, 'hanging'),
  });
  /** The primary acknowledges what the standby has on its disk, so nothing may be missing. */
  const ofStandby: (of: PostgresPair) => Faults = (of) => ({
    'a server is killed': aServerIsKilled,
    'the primary is killed, and its standby is promoted': () => of.failOver('killed'),
    'the primary hangs, and its standby is promoted': () => of.failOver('hanging'),
    'new connections lead to the standby for a while': async () => {
      of.leadTo(of.standby());
      await endConnections(store, of.primary());
      await pause(700);
      of.leadTo(of.primary());
    },
  });
  const ofOne: Faults = {
    'a server is killed': aServerIsKilled,
    'the store is killed and started': async () => {
      await running.stop();
      await pause(random.below(600));
      await running.start();
    },
    'connections are ended again and again': async () => {
      for (let turn = 0; turn < 30; turn += 1) {
        await endConnections(store, running);
        await pause(random.below(30));
      }
    },
    "the store answers with another user's entry": async () => {
      await swap(store, running, userKeys);
      await pause(400);
      await swap(store, running, userKeys);
    },
    'the store hangs for longer than a call waits': () => hang(running, 1800),
    'the store is slow': async () => {
      for (let turn = 0; turn < 5; turn += 1) await hang(running, 100);
    },
    ...(store === 'redis'
      ? {
          'the store is full': async () => {
            await command(running, ['CONFIG', 'SET', 'maxmemory', '1']);
            await pause(500);
            await command(running, ['CONFIG', 'SET', 'maxmemory', '0']);
          },
          'the store is flushed': async () => {
            forgiveUntil = Infinity;
            await command(running, ['FLUSHALL']);
            acknowledged.clear();
            await pause(IN_FLIGHT);
            forgiveUntil = 0;
          },
        }
      : {}),
  };
  const isPaired = replicated !== undefined || pair !== undefined;
  const faults = replicated ? ofReplicas(replicated) : pair ? ofStandby(pair) : ofOne;
  const names = Object.keys(faults);
  try {
    for (let left = 600; left > 0 && working.size < serverCount; left -= 1) await pause(50);
    must(working.size === serverCount, 'the servers never began');
    for (let turn = 0; turn < (short ? names.length : isPaired ? 12 : 40); turn += 1) {
      const name = (short ? names[turn] : random.pick(names)) ?? '';
      await tally.try(rows.faults, name, faults[name] ?? (() => undefined));
      await pause(short ? 150 : 300 + random.below(700));
    }
    await pause(1000);
    for (const child of servers) child.tell('end');
    await Promise.all(servers.map((child) => Promise.race([child.ended, pause(8000)])));
    await verify();
  } finally {
    await Promise.all(servers.filter((child) => !child.hasEnded).map((child) => child.kill()));
    await running.close();
  }

  async function verify(): Promise<void> {
    const { caches, close } = await cachesOver(store, running.url, keys, 'new');
    const row = tally.row(rows.updates);
    let count = 0;
    for (let index = 0; index < USERS; index += 1) {
      const user = `user${index}`;
      const found = await strangersIn(caches, user);
      leaked.push(...found.leaked);
      const scopes = new Set(found.scopes);
      for (const scope of acknowledged.get(user) ?? []) {
        count += 1;
        if (!scopes.has(scope)) row.lost.push(`${scope} of ${user} was acknowledged and is gone`);
      }
    }
    await close();
    row.tried += Math.max(count, row.lost.length);
    row.lost.push(...odd, ...leaked.map((what) => `another user's token: ${what}`));
    tally.note(rows.updates, `${tried} tried, ${count} acknowledged, ${leaked.length} leaked`);
    for (const child of servers) if (child.complaint !== '') row.lost.push(child.complaint.slice(0, 500));
  }
}

async function hang(running: Running, milliseconds: number): Promise<void> {
  running.pause();
  await pause(milliseconds);
  running.resume();
}

/** The keys of two users in the store. */
async function keysOfUsers(store: StoreName, { url }: Running, keys: string): Promise<[string, string]> {
  const { caches, close } = await cachesOver(store, url, keys, 'new');
  const [one, other] = [0, 1].map((index) => caches.partition(`session of user${index}`).key);
  await close();
  return [one ?? '', other ?? ''];
}

/** Exchanges the entries of two users, if both have one: what is done in between must be refused. */
async function swap(store: StoreName, running: Running, keys: [string, string]): Promise<void> {
  if (store === 'redis') {
    const script =
      "local a, b = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) if a and b then redis.call('SET', KEYS[1], b, 'KEEPTTL') redis.call('SET', KEYS[2], a, 'KEEPTTL') end return 1";
    await command(running, ['EVAL', script, '2', ...keys.map((key) => `tokenkeep:${key}`)]);
    return;
  }
  // A row that is written while a statement waits for it would be exchanged as the statement first saw it, and the write would be lost.
  await ask(
    running,
    ['BEGIN'],
    ['SELECT FROM tokenkeep_partitions WHERE key = ANY($1) FOR UPDATE', [keys]],
    [
      'UPDATE tokenkeep_partitions p SET bytes = q.bytes, version = q.version FROM tokenkeep_partitions q WHERE p.key = ANY($1) AND q.key = ANY($1) AND p.key <> q.key',
      [keys],
    ],
    ['COMMIT'],
  );
}

async function endConnections(store: StoreName, running: Pick<Running, 'url'>): Promise<void> {
  if (store === 'redis') await command(running, ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  else
    await ask(running, [
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    ]);
}

async function ask(
  { url }: Pick<Running, 'url'>,
  ...queries: readonly (readonly [text: string, values?: unknown[]])[]
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  for (const [text, values] of queries) await client.query(text, values);
  await client.end();
}

async function command({ url }: Pick<Running, 'url'>, words: string[]): Promise<void> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  await client.sendCommand(words);
  client.destroy();
}

function reachedBy(servers: RedisSentinel): Running {
  const { host, port } = servers.sentinel;
  return { ...servers.primary, url: `redis://${host}:${port}`, close: () => servers.close() };
}

/** Hanging, stopping and starting are faults of its own: `failOver`. */
function reachedAt(pair: PostgresPair): Running {
  return { ...pair.primary(), url: pair.url, close: () => pair.close() };
}

async function migrate(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url });
  await migratePartitions(pool);
  await pool.end();
}
