/** Processes that use MSAL with the plugin on one vault, without acquireToken: none loses the update of another. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openVault } from '../../src-main/index.ts';
import { bundle } from '../support/bundle.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeAccountId, PEOPLE } from '../vectors/make/stage.mjs';

const { avery, quinn, zoe } = PEOPLE;

it('three processes, an account each, twenty refreshes each: the last of each is there, once', async () => {
  const program = await bundle(join(import.meta.dirname, 'refresher.ts'));
  const file = join(temporaryFolder(), 'cache.vault');
  const keys = temporaryFolder();
  const people = Object.entries({ avery, quinn, zoe });
  const said = await Promise.all(
    people.map(async ([name]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, file, keys, name, '20']);
      return stdout;
    }),
  );
  rmSync(dirname(program), { recursive: true, force: true });

  const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
  for (const [index, [, person]] of people.entries()) {
    const query = { home_account_id: homeAccountId(person) };
    const left = await vault.read((cache) => cache.find('RefreshToken', { query }));
    expect(left.map(({ secret }) => secret === said[index])).toEqual([true]);
    expect(await vault.read((cache) => cache.find('Account', { query }).length)).toBe(1);
  }
  await vault.close();
}, 60_000);
