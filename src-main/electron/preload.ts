/**
 * `tokenkeep/preload`: exposes the token cache to a page, from a sandboxed preload script. Bundle it with your own preload script into one
 * CommonJS file, as the sandbox requires.
 *
 * @module tokenkeep/preload
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { fitsBudget } from '../ipc/argument-budget.ts';
import {
  READ_REQUESTS,
  TOKEN_CACHE_EVENTS,
  TOKEN_CACHE_REQUESTS,
  tokenCachePrefix,
} from '../ipc/contract-names.ts';
import type { Outcome, TokenCacheRequests } from '../ipc/contract.ts';
import { eventChannel, type Names, requestChannel } from '../ipc/requests.ts';
import { listen } from './early-events.ts';
import { checkOptions, LIST_OF_TEXTS, NAME, RECORD, requireOptions } from '../options.ts';

export type { Names };

/** How a contract is exposed to the window. `serveRequests` must use the same prefix. */
export interface Exposure<R, E> {
  /** The property of `window`. */
  name: string;
  /** The start of every channel name, as in `serveRequests`. */
  prefix: string;
  /** All names of the contract’s requests. */
  requests: Names<R>;
  /** All names of its events. */
  events: Names<E>;
}

/** Which part of the token cache a page gets. */
export interface ExposeOptions {
  /**
   * The requests that the page may make. Default: those that only read and reveal no secret. Give `serveTokenCache` the
   * same list: the main process decides.
   */
  only?: readonly (keyof TokenCacheRequests)[];
  /** The property of `window`, as in `serveTokenCache`. Default: `tokenCache`. */
  name?: string;
}

type Ask = (...args: unknown[]) => Promise<Outcome<unknown>>;

/**
 * Puts `window.tokenCache`, a `TokenCacheBridge`, on the page. The main process serves it with `serveTokenCache`.
 *
 * @example
 * ```ts
 * import { exposeTokenCache } from 'tokenkeep/preload';
 *
 * exposeTokenCache({ only: ['accounts', 'signOut'] });
 * ```
 */
export function exposeTokenCache(options: ExposeOptions = {}): void {
  const { only = READ_REQUESTS, name = 'tokenCache' } = checkOptions('exposeTokenCache', options, {
    only: LIST_OF_TEXTS,
    name: NAME,
  });
  const unknown = only.find((each) => !Object.hasOwn(TOKEN_CACHE_REQUESTS, each));
  if (unknown !== undefined)
    throw new Error(`exposeTokenCache: “${unknown}” is no request of the token cache.`);
  const requests = Object.fromEntries(only.map((each) => [each, true as const]));
  const bridge = bridgeOf({ name, prefix: tokenCachePrefix(name), requests, events: TOKEN_CACHE_EVENTS });
  const planImport = bridge['planImport'];
  // A page can neither read nor choose a file's path: only a `File` that the user dropped has one.
  const fromFile = (file: File): unknown => planImport?.(webUtils.getPathForFile(file));
  contextBridge.exposeInMainWorld(
    name,
    planImport === undefined ? bridge : { ...bridge, planImport: fromFile },
  );
}

/**
 * Puts an app's own contract on the page: one function for each request, and `on` for its events.
 *
 * @example
 * ```ts
 * import { exposeRequests } from 'tokenkeep/preload';
 *
 * exposeRequests<{ version(): string }, { greeted: string }>({
 *   name: 'myApp',
 *   prefix: 'my-app',
 *   requests: { version: true },
 *   events: { greeted: true },
 * });
 * ```
 */
export function exposeRequests<R, E>(contract: Exposure<R, E>): void {
  const given = checkOptions<Exposure<R, E>>('exposeRequests', contract, {
    name: NAME,
    prefix: NAME,
    requests: RECORD,
    events: RECORD,
  });
  requireOptions('exposeRequests', given, ['name', 'prefix', 'requests', 'events']);
  contextBridge.exposeInMainWorld(contract.name, bridgeOf(contract));
}

function bridgeOf<R, E>({ prefix, requests, events }: Exposure<R, E>): Record<string, Ask | undefined> {
  const asks = Object.keys(requests).map((name): [string, Ask] => [name, ask(requestChannel(prefix, name))]);
  const on = listen(Object.keys(events), (name, receive) => {
    // The event object is not passed on: it would let the page send messages.
    ipcRenderer.on(eventChannel(prefix, name), (_event, payload: unknown) => receive(payload));
  });
  return Object.assign(Object.fromEntries(asks), { on });
}

/** `invoke` rejects only if the channel is not served: while the app starts, quits or changes vaults. */
function ask(channel: string): Ask {
  return (...args) => {
    // Measured before it is cloned, so that a large argument can't block the main process.
    if (!fitsBudget(args)) return Promise.resolve(failure('invalid_argument', TOO_MUCH));
    return ipcRenderer.invoke(channel, ...args).catch(() => failure('not_served', NOT_SERVED));
  };
}

const TOO_MUCH = 'The request was sent with more data than it takes. Nothing was done.';
const NOT_SERVED = 'Tokenkeep does not answer this at the moment. Try again.';

function failure(code: string, message: string): Outcome<never> {
  return { ok: false, error: { code, message } };
}
