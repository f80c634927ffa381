import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeIo } from '../../src-main/vault/disk/file.ts';
import { placeOf } from '../vault/disk.ts';
import { type Opening, openFile } from '../../src-main/vault/open.ts';
import { usersIn } from '../vault/people.ts';
import { FolderKeychain } from './folder-keychain.ts';
import { must } from './tally.ts';

/** Returns what another process would find. Read-only: postponed work is not done. */
export async function lookAt(folder: string, file = join(folder, 'cache.vault')): Promise<Opening> {
  const keychain = new FolderKeychain(join(folder, 'keys'));
  keychain.before = () => undefined;
  return openFile(placeOf(nodeIo, file, keychain));
}

/** Returns the accounts of a vault, all of which must be complete. */
export function usersFound({ contents }: Opening): Record<string, string> {
  if (contents === null) return {};
  const users = usersIn(contents.cache);
  for (const type of ['RefreshToken', 'IdToken', 'Account'] as const) {
    const homes = contents.cache.find(type).map(({ home_account_id }) => home_account_id);
    must(
      homes.length === Object.keys(users).length && homes.every((home) => home in users),
      `there are ${homes.length} entries ${type} for ${Object.keys(users).length} accounts`,
    );
  }
  return users;
}

/** Asserts that an earlier copy of a vault can't be opened, whatever keys exist now. */
export async function mustBeClosed(folder: string, older: Buffer): Promise<void> {
  const copy = join(folder, 'older');
  writeFileSync(copy, older);
  const { state } = await lookAt(folder, copy);
  must(state === 'key-missing' || state === 'wrong-key', `an older copy of the file is ${state}`);
}

/** Every secret and every name in the campaign's vaults contains one of these. */
const MARKS = ['secret of', 'contoso.example', '.tenant', 'RefreshToken'];

export function mustBeClean(folder: string): void {
  for (const name of readdirSync(folder)) {
    must(!name.includes('.new-'), `${name} is left for good`);
    if (name === 'keys') continue;
    const bytes = readFileSync(join(folder, name));
    for (const mark of MARKS) must(!bytes.includes(mark), `${name} has "${mark}" in the clear`);
  }
}
