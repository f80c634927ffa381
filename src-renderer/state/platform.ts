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

/** Where the system shows programs that run in the background. */
export function trayName(platform: Platform): string {
  if (platform === 'darwin') return 'menu bar';
  return platform === 'win32' ? 'notification area' : 'system tray';
}
