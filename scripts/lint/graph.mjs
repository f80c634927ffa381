// The import graph of the modules.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveImport } from './resolve.mjs';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const folders = ['src-main', 'src-renderer', 'app', 'scripts', 'examples', 'bench', 'test'];

/** Returns the files of the repository that a module imports, of all that it imports. */
export function edges(imports, file) {
  return imports
    .filter(({ isWhole }) => isWhole)
    .map(({ specifier }) => resolveImport(specifier, join(root, file), root))
    .filter(({ kind }) => kind === 'file')
    .map(({ name }) => name);
}

/** Returns every source file that git tracks or that is new and not ignored. */
export function modules(within = folders) {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...within],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return listed
    .split('\n')
    .filter((file) => /\.([cm]?[jt]s|tsx)$/.test(file) && existsSync(join(root, file)))
    .sort();
}

/**
 * Returns the way from one of the files to `goal`, each importing the next; undefined if there is none.
 *
 * @param {Iterable<string>} starts paths from the root, with `/`
 * @param {string} goal
 * @param {(file: string) => Iterable<string>} importsOf returns the files that a file imports, types included
 * @returns {string[] | undefined}
 */
export function way(starts, goal, importsOf) {
  const from = new Map([...starts].map((start) => [start, undefined]));
  for (const file of from.keys()) {
    if (file === goal) return [...chain(from, file)].reverse();
    for (const next of importsOf(file)) if (!from.has(next)) from.set(next, file);
  }
  return undefined;
}

function* chain(from, file) {
  for (let at = file; at !== undefined; at = from.get(at)) yield at;
}
