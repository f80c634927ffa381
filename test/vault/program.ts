// Run by real-disk.test.ts: `DISK READ_ONLY PLACE`, a disk of 96 kB, a view of it that may only be read, and the name of a link to be
// made to either. Prints, a line of JSON each, what becomes of a vault on a disk that fills up, has room again, and may only be read.
import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { signIn, usersIn } from './people.ts';

const [disk = '', readOnly = '', place = ''] = process.argv.slice(2);
for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true }); // What an earlier run left.
const ballast = join(disk, 'ballast');
writeFileSync(ballast, Buffer.alloc(40_000));
const file = join(disk, 'cache.vault');
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

// The same file by a path on which it can't be written, and then can.
symlinkSync(readOnly, place);
vault = await openVault({ file: join(place, 'cache.vault'), keychain });
const late = (): Promise<unknown> => vault.update((cache) => signIn(cache, 'late'));
await tell('read-only', late);
rmSync(place);
symlinkSync(disk, place);
await tell('writable again', late);
await vault.close();
