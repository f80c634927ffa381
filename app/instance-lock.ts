/** Whether the app that holds the lock of the data folder is alive. Chromium's own answer is the same when a disk is full. */
import { basename } from 'node:path';

export interface LockPorts {
  /** The target of the lock, a link that Chromium names after host and process. Throws where there is none. */
  link: () => string;
  /** The executable of a process. Throws where the system does not tell. */
  executable: (pid: number) => string;
  isRunning: (pid: number) => boolean;
  platform: NodeJS.Platform;
  host: string;
  pid: number;
}

/**
 * False where the lock could not be made: no space, no inodes, no permission, no TMPDIR. Where it could be made and only
 * the socket beside it could not, it names this very process.
 */
export function isOtherAlive({ link, executable, isRunning, platform, host, pid }: LockPorts): boolean {
  let target: string;
  try {
    target = link();
  } catch {
    return false;
  }
  const [, holder, number] = /^(.*)-(\d+)$/.exec(target) ?? [];
  const other = Number(number);
  // The lock of another computer, on a shared home folder: nobody can tell, and two apps on one vault lose nothing.
  if (holder !== host || !Number.isInteger(other) || other === pid || !isRunning(other)) return false;
  if (platform !== 'linux') return true;
  try {
    // Its number may have gone to another program since. An executable that was replaced is marked as deleted.
    const program = (path: string): string => basename(path.replace(/ \(deleted\)$/, ''));
    return program(executable(other)) === program(executable(pid));
  } catch {
    return true;
  }
}
