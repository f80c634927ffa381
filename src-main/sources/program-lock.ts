/**
 * The locks of other programs' caches. Two kinds have to be respected at once: the exclusive creation of a lock file stops MSAL Python
 * and MSAL Node, a `flock` on it stops MSAL.NET, Go and azd. The lock is held for less than a second: MSAL Python takes it over after
 * five.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../error-code.ts';
import { systemClock } from '../cache/clock.ts';
import { SourceError } from '../errors.ts';
import { isSameNode } from '../folders.ts';
import type { FoundSource } from './find.ts';
import { isAlive, removeTemporary, signalsOf, temporaryName } from './program-file.ts';
import type { Place } from './programs.ts';

/** The program name written into a lock file after the process ID. */
const OURS = 'tokenkeep';
/** Age in milliseconds after which a lock file may be taken over, if its process has ended. */
const STALE = 60_000;
const [FIRST_PAUSE, LONGEST_PAUSE] = [20, 200];

/** Options for taking a lock. */
export interface LockOptions {
  /** Milliseconds to wait for another holder. Default: 5,000. */
  deadline?: number | undefined;
  /** Seconds since the epoch. */
  now?: (() => number) | undefined;
}

/** Returns the lock files in a fixed order, since programs that share an item each lock their own file; [] if the program uses no lock. */
async function lockFilesOf(place: Place): Promise<string[]> {
  if (place.locking === 'none') return [];
  const end = place.locking === 'lock' ? '.lock' : '.lockfile';
  return (await signalsOf(place)).map((file) => `${file}${end}`);
}

/**
 * Runs `task` while no program that respects the lock writes the cache. `assertHeld` throws `source_busy` if a lock file was taken over,
 * moved or replaced meanwhile: call it right before writing.
 *
 * @throws SourceError `source_busy` if another program held the lock too long, `source_no_permission` or `source_failed` if the system
 *   refused it; the task was not run
 */
export async function whileLocked<T>(
  place: Place,
  task: (assertHeld: () => Promise<void>) => Promise<T>,
  { deadline = 5_000, now = systemClock }: LockOptions = {},
): Promise<T> {
  const files = await lockFilesOf(place);
  const end = performance.now() + deadline;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.6, LONGEST_PAUSE)) {
    const held: [file: string, held: Held][] = [];
    let missing: string | undefined;
    try {
      for (const file of files) {
        const one = await (place.locking === 'lock' ? takeShared(file) : take(file, now)).catch(
          (cause: unknown) => {
            throw notTaken(file, cause);
          },
        );
        if (one !== null) held.push([file, one]);
        else missing = file;
        // All or none: a program waits for one of them meanwhile.
        if (one === null) break;
      }
      if (missing === undefined) return await task(() => assertInPlace(held));
    } finally {
      await releaseAll(held);
    }
    if (performance.now() > end) throw await busy(missing, deadline);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function assertInPlace(held: readonly (readonly [file: string, held: Held])[]): Promise<void> {
  for (const [file, { handle }] of held) {
    if (await isAt(file, handle)) continue;
    throw new SourceError(
      'source_busy',
      `The lock ${file} was moved or taken over by another program meanwhile. Nothing was changed. Try again.`,
    );
  }
}

/** Releases all of them, also if one fails: this process would hold the others until it ends. */
async function releaseAll(held: readonly (readonly [file: string, held: Held])[]): Promise<void> {
  const ends = await Promise.allSettled(held.toReversed().map(([file, one]) => release(file, one)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Names the process that holds the lock: the user has to know what to close. */
async function busy(file: string, deadline: number): Promise<SourceError> {
  const holder = await holderOf(file);
  const seconds = Math.max(1, Math.round(deadline / 1000));
  return new SourceError(
    'source_busy',
    holder === null
      ? `Another program has kept ${file} locked for ${seconds} s. Nothing was changed. Close it, then try again.`
      : holder.isAlive
        ? `Process ${holder.pid} has kept ${file} locked for ${seconds} s. Nothing was changed. Close that program, then try again.`
        : `Process ${holder.pid} left the lock ${file} behind when it ended. Nothing was changed. Try again in a minute: then the lock is old enough to be taken over.`,
  );
}

/** @returns the process that a lock file names; null if there is none, or it names none */
async function holderOf(file: string): Promise<{ pid: number; isAlive: boolean } | null> {
  const handle = await opened(file, constants.O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const { pid } = await ownerOf(handle);
    return pid === undefined ? null : { pid, isAlive: isAlive(pid) };
  } finally {
    await handle.close();
  }
}

/** Whether a running program has locked the cache, according to its lock file. */
export async function isHeld(place: Place): Promise<boolean> {
  for (const file of await lockFilesOf(place)) if ((await holderOf(file))?.isAlive === true) return true;
  return false;
}

/**
 * Removes what a process of Tokenkeep left beside caches when it was killed during a sign-out: its lock, which MSAL Node would wait for
 * forever, and its temporary file, which holds tokens. Nothing of another program or of a running process is removed.
 *
 * @example
 * import { findSources, removeLeftovers } from 'tokenkeep/sources';
 *
 * await removeLeftovers(await findSources());
 */
export async function removeLeftovers(sources: readonly Pick<FoundSource, 'place'>[]): Promise<void> {
  const changed = sources.filter(({ place }) => place.content === 'msal');
  const locks = new Set<string>();
  const folders = new Set<string>();
  for (const { place } of changed) {
    if (place.locking === 'lockfile') for (const file of await lockFilesOf(place)) locks.add(file);
    // Where a link leads, too: its target is replaced.
    for (const file of [place.file, place.profile ?? place.file, ...(await signalsOf(place))])
      for (const path of [file, await realpath(file).catch(() => file)]) folders.add(dirname(path));
  }
  // A folder that can't be written keeps its leftovers, and the caches can be looked for all the same.
  for (const file of locks) await removeOwnLock(file).catch(() => undefined);
  for (const folder of folders) await removeTemporary(folder);
}

async function removeOwnLock(file: string): Promise<void> {
  const handle = await opened(file, FLAGS);
  if (handle === null) return;
  await closedOnError(handle, async () => {
    const { pid, isOurs } = await ownerOf(handle);
    if (isOurs && pid !== undefined && !isAlive(pid) && (await flock(handle)))
      await release(file, { handle, removed: true });
    else await handle.close();
  });
}

interface Held {
  readonly handle: FileHandle;
  /** Whether the lock file is deleted on release. azd keeps its file. */
  readonly removed: boolean;
}

/** macOS has no `flock` command, but locks a file while opening it (`O_EXLOCK` of fcntl.h). */
const EXCLUSIVE = process.platform === 'darwin' ? 0x20 : 0;
// Node has no such constants on Windows, where such links and pipes do not exist.
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants>;
const FLAGS = constants.O_RDWR | O_NOFOLLOW | O_NONBLOCK | EXCLUSIVE;

/** Creates the lock file, or takes over a stale one of a crashed program. */
async function take(file: string, now: () => number): Promise<Held | null> {
  const created = await createdWhole(file);
  if (created !== undefined) return created;
  const left = await opened(file, FLAGS);
  if (left === null) return null; // Removed in the meantime, or not a file: the caller tries again.
  return closedOnError(left, async () => {
    if (!(await isStale(left, now)) || !(await flock(left))) return letGo(left);
    // Another program may have taken it over and removed it before we had the lock: ours would be on a file that nobody sees.
    if (!(await isStale(left, now)) || !(await isAt(file, left))) return letGo(left);
    await left.truncate(0);
    await left.write(`${process.pid} ${OURS}`, 0);
    return { handle: left, removed: true };
  });
}

/**
 * Creates the lock file, locked and with our name in it from the start. If the name were written later, a process killed in between would
 * leave a file that could not be told from another program's, and every program would wait a minute for it.
 *
 * @returns null if another program was faster; undefined if the file is there
 */
async function createdWhole(file: string): Promise<Held | null | undefined> {
  if (process.platform === 'win32') return createdEmpty(file);
  const own = join(dirname(file), temporaryName());
  const handle = await opened(own, FLAGS | constants.O_CREAT | constants.O_EXCL);
  if (handle === null) return null;
  try {
    if (!(await flock(handle))) return await letGo(handle);
    await handle.write(`${process.pid} ${OURS}`);
    await link(own, file); // exclusive, as the creation of a file is
    return { handle, removed: true };
  } catch (error) {
    await handle.close();
    if (codeOf(error) === 'EEXIST') return undefined;
    // The file system has no hard links, such as that of a memory card.
    if (NO_LINKS.has(codeOf(error))) return await createdEmpty(file);
    throw error;
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
]);

async function createdEmpty(file: string): Promise<Held | null | undefined> {
  const created = await opened(file, FLAGS | constants.O_CREAT | constants.O_EXCL);
  if (created === null) return undefined;
  const held = { handle: created, removed: true };
  try {
    if (!(await flock(created))) return await letGo(created);
    await created.write(`${process.pid} ${OURS}`);
  } catch (error) {
    await release(file, held);
    throw error;
  }
  return held;
}

/** Locks a file that is not deleted on release. */
async function takeShared(file: string): Promise<Held | null> {
  const handle = await opened(file, FLAGS | constants.O_CREAT);
  if (handle === null) return null;
  return closedOnError(handle, async () =>
    (await flock(handle)) && (await isAt(file, handle)) ? { handle, removed: false } : letGo(handle),
  );
}

/** Closes the file if the task fails: its lock would be held for as long as it is open. */
async function closedOnError<T>(handle: FileHandle, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    await handle.close();
    throw error;
  }
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
    const code = codeOf(cause);
    if (code === 'EEXIST' || code === 'ENOENT') return null;
    if (EXCLUSIVE !== 0 && code === 'EAGAIN') return null; // locked by another program
    if (code !== 'ELOOP' && code !== 'ENXIO') throw notTaken(file, cause);
  }
  throw new SourceError(
    'source_busy',
    `${file} is a link or no file, so it can’t be used as a lock. Nothing was changed. Remove it, then try again.`,
  );
}

/** What the system says of a lock that it refuses, and what helps. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'Check who may write there',
  EPERM: 'Check who may write there',
  EROFS: 'Its file system is read-only, so sign out with the program itself, where it can be written',
  ENOSPC: 'The disk is full. Free some space, then try again',
  EDQUOT: 'Your disk quota is used up. Free some space, then try again',
  EMFILE: 'Too many files are open. Close other programs, then try again',
  ENFILE: 'Too many files are open. Close other programs, then try again',
};

function notTaken(file: string, cause: unknown): SourceError {
  if (cause instanceof SourceError) return cause;
  const code = codeOf(cause);
  const isForbidden = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  return new SourceError(
    isForbidden ? 'source_no_permission' : 'source_failed',
    `The lock ${file} can’t be taken (${code}). Nothing was changed. ${REFUSALS[code] ?? 'Check its file system'}.`,
    { cause },
  );
}

/**
 * Whether the process named in the lock file has ended. Another program's file must also be old, since the program may be about to write
 * its name.
 */
async function isStale(handle: FileHandle, now: () => number): Promise<boolean> {
  const { pid, isOurs } = await ownerOf(handle);
  if (isOurs && pid !== undefined) return !isAlive(pid);
  const { mtimeMs } = await handle.stat();
  return now() * 1000 - mtimeMs >= STALE && (pid === undefined || !isAlive(pid));
}

/** Reads what programs write into their lock files: the process ID, and most of them a name. */
async function ownerOf(handle: FileHandle): Promise<{ pid: number | undefined; isOurs: boolean }> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  const text = buffer.toString('latin1', 0, bytesRead);
  const pid = /\d{1,10}/.exec(text)?.[0];
  return { pid: pid === undefined ? undefined : Number(pid), isOurs: text.endsWith(` ${OURS}`) };
}

/**
 * A `flock` of the whole file that ends with our descriptor. Node has none, and the library that locks vaults uses locks of
 * another kind, which these programs don't see. Takes 3 ms, and more on a file server.
 */
async function flock(handle: FileHandle): Promise<boolean> {
  if (process.platform === 'win32' || EXCLUSIVE !== 0) return true; // opening the file has locked it
  const failed = (says: string, remedy: string, cause?: unknown): SourceError =>
    new SourceError('source_busy', `${says}, so the cache can’t be locked. Nothing was changed. ${remedy}`, {
      cause,
    });
  return new Promise((resolve, reject) => {
    const command = spawn('flock', ['-x', '-n', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', handle.fd],
      timeout: 2_000,
    });
    command.on('error', (cause) => {
      reject(
        codeOf(cause) === 'ENOENT'
          ? failed('The command `flock` is missing', 'Install util-linux, then try again.', cause)
          : failed(`The command \`flock\` did not start (${codeOf(cause)})`, 'Try again.', cause),
      );
    });
    command.on('exit', (status, signal) => {
      if (signal === null) resolve(status === 0);
      else reject(failed(`The command \`flock\` did not answer (${signal})`, 'Try again.'));
    });
  });
}

async function release(file: string, { handle, removed }: Held): Promise<void> {
  try {
    if (removed && (await isAt(file, handle))) await unlink(file);
  } finally {
    await handle.close();
  }
}

/** Whether a path leads to the opened file. */
async function isAt(file: string, handle: FileHandle): Promise<boolean> {
  const there = await lstat(file, { bigint: true }).catch(() => null);
  const own = await handle.stat({ bigint: true });
  return there !== null && isSameNode(there, own);
}
