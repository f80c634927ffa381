/** When a copied token has to go before its time: the screen is locked, or the app ends. */
import { app, powerMonitor } from 'electron';
import type { Copied } from '../ipc/copied.ts';

/** Returns the function that ends it. Linux tells no app that its screen is locked; there the 30 seconds stand. */
export function keepOffTheClipboard(copied: Copied): () => void {
  const clear = (): void => void copied.clear().catch(() => undefined);
  // The clipboard is asynchronous since Electron 44: the app is held until it is done, then asked to end again.
  const clearFirst = (event: { preventDefault(): void }): void => {
    if (!copied.holding) return;
    event.preventDefault();
    void copied
      .clear()
      .catch(() => undefined)
      .finally(() => setImmediate(() => app.quit())); // not in the event itself, where Electron is deaf to it
  };
  powerMonitor.on('lock-screen', clear);
  app.on('will-quit', clearFirst);
  return () => {
    powerMonitor.off('lock-screen', clear);
    app.off('will-quit', clearFirst);
  };
}
