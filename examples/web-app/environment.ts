import { parseSealingKeys } from 'tokenkeep/partitions';
import type { CachePlace, Settings } from './settings.ts';

/** @throws Error naming the variable that is missing or wrong, never its value */
export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const needed = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '')
      throw new Error(`${name} must be set; see examples/web-app/README.md.`);
    return value;
  };
  const port = Number(env['PORT'] ?? 3000);
  const authority = env['AUTHORITY'] ?? `https://login.microsoftonline.com/${needed('TENANT_ID')}`;
  const cache = cachePlace(env);
  return {
    port,
    url: env['URL'] ?? `http://localhost:${port}`,
    clientId: needed('CLIENT_ID'),
    clientSecret: needed('CLIENT_SECRET'),
    authority,
    provider: env['AUTHORITY'] === undefined ? 'entra' : 'oidc',
    apiUrl: env['API_URL'] ?? 'https://graph.microsoft.com/v1.0/me',
    scopes: (env['API_SCOPES'] ?? 'User.Read').split(' '),
    sessionSecret: needed('SESSION_SECRET'),
    redisUrl: env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    cache,
    ...(cache === 'postgres' ? { postgresUrl: needed('POSTGRES_URL') } : {}),
    sealingKeys: parseSealingKeys(needed('SEALING_KEYS')),
  };
}

export function cachePlace(env: NodeJS.ProcessEnv): CachePlace {
  const cache = env['CACHE'] ?? 'redis';
  if (cache === 'session' || cache === 'redis' || cache === 'postgres') return cache;
  throw new Error('CACHE is one of session, redis, postgres.');
}
