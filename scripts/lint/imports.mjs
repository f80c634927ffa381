// Finds every way in which a module names another one. ESLint's walls and the search for cycles both use it, so that both see the same
// imports; resolve.mjs finds what they name.
import ts from 'typescript';

/**
 * One mention of another module.
 *
 * @typedef {object} Import
 * @property {string | undefined} specifier undefined if it is computed; for a template, the part before the first `${`
 * @property {boolean} isWhole false for the beginning of a template
 * @property {boolean} isType whether it is erased, as `import type` is
 * @property {number} start offset in the text
 * @property {number} end
 */

/**
 * Returns every import of a module: static ones, types, `export … from`, `import()`, `require` and what `createRequire`
 * returns, `require.resolve`, `import.meta.resolve`, `new URL('…', import.meta.url)`, `declare module '…'` and
 * `/// <reference path>`.
 *
 * @param {string} text
 * @param {string} file its name; decides whether it is parsed as TypeScript or TSX
 * @returns {Import[]}
 */
export function importsOf(text, file) {
  return importsIn(ts.createSourceFile(file, text, ts.ScriptTarget.ESNext));
}

/**
 * Returns every import of a module that has been parsed.
 *
 * @param {ts.SourceFile} source
 * @returns {Import[]}
 */
export function importsIn(source) {
  const found = [];
  const makers = new Set(['createRequire']);
  const requires = new Set(['require']);
  const add = (node, isType = false) => found.push(mention(node, isType, source));

  for (const { fileName, pos, end } of source.referencedFiles)
    found.push({ specifier: relativeTo(fileName), isWhole: true, isType: true, start: pos, end });

  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const named = node.importClause?.namedBindings;
      for (const element of named && ts.isNamedImports(named) ? named.elements : [])
        if (element.propertyName?.text === 'createRequire') makers.add(element.name.text);
      add(node.moduleSpecifier, isErased(node.importClause));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true);
    } else if (
      ts.isModuleDeclaration(node) &&
      ts.isStringLiteral(node.name) &&
      node.name.text.startsWith('.')
    ) {
      add(node.name, true);
    } else if (
      ts.isVariableDeclaration(node) &&
      ts.isIdentifier(node.name) &&
      isMade(node.initializer, makers)
    ) {
      requires.add(node.name.text);
    } else if (ts.isCallExpression(node) && loads(node.expression, requires, makers)) {
      if (node.arguments[0]) add(node.arguments[0]);
    } else if (ts.isNewExpression(node) && isModuleUrl(node)) {
      add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether the import is erased at compile time. */
function isErased(clause) {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every((element) => element.isTypeOnly)
  );
}

/** `createRequire(…)`, under whatever name it was imported. */
function isMade(node, makers) {
  if (!node || !ts.isCallExpression(node)) return false;
  const { expression } = node;
  return ts.isIdentifier(expression)
    ? makers.has(expression.text)
    : ts.isPropertyAccessExpression(expression) && expression.name.text === 'createRequire';
}

/** Whether a call to this loads the module that its first argument names. */
function loads(callee, requires, makers) {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return requires.has(callee.text);
  if (isMade(callee, makers)) return true;
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const { expression, name } = callee;
  if (name.text === 'getBuiltinModule') return true;
  if (name.text === 'require') return ts.isIdentifier(expression) && expression.text === 'module';
  if (name.text !== 'resolve') return false;
  return ts.isMetaProperty(expression) || (ts.isIdentifier(expression) && requires.has(expression.text));
}

/** `new URL('…', import.meta.url)`: how a worker or a file beside the module is named. */
function isModuleUrl({ expression, arguments: args }) {
  const base = args?.[1];
  return (
    ts.isIdentifier(expression) &&
    expression.text === 'URL' &&
    base !== undefined &&
    ts.isPropertyAccessExpression(base) &&
    ts.isMetaProperty(base.expression) &&
    ts.isStringLiteralLike(args[0])
  );
}

function mention(node, isType, source) {
  const place = { isType, start: node.getStart(source), end: node.getEnd() };
  if (ts.isStringLiteralLike(node)) return { specifier: node.text, isWhole: true, ...place };
  if (ts.isTemplateExpression(node) && node.head.text !== '')
    return { specifier: node.head.text, isWhole: false, ...place };
  return { specifier: undefined, isWhole: false, ...place };
}

const relativeTo = (path) => (path.startsWith('.') || path.startsWith('/') ? path : `./${path}`);
