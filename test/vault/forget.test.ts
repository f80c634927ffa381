// Deleting a vault needs no key, and leaves neither the file nor the key.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { VaultError } from '../../src-main/errors.ts';
import { memoryKeychain, openVault } from '../../src-main/index.ts';
import { testVault } from '../../src-main/testing/index.ts';
import type { VaultState } from '../../src-main/vault/state.ts';
import { Scene } from './fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

async function sceneWithFile(): Promise<Scene> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.close();
  return scene;
}

const left = (scene: Scene): string[] =>
  [...scene.disk.nodes.keys()].filter((file) => !file.includes('lock'));

test('ready: file and key are removed, and the vault continues empty', async () => {
  const scene = await sceneWithFile();
  const vault = await scene.open();
  expect(await vault.forget()).toEqual({ key: 'destroyed' });
  expect(left(scene)).toEqual([]);
  expect(scene.keychain.items.size).toBe(0);
  expect(vault.status).toMatchObject({ state: 'ready', bytes: null });
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
  await vault.update((cache) => signIn(cache, 'ben'));
  expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ben')]);
});

/** What becomes of the key, in every state that there is; of which a vault that another program is writing rejects. */
const IN_EACH_STATE: Readonly<
  Record<VaultState, 'destroyed' | 'pending' | 'unknown' | 'kept' | 'vault_busy'>
> = {
  ready: 'destroyed',
  locked: 'pending',
  'no-keychain': 'pending',
  'key-missing': 'destroyed',
  'wrong-key': 'destroyed',
  damaged: 'destroyed',
  newer: 'destroyed',
  'read-only': 'destroyed',
  unreadable: 'unknown',
  busy: 'vault_busy',
  older: 'destroyed',
  copy: 'kept',
};

test.each(Object.entries(IN_EACH_STATE))('%s, on a real disk: the key is %s', async (state, key) => {
  const { vault, file, mend, dispose } = await testVault({ state: state as VaultState });
  onTestFinished(dispose);
  expect(vault.status.state).toBe(state);
  const forget = () =>
    vault.forget().then(
      (told) => told.key,
      (error: unknown) => (error as VaultError).code,
    );
  expect(await forget()).toBe(key);
  expect(existsSync(file)).toBe(key === 'vault_busy');
  await mend();
  if (key === 'vault_busy') expect(await forget()).toBe('destroyed');
});

test('without an earlier cache, nothing is done', async () => {
  const scene = new Scene();
  expect(await (await scene.open()).forget()).toEqual({ key: 'none' });
});

describe.each(['locked', 'unavailable'] as const)('while the keychain is %s', (mood) => {
  test('the file is gone at once, the key at the next start', async () => {
    const scene = await sceneWithFile();
    scene.keychain.mood = mood;
    const vault = await scene.open();
    expect(await vault.forget()).toEqual({ key: 'pending' });
    expect(scene.disk.nodes.has(scene.file)).toBe(false);
    expect(scene.keychain.items.size).toBe(1);
    await vault.close();
    scene.keychain.mood = 'open';
    const next = await scene.open();
    await expect.poll(() => scene.keychain.items.size).toBe(0);
    expect(next.status).toMatchObject({ state: 'ready', bytes: null });
    await expect.poll(() => left(scene)).toEqual([]);
  });
});

test('a file that is put back meanwhile keeps its key', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  scene.keychain.mood = 'locked';
  await (await scene.open()).forget();
  scene.keychain.mood = 'open';
  scene.disk.put(scene.file, bytes);
  const vault = await scene.open();
  await expect.poll(() => left(scene)).toEqual([scene.file]);
  expect(vault.status.state).toBe('ready');
  expect((await vault.retry()).state).toBe('ready');
  expect(scene.keychain.items.size).toBe(1);
});

test('a file that is put back and can’t be read yet keeps its key', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  scene.keychain.mood = 'locked';
  await (await scene.open()).forget();
  scene.keychain.mood = 'open';
  scene.disk.put(scene.file, bytes);
  for (const unreadable of [scene.file, true]) {
    scene.disk.unreadable = unreadable;
    const vault = await scene.open();
    for (let turn = 0; turn < 3; turn += 1) expect((await vault.retry()).state).toBe('unreadable');
    await vault.close();
    expect(scene.keychain.items.size).toBe(1);
    expect(left(scene)).toContain(`${scene.file}.forgotten`);
  }
  scene.disk.unreadable = false;
  const again = await scene.open();
  await expect.poll(() => left(scene)).toEqual([scene.file]);
  expect(again.status.state).toBe('ready');
  expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ada')]);
});

test.each([
  ['key missing', (scene: Scene) => scene.keychain.items.clear(), 'destroyed'],
  ['header gone', (scene: Scene) => scene.disk.put(scene.file, scene.bytes.fill(0, 0, 5000)), 'unknown'],
  ['damaged', (scene: Scene) => scene.disk.put(scene.file, scene.bytes.fill(1, 5000)), 'destroyed'],
] as const)('%s: the file is gone', async (_name, spoil, key) => {
  const scene = await sceneWithFile();
  spoil(scene);
  const vault = await scene.open();
  expect(vault.status.state).not.toBe('ready');
  expect(await vault.forget()).toEqual({ key });
  expect(left(scene)).toEqual([]);
  expect(vault.status).toMatchObject({ state: 'ready', bytes: null });
});

test('older: the contents of memory are removed too', async () => {
  const scene = await sceneWithFile();
  const before = Buffer.from(scene.bytes);
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ben'));
  scene.disk.put(scene.file, before);
  await vault.read(() => undefined);
  expect(vault.status.state).toBe('older');
  expect(await vault.forget()).toEqual({ key: 'destroyed' });
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
  expect(scene.keychain.items.size).toBe(0);
});

test('a copy: the original keeps its key', async () => {
  const scene = await sceneWithFile();
  const copy = join(temporaryFolder(), 'cache.vault');
  scene.disk.put(copy, scene.bytes);
  const vault = await scene.open({ file: copy });
  expect(vault.status.state).toBe('copy');
  expect(await vault.forget()).toEqual({ key: 'kept' });
  expect(scene.disk.nodes.has(copy)).toBe(false);
  expect((await scene.open()).status.state).toBe('ready');
});

test('a copy, while the keychain is locked: neither now nor later', async () => {
  const scene = await sceneWithFile();
  const copy = join(temporaryFolder(), 'cache.vault');
  scene.disk.put(copy, scene.bytes);
  scene.keychain.mood = 'locked';
  await (await scene.open({ file: copy })).forget();
  scene.keychain.mood = 'open';
  await (await scene.open({ file: copy })).close();
  expect((await scene.open()).status.state).toBe('ready');
});

test('what is held in memory goes too, and is not saved later', async () => {
  const scene = await sceneWithFile();
  scene.keychain.mood = 'locked';
  const vault = await scene.open({ unprotected: 'memory' });
  await vault.update((cache) => signIn(cache, 'ben'));
  expect(vault.status).toMatchObject({ held: 'memory', unsaved: 1 });
  expect(await vault.forget()).toEqual({ key: 'pending' });
  expect(vault.status).toMatchObject({ held: 'disk', unsaved: 0 });
  scene.keychain.mood = 'open';
  await vault.retry();
  expect(await vault.read(usersIn)).toEqual({});
  expect(scene.disk.nodes.has(scene.file)).toBe(false);
});

test('a key whose vault is on a drive that is away is kept', async () => {
  const folder = temporaryFolder();
  const drive = join(folder, 'drive');
  const keychain = memoryKeychain();
  const open = (file: string) => openVault({ file, keychain });
  const original = await open(join(drive, 'a.vault'));
  await original.update((cache) => signIn(cache, 'ada'));
  await original.close();
  const id = readFileSync(join(drive, 'a.vault')).toString('hex', 16, 32);
  renameSync(drive, `${drive}-away`);
  const other = join(folder, 'b.vault');
  writeFileSync(`${other}.forgotten`, id);
  const vault = await open(other);
  await vault.update((cache) => signIn(cache, 'ben'));
  expect(readFileSync(`${other}.forgotten`, 'utf8')).toBe(id); // looked for again at the next start
  expect(await vault.forget()).toEqual({ key: 'destroyed' }); // The other one is not this vault's.
  expect(readFileSync(`${other}.forgotten`, 'utf8')).toBe(id);
  await vault.close();
  renameSync(`${drive}-away`, drive);
  const next = await open(other);
  await expect.poll(() => existsSync(`${other}.forgotten`)).toBe(false);
  await next.close();
  const again = await open(join(drive, 'a.vault'));
  expect(again.status.state).toBe('ready');
  await again.close();
});

test('a vault whose folder was renamed since leaves no key', async () => {
  const folder = temporaryFolder();
  const keychain = memoryKeychain();
  const vault = await openVault({ file: join(folder, 'before/a.vault'), keychain });
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.close();
  renameSync(join(folder, 'before'), join(folder, 'after'));
  const file = join(folder, 'after/a.vault');
  const backup = readFileSync(file);
  const moved = await openVault({ file, keychain });
  expect(await moved.forget()).toEqual({ key: 'destroyed' });
  await moved.close();
  expect(existsSync(`${file}.forgotten`)).toBe(false);
  writeFileSync(file, backup);
  const again = await openVault({ file, keychain });
  expect(again.status.state).toBe('key-missing');
  await again.close();
});
