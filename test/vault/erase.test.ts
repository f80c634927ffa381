import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Vault } from '../../src-main/vault/api.ts';
import type { Io } from '../../src-main/vault/disk/file.ts';
import { readHeader } from '../../src-main/vault/format/header.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { errno } from './disk.ts';
import { keyItem, Scene } from './fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

async function sceneWithTwo(): Promise<Scene> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => {
    signIn(cache, 'ada', 'tell-tale');
    signIn(cache, 'ben');
  });
  return scene;
}

function slotOf(scene: Scene): string {
  const found = readHeader(scene.bytes);
  return found.kind === 'header' ? found.header.slot : found.kind;
}

test('signing out: account gone, new key in the other slot, old key destroyed, older copies closed (failure 22)', async () => {
  const scene = await sceneWithTwo();
  const older = Buffer.from(scene.bytes);
  const oldKey = scene.keychain.item('a').text;
  const vault = await scene.open();
  const receipt = await vault.signOut(homeOf('ada'));
  expect(receipt).toMatchObject({
    removed: { AccessToken: 1, RefreshToken: 1, IdToken: 1, Account: 1 },
    remaining: 0,
    oldKey: 'destroyed',
  });
  expect(slotOf(scene)).toBe('b');
  expect(scene.keychain.slots).toEqual(['b']);
  expect([...scene.keychain.items.values()]).not.toContain(oldKey);
  expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ben')]);
  expect(vault.status.oldKey).toBeUndefined();

  const newer = Buffer.from(scene.bytes);
  scene.disk.put(scene.file, older);
  expect((await scene.open()).status.state).toBe('key-missing');
  // After one more, the slot has a key again, and it is another one.
  scene.disk.put(scene.file, newer);
  const again = await scene.open();
  await again.erase(() => undefined);
  scene.disk.put(scene.file, older);
  expect((await scene.open()).status.state).toBe('wrong-key');
});

describe('changes by another program between the read of the file and the keychain’s answer', () => {
  /** A vault that has read its file under the second key when the keychain is asked; then the file is the later one. */
  async function overtaken(
    change: (other: Vault) => Promise<unknown>,
  ): Promise<{ scene: Scene; vault: Vault }> {
    const scene = await sceneWithTwo();
    const { keychain, disk, file } = scene;
    const vault = await scene.open();
    const other = await scene.open();
    await other.erase(() => undefined);
    const [secondFile, secondKeys] = [Buffer.from(scene.bytes), [...keychain.items]];
    await change(other);
    await other.close(); // its position is in the keychain now
    const [laterFile, laterKeys] = [Buffer.from(scene.bytes), [...keychain.items]];
    const become = (bytes: Buffer, keys: [string, string][]): void => {
      disk.put(file, bytes);
      keychain.items.clear();
      for (const [account, text] of keys) keychain.items.set(account, text);
    };
    become(secondFile, secondKeys);
    keychain.asked.length = 0;
    keychain.before = (call) => {
      keychain.before = () => undefined;
      if (call === 'get b') become(laterFile, laterKeys);
    };
    return { scene, vault };
  }

  test('a key that another program replaced is not reported as missing', async () => {
    const { scene, vault } = await overtaken((other) => other.erase(() => undefined));
    expect(Object.keys(await vault.read(usersIn)).sort()).toEqual([homeOf('ada'), homeOf('ben')].sort());
    expect(vault.status.state).toBe('ready');
    expect(scene.keychain.asked).toEqual(['get b', 'get a']);
  });

  test('a slot whose key was replaced meanwhile is not reported as a wrong key', async () => {
    const { vault } = await overtaken(async (other) => {
      await other.erase(() => undefined);
      await other.erase(() => undefined);
    });
    expect(Object.keys(await vault.read(usersIn)).sort()).toEqual([homeOf('ada'), homeOf('ben')].sort());
    expect(vault.status.state).toBe('ready');
  });

  test('a file that was written to is not older', async () => {
    const { vault } = await overtaken((other) => other.update((cache) => signIn(cache, 'cas')));
    expect(Object.keys(await vault.read(usersIn)).sort()).toEqual(['ada', 'ben', 'cas'].map(homeOf).sort());
    expect(vault.status.state).toBe('ready');
  });
});

test('sign-outs at the same time share one new key', async () => {
  const scene = await sceneWithTwo();
  const vault = await scene.open();
  scene.keychain.asked.length = 0;
  await Promise.all([vault.signOut(homeOf('ada')), vault.signOut(homeOf('ben'))]);
  // Read back once it is stored, and once more before the key that it replaces is destroyed.
  expect(scene.keychain.asked).toEqual(['set b', 'get b', 'get b', 'delete a']);
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
});

test('two programs that replace the key at the same time do so one after the other, and never overwrite the key in use (failure 14)', async () => {
  const scene = await sceneWithTwo();
  const programs = [await scene.open(), await scene.open(), await scene.open()];
  for (let round = 0; round < 3; round += 1) await Promise.all(programs.map((vault) => vault.rotateKey()));
  expect(scene.keychain.items.size).toBe(1);
  for (const vault of [...programs, await scene.open()]) {
    expect(Object.keys(await vault.read(usersIn))).toHaveLength(2);
    expect(vault.status.state).toBe('ready');
  }
});

test('a late destruction of an old key spares a key created meanwhile', async () => {
  const scene = await sceneWithTwo();
  const vault = await scene.open();
  const lock = (call: string): void => {
    if (call.startsWith('delete')) scene.keychain.mood = 'locked';
  };
  scene.keychain.before = lock;
  await vault.signOut(homeOf('ada')); // The old key is still to be destroyed: opening is a chance to do that.
  scene.keychain.mood = 'open';
  // While it waits for its turn, another one replaces the key once more and is cut short in the same place.
  const [late] = await Promise.all([scene.open(), vault.erase(() => undefined)]);
  scene.keychain.before = () => undefined;
  scene.keychain.mood = 'open';
  await late.close();
  expect((await scene.open()).status.state).toBe('ready');
});

test('secrets of those who stay are copied sealed, and open', async () => {
  const scene = await sceneWithTwo();
  const vault = await scene.open();
  await vault.signOut(homeOf('ada'));
  await vault.signOut(homeOf('nobody'));
  for (const reader of [vault, await scene.open()]) {
    expect(await reader.read(usersIn)).toEqual({ [homeOf('ben')]: 'access secret of ben' });
  }
});

describe('while the keychain is locked', () => {
  test('the account is gone at once; the old key is destroyed when it is unlocked (failure 17)', async () => {
    const scene = await sceneWithTwo();
    const vault = await scene.open();
    scene.keychain.mood = 'locked';
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    expect(vault.status).toMatchObject({ state: 'ready', oldKey: 'pending' });
    expect(slotOf(scene)).toBe('a');
    scene.keychain.mood = 'open';
    const other = await scene.open();
    expect(Object.keys(await other.read(usersIn))).toEqual([homeOf('ben')]);
    // Opening is a chance, and whoever opens first takes it.
    await other.close();
    expect(slotOf(scene)).toBe('b');
    expect(scene.keychain.slots).toEqual(['b']);
    expect(await vault.read((cache) => cache.accounts())).toHaveLength(1);
    expect(vault.status.oldKey).toBeUndefined();
  });

  test('a keychain that does not answer: the account is removed from the file at once, the key when it answers', async () => {
    const scene = await sceneWithTwo();
    const vault = await scene.open();
    const { keychain } = scene;
    const set = keychain.set.bind(keychain);
    let answer = (): void => undefined;
    keychain.set = (...item) => new Promise((resolve) => (answer = () => resolve(set(...item))));
    const receipt = vault.signOut(homeOf('ada'));
    await vi.waitFor(() => expect(scene.timers.fire()).toHaveLength(1), 20_000);
    expect(await receipt).toMatchObject({ remaining: 0, oldKey: 'pending' });
    expect(vault.status.oldKey).toBe('pending');
    expect(slotOf(scene)).toBe('a');
    expect(await vault.verify()).toMatchObject({ sound: true, accounts: 1 });
    keychain.set = set;
    answer();
    await vault.close();
    expect(slotOf(scene)).toBe('b');
    expect(keychain.slots).toEqual(['b']);
    expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ben')]);
  });

  test('a keychain that locks between the two keys: the old one is destroyed later', async () => {
    const scene = await sceneWithTwo();
    const vault = await scene.open();
    scene.keychain.before = (call) => {
      if (call === 'delete a') scene.keychain.mood = 'locked';
    };
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    expect(slotOf(scene)).toBe('b');
    expect(scene.keychain.slots).toEqual(['a', 'b']);
    scene.keychain.before = () => undefined;
    scene.keychain.mood = 'open';
    expect(await vault.retry()).toMatchObject({ state: 'ready' });
    await vault.close();
    expect(scene.keychain.slots).toEqual(['b']);
    const { status } = await scene.open();
    expect(status.oldKey).toBeUndefined();
  });

  test('a sign-out is refused in states in which nothing can be removed', async () => {
    const scene = await sceneWithTwo();
    scene.keychain.mood = 'locked';
    const vault = await scene.open({ unprotected: 'memory' });
    await expect(vault.signOut(homeOf('ada'))).rejects.toMatchObject({ code: 'vault_locked' });
  });
});

test('the old key is kept if the keychain has lost the new one', async () => {
  const scene = await sceneWithTwo();
  const vault = await scene.open();
  scene.keychain.before = (call) => {
    if (call === 'get b') scene.keychain.items.set(scene.keychain.item('b').account, keyItem(9));
  };
  expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
  expect(scene.keychain.slots).toContain('a');
});

test('the process ends at each step of a sign-out: the file opens, with the account or without', async () => {
  const outcomes: string[] = [];
  for (let [step, isWhole] = [0, false]; !isWhole; step += 1) {
    const scene = await sceneWithTwo();
    const vault = await scene.open();
    let calls = 0;
    const end = (): void => {
      calls += 1;
      // Nothing that comes after reaches the disk or the keychain.
      if (calls > step) throw new Error('the process has ended');
    };
    scene.disk.fault = end;
    scene.keychain.before = end;
    await vault.signOut(homeOf('ada')).catch(() => undefined);
    isWhole = calls <= step;
    scene.disk.fault = () => undefined;
    scene.keychain.before = () => undefined;
    const next = await scene.open();
    expect(next.status.state, `step ${step}`).toBe('ready');
    expect(Object.keys(await next.read(usersIn))).toContain(homeOf('ben'));
    await next.close();
    const last = await scene.open();
    const isThere = Object.keys(await last.read(usersIn)).includes(homeOf('ada'));
    if (!isThere) expect(scene.keychain.items.size, `step ${step}`).toBe(1);
    outcomes.push(isThere ? 'there' : 'gone');
  }
  expect(outcomes[0]).toBe('there');
  expect(outcomes.slice(outcomes.indexOf('gone'))).not.toContain('there');
  expect(outcomes.slice(-2)).toEqual(['gone', 'gone']); // also where it was cut short
});

test('nothing saved yet: nothing is erased and no key is created', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  const receipt = await vault.signOut(homeOf('ada'));
  expect(receipt.oldKey).toBeUndefined();
  expect(scene.keychain.items.size).toBe(0);
});

describe('a refresh that ends after the sign-out', () => {
  test('does not bring the account back, in whatever process; a later sign-in does (failure 16)', async () => {
    const scene = await sceneWithTwo();
    const [mine, theirs] = [await scene.open(), await scene.open()];
    await mine.read(() => undefined);
    const since = mine.epoch;
    await theirs.signOut(homeOf('ada'));
    await mine.update(
      (cache) => {
        signIn(cache, 'ada', 'late');
        signIn(cache, 'cas');
      },
      { since },
    );
    expect(Object.keys(await theirs.read(usersIn)).sort()).toEqual([homeOf('ben'), homeOf('cas')]);
    expect(theirs.epoch).toBe(1);
    await mine.update((cache) => signIn(cache, 'ada', 'again'), { since: mine.epoch });
    expect((await theirs.read(usersIn))[homeOf('ada')]).toBe('access again');
  });

  test('is remembered when the file is opened again, and when it was removed by an update', async () => {
    const scene = await sceneWithTwo();
    const vault = await scene.open();
    await vault.update((cache) => cache.signOut(homeOf('ada')));
    const again = await scene.open();
    expect(again.epoch).toBe(1);
    await again.update((cache) => signIn(cache, 'ada', 'late'), { since: 0 });
    expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ben')]);
  });
});

describe('a keychain that acknowledges a key and does not keep it', () => {
  const lies: [lie: string, stored: (secret: string, before: string | undefined) => string | undefined][] = [
    ['keeps nothing', () => undefined],
    ['keeps the older value', (_secret, before) => before],
    ['cuts it off', (secret) => secret.slice(0, 40)],
    ['changes its case', (secret) => secret.toLowerCase()],
  ];

  /** A keychain that is honest until `isLying` is set. */
  function liar(stored: (secret: string, before: string | undefined) => string | undefined) {
    const items = new Map<string, string>();
    const keychain = {
      isLying: false,
      get: (_service: string, account: string) => Promise.resolve(items.get(account) ?? null),
      set: (_service: string, account: string, secret: string) => {
        const kept = keychain.isLying ? stored(secret, items.get(account)) : secret;
        if (kept === undefined) items.delete(account);
        else items.set(account, kept);
        return Promise.resolve();
      },
      delete: (_service: string, account: string) => Promise.resolve(void items.delete(account)),
    };
    return keychain;
  }

  test.each(lies)('%s: nothing is written under a key that is not there', async (_lie, stored) => {
    const keychain = liar(stored);
    const file = join(temporaryFolder(), 'cache.vault');
    const vault = await openVault({ file, keychain });
    keychain.isLying = true;
    await expect(vault.update((cache) => signIn(cache, 'ada'))).rejects.toMatchObject({
      code: 'vault_no_keychain',
    });
    expect(existsSync(file)).toBe(false);
    keychain.isLying = false;
    await vault.retry();
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    keychain.isLying = true;
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    keychain.isLying = false;
    await vault.close();
    const again = await openVault({ file, keychain });
    expect(again.status.state).toBe('ready');
    expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ben')]);
    await again.close();
  });
});

describe('a file that can’t be read back after a sign-out', () => {
  /** A disk that can't read the vault from the next rename on, until it is told to. */
  function failing(scene: Scene): { io: Io; heal: () => void } {
    let fails: 'not yet' | 'yes' | 'no more' = 'not yet';
    const open: Io['open'] = (file, flags) =>
      fails === 'yes' && flags === 'r' && file === scene.file
        ? Promise.reject(errno('EIO'))
        : scene.disk.open(file, flags);
    const rename: Io['rename'] = async (from, to) => {
      await scene.disk.rename(from, to);
      if (to === scene.file && fails === 'not yet') fails = 'yes';
    };
    const io = new Proxy<Io>(scene.disk, {
      get: (disk, name) =>
        name === 'open' ? open : name === 'rename' ? rename : Reflect.get(disk, name).bind(disk),
    });
    return { io, heal: () => (fails = 'no more') };
  }

  test('leaves the old key until the file has been read; the receipt says so', async () => {
    const scene = await sceneWithTwo();
    const older = Buffer.from(scene.bytes);
    const { io, heal } = failing(scene);
    const vault = await scene.open({}, { io });
    expect(await vault.signOut(homeOf('ada'))).toMatchObject({ remaining: 0, oldKey: 'pending' });
    expect(vault.status.oldKey).toBe('pending');
    expect(scene.keychain.slots).toEqual(['a', 'b']);
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ben')]);

    heal();
    const next = await scene.open();
    await vi.waitFor(() => expect(next.status.oldKey).toBeUndefined(), 20_000);
    expect(scene.keychain.slots).toEqual(['b']);
    expect(Object.keys(await next.read(usersIn))).toEqual([homeOf('ben')]);
    scene.disk.put(scene.file, older);
    expect((await scene.open()).status.state).toBe('key-missing');
  });

  test('an older copy that is put back in the meantime does not bring the account back', async () => {
    const scene = await sceneWithTwo();
    const older = Buffer.from(scene.bytes);
    const { io } = failing(scene);
    const vault = await scene.open({}, { io });
    expect(await vault.signOut(homeOf('ada'))).toMatchObject({ oldKey: 'pending' });
    scene.disk.put(scene.file, older);
    const next = await scene.open();
    expect(next.status.state).toBe('older');
    expect(Object.keys(await next.read(usersIn))).toEqual([homeOf('ben')]);
  });

  test('a rotation of the key says that the old one still exists', async () => {
    const scene = await sceneWithTwo();
    const { io } = failing(scene);
    const vault = await scene.open({}, { io });
    await expect(vault.rotateKey()).rejects.toMatchObject({ code: 'storage_failed' });
    expect(scene.keychain.slots).toEqual(['a', 'b']);
  });
});

test('a keychain that stores a key late, after the rewrite has failed, overwrites no key of another program', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
  let answer = (): void => undefined;
  const isAsked = new Promise<void>((asked) => {
    scene.keychain.hold = (call) => {
      if (call !== 'set b') return undefined;
      asked();
      return new Promise<void>((resolve) => (answer = resolve));
    };
  });
  scene.disk.fault = ({ name, file }) => {
    if (name === 'open' && file.includes('.new-')) throw errno('ENOSPC');
  };
  const signingOut = vault.signOut(homeOf('ada'));
  const failure = expect(signingOut).rejects.toMatchObject({ code: 'disk_full' });
  await isAsked;
  await vi.waitFor(() => expect(scene.timers.fire(1_000)).not.toEqual([]), 20_000);
  await failure; // although the keychain has not answered
  scene.disk.fault = () => undefined;
  scene.keychain.hold = () => undefined;
  const other = await scene.open();
  setTimeout(answer, 2_000); // until when the other program must wait
  expect((await other.signOut(homeOf('ben'))).oldKey).toBe('destroyed');
  await other.close();
  answer();
  await vault.close();
  const again = await scene.open();
  expect(again.status.state).toBe('ready');
  expect(Object.keys(await again.read(usersIn)).sort()).toEqual([homeOf('ada'), homeOf('cas')]);
});
