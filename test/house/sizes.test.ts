import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const sources = execFileSync('git', ['ls-files', '--', 'src-main', 'src-renderer', 'app', 'scripts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(tsx?|mjs|cjs)$/.test(file))
  .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length }));

it('no source file is longer than 400 lines', () => {
  expect(sources.length).toBeGreaterThan(10);
  expect(sources.filter(({ lines }) => lines > 400)).toEqual([]);
});

it('half of them are shorter than 130 lines', () => {
  const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(130);
});
