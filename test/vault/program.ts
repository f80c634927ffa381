// Run by processes.test.ts in processes of its own: a writer that says what was acknowledged, and can be killed.
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/file-vault.ts';
import { signIn } from './people.ts';

const [file = '', key = '', name = '', first = '0', last = '0'] = process.argv.slice(2);
const keychain: Keychain = {
  get: (_service, account) => Promise.resolve(account === 'vault/a' ? key : null),
  set: () => Promise.reject(new Error('not here')),
  delete: () => Promise.reject(new Error('not here')),
};
const vault = await openVault({ file, keychain });
process.stdout.write(`open ${vault.status.state}\n`);
for (let n = Number(first); n < Number(last); n += 1) {
  // One user each, and one that all of them write: what was replaced is dead, and the file is rewritten now and then.
  await vault.update((cache) => {
    signIn(cache, `${name}-${n}`);
    signIn(cache, `shared-${n % 3}`, `${name}-${n}`);
  });
  process.stdout.write(`saved ${n}\n`);
}
await vault.close();
