/** What the user is told when a file of settings can't be read or written: the cause, and no remedy that can't help. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeJson } from '../../app/data-folder.ts';
import { readSmallFile, smallFileError } from '../../src-main/accounts/small-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const place = (): string => join(temporaryFolder(), 'a.json');

function told(file: string, call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (cause) {
    return smallFileError('It was not saved.', file, cause);
  }
  throw new Error('It succeeded.');
}

const system = (code: string): Error => Object.assign(new Error(code), { code });

describe.skipIf(process.platform === 'win32')('in the place of a file', () => {
  const kinds: [string, (path: string) => unknown, RegExp][] = [
    ['a folder', (path) => mkdirSync(path), /is a folder, a device or a pipe/],
    ['a pipe', (path) => execFileSync('mkfifo', [path]), /is a folder, a device or a pipe/],
    ['a link to a device', (path) => symlinkSync('/dev/zero', path), /is a folder, a device or a pipe/],
    ['a link to itself', (path) => symlinkSync(path, path), /leads through links in a circle/],
    [
      'a socket',
      (path) => {
        const server = createServer();
        onTestFinished(() => void server.close());
        return new Promise((resolve) => server.listen(path, () => resolve(undefined)));
      },
      /is a folder, a device or a pipe/,
    ],
    [
      'a file of a terabyte',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 2 ** 40);
      },
      /has more than 16 MB/,
    ],
  ];

  it.each(kinds)('%s is named as the cause, for good', async (_kind, plant, says) => {
    const file = place();
    await plant(file);
    const { code, message } = told(file, () => readSmallFile(file));
    expect({ code, message }).toEqual({ code: 'path_invalid', message: expect.stringMatching(says) });
    expect(message).toContain(file);
    expect(message).not.toMatch(/permission|try again|disk/i);
  });

  it('a folder is named when the file is written, also where it is prepared', () => {
    const [file, prepared] = [place(), place()];
    mkdirSync(file);
    mkdirSync(`${prepared}.new`);
    for (const [path, blocked] of [
      [file, file],
      [prepared, `${prepared}.new`],
    ] as const) {
      const { code, message } = told(path, () => writeJson(path, 1));
      expect({ code, message }).toEqual({
        code: 'path_invalid',
        message: `It was not saved. “${blocked}” is a folder, a device or a pipe, where a file should be. Move it away.`,
      });
    }
  });

  it('so is a file in the place of its folder', () => {
    const file = place();
    writeFileSync(file, '');
    const { code, message } = told(file, () => readSmallFile(join(file, 'b.json')));
    expect(code).toBe('path_invalid');
    expect(message).toContain('leads through a file, where a folder should be.');
  });
});

it.each([
  ['EACCES', 'no_permission', /Check its permissions/],
  ['EPERM', 'no_permission', /Check its permissions/],
  ['EROFS', 'read_only_disk', /Mount it for writing/],
  ['ENOSPC', 'disk_full', /Free some space, then try again/],
  ['EDQUOT', 'disk_full', /Free some space, then try again/],
  ['EMFILE', 'storage_failed', /as many files open as the system allows it.*Close windows or documents/],
  ['ENFILE', 'storage_failed', /on this computer.*Close other programs/],
  ['EIO', 'storage_failed', /Check its folder and its disk\. The system says: EIO\./],
])('%s of the system is %s', (name, code, says) => {
  const error = smallFileError('It was not saved.', '/a.json', system(name));
  expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
  expect(error.message).toContain('It was not saved.');
  expect(/permission/.test(error.message)).toBe(code === 'no_permission');
});
