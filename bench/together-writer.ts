/**
 * Refreshes tokens and stores them in a file: `node together-writer.mjs SUBJECT FILE NAME COUNT FOLDER`. Prints
 * `ready`, waits for a line, then prints each update once it is acknowledged, or `error` and its code.
 */
import { once } from 'node:events';
import type { ICachePlugin } from 'msal-node-7';
import { openVault } from '../src-main/index.ts';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import { FolderKeychain } from '../test/torture/folder-keychain.ts';
import { person, tokenResponse } from './generate.ts';
import { msalNode } from './msal-node.ts';
import { loadPeer } from './together-peers.ts';

const [subject = '', file = '', name = '', count = '', folder = ''] = process.argv.slice(2);

async function plugin(): Promise<ICachePlugin> {
  if (subject === 'tokenkeep')
    return msalCachePlugin(await openVault({ file, keychain: new FolderKeychain(`${file}.keys`) }));
  const { FilePersistence, PersistenceCachePlugin } = loadPeer(folder);
  return new PersistenceCachePlugin(await FilePersistence.create(file));
}

/** Each update gets a token for its own scope, so that its presence can be checked. */
const scope = (index: number): string => `api://${name}-${index}/read`;
const msal = msalNode((index) => ({ ...person(Number(name) % 4), scopes: [scope(index)] }), await plugin());

console.log('ready');
await once(process.stdin, 'data');
for (let index = 0; index < Number(count); index += 1) {
  try {
    await msal.add(index, { ...tokenResponse(Number(name) % 4, index + 1), scope: scope(index) });
    console.log(scope(index));
  } catch (error) {
    const { errorCode, code, message } = error as { errorCode?: string; code?: string; message?: string };
    console.log(`error ${errorCode ?? code ?? String(message).slice(0, 60)}`);
  }
}
process.exit(0);
