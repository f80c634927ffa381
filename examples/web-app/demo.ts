/** Everything that the app needs, on this machine: the example provider, an API, and a Redis if it is asked for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API, webApp } from '../provider/clients.ts';
import { type RunningProvider, startProvider } from '../provider/provider.ts';
import { trustingFetch } from '../provider/trusting-fetch.ts';
import { startApi } from './api.ts';
import { cachePlace } from './environment.ts';
import type { Settings } from './settings.ts';

export interface Demo {
  settings: Settings;
  provider: RunningProvider;
  close(): Promise<void>;
}

/**
 * @param env PORT, CACHE, REDIS_URL (default: starts a Redis for CACHE=redis, which must be installed), POSTGRES_URL, ACCESS_TOKEN_TTL
 *   (seconds), PUBLIC_URL (of a TLS proxy in front)
 */
export async function startDemo(env: NodeJS.ProcessEnv): Promise<Demo> {
  const cache = cachePlace(env); // Before anything is started.
  const port = Number(env['PORT'] ?? (await freePort()));
  const url = env['PUBLIC_URL'] ?? `http://localhost:${port}`;
  const client = webApp([`${url}/callback`], [`${url}/`]);
  const provider = await startProvider({
    clients: [client],
    accessTokenTtl: Number(env['ACCESS_TOKEN_TTL'] ?? 3600),
  });
  const trusting = trustingFetch(provider.ca);
  const api = await startApi({
    issuer: provider.issuer,
    audience: API,
    scope: 'orders.read',
    fetch: trusting,
  });
  const redis = cache === 'redis' && env['REDIS_URL'] === undefined ? await startRedis() : undefined;
  const redisUrl = redis?.url ?? env['REDIS_URL'];
  const { issuer } = provider;
  return {
    provider,
    settings: {
      port,
      proxies: env['PUBLIC_URL'] === undefined ? 0 : 1,
      url,
      redirectUri: `${url}/callback`,
      clientId: client.client_id,
      clientSecret: client.client_secret,
      issuer,
      parameters: { prompt: 'consent' },
      apiUrl: api.url,
      scopes: ['orders.read'],
      sessionSecret: randomBytes(32).toString('base64url'),
      cache,
      ...(redisUrl === undefined ? {} : { redisUrl }),
      sqliteFile: env['SQLITE_FILE'] ?? ':memory:',
      ...(env['POSTGRES_URL'] === undefined ? {} : { postgresUrl: env['POSTGRES_URL'] }),
      sealingKeys: [{ id: 'demo', key: randomBytes(32) }],
      // Trusts the provider's own authority for the provider only.
      fetch: (input, init) =>
        ((input instanceof Request ? input.url : String(input)).startsWith(`${issuer}/`) ? trusting : fetch)(
          input,
          init,
        ),
    },
    close: async () => {
      await redis?.close();
      await api.close();
      await provider.stop();
    },
  };
}

async function startRedis(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-web-app-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child: ChildProcess = spawn('redis-server', args, { stdio: 'ignore' });
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(() => {
      throw new Error('redis-server is not installed: install it, or name one in REDIS_URL.');
    }),
  ]);
  process.once('exit', () => child.kill());
  return {
    url: `redis://127.0.0.1:${port}`, // The app's client retries until Redis is up.
    close: async () => {
      child.kill();
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Returns a port below the range of outgoing connections, which could take the port before the server does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + randomInt(10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
