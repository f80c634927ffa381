import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';

/** Bytes that the tests of a whole run have at a time in their folders and homes, twice over. */
const ROOM = 6e9;

/**
 * Returns the folder for short-lived files: one in memory if it has room for them and lets them be run, as /dev/shm of most systems does,
 * or /tmp. Vaults, Redis and PostgreSQL wait until the disk has what they wrote, thousands of times in a run, for what is removed a second
 * later.
 *
 * @param {{ mounts: string, room: number }} [system] the mounts as in /proc/mounts, and the bytes that are free
 */
export function shortLived({ mounts, room } = ofThisSystem()) {
  const [, type, options = ''] = /^\S+ \/dev\/shm (\S+) (\S+)/m.exec(mounts) ?? [];
  const isUsable = type === 'tmpfs' && !/\b(?:noexec|ro)\b/.test(options) && room >= ROOM;
  return isUsable ? '/dev/shm' : '/tmp';
}

function ofThisSystem() {
  try {
    accessSync('/dev/shm', constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync('/dev/shm');
    // A container's limit counts what is in /dev/shm.
    const memory = process.availableMemory?.() ?? freemem();
    return { mounts: readFileSync('/proc/mounts', 'utf8'), room: Math.min(bavail * bsize, memory) };
  } catch {
    return { mounts: '', room: 0 };
  }
}
