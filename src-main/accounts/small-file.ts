import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Maximum bytes of a small file. What it lists, such as hosts or issuers, has about 100 bytes each. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Opening a named pipe would wait for a writer. Windows has no such flag and no pipes in folders. */
const READING = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a file of settings at once, as text. Another program can have put anything in its place, and the whole app would wait for a pipe or a
 * device.
 *
 * @throws if it is missing, not a regular file, or larger than 16 MB
 * @example
 * import { readSmallFile } from 'tokenkeep/ipc';
 *
 * const settings: unknown = JSON.parse(readSmallFile('/home/eve/.config/my-app/settings.json'));
 */
export function readSmallFile(file: string): string {
  const handle = openSync(file, READING);
  try {
    const about = fstatSync(handle);
    if (!about.isFile()) throw new Error(`${file} is not a regular file.`);
    if (about.size > MOST_BYTES) throw new Error(`${file} has more than ${MOST_BYTES} bytes.`);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
