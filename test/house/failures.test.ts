import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const rows = [...readFileSync('docs/failures.md', 'utf8').matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)].map(
  ([, number, seenOn]) => ({ number: Number(number), seenOn: seenOn ?? '' }),
);

const sources = execFileSync('git', ['ls-files', '--', 'test/*.ts', 'test/*.tsx'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((file) => readFileSync(file, 'utf8'));

/** Numbers in names such as "locked (failure 4)", "killed (failures 10 and 15)". */
const named = sources.flatMap((source) =>
  [...source.matchAll(/\(failures? ([\d, and]+)\)[`'"]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/\d+/g)].map(([number]) => Number(number)),
  ),
);

it('the failures that are promised for are numbered', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
});

it('each that can be seen on Linux has a test that names it, and no test names another', () => {
  const here = rows
    .filter(({ seenOn }) => !/^(Windows|macOS) only$/.test(seenOn))
    .map(({ number }) => number);
  expect(here.filter((number) => !named.includes(number))).toEqual([]);
  expect(named.filter((number) => !rows.some((row) => row.number === number))).toEqual([]);
});
