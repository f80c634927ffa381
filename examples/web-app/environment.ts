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
    proxies: Number(env['PROXIES'] ?? 0),
    redirectUri: redirect.href,
    clientId: needed('CLIENT_ID'),
    clientSecret: needed('CLIENT_SECRET'),
    issuer: other ?? `${needed('AUTHORITY').replace(/\/$/, '')}/v2.0`,
    // Microsoft issues a refresh token for offline_access; others require consent, as OpenID Connect Core §11 does.
    parameters: other === undefined ? {} : { prompt: 'consent' },
    apiUrl: env['ENDPOINT'] ?? 'https://graph.microsoft.com/v1.0/me',
    scopes: (env['SCOPE'] ?? 'User.Read').split(' '),
    sessionSecret: needed('SESSION_SECRET'),
    cache,
    ...(cache === 'redis' ? { redisUrl: env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' } : {}),
    sqliteFile: env['SQLITE_FILE'] ?? 'tokens.sqlite',
    ...(cache === 'postgres' ? { postgresUrl: needed('POSTGRES_URL') } : {}),
    sealingKeys: parseSealingKeys(needed('SEALING_KEYS')),
  };
}

const PLACES = new Set<string>(['memory', 'sqlite', 'session', 'redis', 'postgres'] satisfies CachePlace[]);

export function cachePlace(env: NodeJS.ProcessEnv): CachePlace {
  const cache = env['CACHE'] ?? (hasSqlite() ? 'sqlite' : 'memory');
  if (cache === 'postgres' && !env['POSTGRES_URL'])
    throw new Error('CACHE=postgres needs POSTGRES_URL, e.g. postgres://app@127.0.0.1/app');
  if (PLACES.has(cache)) return cache as CachePlace;
  throw new Error(`CACHE is one of ${[...PLACES].join(', ')}.`);
}

/** Node has it from 22.13 on. */
function hasSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}
