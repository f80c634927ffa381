/** The code in the documentation: in its pages, and in the `@example`s of docstrings. */
import { expect, it } from 'vitest';
import { entries, examples, exported } from './examples.ts';
import { codeOfPages, compile, complaints } from './guide.ts';
import { PAGES } from './page.ts';

const pages = codeOfPages(PAGES);
const inDocstrings = examples();
const program = compile([...pages, ...inDocstrings]);

it('of every page compiles', () => {
  expect(pages.length).toBeGreaterThan(30);
  expect(complaints(program, pages)).toEqual([]);
}, 120_000);

it('of every @example compiles', () => {
  expect(inDocstrings.length).toBeGreaterThan(100);
  expect(complaints(program, inDocstrings)).toEqual([]);
}, 120_000);

// Classes, functions, constants and interfaces with functions need one. Data does not: a type alias, an interface of plain fields
// or of options is what one of these takes or returns, and the example of that one shows it.
it('every export of the package has an @example that uses it', () => {
  const all = exported(program);
  expect(new Set(all.map(({ entry }) => entry))).toEqual(new Set(entries(program).keys()));
  const without = all
    .filter(({ kind, name, examples: text }) => kind !== 'data' && !new RegExp(`\\b${name}\\b`).test(text))
    .map(({ entry, kind, name }) => `${entry}: ${name} (${kind})`);
  expect(without).toEqual([]);
});
