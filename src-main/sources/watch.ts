/** Watches a source for changes by its program. */
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { FoundSource } from './find.ts';

/** Debounce time in milliseconds, since programs write several times for one change. */
const QUIET = 150;
/** Milliseconds by which the times of files may be behind the clock: file systems take the time of the last tick. */
const TICK = 20;

/**
 * Calls the listener after the cache was written, replaced, removed or created again. Watches the folder, since a watch on the file would
 * end with the first rename. Does not keep the process alive. What is changed from the call on is noticed, although the watch begins
 * later: the files are looked at without blocking, since they may be on a server that does not respond.
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
  // eslint-disable-next-line no-restricted-properties -- compared with the times of files
  const since = Date.now() - TICK;
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  /** Of several starts, the last one counts; after the end, none does. */
  let turn = 0;
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Before the listener reads: the folder may have been replaced, and a link may point elsewhere.
      void start().then((found) => {
        if (found !== null) listener();
      });
    }, QUIET);
    timer.unref();
  };
  const targets = async (): Promise<Target[]> => {
    // Programs that share an item each change the time of their own file.
    const signals = await Promise.all(
      (place?.signals ?? []).map(async (signal) => ((await isThere(signal)) ? [signal] : [])),
    );
    // A program writes to either name of a link.
    const names = await Promise.all(
      [file, ...signals.flat()].map(async (one) => [one, await realpath(one).catch(() => one)]),
    );
    return Promise.all(
      [...new Set(names.flat())].map(async (target) => ({ target, folder: await folderAbove(target) })),
    );
  };
  /** @returns null if it was not the last one */
  const start = async (): Promise<Target[] | null> => {
    const mine = ++turn;
    const found = await targets();
    if (mine !== turn) return null;
    close();
    watchers = found.flatMap((one) => watched(one, changed));
    return found;
  };
  const begin = async (): Promise<void> => {
    const found = await start();
    const mine = turn;
    const times = await Promise.all(
      (found ?? []).map(
        async ({ target, folder }) => (await changeTime(target)) || (await changeTime(folder)),
      ),
    );
    if (mine === turn && times.some((time) => time >= since)) changed();
  };
  void begin();
  return () => {
    turn += 1;
    clearTimeout(timer);
    close();
  };
}

/** A file to be watched, and its folder; if that is missing, the closest one above. */
interface Target {
  readonly target: string;
  readonly folder: string;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Returns the time of the last change in milliseconds since the epoch; 0 for what is not there. */
const changeTime = (path: string): Promise<number> =>
  stat(path).then(
    ({ ctimeMs }) => ctimeMs,
    () => 0,
  );

/** Returns the folder of a file; if it is missing, the closest one above, since a program that signs in again creates it. */
async function folderAbove(target: string): Promise<string> {
  let folder = dirname(target);
  while (!(await isThere(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function watched({ target, folder }: Target, changed: () => void): FSWatcher[] {
  const own = dirname(target);
  /** The next name on the way to the target, and the folder itself, which may be removed. */
  const rest = folder === own ? basename(target) : own.slice(folder.length).split(/[/\\]/).find(Boolean);
  const names: readonly (string | null | undefined)[] = [null, rest, basename(folder)];
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (names.includes(name)) changed();
    });
    watcher.on('error', changed);
    return [watcher];
  } catch {
    // If the folder cannot be watched, the listener is never called; the source can still be read again.
    return [];
  }
}
