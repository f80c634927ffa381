/** The token cache for the windows of an Electron app. */
import { clipboard, type WebContents } from 'electron';
import type { TokenCacheEvents, TokenCacheRequests } from '../ipc/contract.ts';
import { copiedSecrets } from '../ipc/copied.ts';
import { tokenCacheHandlers } from '../ipc/handlers.ts';
import { TOKEN_CACHE_PREFIX } from '../ipc/names.ts';
import { argumentChecks } from '../ipc/validate.ts';
import type { Vault } from '../vault/api.ts';
import { chooseFile, chooseTarget, confirm } from './dialogs.ts';
import { keepOffTheClipboard } from './leaving.ts';
import { serveRequests } from './requests.ts';
import type { Trusted } from './sender.ts';

/** To whom a token cache is served. */
export interface ServeOptions extends Trusted {
  /** Runs before the vault is asked again because the user chose Retry. */
  beforeRetry?: () => void;
  /** See `RequestOptions.onUnexpected`. */
  onUnexpected?: (error: unknown) => void;
}

/** Call it to end: nothing is answered any more, and a copied token leaves the clipboard. */
export interface ServedTokenCache {
  (): void;
  /**
   * Begins an import from outside the window, as a menu or a command line does: the windows hear `importReading`,
   * then `importPlanned` or `importFailed`, and show it. Resolves when they have been told; never rejects.
   */
  planImport(path: string): Promise<void>;
}

/**
 * Answers the windows in `options` and keeps them told of changes; their preload script calls `exposeTokenCache()`.
 *
 * @param vault may be on its way: requests wait for it, so a window can be shown while the keychain is asked.
 */
export function serveTokenCache(vault: Vault | Promise<Vault>, options: ServeOptions): ServedTokenCache {
  const opened = Promise.resolve(vault);
  const copied = copiedSecrets({
    clipboard,
    now: () => Date.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    onCleared: () => served.emit('clipboardCleared', null),
  });
  const handlers = tokenCacheHandlers<WebContents>({
    vault: opened,
    copied,
    now: () => Math.floor(Date.now() / 1000),
    confirm,
    chooseFile,
    chooseTarget,
    tell: (name, event) => served.emit(name, event),
    beforeRetry: () => options.beforeRetry?.(),
  });
  const served = serveRequests<TokenCacheRequests, TokenCacheEvents>({
    ...options,
    prefix: TOKEN_CACHE_PREFIX,
    checks: argumentChecks,
    handlers: handlers.requests,
  });

  let stopped = false;
  const endings: (() => void)[] = [];
  void opened.then((ready) => {
    if (stopped) return;
    endings.push(ready.on('change', () => served.emit('change', null)));
    endings.push(ready.on('status', (status) => served.emit('status', status)));
    served.emit('status', ready.status);
  }, options.onUnexpected);
  endings.push(keepOffTheClipboard(copied));

  return Object.assign(
    () => {
      stopped = true;
      for (const end of endings) end();
      served.stop();
      void copied.clear();
    },
    { planImport: handlers.planImport },
  );
}
