/** What the window of the desktop app may ask beside the token cache. Types only; the window imports them. */
import type { Outcome } from 'tokenkeep/electron';
import type { SignInEvents, SignInRequests } from './sign-in/contract.ts';

export type * from './sign-in/contract.ts';

export interface AppInfo {
  version: string;
  electron: string;
  platform: 'darwin' | 'win32' | 'linux';
  /** The demo cache is open: made-up accounts, a key in memory, gone when it is left. */
  demo: boolean;
  /** The last start ended while the keychain was being asked. */
  keychainCrashed: boolean;
}

/**
 * A newer version: whether there is one, and how far it is. It never goes on by itself. `failed`: it was not downloaded;
 * `refused`: it was, and the system did not install it, as when nobody gave an administrator's password.
 */
export type UpdateStatus =
  | { state: 'none' }
  | { state: 'available' | 'ready' | 'failed' | 'refused'; version: string }
  | { state: 'downloading'; version: string; percent: number };

export interface AppRequests extends SignInRequests {
  info(): AppInfo;
  /** Opens the demo cache in place of the user's own, which stays as it is; the window loads anew. */
  openDemo(): void;
  leaveDemo(): void;
  /** Shows the vault's file in the system's file manager. */
  showFile(): void;
  update(): UpdateStatus;
  /** Begins; `update` events tell how it goes. */
  downloadUpdate(): void;
  /** Ends the app, installs what was downloaded, and starts it again. */
  installUpdate(): void;
}

/** What the menu asks the window to do. */
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
  | 'health';

export interface AppEvents extends SignInEvents {
  command: MenuCommand;
  update: UpdateStatus;
}

/** What app/preload.ts puts on the window as `app`. As with the token cache: functions answer with an `Outcome`. */
export type AppBridge = {
  [Name in keyof AppRequests]: (
    ...args: Parameters<AppRequests[Name]>
  ) => Promise<Outcome<ReturnType<AppRequests[Name]>>>;
} & {
  on<Name extends keyof AppEvents>(name: Name, listener: (event: AppEvents[Name]) => void): () => void;
};
