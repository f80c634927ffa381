/** Checks whether the app that holds the data folder's lock is running. Chromium reports a full disk in the same way. */
import { basename } from 'node:path';

export interface LockPorts {
  /** Returns the target of the lock, a symlink to a name of host and process. Throws if there is none. */
  link: () => string;
  /** Returns the executable of a process. Throws if the system does not provide it. */
  executable: (pid: number) => string;
  isRunning: (pid: number) => boolean;
  platform: NodeJS.Platform;
  host: string;
  pid: number;
}

/**
 * Returns false if the lock could not be created: no space, no inodes, no permission, no TMPDIR. If only the socket
 * beside it could not be created, the lock names this process.
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
  // A lock of another computer on a shared home folder can't be checked. Two apps can share a vault without losing changes.
  if (holder !== host || !Number.isInteger(other) || other === pid || !isRunning(other)) return false;
  if (platform !== 'linux') return true;
  try {
    // The process ID may have been reused by another program. A replaced executable is marked as deleted.
    const program = (path: string): string => basename(path.replace(/ \(deleted\)$/, ''));
    return program(executable(other)) === program(executable(pid));
  } catch {
    return true;
  }
}
