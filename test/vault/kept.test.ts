// Whatever is put in the place of the file of a program that runs, the program keeps what it has, and says what it found.
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import type { Io } from '../../src-main/vault/disk/file.ts';
import { decodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { errno } from './disk.ts';
import { keyItem, Scene } from './fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';
import { makeNewer } from './vectors.ts';

const users = async (vault: Vault): Promise<string[]> => Object.keys(await vault.read(usersIn)).sort();
const homes = (...names: string[]): string[] => names.map(homeOf);
const ALL = homes('ada', 'ben', 'cas');

let scene: Scene;
let vault: Vault;

/** A vault of three accounts, which a program has open. */
beforeEach(async () => {
  scene = new Scene();
  vault = await scene.open({}, { scryptWork: 1 });
  for (const user of ['ada', 'ben', 'cas']) await vault.update((cache) => signIn(cache, user));
});

/** Another program replaces the key while this one has the vault open. */
async function rekeyedElsewhere(): Promise<void> {
  const other = await scene.open();
  await other.rotateKey();
  await other.close();
}

const PLACED: [state: string, code: string, place: () => Promise<void> | void][] = [
  [
    'unreadable',
    'vault_unreadable',
    () => {
      scene.disk.put(scene.file, scene.bytes); // Put there by somebody else.
      scene.disk.unreadable = true;
    },
  ],
  [
    'newer',
    'vault_newer',
    () => {
      const bytes = Buffer.from(scene.bytes);
      makeNewer(bytes, decodeKeyItem(scene.keychain.item('a').text)?.key ?? Buffer.alloc(32));
      scene.disk.put(scene.file, bytes);
    },
  ],
  [
    'locked',
    'vault_locked',
    async () => {
      await rekeyedElsewhere();
      scene.keychain.mood = 'locked';
    },
  ],
  [
    'no-keychain',
    'vault_no_keychain',
    async () => {
      await rekeyedElsewhere();
      scene.keychain.mood = 'unavailable';
    },
  ],
  [
    'key-missing',
    'vault_key_missing',
    async () => {
      await rekeyedElsewhere();
      scene.keychain.items.clear();
    },
  ],
  [
    'wrong-key',
    'vault_wrong_key',
    async () => {
      await rekeyedElsewhere();
      scene.keychain.items.set(scene.keychain.item('b').account, keyItem(7));
    },
  ],
  ['damaged', 'vault_damaged', () => scene.disk.put(scene.file, scene.bytes.fill(1, 4300, 4400))],
  ['damaged', 'vault_damaged', () => scene.disk.put(scene.file, scene.bytes.fill(1))],
];

describe.each(PLACED)('%s', (state, code, place) => {
  test('accounts that were read before stay readable, and the status says so; nothing is written (failure 22c)', async () => {
    await place();
    const bytes = Buffer.from(scene.bytes);
    expect(await users(vault)).toEqual(ALL);
    expect(vault.status).toMatchObject({ state, kept: 3 });
    expect(vault.status.message).toBeTruthy();
    for (const attempt of [
      () => vault.update((cache) => signIn(cache, 'eve')),
      () => vault.signOut(homeOf('ada')),
      () => vault.compact(),
    ])
      await expect(attempt()).rejects.toMatchObject({ code });
    expect((await vault.retry()).state).toBe(state);
    expect(await users(vault)).toEqual(ALL);
    expect(scene.bytes.equals(bytes)).toBe(true);
  });

  test('it can be exported', async () => {
    await place();
    await vault.read(() => undefined);
    scene.disk.unreadable = false; // The fake disk makes no difference between files.
    const file = join(dirname(scene.file), 'export.age');
    await vault.exportTo(file, 'orbit velvet canyon mustard ladder');
    expect(scene.disk.nodes.has(file)).toBe(true);
  });

  test('listeners are not told that the accounts are gone', async () => {
    const told: unknown[] = [];
    vault.on('change', (change) => told.push(change));
    await place();
    await vault.read(() => undefined);
    expect(told).toEqual([]);
  });
});

test.each(['unreadable', 'locked', 'no-keychain'])('%s: when it is over, so is the state', async (state) => {
  const place = PLACED.find(([name]) => name === state)?.[2];
  await place?.();
  await vault.read(() => undefined);
  expect(vault.status.state).toBe(state);
  scene.disk.unreadable = false;
  scene.keychain.mood = 'open';
  expect((await vault.retry()).state).toBe('ready');
  expect(vault.status.kept).toBeUndefined();
  await vault.update((cache) => signIn(cache, 'dee'));
  expect(await users(await scene.open())).toHaveLength(4);
});

test.each(PLACED.filter(([state]) => ['damaged', 'key-missing', 'wrong-key'].includes(state)))(
  '%s: what the program has can be kept; the file is set aside',
  async (_state, _code, place) => {
    await place();
    const bytes = Buffer.from(scene.bytes);
    await vault.read(() => undefined);
    await vault.keepMine();
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
    expect(vault.status.kept).toBeUndefined();
    await vault.update((cache) => signIn(cache, 'dee'));
    const again = await scene.open();
    expect(again.status.state).toBe('ready');
    expect(await users(again)).toEqual([...ALL, homeOf('dee')]);
    expect((await again.verify()).sound).toBe(true);
    const aside = [...scene.disk.nodes.keys()].filter((file) => /\.(damaged|orphan)-/.test(file));
    expect(aside.map((file) => scene.disk.bytes(file).equals(bytes))).toEqual([true]);
  },
);

test('a file of a newer version is never replaced by the contents of memory', async () => {
  await PLACED.find(([state]) => state === 'newer')?.[2]();
  await vault.read(() => undefined);
  await expect(vault.keepMine()).rejects.toMatchObject({ code: 'vault_newer' });
});

test('keepMine is refused if memory holds nothing', async () => {
  await vault.close();
  scene.disk.put(scene.file, scene.bytes.fill(1));
  const later = await scene.open();
  expect(later.status.kept).toBeUndefined();
  await expect(later.keepMine()).rejects.toMatchObject({ code: 'vault_damaged' });
});

test('a damaged file is recovered or replaced only when the user chooses so', async () => {
  const bytes = Buffer.from(scene.bytes).fill(1, 4300, 4400);
  scene.disk.put(scene.file, bytes);
  await vault.read(() => undefined);
  await vault.startFresh();
  expect(vault.status.state).toBe('ready');
  expect(await users(vault)).toEqual([]);
});

const PLACES: [name: string, place: (file: string) => void][] = [
  ['a pipe', (file) => void execFileSync('mkfifo', [file])],
  ['a device', (file) => symlinkSync('/dev/zero', file)],
  ['a folder', (file) => mkdirSync(file)],
  [
    'a file of over 2 GiB',
    (file) => {
      writeFileSync(file, '');
      truncateSync(file, 2 ** 31 + 1); // a hole, which takes no space
    },
  ],
];

test.skipIf(process.platform === 'win32').each(PLACES)(
  '%s in the place of the file of a program that runs (failure 23b)',
  async (_name, place) => {
    const file = join(temporaryFolder(), 'cache.vault');
    const running = await openVault({ file, keychain: memoryKeychain() });
    await running.update((cache) => signIn(cache, 'ada'));
    renameSync(file, `${file}.away`);
    place(file);
    expect(await users(running)).toEqual(homes('ada'));
    expect(running.status).toMatchObject({ state: 'unreadable', kept: 1 });
    rmSync(file, { recursive: true });
    renameSync(`${file}.away`, file);
    expect(await users(running)).toEqual(homes('ada'));
    expect(running.status.state).toBe('ready');
    await running.close();
  },
);

test.skipIf(process.platform === 'win32').each(PLACES)(
  '%s in the place of the file at a start (failure 23b)',
  async (_name, place) => {
    const file = join(temporaryFolder(), 'cache.vault');
    place(file);
    const vault = await openVault({ file, keychain: memoryKeychain() });
    expect(vault.status).toMatchObject({ state: expect.stringMatching(/^(unreadable|damaged)$/) });
    await expect(vault.update((cache) => signIn(cache, 'ada'))).rejects.toMatchObject({
      code: vault.status.code,
    });
    await vault.close();
  },
);

describe('a folder that can’t be looked into', () => {
  test.each([
    ['EACCES', 'no_permission'],
    ['ENOTDIR', 'storage_failed'],
    ['EIO', 'storage_failed'],
  ])(
    '%s: what was read is still read with `held` and exported, and the status says so',
    async (code, expected) => {
      let isAway = false;
      const io = new Proxy<Io>(scene.disk, {
        get: (disk, name) => {
          const real = (Reflect.get(disk, name) as (...given: unknown[]) => unknown).bind(disk);
          if (name !== 'stat' && name !== 'open') return real;
          return (file: string, ...more: unknown[]) =>
            isAway && file.startsWith(dirname(scene.file))
              ? Promise.reject(errno(code))
              : real(file, ...more);
        },
      });
      const open = await scene.open({}, { io, scryptWork: 1 });
      expect(await users(open)).toEqual(ALL);
      isAway = true;
      await expect(open.read(usersIn)).rejects.toMatchObject({ code: expected });
      expect(open.status).toMatchObject({ state: 'unreadable', kept: 3 });
      expect(Object.keys(await open.read(usersIn, { held: true })).sort()).toEqual(ALL);
      const file = join(temporaryFolder(), 'export.age');
      scene.disk.put(join(file, '..', 'other'), Buffer.of()); // The fake disk has no empty folder.
      await open.exportTo(file, 'a passphrase that nobody has used');
      isAway = false;
      expect(await users(open)).toEqual(ALL);
      expect(open.status.state).toBe('ready');
    },
  );
});
