// Run by runtimes.test.ts under each runtime: adds so many tokens to the vault in the folder, one update each, and prints how many it
// reads afterwards, or the code of the error.
import { join } from 'node:path';
import { openVault } from '../../src-main/index.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';

const [folder = '', name = '', updates = ''] = process.argv.slice(2);
const vault = await openVault({
  file: join(folder, 'accounts.vault'),
  keychain: new FolderKeychain(join(folder, 'keychain')),
});
let said = '';
for (let update = 0; update < Number(updates) && said === ''; update += 1) {
  const event = {
    client_id: `${name}-${update}`,
    scope: 'files.read',
    token_endpoint: 'https://id.example/token',
    grant_type: 'client_credentials',
    response: { access_token: `${name} ${update}`, expires_in: 3600 },
  };
  await vault
    .update((cache) => cache.add(event))
    .catch((error: unknown) => {
      said = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    });
}
const tokens = await vault.read((cache) => cache.find('AccessToken').map(({ secret }) => secret).length);
await vault.close();
console.log(`${said === '' ? 'saved' : said}, ${tokens} tokens`);
