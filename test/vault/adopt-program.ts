// Run by adopt.test.ts in several processes at once: `OLD VAULT KEYS [STEP]`. Moves the plain file into the vault, as an app does at its
// start, and prints what it found. It is killed at that step: the first, second or third `read`, before or after `remove`.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { adopt } from '../../src-main/vault/adopt.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';

const [old = '', file = '', keys = '', step] = process.argv.slice(2);
const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
let removed = 0;
let readings = 0;
const killedAt = (here: string): void => {
  if (here === step) process.kill(process.pid, 'SIGKILL');
};
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const { adopted, accountsAdded } = await adopt(vault, {
  read: () => {
    killedAt(`read ${(readings += 1)}`);
    return existsSync(old) ? readFileSync(old, 'utf8') : null;
  },
  remove: () => {
    killedAt('before remove');
    removed += 1;
    rmSync(old);
    killedAt('after remove');
  },
});
const accounts = await vault.read((cache) => cache.accounts().length);
process.stdout.write(`${JSON.stringify({ adopted, accountsAdded, removed, accounts })}\n`);
await vault.close();
process.exit(0);
