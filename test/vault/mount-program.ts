// Run by mounts.test.ts in a mount namespace of its own: `FOLDER`. Mounts over the folder and the file of an open vault, and prints, a line
// of JSON each, what becomes of the vault.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vault } from '../../src-main/index.ts';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from './people.ts';

const [base = ''] = process.argv.slice(2);
const [folder, other] = [join(base, 'vault'), join(base, 'other')];
for (const each of [folder, other]) mkdirSync(each);
const [file, empty] = [join(folder, 'cache.vault'), join(base, 'empty')];
writeFileSync(empty, '');
const keychain = memoryKeychain();
const mount = (...args: string[]): Buffer => execFileSync('mount', args);
/** The vault keeps its lock files open, wherever the folder leads. */
const unmount = (where: string): Buffer => execFileSync('umount', ['--lazy', where]);
let vault = await openVault({ file, keychain });

async function tell(what: string, act: (vault: Vault) => Promise<unknown>): Promise<void> {
  const failure = await act(vault).then(
    () => null,
    (error: unknown) => error,
  );
  const users = await vault.read((cache) => Object.keys(usersIn(cache)).sort(), { held: true });
  const code = failure instanceof Error && 'code' in failure ? failure.code : failure;
  const line = {
    what,
    code: failure === null ? 'done' : code,
    message: failure instanceof Error ? failure.message : '',
    state: vault.status.state,
    users: users.map((home) => home.replace('.tenant', '')),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
const update =
  (user: string) =>
  (opened: Vault): Promise<unknown> =>
    opened.update((cache) => signIn(cache, user));

await tell('ready', update('ada'));
copyFileSync(file, join(other, 'cache.vault'));
mount('-t', 'tmpfs', 'tmpfs', folder);
await tell('an empty disk over the folder', update('ben'));
unmount(folder);
await tell('the folder again', update('ben'));
mount('--bind', other, folder);
await tell('an older copy over the folder', update('cas'));
unmount(folder);
await tell('the folder once more', update('cas'));
mount('--bind', folder, folder);
await tell('the folder over itself', update('dan'));
unmount(folder);
mount('--bind', file, file);
await tell('the file over itself', update('eva'));
await tell('a sign-out in a file mounted alone', (opened) => opened.signOut(homeOf('ada')));
unmount(file);
await tell('the sign-out, not mounted', (opened) => opened.signOut(homeOf('ada')));
mount('--bind', empty, file);
await tell('an empty file over the file', update('flo'));
unmount(file);
await tell('at the end', update('flo'));
await vault.close();
vault = await openVault({ file, keychain });
await tell('opened again', () => Promise.resolve());
await vault.close();
