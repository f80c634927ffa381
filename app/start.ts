/** Starts the app after `ready`: creates its parts, connects them, and closes them at the end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  net,
  powerMonitor,
  shell,
  systemPreferences,
  type WebContents,
} from 'electron';
import { statSync } from 'original-fs';
import { InvalidArgumentError, openVault, systemKeychain } from 'tokenkeep';
import {
  confirm,
  type Handlers,
  noArguments,
  noteGesture,
  type PlaceCache,
  serveRequests,
  useGesture,
} from 'tokenkeep/electron';
import { type Question, tokenText } from 'tokenkeep/ipc';
import type { ReadOptions } from 'tokenkeep/sources';
import { about as aboutApp } from './about.ts';
import type { Arguments } from './arguments.ts';
import { AwayError, awayLock } from './away-lock.ts';
import { type BackgroundAction, failedCopy } from './background.ts';
import {
  type AppEvents,
  type AppRequests,
  type MenuCommand,
  type Settings,
  TIMES_SHOWN,
  type TimesShown,
} from './contract.ts';
import type { DataFolder } from './data-folder.ts';
import { closeInOrder, type Ending } from './ending.ts';
import { guardKeychain } from './keychain-guard.ts';
import { watchLeaving } from './leaving.ts';
import { desktopLoginStart, type LoginStart, systemLoginStart } from './login-start.ts';
import { setMenu, showMenuState } from './menu.ts';
import { menuBar } from './menu-bar.ts';
import { ORIGIN } from './page-file.ts';
import { openProgram } from './program-link.ts';
import { askBeforeQuitting } from './quitting.ts';
import { report } from './report.ts';
import { ownAppImage, startAgain, startsItself } from './restart.ts';
import { LIST, RECEIPT, saveText } from './save-text.ts';
import { serving } from './serving.ts';
import { settingsAt } from './settings.ts';
import { menuStateCheck, signInChecks } from './sign-in/arguments.ts';
import { signingIn } from './signing-in.ts';
import { sourceChecks } from './sources/arguments.ts';
import { openSources } from './sources/open-sources.ts';
import { sourceSignOuts } from './sources/source-sign-out.ts';
import { openTray, showNotice } from './tray.ts';
import { isFromDeb, openUpdater, signedUpdates, updateFeed, updates } from './updates.ts';
import { bringToFront, loadPage } from './window.ts';

/** From package.json, inserted by the bundler. */
declare const __VERSION__: string;
/** `TOKENKEEP_CLIENT_ID` when the app was built; "" if it was not set. */
declare const __CLIENT_ID__: string;
/** The commit that the app was built from; "" if it is not known. */
declare const __COMMIT__: string;

export interface StartOptions {
  /** Whether this process holds the single-instance lock. */
  locked: boolean;
  /** The window whose page is being loaded; null if none was opened yet. */
  first: BrowserWindow | null;
  /** Creates a window, without its page. */
  create: () => BrowserWindow;
}

/**
 * Milliseconds until auto-refresh reads every account and pending sign-outs of an earlier run resume. The first list is drawn before that.
 */
const SOON = 2_000;

/** Characters of a saved list; 10,000 accounts have about 2 million. */
const MOST_LIST = 20_000_000;

export interface RunningApp extends Ending {
  /** Handles the arguments of a second instance and brings the window to the front. */
  handOver(asked: Arguments): void;
  /** Whether the app stays when its window is closed: it has an item in the menu bar. */
  readonly inBackground: boolean;
}

export function startParts(
  asked: Arguments,
  data: DataFolder,
  { locked, first, create }: StartOptions,
): RunningApp {
  const development = !app.isPackaged;
  /** The windows opened here. Only they are served, not all windows of the process. */
  const own = new Set<BrowserWindow>();
  const windows = (): BrowserWindow[] => [...own];

  const login = loginStart();
  const guard = guardKeychain(systemKeychain(), join(data.folder, 'keychain-asked'));
  /** How the errors of every request are handled. */
  const failures = {
    onUnexpected: report,
    explain: (error: unknown): unknown => newer.explain(error),
  };
  const shown = serving({
    windows,
    openOwn: () =>
      openVault({
        file: data.vaultFile,
        name: data.vaultName,
        service: 'Tokenkeep',
        keychain: guard,
        unprotected: 'memory',
      }),
    places: () => places(),
    beforeRetry: () => guard.allow(),
    afterForget() {
      try {
        login.set(false);
      } catch (error) {
        report(error); // the vault is deleted all the same, and the setting still shows that the app starts at login
      }
    },
    alsoForgets: () => (login.isOn() ? 'Tokenkeep will no longer start when you log in.' : null),
    asksRarely: () => settings.wants().asksRarely,
    ...failures,
  });
  /** Resolves with null if the user left before answering: that is no refusal. */
  const askHere = async (
    caller: WebContents,
    question: Question,
    options: { follows?: boolean; signal?: AbortSignal } = {},
  ): Promise<boolean | null> => {
    const signal = away.whileHere(options.signal);
    const isOver = (): boolean => signal.aborted;
    if (isOver()) return null;
    const agreed = await confirm(caller, question, { ...options, signal });
    return !agreed && isOver() ? null : agreed;
  };
  const reload = (): void => {
    // After the response to the request has been sent.
    setImmediate(() => windows().forEach((window) => window.webContents.reload()));
  };
  // The keys of vaults that are added as files are requested through the same guard.
  const reading: ReadOptions = {
    secrets: { vault: (file) => openVault({ file, service: 'Tokenkeep', keychain: guard }) },
  };
  const sources = openSources<WebContents>({
    // eslint-disable-next-line no-restricted-syntax -- variables such as AZURE_CONFIG_DIR move the folders of programs
    computer: { env: process.env },
    reading,
    useGesture,
    confirm: askHere,
    chooseFile: (caller) => away.ifHere(chooseCache(caller)),
    ownVault: data.vaultFile,
    planImport: (file) => shown.planImport(file),
    showFile: (file) => shell.showItemInFolder(file),
    openProgram,
    now: () => Math.floor(Date.now() / 1000),
    onChange() {
      requests.emit('sources', null);
      shown.placesChanged();
    },
  });
  /** The opened caches that the window shows beside its vault: none beside the demo's. */
  const places = (): PlaceCache[] =>
    sources
      .opened()
      .flatMap(({ id, name, reading: { cache } }) => (cache === null ? [] : [{ id, name, cache }]));
  const papers = app.isPackaged ? process.resourcesPath : join(__dirname, '..');
  const about = aboutApp({
    packaged: app.isPackaged,
    commit: __COMMIT__,
    appFolder: app.getAppPath(),
    licenses: [
      join(papers, app.isPackaged ? '' : 'dist', 'THIRD-PARTY-NOTICES.txt'),
      join(papers, 'LICENSE'),
    ],
    openInBrowser: (url) => shell.openExternal(url),
    showFile: (file) => shell.showItemInFolder(file),
  });
  const settings = settingsAt(data.folder, {
    now: () => Date.now(),
    loginStart: login,
    feed: () => feed,
    onUnexpected: report,
  });
  const signing = signingIn(
    {
      sources: sourceSignOuts(sources, reading),
      registration: __CLIENT_ID__,
      tokenText: async (id) => (await shown.vault()).read((cache) => tokenText(cache, places(), id)),
      folder: data.folder,
      vault: () => shown.vault(),
      ownVault: () => shown.own(),
      isDemo: () => shown.demo,
      confirm: askHere,
      emit: {
        signIn(progress) {
          requests.emit('signIn', progress);
          // The browser covers the window, so the user would not see that the sign-in is complete.
          const [window] = own;
          if (window !== undefined && (progress.step === 'done' || progress.step === 'failed'))
            bringToFront(window);
        },
        refreshStatus: () => requests.emit('refreshStatus', null),
        profiles: () => requests.emit('profiles', null),
        signOuts: () => requests.emit('signOuts', null),
      },
      ...failures,
      onUnexpected: reportUnlessAway,
    },
    (url, init) => settings.contacted(url, init),
  );
  let soon: NodeJS.Timeout | undefined;
  const showOwn = async (): Promise<void> => {
    await shown.showOwn();
    background.lookSoon();
    clearTimeout(soon);
    soon = setTimeout(() => void signing.start().catch(reportUnlessAway), SOON);
  };
  /** No work is waited for any more. */
  let endWaits = (): void => undefined;
  const waitsEnded = new Promise<void>((resolve) => (endWaits = resolve));
  const away = awayLock({
    isWanted: () => settings.wants().closeWhenAway,
    async close() {
      signing.pause();
      // A sign-out or a refresh that the user asked for is finished, and what it got is stored.
      const ended = Promise.race([signing.idle(), waitsEnded]);
      const closing = shown.lock(new AwayError(), ended);
      // A click from before the lock must not count as a click on Unlock.
      for (const window of windows()) dropGesture(window.webContents);
      reload();
      clearTimeout(soon);
      await Promise.all([background.look(), closing, ended.then(() => sources.close())]);
    },
    authenticate: askSystem,
    async open() {
      await showOwn();
      reload();
    },
  });
  const requests = serveRequests<AppRequests, AppEvents>({
    prefix: 'app',
    origin: ORIGIN,
    windows,
    checks: {
      info: noArguments,
      openDemo: noArguments,
      leaveDemo: noArguments,
      showFile: noArguments,
      menuState: menuStateCheck,
      update: noArguments,
      downloadUpdate: noArguments,
      installUpdate: noArguments,
      ...signInChecks,
      ...sourceChecks,
      settings: noArguments,
      setTimes: timesShown,
      setCloseWhenAway: onOrOff,
      setMenuBar: onOrOff,
      setNotify: onOrOff,
      setStartAtLogin: onOrOff,
      setUpdates: onOrOff,
      setAsksRarely: onOrOff,
      saveList: listText,
      saveReceipt: listText,
      openHomepage: noArguments,
      showLicenses: noArguments,
      unlock: noArguments,
    },
    handlers: away.guard<Handlers<AppRequests, WebContents>>(
      {
        ...signing.handlers,
        ...sources.handlers,
        settings: () => settings.read(),
        setTimes: (_caller, times) => settings.setTimes(times),
        setCloseWhenAway(caller, on) {
          if (!on) useGesture(caller); // no script turns it off
          return settings.setCloseWhenAway(on);
        },
        setMenuBar: (_caller, menuBar) => changeBackground({ menuBar }),
        setNotify: (_caller, notify) => changeBackground({ notify }),
        setStartAtLogin(caller, on) {
          useGesture(caller);
          return settings.setStartAtLogin(on);
        },
        setUpdates(caller, on) {
          useGesture(caller); // no script turns it off
          const changed = settings.setUpdates(on);
          newer.ask();
          return changed;
        },
        async setAsksRarely(caller, on) {
          if (on && !(await askHere(caller, ASK_RARELY))) return settings.read();
          return settings.setAsksRarely(on);
        },
        saveList: (caller, text) => saveText(caller, text, LIST, away),
        saveReceipt: (caller, text) => saveText(caller, text, RECEIPT, away),
        openHomepage(caller) {
          useGesture(caller);
          return about.openHomepage();
        },
        showLicenses(caller) {
          useGesture(caller);
          about.showLicenses();
        },
        unlock(caller) {
          useGesture(caller);
          return away.unlock();
        },
        info: () => ({
          // A packaged app has a package.json of its own, which marks a development build.
          version: app.isPackaged ? app.getVersion() : __VERSION__,
          electron: process.versions.electron,
          build: about.build,
          homepage: about.homepage,
          platform: platform(),
          demo: shown.demo,
          keychainCrashed: guard.crashed,
          startedWithoutLock: !locked,
          locked: away.locked,
        }),
        openDemo: async () => {
          await shown.showDemo();
          background.lookSoon();
          reload();
        },
        leaveDemo: async () => {
          await showOwn();
          reload();
        },
        menuState: (_caller, state) => showMenuState({ ...state, signIn: !shown.demo }),
        async showFile(caller) {
          useGesture(caller);
          shell.showItemInFolder(await shown.file());
        },
        update: () => newer.status,
        downloadUpdate(caller) {
          useGesture(caller);
          void newer.download();
        },
        async installUpdate(caller) {
          useGesture(caller);
          if ((await quitting.mayQuit()) && !(await newer.install())) quitting.stays();
        },
      },
      ['info', 'unlock', 'menuState', 'update', 'downloadUpdate', 'installUpdate'],
    ),
    ...failures,
  });
  const installed = {
    resources: development ? null : process.resourcesPath,
    updatesKey: development ? null : updatesKeyIn(app.getAppPath()),
    platform: process.platform,
    appImage: ownAppImage() !== null,
    deb: () => isFromDeb(process.execPath),
  };
  /** The URL that is asked for updates; null also until it is known. */
  let feed: string | null = null;
  const feedKnown = updateFeed(installed).then((url) => void (feed = url));
  feedKnown.catch(report);
  const newer = updates({
    isWanted: () => settings.wants().updates,
    open: () => feedKnown.then(() => (feed === null ? null : openUpdater(installed))),
    onRequest() {
      if (feed !== null) settings.contacted(feed, {}, 'Updates');
    },
    verify: signedUpdates(installed, (url, signal) =>
      net.fetch(url, { credentials: 'omit', cache: 'no-store', signal }),
    ),
    onStatus(status) {
      if (status.state === 'refused') quitting.stays();
      requests.emit('update', status);
    },
    startAgain: startsItself() ? null : startAgain,
    restart() {
      startAgain();
      app.quit();
    },
    installed: () => identityOf(join(process.resourcesPath, 'app.asar')), // in development, there is none
    onUnexpected: report,
  });
  const quitting = askBeforeQuitting({
    unsaved: () => shown.unsaved(),
    whileHere: () => away.whileHere(),
    window: () => [...own][0],
    staysWithoutWindow: () => background.isShown,
    onStay: () => newer.stays(),
  });
  const run = (command: MenuCommand): void => {
    // The window does not see the menu click, so it is recorded as a user gesture here.
    const window = BrowserWindow.getFocusedWindow() ?? [...own][0];
    if (window !== undefined && own.has(window)) noteGesture(window.webContents);
    requests.emit('command', command);
  };
  /** Brings the window to the front, or opens one, and runs `call` once its page is loaded. */
  const inWindow = (call: (window: BrowserWindow) => void): void => {
    const window = [...own][0] ?? open();
    bringToFront(window);
    if (window.webContents.isLoading()) window.webContents.once('did-finish-load', () => call(window));
    else call(window);
  };
  const runInBackground = (action: BackgroundAction): void => {
    switch (action.do) {
      case 'copy':
        shown.copyChosen(action.tokenId).catch((error: unknown) => {
          const notice = failedCopy(error, failures);
          if (notice !== null) showNotice(notice, runInBackground);
        });
        break;
      case 'hide-tokens':
        requests.emit('lock', null);
        void shown.clearClipboard().catch(() => undefined);
        break;
      case 'quit':
        app.quit();
        break;
      case 'show':
        inWindow(() => undefined);
        break;
      case 'settings':
        inWindow(() => run('settings'));
        break;
      default:
        inWindow((window) => {
          noteGesture(window.webContents);
          requests.emit('forAccount', { accountId: action.accountId, action: action.do });
        });
    }
  };
  const background = menuBar({
    open: () => openTray(join(__dirname, '../app/resources/icon.png'), runInBackground),
    tell: (notice) => showNotice(notice, runInBackground),
    vault: () => shown.own(),
    // Sample accounts need neither a menu bar item nor notices.
    wanted: () => (shown.demo ? { menuBar: false, notify: false } : settings.wants()),
    isLocked: () => away.locked,
    isRenewed: (accountId, end) => signing.isRenewed(accountId, end),
    onUnexpected: reportUnlessAway,
  });
  const changeBackground = async (changes: { menuBar?: boolean; notify?: boolean }): Promise<Settings> => {
    const changed = settings.setBackground(changes);
    await background.look();
    return changed;
  };
  setMenu({ development, run });
  app.on('browser-window-focus', () => newer.look());
  /** Hides revealed tokens, clears a copied one from the clipboard, and closes the vault if the user wants that. */
  const hide = (): void => {
    requests.emit('lock', null);
    void shown.clearClipboard().catch(() => undefined);
    void away.leave().catch(report);
  };
  const endLooks = watchLeaving(powerMonitor, hide);

  const serve = (window: BrowserWindow): BrowserWindow => {
    own.add(window);
    quitting.hold(window);
    window.once('closed', () => own.delete(window));
    return window;
  };
  const open = (): BrowserWindow => {
    const window = serve(create());
    loadPage(window);
    return window;
  };
  if (first !== null) serve(first);
  else if (asked.background && !settings.wants().menuBar) open();
  // The keychain may be slow or prompt; the window does not wait for it.
  setImmediate(() => {
    (asked.demo ? shown.showDemo() : showOwn()).catch(report);
  });
  /** The file that is imported once its window is loaded. Of many second starts, the last one counts. */
  let waiting: { file: string; window: BrowserWindow } | null = null;
  const importOnceLoaded = (window: BrowserWindow, file: string | null): void => {
    if (file === null || away.locked) return;
    // A window that was closed while it was loaded takes no file with it.
    const isListening = waiting?.window === window;
    waiting = { file, window };
    const begin = (): void => {
      if (waiting?.window !== window) return;
      void shown.planImport(waiting.file);
      waiting = null;
    };
    if (!window.webContents.isLoading()) begin();
    else if (!isListening) window.webContents.once('did-finish-load', begin);
  };
  for (const window of own) importOnceLoaded(window, asked.importFile);
  app.on('activate', () => {
    if (own.size === 0) open(); // macOS: a click on the Dock icon
  });

  return {
    handOver(next) {
      newer.look(); // the app may have been updated before it was started again
      if (next.background) return;
      const window = [...own][0] ?? open();
      bringToFront(window);
      importOnceLoaded(window, next.importFile);
    },
    close: () =>
      closeInOrder({
        before: [
          endLooks,
          () => clearTimeout(soon),
          () => background.stop(),
          () => guard.end(),
          () => signing.stop(),
        ],
        // A sign-out may be notifying a provider or changing another program's cache; unfinished work is recorded.
        idle: () => signing.idle(),
        after: [
          endWaits, // a lock in progress waits for the work, too
          () => sources.stop(),
          () => newer.close(),
          () => requests.stop(),
          () => shown.close(),
        ],
      }),
    get inBackground() {
      return background.isShown;
    },
    get stuck() {
      return guard.asking;
    },
  };
}

function onOrOff(args: readonly unknown[]): [boolean] {
  const [on] = args;
  if (args.length === 1 && typeof on === 'boolean') return [on];
  throw new InvalidArgumentError('This setting must be on or off. Nothing was changed.');
}

/** The question before access tokens are copied with fewer questions. */
const ASK_RARELY: Question = {
  message: 'Ask at most every five minutes before copying?',
  detail:
    'Once you agree, access tokens are copied without another question for five minutes, or until the window loses the focus or the screen is ' +
    'locked. Each copy still needs a click. Tokenkeep always asks before it copies a refresh or ID token.',
  yes: 'Ask less',
};

function timesShown(args: readonly unknown[]): [TimesShown] {
  const [times] = args;
  const known = TIMES_SHOWN.find((each) => each === times);
  if (args.length === 1 && known !== undefined) return [known];
  throw new InvalidArgumentError('Times can be shown as local, utc or both. Nothing was changed.');
}

/** The entry with which the system starts this app at login. */
function loginStart(): LoginStart {
  if (process.platform !== 'linux') return systemLoginStart(process.platform, app);
  const autostart = join(app.getPath('appData'), 'autostart');
  const executable = ownAppImage() ?? process.execPath; // an AppImage's executable is in a mount that changes
  const script = app.isPackaged ? [] : [join(__dirname, 'main.cjs')];
  return desktopLoginStart(join(autostart, 'tokenkeep.desktop'), [executable, ...script]);
}

function listText(args: readonly unknown[]): [string] {
  const [text] = args;
  if (args.length === 1 && typeof text === 'string' && text.length <= MOST_LIST) return [text];
  throw new InvalidArgumentError('The list is not text, or it is too long. Nothing was saved.');
}

function dropGesture(contents: WebContents): void {
  try {
    useGesture(contents);
  } catch {
    // There was no gesture.
  }
}

function reportUnlessAway(error: unknown): void {
  if (!(error instanceof AwayError)) report(error);
}

/** Asks the system to authenticate the user where Electron offers that (Touch ID). Elsewhere, the click on Unlock is enough. */
async function askSystem(): Promise<boolean> {
  if (process.platform !== 'darwin' || !systemPreferences.canPromptTouchID()) return true;
  return systemPreferences.promptTouchID('show your sign-ins').then(
    () => true,
    () => false,
  );
}

/** Asks the user for the cache file of another program. Hidden files are shown, because most caches are in hidden folders. */
async function chooseCache(caller: WebContents): Promise<string | null> {
  useGesture(caller);
  const window = BrowserWindow.fromWebContents(caller);
  const options = {
    title: 'Open a token cache or a vault',
    buttonLabel: 'Open',
    properties: ['openFile' as const, 'showHiddenFiles' as const],
  };
  const { canceled, filePaths } = await (window === null
    ? dialog.showOpenDialog(options)
    : dialog.showOpenDialog(window, options));
  return canceled ? null : (filePaths[0] ?? null);
}

/** Returns a text that changes when the file is replaced; null if the file does not exist. */
function identityOf(file: string): string | null {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return [ino, size, mtimeMs].join(' ');
  } catch {
    return null;
  }
}

/** Returns the key that updates for Linux are signed with: from the package.json inside the asar. */
function updatesKeyIn(appPath: string): string | null {
  const manifest: unknown = JSON.parse(readFileSync(join(appPath, 'package.json'), 'utf8'));
  const key: unknown = Reflect.get(Object(manifest), 'updatesKey');
  return typeof key === 'string' ? key : null;
}

function platform(): 'darwin' | 'win32' | 'linux' {
  return process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux';
}
