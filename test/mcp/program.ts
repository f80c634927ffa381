// Runs in its own processes: calls the MCP server's tool with the SDK's client for some seconds, and prints the results. When told to
// hang, its next refresh never arrives, as without a network.
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { openVault } from '../../src-main/index.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';
import { agent, call } from './sign-in.ts';

const { file, key, url, seconds, hangs } = JSON.parse(process.argv[2] ?? '') as {
  file: string;
  key: string;
  url: string;
  seconds: number;
  hangs: boolean;
};
const vault = await openVault({ file, keychain: new FolderKeychain(key) });
const send: typeof fetch = async (input, init) => {
  if (!hangs) return fetch(input, init);
  process.stdout.write('holding\n');
  return new Promise(() => setInterval(() => undefined, 1000));
};
const own = agent(vault, { url }, { fetch: send });
const said = { served: 0, authorized: 0, errors: [] as string[] };
const end = Date.now() + seconds * 1000;
process.stdout.write('ready\n');
try {
  // All at once, as a transport does on a 401.
  if ((await auth(own.provider, { serverUrl: url })) === 'AUTHORIZED') said.authorized += 1;
} catch (error) {
  said.errors.push(String(error));
}
do {
  try {
    await call(own, { url });
    said.served += 1;
  } catch (error) {
    said.errors.push(String(error));
  }
} while (Date.now() < end);
process.stdout.write(`${JSON.stringify({ ...said, opened: own.opened.length })}\n`);
await vault.close();
process.exit(0);
