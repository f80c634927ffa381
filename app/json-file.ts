/** Small settings as JSON in the profile's folder: replaced whole, so that what is there is always one or the other. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { StorageError } from 'tokenkeep';

/**
 * @returns what `check` makes of the file; undefined where there is none. A file that `check` throws at is set aside as
 *   `<file>.damaged-<time>`, never deleted, and undefined is given as well.
 * @throws StorageError where there is one and the system does not let it be read: taken for none, it would be replaced.
 */
export function readJson<T>(file: string, check: (value: unknown) => T, now: () => number): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    const message = `The app’s file ${basename(file)} is there and can’t be read. It was left as it is. See that you may read it, then try again.`;
    throw new StorageError('storage_failed', message, { cause });
  }
  try {
    return check(JSON.parse(text));
  } catch {
    try {
      renameSync(file, `${file}.damaged-${now()}`);
    } catch {
      // On a read-only disk it stays where it is, and is not overwritten either.
    }
    return undefined;
  }
}

/** @throws where the disk refuses; the file is then as it was. */
export function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
