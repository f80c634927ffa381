import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJson, writeJson } from '../../app/data-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'json-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new Error('no number');
  return value;
}
const read = (file: string) => readJson(file, asNumber, () => 7);

it('gives back what was written, in a folder that it makes, and leaves nothing beside it', () => {
  const file = join(folder, 'new', 'a.json');
  expect(read(file)).toBeUndefined();
  writeJson(file, 1);
  writeJson(file, 2);
  expect(read(file)).toBe(2);
  expect(readdirSync(join(folder, 'new'))).toEqual(['a.json']);
});

it.skipIf(process.platform === 'win32')('is its owner’s alone, and so is a folder that it makes', () => {
  const file = join(folder, 'own', 'a.json');
  writeJson(file, 1);
  chmodSync(file, 0o644); // of an earlier version
  writeJson(file, 2);
  for (const path of [file, dirname(file)]) expect(statSync(path).mode & 0o077, path).toBe(0);
});

it.each(['"text"', '{', ''])('sets %j aside, as it is', (text) => {
  const file = join(folder, 'a.json');
  writeFileSync(file, text);
  expect(read(file)).toBeUndefined();
  expect(readFileSync(`${file}.damaged-7`, 'utf8')).toBe(text);
});

it('does not treat an unreadable file as missing, which would overwrite it', () => {
  const file = join(folder, 'a.json');
  mkdirSync(file);
  expect(() => read(file)).toThrow(expect.objectContaining({ code: 'path_invalid' }));
  expect(readdirSync(folder)).toEqual(['a.json']);
});

it.runIf(process.platform === 'linux')('ends where the file system takes no folder', () => {
  expect(() => writeJson('/proc/nowhere/else/settings.json', {})).toThrow('ENOENT');
});

describe.skipIf(process.platform === 'win32')('something else in the place of a file', () => {
  const kinds: Record<string, (path: string) => void> = {
    'a named pipe': (path) => execFileSync('mkfifo', [path]),
    'a link to an endless device': (path) => symlinkSync('/dev/zero', path),
    'a link to itself': (path) => symlinkSync(path, path),
    'a file of a terabyte': (path) => {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 40);
    },
  };

  it.each(Object.keys(kinds))('is refused at once, and replaced by what is written: %s', (kind) => {
    const file = join(folder, 'a.json');
    kinds[kind]?.(file);
    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'path_invalid' }));
    writeJson(file, 3);
    expect(read(file)).toBe(3);
  });

  it.each(Object.keys(kinds))('is neither waited for nor followed where a file is prepared: %s', (kind) => {
    const file = join(folder, 'a.json');
    kinds[kind]?.(`${file}.new`);
    writeJson(file, 3);
    expect(readdirSync(folder)).toEqual(['a.json']);
    expect(read(file)).toBe(3);
  });

  it('does not lead to another file, which would be overwritten', () => {
    const [file, other] = [join(folder, 'a.json'), join(folder, 'other')];
    writeFileSync(other, 'of the user');
    symlinkSync(other, `${file}.new`);
    writeJson(file, 3);
    expect(readFileSync(other, 'utf8')).toBe('of the user');
  });
});
