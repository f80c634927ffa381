// Run by cases.test.ts in a process of its own: `FILE KEY`. Prints the document of a vault, in each library's profile, as JSON.
import { documentText } from '../../src-main/cache/document/document.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/vault.ts';

const [file = '', key = ''] = process.argv.slice(2);
const keychain: Keychain = {
  get: (_service, account) => Promise.resolve(account === 'vault/a' ? key : null),
  set: () => Promise.reject(new Error('not here')),
  delete: () => Promise.reject(new Error('not here')),
};
const vault = await openVault({ file, keychain });
const profiles = ['msal-python', 'msal-node', 'msal-node-3'] as const;
const documents = await vault.read((cache) =>
  Object.fromEntries(profiles.map((profile) => [profile, documentText(cache, { profile })])),
);
process.stdout.write(JSON.stringify(documents));
await vault.close();
