/**
 * Quitting while changes are held in memory only. The user is asked; the system is not kept waiting: at the end of a
 * session, and for a signal, the app ends at once, whatever question is open.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { app, type BrowserWindow, dialog, powerMonitor } from 'electron';
import type { Vault } from 'tokenkeep';
import { whatWouldBeLost } from './unsaved.ts';

export interface Quitting {
  /** Whether the app may end: nothing would be lost, or the user said so. From then on nobody is asked again. */
  mayQuit(): Promise<boolean>;
  /** Asks before the window is closed where that ends the app. */
  hold(window: BrowserWindow): void;
}

export interface QuittingOptions {
  /** The user's own vault while it holds changes in memory only. */
  unsaved: () => Vault | undefined;
  /** What the question is shown on; none where all windows are closed. */
  window: () => BrowserWindow | undefined;
}

/** Nobody can answer these. Electron would quit by itself on each, which would ask. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export function askBeforeQuitting({ unsaved, window: parent }: QuittingOptions): Quitting {
  const systemEnds = new AbortController();
  let agreed = false;
  let asking: Promise<boolean> | undefined;

  const ask = async (vault: Vault): Promise<boolean> => {
    // Whatever else the vault is waiting for, the question is not.
    const accounts = vault.read((cache) => cache.accounts()).catch(() => []);
    const options = {
      type: 'warning' as const,
      ...whatWouldBeLost(vault.status, await Promise.race([accounts, delay(1000, [])])),
      buttons: ['Quit anyway', 'Stay'],
      // Enter and Escape both stay.
      defaultId: 1,
      cancelId: 1,
      noLink: true,
      signal: systemEnds.signal,
    };
    const window = parent();
    const { response } = await (window === undefined
      ? dialog.showMessageBox(options)
      : dialog.showMessageBox(window, options));
    return response === 0;
  };

  const mayQuit = async (): Promise<boolean> => {
    const vault = agreed ? undefined : unsaved();
    if (vault === undefined) return true;
    asking ??= ask(vault).finally(() => (asking = undefined));
    agreed = (await asking) || agreed;
    return agreed;
  };

  const askFirst = (event: { preventDefault(): void }): void => {
    if (agreed || unsaved() === undefined) return;
    event.preventDefault();
    void mayQuit().then((may) => {
      if (may) app.quit();
    });
  };
  const endNow = (): void => {
    agreed = true;
    systemEnds.abort();
    app.quit();
  };

  app.on('before-quit', askFirst);
  powerMonitor.on('shutdown', endNow);
  for (const signal of SIGNALS) process.on(signal, endNow);

  return {
    mayQuit,
    hold(window) {
      // On a Mac the app goes on without a window, and its memory with it.
      if (process.platform !== 'darwin') window.on('close', askFirst);
    },
  };
}
