// A key belongs to one vault: two vaults never meet in the keychain, and a copy is told from the original.
import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { decodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { errno } from './disk.ts';
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

  test.each(['copy', 'damaged'])(
    'leaves no key behind if its new file can’t be written: %s',
    async (state) => {
      const { scene, copy } = await sceneWithCopy();
      if (state === 'damaged') scene.disk.put(copy, flipped(Buffer.from(scene.bytes), 4096 + 50));
      const vault = await scene.open({ file: copy });
      expect(vault.status.state).toBe(state);
      const before = new Map(scene.keychain.items);
      const again = state === 'copy' ? () => vault.makeOwn() : () => vault.recover();
      // Not the file that is kept beside it.
      let isFull = true;
      scene.keychain.before = (call) => {
        if (!call.startsWith('set')) return;
        scene.disk.fault = ({ name }) => {
          if (isFull && name === 'write') throw errno('ENOSPC');
        };
      };
      await expect(again()).rejects.toBeInstanceOf(Error);
      expect(scene.keychain.items).toEqual(before);
      isFull = false;
      expect((await vault.retry()).state).toBe(state);
      await again();
      expect(scene.keychain.items.size).toBe(before.size + 1);
      expect(await users(vault)).toHaveLength(2);
    },
  );

  test('keeps its new key if the new file is there, but was not confirmed', async () => {
    const { scene, copy } = await sceneWithCopy();
    const vault = await scene.open({ file: copy });
    let renamed = false;
    scene.disk.fault = ({ name }) => {
      if (name === 'sync' && renamed) throw errno('EIO');
      if (name === 'rename') renamed = true;
    };
    await expect(vault.makeOwn()).rejects.toBeInstanceOf(Error);
    scene.disk.fault = () => undefined;
    expect((await vault.retry()).state).toBe('ready');
    expect(await users(vault)).toHaveLength(2);
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

describe.each<[string, (bytes: Buffer) => Buffer]>([
  ['with a changed bit in its second header', (bytes) => flipped(bytes, 4096 + 50)],
  ['with a changed bit in an account', (bytes) => flipped(bytes, bytes.length - 200)],
  ['that was cut off', (bytes) => bytes.subarray(0, bytes.length - 300)],
  ['with other bytes behind it', (bytes) => Buffer.concat([bytes, Buffer.alloc(700, 7)])],
])('a damaged copy, %s', (_, damage) => {
  /** The same as `sceneWithCopy`; the copy is of the base, and damaged. */
  async function damagedScene(): Promise<{ scene: Scene; copy: string }> {
    const { scene, copy } = await sceneWithCopy();
    const vault = await scene.open();
    await vault.compact();
    await vault.close();
    scene.disk.put(copy, damage(Buffer.from(scene.bytes)));
    return { scene, copy };
  }

  /** Nothing has happened to the original: its key, the mark beside it, and its file. */
  async function expectUntouched(scene: Scene, before: Map<string, string>): Promise<void> {
    for (const [account, item] of before) expect(scene.keychain.items.get(account)).toBe(item);
    const original = await scene.open();
    expect(original.status.state).toBe('ready');
    expect(await users(original)).toEqual([homeOf('ada'), homeOf('ben')]);
    await original.close();
  }

  test('says so, and is not written', async () => {
    const { scene, copy } = await damagedScene();
    const before = new Map(scene.keychain.items);
    const bytes = Buffer.from(scene.disk.bytes(copy));
    const vault = await scene.open({ file: copy });
    expect(vault.status).toMatchObject({ state: 'damaged', code: 'vault_damaged', copyOf: scene.file });
    expect(vault.status.message).toContain(`a damaged copy of the vault “${scene.file}”`);
    for (const attempt of [
      () => vault.update((cache) => signIn(cache, 'eve')),
      () => vault.signOut(homeOf('ada')),
      () => vault.rotateKey(),
      () => vault.compact(),
      () => vault.keepMine(),
      () => vault.takeFile(),
      () => vault.makeOwn(),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'vault_damaged' });
    }
    await vault.retry();
    expect(vault.status.copyOf).toBe(scene.file);
    await vault.close();
    expect(scene.disk.bytes(copy).equals(bytes)).toBe(true);
    await expectUntouched(scene, before);
  });

  test.each(['open', 'locked'] as const)(
    'becomes a vault of its own when it is recovered; the keychain was %s at the opening',
    async (mood) => {
      const { scene, copy } = await damagedScene();
      const before = new Map(scene.keychain.items);
      scene.keychain.mood = mood;
      const vault = await scene.open({ file: copy });
      scene.keychain.mood = 'open';
      expect((await vault.retry()).state).toBe('damaged');
      const kept = await users(vault);
      await vault.recover();
      expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
      expect(vault.status.copyOf).toBeUndefined();
      await expectUntouched(scene, before);
      await vault.update((cache) => signIn(cache, 'cas'));
      expect((await vault.signOut(homeOf('cas'))).oldKey).toBe('destroyed');
      await vault.rotateKey();
      await vault.close();
      await expectUntouched(scene, before);
      const own = await scene.open({ file: copy });
      expect(own.status.state).toBe('ready');
      expect(await users(own)).toEqual(kept);
      expect(await own.verify()).toMatchObject({ sound: true });
    },
  );

  test.each(['startFresh', 'forget'] as const)('leaves the original its key after %s', async (way) => {
    const { scene, copy } = await damagedScene();
    const before = new Map(scene.keychain.items);
    const vault = await scene.open({ file: copy });
    await vault[way]();
    await vault.update((cache) => signIn(cache, 'eve'));
    await vault.signOut(homeOf('eve'));
    await vault.close();
    await expectUntouched(scene, before);
  });

  test('is no copy where it is all that is left', async () => {
    const { scene, copy } = await damagedScene();
    scene.disk.nodes.delete(scene.file);
    const vault = await scene.open({ file: copy });
    expect(vault.status.state).toBe('damaged');
    expect(vault.status.copyOf).toBeUndefined();
    const { account } = scene.keychain.item('a');
    await vault.recover();
    expect(scene.keychain.item('a').account).toBe(account);
    expect((await scene.open({ file: copy })).status.state).toBe('ready');
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

describe('a copy that was opened while its original was away', () => {
  test.each(['intact', 'damaged'])('is a copy once it is back, also if it is %s by then', async (state) => {
    const { scene, copy } = await sceneWithCopy();
    const original = Buffer.from(scene.bytes);
    const before = new Map(scene.keychain.items);
    scene.disk.nodes.delete(scene.file);
    const vault = await scene.open({ file: copy });
    expect(vault.status.state).toBe('ready');
    scene.disk.put(scene.file, original);
    if (state === 'damaged') {
      scene.disk.put(copy, flipped(Buffer.from(scene.disk.bytes(copy)), 4096 + 50));
      await vault.retry();
      expect(vault.status).toMatchObject({ state: 'damaged', copyOf: scene.file });
      await vault.recover();
      expect(vault.status.state).toBe('ready');
    } else {
      await vault.compact(); // which would store the path of the copy in the keychain
      await expect.poll(() => vault.status.state).toBe('copy');
    }
    await vault.close();
    for (const [account, item] of before) expect(scene.keychain.items.get(account)).toBe(item);
    expect((await scene.open()).status.state).toBe('ready');
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

test('a first save that fails leaves no key behind, and the next one makes one', async () => {
  const scene = new Scene();
  scene.disk.put(join(dirname(scene.file), 'settings.json'), Buffer.alloc(2)); // the folder is there
  const vault = await scene.open();
  scene.disk.fault = ({ name }) => {
    if (name === 'write') throw errno('ENOSPC');
  };
  await expect(vault.update((cache) => signIn(cache, 'ada'))).rejects.toMatchObject({ code: 'disk_full' });
  expect(scene.keychain.items.size).toBe(0);
  scene.disk.fault = () => undefined;
  await vault.update((cache) => signIn(cache, 'ada'));
  expect(scene.keychain.items.size).toBe(1);
  expect(await users(await scene.open())).toEqual([homeOf('ada')]);
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
