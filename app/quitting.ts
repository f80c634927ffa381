/**
 * Quitting while changes are held in memory only. The app asks the user, but does not delay the system: at the end of a
 * session, and on a signal, it quits at once even if a dialog is open.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { app, type BrowserWindow, dialog, powerMonitor } from 'electron';
import type { Vault } from 'tokenkeep';
import { whatWouldBeLost } from './unsaved.ts';

export interface Quitting {
  /** Resolves with whether the app may quit: nothing would be lost, or the user confirmed. Then the quit does not ask again. */
  mayQuit(): Promise<boolean>;
  /** Call it if the app did not quit after all: the next quit asks again. */
  stays(): void;
  /** Asks before the window is closed if that quits the app. */
  hold(window: BrowserWindow): void;
}

export interface QuittingOptions {
  /** Returns the user's own vault while it holds changes in memory only. */
  unsaved: () => Vault | undefined;
  /** Aborted once the vault is locked: a question that was open is closed, and a later one names no account. */
  whileHere: () => AbortSignal;
  /** Returns the dialog's parent window; undefined if all windows are closed. */
  window: () => BrowserWindow | undefined;
  /** Whether the app keeps running when its window is closed. */
  staysWithoutWindow: () => boolean;
  /** Called when a quit was stopped, because the user did not agree. */
  onStay: () => void;
}

/** Signals on which the app must quit without asking. By default, Electron quits normally, which would ask. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export function askBeforeQuitting({
  unsaved,
  whileHere,
  window: parent,
  staysWithoutWindow,
  onStay,
}: QuittingOptions): Quitting {
  const systemEnds = new AbortController();
  let agreed = false;
  let asking: Promise<boolean> | undefined;

  const ask = async (vault: Vault): Promise<boolean> => {
    const here = whileHere();
    const isLocked = here.aborted;
    // The dialog does not wait for a busy vault.
    const accounts = isLocked ? [] : vault.read((cache) => cache.accounts()).catch(() => []);
    const options = {
      type: 'warning' as const,
      ...whatWouldBeLost(vault.status, await Promise.race([accounts, delay(1000, [])])),
      buttons: ['Quit anyway', 'Stay'],
      // Enter and Escape both cancel.
      defaultId: 1,
      cancelId: 1,
      noLink: true,
      signal: isLocked ? systemEnds.signal : AbortSignal.any([systemEnds.signal, here]),
    };
    const window = parent();
    const { response } = await (window === undefined
      ? dialog.showMessageBox(options)
      : dialog.showMessageBox(window, options));
    return response === 0;
  };

  /** Returns the vault whose changes the user has not agreed to lose. */
  const endangered = (): Vault | undefined => {
    const vault = unsaved();
    if (vault === undefined) agreed = false; // what the user agreed to lose was saved; later changes are others
    return agreed || systemEnds.signal.aborted ? undefined : vault;
  };

  const mayQuit = async (): Promise<boolean> => {
    const vault = endangered();
    if (vault === undefined) return true;
    asking ??= ask(vault).finally(() => (asking = undefined));
    agreed = (await asking) || agreed;
    return agreed || systemEnds.signal.aborted;
  };

  const askFirst = (event: { preventDefault(): void }): void => {
    if (endangered() === undefined) return;
    event.preventDefault();
    void mayQuit().then((may) => {
      if (may) app.quit();
      else onStay();
    });
  };
  const endNow = (): void => {
    systemEnds.abort();
    app.quit();
  };

  app.on('before-quit', askFirst);
  powerMonitor.on('shutdown', endNow);
  for (const signal of SIGNALS) process.on(signal, endNow);

  return {
    mayQuit,
    stays: () => void (agreed = false),
    hold(window) {
      // On macOS the app keeps running without a window, with the changes in memory.
      if (process.platform === 'darwin') return;
      window.on('close', (event) => {
        if (!staysWithoutWindow()) askFirst(event);
      });
    },
  };
}
