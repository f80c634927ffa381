/** The `@example`s of docstrings, and the exports that need one. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { modules } from '../../scripts/lint/graph.mjs';
import manifest from '../../package.json' with { type: 'json' };
import type { Code } from './guide.ts';

const root = resolve(import.meta.dirname, '..', '..');

/** An example, with or without a fence around it, up to the next tag or the end of the comment. */
const EXAMPLE = /^[ \t]*\* @example[ \t]*\n((?:[ \t]*\*(?!\/)(?! @[a-z]+\b).*\n)+)/gm;

/** Every example in a docstring of src-main, exported or not. */
export function examples(): Code[] {
  const pages: readonly string[] = modules(['src-main']);
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(EXAMPLE)].map(({ index, 1: body = '' }) => ({
      page,
      line: text.slice(0, index).split('\n').length + 1,
      code: body.replaceAll(/^[ \t]*\* ?/gm, '').replaceAll(/^```.*$/gm, ''), // An empty line instead of a fence keeps the line numbers.
    }));
  });
}

/** The entries of the package by name, with their source files. */
export function entries(program: ts.Program): Map<string, string> {
  const { paths = {} } = program.getCompilerOptions();
  const names = Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace('.', 'tokenkeep'));
  return new Map(names.map((name) => [name, join(root, paths[name]?.[0] ?? `no path of ${name}`)]));
}

/** An export of the package. */
export interface Exported {
  readonly name: string;
  /** The entry that exports it. */
  readonly entry: string;
  readonly kind: 'value' | 'interface with functions' | 'data';
  /** The text of its `@example`s. */
  readonly examples: string;
}

/** Returns everything that the entries export, once, with its examples. */
export function exported(program: ts.Program): Exported[] {
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, Exported>();
  for (const [entry, file] of entries(program)) {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (source === undefined || module === undefined)
      throw new Error(`${entry}: ${file} is not a module of the program`);
    const typesOnly = typeExports(source, checker);
    for (const alias of checker.getExportsOfModule(module)) {
      const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
      if (found.has(symbol)) continue;
      const tags = symbol.getJsDocTags(checker).filter(({ name }) => name === 'example');
      found.set(symbol, {
        name: alias.name,
        entry,
        kind: typesOnly.has(alias.name) ? 'data' : kindOf(symbol, checker),
        examples: tags.map(({ text }) => ts.displayPartsToString(text)).join('\n'),
      });
    }
  }
  return [...found.values()];
}

/** Returns the names that a module re-exports by `export type * from`, including constants, whose values nobody can import. */
function typeExports(source: ts.SourceFile, checker: ts.TypeChecker): Set<string> {
  const from = source.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.isTypeOnly && statement.exportClause === undefined
      ? (statement.moduleSpecifier ?? [])
      : [],
  );
  return new Set(
    from.flatMap((specifier) => {
      const module = checker.getSymbolAtLocation(specifier);
      return module === undefined ? [] : checker.getExportsOfModule(module).map(({ name }) => name);
    }),
  );
}

function kindOf(symbol: ts.Symbol, checker: ts.TypeChecker): Exported['kind'] {
  if (symbol.flags & ts.SymbolFlags.Value) return 'value';
  if ((symbol.flags & ts.SymbolFlags.Interface) === 0 || symbol.name.endsWith('Options')) return 'data';
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const isCallable = (each: ts.Type): boolean =>
    (each.isUnion() ? each.types : [each]).some((one) => one.getCallSignatures().length > 0);
  const hasFunctions =
    isCallable(type) ||
    type.getProperties().some((property) => isCallable(checker.getTypeOfSymbol(property)));
  return hasFunctions ? 'interface with functions' : 'data';
}
