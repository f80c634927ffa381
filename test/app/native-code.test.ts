import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertInstalled, guardNativeCode, type Loader, NativeCodeError } from '../../app/native-code.ts';
import { nativeHashes } from '../../scripts/packaging/native-hashes.mjs';

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
  const loader = (): Loader => ({ dlopen: (_module, path) => void loaded.push(path) });
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
    expect(() => assertInstalled(pinned, folder, 'linux-x64')).toThrow(KEYTAR);
    put(KEYTAR, 'code');
    expect(() => assertInstalled(pinned, folder, 'linux-x64')).not.toThrow();
    expect(() => assertInstalled(pinned, folder, 'sunos-x64')).toThrow('sunos-x64');
  });
});

it('the hashes of this clone are those of what its packages load here', () => {
  const pinned: Record<string, string> = nativeHashes(process.cwd());
  const asked: string[] = [];
  const guarded: Loader = { dlopen: (_module, path) => void asked.push(path) };
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
