/**
 * The requests of the desktop app's window besides those of the token cache, and their names at run time. The window imports types from
 * here.
 */
import type { Names, Outcome } from 'tokenkeep/ipc';
import type { SignInEvents, SignInRequests } from './sign-in/contract.ts';
import type { SourceEvents, SourceRequests } from './sources/contract.ts';

export type * from './sign-in/contract.ts';
export type * from './sources/contract.ts';

export interface AppInfo {
  version: string;
  electron: string;
  /** What the app was built from and for: commit, system, processor. */
  build: string;
  /** The page with source and documentation; null if the build names none. */
  homepage: string | null;
  platform: 'darwin' | 'win32' | 'linux';
  /** The demo cache is open: made-up accounts, a key in memory, deleted when the demo is left. */
  demo: boolean;
  /** Whether the app crashed during a keychain call in its last run. */
  keychainCrashed: boolean;
  /** Whether the app runs without the single-instance lock. */
  startedWithoutLock: boolean;
  /** The vault is closed because the user was away. Requests are refused until `unlock`. */
  locked: boolean;
}

/**
 * A newer version, and the progress of its installation. Every step needs the user. `failed`: it could not be downloaded, or not be
 * verified; `unsigned`: it is not signed with the publisher's key that this version has, and was removed; `refused`: the system did not
 * install it, e.g. without an administrator's password. `restart`: the app was updated on disk while it runs; it refuses to write until it
 * is restarted. Each but `restart` ends when the server offers another version, or none.
 */
export type UpdateStatus =
  | { state: 'none' }
  | { state: 'restart' }
  | { state: 'available' | 'ready' | 'failed' | 'unsigned' | 'refused'; version: string }
  | { state: 'downloading'; version: string; percent: number };

/** A host that Tokenkeep has sent requests to. */
export interface ContactedHost {
  host: string;
  /** The purpose, such as `Refresh`. */
  why: readonly string[];
  /** Time of the last request, in seconds since the epoch. */
  at: number;
}

/** The time zones in which times can be shown. */
export const TIMES_SHOWN = ['local', 'utc', 'both'] as const;
export type TimesShown = (typeof TIMES_SHOWN)[number];

export interface Settings {
  /** The zone of the times that are shown. `both`: full times have the UTC time in parentheses. */
  times: TimesShown;
  /** The vault is closed when the user is away. */
  closeWhenAway: boolean;
  /** The app has an item in the menu bar, and stays when its window is closed. */
  menuBar: boolean;
  /** Consent to copy an access token is valid for five minutes. */
  asksRarely: boolean;
  /** A notification is shown ten minutes before an account that can't renew itself expires. */
  notify: boolean;
  /** The system starts the app when the user logs in. */
  startAtLogin: boolean;
  /** The update server is asked once a day. */
  updates: boolean;
  /** Host of the update server; null: this build has none. */
  updateHost: string | null;
  /** Most recent first. */
  hosts: readonly ContactedHost[];
}

export interface AppRequests extends SignInRequests, SourceRequests {
  settings(): Settings;
  setTimes(times: TimesShown): Settings;
  setCloseWhenAway(on: boolean): Settings;
  setMenuBar(on: boolean): Settings;
  setNotify(on: boolean): Settings;
  /** Needs a click. */
  setStartAtLogin(on: boolean): Settings;
  /** Needs a click. */
  setUpdates(on: boolean): Settings;
  /** Turning it on takes a dialog of the main process; unchanged if the user declined. */
  setAsksRarely(on: boolean): Settings;
  /**
   * Saves a list of accounts, without tokens, where the user chooses in the system's dialog. `text`: CSV.
   * Returns the file's name; null if the dialog was dismissed.
   */
  saveList(text: string): string | null;
  /** Saves the text of a receipt in the same way. */
  saveReceipt(text: string): string | null;
  /** Opens the homepage of this build in the browser, after a click. */
  openHomepage(): void;
  /** Shows the license texts in the system's file manager. */
  showLicenses(): void;
  /**
   * Opens the vault that was closed while the user was away, after a real input event and, on macOS, Touch ID; the window reloads.
   * False if the system did not recognize the user.
   */
  unlock(): boolean;
  info(): AppInfo;
  /** Opens the demo cache in place of the user's own, which stays unchanged; the window reloads. */
  openDemo(): void;
  leaveDemo(): void;
  /** Shows the vault file in the system's file manager. */
  showFile(): void;
  /** Enables the menu's commands that need something to act on. The window calls it when its selection changes. */
  menuState(state: MenuState): void;
  update(): UpdateStatus;
  /** Asks which version is the newest, and starts its download; `update` events report the progress. */
  downloadUpdate(): void;
  /** Quits the app, installs the downloaded update and restarts. In state `restart` it only restarts. */
  installUpdate(): void;
}

/** Which commands of the menu have something to act on. */
export interface MenuState {
  /** An account is selected. */
  signOut: boolean;
  /** There are accounts. */
  signOutAll: boolean;
}

/** Commands from the menu to the window. */
export type MenuCommand =
  | 'sign-in'
  | 'import'
  | 'find'
  | 'sign-out'
  | 'sign-out-all'
  | 'about'
  // Pages of the window.
  | 'accounts'
  | 'security'
  | 'inspect'
  | 'activity'
  | 'settings'
  | 'health';

export interface AppEvents extends SignInEvents, SourceEvents {
  command: MenuCommand;
  update: UpdateStatus;
  /** The screen was locked or the user is away: hide revealed tokens. */
  lock: null;
  /** Something was chosen for an account in the menu bar or a notification. */
  forAccount: { accountId: string; action: 'show-account' | 'sign-in-again' | 'sign-out' };
}

/** What app/preload.ts puts on the window as `app`. As with the token cache, functions answer with an `Outcome`. */
export type AppBridge = {
  [Name in keyof AppRequests]: (
    ...args: Parameters<AppRequests[Name]>
  ) => Promise<Outcome<ReturnType<AppRequests[Name]>>>;
} & {
  on<Name extends keyof AppEvents>(name: Name, listener: (event: AppEvents[Name]) => void): () => void;
};

/** The names of the requests at run time. */
export const APP_REQUESTS: Names<AppRequests> = {
  info: true,
  openDemo: true,
  leaveDemo: true,
  showFile: true,
  menuState: true,
  update: true,
  downloadUpdate: true,
  installUpdate: true,
  profiles: true,
  saveProfile: true,
  removeProfile: true,
  signIn: true,
  signInAgain: true,
  signInProgress: true,
  cancelSignIn: true,
  openSignInPage: true,
  copyDeviceCode: true,
  refreshStatus: true,
  refreshNow: true,
  refreshUnasked: true,
  setAutoRefresh: true,
  signOutOffers: true,
  signOutPlaces: true,
  signOutCopies: true,
  signOut: true,
  undoSignOut: true,
  checkSignOut: true,
  signOutDone: true,
  signOuts: true,
  clearActivity: true,
  checkSignature: true,
  userInfo: true,
  sources: true,
  findSources: true,
  openSource: true,
  openAllSources: true,
  closeSource: true,
  addSource: true,
  importSource: true,
  showSource: true,
  openProgram: true,
  settings: true,
  setTimes: true,
  setCloseWhenAway: true,
  setMenuBar: true,
  setNotify: true,
  setStartAtLogin: true,
  setUpdates: true,
  setAsksRarely: true,
  saveList: true,
  saveReceipt: true,
  openHomepage: true,
  showLicenses: true,
  unlock: true,
};

/** The events at run time. */
export const APP_EVENTS: Names<AppEvents> = {
  command: true,
  update: true,
  lock: true,
  forAccount: true,
  signIn: true,
  refreshStatus: true,
  profiles: true,
  signOuts: true,
  sources: true,
};

/** The token cache requests that the app's window may make: all but `signOut` and
 * `clearActivity`, which the app implements itself. */
export const WINDOW_REQUESTS = [
  'status',
  'accounts',
  'accountsText',
  'firstAccountsText',
  'nameTenant',
  'tokens',
  'claims',
  'search',
  'removalCount',
  'reveal',
  'copy',
  'removeTokens',
  'chooseImport',
  'planImport',
  'unlockImport',
  'confirmImport',
  'cancelImport',
  'retry',
  'recover',
  'startFresh',
  'keepMine',
  'takeFile',
  'makeOwn',
  'forget',
  'verify',
  'rotateKey',
  'compact',
  'exportAll',
  'activity',
  'examine',
  'repair',
  'undoRepair',
] as const;
