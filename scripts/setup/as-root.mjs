import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Returns the words to put before a command so that root runs it: none for root, else sudo, which asks for a password only if there is a
 * terminal. Undefined if root can't run it.
 *
 * @returns {string[] | undefined}
 */
export function asRootPrefix() {
  if (process.getuid() === 0) return [];
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return existsSync('/usr/bin/sudo') && process.stdin.isTTY ? ['sudo'] : undefined;
}
