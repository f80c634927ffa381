/**
 * The locks of other programs' caches. Two kinds have to be respected at once: the exclusive creation of a lock file stops MSAL Python
 * and MSAL Node, a `flock` on it stops MSAL.NET, Go and azd. The lock is held for less than a second: MSAL Python takes it over after
 * five.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { systemClock } from '../cache/clock.ts';
import { SourceError } from '../errors.ts';
import type { Place } from './programs.ts';

/** The program name written into a lock file after the process ID. */
const OURS = 'tokenkeep';
/** A lock file may be taken over when its process is gone and it is older than this, in milliseconds. */
const STALE = 60_000;
const [FIRST_PAUSE, LONGEST_PAUSE] = [20, 200];

/** Options for taking a lock. */
export interface LockOptions {
  /** Milliseconds to wait for another holder. Default: 5,000. */
  deadline?: number | undefined;
  /** Seconds since the epoch. */
  now?: (() => number) | undefined;
}

/** @returns undefined if the program uses no lock */
export function lockFileOf({ file, locking }: Place): string | undefined {
  if (locking === 'none') return undefined;
  return locking === 'lock' ? `${file}.lock` : `${file}.lockfile`;
}

/**
 * Runs `task` while no program that respects the lock writes the cache.
 *
 * @throws SourceError `source_busy` if another program held the lock too long; the task was not run
 */
export async function whileLocked<T>(
  place: Place,
  task: () => Promise<T>,
  { deadline = 5_000, now = systemClock }: LockOptions = {},
): Promise<T> {
  const file = lockFileOf(place);
  if (file === undefined) return task();
  const end = performance.now() + deadline;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.6, LONGEST_PAUSE)) {
    const held = place.locking === 'lock' ? await takeShared(file) : await take(file, now);
    if (held !== null) {
      try {
        return await task();
      } finally {
        await release(file, held);
      }
    }
    if (performance.now() > end)
      throw new SourceError(
        'source_busy',
        `Another program has kept ${file} locked for ${Math.round(deadline / 1000)} s. Nothing was changed. Close it, or try again.`,
      );
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

interface Held {
  readonly handle: FileHandle;
  /** Whether the lock file is deleted on release. azd keeps its file. */
  readonly removed: boolean;
}

const FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Creates the lock file, or takes over a stale one of a crashed program. */
async function take(file: string, now: () => number): Promise<Held | null> {
  const created = await opened(file, FLAGS | constants.O_CREAT | constants.O_EXCL);
  if (created !== null) {
    if (!flock(created)) return letGo(created);
    await created.write(`${process.pid} ${OURS}`);
    return { handle: created, removed: true };
  }
  const left = await opened(file, FLAGS);
  if (left === null) return null; // Removed in the meantime, or not a file: try again.
  if (!(await isStale(left, now)) || !flock(left)) return letGo(left);
  await left.truncate(0);
  await left.write(`${process.pid} ${OURS}`, 0);
  return { handle: left, removed: true };
}

/** Locks a file that is not deleted on release. */
async function takeShared(file: string): Promise<Held | null> {
  const handle = await opened(file, FLAGS | constants.O_CREAT);
  if (handle === null) return null;
  return flock(handle) ? { handle, removed: false } : letGo(handle);
}

async function letGo(handle: FileHandle): Promise<null> {
  await handle.close();
  return null;
}

async function opened(file: string, flags: number): Promise<FileHandle | null> {
  try {
    const handle = await open(file, flags, 0o600);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EEXIST' || code === 'ENOENT') return null;
    if (code !== 'ELOOP' && code !== 'ENXIO')
      throw new SourceError(
        'source_no_permission',
        `The lock ${file} can’t be taken (${String(code)}). Nothing was changed. Check who may write there.`,
        { cause },
      );
  }
  throw new SourceError(
    'source_busy',
    `${file} is a link or no file, so it can’t be used as a lock. Nothing was changed. Remove it, then try again.`,
  );
}

/** Whether the process named in the lock file ended a while ago. */
async function isStale(handle: FileHandle, now: () => number): Promise<boolean> {
  const { mtimeMs } = await handle.stat();
  if (now() * 1000 - mtimeMs < STALE) return false;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  const pid = /\d+/.exec(buffer.toString('latin1', 0, bytesRead))?.[0];
  return pid === undefined || !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * A `flock` of the whole file that ends with our descriptor. Node has none, and the library that locks vaults uses locks of
 * another kind, which these programs don't see. Takes 3 ms.
 */
function flock(handle: FileHandle): boolean {
  if (process.platform === 'win32') return true; // an open file is not shared there
  const { status, error } = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', handle.fd],
    timeout: 2_000,
  });
  if (error !== undefined)
    throw new SourceError(
      'source_busy',
      'The command `flock` is missing, so the cache can’t be locked. Nothing was changed. Install util-linux, then try again.',
      { cause: error },
    );
  return status === 0;
}

async function release(file: string, { handle, removed }: Held): Promise<void> {
  try {
    if (removed) {
      const [ours, there] = [await handle.stat(), await open(file, FLAGS).catch(() => null)];
      try {
        const now = await there?.stat();
        if (now !== undefined && now.ino === ours.ino && now.dev === ours.dev) await unlink(file);
      } finally {
        await there?.close();
      }
    }
  } finally {
    await handle.close();
  }
}
