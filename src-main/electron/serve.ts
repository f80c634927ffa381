/** Serves the token cache to the windows of an Electron app. */
import { app, BrowserWindow, clipboard, powerMonitor, type WebContents } from 'electron';
import { InvalidArgumentError } from '../errors.ts';
import {
  checkArgument,
  checkOptions,
  FUNCTION,
  having,
  type Kind,
  LIST_OF_TEXTS,
  NAME,
  type OptionNames,
  requireOptions,
} from '../options.ts';
import { isOnlyActivity } from '../ipc/activity.ts';
import { argumentChecks } from '../ipc/arguments.ts';
import { type CopiedSecrets, copiedSecrets } from '../ipc/clipboard.ts';
import { READ_REQUESTS, TOKEN_CACHE_REQUESTS, tokenCachePrefix } from '../ipc/contract-names.ts';
import type { TokenCacheEvents, TokenCacheRequests } from '../ipc/contract.ts';
import { tokenCacheHandlers } from '../ipc/handlers.ts';
import type { PlaceCache } from '../ipc/places.ts';
import type { Vault } from '../vault/api.ts';
import { chooseFile, chooseTarget, confirm, useGesture } from './dialogs.ts';
import { assertMainProcess, serveRequests } from './requests.ts';
import { TRUSTED, type Trusted } from './sender.ts';

/** Options of `serveTokenCache`. */
export interface ServeOptions extends Trusted {
  /**
   * The requests that are answered. Default: those that only read and reveal no secret (`status`, `accounts`, `tokens`,
   * `claims`, `search`, `removalCount`). Give the preload script's `exposeTokenCache` the same list.
   */
  only?: readonly (keyof TokenCacheRequests)[];
  /** Distinguishes several token caches of one process; as in `exposeTokenCache`. Default: `tokenCache`. */
  name?: string;
  /**
   * Caches of other programs whose accounts are shown beside the vault's, such as those of `tokenkeep/sources`. They are only
   * read. Call `placesChanged` when they have changed.
   */
  places?: () => readonly PlaceCache[];
  /** Called before the vault is retried at the user's request. */
  beforeRetry?: () => void;
  /**
   * Called after the vault was deleted at the user's request. Remove what else your app has left for its accounts, such as an entry that
   * starts it at login. Don't throw: the vault is deleted.
   */
  afterForget?: () => void;
  /** Returns a sentence on what `afterForget` will do, for the question before the vault is deleted; null if it does nothing. */
  alsoForgets?: () => string | null;
  /**
   * Whether consent to copy an access token is valid for five minutes, but no longer than until the window loses the focus or the screen is
   * locked. Default: only if the user ticks a box in the dialog.
   */
  asksRarely?: () => boolean;
  /** See `RequestOptions.onUnexpected`. */
  onUnexpected?: (error: unknown) => void;
  /** See `RequestOptions.explain`. */
  explain?: (error: unknown) => unknown;
}

/**
 * A served token cache. Call it to stop serving and to clear a copied token from the clipboard.
 *
 * @example
 * import { powerMonitor } from 'electron';
 * import { type ServedTokenCache, serveTokenCache, type Trusted } from 'tokenkeep/electron';
 *
 * function serve(trusted: Trusted): ServedTokenCache {
 *   const served = serveTokenCache(vault, trusted);
 *   powerMonitor.on('lock-screen', () => void served.clearClipboard());
 *   return served; // call it to stop
 * }
 */
export interface ServedTokenCache {
  (): void;
  /**
   * Starts an import from outside the window, as a menu or a command line does: the windows receive `importReading`,
   * then `importPlanned` or `importFailed`. Resolves when both events are sent; never rejects.
   */
  planImport(path: string): Promise<void>;
  /**
   * Copies a token that the user chose in a menu of the main process, and clears it from the clipboard after 30 seconds. No question is
   * asked, so never call it for a window.
   *
   * @throws InvalidArgumentError if the token no longer exists
   */
  copyChosen(tokenId: string): Promise<void>;
  /** Tells the windows that the caches of `places` have changed. */
  placesChanged(): void;
  /** Clears a copied token from the clipboard now, such as when the screen is locked. Open questions are closed, and every copy asks again. */
  clearClipboard(): Promise<void>;
}

/**
 * Answers the windows in `options` and tells them about changes. Their preload script calls `exposeTokenCache()`.
 *
 * @param vault may be a promise: requests wait for it, so a window can be shown while the keychain is still opening. A function is called for
 *   each request, so that a vault that could not be opened can be opened later; it returns the same vault until then.
 *
 * @example
 * ```ts
 * import { app, BrowserWindow } from 'electron';
 * import { openVault } from 'tokenkeep';
 * import { serveTokenCache } from 'tokenkeep/electron';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * const stop = serveTokenCache(vault, {
 *   windows: () => BrowserWindow.getAllWindows(),
 *   origin: 'app://my-app',
 *   only: ['accounts', 'signOut'],
 * });
 * app.on('will-quit', stop);
 * ```
 */
export function serveTokenCache(
  vault: Vault | Promise<Vault> | (() => Promise<Vault>),
  options: ServeOptions,
): ServedTokenCache {
  assertMainProcess('serveTokenCache');
  checkArgument('serveTokenCache', 'vault', vault, VAULT);
  requireOptions(
    'serveTokenCache',
    checkOptions('serveTokenCache', options, NAMES, 'Nothing is served.'),
    ['windows', 'origin'],
    'Nothing is served.',
  );
  const copied = copiedSecrets({
    clipboard,
    now: () => Date.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    onCleared: () => served.emit('clipboardCleared', null),
  });
  /** Aborted when the user leaves: no question stays open on an unattended screen. */
  let present = new AbortController();
  const endConsent = (): void => {
    handlers.endConsent();
    present.abort();
    present = new AbortController();
  };
  const { windows, origin, onUnexpected, explain } = options;
  const handlers = tokenCacheHandlers<WebContents>({
    vault: opened,
    places: options.places ?? (() => []),
    copied,
    now: () => Math.floor(Date.now() / 1000),
    confirm: (caller, question, onOption) =>
      confirm(caller, question, {
        signal: present.signal,
        ...(onOption === undefined ? {} : { onOption }),
      }),
    useGesture,
    asksRarely: options.asksRarely ?? (() => false),
    onLeave: (caller, call) => (BrowserWindow.fromWebContents(caller) ?? caller).once('blur', call),
    chooseFile,
    chooseTarget,
    emit: (name, event) => served.emit(name, event),
    beforeRetry: () => options.beforeRetry?.(),
    afterForget: () => options.afterForget?.(),
    alsoForgets: () => options.alsoForgets?.() ?? null,
    ...(explain === undefined ? {} : { explain }),
  });
  const served = serveRequests<TokenCacheRequests, TokenCacheEvents>({
    windows,
    origin,
    ...(onUnexpected === undefined ? {} : { onUnexpected }),
    ...(explain === undefined ? {} : { explain }),
    prefix: tokenCachePrefix(options.name),
    checks: granted(argumentChecks, options.only ?? READ_REQUESTS),
    handlers: handlers.requests,
  });

  let stopped = false;
  let heard: Vault | undefined;
  let leave = (): void => {};
  const hear = (ready: Vault): void => {
    if (stopped || ready === heard) return;
    leave();
    heard = ready;
    const endings = [
      ready.on('change', (change) => {
        // An event of its own, so that windows do not reload a list of 10,000 accounts because a token was copied.
        served.emit(isOnlyActivity(change) ? 'activity' : 'change', null);
      }),
      ready.on('status', (status) => served.emit('status', status)),
    ];
    leave = () => {
      for (const end of endings) end();
    };
    served.emit('status', ready.status);
  };
  async function opened(): Promise<Vault> {
    const ready = await (typeof vault === 'function' ? vault() : vault);
    hear(ready);
    return ready;
  }
  opened().catch((error: unknown) => options.onUnexpected?.(error));
  const endClearing = clearOnLeave(copied, endConsent);

  return Object.assign(
    () => {
      stopped = true;
      leave();
      endConsent();
      endClearing();
      served.stop();
      void copied.clear().catch(() => undefined);
    },
    {
      planImport: handlers.planImport,
      clearClipboard() {
        endConsent();
        return copied.clear();
      },
      placesChanged: () => served.emit('change', null),
      copyChosen: handlers.copyChosen,
    },
  );
}

const OPEN_VAULT = having('', 'read', 'update', 'on');
const VAULT: Kind = {
  is: (value) => OPEN_VAULT.is(value) || FUNCTION.is(value) || having('', 'then').is(value),
  what: 'what `openVault` returns, or a function that returns the opened vault',
};

const NAMES: OptionNames<ServeOptions> = {
  ...TRUSTED,
  only: LIST_OF_TEXTS,
  name: NAME,
  places: FUNCTION,
  beforeRetry: FUNCTION,
  afterForget: FUNCTION,
  alsoForgets: FUNCTION,
  asksRarely: FUNCTION,
  onUnexpected: FUNCTION,
  explain: FUNCTION,
};

/** Returns the checks of the granted requests. Without a check, a request is not served. */
function granted<Checks extends object>(checks: Checks, only: readonly (keyof Checks & string)[]): Checks {
  for (const name of only) {
    if (Object.hasOwn(TOKEN_CACHE_REQUESTS, name)) continue;
    throw new InvalidArgumentError(
      `serveTokenCache: “${name}” in \`only\` is no request of the token cache. Nothing is served.`,
      { field: 'only' },
    );
  }
  const entries = Object.entries(checks).filter(([name]) => (only as readonly string[]).includes(name));
  return Object.fromEntries(entries) as Checks;
}

/**
 * Clears a copied token when the screen is locked or the app quits. Linux does not report a lock; there it takes 30 s. A clipboard that fails
 * does not keep the app from quitting.
 */
function clearOnLeave(copied: CopiedSecrets, endConsent: () => void): () => void {
  const clear = (): void => {
    endConsent();
    void copied.clear().catch(() => undefined);
  };
  // The clipboard is asynchronous since Electron 44: quitting is prevented until it is cleared, then requested again.
  let failed = false;
  const clearFirst = (event: { preventDefault(): void }): void => {
    if (!copied.holding || failed) return;
    event.preventDefault();
    void copied
      .clear()
      .catch(() => void (failed = true))
      .finally(() => setImmediate(() => app.quit())); // deferred, because Electron ignores it during the event
  };
  powerMonitor.on('lock-screen', clear);
  app.on('will-quit', clearFirst);
  return () => {
    powerMonitor.off('lock-screen', clear);
    app.off('will-quit', clearFirst);
  };
}
