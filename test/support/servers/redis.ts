import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { Daemon, freePort, programIn, type Server } from './server.ts';

export interface RedisServer extends Server {
  readonly url: string;
}

/** Starts a separate Redis on loopback that writes each command to disk before it answers. */
export async function startRedis(args: string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const daemon = new Daemon([
    programIn('redis-server'),
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'always', ...args],
  ]);
  const isUp = async (): Promise<boolean> => {
    const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1000 } });
    client.on('error', () => undefined);
    await client.connect();
    await client.ping();
    client.destroy();
    return true;
  };
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
