import { describe, expect, test, vi } from 'vitest';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { SealedSecret } from '../../src-main/vault/format/batch.ts';
import { openFile } from '../../src-main/vault/open.ts';
import { metadataAfter } from '../../src-main/vault/tombstones.ts';
import { errno, placeOf } from './disk.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

test('verify counts what is there and opens every secret', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  expect(await vault.verify()).toMatchObject({ sound: true, bytes: 0, entries: 0, secrets: 0 });
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.update((cache) => signIn(cache, 'ada', 'again'));
  const before = Buffer.from(scene.bytes);
  expect(await vault.verify()).toMatchObject({
    sound: true,
    state: 'ready',
    bytes: before.length,
    accounts: 1,
    entries: 5, // an account, three credentials, app metadata
    secrets: 3,
    keySlot: 'a',
    keyMadeAt: Math.floor(scene.now / 1000),
    generation: 1,
  });
  expect((await vault.verify()).live).toBeLessThan(1);
  expect(scene.bytes.equals(before)).toBe(true);
});

test('verify finds damage that happened after opening', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  const last = scene.bytes.length - 1;
  scene.bytes.writeUInt8(scene.bytes.readUInt8(last) ^ 1, last);
  expect(await vault.verify()).toMatchObject({ sound: false, state: 'damaged', code: 'vault_damaged' });
});

test('compact keeps the current entries', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  for (let n = 0; n < 5; n += 1) await vault.update((cache) => signIn(cache, 'ada', `number ${n}`));
  const before = scene.bytes.length;
  await vault.compact();
  expect(scene.bytes.length).toBeLessThan(before / 1.5);
  expect(await vault.verify()).toMatchObject({ sound: true, live: 1, generation: 2 });
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access number 4' });
});

test('compact saves changes that were held in memory', async () => {
  const scene = new Scene();
  const vault = await scene.open({ unprotected: 'memory' });
  await vault.update((cache) => signIn(cache, 'ada', 'old'));
  scene.disk.fault = ({ name }) => {
    if (name === 'write') throw errno('ENOSPC');
  };
  await vault.update((cache) => signIn(cache, 'ada', 'new'));
  scene.disk.fault = () => undefined;
  await vault.compact();
  expect(vault.status).toMatchObject({ held: 'disk', unsaved: 0 });
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access new' });
});

test('rotateKey replaces the key, or says that it could not', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  scene.now += 60_000;
  await vault.rotateKey();
  expect(scene.keychain.slots).toEqual(['b']);
  expect(await vault.verify()).toMatchObject({ sound: true, keySlot: 'b', keyMadeAt: scene.now / 1000 });
  scene.keychain.mood = 'locked';
  await expect(vault.rotateKey()).rejects.toMatchObject({ code: 'vault_locked' });
  expect(await vault.read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});

describe('rotateKey with a keychain that takes longer than a sign-out waits', () => {
  async function slow(): Promise<{ scene: Scene; vault: Vault; done: Promise<unknown>; answer: () => void }> {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    const { keychain } = scene;
    const set = keychain.set.bind(keychain);
    let answer = (): void => undefined;
    keychain.set = (...item) => new Promise((resolve) => (answer = () => resolve(set(...item))));
    const done = vault.rotateKey().then(
      () => 'rotated',
      (error: unknown) => error,
    );
    await vi.waitFor(() => expect(scene.timers.fire(1_000)).toEqual([1_000]), 20_000);
    await vi.waitFor(() => expect(vault.status.oldKey).toBe('pending'), 20_000);
    keychain.set = set;
    return { scene, vault, done, answer: () => answer() };
  }

  test('waits for it, and does not call it locked', async () => {
    const { scene, vault, done, answer } = await slow();
    answer();
    expect(await done).toBe('rotated');
    expect(vault.status.oldKey).toBeUndefined();
    expect(scene.keychain.slots).toEqual(['b']);
    expect(await vault.verify()).toMatchObject({ sound: true, keySlot: 'b' });
  });

  test.each([
    ['locked', 'vault_locked', 'not replaced'],
    ['unavailable', 'vault_no_keychain', 'unavailable'],
  ] as const)('says why it could not if it turns out to be %s', async (mood, code, words) => {
    const { scene, vault, done, answer } = await slow();
    scene.keychain.mood = mood;
    answer();
    expect(await done).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(vault.status.oldKey).toBe('pending');
    expect(scene.keychain.slots).toEqual(['a']);
  });

  test('says what stopped it if that is the disk, not the keychain', async () => {
    const { scene, vault, done, answer } = await slow();
    scene.disk.fault = ({ name }) => {
      if (name === 'write') throw errno('ENOSPC');
    };
    answer();
    expect(await done).toMatchObject({ code: 'disk_full' });
    expect(vault.status.oldKey).toBe('pending');
  });
});

test('verify reports each region and its progress', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  expect((await vault.verify()).regions).toBeUndefined();
  await vault.update((cache) => ['ada', 'grace'].forEach((user) => signIn(cache, user)));
  await vault.update((cache) => signIn(cache, 'ada', 'again'));
  const told: string[] = [];
  const { regions } = await vault.verify((done, of) => told.push(`${done} of ${of}`));
  // The manifest, two accounts, and the metadata of the app, which belongs to none.
  expect(regions).toEqual({ headers: 2, base: { intact: 4, of: 4 }, appended: 1, after: 0 });
  expect(told).toEqual(['0 of 9']);
  const good = Buffer.from(scene.bytes);

  scene.bytes.writeUInt8(scene.bytes.readUInt8(4096) ^ 1, 4096); // the second header
  expect(await vault.verify()).toMatchObject({ sound: false, regions: { headers: 1, appended: 1 } });
  good.copy(scene.bytes);
  scene.bytes.writeUInt8(scene.bytes.readUInt8(4300) ^ 1, 4300); // the manifest
  expect(await vault.verify()).toMatchObject({ sound: false, regions: { base: { intact: 3, of: 4 } } });
  good.copy(scene.bytes);
  scene.bytes.writeUInt8(scene.bytes.readUInt8(good.length - 1) ^ 1, good.length - 1);
  const { regions: cut } = await vault.verify();
  expect(cut).toMatchObject({ base: { intact: 4 }, appended: 0 });
  expect(cut!.after).toBeGreaterThan(60);
});

test('the status has the slot and age of the key, and the share of live data', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  expect(vault.status).not.toHaveProperty('key');
  await vault.update((cache) => signIn(cache, 'ada'));
  const madeAt = scene.now / 1000;
  expect(vault.status).toMatchObject({ key: { slot: 'a', madeAt }, live: 1 });
  scene.now += 60_000;
  await vault.update((cache) => signIn(cache, 'ada', 'again'));
  expect(vault.status.live).toBeLessThan(1);
  await vault.rotateKey();
  expect(vault.status).toMatchObject({ key: { slot: 'b', madeAt: madeAt + 60 }, live: 1 });
  expect((await scene.open()).status).toMatchObject({ key: { slot: 'b', madeAt: madeAt + 60 } });
});

test('a clock that jumps ahead or far back removes nothing, not even tokens that look expired (failure 23)', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
  await vault.signOut(homeOf('cas'));
  const began = scene.now;
  for (const years of [40, -60, 10]) {
    scene.now += years * 365 * 24 * 3600 * 1000;
    await vault.update((cache) => signIn(cache, 'dee', `in ${years}`));
    await vault.compact();
    await vault.rotateKey();
    for (const reader of [vault, await scene.open()]) {
      expect(reader.status.state).toBe('ready');
      expect(Object.keys(await reader.read(usersIn)).sort()).toEqual(['ada', 'ben', 'dee'].map(homeOf));
      expect(reader.epoch).toBe(1);
    }
  }
  // A refresh that began before the sign-out, at a time that was later than now.
  scene.now = began;
  await vault.signOut(homeOf('ben'));
  scene.now -= 1000 * 24 * 3600 * 1000;
  await vault.compact();
  await vault.update((cache) => signIn(cache, 'ben', 'late'), { since: 1 });
  expect(await vault.read(usersIn)).not.toHaveProperty([homeOf('ben')]);
});

test('verify counts every secret and makes a string of none', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  const open = vi.spyOn(SealedSecret.prototype, 'open');
  expect(await vault.verify()).toMatchObject({ sound: true, secrets: 3 });
  expect(open).not.toHaveBeenCalled();
  open.mockRestore();
});

test('tombstones: one for each account, however often it is signed out', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  for (let n = 0; n < 30; n += 1) {
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    await vault.update((cache) => cache.signOut(homeOf('ada')));
  }
  await vault.compact();
  const { contents } = await openFile(placeOf(scene.disk, scene.file, scene.keychain));
  expect(contents?.metadata.tombstones).toHaveLength(1);
  expect(vault.epoch).toBe(30);
});

test('tombstones: the newest thousand, and those of the last week, by a clock that may jump', () => {
  const now = 1_800_000_000;
  const day = 24 * 3600;
  const before = { keyMadeAt: 0, pending: null, epoch: 1500, tombstones: [] };
  const kept = (at: (epoch: number) => number): number[] =>
    metadataAfter(
      before,
      Array.from({ length: 1500 }, (_, n) => ({ mark: `mark ${n + 1}`, epoch: n + 1, at: at(n + 1) })),
      now,
    ).tombstones.map(({ epoch }) => epoch);
  const newest = Array.from({ length: 1000 }, (_, n) => 501 + n);
  const all = Array.from({ length: 1500 }, (_, n) => 1 + n);
  // One a day, and the newest a month ago.
  expect(kept((epoch) => now - 30 * day - (1500 - epoch) * day)).toEqual(newest);
  expect(kept((epoch) => now - 2 * day + epoch)).toEqual(all);
  // 1,500 at once while the clock stood at 1970, which was then set right; or ahead, and set back; or in between.
  expect(kept(() => 5)).toEqual(all);
  expect(kept(() => now + 10_000 * day)).toEqual(all);
  expect(kept((epoch) => (epoch < 700 ? now - 60 : 5))).toEqual(all);
  expect(kept((epoch) => (epoch < 700 ? 5 : now - 60))).toEqual(all);
});

test('closing while another program holds the key lock leaves the key unchanged', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  const { text } = scene.keychain.item('a');
  const lock = new FileLock(`${scene.file}.key-lock`);
  let release = (): void => undefined;
  const held = lock.hold(() => new Promise<void>((resolve) => (release = resolve)));
  const closing = vault.close();
  await vi.waitFor(() => expect(scene.timers.fire(2_000)).toEqual([2_000]), 20_000);
  await closing;
  release();
  await held;
  await lock.close();
  // What still waited for the lock has had it by now.
  await new FileLock(`${scene.file}.key-lock`).hold(() => Promise.resolve());
  expect(scene.keychain.item('a').text).toBe(text);
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});
