/** Runs the command in this process. Returns its output and exit code. The keys of its exports are derived in few rounds. */
import { run } from '../../src-main/cli/run.ts';
import type { World } from '../../src-main/cli/world.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param home the home folder, with no file of the user who runs the tests */
export async function command(
  { home, keychain }: { home: string; keychain: Keychain },
  words: readonly string[],
  { stdin = '', ...own }: Partial<World> & { stdin?: string } = {},
): Promise<Ran> {
  const printed = { out: '', err: '' };
  const code = await run(words, {
    version: '1.2.3',
    platform: 'linux',
    home,
    env: {},
    out: { write: (text) => (printed.out += text), isTerminal: false },
    err: { write: (text) => (printed.err += text), isTerminal: false },
    isInteractive: false,
    input: () => Promise.resolve(stdin),
    ask: () => Promise.resolve(''),
    fetch: () => Promise.reject(new Error('no network in this test')),
    now: () => Math.floor(Date.now() / 1000),
    keychain,
    openVault: (options) => openVaultIn(options, { scryptWork: 4 }),
    ...own,
  });
  return { code, ...printed };
}
