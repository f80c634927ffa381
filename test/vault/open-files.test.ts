/** A program that has as many files open as it may is told that by each call, never that it has to be installed again, and goes on afterwards. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Line {
  what: string;
  code: string;
  message: string;
  name: string;
}

let program: string;
beforeAll(async () => {
  program = await bundle(join(import.meta.dirname, 'open-files-program.ts'));
}, 60_000);
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

test.skipIf(process.platform === 'win32').each([
  ['before the module for locks is loaded', 'first'],
  ['after a first update', 'later'],
])(
  'too many open files %s',
  (_point, when) => {
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -n 64; exec "$@"', '-', process.execPath, program, when, temporaryFolder()],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    expect(lines.map(({ what }) => what)).toEqual([
      'exclusively',
      'update',
      'sign-out',
      'exclusively',
      'update',
      'sign-out',
    ]);
    const [full, after] = [lines.slice(0, 3), lines.slice(3)];
    const refused = full.filter(({ code }) => code !== 'done'); // A lock and a file that are open need no other.
    expect(refused.map(({ what }) => what)).toEqual(
      when === 'first' ? ['exclusively', 'update', 'sign-out'] : expect.arrayContaining(['exclusively']),
    );
    for (const line of refused) {
      expect(line).toMatchObject({ name: 'StorageError', code: 'storage_failed' });
      expect(line.message).toMatch(/^This program has as many files open as the system allows it\./);
    }
    expect(after.map(({ code }) => code)).toEqual(['done', 'done', 'done']);
  },
  60_000,
);
