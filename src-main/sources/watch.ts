/** Watches a source for changes by its program. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FoundSource } from './find.ts';

/** Debounce time in milliseconds, since programs write several times for one change. */
const QUIET = 150;

/**
 * Calls the listener after the cache was written, replaced or removed. Watches the folder, since a watch on the file would
 * end with the first rename. Does not keep the process alive.
 *
 * @returns a function that stops watching
 * @example
 * ```ts
 * import { findSources, watchSource } from 'tokenkeep/sources';
 *
 * const [source] = await findSources();
 * const stop = source && watchSource(source, () => console.log('changed'));
 * stop?.();
 * ```
 */
export function watchSource({ file }: Pick<FoundSource, 'file'>, listener: () => void): () => void {
  const name = basename(file);
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(file), { persistent: false }, (_, changed) => {
      if (changed !== null && changed !== name) return;
      clearTimeout(timer);
      timer = setTimeout(listener, QUIET);
      timer.unref();
    });
    // Removing the folder ends the watch; reading the source then reports `gone`.
    watcher.on('error', listener);
  } catch {
    // If the folder cannot be watched, the listener is never called; the source can still be read again.
  }
  return () => {
    clearTimeout(timer);
    watcher?.close();
  };
}
