/** What the app has to be told. `main.ts` reads it from the environment; the demo makes it up. */
import type { SealingKeys } from 'tokenkeep/partitions';

/** Where each user's token cache is kept. */
export type CachePlace = 'session' | 'redis' | 'postgres';

export interface Settings {
  /** Where browsers find this app, without a slash at its end. */
  url: string;
  port: number;
  /** Where the provider sends people back to: a path of this app. */
  redirectUri: string;
  /** As registered with the provider. */
  clientId: string;
  clientSecret: string;
  /** `https://login.microsoftonline.com/<tenant>`, or any provider's issuer. */
  authority: string;
  /** Microsoft Entra ID, or another OpenID Connect provider. */
  provider: 'entra' | 'oidc';
  /** What "Call the API" asks, and what for. */
  apiUrl: string;
  scopes: string[];
  /** Signs the session's cookie. */
  sessionSecret: string;
  redisUrl: string;
  cache: CachePlace;
  /** For `postgres`. */
  postgresUrl?: string;
  sealingKeys: SealingKeys;
  /** A provider that the system does not trust needs one of its own. */
  fetch?: typeof fetch;
}
