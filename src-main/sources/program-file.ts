/** Files of other programs: reads them without blocking, and replaces them atomically. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../error-code.ts';
import { SourceError } from '../errors.ts';
import { readAtMost } from '../vault/exchange/read-at-most.ts';
import type { Place } from './programs.ts';
import type { Content, Unread } from './source-state.ts';

/** Maximum document size in bytes. A document of 10,000 accounts has 100 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

/** Reads a regular file of at most 256 MiB as text. Never blocks on a pipe. */
export async function readText(file: string, name: string): Promise<Content> {
  const found = await readBytes(file, name);
  if ('state' in found) return found;
  const text = decodedText(found.bytes);
  return text === null ? notText(file) : { text, writtenAt: found.writtenAt };
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns null if the bytes are not UTF-8. A lenient decoder would replace them, and a sign-out would write the replacement back. */
export function decodedText(bytes: Uint8Array): string | null {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}

export function notText(file: string): Unread {
  return { state: 'not-understood', problem: `${file} is not UTF-8 text. Nothing was changed.` };
}

/** Reads a regular file of at most 256 MiB. Never blocks on a pipe. */
export async function readBytes(
  file: string,
  name: string,
): Promise<{ readonly bytes: Buffer; readonly writtenAt: number } | Unread> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | NON_BLOCKING);
  } catch (error) {
    return refused(file, name, error);
  }
  try {
    const about = await handle.stat();
    if (!about.isFile())
      return { state: 'not-understood', problem: `${file} is not a file. Nothing was read.` };
    const bytes = about.size > MOST_BYTES ? null : await readAtMost(handle, MOST_BYTES);
    if (bytes === null) {
      const size =
        about.size > MOST_BYTES ? `${Math.round(about.size / 1024 / 1024)} MB` : 'more than 256 MB';
      return {
        state: 'not-understood',
        problem: `${file} has ${size}, more than any token cache. Nothing was read.`,
      };
    }
    return { bytes, writtenAt: Math.floor(about.mtimeMs / 1000) };
  } catch (error) {
    return refused(file, name, error);
  } finally {
    await handle.close();
  }
}

/** Returns why a file can't be read. */
export function refused(file: string, name: string, error: unknown): Unread {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return { state: 'gone', problem: `${file} is not there any more. ${name} may have signed out.` };
  if (code === 'EACCES' || code === 'EPERM')
    return {
      state: 'no-permission',
      problem: `You don’t have permission to read ${file}. It belongs to another user, or the system protects it.`,
    };
  if (process.platform === 'win32' && code === 'EBUSY')
    return {
      state: 'in-use',
      problem: `${name} has ${file} open for itself. Close it, then open this again.`,
    };
  if (code === 'ELOOP')
    return { state: 'not-understood', problem: `${file} is a link that leads to itself. Nothing was read.` };
  return {
    state: 'not-understood',
    problem: `${file} can’t be read (${code === '' ? 'unknown error' : code}).`,
  };
}

/** New contents that have been written to the disk, beside the file that they will replace. */
export interface Prepared {
  /** Replaces the file, with a new modification time. */
  put: () => Promise<void>;
  /** Removes the new contents unless `put` has used them. */
  discard: () => Promise<void>;
}

/** Temporary files name their process, so that those of a process that was killed can be told from those in use. */
export const temporaryName = (): string => `.tokenkeep-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
const TEMPORARY = /^\.tokenkeep-(\d+)-[0-9a-f]{12}\.tmp$/;

/**
 * Writes and flushes a temporary file with the mode and owner of the file that it will replace. The slow part comes before a lock is
 * taken, so that nothing but a rename happens under it. Replaces the target of a symbolic link and keeps the link: the tokens are in the
 * target.
 *
 * @throws SourceError
 */
export async function prepareWhole(path: string, bytes: Uint8Array): Promise<Prepared> {
  const file = await realpath(path).catch(() => path);
  const temporary = join(dirname(file), temporaryName());
  let isThere = true;
  const discard = async (): Promise<void> => {
    if (isThere) await unlink(temporary).catch(() => undefined);
    isThere = false;
  };
  try {
    const about = await stat(file);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      if (process.platform !== 'win32') {
        const own = await handle.stat();
        if (own.uid !== about.uid || own.gid !== about.gid) await handle.chown(about.uid, about.gid);
        await handle.chmod(about.mode & 0o777);
      }
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await discard();
    throw notWritten(file, cause);
  }
  return {
    async put() {
      try {
        // Before the rename: a running program would bring the account back if the new document had an old time, even for a moment.
        await setAhead(temporary);
        await renameOver(temporary, file);
        isThere = false;
      } catch (cause) {
        throw notWritten(file, cause);
      }
    },
    discard,
  };
}

/** Milliseconds between attempts, and for all attempts together: Windows refuses to replace a file while another program has it open. */
const [RETRY, RETRY_FOR] = [40, 800];
const IN_USE = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** Renames a file over another one. On Windows, waits for a program that is reading it. */
export async function renameOver(
  from: string,
  to: string,
  platform: NodeJS.Platform = process.platform,
  move: (from: string, to: string) => Promise<void> = rename,
): Promise<void> {
  const end = performance.now() + RETRY_FOR;
  for (;;) {
    try {
      await move(from, to);
      return;
    } catch (error) {
      if (platform !== 'win32' || !IN_USE.has(codeOf(error)) || performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}

function notWritten(file: string, cause: unknown): SourceError {
  const code = codeOf(cause);
  if (process.platform === 'win32' && IN_USE.has(code))
    return new SourceError(
      'source_busy',
      `Another program has ${file} open, or you don’t have permission to write it. Nothing was changed. Close the program, then try again.`,
      { cause },
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new SourceError(
      'source_no_permission',
      `You don’t have permission to write ${file}. Nothing was changed. Sign out in the program itself.`,
      { cause },
    );
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SourceError(
      'source_failed',
      `The disk of ${file} is full. Nothing was changed. Free some space, then try again.`,
      { cause },
    );
  if (code === 'EBUSY')
    return new SourceError(
      'source_failed',
      `${file} is mounted by itself, as containers do, so it can’t be replaced. Nothing was changed. Sign out in the program itself.`,
      { cause },
    );
  if (code === 'ENOENT')
    return new SourceError('source_unreadable', `${file} is not there any more. Nothing was changed.`, {
      cause,
    });
  return new SourceError(
    'source_failed',
    `${file} can’t be written (${code === '' ? 'unknown error' : code}). Nothing was changed.`,
    { cause },
  );
}

/** Removes the temporary files that processes of Tokenkeep left in a folder when they were killed. They hold tokens. */
export async function removeTemporary(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = TEMPORARY.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await unlink(join(folder, name)).catch(() => undefined);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Size in bytes of an empty cache: 0 (MSAL Python, MSAL.NET) or 2 for `{}` (MSAL Node). */
export const LARGEST_SIGNAL = 2;

/** Returns the files whose time tells programs that an item of a keyring has changed, or that a file has: it alone. */
export async function signalsOf({ file, signals = [] }: Place): Promise<string[]> {
  const found = new Set([file]);
  for (const signal of signals) {
    const about = await stat(signal).catch(() => null);
    // One with contents is a cache itself.
    if (about?.isFile() === true && about.size <= LARGEST_SIGNAL) found.add(signal);
  }
  return [...found].sort();
}

/** Sets a file's time ahead: by 50 ms, so that a program that wrote within the same clock tick notices the change. */
export async function setAhead(file: string, milliseconds = 50): Promise<void> {
  // eslint-disable-next-line no-restricted-properties -- other programs compare it with the system's clock
  const later = (Date.now() + milliseconds) / 1000;
  await utimes(file, later, later);
}
