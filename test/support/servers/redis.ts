import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { Daemon, freePort, programIn, type Server } from './server.ts';

export interface RedisServer extends Server {
  readonly url: string;
}

/**
 * Sends one command on a connection of its own. The package `redis` makes a class with all commands of Redis for each other URL, which
 * takes a tenth of a second, and whoever waits for a server asks often.
 */
export async function askRedis(url: string, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 1000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const [name, ...args] = command;
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

/** Starts a separate Redis on loopback that writes each command to disk before it answers. */
export async function startRedis(args: string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const daemon = new Daemon([
    programIn('redis-server'),
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    // Without a delay, a replica has its first copy at once; by default, Redis waits five seconds for more replicas.
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--repl-diskless-sync-delay', '0', ...args],
  ]);
  const isUp = async (): Promise<boolean> => (await askRedis(url, 'PING')) === 'PONG';
  await daemon.start(isUp);
  return {
    port,
    url,
    stop: () => daemon.end('SIGKILL'),
    start: () => daemon.start(isUp),
    pause: () => daemon.signal('SIGSTOP'),
    resume: () => daemon.signal('SIGCONT'),
    close: async () => {
      await daemon.end('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts a cluster of three nodes that share the keys. */
export async function startRedisCluster(): Promise<RedisServer[]> {
  const nodes = await Promise.all(Array.from({ length: 3 }, () => startRedis(['--cluster-enabled', 'yes'])));
  const clients = await Promise.all(nodes.map(({ url }) => createClient({ url }).connect()));
  const bounds = [0, 5461, 10_923, 16_384];
  for (const [index, client] of clients.entries()) {
    await client.clusterAddSlotsRange({ start: bounds[index] ?? 0, end: (bounds[index + 1] ?? 0) - 1 });
    await client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
  }
  for (const { port } of nodes) await clients[0]?.clusterMeet('127.0.0.1', port);
  const isWhole = async (client: (typeof clients)[number]): Promise<boolean> => {
    const info = await client.clusterInfo();
    return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
  };
  for (let left = 200; !(await Promise.all(clients.map(isWhole))).every(Boolean); left -= 1) {
    if (left === 0) throw new Error('The nodes do not make a cluster.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const client of clients) await client.close();
  return nodes;
}

/** A primary, a replica of it, and a Sentinel that promotes the replica when the primary does not answer. */
export interface RedisSentinel {
  readonly sentinel: { readonly host: string; readonly port: number };
  /** The initial primary. */
  readonly primary: RedisServer;
  /** Resolves when the replica has all writes. */
  replicated(): Promise<void>;
  /**
   * Kills the primary, or makes it hang, until the replica is promoted. It then comes back and becomes the replica. Sentinel waits
   * for some seconds between two promotions.
   */
  failOver(how: 'killed' | 'hanging'): Promise<void>;
  close(): Promise<void>;
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const primary = await startRedis();
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
  const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-sentinel-'));
  const [file, port] = [join(folder, 'sentinel.conf'), await freePort()];
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 3000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const daemon = new Daemon([programIn('redis-server'), file, '--sentinel']);
  const ask = (of: number, command: [string, ...string[]]): Promise<unknown> =>
    askRedis(`redis://127.0.0.1:${of}`, ...command);
  const until = async (isSo: () => Promise<boolean>): Promise<void> => {
    for (let left = 200; !(await isSo()); left -= 1) {
      if (left === 0) throw new Error('Sentinel does not find the replica, or does not promote it.');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await until(async () =>
    String(await ask(replica.port, ['INFO', 'replication'])).includes('master_link_status:up'),
  );
  await daemon.start(async () => (await ask(port, ['PING'])) === 'PONG');
  await until(async () =>
    /"num-slaves"\W+1\b/.test(JSON.stringify(await ask(port, ['SENTINEL', 'MASTER', 'mymaster']))),
  );
  let [first, second] = [primary, replica];
  const replication = async (of: number): Promise<string> =>
    String(await ask(of, ['INFO', 'replication']).catch(() => ''));
  return {
    sentinel: { host: '127.0.0.1', port },
    primary,
    replicated: async () => {
      const offset = async (of: number) =>
        Number(/master_repl_offset:(\d+)/.exec(await replication(of))?.[1]);
      const wanted = await offset(first.port);
      await until(async () => (await offset(second.port)) >= wanted);
    },
    failOver: async (how) => {
      const [old, next] = [first, second];
      if (how === 'killed') await old.stop();
      else old.pause();
      try {
        await until(async () => (await replication(next.port)).includes('role:master'));
      } finally {
        if (how === 'killed') await old.start();
        else old.resume();
      }
      await ask(old.port, ['REPLICAOF', '127.0.0.1', String(next.port)]); // Sentinel does the same, ten seconds later.
      await until(async () => (await replication(old.port)).includes('master_link_status:up'));
      [first, second] = [next, old];
    },
    close: async () => {
      await daemon.end('SIGKILL');
      await Promise.all([primary.close(), replica.close()]);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
