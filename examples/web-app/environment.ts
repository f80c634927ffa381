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
  const redirect = new URL(env['REDIRECT_URI'] ?? 'http://localhost:3000/callback');
  const cache = cachePlace(env);
  const other = env['OIDC_AUTHORITY'];
  return {
    port: Number(env['PORT'] ?? (redirect.port || 3000)),
    url: redirect.origin,
    redirectUri: redirect.href,
    clientId: needed('CLIENT_ID'),
    clientSecret: needed('CLIENT_SECRET'),
    authority: (other ?? needed('AUTHORITY')).replace(/\/$/, ''),
    provider: other === undefined ? 'entra' : 'oidc',
    apiUrl: env['ENDPOINT'] ?? 'https://graph.microsoft.com/v1.0/me',
    scopes: (env['SCOPE'] ?? 'User.Read').split(' '),
    sessionSecret: needed('SESSION_SECRET'),
    redisUrl: env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    cache,
    ...(cache === 'postgres' ? { postgresUrl: needed('POSTGRES_URL') } : {}),
    sealingKeys: parseSealingKeys(needed('SEALING_KEYS')),
  };
}

export function cachePlace(env: NodeJS.ProcessEnv): CachePlace {
  const cache = env['CACHE'] ?? 'redis';
  if (cache === 'postgres' && !env['POSTGRES_URL'])
    throw new Error('CACHE=postgres needs POSTGRES_URL, e.g. postgres://app@127.0.0.1/app');
  if (cache === 'session' || cache === 'redis' || cache === 'postgres') return cache;
  throw new Error('CACHE is one of session, redis, postgres.');
}
