/** The license texts that are shipped with a bundle. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageOf } from '../../scripts/packaging/bundled.mjs';
import { writeNotices } from '../../scripts/packaging/papers.mjs';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'tokenkeep-notices-'))));
afterEach(() => rmSync(root, { recursive: true }));

it.each([
  ['/clone/node_modules/a/index.js', 'node_modules/a'],
  ['/clone/node_modules/@a/b/lib/index.js', 'node_modules/@a/b'],
  ['/clone/node_modules/a/node_modules/@b/c/index.js', 'node_modules/a/node_modules/@b/c'],
  ['C:\\clone\\node_modules\\a\\index.js', 'node_modules/a'],
  ['/clone/src-main/index.ts', undefined],
  ['\0virtual', undefined],
])('the package of %j is %j', (id, path) => expect(packageOf(id)).toBe(path));

function notices(manifest: object, files: Record<string, string> = {}): string {
  const folder = join(root, 'node_modules/x');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', version: '1.2.3', ...manifest }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(root, 'bundled.json'), '["node_modules/x"]');
  writeNotices(root, join(root, 'notices.txt'), join(root, 'bundled.json'));
  return readFileSync(join(root, 'notices.txt'), 'utf8');
}

it('have the text of the package’s own file', () => {
  expect(notices({ license: 'ISC' }, { 'LICENSE.md': 'ISC, by Ada', NOTICE: 'And Grace' })).toContain(
    'x 1.2.3 (ISC)\n\nISC, by Ada\n\nAnd Grace\n',
  );
});

it('have the text of the MIT license where the package only declares it', () => {
  const text = notices({ license: 'MIT', author: { name: 'Ada' } });
  expect(text).toContain('Copyright (c) Ada\n\nPermission is hereby granted');
});

it('are refused without a text', () => {
  expect(() => notices({ license: 'ISC' })).toThrow('no license text for x 1.2.3 (ISC)');
  expect(() => notices({})).toThrow('no license text for x 1.2.3 (none declared)');
});
