/**
 * For a sandboxed preload script: puts the bridge to the token cache on the window. Bundle it with your own preload
 * script into one CommonJS file, as the sandbox asks for.
 *
 * @module tokenkeep/preload
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { Outcome, TokenCacheEvents, TokenCacheRequests } from '../ipc/contract.ts';
import {
  eventChannel,
  requestChannel,
  TOKEN_CACHE_EVENTS,
  TOKEN_CACHE_PREFIX,
  TOKEN_CACHE_REQUESTS,
} from '../ipc/names.ts';
import type { Names } from '../ipc/requests.ts';
import { listen } from './listen.ts';

export type { Names };

/** What a contract needs to reach the window. `serveRequests` has the same prefix. */
export interface Exposure<R, E> {
  /** The property of `window`. */
  name: string;
  /** Before every channel, as in `serveRequests`. */
  prefix: string;
  /** All names of the contract’s requests. */
  requests: Names<R>;
  /** All names of its events. */
  events: Names<E>;
}

type Ask = (...args: unknown[]) => Promise<Outcome<unknown>>;

/** `window.tokenCache`, a `TokenCacheBridge`. The main process serves it with `serveTokenCache`. */
export function exposeTokenCache(): void {
  const contract: Exposure<TokenCacheRequests, TokenCacheEvents> = {
    name: 'tokenCache',
    prefix: TOKEN_CACHE_PREFIX,
    requests: TOKEN_CACHE_REQUESTS,
    events: TOKEN_CACHE_EVENTS,
  };
  const bridge = bridgeOf(contract);
  const planImport = bridge['planImport'];
  // A page can't learn a file's path, and can't name one: only a `File` that the user dropped has one.
  contextBridge.exposeInMainWorld(contract.name, {
    ...bridge,
    planImport: (file: File) => planImport?.(webUtils.getPathForFile(file)),
  });
}

/** The same for an app's own contract: one function per request, and `on` for its events. */
export function exposeRequests<R, E>(contract: Exposure<R, E>): void {
  contextBridge.exposeInMainWorld(contract.name, bridgeOf(contract));
}

function bridgeOf<R, E>({ prefix, requests, events }: Exposure<R, E>): Record<string, Ask | undefined> {
  const asks = Object.keys(requests).map((name): [string, Ask] => [name, ask(requestChannel(prefix, name))]);
  const on = listen(Object.keys(events), (name, receive) => {
    // The event object itself stays here: it would hand the page a way to send.
    ipcRenderer.on(eventChannel(prefix, name), (_event, payload: unknown) => receive(payload));
  });
  return Object.assign(Object.fromEntries(asks), { on });
}

/** Only a channel that is not served rejects `invoke`: while the app is starting, ending, or changing vaults. */
function ask(channel: string): Ask {
  return (...args) =>
    ipcRenderer.invoke(channel, ...args).catch(() => ({
      ok: false,
      error: { code: 'not_served', message: 'Tokenkeep is not answering right now. Try again in a moment.' },
    }));
}
