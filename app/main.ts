/** The desktop app's entry point. */
import { readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { app, type BrowserWindow, dialog, Menu } from 'electron';
import { NativeCodeError } from 'tokenkeep/errors';
import { assertNativeCode, guardNativeCode, type PinnedHashes } from 'tokenkeep/native-code';
import { type Arguments, ArgumentsError, assertAccepted, isArguments, parseArguments } from './arguments.ts';
import type { runCommand } from './command.ts';
import { commandWords, isCommand, startCommand } from './command-line.ts';
import { leaveChildrenOutOfCoreDumps, leaveMemoryOutOfCoreDumps } from './core-dumps.ts';
import { dataFolderAt } from './data-folder.ts';
import { endInGoodOrder } from './ending.ts';
import { isOtherAlive } from './instance-lock.ts';
import { isOpenedAtLogin } from './login-start.ts';
import {
  closedSession,
  holdPages,
  type PageFiles,
  readPageAhead,
  registerScheme,
  restrictPages,
  servePage,
} from './page-session.ts';
import { report, tell } from './report.ts';
import { ownAppImage } from './restart.ts';
import { type RunningApp, startParts } from './start.ts';
import { createWindow, loadPage } from './window.ts';

/** Inserted by the bundler. */
declare const __NATIVE_SHA256__: PinnedHashes;

app.setName('Tokenkeep');
/** `appId` in electron-builder.yml. */
const APP_ID = 'dev.tokenkeep.app';
/** The built window. */
const PAGE_FOLDER = join(__dirname, 'renderer');
/** Also passed to the window, as `startedWithoutLock`. */
const WITHOUT_LOCK =
  'Tokenkeep: the lock that keeps a second start out could not be made: the disk is full, or TMPDIR is missing or can’t be ' +
  'written. Tokenkeep starts without it; your saved sign-ins are unchanged.\n';

main();

function main(): void {
  leaveMemoryOutOfCoreDumps(process.platform); // before a key is in memory
  ownAppImage(); // before anything reads the variable, or passes it on
  const script = app.isPackaged ? [] : process.argv.slice(1, 2);
  const args = process.argv.slice(1 + script.length);
  const words = commandWords(args);
  let asked: Arguments;
  try {
    if (isCommand(args)) {
      process.exit(startCommand(process.execPath, args, script));
      return;
    }
    // Before anything is opened. In development, any switch is accepted.
    if (app.isPackaged)
      assertAccepted({ ...process, args: words === null ? args : [], development: isDevelopmentBuild() });
    guardNativeCode(__NATIVE_SHA256__);
    asked = parseArguments(words === null ? args : [], process.cwd());
    assertNativeCode(__NATIVE_SHA256__, join(__dirname, '../node_modules'));
    if (words !== null) {
      loadCommand()(words);
      return;
    }
  } catch (error) {
    fail(error, words !== null || isCommand(args));
    return;
  }
  reportUnhandled();
  app.enableSandbox(); // for every renderer, whatever its window's options. Electron security checklist item 4
  restrictPages();
  registerScheme();
  const usualFolder = join(app.getPath('appData'), 'Tokenkeep');
  if (!app.commandLine.hasSwitch('user-data-dir')) app.setPath('userData', usualFolder);

  // A second start hands over its arguments and ends, if the first one is alive. The lock also fails if nothing can be written or TMPDIR is
  // missing: then the app starts all the same and says so.
  const locked = app.requestSingleInstanceLock({ ...asked });
  if (!locked && isFirstAlive()) {
    app.exit(0);
    return;
  }

  if (!locked) tell(WITHOUT_LOCK);

  // Windows shows notices only under the ID of the app's shortcut, which the installer takes from electron-builder's `appId`.
  if (process.platform === 'win32')
    app.setAppUserModelId(isDevelopmentBuild() ? `${APP_ID}.development` : APP_ID);

  Menu.setApplicationMenu(null); // otherwise Electron would create its own, only to be replaced
  const page = readPageAhead(PAGE_FOLDER);
  const running = app
    .whenReady()
    .then(() => start(asked, { usualFolder, locked, page }))
    .catch((error: unknown) => {
      fail(error);
      return new Promise<never>(() => undefined); // The process ends. Node would print the error of a rejection, text and all.
    });
  app.on('second-instance', (_event, _argv, _folder, handedOver) => {
    if (isArguments(handedOver)) void running.then((here) => here.handOver(handedOver));
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.once('did-finish-load', () => leaveChildrenOutOfCoreDumps(process.platform));
  });
  app.on('window-all-closed', () => {
    if (process.platform === 'darwin') return;
    void running.then(({ inBackground }) => {
      if (!inBackground) app.quit();
    });
  });
  endInGoodOrder(running);
}

/** Opens the window, and starts the rest of the app while Chromium starts the process of its page. */
async function start(
  asked: Arguments,
  { usualFolder, locked, page }: { usualFolder: string; locked: boolean; page: PageFiles },
): Promise<RunningApp> {
  const data = dataFolderAt(app.getPath('userData'), usualFolder);
  const development = !app.isPackaged;
  const { session, closed } = closedSession(development);
  servePage(session, PAGE_FOLDER, { ahead: page });
  holdPages();
  const create = (): BrowserWindow =>
    createWindow({
      session,
      preload: join(__dirname, 'preload.cjs'),
      icon: join(__dirname, '../app/resources/icon.png'),
      placeFile: join(data.folder, 'window.json'),
      devTools: development,
    });
  const background = asked.background || isOpenedAtLogin(process.platform, app);
  const window = background ? null : create();
  await closed;
  const first = window?.isDestroyed() === false ? window : null; // the app may have been asked to quit
  if (first !== null) loadPage(first);
  try {
    return startParts({ ...asked, background }, data, { locked, first, create });
  } catch (error) {
    first?.destroy(); // No request of its page would be answered while the error is shown.
    throw error;
  }
}

/** Whether this is a test build, as marked in its version; see electron-builder.dev.yml. */
function isDevelopmentBuild(): boolean {
  return app.getVersion().endsWith('-development');
}

function isFirstAlive(): boolean {
  if (process.platform === 'win32') return true; // on Windows the lock is a system object that is released when its holder ends
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

/** The command has a bundle of its own, which the app does not read at its start. */
function loadCommand(): typeof runCommand {
  const bundle = createRequire(__filename)('./command.cjs') as { runCommand: typeof runCommand };
  return bundle.runCommand;
}

/** Node prints the text of an error that nothing handles, and Electron shows it in a dialog. It may quote a token. */
function reportUnhandled(): void {
  process.on('unhandledRejection', report);
  let isShown = false;
  process.on('uncaughtException', (error) => {
    report(error);
    if (isShown) return;
    isShown = true;
    dialog.showErrorBox(
      'Tokenkeep',
      'An unexpected error occurred. Your saved sign-ins are unchanged. If Tokenkeep does not respond, quit it and start it again. The terminal that it was started from shows more.',
    );
  });
}

/** Reports a failure before there is a window, in a system dialog or on the terminal, and sets the exit code. */
function fail(error: unknown, onTerminal = false): void {
  const known = error instanceof ArgumentsError || error instanceof NativeCodeError;
  if (!known) report(error);
  const message = known
    ? error.message
    : 'Tokenkeep could not start. Your saved sign-ins are unchanged. The terminal that it was started from shows more.';
  if (onTerminal) tell(`tokenkeep: ${message}\n`);
  else dialog.showErrorBox('Tokenkeep', message);
  app.exit(1);
}
