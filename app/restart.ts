/** Restarts the app once it has exited. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { app } from 'electron';
import { argumentsAgain } from './arguments.ts';

/**
 * Returns the file of the AppImage that this app runs from; null if it runs from none. A program that is an AppImage itself, such as an editor
 * with a terminal, passes its own file on to what it starts: the variable is then deleted, because the updater would replace that file.
 *
 * @param executable absolute path of the app's executable, which the AppImage runtime has mounted below APPDIR
 */
export function ownAppImage(
  // eslint-disable-next-line no-restricted-syntax -- set by the AppImage runtime
  env: NodeJS.ProcessEnv = process.env,
  executable: string = process.execPath,
): string | null {
  const { APPIMAGE, APPDIR } = env;
  if (APPIMAGE !== undefined && APPDIR !== undefined && APPDIR !== '' && isBelow(executable, APPDIR))
    return APPIMAGE;
  delete env['APPIMAGE'];
  return null;
}

function isBelow(file: string, folder: string): boolean {
  try {
    return realpathSync(file).startsWith(join(realpathSync(folder), sep));
  } catch {
    return false;
  }
}

/** Whether the installer starts the updated app: not on Linux, except for an AppImage, whose file is a different one by then. */
export const startsItself = (): boolean => process.platform !== 'linux' || ownAppImage() !== null;

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
