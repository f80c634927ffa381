/** docs/threat-model.md names, for each attacker, the tests that attack. They have to be there, and to hold tests. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const TESTS = /\.(?:test|spec)\.tsx?$/;
const HAS_TESTS = /^\s*(?:it|test|describe)(?:\.\w+)*[(<]/m;

const rows = readFileSync('docs/threat-model.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, attacker = '', , tests = '']) => ({
    attacker,
    named: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  }));

function testFilesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return TESTS.test(path) ? [path] : [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => TESTS.test(file));
}

it('has rows', () => {
  expect(rows.length).toBeGreaterThan(15);
});

it.each(rows)('$attacker: is attacked by tests that exist', ({ named }) => {
  expect(named.length).toBeGreaterThan(0);
  for (const path of named) {
    const files = testFilesIn(path);
    expect(files, path).not.toEqual([]);
    expect(files.filter((file) => HAS_TESTS.test(readFileSync(file, 'utf8'))).length, path).toBeGreaterThan(
      0,
    );
  }
});
