// One of many processes that write at the same time.
import { join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { orders, say } from '../say.ts';

/** `FOLDER NAME COUNT`: waits for `go`, then signs COUNT users in, an update each, and says `done`. */
export async function racer([folder = '', name = '', count = '0']: readonly string[]): Promise<void> {
  const keychain = new FolderKeychain(join(folder, 'keys'));
  const vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
  say('ready');
  await orders()[Symbol.asyncIterator]().next(); // `go`
  let waited = 0;
  for (let n = 0; n < Number(count); n += 1) {
    const begun = performance.now();
    await vault.update((cache) => signIn(cache, `${name}-${n}`));
    waited = Math.max(waited, performance.now() - begun);
  }
  const seen = await vault.read((cache) => cache.find('Account').length);
  const others = await vault.read((cache) =>
    Array.from({ length: Number(count) }, (_, n) => homeOf(`${name}-${n}`)).every(
      (home_account_id) => cache.find('Account', { query: { home_account_id } }).length === 1,
    ),
  );
  await vault.close();
  say('done', Math.round(waited), seen, String(others));
  process.exit(0);
}
