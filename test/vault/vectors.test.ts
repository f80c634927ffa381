import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storeOf } from '../../src-main/cache/token-cache.ts';
import { openFile } from '../../src-main/vault/open.ts';
import { FakeDisk, placeOf } from './disk.ts';
import { FakeKeychain } from './fakes.ts';
import { type VaultVector, vaultVectors } from './vectors.ts';

const FOLDER = join(import.meta.dirname, '../vectors/vaults');
const index: unknown = JSON.parse(readFileSync(join(FOLDER, 'index.json'), 'utf8'));

test('the current code writes the vectors byte for byte', () => {
  const made = vaultVectors();
  expect(index).toEqual(made.map(({ vector }) => vector));
  for (const { vector, bytes } of made) {
    expect(readFileSync(join(FOLDER, `${vector.name}.vault`)).equals(bytes), vector.name).toBe(true);
  }
});

describe.each(vaultVectors().map(({ vector }) => vector))('$name', (vector: VaultVector) => {
  const bytes = readFileSync(join(FOLDER, `${vector.name}.vault`));

  test(`is ${vector.state}, and says what it says`, async () => {
    const disk = new FakeDisk();
    disk.put('/v', bytes);
    const keychain = new FakeKeychain();
    for (const [account, item] of Object.entries(vector.keychain)) keychain.items.set(account, item);
    const place = placeOf(disk, '/v', keychain);
    let { state, contents } = await openFile(place);
    if (vector.name === 'account-forged') {
      expect(state).toBe('ready'); // Until its frame is read.
      expect(() => storeOf(contents!.cache).all()).toThrow('ada@contoso.example');
      const doubted = { key: null, followed: null, seen: null, marked: null, isDoubted: true };
      ({ state, contents } = await openFile(place, doubted));
    }
    expect(state).toBe(vector.state);
    const entries = (contents === null ? [] : storeOf(contents.cache).all()).map(
      ({ section, key, value }) => {
        const secret =
          key !== null && typeof value === 'object' && value !== null && 'secret' in value
            ? value.secret
            : null;
        return [key === null ? section : `${section} ${key}`, secret];
      },
    );
    expect(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual(vector.entries);
    expect(disk.bytes('/v').equals(bytes)).toBe(true);
  });
});

// Written from FORMAT.md alone, in another language: what the page does not say, it does not know.
const PYTHON = ['/usr/bin/python3', 'python3'].find((python) => {
  if (python.startsWith('/') && !existsSync(python)) return false;
  try {
    execFileSync(python, ['-c', 'import cryptography'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(PYTHON === undefined)('an independent reader reads the same', () => {
  const said = execFileSync(PYTHON ?? '', [join(FOLDER, 'reader.py'), FOLDER], { encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual(index);
});
