// Paths that no permission and no free space makes usable: each error names the path, and nothing waits for it.
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSameNode, makeFolders, makeFoldersSync } from '../src-main/folders.ts';
import { firstOf, keyFile, memoryKeychain } from '../src-main/keychain/index.ts';
import { openVault, openVaultIn } from '../src-main/vault/vault.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { signIn } from './vault/people.ts';

const folder = temporaryFolder();
writeFileSync(join(folder, 'file'), '');
symlinkSync('circle', join(folder, 'circle'));
symlinkSync(join(folder, 'nowhere', 'at', 'all'), join(folder, 'dangling'));
const PASSPHRASE = 'wade lantern orbit thirty 9';

/** What each place is, the code of an error there, and what of the path the message has. */
const places = [
  ['below a file', join(folder, 'file', 'a'), 'path_invalid'],
  ['below a circle of links', join(folder, 'circle', 'a'), 'path_invalid'],
  ['below a link that leads nowhere', join(folder, 'dangling', 'a'), 'path_invalid'],
  ['a name of 300 characters', join(folder, 'x'.repeat(300)), 'name_too_long'],
  ['a path of 9,000 characters', join(folder, 'abc/'.repeat(2250)), 'name_too_long'],
  ['a file system that takes no folder', '/proc/no-such-folder/a', 'path_invalid'],
  ['a device', '/dev/null/a', 'path_invalid'],
] as const;

describe.skipIf(process.platform !== 'linux').each(places)('%s', (_name, place, code) => {
  const error = { code, message: expect.stringContaining(place.slice(0, folder.length + 1)) };

  test('is refused as a folder', async () => {
    await expect(makeFolders(place)).rejects.toMatchObject(error);
    expect(() => makeFoldersSync(place)).toThrow(expect.objectContaining(error));
  });

  test('is refused for a vault, for its lock and for an export', async () => {
    const file = join(temporaryFolder(), 'v');
    const elsewhere = await openVaultIn({ file, keychain: memoryKeychain() }, { scryptWork: 1 });
    const vault = await openVault({ file: join(place, 'v'), keychain: memoryKeychain() });
    const saved = vault.update((cache) => signIn(cache, 'ada'));
    // The state says it already where the path can't even be looked at.
    const expected = vault.status.state === 'ready' ? error : { ...error, code: 'vault_unreadable' };
    await expect(saved).rejects.toMatchObject(expected);
    await expect(vault.exclusively('ada', () => Promise.resolve(1))).rejects.toMatchObject(error);
    await expect(elsewhere.exportTo(join(place, 'x.age'), PASSPHRASE)).rejects.toMatchObject(error);
    await Promise.all([vault.close(), elsewhere.close()]);
  });

  test('is refused for a key file, for its items, and for the choice of a keychain', async () => {
    const said = { code: 'keychain_failed', message: error.message };
    const file = join(temporaryFolder(), 'key');
    await expect(keyFile(join(place, 'key')).set('s', 'a', 'x')).rejects.toMatchObject(said);
    await expect(keyFile(file, { items: join(place, 'items') }).set('s', 'a', 'x')).rejects.toMatchObject(
      said,
    );
    const chosen = firstOf([memoryKeychain()], { remember: join(place, 'choice') });
    await expect(chosen.set('s', 'a', 'x')).rejects.toMatchObject(said);
  });
});

test('folders are created with their parents, for this user alone; what two programs create at once is no error', async () => {
  const top = temporaryFolder();
  const deep = join(top, 'a', 'b', 'c');
  const [first, second] = await Promise.all([makeFolders(deep), makeFolders(deep)]);
  expect([first, second]).toContain(join(top, 'a'));
  expect(readdirSync(join(top, 'a', 'b'))).toEqual(['c']);
  expect(await makeFolders(deep)).toBeNull();
  makeFoldersSync(deep);
  makeFoldersSync(join(deep, 'd', 'e'));
  expect(readdirSync(join(deep, 'd'))).toEqual(['e']);
});

describe('the numbers of a file', () => {
  const file = { dev: 0x1234_5678_9abc_def0n, ino: 7n };
  const opened = { dev: 0x9abc_def0n, ino: 7n };

  test('are the same on Windows if the lower half of the volume’s number is', () => {
    expect(isSameNode(file, opened, 'win32')).toBe(true);
    expect(isSameNode(file, opened, 'linux')).toBe(false);
    expect(isSameNode(file, { ...file }, 'linux')).toBe(true);
    for (const platform of ['win32', 'linux'] as const) {
      expect(isSameNode(file, { ...file, ino: 8n }, platform)).toBe(false);
      expect(isSameNode(file, { ...file, dev: 1n }, platform)).toBe(false);
    }
  });
});
