import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativeHashes as appHashes } from '../../scripts/packaging/native-hashes.mjs';
import { NativeCodeError } from '../../src-main/errors.ts';
import {
  assertNativeCode,
  copyNativeCode,
  guardNativeCode,
  type NativeCodeLoader,
  nativeHashes,
} from '../../src-main/native-code/index.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'native-')), 'node_modules');
});
afterEach(() => rmSync(dirname(folder), { recursive: true }));

function put(name: string, content: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const KEYTAR = 'keytar/prebuilds/linux-x64/keytar.node';

describe('native code', () => {
  const loaded: string[] = [];
  const loader = (): NativeCodeLoader => ({ dlopen: (_module, path) => void loaded.push(path) });
  beforeEach(() => loaded.splice(0));

  it('is loaded when it is what was pinned', () => {
    const guarded = loader();
    guardNativeCode({ [KEYTAR]: sha256('code') }, guarded);
    const path = put(KEYTAR, 'code');
    guarded.dlopen({}, path);
    expect(loaded).toEqual([path]);
  });

  it.each([
    ['changed', KEYTAR, 'other code'],
    ['of another place', 'keytar/build/Release/keytar.node', 'code'],
    ['of a package that has none pinned', 'other/prebuilds/linux-x64/keytar.node', 'code'],
    ['named like a property of every object', 'constructor', 'code'],
  ])('is refused when it is %s, before it is loaded', (_what, name, content) => {
    const guarded = loader();
    guardNativeCode({ [KEYTAR]: sha256('code') }, guarded);
    const path = put(name, content);
    expect(() => guarded.dlopen({}, path)).toThrow(NativeCodeError);
    expect(loaded).toEqual([]);
  });

  it('that is not there is told at the start, by its path, and so is a platform that has none', () => {
    const pinned = { [KEYTAR]: sha256('code') };
    expect(() => assertNativeCode(pinned, folder, 'linux-x64')).toThrow(KEYTAR);
    put(KEYTAR, 'code');
    expect(() => assertNativeCode(pinned, folder, 'linux-x64')).not.toThrow();
    expect(() => assertNativeCode(pinned, folder, 'sunos-x64')).toThrow('sunos-x64');
  });
});

it.each([
  ['npm nests beside another version', 'tokenkeep/node_modules'],
  ['pnpm links', '.pnpm/tokenkeep@1/node_modules'],
])('a module that %s is found where it is loaded from, and compared', (_what, where) => {
  put(`${where}/${where.startsWith('.') ? 'tokenkeep/' : '../'}package.json`, '{}');
  put(`${where}/keytar/package.json`, '{}');
  const path = put(`${where}/${KEYTAR}`, 'code');
  if (where.startsWith('.')) symlinkSync(join(folder, where, 'tokenkeep'), join(folder, 'tokenkeep'));
  const pinned = nativeHashes(folder);
  expect(() => assertNativeCode(pinned, folder, 'linux-x64')).not.toThrow();
  writeFileSync(path, 'other code');
  expect(() => assertNativeCode(pinned, folder, 'linux-x64')).toThrow(NativeCodeError);
  rmSync(path);
  expect(() => assertNativeCode(pinned, folder, 'linux-x64')).toThrow(KEYTAR);
});

it('a package that only the build needs may be left out, but not be changed', () => {
  put(KEYTAR, 'code');
  const other = put('builder/prebuilds/linux-x64/builder.node', 'code');
  const pinned = nativeHashes(folder);
  writeFileSync(other, 'other code');
  expect(() => assertNativeCode(pinned, folder, 'linux-x64')).toThrow('builder.node');
  rmSync(other);
  expect(() => assertNativeCode(pinned, folder, 'linux-x64')).not.toThrow();
});

it('the hashes of a folder are those of all its native modules, and guard them', () => {
  put(KEYTAR, 'code');
  put('other/build/Release/other.node', 'more');
  put('first/node_modules/keytar/prebuilds/linux-x64/keytar.node', 'older code');
  put('keytar/lib/keytar.js', 'no native code');
  const pinned = nativeHashes(folder);
  expect(pinned).toEqual({
    [KEYTAR]: expect.arrayContaining([sha256('code'), sha256('older code')]) as unknown,
    'other/build/Release/other.node': sha256('more'),
  });
  const loaded: string[] = [];
  const guarded: NativeCodeLoader = { dlopen: (_module, path) => void loaded.push(path) };
  guardNativeCode(pinned, guarded);
  const older = join(folder, 'first/node_modules', KEYTAR);
  guarded.dlopen({}, older);
  writeFileSync(older, 'changed');
  expect(() => guarded.dlopen({}, older)).toThrow(expect.objectContaining({ code: 'native_code_changed' }));
  expect(loaded).toEqual([older]);
});

it('a module that was changed after the build is not loaded by `require`', () => {
  const require = createRequire(import.meta.url);
  const name = `keytar/prebuilds/${process.platform}-${process.arch}/keytar.node`;
  const path = put(name, '');
  copyFileSync(require.resolve(name), path);
  const dlopen = process.dlopen.bind(process);
  guardNativeCode(nativeHashes(folder));
  try {
    appendFileSync(path, 'x');
    expect(() => require(path) as unknown).toThrow(NativeCodeError);
  } finally {
    process.dlopen = dlopen;
  }
});

it('the hashes of this clone are those of what its packages load here', () => {
  const pinned: Record<string, string> = appHashes(process.cwd());
  const asked: string[] = [];
  const guarded: NativeCodeLoader = { dlopen: (_module, path) => void asked.push(path) };
  guardNativeCode(pinned, guarded);
  const require = createRequire(import.meta.url);
  for (const name of Object.keys(pinned).filter((each) =>
    each.includes(`/${process.platform}-${process.arch}/`),
  ))
    guarded.dlopen({}, require.resolve(name));
  expect(asked.map((path) => /node_modules.(\w|-)+/.exec(path)?.[0])).toEqual([
    join('node_modules', 'fs-native-extensions'),
    join('node_modules', 'keytar'),
  ]);
});

describe('copied into a packaged app', () => {
  /** A package in `node_modules`, at the root or inside another package. */
  const install = (place: string, manifest: object, files: readonly string[] = ['index.js']): void => {
    for (const file of files) put(`${place}/${file}`, file);
    put(`${place}/package.json`, JSON.stringify(manifest));
  };
  const binaries = ['prebuilds/linux-x64/a.node', 'prebuilds/win32-x64/a.node'];
  const copiedTo = (): string => join(dirname(folder), 'packaged');

  it('are the two packages, what they need, and the binaries of one platform', () => {
    install('tokenkeep', {});
    install('keytar', { dependencies: { 'node-addon-api': '8' } }, [
      'lib/keytar.js',
      'src/a.cc',
      ...binaries,
    ]);
    install('fs-native-extensions', { dependencies: { needed: '1' } }, ['index.js', ...binaries]);
    install('needed', { dependencies: { 'fs-native-extensions': '1' } });
    install('unneeded', {});
    expect(copyNativeCode(dirname(folder), copiedTo(), 'linux-x64')).toEqual([
      'keytar',
      'fs-native-extensions',
      'needed',
    ]);
    const found = readdirSync(copiedTo(), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.\w+$/.test(name),
    );
    expect(found.sort()).toEqual(
      [
        'fs-native-extensions/index.js',
        'fs-native-extensions/package.json',
        'fs-native-extensions/prebuilds/linux-x64/a.node',
        'keytar/lib/keytar.js',
        'keytar/package.json',
        'keytar/prebuilds/linux-x64/a.node',
        'needed/index.js',
        'needed/package.json',
      ].map((name) => join('node_modules', name)),
    );
  });

  it('are found where pnpm puts them', () => {
    const own = '.pnpm/tokenkeep@1/node_modules';
    install(`${own}/tokenkeep`, {});
    install(`${own}/keytar`, {}, binaries);
    install(`${own}/fs-native-extensions`, {}, binaries);
    symlinkSync(join(folder, own, 'tokenkeep'), join(folder, 'tokenkeep'));
    expect(copyNativeCode(dirname(folder), copiedTo(), 'win32-x64')).toHaveLength(2);
    expect(existsSync(join(copiedTo(), 'node_modules/keytar/prebuilds/win32-x64/a.node'))).toBe(true);
  });

  it('must be installed, and have a binary for the platform', () => {
    install('keytar', {}, binaries);
    const copy = (platform: string) => () => copyNativeCode(dirname(folder), copiedTo(), platform);
    expect(copy('linux-x64')).toThrow(
      expect.objectContaining({ field: 'from', message: expect.stringMatching(/fs-native-extensions/) }),
    );
    install('fs-native-extensions', {}, binaries);
    expect(copy('linux-ia32')).toThrow(expect.objectContaining({ field: 'platform' }));
    put('file', '');
    expect(() => copyNativeCode(dirname(folder), join(folder, 'file', 'packaged'), 'linux-x64')).toThrow(
      expect.objectContaining({ code: 'path_invalid' }),
    );
  });
});
