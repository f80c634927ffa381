/** From `ready` to a window: who opens what, and what becomes of it at the end. */
import { join } from 'node:path';
import { app, type BrowserWindow, shell, type WebContents } from 'electron';
import { openVault, systemKeychain } from 'tokenkeep';
import { noArguments, serveRequests } from 'tokenkeep/electron';
import type { Arguments } from './arguments.ts';
import type { AppEvents, AppRequests } from './contract.ts';
import { guardKeychain } from './keychain-guard.ts';
import { setMenu } from './menu.ts';
import { ORIGIN } from './origin.ts';
import type { Profile } from './data-folder.ts';
import { servePage } from './protocol.ts';
import { askBeforeQuitting } from './quitting.ts';
import { closedSession, holdPages } from './page-session.ts';
import { serving } from './serving.ts';
import { signInChecks } from './sign-in/arguments.ts';
import { signingIn } from './signing-in.ts';
import { report } from './report.ts';
import { startAgain, startsItself } from './start-again.ts';
import { openUpdater, updates } from './updates.ts';
import { bringToFront, openWindow } from './window.ts';

/** From package.json, put in by the bundler. */
declare const __VERSION__: string;

export interface RunningApp {
  /** What a second start asked for; the first one's window comes to the front. */
  handOver(asked: Arguments): void;
  /** Keys, timers, temporary files: everything that has an end. */
  close(): Promise<void>;
  /** A call of the keychain's native code is under way that nothing can end. */
  readonly stuck: boolean;
}

export function start(asked: Arguments, profile: Profile): RunningApp {
  const development = !app.isPackaged;
  const session = closedSession(development);
  servePage(session, join(__dirname, 'renderer'));
  holdPages();

  /** Not all windows of the process: only those that were opened here are answered. */
  const own = new Set<BrowserWindow>();
  const windows = (): WebContents[] => [...own].map((window) => window.webContents);

  const guard = guardKeychain(systemKeychain(), join(profile.folder, 'keychain-asked'));
  const shown = serving({
    windows,
    openOwn: () =>
      openVault({
        file: profile.vaultFile,
        name: profile.vaultName,
        service: 'Tokenkeep',
        keychain: guard,
        unprotected: 'memory',
      }),
    beforeRetry: () => guard.allow(),
    onUnexpected: report,
  });
  const reload = (): void => {
    // After the answer to the request that asked for it is on its way.
    setImmediate(() => windows().forEach((contents) => contents.reload()));
  };
  const signing = signingIn({
    folder: profile.folder,
    vault: () => shown.vault(),
    ownVault: () => shown.own(),
    tell: {
      signIn: (progress) => requests.emit('signIn', progress),
      care: () => requests.emit('care', null),
      profiles: () => requests.emit('profiles', null),
    },
    onUnexpected: report,
  });
  const showOwn = async (): Promise<void> => {
    await shown.showOwn();
    await signing.start();
  };
  const requests = serveRequests<AppRequests, AppEvents>({
    prefix: 'app',
    origin: ORIGIN,
    windows,
    checks: {
      info: noArguments,
      openDemo: noArguments,
      leaveDemo: noArguments,
      showFile: noArguments,
      update: noArguments,
      downloadUpdate: noArguments,
      installUpdate: noArguments,
      ...signInChecks,
    },
    handlers: {
      ...signing.handlers,
      info: () => ({
        // A packaged app has its own package.json, with the mark of a development build if it is one.
        version: app.isPackaged ? app.getVersion() : __VERSION__,
        electron: process.versions.electron,
        platform: platform(),
        demo: shown.demo,
        keychainCrashed: guard.crashed,
      }),
      openDemo: async () => {
        await shown.showDemo();
        reload();
      },
      leaveDemo: async () => {
        await showOwn();
        reload();
      },
      showFile: async () => shell.showItemInFolder(await shown.file()),
      update: () => newer.status,
      downloadUpdate: () => void newer.download(),
      installUpdate: async () => {
        if (await quitting.mayQuit()) newer.install();
      },
    },
    onUnexpected: report,
  });
  const newer = updates({
    open: () => openUpdater(development ? null : process.resourcesPath),
    onStatus: (status) => requests.emit('update', status),
    startAgain: startsItself ? null : startAgain,
    onUnexpected: report,
  });
  const quitting = askBeforeQuitting({ unsaved: () => shown.unsaved(), window: () => [...own][0] });
  setMenu({ development, run: (command) => requests.emit('command', command) });

  // Beside the window, which appears at once: the keychain may take its time, or wait for an answer.
  (asked.demo ? shown.showDemo() : showOwn()).catch(report);
  const open = (): BrowserWindow => {
    const window = openWindow({
      session,
      preload: join(__dirname, 'preload.cjs'),
      icon: join(__dirname, '../app/resources/icon.png'),
      placeFile: join(profile.folder, 'window.json'),
      devTools: development,
    });
    own.add(window);
    quitting.hold(window);
    window.once('closed', () => own.delete(window));
    return window;
  };
  const first = open();
  const importOnceLoaded = (window: BrowserWindow, file: string | null): void => {
    if (file === null) return;
    const begin = (): void => void shown.planImport(file);
    if (window.webContents.isLoading()) window.webContents.once('did-finish-load', begin);
    else begin();
  };
  importOnceLoaded(first, asked.importFile);
  app.on('activate', () => {
    if (own.size === 0) open(); // macOS: a click on the dock
  });

  return {
    handOver(next) {
      const window = [...own][0] ?? open();
      bringToFront(window);
      importOnceLoaded(window, next.importFile);
    },
    async close() {
      guard.end();
      signing.stop();
      newer.close();
      requests.stop();
      await shown.close();
    },
    get stuck() {
      return guard.asking;
    },
  };
}

function platform(): 'darwin' | 'win32' | 'linux' {
  return process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux';
}
