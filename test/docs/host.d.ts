// What the pages' code takes from the app that it is meant for; in a program of its own, apart from ours. A block that declares a name
// itself uses its own.
import type { NodeAuthOptions } from '@azure/msal-node';
import type { WebContents } from 'electron';
import type { SealingKeys } from 'tokenkeep/partitions';
import type { RedisClient } from 'tokenkeep/partitions/redis';
import type { AccountSummary, SerializableTokenCache, Vault } from 'tokenkeep';
import type { TokenCacheBridge } from 'tokenkeep/electron';

declare global {
  interface Window {
    /** In a page: what the preload script exposed. */
    tokenCache: TokenCacheBridge;
    /** In the main process, where `window` is a BrowserWindow. */
    webContents: WebContents;
  }
  const auth: NodeAuthOptions;
  const vault: Vault;
  const cache: SerializableTokenCache;
  const accounts: readonly AccountSummary[];
  const response: Readonly<Record<string, unknown>>;
  const passphrase: string;
  const client: RedisClient;
  const sealingKeys: SealingKeys;
  const userId: string;
  var text: string;
  /** What an app that moves in has: of msal-node-extensions, electron-store, keytar. */
  const persistence: { load(): Promise<string | null>; delete(): Promise<boolean> };
  const settings: { get(name: string): string | undefined; delete(name: string): void };
  const keytar: {
    getPassword(service: string, account: string): Promise<string | null>;
    deletePassword(service: string, account: string): Promise<boolean>;
  };
}
