/** Follows a source: tells when its program has written. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FoundSource } from './find.ts';

/** A program writes more than once for one change; it is told once it has been quiet for this long, in milliseconds. */
const QUIET = 150;

/**
 * Calls the listener after the cache was written, replaced or removed. The folder is watched and not the file, whose watch would
 * end with the first rename. Keeps no program alive.
 *
 * @returns a function that ends it
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
    // A folder that goes away ends its watch; reading the source says that it is gone.
    watcher.on('error', listener);
  } catch {
    // Where folders can't be watched nothing is told; a source can be read again at any time.
  }
  return () => {
    clearTimeout(timer);
    watcher?.close();
  };
}
