// What an update appends, and when the file is rewritten: vault-format.md, "Reclaimable space".
import { expect, onTestFinished, test, vi } from 'vitest';
import { changeHistory } from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { appData, setAppData } from '../../src-main/cache/token-cache.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { nodeIo } from '../../src-main/vault/disk/file.ts';
import { Scene } from './fakes.ts';
import { signIn } from './people.ts';

const KIB = 1024;

const limit = vi.hoisted(() => ({ bytes: 1024 ** 3 }));
vi.mock(import('../../src-main/vault/disk/size-limit.ts'), async (importOriginal) => ({
  ...(await importOriginal()),
  get MAX_FILE_BYTES() {
    return limit.bytes;
  },
}));

const bytesOf = (vault: Vault): number => vault.status.bytes ?? 0;

/** Replaces one value, of which only the last one is current. */
const replace = (vault: Vault, name: string, kibibytes: number, round: number): Promise<void> =>
  vault.update((cache) => setAppData(cache, name, { round, text: 'x'.repeat(kibibytes * KIB) }));

const roundIn = (vault: Vault, name: string): Promise<unknown> =>
  vault.read((cache) => (appData(cache, name) as { round: number }).round);

/** Returns how many bytes a change of one history appends in a vault where every account has one. */
async function bytesForHistory(users: number): Promise<number> {
  const vault = await new Scene().open();
  const issuers = { app: 'https://id.example' };
  await vault.update((cache) => {
    for (let user = 0; user < users; user += 1) signIn(cache, `user-${user}`);
    for (const id of cachedAccounts(cache).byId.keys()) changeHistory(cache, id, { issuers });
  });
  await vault.compact();
  const before = bytesOf(vault);
  const [id = ''] = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()]);
  await vault.update((cache) => changeHistory(cache, id, { issuers: { app: 'https://id2.example' } }));
  return bytesOf(vault) - before;
}

test('a change of an account’s history appends no more where there are many accounts', async () => {
  const few = await bytesForHistory(2);
  expect(await bytesForHistory(200)).toBeLessThan(2 * few);
});

test('a file in which few entries take all the room is rewritten', async () => {
  const scene = new Scene();
  const vault = await scene.open({}, { io: nodeIo });
  const sizes: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    await replace(vault, 'one', 4 * KIB, round);
    sizes.push(bytesOf(vault));
  }
  // What is rewritten is 4 MiB; as much again and 16 MiB may follow it, and the update that exceeds that.
  expect(Math.max(...sizes)).toBeLessThan(29 * KIB * KIB);
  expect(sizes.some((size, at) => size < (sizes[at - 1] ?? 0))).toBe(true);
  expect(await roundIn(await scene.open({}, { io: nodeIo }), 'one')).toBe(7);
});

test('an update for which the file has no room rewrites it, and is refused only if it needs more', async () => {
  limit.bytes = 400 * KIB;
  onTestFinished(() => void (limit.bytes = KIB ** 3));
  const scene = new Scene();
  const vault = await scene.open();
  for (const name of ['one', 'two', 'three']) await replace(vault, name, 50, 0);
  for (let round = 1; round < 12; round += 1) {
    await replace(vault, 'one', 50, round);
    expect(bytesOf(vault)).toBeLessThanOrEqual(limit.bytes);
  }
  await replace(vault, 'four', 150, 1);
  const before = Buffer.from(scene.bytes);
  await expect(replace(vault, 'five', 150, 1)).rejects.toMatchObject({ code: 'storage_failed' });
  expect(scene.bytes.equals(before)).toBe(true);
  expect(vault.status.state).toBe('ready');
  await replace(vault, 'one', 10, 12);
  const again = await scene.open();
  expect(again.status.state).toBe('ready');
  expect(await roundIn(again, 'one')).toBe(12);
});
