/** What the app has to be told. `main.ts` reads it from the environment; the demo makes it up. */
import type { SealingKeys } from 'tokenkeep/partitions';

/** Where each user's token cache is kept. */
export type CachePlace = 'memory' | 'sqlite' | 'session' | 'redis' | 'postgres';

export interface Settings {
  /** Where browsers find this app, without a slash at its end. */
  url: string;
  port: number;
  /** How many proxies are in front of it. */
  proxies: number;
  /** Where the provider sends people back to: a path of this app. */
  redirectUri: string;
  /** As registered with the provider. */
  clientId: string;
  clientSecret: string;
  /** `https://login.microsoftonline.com/<tenant>/v2.0`, or any other provider's. */
  issuer: string;
  /** Further parameters of a sign-in. */
  parameters: Record<string, string>;
  /** What "Call the API" asks, and what for. */
  apiUrl: string;
  scopes: string[];
  /** Signs the session's cookie. */
  sessionSecret: string;
  cache: CachePlace;
  /** Sessions are there, and token caches for `redis`. Without it, sessions are in memory. */
  redisUrl?: string;
  /** For `postgres`. */
  postgresUrl?: string;
  /** For `sqlite`. */
  sqliteFile: string;
  sealingKeys: SealingKeys;
  /** A provider that the system does not trust needs one of its own. */
  fetch?: typeof fetch;
}
