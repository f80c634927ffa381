/** Watches a source for changes by its program. */
import { existsSync, type FSWatcher, realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FoundSource } from './find.ts';

/** Debounce time in milliseconds, since programs write several times for one change. */
const QUIET = 150;

/**
 * Calls the listener after the cache was written, replaced, removed or created again. Watches the folder, since a watch on the file would
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
export function watchSource(
  { file, place }: Pick<FoundSource, 'file'> & Partial<Pick<FoundSource, 'place'>>,
  listener: () => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  const stop = (): void => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Before the listener reads: the folder may have been replaced, and a link may point elsewhere.
      start();
      listener();
    }, QUIET);
    timer.unref();
  };
  const start = (): void => {
    stop();
    // Programs that share an item each change the time of their own file.
    const targets = [file, ...(place?.signals ?? []).filter((signal) => existsSync(signal))].flatMap(
      targetsOf,
    );
    watchers = [...new Set(targets)].flatMap((target) => watched(target, changed));
  };
  start();
  return stop;
}

/** Returns a file and the file that it is a link to, if it is one: a program writes to either name. */
function targetsOf(file: string): string[] {
  try {
    return [...new Set([file, realpathSync(file)])];
  } catch {
    return [file];
  }
}

/** Watches the folder of a file; if it is missing, the closest one above, since a program that signs in again creates it. */
function watched(target: string, changed: () => void): FSWatcher[] {
  const own = dirname(target);
  let folder = own;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      const concerns =
        folder === own ? [null, basename(target), basename(own)].includes(name) : existsSync(own);
      if (concerns) changed();
    });
    watcher.on('error', changed);
    return [watcher];
  } catch {
    // If the folder cannot be watched, the listener is never called; the source can still be read again.
    return [];
  }
}
