import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

// `npm start`, `npm test` and the others set up a fresh clone: when Node loads them, nothing is installed yet. What they
// import statically is Node's own or their own; what is installed is imported late, once it is there.

const COMMANDS = ['start', 'test', 'demo', 'package', 'audit'].map((name) => `scripts/${name}.mjs`);

/** The modules that loading `file` loads at once. `import()` is not among them. */
function imports(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
  return source.statements.flatMap((statement) =>
    (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
    statement.moduleSpecifier !== undefined &&
    ts.isStringLiteral(statement.moduleSpecifier)
      ? [statement.moduleSpecifier.text]
      : [],
  );
}

it.each(COMMANDS)('%s loads where nothing is installed', (command) => {
  const files = new Set([resolve(command)]);
  const installed: string[] = [];
  for (const file of files) {
    for (const name of imports(file)) {
      if (name.startsWith('.')) files.add(resolve(file, '..', name));
      else if (!isBuiltin(name)) installed.push(`${file} imports ${name}`);
    }
  }
  expect(files.size).toBeGreaterThan(2);
  expect(installed).toEqual([]);
});
