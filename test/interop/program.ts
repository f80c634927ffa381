// Run by cases.test.ts in a process of its own: `FILE KEYS`. Prints the document of a vault, in each library's dialect, as JSON.
import { documentText } from '../../src-main/cache/document/document.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';

const [file = '', keys = ''] = process.argv.slice(2);
const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
const dialects = ['msal-python', 'msal-node', 'msal-node-3'] as const;
const documents = await vault.read((cache) =>
  Object.fromEntries(dialects.map((dialect) => [dialect, documentText(cache, { dialect })])),
);
process.stdout.write(JSON.stringify(documents));
await vault.close();
