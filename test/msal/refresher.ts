// Run by two-processes.test.ts in a process of its own: `FILE KEYS NAME TIMES`. Signs NAME in and refreshes the token TIMES times, with
// MSAL Node, the plugin and nothing else. Prints the secret of the last refresh token.
import { msalCachePlugin } from '../../src-main/msal/index.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';
import { APPS, entra, PEOPLE } from '../vectors/make/stage.mjs';
import { application, now } from './applications.ts';

const [file = '', keys = '', name = '', times = '0'] = process.argv.slice(2);
const person = Object.entries(PEOPLE).find(([own]) => own === name)?.[1];
if (person === undefined) throw new Error(`There is no ${name}`);
const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
const app = application(7, msalCachePlugin(vault));
await app.signIn(person);
let last = '';
for (let time = 1; time <= Number(times); time += 1) {
  const response = entra(person, APPS.desk, now() + time);
  app.response = response;
  await app.silent(person, true);
  last = response.refresh_token;
}
process.stdout.write(last);
await vault.close();
