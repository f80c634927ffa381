/** docs/promises.md names, for each promise, the tests that attack it. These tests must exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SECTIONS } from '../torture/arguments.ts';

const page = readFileSync('docs/promises.md', 'utf8');

const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (promise|---)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, promise = '', tests = '']) => ({
    promise,
    named: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  }));

/** The tests of Vitest and Playwright, and the sections of the campaign, which injects faults one by one. */
function attacks(path: string): boolean {
  if (!existsSync(path)) return false;
  const files = statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));
  return files
    .filter((file) => file.endsWith('.ts'))
    .some((file) => /^\s*(?:it|test|describe)(?:\.\w+)*[(<]|tally\.try\(/m.test(readFileSync(file, 'utf8')));
}

it('has promises', () => {
  expect(rows.length).toBeGreaterThan(20);
});

it.each(rows)('$promise', ({ named }) => {
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((path) => !attacks(path))).toEqual([]);
});

/** Sections that are not about a vault. */
const OTHERS: readonly string[] = ['partitions'];

it('each section of the campaign about a vault attacks a promise', () => {
  const named = rows.flatMap((row) => row.named);
  expect(
    SECTIONS.filter((section) => !OTHERS.includes(section) && !named.includes(`test/torture/${section}`)),
  ).toEqual([]);
});

it('a test that is not there is noticed', () => {
  expect(attacks('test/vault/no-such.test.ts')).toBe(false);
  expect(attacks('test/vault/people.ts')).toBe(false);
});
