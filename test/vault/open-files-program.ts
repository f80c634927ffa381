/** Uses up its open files at a point that the first argument names, and prints how the calls of a vault fail, one JSON line each. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../src-main/error-code.ts';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { homeOf, signIn } from './people.ts';

const [when = '', folder = ''] = process.argv.slice(2);
const taken: number[] = [];

function takeAll(): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // That was the last one.
  }
}

async function say(what: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
    console.log(JSON.stringify({ what, code: 'done', message: '', name: '' }));
  } catch (error) {
    const { message, constructor } = error as Error;
    console.log(JSON.stringify({ what, code: codeOf(error), message, name: constructor.name }));
  }
}

const vault = await openVault({ file: join(folder, 'cache.vault'), keychain: memoryKeychain() });
const calls = async (): Promise<void> => {
  await say(
    'exclusively',
    vault.exclusively(`${when}${taken.length}`, () => Promise.resolve()),
  );
  await say(
    'update',
    vault.update((cache) => signIn(cache, `ada${taken.length}`)),
  );
  await say('sign-out', vault.signOut(homeOf('ben')));
};
if (when === 'later') await vault.update((cache) => signIn(cache, 'ben'));
takeAll();
await calls();
for (const fd of taken.splice(0)) closeSync(fd);
await calls();
await vault.close();
