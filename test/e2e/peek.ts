import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const LIBRARY = new URL('../../dist/index.mjs', import.meta.url).href;

/** What `npm pack` ships, opening the app's vault with the key from the real keyring. */
const SCRIPT = `
import { openVault, ENTITY_TYPES } from ${JSON.stringify(LIBRARY)};
const vault = await openVault({ file: process.argv[1], name: process.argv[2], service: 'Tokenkeep' });
const entities = await vault.read((cache) =>
  Object.fromEntries(ENTITY_TYPES.map((type) => [type, cache.find(type).map((entity) => ({ ...entity }))])),
);
console.log(JSON.stringify({ state: vault.status.state, entities }));
await vault.close();
`;

/** The content of a vault, decrypted by another process in the environment of a keyring. */
export async function peek(
  env: Record<string, string>,
  file: string,
  name = 'accounts',
): Promise<{ state: string; entities: Record<string, Record<string, unknown>[]> }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', SCRIPT, file, name],
    { env, cwd: fileURLToPath(new URL('../..', import.meta.url)), maxBuffer: 1 << 28 },
  );
  return JSON.parse(stdout) as Awaited<ReturnType<typeof peek>>;
}
