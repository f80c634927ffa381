import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
  expect(() => read(file)).toThrow(expect.objectContaining({ code: 'storage_failed' }));
  expect(readdirSync(folder)).toEqual(['a.json']);
});

it.runIf(process.platform === 'linux')('ends where the file system takes no folder', () => {
  expect(() => writeJson('/proc/nowhere/else/settings.json', {})).toThrow('ENOENT');
});
