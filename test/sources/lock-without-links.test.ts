/** The lock on a file system without hard links, such as a memory card: each case is an error that `link` returns there. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whileLocked } from '../../src-main/sources/program-lock.ts';
import type { Place } from '../../src-main/sources/programs.ts';

const { link } = promises;
let folder: string;
let place: Place;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-links-'));
  const file = join(folder, 'cache.json');
  writeFileSync(file, '{}');
  place = { file, sealing: 'none', locking: 'lockfile', content: 'msal' };
  lock = `${file}.lockfile`;
});
afterEach(() => {
  promises.link = link;
  syncBuiltinESMExports();
  rmSync(folder, { recursive: true, force: true });
});

function withoutLinks(code: string): void {
  promises.link = () => Promise.reject(Object.assign(new Error(code), { code }));
  syncBuiltinESMExports();
}
const isLockedFor = (another: string): boolean => spawnSync('flock', ['-n', another, 'true']).status !== 0;

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'])(
  'where link answers %s',
  (code) => {
    it('is created with our name, keeps others out, and is removed', async () => {
      withoutLinks(code);
      const seen = await whileLocked(place, async () => {
        const name = readFileSync(lock, 'utf8');
        return Promise.resolve({ name, isLocked: isLockedFor(lock), files: readdirSync(folder).sort() });
      });
      expect(seen).toEqual({
        name: `${process.pid} tokenkeep`,
        isLocked: true,
        files: ['cache.json', 'cache.json.lockfile'],
      });
      expect(readdirSync(folder)).toEqual(['cache.json']);
    });
  },
);

it('waits for a program that holds it, and takes over one that was left behind', async () => {
  withoutLinks('EPERM');
  writeFileSync(lock, `${process.pid} az`);
  await expect(whileLocked(place, () => Promise.resolve(), { deadline: 50 })).rejects.toMatchObject({
    code: 'source_busy',
  });
  expect(readFileSync(lock, 'utf8')).toBe(`${process.pid} az`);
  const { pid } = spawnSync('true');
  writeFileSync(lock, `${pid} az`);
  utimesSync(lock, 1, 1);
  expect(await whileLocked(place, () => Promise.resolve(readFileSync(lock, 'utf8')))).toBe(
    `${process.pid} tokenkeep`,
  );
  expect(existsSync(lock)).toBe(false);
});

it.each([
  ['EACCES', 'source_no_permission', 'Check who may write there'],
  ['EROFS', 'source_no_permission', 'read-only'],
  ['ENOSPC', 'source_failed', 'The disk is full'],
  ['EDQUOT', 'source_failed', 'quota'],
  ['EIO', 'source_failed', 'Check its file system'],
])(
  'is not taken where link answers %s, which is told, and the task is not run',
  async (given, code, says) => {
    withoutLinks(given);
    let isRun = false;
    const failing = whileLocked(place, () => Promise.resolve((isRun = true)));
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(says) as string });
    expect(isRun).toBe(false);
    expect(readdirSync(folder)).toEqual(['cache.json']);
  },
);

it('passes an error of the task on as it is', async () => {
  const error = Object.assign(new Error('No space.'), { code: 'ENOSPC' });
  await expect(whileLocked(place, () => Promise.reject(error))).rejects.toBe(error);
});
