// ESLint's side of the house: the walls between rooms, and no circles.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { edges, root } from './graph.mjs';
import { importsOf, resolveImport } from './imports.mjs';
import { refusal, roomOf } from './walls.mjs';

const pathOf = (context) => relative(root, resolve(context.filename)).split(sep).join('/');

function report(context, { start, end }, message) {
  const { sourceCode } = context;
  context.report({
    loc: { start: sourceCode.getLocFromIndex(start), end: sourceCode.getLocFromIndex(end) },
    message,
  });
}

/** Each import stays within what the file's room may know. */
const walls = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = pathOf(context);
    const room = roomOf(file);
    if (!room) return {};
    return {
      Program() {
        for (const found of importsOf(context.sourceCode.text, file)) {
          const message = complaint(found, room, context.filename);
          if (message) report(context, found, message);
        }
      },
    };
  },
};

function complaint({ specifier, isWhole, isType }, room, from) {
  const target = specifier === undefined ? undefined : resolveImport(specifier, from, root);
  // Of a template the package is known if it stands before the first `${`; a file is not.
  if (!target || (!isWhole && (target.kind === 'file' || !specifier.includes('/'))))
    return 'Import by a literal path: a computed one passes every wall unseen.';
  return refusal(room, target, isType);
}

/** No module imports itself through others, not even for a type. */
const circles = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = pathOf(context);
    return {
      Program() {
        for (const found of importsOf(context.sourceCode.text, file)) {
          if (!found.isWhole) continue;
          const { kind, name } = resolveImport(found.specifier, context.filename, root);
          const way = kind === 'file' && wayBack(name, file);
          if (way)
            report(
              context,
              found,
              `Imports go in a circle, so neither can be read without the other: ${way}.`,
            );
        }
      },
    };
  },
};

/** The modules from `start` to `goal`, each importing the next; undefined where none leads there. */
function wayBack(start, goal) {
  const from = new Map([[start, undefined]]);
  for (const file of from.keys()) {
    if (file === goal) return [...chain(from, file)].reverse().join(' → ');
    for (const next of importsOnDisk(file)) if (!from.has(next)) from.set(next, file);
  }
  return undefined;
}

function* chain(from, file) {
  for (let at = file; at !== undefined; at = from.get(at)) yield at;
}

const read = new Map();

function importsOnDisk(file) {
  const path = join(root, file);
  if (!/\.[cm]?[jt]sx?$/.test(file) || file.includes('node_modules/') || !existsSync(path)) return [];
  const { mtimeMs } = statSync(path);
  const known = read.get(file);
  if (known?.mtimeMs === mtimeMs) return known.found;
  const found = edges(readFileSync(path, 'utf8'), file);
  read.set(file, { mtimeMs, found });
  return found;
}

export const house = { meta: { name: 'house' }, rules: { walls, circles } };
