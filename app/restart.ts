/** Restarts the app once it has exited. */
import { spawn } from 'node:child_process';
import { app } from 'electron';

/** Whether what was installed starts the app: everywhere but on Linux, and there from an AppImage, which is another file by then. */
export const startsItself =
  // eslint-disable-next-line no-restricted-syntax -- set by the AppImage runtime
  process.platform !== 'linux' || process.env['APPIMAGE'] !== undefined;

/**
 * Starts the app anew once it has ended. On Linux in place of `app.relaunch`, which forbids the new process and all that it
 * starts to gain privileges (electron/electron#41463): Chromium's setuid helper could not make a sandbox where there are
 * no user namespaces, and pkexec could not install the next update.
 */
export function startAgain(): void {
  app.once('quit', () => {
    app.releaseSingleInstanceLock();
    spawn(process.execPath, process.argv.slice(1), { detached: true, stdio: 'ignore' }).unref();
  });
}
