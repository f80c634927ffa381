import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CacheHandle, inMemory, memoryKeychain, TokenCache } from '../../src-main/index.ts';
import { NamedLocks } from '../../src-main/lock/file-lock.ts';
import { testVault } from '../../src-main/testing/index.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const GRANT = {
  client_id: 'mail',
  scope: ['openid', 'offline_access'],
  token_endpoint: 'https://login.example.org/token',
  response: { access_token: 'at', token_type: 'Bearer', expires_in: 3600 },
};

/** Two tasks of each name, noting who is inside; `overlaps` counts those that met one of their name. */
async function crowd(handles: CacheHandle[], names: string[]) {
  const inside = new Map<string, number>();
  let overlaps = 0;
  const done: string[] = [];
  const task = (name: string) => async () => {
    if ((inside.get(name) ?? 0) > 0) overlaps += 1;
    inside.set(name, (inside.get(name) ?? 0) + 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside.set(name, (inside.get(name) ?? 0) - 1);
    done.push(name);
    return name;
  };
  const all = handles.flatMap((handle) => names.map((name) => handle.exclusively!(name, task(name))));
  return { results: await Promise.all(all), overlaps, done };
}

test('two handles on one file: one task of a name at a time', async () => {
  const file = join(temporaryFolder(), 'cache.vault');
  const keychain = memoryKeychain();
  const vaults = [await openVault({ file, keychain }), await openVault({ file, keychain })];
  const { results, overlaps } = await crowd(vaults, ['ada', 'ada', 'ben']);
  expect(results.sort()).toEqual(['ada', 'ada', 'ada', 'ada', 'ben', 'ben']);
  expect(overlaps).toBe(0);
  for (const vault of vaults) await vault.close();
  await expect(vaults[0]?.exclusively('ada', () => Promise.resolve())).rejects.toMatchObject({
    code: 'vault_closed',
  });
});

test('closing waits for a task that has begun, which still stores what it got, and starts no other', async () => {
  const file = join(temporaryFolder(), 'cache.vault');
  const keychain = memoryKeychain();
  const vault = await openVault({ file, keychain });
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    const answered = new Promise<void>((free) => void (answer = free));
    void vault.exclusively('ada', async () => {
      resolve();
      await answered; // the provider has rotated the refresh token
      await vault.update((cache) =>
        cache.add({ ...GRANT, response: { ...GRANT.response, refresh_token: 'new' } }),
      );
    });
  });
  await asked;
  let began = false;
  const next = vault.exclusively('ada', () => {
    began = true;
    return Promise.resolve();
  });
  let ended = 0;
  const closing = [vault.close(), vault.close()].map((end) => end.then(() => (ended += 1)));
  await expect(next).rejects.toMatchObject({ code: 'vault_closed' });
  await expect(vault.exclusively('ben', () => Promise.resolve())).rejects.toMatchObject({
    code: 'vault_closed',
  });
  expect(ended).toBe(0);
  answer();
  await Promise.all(closing);
  expect(began).toBe(false);
  await expect(vault.read(() => 1)).rejects.toMatchObject({ code: 'vault_closed' });
  await using again = await openVault({ file, keychain });
  expect(await again.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret))).toEqual([
    'new',
  ]);
});

test('closing does not wait for a lock that another handle holds', async () => {
  const file = join(temporaryFolder(), 'cache.vault');
  const keychain = memoryKeychain();
  await using holder = await openVault({ file, keychain });
  const vault = await openVault({ file, keychain });
  let free = (): void => undefined;
  let held: Promise<void> | undefined;
  await new Promise<void>((begun) => {
    held = holder.exclusively('ada', () => {
      begun();
      return new Promise<void>((resolve) => void (free = resolve));
    });
  });
  const waiting = expect(vault.exclusively('ada', () => Promise.resolve())).rejects.toMatchObject({
    code: 'vault_closed',
  });
  await vault.close();
  await waiting;
  free();
  await held;
});

test('in memory: one task of a name at a time, and a failed one frees the way', async () => {
  const handle = inMemory(new TokenCache());
  const failed = expect(
    handle.exclusively?.('ada', () => Promise.reject(new Error('refused'))),
  ).rejects.toThrow('refused');
  const { overlaps, done } = await crowd([handle, handle], ['ada', 'ben']);
  await failed;
  expect(overlaps).toBe(0);
  expect(done).toHaveLength(4);
});

test('a call that waits too long rejects', async () => {
  const file = join(temporaryFolder(), 'use-lock');
  const [holder, waiter] = [new NamedLocks(file, {}), new NamedLocks(file, { deadline: 1000 })];
  let free = (): void => undefined;
  let held = Promise.resolve();
  // Only once its task has begun does the holder have the lock: another thread takes it.
  await new Promise<void>((begun) => {
    held = holder.hold('ada', () => {
      begun();
      return new Promise<void>((resolve) => void (free = resolve));
    });
  });
  await expect(waiter.hold('ada', () => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  free();
  await held;
  await expect(waiter.hold('ada', () => Promise.resolve('mine'))).resolves.toBe('mine');
  await Promise.all([holder.close(), waiter.close()]);
});

test.each(['damaged', 'older', 'copy'] as const)(
  'a task does not begin in a vault that is %s: what it gets could not be kept',
  async (state) => {
    const { vault, dispose } = await testVault({ state });
    let begun = false;
    const task = () => Promise.resolve((begun = true));
    await expect(vault.exclusively('ada', task)).rejects.toMatchObject({ code: `vault_${state}` });
    expect(begun).toBe(false);
    await dispose();
  },
);

test('a task begins in a vault that keeps in memory what it can’t save', async () => {
  const { vault, dispose } = await testVault({ state: 'locked', unprotected: 'memory' });
  expect(await vault.exclusively('ada', () => Promise.resolve('begun'))).toBe('begun');
  await dispose();
});
