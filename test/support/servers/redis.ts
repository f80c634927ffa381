import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { Daemon, freePort, programIn, type Server } from './server.ts';

export interface RedisServer extends Server {
  readonly url: string;
}

/** A Redis of its own, on loopback, that writes each command to its disk before it answers. */
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
