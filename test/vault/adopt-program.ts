// Run by adopt.test.ts in several processes at once: `OLD VAULT KEYS`. Moves the plain file into the vault, as an app does at its start,
// and prints what it found.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { adopt } from '../../src-main/vault/adopt.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';

const [old = '', file = '', keys = ''] = process.argv.slice(2);
const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
let removed = 0;
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const { adopted, accountsAdded } = await adopt(vault, {
  read: () => (existsSync(old) ? readFileSync(old, 'utf8') : null),
  remove: () => {
    removed += 1;
    rmSync(old);
  },
});
const accounts = await vault.read((cache) => cache.accounts().length);
process.stdout.write(`${JSON.stringify({ adopted, accountsAdded, removed, accounts })}\n`);
await vault.close();
process.exit(0);
