// The ESLint rules of this repository: walls between rooms, and no import cycles.
import { readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { edges, root, way } from './graph.mjs';
import { importsIn, importsOf } from './imports.mjs';
import { resolveImport } from './resolve.mjs';
import { refusal, roomOf } from './walls.mjs';

const pathOf = (context) => relative(root, resolve(context.filename)).split(sep).join('/');

function report(context, { start, end }, message) {
  const { sourceCode } = context;
  context.report({
    loc: { start: sourceCode.getLocFromIndex(start), end: sourceCode.getLocFromIndex(end) },
    message,
  });
}

/** The imports that were last found in each file, and the text in which they were. Each text is parsed once for both rules. */
const parsed = new Map();

function importsOfText(text, file, parse = () => importsOf(text, file)) {
  const known = parsed.get(file);
  if (known?.text === text) return known.imports;
  const imports = parse();
  parsed.set(file, { text, imports });
  return imports;
}

/** The imports of the linted file, which typescript-eslint has parsed already. */
function importsHere({ sourceCode }, file) {
  const source = sourceCode.parserServices?.esTreeNodeToTSNodeMap?.get(sourceCode.ast);
  return importsOfText(sourceCode.text, file, source && (() => importsIn(source)));
}

/** A parser for files of which only the imports matter: it builds no syntax tree, and the rules find the imports in the text. */
export const importsOnly = {
  meta: { name: 'house/imports-only', version: '1' },
  parseForESLint(text) {
    const lines = text.split('\n');
    const end = { line: lines.length, column: lines.at(-1).length };
    const place = { range: [0, text.length], loc: { start: { line: 1, column: 0 }, end } };
    const ast = { type: 'Program', sourceType: 'module', body: [], tokens: [], comments: [], ...place };
    return { ast, visitorKeys: { Program: [] } };
  },
};

/** Each import must be among those that the file's room may know. */
const walls = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = pathOf(context);
    const room = roomOf(file);
    if (!room) return {};
    return {
      Program() {
        for (const found of importsHere(context, file)) {
          const message = complaint(found, room, context.filename);
          if (message) report(context, found, message);
        }
      },
    };
  },
};

function complaint({ specifier, isWhole, isType }, room, from) {
  const target = specifier === undefined ? undefined : resolveImport(specifier, from, root);
  // In a template, a package is known if its name comes before the first `${`; a file is not known.
  if (!target || (!isWhole && (target.kind === 'file' || !specifier.includes('/'))))
    return 'Import by a literal path: a computed one passes every wall unseen.';
  return refusal(room, target, isType);
}

/** No module may import itself through others, not even for a type. */
const circles = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = pathOf(context);
    return {
      Program() {
        const imports = importsHere(context, file)
          .filter(({ isWhole }) => isWhole)
          .map((found) => ({ found, ...resolveImport(found.specifier, context.filename, root) }))
          .filter(({ kind }) => kind === 'file');
        // Nearly always there is no path back to this module, which one search from all imports shows.
        if (!way(new Set(imports.map(({ name }) => name)), file, importsOnDisk)) return;
        for (const { found, name } of imports) {
          const back = way([name], file, importsOnDisk)?.join(' → ');
          if (back)
            report(
              context,
              found,
              `Imports go in a circle, so neither can be read without the other: ${back}.`,
            );
        }
      },
    };
  },
};

const read = new Map();

/** Milliseconds for which a file's imports are not read again. Editors lint for hours, and a run of ESLint lints hundreds of files. */
const FRESH = 1000;

function importsOnDisk(file) {
  const now = performance.now();
  const known = read.get(file);
  if (known && now - known.lookedAt < FRESH) return known.found;
  const path = join(root, file);
  const mtimeMs =
    /\.[cm]?[jt]sx?$/.test(file) && !file.includes('node_modules/') ? changedAt(path) : undefined;
  const isSame = known && known.mtimeMs === mtimeMs;
  const found = isSame
    ? known.found
    : mtimeMs === undefined
      ? []
      : edges(importsOfText(readFileSync(path, 'utf8'), file), file);
  read.set(file, { mtimeMs, found, lookedAt: now });
  return found;
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

export const house = { meta: { name: 'house' }, rules: { walls, circles } };
