/** The cache that the window shows: the user's own or the demo's. The user's stays open during the demo. */
import type { BrowserWindow } from 'electron';
import type { Vault } from 'tokenkeep';
import { type PlaceCache, type ServedTokenCache, serveTokenCache } from 'tokenkeep/electron';
import { WINDOW_REQUESTS } from './contract.ts';
import { type DemoVault, openDemoVault } from './demo/vault.ts';
import { ORIGIN } from './page-file.ts';
import { wouldLose } from './unsaved.ts';

export interface ServingOptions {
  windows: () => readonly BrowserWindow[];
  /** Opens the user's vault. Called on first use, and again if it failed: its cause may be gone. */
  openOwn: () => Promise<Vault>;
  /** The opened caches of other programs. None are shown beside the demo. */
  places: () => readonly PlaceCache[];
  beforeRetry: () => void;
  /** Called after the user deleted their own vault, not the demo's. */
  afterForget: () => void;
  /** Returns a sentence on what `afterForget` will do; null if it does nothing. */
  alsoForgets: () => string | null;
  asksRarely: () => boolean;
  onUnexpected: (error: unknown) => void;
  /** Returns the error that the window gets in place of one that a request failed with. */
  explain: (error: unknown) => unknown;
}

export interface Serving {
  readonly demo: boolean;
  /** Absolute path of the vault that the window shows. */
  file(): Promise<string>;
  /** The vault that the window shows. */
  vault(): Promise<Vault>;
  /** The user's own vault, even during the demo. */
  own(): Promise<Vault>;
  /** The user's own vault, while it holds changes in memory only. */
  unsaved(): Vault | undefined;
  showDemo(): Promise<void>;
  showOwn(): Promise<void>;
  planImport(path: string): Promise<void>;
  /** Tells the windows that an opened cache has changed. */
  placesChanged(): void;
  clearClipboard(): Promise<void>;
  /** Copies a token that the user chose in the menu bar. */
  copyChosen(tokenId: string): Promise<void>;
  /**
   * Refuses every request with `error` until the next `showOwn`. Once the work in progress has `ended`, leaves the demo and closes the
   * user's vault. One that holds changes in memory only stays open until they are saved.
   */
  lock(error: Error, ended: Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

export function serving({ openOwn, ...options }: ServingOptions): Serving {
  let own: Promise<Vault> | undefined;
  let opened: Vault | undefined;
  let demo: DemoVault | undefined;
  let served: ServedTokenCache | undefined;
  let refusal: Error | undefined;
  let locking: Promise<void> = Promise.resolve();
  /** Stops waiting until the locked vault is saved. */
  let endWaiting = (): void => undefined;

  const serve = (vault: () => Promise<Vault>): void => {
    served?.();
    served = serveTokenCache(vault, {
      ...options,
      onUnexpected(error) {
        if (error !== refusal) options.onUnexpected(error);
      },
      places: () => (demo === undefined ? options.places() : []),
      afterForget() {
        if (demo === undefined) options.afterForget();
      },
      alsoForgets: () => (demo === undefined ? options.alsoForgets() : null),
      origin: ORIGIN,
      only: WINDOW_REQUESTS,
    });
  };
  const ownVault = (): Promise<Vault> => {
    if (refusal !== undefined) return Promise.reject(refusal);
    if (own !== undefined) return own;
    const waited = locking.catch(() => undefined); // reported to the caller of `lock`
    const opening = waited.then(openOwn).then(
      (vault) => {
        if (own === opening) opened = vault;
        return vault;
      },
      (error: unknown) => {
        if (own === opening) own = undefined;
        throw error;
      },
    );
    own = opening;
    return opening;
  };
  const leaveDemo = async (): Promise<void> => {
    const left = demo;
    demo = undefined;
    await left?.close();
  };
  const closeOwn = async (vault: Vault): Promise<void> => {
    own = opened = undefined;
    await vault.close();
  };
  /** Closes the locked vault, at the latest when it has saved what it holds in memory. */
  const closeSaved = async (vault: Vault): Promise<void> => {
    if (!wouldLose(vault.status)) return closeOwn(vault);
    const end = vault.on('status', (status) => {
      if (wouldLose(status)) return;
      end();
      locking = closeOwn(vault);
      locking.catch(options.onUnexpected);
    });
    endWaiting = end;
  };

  return {
    get demo() {
      return demo !== undefined;
    },
    async file() {
      return (await (demo?.vault ?? own))?.status.file ?? '';
    },
    async vault() {
      return demo?.vault ?? ownVault();
    },
    own: ownVault,
    unsaved: () => (opened !== undefined && wouldLose(opened.status) ? opened : undefined),
    async showDemo() {
      if (demo !== undefined) return;
      const opening = openDemoVault();
      demo = opening;
      serve(() => opening.vault);
      try {
        await opening.vault;
      } catch (error) {
        if (demo === opening) {
          demo = undefined;
          serve(ownVault);
        }
        await opening.close().catch(() => undefined); // removes its folder
        throw error;
      }
    },
    async showOwn() {
      endWaiting();
      refusal = undefined;
      serve(ownVault);
      await leaveDemo();
    },
    async planImport(path) {
      await served?.planImport(path);
    },
    placesChanged: () => served?.placesChanged(),
    async copyChosen(tokenId) {
      await served?.copyChosen(tokenId);
    },
    async clearClipboard() {
      await served?.clearClipboard();
    },
    lock(error, ended) {
      const left = demo;
      refusal = error;
      demo = undefined;
      serve(ownVault);
      const close = async (): Promise<void> => {
        await ended; // the work may leave changes that can't be saved
        try {
          await left?.close();
        } finally {
          const vault = await own;
          if (vault !== undefined && refusal === error) await closeSaved(vault);
        }
      };
      return (locking = close());
    },
    async close() {
      served?.();
      endWaiting();
      await locking.catch(() => undefined); // reported to the caller of `lock`
      try {
        await leaveDemo();
      } finally {
        await (await own)?.close();
      }
    },
  };
}
