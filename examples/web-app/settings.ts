/** The settings of the app. `main.ts` reads them from the environment; the demo creates its own. */
import type { SealingKeys } from 'tokenkeep/partitions';

/** Where each user's token cache is kept. */
export type CachePlace = 'memory' | 'sqlite' | 'session' | 'redis' | 'postgres';

export interface Settings {
  /** The address of this app for browsers, without a slash at the end. */
  url: string;
  port: number;
  /** How many proxies are in front of the app. */
  proxies: number;
  /** The path of this app to which the provider returns users. */
  redirectUri: string;
  /** As registered with the provider. */
  clientId: string;
  clientSecret: string;
  /** `https://login.microsoftonline.com/<tenant>/v2.0`, or any other provider's. */
  issuer: string;
  /** Further parameters of a sign-in. */
  parameters: Record<string, string>;
  /** The URL that "Call the API" requests, and the scopes for it. */
  apiUrl: string;
  scopes: string[];
  /** Signs the session's cookie. */
  sessionSecret: string;
  cache: CachePlace;
  /** Keeps the sessions and, for `redis`, the token caches. Without it, sessions are in memory. */
  redisUrl?: string;
  /** For `postgres`. */
  postgresUrl?: string;
  /** For `sqlite`. */
  sqliteFile: string;
  sealingKeys: SealingKeys;
  /** Needed for a provider that the system does not trust. */
  fetch?: typeof fetch;
}
