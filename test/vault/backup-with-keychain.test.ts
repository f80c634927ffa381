/** An attacker has a backup of everything: the file and the keychain. What does it open, and until when? */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Keychain, openVault, type Vault } from '../../src-main/index.ts';
import { signIn } from '../cache/events.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A keychain that can be backed up. */
function keychainOf(secrets = new Map<string, string>()): {
  keychain: Keychain;
  backup: () => Map<string, string>;
} {
  const nameOf = (service: string, account: string): string => JSON.stringify([service, account]);
  return {
    backup: () => new Map(secrets),
    keychain: {
      get: (service, account) => Promise.resolve(secrets.get(nameOf(service, account)) ?? null),
      set: (service, account, secret) => Promise.resolve(void secrets.set(nameOf(service, account), secret)),
      delete: (service, account) => Promise.resolve(void secrets.delete(nameOf(service, account))),
    },
  };
}

const person = (uid: string) => signIn({ access_token: `token of ${uid}` }, {}, { uid });
const secretsIn = async (vault: Vault): Promise<string[]> =>
  vault.read((cache) => cache.find('AccessToken').map(({ secret }) => secret)).catch(() => []);

async function stage() {
  const folder = temporaryFolder();
  const file = join(folder, 'accounts.vault');
  const own = keychainOf();
  const vault = await openVault({ file, keychain: own.keychain });
  await vault.update((cache) => void cache.add(person('ada')));
  const backup = { file: join(folder, 'backup.vault'), secrets: own.backup() };
  copyFileSync(file, backup.file);
  /** The attacker opens a file with a keychain. */
  const attack = async (from: string, secrets: Map<string, string>): Promise<string[]> => {
    const stolen = join(temporaryFolder(), 'accounts.vault');
    copyFileSync(from, stolen);
    const opened = await openVault({ file: stolen, keychain: keychainOf(new Map(secrets)).keychain });
    const found = await secretsIn(opened);
    await opened.close();
    return found;
  };
  return { vault, file, own, backup, attack };
}

it('opens what was in the vault when it was made, also after a sign-out: only revoking helps', async () => {
  const { vault, backup, attack } = await stage();
  await vault.signOut('ada.utid');
  expect(await attack(backup.file, backup.secrets)).toEqual(['token of ada']);
  await vault.close();
});

it('does not open the file of after a sign-out, and so nothing that was added since', async () => {
  const { vault, file, backup, attack } = await stage();
  await vault.signOut('ada.utid');
  await vault.update((cache) => void cache.add(person('bob')));
  expect(await attack(file, backup.secrets)).toEqual([]);
  await vault.close();
});

it('does not open the file of after a key rotation', async () => {
  const { vault, file, backup, attack } = await stage();
  await vault.rotateKey();
  await vault.update((cache) => void cache.add(person('bob')));
  expect(await attack(file, backup.secrets)).toEqual([]);
  await vault.close();
});

it('without its keychain can’t be opened after the sign-out, not even by its user', async () => {
  const { vault, own, backup, attack } = await stage();
  await vault.signOut('ada.utid');
  expect(await attack(backup.file, own.backup())).toEqual([]);
  await vault.close();
});

it('opens later files until then: the key stays the same', async () => {
  const { vault, file, backup, attack } = await stage();
  await vault.update((cache) => void cache.add(person('bob')));
  expect(await attack(file, backup.secrets)).toEqual(['token of ada', 'token of bob']);
  await vault.close();
});
