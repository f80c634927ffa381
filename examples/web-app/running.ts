import { once } from 'node:events';
import { createServer } from 'node:http';
import { appWith } from './app.ts';
import type { Settings } from './settings.ts';
import { openStores } from './stores.ts';

export interface RunningApp {
  close(): Promise<void>;
}

/** Listens on this machine. A TLS proxy in front makes it public. */
export async function startApp(settings: Settings): Promise<RunningApp> {
  const stores = await openStores(settings);
  const server = createServer(appWith(settings, stores)).listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stores.close();
    },
  };
}
