/** The desktop app's entry. */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { app, dialog } from 'electron';
import { NativeCodeError } from 'tokenkeep/errors';
import { assertNativeCode, guardNativeCode, type PinnedHashes } from 'tokenkeep/native-code';
import { type Arguments, ArgumentsError, assertAccepted, isArguments, parseArguments } from './arguments.ts';
import { leaveMemoryOutOfCoreDumps } from './core-dumps.ts';
import { dataFolderAt } from './data-folder.ts';
import { isOtherAlive } from './instance-lock.ts';
import { readPageAhead, registerScheme, restrictPages } from './page-session.ts';
import { report, tell } from './report.ts';
import { PAGE_FOLDER, type RunningApp, start } from './start.ts';

/** Inserted by the bundler. */
declare const __NATIVE_SHA256__: PinnedHashes;

app.setName('Tokenkeep');
/** Also passed to the window, as `startedWithoutLock`. */
const WITHOUT_LOCK =
  'Tokenkeep: the lock that keeps a second start out could not be made: the disk is full, or TMPDIR is missing or can’t be ' +
  'written. Tokenkeep starts without it; your saved sign-ins are unchanged.\n';

main();

function main(): void {
  leaveMemoryOutOfCoreDumps(process.platform); // before there is a key in it
  let asked: Arguments;
  try {
    // Before anything is opened. In development, any switch is accepted.
    if (app.isPackaged)
      assertAccepted({ ...process, args: process.argv.slice(1), development: isDevelopmentBuild() });
    guardNativeCode(__NATIVE_SHA256__);
    // In development the script's own path comes first.
    asked = parseArguments(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd());
    const modules = join(__dirname, '../node_modules');
    assertNativeCode(__NATIVE_SHA256__, modules);
  } catch (error) {
    fail(error);
    return;
  }
  app.enableSandbox(); // for every renderer, whatever its window's options. Electron security checklist item 4
  restrictPages();
  registerScheme();
  const usualFolder = join(app.getPath('appData'), 'Tokenkeep');
  if (!app.commandLine.hasSwitch('user-data-dir')) app.setPath('userData', usualFolder);

  // A second start hands over its arguments and ends, if the first one is alive. The lock fails as well where nothing can
  // be written or TMPDIR is missing: then the app has to start all the same, and says so.
  const locked = app.requestSingleInstanceLock({ ...asked });
  if (!locked && isFirstAlive()) {
    app.exit(0);
    return;
  }

  if (!locked) tell(WITHOUT_LOCK);

  const page = readPageAhead(PAGE_FOLDER);
  const running = app
    .whenReady()
    .then(() => start(asked, dataFolderAt(app.getPath('userData'), usualFolder), { locked, page }));
  running.catch(fail);
  app.on('second-instance', (_event, _argv, _folder, handedOver) => {
    if (isArguments(handedOver)) void running.then((here) => here.handOver(handedOver));
  });
  app.on('window-all-closed', () => {
    if (process.platform === 'darwin') return;
    void running.then(({ inBackground }) => {
      if (!inBackground) app.quit();
    });
  });
  endInGoodOrder(running);
}

/** Whether this is a test build, as marked in its version; see electron-builder.dev.yml. */
function isDevelopmentBuild(): boolean {
  return app.getVersion().endsWith('-development');
}

function isFirstAlive(): boolean {
  if (process.platform === 'win32') return true; // on Windows the lock is a system object that ends with its holder
  return isOtherAlive({
    link: () => readlinkSync(join(app.getPath('userData'), 'SingletonLock')),
    executable: (pid) => readlinkSync(`/proc/${pid}/exe`),
    platform: process.platform,
    host: hostname(),
    pid: process.pid,
    isRunning(pid) {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'EPERM';
      }
    },
  });
}

/** Waits for running work to end, up to a limit, so that a hanging keychain does not keep the app from quitting. */
function endInGoodOrder(running: Promise<RunningApp>): void {
  let ended = false;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    void Promise.race([running.then(end), delay(LONGEST_END, true)]).then((stuck) => {
      ended = true;
      // Node waits for native calls before it ends, for minutes if need be: invisible, and still the first instance.
      // Every acknowledged change is on disk.
      if (stuck) process.kill(process.pid, 'SIGKILL');
      // Electron is still handling the prevented quit and ignores another until this event ends.
      setImmediate(() => app.quit());
    });
  });
}

/** Milliseconds that a sign-out may take to notify the provider. The rest is recorded and done at the next start. */
const LONGEST_END = 5_000;

/** Resolves with whether something is still running that can't be stopped. */
async function end(here: RunningApp): Promise<boolean> {
  const { stuck } = here;
  await here.close().catch(report);
  return stuck && here.stuck;
}

/** Reports a failure before there is a window: shows a system dialog and sets the exit code. */
function fail(error: unknown): void {
  const known = error instanceof ArgumentsError || error instanceof NativeCodeError;
  if (!known) report(error);
  const message = known
    ? error.message
    : 'Tokenkeep could not start. Your saved sign-ins are unchanged. The terminal that it was started from shows more.';
  dialog.showErrorBox('Tokenkeep', message);
  app.exit(1);
}
