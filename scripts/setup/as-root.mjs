import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * What to put before a command so that root runs it: nothing for root, else sudo, which asks for a password only where
 * someone is there to type it. Undefined: there is no way.
 *
 * @returns {string[] | undefined}
 */
export function asRootPrefix() {
  if (process.getuid() === 0) return [];
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return existsSync('/usr/bin/sudo') && process.stdin.isTTY ? ['sudo'] : undefined;
}
