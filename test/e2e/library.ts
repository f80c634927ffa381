/** The package that `npm pack` creates, used beside the app by another process, in the environment of a keyring. */
import { execFile } from 'node:child_process';
import { createHash, hkdfSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Environment = Record<string, string>;

const LIBRARY = new URL('../../dist/index.mjs', import.meta.url).href;
const CACHE = new URL('../../dist/cache/index.mjs', import.meta.url).href;
const OPEN = `
import * as library from ${JSON.stringify(LIBRARY)};
import * as cache from ${JSON.stringify(CACHE)};
const tokenkeep = { ...library, ...cache };
import { readFileSync } from 'node:fs';
const [first, second] = process.argv.slice(1);
const open = () => tokenkeep.openVault({ file: first, name: 'accounts', service: 'Tokenkeep' });
`;

async function run(env: Environment, script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', OPEN + script, ...args],
    { env, cwd: fileURLToPath(new URL('../..', import.meta.url)), maxBuffer: 1 << 28 },
  );
  return stdout;
}

export interface VaultContent {
  state: string;
  entities: Record<string, Record<string, unknown>[]>;
}

/** Returns the decrypted contents of the app's vault. */
export async function peek(env: Environment, file: string): Promise<VaultContent> {
  const script = `
const vault = await open();
const entities = await vault.read((cache) =>
  Object.fromEntries(
    tokenkeep.ENTITY_TYPES.map((type) => [type, cache.find(type).map((entity) => ({ ...entity, secret: entity.secret }))]),
  ),
);
console.log(JSON.stringify({ state: vault.status.state, entities }));
await vault.close();`;
  return JSON.parse(await run(env, script, file)) as VaultContent;
}

/** Creates the app's vault, as if the app had imported the document. */
export async function seed(env: Environment, file: string, document: string): Promise<void> {
  const script = `
const vault = await open();
const document = new tokenkeep.SerializableTokenCache();
document.deserialize(readFileSync(second, 'utf8'));
await vault.update((cache) => void tokenkeep.merge(cache, document));
if (vault.status.state !== 'ready') throw new Error(vault.status.state);
await vault.close();`;
  await run(env, script, file, document);
}

/** Removes the app's key, or replaces it with another. FORMAT.md: its name in the keychain is the file's id. */
export async function changeKey(env: Environment, file: string, to: 'none' | 'another'): Promise<void> {
  const script = `
const keychain = tokenkeep.systemKeychain();
const account = readFileSync(second).toString('hex', 16, 32) + '/a';
if (first === 'none') await keychain.delete('Tokenkeep', account);
else await keychain.set('Tokenkeep', account, JSON.stringify({ key: Buffer.alloc(32, 7).toString('base64') }));
process.exit();`;
  await run(env, script, to, file);
}

/** Returns the app's key in base64. */
export async function keyOf(env: Environment, file: string): Promise<string> {
  const script = `
const account = readFileSync(first).toString('hex', 16, 32) + '/a';
const item = await tokenkeep.systemKeychain().get('Tokenkeep', account);
console.log(JSON.stringify(JSON.parse(item).key));
process.exit();`;
  return JSON.parse(await run(env, script, file)) as string;
}

/** Returns the file with the header of a later version of the format. FORMAT.md: both headers, their version, check and checksum. */
export function asNewer(file: Buffer, key: string): Buffer {
  const newer = Buffer.from(file);
  for (const at of [0, 4096]) {
    newer.writeUInt32LE(3, at + 8);
    const info = Buffer.concat([Buffer.from('tokenkeep vault check'), newer.subarray(at, at + 80)]);
    const salt = newer.subarray(at + 48, at + 80);
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), salt, info, 16)).copy(newer, at + 80);
    createHash('sha256')
      .update(newer.subarray(at, at + 96))
      .digest()
      .copy(newer, at + 96);
  }
  return newer;
}
