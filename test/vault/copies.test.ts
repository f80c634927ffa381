// A key belongs to one vault: two vaults never meet in the keychain, and a copy is told from the original.
import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { decodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { Scene } from './fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';
import { makeNewer } from './vectors.ts';

const users = async (vault: Vault): Promise<string[]> => Object.keys(await vault.read(usersIn)).sort();

/** A scene with a vault of two accounts, and a copy of it in another folder. */
async function sceneWithCopy(): Promise<{ scene: Scene; copy: string }> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
  await vault.close();
  const copy = join(temporaryFolder(), 'cache.vault');
  scene.disk.put(copy, scene.bytes);
  return { scene, copy };
}

describe('two vaults of the same name and service', () => {
  test('have keys of their own, whatever either does', async () => {
    const scene = new Scene();
    const file = join(temporaryFolder(), 'cache.vault');
    const [one, two] = [await scene.open(), await scene.open({ file })];
    await one.update((cache) => signIn(cache, 'ada'));
    await two.update((cache) => signIn(cache, 'ben'));
    await one.rotateKey();
    await two.update((cache) => signIn(cache, 'eve'));
    expect((await two.signOut(homeOf('ben'))).oldKey).toBe('destroyed');
    expect((await one.retry()).state).toBe('ready');
    await one.close();
    await two.close();
    const again = [await scene.open(), await scene.open({ file })] as const;
    expect(again.map(({ status }) => status.state)).toEqual(['ready', 'ready']);
    expect(await users(again[0])).toEqual([homeOf('ada')]);
    expect(await users(again[1])).toEqual([homeOf('eve')]);
    expect(scene.keychain.items.size).toBe(2);
  });

  test('a new vault in a temporary folder does not touch the real one', async () => {
    const scene = new Scene();
    const real = await scene.open({ name: 'my-app' });
    await real.update((cache) => signIn(cache, 'ada'));
    await real.close();
    const items = new Map(scene.keychain.items);
    const trial = await scene.open({ file: join(temporaryFolder(), 'accounts.vault'), name: 'my-app' });
    await trial.update((cache) => signIn(cache, 'test-user'));
    await trial.signOut(homeOf('test-user'));
    await trial.close();
    for (const [account, item] of items) expect(scene.keychain.items.get(account)).toBe(item);
    expect((await scene.open({ name: 'my-app' })).status.state).toBe('ready');
  });

  test('another name opens the same vault, because a name is only a label', async () => {
    const { scene } = await sceneWithCopy();
    const vault = await scene.open({ name: 'renamed' });
    expect(vault.status.state).toBe('ready');
    expect(await users(vault)).toHaveLength(2);
  });
});

describe('a copy', () => {
  test('is distinguished from the original, can be read, and is not written (failure 22a)', async () => {
    const { scene, copy } = await sceneWithCopy();
    const before = new Map(scene.keychain.items);
    const vault = await scene.open({ file: copy });
    expect(vault.status).toMatchObject({ state: 'copy', code: 'vault_copy', copyOf: scene.file });
    expect(await users(vault)).toHaveLength(2);
    for (const attempt of [
      () => vault.update((cache) => signIn(cache, 'eve')),
      () => vault.signOut(homeOf('ada')),
      () => vault.rotateKey(),
      () => vault.compact(),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'vault_copy',
        message: expect.stringContaining(`The original of this vault is “${scene.file}”`) as string,
      });
    }
    await vault.close();
    expect(scene.disk.bytes(copy).equals(scene.bytes)).toBe(true);
    expect(scene.keychain.items).toEqual(before);
    expect((await scene.open()).status.state).toBe('ready');
  });

  test('becomes a vault of its own, after which neither can harm the other', async () => {
    const { scene, copy } = await sceneWithCopy();
    const vault = await scene.open({ file: copy });
    await vault.makeOwn();
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
    expect(vault.status.copyOf).toBeUndefined();
    expect(await vault.read(usersIn)).toEqual({
      [homeOf('ada')]: 'access secret of ada',
      [homeOf('ben')]: 'access secret of ben',
    });
    const original = await scene.open();
    expect((await original.signOut(homeOf('ada'))).oldKey).toBe('destroyed');
    expect((await vault.signOut(homeOf('ben'))).oldKey).toBe('destroyed');
    await original.close();
    await vault.close();
    expect(await users(await scene.open())).toEqual([homeOf('ben')]);
    const own = await scene.open({ file: copy });
    expect(own.status.state).toBe('ready');
    expect(await own.read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
    expect(await own.verify()).toMatchObject({ sound: true });
  });

  test('made its own vault by two programs at the same time becomes one vault', async () => {
    const { scene, copy } = await sceneWithCopy();
    const programs = [await scene.open({ file: copy }), await scene.open({ file: copy })] as const;
    await Promise.allSettled(programs.map((vault) => vault.makeOwn()));
    for (const vault of programs) {
      expect((await vault.retry()).state).toBe('ready');
      expect(await users(vault)).toHaveLength(2);
    }
    await programs[0].update((cache) => signIn(cache, 'cas'));
    expect(await users(programs[1])).toHaveLength(3);
  });

  test('of a vault that was moved is the vault', async () => {
    const { scene, copy } = await sceneWithCopy();
    scene.disk.nodes.delete(scene.file);
    const vault = await scene.open({ file: copy });
    expect(vault.status.state).toBe('ready');
    await vault.update((cache) => signIn(cache, 'cas'));
    await vault.close();
    // The vault is at `copy` from now on; the file that is put back in the old place is the copy.
    scene.disk.put(scene.file, scene.disk.bytes(copy));
    expect((await scene.open({ file: copy })).status.state).toBe('ready');
    expect((await scene.open()).status).toMatchObject({ state: 'copy', copyOf: copy });
  });

  test('another vault at the path of the original does not count as the original', async () => {
    const { scene, copy } = await sceneWithCopy();
    scene.disk.nodes.delete(scene.file);
    await (await scene.open()).update((cache) => signIn(cache, 'zoe'));
    expect((await scene.open({ file: copy })).status.state).toBe('ready');
  });

  test('stops being a copy when the original is gone', async () => {
    const { scene, copy } = await sceneWithCopy();
    const vault = await scene.open({ file: copy });
    scene.disk.nodes.delete(scene.file);
    expect((await vault.retry()).state).toBe('ready');
  });

  test('the same file under another name is no copy', async () => {
    const { scene } = await sceneWithCopy();
    const other = join(dirname(scene.file), '..', 'other', 'cache.vault');
    const node = scene.disk.nodes.get(scene.file);
    if (node !== undefined) scene.disk.nodes.set(other, node);
    expect((await scene.open({ file: other })).status.state).toBe('ready');
  });

  test('of a vault that a newer version has upgraded leaves it its key', async () => {
    const { scene, copy } = await sceneWithCopy();
    const bytes = Buffer.from(scene.bytes);
    makeNewer(bytes, decodeKeyItem(scene.keychain.item('a').text)!.key);
    scene.disk.put(scene.file, bytes);
    const before = new Map(scene.keychain.items);
    const vault = await scene.open({ file: copy });
    expect(vault.status).toMatchObject({ state: 'copy', copyOf: scene.file });
    await expect(vault.signOut(homeOf('ada'))).rejects.toMatchObject({ code: 'vault_copy' });
    expect(await vault.forget()).toEqual({ key: 'kept' });
    expect(scene.keychain.items).toEqual(before);
    expect((await scene.open()).status.state).toBe('newer');
  });

  test.each(['newer', 'damaged'])('that is %s leaves the original its key', async (state) => {
    const { scene, copy } = await sceneWithCopy();
    const bytes = Buffer.from(scene.bytes);
    if (state === 'newer') makeNewer(bytes, decodeKeyItem(scene.keychain.item('a').text)!.key);
    else bytes.fill(1, 5000);
    scene.disk.put(copy, bytes);
    const vault = await scene.open({ file: copy });
    expect(vault.status.state).toBe(state);
    expect(await vault.forget()).toEqual({ key: 'kept' });
    expect((await scene.open()).status.state).toBe('ready');
  });

  test('of a vault whose path is too long for the keychain is distinguished too', async () => {
    const scene = new Scene();
    const long = join(temporaryFolder(), ...Array.from({ length: 16 }, () => 'путешествие'), 'cache.vault');
    mkdirSync(dirname(long), { recursive: true });
    const vault = await scene.open({ file: long });
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    await vault.close();
    expect(scene.keychain.item('a').text.length).toBeLessThan(2_560);
    expect(scene.keychain.item('a').text).not.toContain('cache.vault');
    scene.disk.put(scene.file, scene.disk.bytes(long));
    const before = new Map(scene.keychain.items);
    const copy = await scene.open();
    expect(copy.status).toMatchObject({ state: 'copy', code: 'vault_copy' });
    expect(copy.status.copyOf).toBeUndefined();
    await expect(copy.signOut(homeOf('ada'))).rejects.toMatchObject({ code: 'vault_copy' });
    await copy.makeOwn();
    expect((await copy.signOut(homeOf('ada'))).oldKey).toBe('destroyed');
    for (const [account, item] of before) expect(scene.keychain.items.get(account)).toBe(item);
    const original = await scene.open({ file: long });
    expect(original.status.state).toBe('ready');
    expect(await users(original)).toHaveLength(2);
    expect(await original.forget()).toEqual({ key: 'destroyed' });
  });

  test('stays a copy if its own key can’t be stored', async () => {
    const { scene, copy } = await sceneWithCopy();
    const vault = await scene.open({ file: copy });
    scene.keychain.before = (call) => {
      if (call.startsWith('set')) scene.keychain.mood = 'locked';
    };
    await expect(vault.makeOwn()).rejects.toBeInstanceOf(Error);
    scene.keychain.before = () => undefined;
    scene.keychain.mood = 'open';
    expect((await vault.retry()).state).toBe('copy');
    expect(scene.disk.bytes(copy).equals(scene.bytes)).toBe(true);
  });
});

describe('a vault whose path is too long for the keychain', () => {
  /** A scene with such a vault, and a copy of it. */
  async function sceneWithLong(): Promise<{ scene: Scene; long: string }> {
    const scene = new Scene();
    const long = join(temporaryFolder(), ...Array.from({ length: 16 }, () => 'путешествие'), 'cache.vault');
    mkdirSync(dirname(long), { recursive: true });
    const vault = await scene.open({ file: long });
    await vault.update((cache) => signIn(cache, 'ada'));
    await vault.close();
    scene.disk.put(scene.file, scene.disk.bytes(long));
    return { scene, long };
  }

  test.each(['newer', 'damaged'])('keeps its key when a copy that is %s is deleted', async (state) => {
    const { scene, long } = await sceneWithLong();
    const bytes = Buffer.from(scene.bytes);
    if (state === 'newer') makeNewer(bytes, decodeKeyItem(scene.keychain.item('a').text)!.key);
    else bytes.fill(1, 5000);
    scene.disk.put(scene.file, bytes);
    const vault = await scene.open();
    expect(vault.status.state).toBe(state);
    expect(await vault.forget()).toEqual({ key: 'kept' });
    expect(scene.disk.nodes.has(`${scene.file}.forgotten`)).toBe(false);
    expect((await scene.open({ file: long })).status.state).toBe('ready');
  });

  test('keeps its key when a copy was deleted while the keychain was locked, and that is decided once', async () => {
    const { scene, long } = await sceneWithLong();
    scene.keychain.mood = 'locked';
    expect(await (await scene.open()).forget()).toEqual({ key: 'pending' });
    scene.keychain.mood = 'open';
    await scene.open();
    await expect.poll(() => scene.disk.nodes.has(`${scene.file}.forgotten`)).toBe(false);
    expect((await scene.open({ file: long })).status.state).toBe('ready');
  });

  test('is not said to be in another folder, since it may have been moved', async () => {
    const { scene, long } = await sceneWithLong();
    scene.disk.nodes.delete(long);
    const { status } = await scene.open();
    expect(status.state).toBe('copy');
    expect(status.message).toMatch(/^This vault was moved or copied\./);
    expect(status.message).not.toContain('is still in another folder');
  });
});

describe('two names of one file on a real disk', () => {
  test('a hard link is a copy, because its programs would not wait for those of the vault', async () => {
    const folder = temporaryFolder();
    const [file, link] = [join(folder, 'one.vault'), join(folder, 'two.vault')];
    const keychain = memoryKeychain();
    await using vault = await openVault({ file, keychain });
    await vault.update((cache) => signIn(cache, 'ada'));
    linkSync(file, link);
    await using other = await openVault({ file: link, keychain });
    expect(other.status).toMatchObject({ state: 'copy', copyOf: file });
    await expect(other.update((cache) => signIn(cache, 'ben'))).rejects.toMatchObject({ code: 'vault_copy' });
    await vault.update((cache) => signIn(cache, 'cas'));
    await other.makeOwn();
    await other.update((cache) => signIn(cache, 'eve'));
    await vault.signOut(homeOf('ada'));
    expect(await users(vault)).toEqual([homeOf('cas')]);
    expect(await users(other)).toEqual(['ada', 'cas', 'eve'].map(homeOf));
  });

  test('a vault in a linked folder is the vault', async () => {
    const folder = temporaryFolder();
    const linked = join(temporaryFolder(), 'linked');
    symlinkSync(folder, linked);
    const keychain = memoryKeychain();
    await using vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
    await vault.update((cache) => signIn(cache, 'ada'));
    await using other = await openVault({ file: join(linked, 'cache.vault'), keychain });
    await Promise.all([
      vault.update((cache) => signIn(cache, 'ben')),
      other.update((cache) => signIn(cache, 'cas')),
    ]);
    for (const one of [vault, other]) expect(await users(one)).toEqual(['ada', 'ben', 'cas'].map(homeOf));
  });
});
