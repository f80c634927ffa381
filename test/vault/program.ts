// Run by real-disk.test.ts in a mount namespace of its own: `FOLDER`, where a small tmpfs is to be mounted. Prints, a line of JSON
// each, what becomes of a vault on a disk that fills up, has room again, and may only be read.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryKeychain } from '../../src-main/keychain/memory.ts';
import { openVault } from '../../src-main/vault/file-vault.ts';
import { signIn, usersIn } from './people.ts';

const [folder = ''] = process.argv.slice(2);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k,mode=0700', 'tmpfs', folder]);
const ballast = join(folder, 'ballast');
writeFileSync(ballast, Buffer.alloc(40_000));
const file = join(folder, 'cache.vault');
const keychain = memoryKeychain();
let vault = await openVault({ file, keychain });

async function tell(what: string, act: () => Promise<unknown>): Promise<string> {
  let code = 'done';
  try {
    await act();
  } catch (error) {
    code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  const other = await openVault({ file, keychain });
  const there = Object.keys(await other.read(usersIn)).length;
  await other.close();
  const { state, held } = vault.status;
  process.stdout.write(`${JSON.stringify({ what, code, there, state, held })}\n`);
  return code;
}

let saved = 0;
const update = (): Promise<unknown> =>
  vault.update((cache) => signIn(cache, `user-${saved}`, 'x'.repeat(900)));
while ((await tell('filling', update)) === 'done' && saved < 100) saved += 1;
await tell('full, again', update);
await tell('full, a new key', () => vault.rotateKey());
rmSync(ballast);
await tell('with room', update);
await vault.close();

// The same place seen through a mount that may not be written.
const window = join(folder, 'window');
mkdirSync(window);
execFileSync('mount', ['--bind', folder, window]);
execFileSync('mount', ['-o', 'remount,bind,ro', window]);
vault = await openVault({ file: join(window, 'cache.vault'), keychain });
const late = (): Promise<unknown> => vault.update((cache) => signIn(cache, 'late'));
await tell('read-only', late);
execFileSync('mount', ['-o', 'remount,bind,rw', window]);
await tell('writable again', late);
await vault.close();
