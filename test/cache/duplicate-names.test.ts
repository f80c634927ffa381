import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasDuplicateNames } from '../../src-main/cache/json.ts';

it.each([
  '{"a":1,"a":1}',
  '{"a":{"b":[{"c":1,"c":2}]}}',
  '{"a":1,"\\u0061":2}',
  '{"__proto__":1,"__proto__":2}',
  '{ "a" : 1 , "a"\n: 2 }',
  '{"":1,"":2}',
  '{"\\"":1,"\\"":2}',
])('finds two fields of one name in %s', (text) => {
  expect(hasDuplicateNames(text)).toBe(true);
});

it.each(['', 'x', '{"a":1,"a":', '{"a":":","b":"a\\":"}', '[{"a":1},{"a":2}]', '"a"', '{"a":{"a":1}}'])(
  'finds none in %s',
  (text) => {
    expect(hasDuplicateNames(text)).toBe(false);
  },
);

it('finds none in what JSON.stringify writes', () => {
  fc.assert(fc.property(fc.json(), (text) => !hasDuplicateNames(text)));
});

it('reads a text that nests deeper than the stack', () => {
  const deep = 100_000;
  expect(hasDuplicateNames(`${'['.repeat(deep)}{"a":1,"a":2}${']'.repeat(deep)}`)).toBe(true);
});
