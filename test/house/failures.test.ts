import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const rows = [
  ...readFileSync('docs/failures.md', 'utf8').matchAll(/^\| (\d+[a-z]?) \|.*\| ([^|]+) \|$/gm),
].map(([, number, seenOn]) => ({ number: number ?? '', seenOn: seenOn ?? '' }));

const sources = execFileSync('git', ['ls-files', '--', 'test/*.ts', 'test/*.tsx'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((file) => readFileSync(file, 'utf8'));

/** Numbers in names such as "locked (failure 4)", "killed (failures 10 and 15)". */
const named = sources.flatMap((source) =>
  [...source.matchAll(/\(failures? (\d+[a-z]?(?:(?:, | and )\d+[a-z]?)*)\)[`'"]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/\d+[a-z]?/g)].map(([number]) => number),
  ),
);

it('the failures that are promised for are numbered', () => {
  const between: Readonly<Record<string, string[]>> = {
    15: ['15a'],
    22: ['22a', '22b', '22c'],
    23: ['23a', '23b', '23c'],
  };
  const all = Array.from({ length: 24 }, (_, index) => String(index + 1));
  expect(rows.map(({ number }) => number)).toEqual(
    all.flatMap((number) => [number, ...(between[number] ?? [])]),
  );
});

it('each that can be seen on Linux has a test that names it, and no test names another', () => {
  const here = rows
    .filter(({ seenOn }) => !/^(Windows|macOS) only$/.test(seenOn))
    .map(({ number }) => number);
  expect(here.filter((number) => !named.includes(number))).toEqual([]);
  expect(named.filter((number) => !rows.some((row) => row.number === number))).toEqual([]);
});
