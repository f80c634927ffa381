import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError, VaultError } from '../../src-main/errors.ts';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import { decodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import type { VaultStatus } from '../../src-main/vault/state.ts';
import { keyItem, Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';
import { makeNewer } from './vectors.ts';

async function sceneWithFile(): Promise<Scene> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.update((cache) => signIn(cache, 'ben'));
  await vault.close();
  scene.disk.calls.length = 0;
  return scene;
}

/** Opens the vault, tries to save, and checks that neither the file nor the keychain has changed. */
async function expectRefused(scene: Scene, state: VaultStatus['state'], code: string): Promise<VaultStatus> {
  const before = scene.disk.nodes.has(scene.file) ? Buffer.from(scene.bytes) : null;
  const keys = new Map(scene.keychain.items);
  const vault = await scene.open();
  const { status } = vault;
  expect(status).toMatchObject({ state, held: 'disk', unsaved: 0 });
  expect(status.message).toBeTruthy();
  await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({ code });
  expect(await vault.read(usersIn, { held: true })).not.toHaveProperty(homeOf('eve'));
  // "No accounts" is a wrong answer if nothing could be read.
  const isReadable = state === 'read-only' || (state === 'damaged' && status.recovered !== undefined);
  if (!isReadable) await expect(vault.read(usersIn)).rejects.toMatchObject({ code });
  if (before !== null) expect(scene.bytes.equals(before)).toBe(true);
  expect(scene.disk.calls.filter(({ file }) => file === scene.file)).toEqual([]);
  expect(scene.keychain.items).toEqual(keys);
  return status;
}

test('no file: ready and empty, and nothing is created before the first update', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  expect(vault.status).toMatchObject({
    state: 'ready',
    bytes: null,
    savedAt: null,
    keychain: 'Fake keychain',
  });
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
  expect(scene.disk.calls).toEqual([]);
  expect(scene.keychain.items.size).toBe(0);
  await vault.update((cache) => signIn(cache, 'ada'));
  expect(vault.status).toMatchObject({ state: 'ready', bytes: scene.bytes.length });
  expect(scene.keychain.slots).toEqual(['a']);
});

test('file gone: empty, no error, and a new vault with a key of its own (failure 8)', async () => {
  const scene = await sceneWithFile();
  const { account, text } = scene.keychain.item('a');
  scene.disk.nodes.delete(scene.file);
  const vault = await scene.open();
  expect(vault.status.state).toBe('ready');
  await vault.update((cache) => signIn(cache, 'cas'));
  // Nobody knows whether the old file was moved elsewhere: its key is left alone.
  expect(scene.keychain.items.get(account)).toBe(text);
  expect(scene.keychain.items.size).toBe(2);
});

test('locked (failure 4)', async () => {
  const scene = await sceneWithFile();
  scene.keychain.mood = 'locked';
  expect((await expectRefused(scene, 'locked', 'vault_locked')).waiting).toBe(false);
});

test('locked, and no file: still no new key', async () => {
  const scene = new Scene();
  scene.keychain.mood = 'locked';
  await expectRefused(scene, 'locked', 'vault_locked');
});

test('no keychain (failure 3)', async () => {
  const scene = await sceneWithFile();
  scene.keychain.mood = 'unavailable';
  expect(await expectRefused(scene, 'no-keychain', 'vault_no_keychain')).toMatchObject({
    code: 'keychain_unavailable',
  });
  // The keychain's own words say which reason it is, and what helps.
  const vault = await scene.open();
  await expect(vault.update(() => undefined)).rejects.toThrow(/^unavailable$/);
});

test('key missing: nothing is overwritten (failure 6)', async () => {
  const scene = await sceneWithFile();
  scene.keychain.items.clear();
  await expectRefused(scene, 'key-missing', 'vault_key_missing');
});

test.each([
  ['another', keyItem(7)],
  ['no key at all', 'hello'],
])('wrong key: %s (failure 7)', async (_what, key) => {
  const scene = await sceneWithFile();
  scene.keychain.items.set(scene.keychain.item('a').account, key);
  await expectRefused(scene, 'wrong-key', 'vault_wrong_key');
});

test.each([0, 1, 127, 4096, 4223])('a file of %i bytes is damaged, and not empty', async (length) => {
  const scene = await sceneWithFile();
  scene.disk.put(scene.file, scene.bytes.subarray(0, length));
  const status = await expectRefused(scene, 'damaged', 'vault_damaged');
  expect(status.bytes).toBe(length);
  expect(status.message).toContain('nothing in it can be read');
});

test('damaged: intact frames are read (failure 9)', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  bytes.fill(1, bytes.length - 100);
  scene.disk.put(scene.file, bytes);
  const status = await expectRefused(scene, 'damaged', 'vault_damaged');
  expect(status.recovered).toEqual({ accounts: 1, of: 1, lost: [] });
  const vault = await scene.open();
  expect(await vault.read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});

test('newer: a later version, authenticated by the key (failure 21)', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  makeNewer(bytes, decodeKeyItem(scene.keychain.item('a').text)!.key);
  scene.disk.put(scene.file, bytes);
  await expectRefused(scene, 'newer', 'vault_newer');
});

test('a header of a newer version that is not authentic is damage', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  makeNewer(bytes, Buffer.alloc(32, 1));
  scene.disk.put(scene.file, bytes);
  await expectRefused(scene, 'damaged', 'vault_damaged');
});

test('read-only: it can be read (failure 11)', async () => {
  const scene = await sceneWithFile();
  scene.disk.readOnly = true;
  await expectRefused(scene, 'read-only', 'vault_read_only');
  const vault = await scene.open();
  expect(await vault.read((cache) => cache.accounts())).toHaveLength(2);
  scene.disk.readOnly = false;
  await vault.update((cache) => signIn(cache, 'cas'));
  expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
});

test('read-only because of the lock file: every refusal names that file, not the permissions of the vault', async () => {
  const scene = await sceneWithFile();
  rmSync(`${scene.file}.lock`, { force: true });
  mkdirSync(`${scene.file}.lock`, { recursive: true });
  const vault = await scene.open();
  const attempt = (): Promise<unknown> => vault.update((cache) => signIn(cache, 'cas'));
  await expect(attempt()).rejects.toThrow(`${scene.file}.lock`);
  expect(vault.status).toMatchObject({ state: 'read-only', code: 'lock_file_invalid' });
  await expect(vault.compact()).rejects.toThrow(`${scene.file}.lock`);
});

test('unreadable is neither read-only nor empty, and ends when the file can be read', async () => {
  const scene = await sceneWithFile();
  scene.disk.unreadable = true;
  const status = await expectRefused(scene, 'unreadable', 'vault_unreadable');
  expect(status).toMatchObject({ code: 'vault_unreadable', bytes: null });
  const vault = await scene.open();
  scene.disk.unreadable = false;
  expect((await vault.retry()).state).toBe('ready');
  expect(await vault.read((cache) => cache.accounts())).toHaveLength(2);
});

describe('busy: another program keeps the lock', () => {
  async function sceneWithHolder(): Promise<{ scene: Scene; letGo: () => Promise<void> }> {
    const scene = await sceneWithFile();
    const other = new FileLock(`${scene.file}.lock`);
    let end = (): void => undefined;
    await new Promise<void>((holding) => {
      const hold = (resolve: () => void): void => {
        end = resolve;
        holding();
      };
      void other.hold(() => new Promise<void>(hold));
    });
    return {
      scene,
      letGo: async () => {
        end();
        await other.close();
      },
    };
  }

  test('reported, nothing changed, reading continues; the next save ends it', async () => {
    const { scene, letGo } = await sceneWithHolder();
    const before = Buffer.from(scene.bytes);
    const vault = await scene.open({}, { lockDeadline: 20 });
    expect(vault.status.state).toBe('ready');
    await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({ code: 'vault_busy' });
    expect(vault.status).toMatchObject({ state: 'busy', code: 'vault_busy', held: 'disk' });
    expect(scene.bytes.equals(before)).toBe(true);
    expect(await vault.read((cache) => cache.accounts())).toHaveLength(2);
    await letGo();
    await vault.update((cache) => signIn(cache, 'cas'));
    expect(vault.status.state).toBe('ready');
    expect(vault.status.code).toBeUndefined();
    expect(await (await scene.open()).read((cache) => cache.accounts())).toHaveLength(3);
  });

  test('held in memory, and saved when the other program releases the lock', async () => {
    const { scene, letGo } = await sceneWithHolder();
    const vault = await scene.open({ unprotected: 'memory' }, { lockDeadline: 20 });
    await vault.update((cache) => signIn(cache, 'cas'));
    expect(vault.status).toMatchObject({ state: 'busy', held: 'memory', unsaved: 1 });
    await letGo();
    scene.timers.fire();
    await vault.read(() => undefined);
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
    expect(await (await scene.open()).read((cache) => cache.accounts())).toHaveLength(3);
  });
});

test('a keychain that does not answer: locked and waiting, until it does (failure 5)', async () => {
  const scene = await sceneWithFile();
  scene.keychain.mood = 'silent';
  const vault = await scene.open();
  expect(vault.status).toMatchObject({ state: 'locked', waiting: true, code: 'keychain_timeout' });
  const ready = new Promise<VaultStatus>((resolve) => vault.on('status', resolve));
  scene.keychain.speak();
  expect(await ready).toMatchObject({ state: 'ready', waiting: false });
  expect(await vault.read((cache) => cache.accounts())).toHaveLength(2);
});

test('retry: unlocked meanwhile', async () => {
  const scene = await sceneWithFile();
  scene.keychain.mood = 'locked';
  const vault = await scene.open();
  expect((await vault.retry()).state).toBe('locked');
  scene.keychain.mood = 'open';
  expect((await vault.retry()).state).toBe('ready');
});

test('a keychain that locks later does not close an open vault', async () => {
  const scene = await sceneWithFile();
  const vault = await scene.open();
  scene.keychain.mood = 'locked';
  expect((await vault.retry()).state).toBe('ready');
  await vault.update((cache) => signIn(cache, 'cas'));
  expect(Object.keys(await vault.read(usersIn))).toHaveLength(3);
});

test('startFresh sets the file aside and never deletes it', async () => {
  const scene = await sceneWithFile();
  const old = Buffer.from(scene.bytes);
  scene.keychain.items.clear();
  const vault = await scene.open();
  await vault.startFresh();
  expect(vault.status).toMatchObject({ state: 'ready', bytes: null });
  const [aside] = [...scene.disk.nodes.keys()].filter((file) => file.includes('.orphan-'));
  expect(scene.disk.bytes(aside ?? '').equals(old)).toBe(true);
  await vault.update((cache) => signIn(cache, 'cas'));
  expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('cas')]);
  await expect(vault.startFresh()).rejects.toBeInstanceOf(InvalidArgumentError);
});

test.each(['locked', 'unavailable'] as const)(
  'startFresh is refused while the keychain is %s',
  async (mood) => {
    const scene = await sceneWithFile();
    scene.keychain.mood = mood;
    const vault = await scene.open();
    await expect(vault.startFresh()).rejects.toBeInstanceOf(VaultError);
    await expect(vault.recover()).rejects.toBeInstanceOf(VaultError);
    expect([...scene.disk.nodes.keys()]).toEqual([scene.file]);
  },
);

test('recover keeps the readable accounts, and the damaged file beside the new one', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  bytes.fill(1, bytes.length - 100);
  scene.disk.put(scene.file, bytes);
  const vault = await scene.open();
  await vault.recover();
  expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
  const [aside] = [...scene.disk.nodes.keys()].filter((file) => file.includes('.damaged-'));
  expect(scene.disk.bytes(aside ?? '').equals(bytes)).toBe(true);
  const again = await scene.open();
  expect(again.status.state).toBe('ready');
  expect(await again.read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});

test('the leftovers of a process killed while it copied the damaged file are removed', async () => {
  const scene = await sceneWithFile();
  const bytes = Buffer.from(scene.bytes);
  bytes.fill(1, bytes.length - 100);
  scene.disk.put(scene.file, bytes);
  scene.disk.fault = ({ name }) => {
    if (name === 'rename' || name === 'unlink') throw new Error('the process has ended');
  };
  await expect((await scene.open()).recover()).rejects.toBeInstanceOf(Error);
  expect([...scene.disk.nodes.keys()]).toHaveLength(2);
  scene.disk.fault = () => undefined;
  await (await scene.open()).recover();
  expect([...scene.disk.nodes.keys()].filter((file) => file.includes('.new-'))).toEqual([]);
});

test('only bad arguments reject', async () => {
  const scene = new Scene();
  for (const options of [
    { file: 'relative' },
    { file: '' },
    { file: '/x/' },
    { name: '' },
    { service: 'a\0b' },
  ]) {
    await expect(scene.open(options)).rejects.toBeInstanceOf(InvalidArgumentError);
  }
});
