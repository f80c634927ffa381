// Not in npm run check: it derives the key of an export.
/** Other users of the computer can't read anything: everything that a vault creates is accessible only to its owner. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryKeychain, openVault, type Vault } from '../../src-main/index.ts';
import { signIn } from '../cache/events.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Returns the files and folders below a folder that another user may read, write or enter. */
function openToOthers(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => (statSync(join(folder, name)).mode & 0o077) !== 0,
  );
}

it.skipIf(process.platform === 'win32')(
  'creates no file or folder that others may read',
  async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'anybody’s'), '', { mode: 0o644 });
    expect(openToOthers(root)).toEqual(['anybody’s']);
    const own = join(root, 'new', 'folders');
    const file = join(own, 'accounts.vault');
    const keychain = memoryKeychain();
    const vault = await openVault({ file, keychain });
    const seen = new Set<string>();
    const look = (): void => {
      expect(openToOthers(join(root, 'new'))).toEqual([]);
      expect(statSync(join(root, 'new')).mode & 0o077).toBe(0);
      for (const name of readdirSync(own)) seen.add(name);
    };
    const steps: ((opened: Vault) => Promise<unknown>)[] = [
      (opened) => opened.update((cache) => void cache.add(signIn({}, {}, { uid: 'ada' }))),
      (opened) => opened.update((cache) => void cache.add(signIn({}, {}, { uid: 'ben' }))),
      (opened) => opened.rotateKey(),
      (opened) => opened.compact(),
      async (opened) => {
        const [account] = await opened.read((cache) => cache.accounts());
        await opened.signOut(account?.home_account_id ?? '');
      },
      (opened) => opened.exportTo(join(own, 'export.age'), 'orbit velvet canyon mustard ladder'),
      async () => {
        const other = await openVault({ file, keychain });
        await other.update((cache) => void cache.add(signIn({}, {}, { uid: 'cleo' })));
        await other.close();
      },
    ];
    for (const step of steps) {
      await step(vault);
      look();
    }
    await vault.close();
    // Each guess of the passphrase costs as much as with `age`: 2^18 rounds of scrypt and 256 MB.
    expect(readFileSync(join(own, 'export.age')).toString('latin1')).toMatch(
      /^age-encryption\.org\/v1\n-> scrypt \S+ 18\n/,
    );

    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0, Math.floor(bytes.length / 2)));
    const damaged = await openVault({ file, keychain });
    expect(damaged.status.state).not.toBe('ready');
    await damaged.startFresh();
    await damaged.update((cache) => void cache.add(signIn({}, {}, { uid: 'dan' })));
    look();
    await damaged.close();
    expect(seen.size).toBeGreaterThan(3); // the vault, its lock, the export, and the damaged file that was set aside
  },
  60_000,
);
