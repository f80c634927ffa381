/** Restarts the app once it has exited. */
import { spawn } from 'node:child_process';
import { app } from 'electron';
import { argumentsAgain } from './arguments.ts';

/** Whether the installer starts the updated app: not on Linux, except for an AppImage, whose file is a different one by then. */
export const startsItself =
  // eslint-disable-next-line no-restricted-syntax -- set by the AppImage runtime
  process.platform !== 'linux' || process.env['APPIMAGE'] !== undefined;

/**
 * Starts the app again once it has ended. On Linux, this replaces `app.relaunch`, which forbids the new process and all that it starts to
 * gain privileges (electron/electron#41463): Chromium's setuid helper could not make a sandbox where there are no user namespaces, and
 * pkexec could not install the next update.
 */
export function startAgain(): void {
  if (!isWanted) app.once('quit', startSuccessor);
  isWanted = true;
}

let isWanted = false;

/** Starts the successor that `startAgain` was asked for, once. For an end without `quit`; else nothing needs to call it. */
export function startSuccessor(): void {
  if (!isWanted) return;
  isWanted = false;
  app.releaseSingleInstanceLock();
  spawn(process.execPath, argumentsAgain(process.argv.slice(1)), {
    detached: true,
    stdio: 'ignore',
  }).unref();
}
