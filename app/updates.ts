/**
 * Checks for updates at the source configured in the build, if any. The user decides: nothing is
 * downloaded, installed or restarted automatically. Updates installed by other means are detected as well.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppUpdater, CancellationToken } from 'electron-updater';
import { PublicError, RESTART_TO_FINISH, UnexpectedError } from 'tokenkeep/errors';
import type { UpdateStatus } from './contract.ts';
import { signatureCheck, UnsignedUpdateError } from './signed-updates.ts';

/** Milliseconds between checks for updates. */
const PAUSE = 24 * 60 * 60 * 1000;
/** Milliseconds in which nothing comes, after which a request counts as failed. */
const SILENCE = 60_000;
/** The same for a download of which no progress was ever reported: without a Content-Length, electron-updater never reports any. */
const UNMEASURED = 10 * SILENCE;

/** A request failed because the app's files were replaced while it runs. The message is shown to users. */
export class UpdatedError extends PublicError<'update_unfinished'> {
  constructor(cause: unknown) {
    super(
      'update_unfinished',
      `${RESTART_TO_FINISH}. Tokenkeep was updated while it was running, so this could not be done. What was saved before is unchanged.`,
      { cause },
    );
  }
}

/** Codes of errors that replaced files cause: native modules, and a vault that the other version has written. */
const CAUSED_BY_UPDATE = /_module_(?:failed|missing)$|^native_code_changed$|_newer$/;

function mayComeFromUpdate(error: unknown): boolean {
  if (!(error instanceof PublicError) || error instanceof UnexpectedError) return true;
  return CAUSED_BY_UPDATE.test((error as PublicError).code);
}

/** The part of electron-updater that the app uses. */
export type Updater = Pick<
  AppUpdater,
  | 'autoDownload'
  | 'autoInstallOnAppQuit'
  | 'autoRunAppAfterInstall'
  | 'allowDowngrade'
  | 'disableWebInstaller'
  | 'disableDifferentialDownload'
  | 'logger'
> & {
  checkForUpdates(): Promise<{ isUpdateAvailable: boolean; updateInfo: { version: string } } | null>;
  /** Resolves to the paths of the files. */
  downloadUpdate(cancellation: CancellationToken): Promise<readonly string[]>;
  quitAndInstall(): void;
  on(event: 'download-progress', listener: (progress: { percent: number }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
};

export interface Updates {
  readonly status: UpdateStatus;
  /** Never rejects; the status reports the result. */
  download(): Promise<void>;
  /**
   * Installs the downloaded update and restarts the app, at the user's request. In state `restart` it only restarts. On Linux the window
   * does not respond while the system asks for a password. Resolves to false if the app goes on; on Windows and macOS, the status may still
   * turn to `refused` after true. A call while an installation is under way gets the result of that one.
   */
  install(): Promise<boolean>;
  /** Call it if the user stopped the quit: the app goes on, and the button works again. */
  stays(): void;
  /** Asks the update server now, if the user wants it to be asked. */
  ask(): void;
  /** Checks whether a package manager replaced the running app on disk. Called when a window is focused. */
  look(): void;
  /** Returns the error for the window: `UpdatedError` in place of one that replaced files may have caused. Looks for them first. */
  explain: (error: unknown) => unknown;
  close(): void;
}

export interface UpdatesOptions {
  /** Whether the user wants the update server to be asked. */
  isWanted: () => boolean;
  /** Resolves to null if this build does not check for updates. */
  open: () => Promise<Updater | null>;
  /**
   * Rejects with an UnsignedUpdateError if a file is not the publisher's, with another error if that could not be found out. null: the
   * system checks what it installs.
   */
  verify: ((version: string, file: string) => Promise<void>) | null;
  /** Called before each request to the update server. */
  onRequest: () => void;
  onStatus: (status: UpdateStatus) => void;
  /** Restarts the app when it has exited; null if the installer does. */
  startAgain: (() => void) | null;
  /** Quits and restarts the app. */
  restart: () => void;
  /** Identifies the installed app on disk. Returns null while it is being replaced, and if it is not packaged. */
  installed: () => string | null;
  onUnexpected: (error: unknown) => void;
}

export function updates({
  isWanted,
  open,
  verify,
  onRequest,
  onStatus,
  startAgain,
  restart,
  installed,
  onUnexpected,
}: UpdatesOptions): Updates {
  let status: UpdateStatus = { state: 'none' };
  /** For the next request. */
  let updater: Updater | null = null;
  /** The verified files of the update that is ready. */
  let files: readonly string[] = [];
  /** The one that downloaded them. Later checks are made by another, so that what it emits is about the installation. */
  let installer: Updater | null = null;
  let installing: Promise<boolean> | undefined;
  /** From the request to install until the app ends or the installer reports an error. */
  let isInstalling = false;
  const running = installed();
  /** In state `restart`, the app on disk is newer than what was offered or downloaded before, so nothing leads out of it. */
  const move = (next: UpdateStatus): void => {
    if (status.state === 'restart') return;
    status = next;
    onStatus(next);
  };

  async function look(): Promise<void> {
    if (!isWanted()) return;
    updater ??= await prepared();
    const before = status;
    if (updater === null || isInstalling || before.state === 'downloading' || before.state === 'restart')
      return;
    const version = await offered(updater);
    // Without a network, it checks again a day later.
    if (version === undefined || isLeaving() || status !== before) return;
    const known = before.state === 'none' ? null : before.version;
    // What is ready is replaced by a newer release, and dropped once the publisher has taken it back.
    if (version === null) {
      if (known !== null) move({ state: 'none' });
    } else if (version !== known || before.state === 'unsigned') {
      move({ state: 'available', version });
    }
  }

  /** Asks the server, and resolves to the version that it offers: null if there is none, undefined if that could not be found out. */
  async function offered(from: Updater): Promise<string | null | undefined> {
    onRequest();
    const found = await whileAnswering(from, from.checkForUpdates()).catch(() => null);
    if (found === null) return undefined;
    return found.isUpdateAvailable ? found.updateInfo.version : null;
  }

  /** Called at each progress. */
  let heard = (): void => undefined;

  /**
   * Rejects once nothing came for a minute, or for `atFirst` before the first progress. electron-updater's own limit needs sockets, which
   * Electron's requests do not have.
   */
  async function whileAnswering<T>(from: Updater, request: Promise<T>, atFirst = SILENCE): Promise<T> {
    let timeout: NodeJS.Timeout | undefined;
    const silent = new Promise<never>((_resolve, reject) => {
      const wait = (milliseconds: number): void => {
        timeout = setTimeout(() => {
          replace(from).catch(onUnexpected); // or the next request would join this one
          reject(new Error('The update server has fallen silent.'));
        }, milliseconds);
      };
      heard = () => {
        if (timeout === undefined) return;
        clearTimeout(timeout);
        wait(SILENCE);
      };
      wait(atFirst);
    });
    try {
      return await Promise.race([request, silent]);
    } finally {
      clearTimeout(timeout);
      timeout = undefined;
    }
  }

  async function downloaded(from: Updater): Promise<readonly string[]> {
    const cancellation = new (await import('electron-updater')).CancellationToken();
    onRequest();
    try {
      return await whileAnswering(from, from.downloadUpdate(cancellation), UNMEASURED);
    } catch (error) {
      cancellation.cancel();
      throw error;
    }
  }

  /** Leaves the updater to what it is doing: further requests go to a new one. */
  async function replace(busy: Updater): Promise<void> {
    if (updater === busy) updater = await prepared();
  }

  async function prepared(): Promise<Updater | null> {
    const opened = await open();
    if (opened === null) return null;
    Object.assign(opened, SETTINGS, { autoRunAppAfterInstall: startAgain === null });
    opened.on('download-progress', ({ percent }) => {
      heard();
      if (status.state === 'downloading') move({ ...status, percent: Math.floor(percent) });
    });
    // Check and download failures reject; installation failures are reported only here.
    opened.on('error', (error) => {
      if (opened === installer) notInstalled(error);
    });
    return opened;
  }

  function notInstalled(error: unknown): void {
    if (!isInstalling) return;
    isInstalling = false;
    onUnexpected(error);
    lookAtDisk(); // dpkg may have replaced the app before it failed
    if (status.state === 'ready' || status.state === 'refused') move({ ...status, state: 'refused' });
  }

  async function verifyAll(version: string): Promise<void> {
    if (verify === null) return;
    if (files.length === 0) throw new Error('There is no file to verify.');
    for (const file of files) await verify(version, file);
  }

  function fail(error: unknown, version: string): void {
    onUnexpected(error);
    move({ state: error instanceof UnsignedUpdateError ? 'unsigned' : 'failed', version });
  }

  function lookAtDisk(): void {
    const now = installed();
    if (running === null || now === null || now === running) return;
    move({ state: 'restart' });
  }

  /** An immediate refusal has been reported by now. */
  const isLeaving = (): boolean => isInstalling;

  async function install(): Promise<boolean> {
    if (isInstalling && status.state !== 'restart') return true;
    if (status.state === 'ready' || status.state === 'refused') {
      const { version } = status;
      try {
        await verifyAll(version); // checked again, because the files could be changed on disk since
      } catch (error) {
        fail(error, version);
      }
    }
    if (status.state === 'restart') {
      restart();
      return true;
    }
    if (installer === null || (status.state !== 'ready' && status.state !== 'refused')) return false;
    isInstalling = true;
    try {
      installer.quitAndInstall();
    } catch (error) {
      notInstalled(error);
    }
    if (isLeaving()) startAgain?.();
    return isLeaving();
  }

  const timer = setInterval(() => void look().catch(onUnexpected), PAUSE);
  timer.unref();
  void look().catch(onUnexpected);
  return {
    get status() {
      return status;
    },
    async download() {
      const from = updater;
      if (from === null) return;
      if (status.state !== 'available' && status.state !== 'failed' && status.state !== 'unsigned') return;
      let { version } = status;
      move({ state: 'downloading', version, percent: 0 });
      try {
        // A newer release may have replaced the one that was offered, with its files.
        const now = await offered(from);
        if (now === null) {
          move({ state: 'none' });
          return;
        }
        if (now !== undefined && now !== version) {
          version = now;
          move({ state: 'downloading', version, percent: 0 });
        }
        files = await downloaded(from);
        installer = from;
        await replace(from);
        await verifyAll(version);
        move({ state: 'ready', version });
      } catch (error) {
        fail(error, version);
      }
    },
    install: () => (installing ??= install().finally(() => (installing = undefined))),
    stays: () => void (isInstalling = false),
    look: lookAtDisk,
    ask: () => void look().catch(onUnexpected),
    explain(error) {
      if (running === null || !mayComeFromUpdate(error)) return error;
      lookAtDisk();
      const isBeingReplaced = installed() === null;
      return status.state === 'restart' || isBeingReplaced ? new UpdatedError(error) : error;
    },
    close: () => clearInterval(timer),
  };
}

const SETTINGS = {
  autoDownload: false,
  autoInstallOnAppQuit: false, // an unrequested restart or password prompt would be unexpected
  allowDowngrade: false,
  disableWebInstaller: true,
  disableDifferentialDownload: true, // it can't be cancelled, and may report no progress
  logger: null, // it would log URLs and paths
};

/**
 * electron-builder adds app-update.yml to the app if the build is configured with an update server. electron-updater then checks the
 * SHA-512 of what it downloads against the feed, and on Windows the publisher's signature before installing; macOS checks the app's own
 * signature. On Linux, `signedUpdates` checks a signature, and a build without a key looks for no updates.
 */
export async function openUpdater(
  { platform, appImage }: Installed,
  load: () => Promise<Updaters> = () => import('electron-updater'),
): Promise<Updater> {
  const { AppImageUpdater, DebUpdater, MacUpdater, NsisUpdater } = await load();
  switch (platform) {
    case 'darwin':
      return new MacUpdater();
    case 'win32':
      return new NsisUpdater();
    default:
      return appImage ? new AppImageUpdater() : new DebUpdater();
  }
}

/** The part of electron-updater's exports that is used. Not `autoUpdater`, of which there is only one. */
interface Updaters {
  AppImageUpdater: new () => Updater;
  DebUpdater: new () => Updater;
  MacUpdater: new () => Updater;
  NsisUpdater: new () => Updater;
}

/** The installed app and its update configuration. */
export interface Installed {
  platform: NodeJS.Platform;
  /** Absolute path of the packaged app's resources; null where it is not packaged. */
  resources: string | null;
  /** The public key in the package.json inside the asar, base64url; null if it has none. */
  updatesKey: string | null;
  /** Whether the app runs from an AppImage. */
  appImage: boolean;
  /** Returns whether the app was installed from a deb. */
  deb: () => Promise<boolean>;
}

/**
 * Returns whether dpkg installed the program. electron-builder's own sign of a deb, the file `package-type`, is also in an AppImage and a
 * tar.gz that were built together with one.
 */
export function isFromDeb(executable: string): Promise<boolean> {
  return new Promise((resolve) =>
    execFile('dpkg-query', ['--search', executable], { timeout: 30_000 }, (error) => resolve(error === null)),
  );
}

/** Returns the URL of the folder that is checked for updates; null if the build does not check for updates. */
export async function updateFeed({
  platform,
  resources,
  updatesKey,
  appImage,
  deb,
}: Installed): Promise<string | null> {
  if (resources === null) return null;
  const feed = feedOf(resources);
  if (feed === null) return null;
  switch (platform) {
    case 'linux': // a tar.gz can't update itself
      return updatesKey !== null && (appImage || (await deb())) ? feed : null;
    case 'win32': // electron-updater would install a file of any publisher
      return /^publisherName:/m.test(configurationIn(resources)) ? feed : null;
    default:
      return feed;
  }
}

/** Returns the check of the publisher's signature on Linux; null on systems that check it themselves. */
export function signedUpdates(
  { platform, resources, updatesKey }: Installed,
  fetch: (url: string, signal: AbortSignal) => Promise<Response>,
): UpdatesOptions['verify'] {
  const url = resources === null ? null : feedOf(resources);
  if (platform !== 'linux' || url === null) return null;
  return signatureCheck({ url, publicKey: updatesKey ?? '', fetch });
}

/** Returns the URL in app-update.yml; null if the build does not check for updates. */
function feedOf(resources: string): string | null {
  return /^url:\s*['"]?([^'"\s]+)/m.exec(configurationIn(resources))?.[1] ?? null;
}

function configurationIn(resources: string): string {
  const file = join(resources, 'app-update.yml');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
