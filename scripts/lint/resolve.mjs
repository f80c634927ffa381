// Finds what a specifier names. It needs no compiler, which takes a second to load: every run of vitest resolves imports.
import { existsSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

/**
 * Resolves a specifier: `file`, a path from the root with `/`; `entry`, an entry point of this package; `builtin`, a module of Node or
 * Electron; or another `package`.
 *
 * @param {string} specifier
 * @param {string} from the importing file, absolute
 * @param {string} root of the repository, absolute
 * @returns {{ kind: 'file' | 'entry' | 'builtin' | 'package', name: string }}
 */
export function resolveImport(specifier, from, root) {
  const bare = specifier.replace(/[?#].*$/, '');
  if (/^\.{0,2}\//.test(`${bare}/`) || bare.startsWith('file:'))
    return { kind: 'file', name: inRepository(bare, from, root) };
  if (isBuiltin(bare)) return { kind: 'builtin', name: bare.replace(/^node:/, '') };
  const [scope, name] = bare.split('/');
  const owner = scope.startsWith('@') && name ? `${scope}/${name}` : scope;
  if (owner === 'tokenkeep') return { kind: 'entry', name: bare };
  return { kind: 'package', name: owner };
}

function inRepository(specifier, from, root) {
  const path = specifier.startsWith('file:')
    ? new URL(specifier).pathname
    : resolve(dirname(from), specifier);
  return relative(root, onDisk(path)).split(sep).join('/');
}

/** Returns the file of a path without an extension, or with the extension that the compiled file will have. */
function onDisk(path) {
  const stem = path.replace(/\.[cm]?jsx?$/, '');
  const candidates = [
    path,
    ...['.ts', '.tsx', '.mts', '.cts'].map((end) => stem + end),
    join(path, 'index.ts'),
  ];
  return candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile()) ?? path;
}
