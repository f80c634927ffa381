/**
 * Stores token responses in a file, one after the other: `node together-writer.mjs SUBJECT FILE NAME COUNT FOLDER`. Prints
 * `ready`, waits for a line, then prints each update and its milliseconds once it is acknowledged, or `error` and its code.
 */
import { once } from 'node:events';
import type { ICachePlugin } from 'msal-node-7';
import { openVault } from '../src-main/index.ts';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import { FolderKeychain } from '../test/torture/folder-keychain.ts';
import { app, person, tokenResponse } from './generate.ts';
import { msalNode } from './msal-node.ts';
import { loadElectronStore, loadExtensions } from './together-peers.ts';

const [subject = '', file = '', name = '', count = '', folder = ''] = process.argv.slice(2);

/** Each update gets a token for its own scope, so that its presence can be checked. */
const scope = (index: number): string => `api://${name}-${index}/read`;
const user = Number(name) % 4;
const responseFor = (index: number) => ({ ...tokenResponse(user, index + 1), scope: scope(index) });
const vault = () => openVault({ file, keychain: new FolderKeychain(`${file}.keys`) });

type Write = (index: number) => Promise<void> | void;

const WRITERS: Readonly<Record<string, () => Promise<Write>>> = {
  async vault() {
    const opened = await vault();
    const token_endpoint = `https://${app.host}/${app.tenant}/oauth2/v2.0/token`;
    return (index) => {
      const event = { client_id: app.client_id, scope: [scope(index)], token_endpoint };
      return opened.update((cache) => void cache.add({ ...event, response: responseFor(index) }));
    };
  },
  tokenkeep: async () => underMsal(msalCachePlugin(await vault())),
  async extensions() {
    const { FilePersistence, PersistenceCachePlugin } = loadExtensions(folder);
    return underMsal(new PersistenceCachePlugin(await FilePersistence.create(file)));
  },
  async 'electron-store'() {
    const store = await loadElectronStore(folder, file);
    return (index) => {
      const secret = tokenResponse(user, index + 1)['access_token'];
      const token = { ...person(user), credential_type: 'AccessToken', secret, target: scope(index) };
      store.set(`accesstoken ${scope(index)}`, token);
    };
  },
};

/** Stores what MSAL Node stores when it redeems a refresh token. */
function underMsal(plugin: ICachePlugin): Write {
  const msal = msalNode((index) => ({ ...person(user), scopes: [scope(index)] }), plugin);
  return (index) => msal.add(index, responseFor(index));
}

const write = await WRITERS[subject]?.();
if (write === undefined) throw new Error('Run by together-programs.ts only');

console.log('ready');
await once(process.stdin, 'data');
for (let index = 0; index < Number(count); index += 1) {
  const begin = performance.now();
  try {
    await write(index);
    console.log(`${scope(index)} ${performance.now() - begin}`);
  } catch (error) {
    const { errorCode, code, message } = error as { errorCode?: string; code?: string; message?: string };
    console.log(`error ${errorCode ?? code ?? String(message).slice(0, 60)}`);
  }
}
process.exit(0);
