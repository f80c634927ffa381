import {
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type Io, nodeIo } from '../../src-main/vault/disk/file.ts';
import { errno } from './disk.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

test('a different file with the inode and length of the previous one is recognized as different', async () => {
  const scene = new Scene();
  const [mine, theirs] = [await scene.open(), await scene.open()];
  await theirs.update((cache) => signIn(cache, 'ada'));
  // The generation has as many digits by then as the next ones, so that a rewrite has the length of the one before.
  for (let n = 0; n < 31; n += 1) await theirs.rotateKey();
  await mine.read(usersIn);
  const known = await scene.disk.stat(scene.file);
  await theirs.rotateKey();
  await theirs.rotateKey();
  await theirs.read(() => undefined); // After the file was told that the older key is destroyed.
  expect(await scene.disk.stat(scene.file)).toMatchObject({ ino: known.ino, size: known.size });

  await mine.update((cache) => signIn(cache, 'ben'));
  expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ada'), homeOf('ben')]);
});

test('a file that an overlay file system copies when it is opened for writing is the same file', async () => {
  const scene = new Scene();
  await (await scene.open()).update((cache) => signIn(cache, 'ada'));
  let copied = 0;
  const open: Io['open'] = (file, flags) => {
    const node = scene.disk.nodes.get(file);
    if (file === scene.file && flags === 'r+' && node !== undefined && copied === 0) {
      copied += 1;
      node.birthtimeNs += 1_000_000_000n;
    }
    return scene.disk.open(file, flags);
  };
  const io = new Proxy<Io>(scene.disk, {
    get: (disk, name) => (name === 'open' ? open : Reflect.get(disk, name).bind(disk)),
  });
  const vault = await scene.open({}, { io });
  for (const user of ['ben', 'cas']) await vault.update((cache) => signIn(cache, user));
  expect(copied).toBe(1);
  const all = ['ada', 'ben', 'cas'].map(homeOf);
  for (const each of [vault, await scene.open()]) expect(Object.keys(await each.read(usersIn))).toEqual(all);
});

test('a key that was removed before the file existed is not used for the file', async () => {
  const scene = new Scene();
  await (await scene.open()).update((cache) => signIn(cache, 'eve'));
  scene.disk.nodes.clear();
  const vault = await scene.open();
  expect(vault.status.state).toBe('ready');
  scene.keychain.items.clear();
  await vault.update((cache) => signIn(cache, 'ada'));
  expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ada')]);
});

test('changes held in memory do not bring back an account that another program signed out', async () => {
  const scene = new Scene();
  let full = false;
  const open: Io['open'] = (file, flags) =>
    full && flags !== 'r' ? Promise.reject(errno('ENOSPC')) : scene.disk.open(file, flags);
  const io = new Proxy<Io>(scene.disk, {
    get: (disk, name) => (name === 'open' ? open : Reflect.get(disk, name).bind(disk)),
  });
  const mine = await scene.open({ unprotected: 'memory' }, { io });
  const theirs = await scene.open();
  await theirs.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
  await mine.read(usersIn);
  full = true;
  await mine.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user, `late ${user}`)));
  expect(mine.status).toMatchObject({ held: 'memory' });
  await theirs.signOut(homeOf('ada'));
  full = false;
  expect(await mine.retry()).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
  for (const vault of [mine, await scene.open()]) {
    expect(await vault.read(usersIn)).toEqual({ [homeOf('ben')]: 'access late ben' });
  }
});

describe('on a real disk', () => {
  test('a new folder and its new parents are flushed', async () => {
    const scene = new Scene();
    const flushed: string[] = [];
    const io: Io = {
      ...nodeIo,
      open: async (file, flags, mode) => {
        const handle = await nodeIo.open(file, flags, mode);
        return { ...handle, sync: () => handle.sync().then(() => void flushed.push(file)) };
      },
    };
    const folder = join(dirname(scene.file), 'a', 'b');
    const vault = await scene.open({ file: join(folder, 'cache.vault') }, { io });
    await vault.update((cache) => signIn(cache, 'ada'));
    expect(flushed).toEqual(expect.arrayContaining([folder, dirname(folder), dirname(dirname(folder))]));
    expect(statSync(dirname(folder)).mode & 0o777).toBe(0o700);
  });

  test('files that are no leftovers stay, whatever their names are', async () => {
    const scene = new Scene();
    const vault = await scene.open({}, { io: nodeIo });
    await vault.update((cache) => signIn(cache, 'ada'));
    const own = `${scene.file}.new-0123456789ab`;
    const others = [`${scene.file}.new-laptop.age`, `${scene.file}.new-0123456789ab.age`];
    for (const file of [own, ...others]) writeFileSync(file, '');
    await vault.compact();
    expect(readdirSync(dirname(scene.file)).filter((name) => name.includes('.new-'))).toEqual(
      others.map((file) => basename(file)).sort(),
    );
  });

  test.runIf(process.platform === 'linux')('a file that was replaced does not stay open', async () => {
    const scene = new Scene();
    const vault = await scene.open({}, { io: nodeIo });
    const openFiles = (): string[] =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/self/fd/${fd}`)];
        } catch {
          return []; // It was closed meanwhile.
        }
      });
    await vault.update((cache) => signIn(cache, 'ada'));
    await vault.update((cache) => signIn(cache, 'ben'));
    await vault.compact();
    expect(openFiles()).toContain(`${scene.file} (deleted)`);
    await vault.update((cache) => signIn(cache, 'cas'));
    // Another thread closes it, and nobody waits for that.
    await vi.waitFor(() => expect(openFiles()).not.toContain(`${scene.file} (deleted)`), { timeout: 10_000 });
    expect(openFiles()).toContain(scene.file);
    await vault.close();
    expect(openFiles()).not.toContain(scene.file);
  });

  test('a symbolic link to the vault is the same vault for every writer', async () => {
    const scene = new Scene();
    const link = join(dirname(scene.file), 'link.vault');
    symlinkSync('cache.vault', link);
    const through = await scene.open({ file: link }, { io: nodeIo });
    const direct = await scene.open({}, { io: nodeIo });
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? through : direct).update((cache) => signIn(cache, `u${n}`)),
      ),
    );
    await through.compact();
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(await direct.read((cache) => cache.accounts())).toHaveLength(20);
    expect(existsSync(`${link}.lock`)).toBe(false);
  });
});
