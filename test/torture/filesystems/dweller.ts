// A program on a file system with a fault: it opens the vault, and says what became of each thing that it was told to do.
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { orders, say } from '../say.ts';

/** The answer to each order, as JSON. */
export interface Said {
  code: string;
  message: string;
  state: string;
  users: Record<string, string>;
  /** Duration in milliseconds. */
  took: number;
  /** The longest time for which its main thread was blocked, in milliseconds. */
  longestStop: number;
}

/** `FILE KEYS`. Orders: `update USER SECRET`, `sign-out USER`, `compact`, `rotate`, `retry`, `close`. */
export async function dweller([file = '', keys = '']: readonly string[]): Promise<void> {
  const keychain = new FolderKeychain(keys);
  let last = performance.now();
  let longestStop = 0;
  setInterval(() => {
    const now = performance.now();
    longestStop = Math.max(longestStop, now - last);
    last = now;
  }, 10).unref();
  const vault = await openVault({ file, keychain });
  say('ready');
  for await (const line of orders()) {
    const [word = '', user = '', secret = ''] = line.split(' ');
    const begun = performance.now();
    longestStop = 0;
    let [code, message] = ['done', ''];
    try {
      if (word === 'update') await vault.update((cache) => signIn(cache, user, secret));
      else if (word === 'sign-out') await vault.signOut(homeOf(user));
      else if (word === 'compact') await vault.compact();
      else if (word === 'rotate') await vault.rotateKey();
      else if (word === 'retry') await vault.retry();
      else break;
    } catch (error) {
      code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      message = error instanceof Error ? error.message : String(error);
    }
    const took = performance.now() - begun;
    const users = await vault.read(usersIn, { held: true }).catch(() => ({}));
    const said: Said = { code, message, state: vault.status.state, users, took, longestStop };
    say(JSON.stringify(said));
  }
  await vault.close();
  process.exit(0);
}
