import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { absoluteImport, importFor } from '../../scripts/import-argument.mjs';
import { environmentForOthers } from '../../scripts/session/ordinary-user.mjs';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a file to import is relative to where the command was typed', () => {
  expect(absoluteImport(['--import', 'a.json', '--demo'], '/typed/in')).toEqual([
    '--import',
    '/typed/in/a.json',
    '--demo',
  ]);
  expect(absoluteImport(['--import=../a.json'], '/typed/in')).toEqual(['--import=/typed/a.json']);
  expect(absoluteImport(['--import', '/abs.json', 'a.json'], '/typed')).toEqual([
    '--import',
    '/abs.json',
    'a.json',
  ]);
});

it('another user gets a private copy with the same name', async () => {
  const owned: string[] = [];
  const file = join(folder, 'cache.json');
  await writeFile(file, '{}', { mode: 0o644 });
  const user = { other: true, own: (path: string) => owned.push(path) };
  const [, copy] = importFor(user, join(folder), ['--import', file]);
  expect(copy).toBe(join(folder, 'import/cache.json'));
  expect(await readFile(copy, 'utf8')).toBe('{}');
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'import'))).mode & 0o777).toBe(0o700);
  expect(owned).toEqual([join(folder, 'import')]);
});

it('what is no file, and what the caller can read anyway, is left as it is', () => {
  const user = { other: true, own: () => undefined };
  expect(importFor(user, folder, ['--import', join(folder, 'absent')])).toEqual([
    '--import',
    join(folder, 'absent'),
  ]);
  expect(importFor(user, folder, ['--import', folder])).toEqual(['--import', folder]);
  expect(importFor({ other: false }, folder, ['--import', 'any'])).toEqual(['--import', 'any']);
});

it("another user's environment has nothing that lies in the caller's home", () => {
  const env = { HOME: '/root', npm_config_cache: '/root/.npm', PATH: '/root/bin:/bin', OTHER: '/rooted' };
  expect(environmentForOthers(env, '/root')).toEqual({ PATH: '/root/bin:/bin', OTHER: '/rooted' });
});
