// The import graph of the modules, and its cycles. `node scripts/lint/graph.mjs` prints the cycles.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importsOf, resolveImport } from './imports.mjs';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const folders = ['src-main', 'src-renderer', 'app', 'scripts', 'examples', 'bench', 'test'];

/**
 * Reads the modules of the repository, or the given ones.
 *
 * @param {readonly string[]} files paths from the root
 * @param {(file: string) => string} read
 * @returns {Map<string, Set<string>>} each module with the ones it imports, types included
 */
export function graph(files = modules(), read = (file) => readFileSync(join(root, file), 'utf8')) {
  const known = new Set(files);
  return new Map(files.map((file) => [file, new Set(edges(read(file), file).filter((to) => known.has(to)))]));
}

/** Returns the files of the repository that a module imports. */
export function edges(text, file) {
  return importsOf(text, file)
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
 * Returns the groups of modules that reach each other (Tarjan's strongly connected components); none if there are no cycles.
 *
 * @param {Map<string, Set<string>>} imports
 * @returns {string[][]}
 */
export function circles(imports) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const visit = (file) => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || imports.get(file)?.has(file)) found.push(group.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const imports = graph();
  const found = circles(imports);
  for (const group of found) console.log(`circle: ${group.join(', ')}`);
  console.log(`${imports.size} modules, ${found.length} circles`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
