/** The desktop app's entry. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { app, dialog } from 'electron';
import { type Arguments, ArgumentsError, isArguments, parseArguments } from './arguments.ts';
import { assertInstalled, guardNativeCode, NativeCodeError, type PinnedHashes } from './native-code.ts';
import { profileIn } from './data-folder.ts';
import { registerScheme } from './protocol.ts';
import { report } from './report.ts';
import { type RunningApp, start } from './start.ts';

/** Put in by the bundler. */
declare const __NATIVE_SHA256__: PinnedHashes;

app.setName('Tokenkeep');
guardNativeCode(__NATIVE_SHA256__);
app.enableSandbox(); // for every renderer, whatever its window says. Electron security checklist item 4
registerScheme();

const usualFolder = join(app.getPath('appData'), 'Tokenkeep');
if (!app.commandLine.hasSwitch('user-data-dir')) app.setPath('userData', usualFolder);

main();

function main(): void {
  let asked: Arguments;
  try {
    // In development the script's own path comes first.
    asked = parseArguments(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd());
    const modules = join(__dirname, '../node_modules');
    assertInstalled(__NATIVE_SHA256__, modules, `${process.platform}-${process.arch}`);
  } catch (error) {
    fail(error);
    return;
  }
  // The second start hands over what it was asked for, and ends.
  if (!app.requestSingleInstanceLock({ ...asked }) && isWritable(app.getPath('userData'))) {
    app.exit(0);
    return;
  }

  const running = app.whenReady().then(() => start(asked, profileIn(app.getPath('userData'), usualFolder)));
  running.catch(fail);
  app.on('second-instance', (_event, _argv, _folder, handedOver) => {
    if (isArguments(handedOver)) void running.then((here) => here.handOver(handedOver));
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  endInGoodOrder(running);
}

/**
 * Where the profile's folder can't be written, nobody can have the lock, and what is there must still be shown. A
 * folder that is not there yet is one that could not be made.
 */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Waits for what has an end, but not for ever: a keychain that hangs must not keep the app from quitting. */
function endInGoodOrder(running: Promise<RunningApp>): void {
  let ended = false;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    void Promise.race([running.then(end), delay(3_000, true)]).then((stuck) => {
      ended = true;
      // Node waits for native calls before it ends, for minutes if need be: invisible, and still the first instance.
      // All that was acknowledged is on the disk.
      if (stuck) process.kill(process.pid, 'SIGKILL');
      // Electron is still in the quit that was put off, and deaf to another, until this event is over.
      setImmediate(() => app.quit());
    });
  });
}

/** Whether something is left that can't be ended. */
async function end(here: RunningApp): Promise<boolean> {
  const { stuck } = here;
  await here.close().catch(report);
  return stuck && here.stuck;
}

/** Before there is a window: a box of the system, and an exit code for whoever started it. */
function fail(error: unknown): void {
  const known = error instanceof ArgumentsError || error instanceof NativeCodeError;
  if (!known) report(error);
  const message = known
    ? error.message
    : 'Tokenkeep could not start. Your saved sign-ins are untouched. The terminal that it was started from says more.';
  dialog.showErrorBox('Tokenkeep', message);
  app.exit(1);
}
