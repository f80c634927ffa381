/**
 * Whether the system starts the app when the user logs in. The setting is the system's own entry, which the user may also remove in the
 * system's settings.
 */
import { rmSync } from 'node:fs';
import { readSmallFile, smallFileError } from 'tokenkeep/ipc';
import { replaceFile } from './data-folder.ts';

export interface LoginStart {
  isOn(): boolean;
  /** @throws StorageError if the entry can't be written or removed; it is then unchanged */
  set(on: boolean): void;
}

/** The switch with which the system starts the app. Then no window opens, if the app has an item in the menu bar. */
export const IN_BACKGROUND = '--background';

/** Electron's calls for macOS and Windows. */
export interface LoginItems {
  getLoginItemSettings(of: { args: string[] }): {
    openAtLogin: boolean;
    /** Windows: false also where the user disabled the entry, as in the Task Manager. */
    executableWillLaunchAtLogin: boolean;
    /** macOS. */
    wasOpenedAtLogin: boolean;
  };
  setLoginItemSettings(to: { openAtLogin: boolean; args: string[] }): void;
}

/** Whether the system started the app at login. macOS starts it without arguments, so without `IN_BACKGROUND`. */
export function isOpenedAtLogin(platform: NodeJS.Platform, items: LoginItems): boolean {
  return platform === 'darwin' && items.getLoginItemSettings({ args: [] }).wasOpenedAtLogin;
}

/** For macOS and Windows, where the system keeps the list. */
export function systemLoginStart(platform: NodeJS.Platform, items: LoginItems): LoginStart {
  const args = [IN_BACKGROUND];
  return {
    isOn() {
      const { openAtLogin, executableWillLaunchAtLogin } = items.getLoginItemSettings({ args });
      return openAtLogin && (platform !== 'win32' || executableWillLaunchAtLogin);
    },
    set: (openAtLogin) => items.setLoginItemSettings({ openAtLogin, args }),
  };
}

/**
 * For Linux: an entry of the Desktop Application Autostart Specification. `TryExec` makes the entry of a removed app do nothing.
 *
 * @param file absolute path of the entry, in `autostart` of the user's configuration
 * @param command the executable, and in development the script
 */
export function desktopLoginStart(file: string, command: readonly string[]): LoginStart {
  return {
    isOn() {
      try {
        const text = readSmallFile(file);
        // Desktop settings disable an entry instead of removing it.
        return !/^(?:Hidden\s*=\s*true|X-GNOME-Autostart-enabled\s*=\s*false)\s*$/im.test(text);
      } catch {
        return false;
      }
    },
    set(on) {
      try {
        if (!on) {
          rmSync(file, { force: true });
          return;
        }
        replaceFile(file, entryOf(command));
      } catch (cause) {
        throw smallFileError('The setting could not be saved and is unchanged.', file, cause);
      }
    },
  };
}

function entryOf(command: readonly string[]): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Tokenkeep',
    `TryExec=${escaped(command[0] ?? '')}`,
    `Exec=${[...command, IN_BACKGROUND].map(quoted).join(' ')}`,
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n');
}

/** Quotes an argument for the Exec key and doubles each `%` (Desktop Entry Specification, "The Exec key"). */
function quoted(argument: string): string {
  if (/^[\w./@:,+-]+$/.test(argument)) return argument;
  return escaped(`"${argument.replaceAll(/["`$\\]/g, String.raw`\$&`).replaceAll('%', '%%')}"`);
}

/** Escapes a value of type string: backslashes once more, and line breaks, which would end it. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', String.raw`\n`);
}
