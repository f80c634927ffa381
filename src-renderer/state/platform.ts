import type { AppInfo } from '../../app/contract.ts';

/** Names that differ between systems. The platform is undefined until main has told it. */
type Platform = AppInfo['platform'] | undefined;

/** A letter with the command key of the system: "⌘F", "Ctrl F". */
export function shortcut(letter: string, platform: Platform): string {
  return platform === 'darwin' ? `⌘${letter}` : `Ctrl ${letter}`;
}

/** Whether the command key of the system is held down, alone or with Shift: on macOS, Control has meanings of its own. */
export function isCommand(
  { ctrlKey, metaKey, altKey }: { ctrlKey: boolean; metaKey: boolean; altKey?: boolean },
  platform: Platform,
): boolean {
  return altKey !== true && (platform === 'darwin' ? metaKey && !ctrlKey : ctrlKey && !metaKey);
}

/**
 * Whether a letter is pressed with the command key of the system. On a keyboard without Latin letters, the key counts that has the letter on
 * an American keyboard, as in other programs.
 */
export function isShortcut(
  letter: string,
  event: { key: string; code: string; ctrlKey: boolean; metaKey: boolean; altKey?: boolean },
  platform: Platform,
): boolean {
  const isLatin = /^[\x20-\x7e]$/.test(event.key);
  const isLetter = isLatin ? event.key.toLowerCase() === letter : event.code === `Key${letter.toUpperCase()}`;
  return isLetter && isCommand(event, platform);
}

/** Where the system shows programs that run in the background. */
export function trayName(platform: Platform): string {
  if (platform === 'darwin') return 'menu bar';
  return platform === 'win32' ? 'notification area' : 'system tray';
}
