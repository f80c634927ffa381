// A process that is killed while it recovers a damaged vault, or begins a fresh one.
import { join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import { signIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { orders, say } from '../say.ts';
import { told } from '../tally.ts';

/** Waits for `recover FOLDER USER` or `startFresh FOLDER USER`; then signs that user in. */
export async function rescuer(): Promise<void> {
  say('standby');
  for await (const line of orders()) {
    const [kind, folder = '', user = ''] = line.split(' ');
    const keychain = new FolderKeychain(join(folder, 'keys'));
    const vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
    say('begin');
    try {
      await (kind === 'recover' ? vault.recover() : vault.startFresh());
      say('rescued');
    } catch (error) {
      // The other process was first.
      if (!(error instanceof Error && 'code' in error && error.code === 'invalid_argument')) {
        say('failed', told(error));
      }
    }
    try {
      await vault.update((cache) => signIn(cache, user));
      say('saved');
    } catch (error) {
      say('failed', told(error));
    }
    await vault.close();
    say('end');
  }
}
