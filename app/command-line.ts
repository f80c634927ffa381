/** Tells a start of the `tokenkeep` command from a start of the app. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';

/** With these switches, Chromium needs no display, prints nothing, and takes everything that follows as words, switches included. */
export const COMMAND = [
  '--ozone-platform=headless',
  '--disable-gpu',
  '--disable-software-rasterizer',
  '--log-level=3',
  '--',
];

/** A verb, or a switch that people try first. The app itself takes no words. */
const FIRST_WORD = /^(?:[a-z]+|-h|--help|--version)$/;

/**
 * Returns the words of the command if this process was started to run it, else null.
 *
 * @param args without the executable and, in development, without the script
 */
export function commandWords(args: readonly string[]): readonly string[] | null {
  return COMMAND.every((word, index) => args[index] === word) ? args.slice(COMMAND.length) : null;
}

/** Whether the user has typed a verb: then `startCommand` starts this program once more, and this process opens nothing. */
export const isCommand = (args: readonly string[]): boolean => FIRST_WORD.test(args[0] ?? '');

/**
 * Runs the command in a process of its own: Chromium has read the switches of this one already.
 *
 * @param script in development, the path of the app's script
 * @returns the exit code
 */
export function startCommand(
  executable: string,
  args: readonly string[],
  script: readonly string[] = [],
): number {
  const { status, signal, error } = spawnSync(executable, [...script, ...COMMAND, ...args], {
    stdio: 'inherit',
  });
  if (error) throw error;
  return status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}
