/** The desktop app's entry. */
import { join } from 'node:path';
import { app, dialog } from 'electron';
import { type Arguments, ArgumentsError, isArguments, parseArguments } from './arguments.ts';
import { profileIn } from './profile.ts';
import { registerScheme } from './protocol.ts';
import { report } from './report.ts';
import { type RunningApp, start } from './start.ts';

app.setName('Tokenkeep');
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
  } catch (error) {
    fail(error);
    return;
  }
  // The second start hands over what it was asked for, and ends.
  if (!app.requestSingleInstanceLock({ ...asked })) {
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

/** Waits for what has an end, but not for ever: a keychain that hangs must not keep the app from quitting. */
function endInGoodOrder(running: Promise<RunningApp>): void {
  let ended = false;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    const atMost = new Promise((resolve) => setTimeout(resolve, 3_000));
    void Promise.race([running.then((here) => here.close()), atMost])
      .catch(report)
      .finally(() => {
        ended = true;
        // Electron is still in the quit that was put off, and deaf to another, until this event is over.
        setImmediate(() => app.quit());
      });
  });
}

/** Before there is a window: a box of the system, and an exit code for whoever started it. */
function fail(error: unknown): void {
  const known = error instanceof ArgumentsError;
  if (!known) report(error);
  const message = known
    ? error.message
    : 'Tokenkeep could not start. Your saved sign-ins are untouched. The terminal that it was started from says more.';
  dialog.showErrorBox('Tokenkeep', message);
  app.exit(1);
}
