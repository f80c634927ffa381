/** Files of other programs: read without waiting, replaced whole. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, open, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SourceError } from '../errors.ts';
import type { Content, Unread } from './source-state.ts';

/** Maximum document size in bytes. A document of 10,000 accounts has 100 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

/** Reads a regular file of at most 256 MiB as text. Never blocks on a pipe. */
export async function readText(file: string, name: string): Promise<Content> {
  const found = await readBytes(file, name);
  return 'state' in found ? found : { text: found.bytes.toString('utf8'), writtenAt: found.writtenAt };
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
    if (about.size > MOST_BYTES)
      return {
        state: 'not-understood',
        problem: `${file} has ${Math.round(about.size / 1024 / 1024)} MB, more than any token cache. Nothing was read.`,
      };
    return { bytes: await handle.readFile(), writtenAt: Math.floor(about.mtimeMs / 1000) };
  } catch (error) {
    return refused(file, name, error);
  } finally {
    await handle.close();
  }
}

function refused(file: string, name: string, error: unknown): Unread {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return { state: 'gone', problem: `${file} is not there any more. ${name} may have signed out.` };
  if (code === 'EACCES' || code === 'EPERM')
    return {
      state: 'no-permission',
      problem: `You don’t have permission to read ${file}. It belongs to another user, or the system protects it.`,
    };
  return {
    state: 'not-understood',
    problem: `${file} can’t be read (${code === '' ? 'unknown error' : code}).`,
  };
}

/** Replaces a file atomically, with the same mode and owner and a new modification time. Data is flushed before the rename. */
export async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const temporary = join(dirname(file), `.tokenkeep-${randomBytes(6).toString('hex')}.tmp`);
  try {
    const about = await stat(file);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (process.platform !== 'win32') {
      await chmod(temporary, about.mode & 0o777);
      if (about.uid !== process.getuid?.()) await chown(temporary, about.uid, about.gid);
    }
    await rename(temporary, file);
    await setAhead(file);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const refused = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new SourceError(
      refused ? 'source_no_permission' : 'source_failed',
      refused
        ? `You don’t have permission to write ${file}. Nothing was changed. Sign out in the program itself.`
        : `${file} can’t be written (${code}). Nothing was changed.`,
      { cause },
    );
  }
}

/** Sets a file's time 50 ms ahead, so that a program that wrote within the same clock tick notices the change. */
export async function setAhead(file: string): Promise<void> {
  // eslint-disable-next-line no-restricted-properties -- other programs compare it with the system's clock
  const later = (Date.now() + 50) / 1000;
  await utimes(file, later, later);
}
