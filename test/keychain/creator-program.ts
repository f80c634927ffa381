// Run by keychains.test.ts: `KEY_FILE CALL`. Stores the first secret of a keychain with a key file, and is killed at its first call of this
// kind: after `link`, and before the others.
import promises, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { keyFile } from '../../src-main/keychain/key-file.ts';

const [key = '', call = ''] = process.argv.slice(2);
const killed = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('not killed');
};
const all = promises as unknown as Record<string, (...words: unknown[]) => Promise<unknown>>;
const probe = await open(process.execPath, 'r');
const handles = Object.getPrototypeOf(probe) as Record<string, unknown>;
await probe.close();
if (call in handles) handles[call] = killed;
const original = all[call];
if (original !== undefined && !(call in handles)) {
  all[call] = call === 'link' ? async (...words) => original(...words).then(killed) : killed;
  syncBuiltinESMExports();
}
await keyFile(key).set('s', 'a', 'kept');
