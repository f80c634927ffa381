/** What a reader of the file beside a vault learns while a sign-out waits for the keychain: docs/threat-model.md says exactly this. */
import { createHmac } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import type { Vault } from '../../src-main/vault/api.ts';
import { errno } from './disk.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

const USERS = ['ada', 'ben', 'cas'];

async function signedOutWhileLocked(scene: Scene, user: string): Promise<Vault> {
  const vault = await scene.open();
  await vault.update((cache) => USERS.forEach((each) => signIn(cache, each)));
  scene.keychain.mood = 'locked';
  expect((await vault.signOut(homeOf(user))).oldKey).toBe('pending');
  return vault;
}

const markFile = (scene: Scene): string | undefined =>
  scene.disk.nodes.get(`${scene.file}.mark`)?.bytes.toString();

test('confirms a guess of the ID of a signed-out account, and of no other, and has no name and no token', async () => {
  const scene = new Scene();
  await signedOutWhileLocked(scene, 'ada');
  const text = markFile(scene) ?? '';
  const kept = JSON.parse(text) as { file: string; mark: string };
  const isConfirmed = (home_account_id: string): boolean => {
    const hash = createHmac('sha256', Buffer.from(kept.file, 'hex')).update(home_account_id.toLowerCase());
    return kept.mark.includes(hash.digest().toString('base64', 0, 16));
  };
  expect(USERS.filter((user) => isConfirmed(homeOf(user)))).toEqual(['ada']);
  for (const user of USERS) {
    expect(text).not.toContain(homeOf(user));
    expect(text).not.toMatch(new RegExp(`${user}@|\\b[ari]t-${user}|secret`, 'i'));
  }
});

test('is gone once the keychain was available', async () => {
  const scene = new Scene();
  const vault = await signedOutWhileLocked(scene, 'ada');
  scene.keychain.mood = 'open';
  await vault.retry();
  await vault.close();
  expect(markFile(scene)).toBeUndefined();
});

const usersOf = async (vault: Vault): Promise<string[]> => Object.keys(await vault.read(usersIn)).sort();

test('has all accounts that were signed out meanwhile: an older copy brings none of them back', async () => {
  const many = Array.from({ length: 40 }, (_, n) => `user${n}`);
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => ['ada', ...many].forEach((user) => signIn(cache, user)));
  const older = Buffer.from(scene.bytes);
  scene.keychain.mood = 'locked';
  for (const user of many) expect((await vault.signOut(homeOf(user))).oldKey).toBe('pending');
  await vault.close();
  scene.disk.put(scene.file, older);
  scene.keychain.mood = 'open';
  const again = await scene.open();
  await again.takeFile();
  expect(await usersOf(again)).toEqual([homeOf('ada')]);
});

describe('a program that runs finishes its sign-out in an older file', () => {
  test.each([
    ['with the mark file', true],
    ['without it', false],
  ])('%s', async (_how, isThere) => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => USERS.forEach((each) => signIn(cache, each)));
    const older = Buffer.from(scene.bytes);
    scene.keychain.mood = 'locked';
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    if (!isThere) scene.disk.nodes.delete(`${scene.file}.mark`);
    scene.disk.put(scene.file, older);
    expect(await vault.retry()).toMatchObject({ state: 'older', oldKey: 'pending' });
    scene.keychain.mood = 'open';
    await vault.retry();
    await vi.waitFor(() => expect(vault.status.oldKey).toBeUndefined(), 20_000);
    expect(vault.status.state).toBe('older');
    expect(scene.keychain.slots).toEqual(['b']);
    await vault.close();
    const again = await scene.open();
    if (again.status.state === 'older') await again.takeFile();
    expect(await usersOf(again)).toEqual([homeOf('ben'), homeOf('cas')]);
  });
});

describe('a damaged manifest, while a sign-out waits for the keychain', () => {
  const keysIn = (scene: Scene): unknown[] =>
    [...scene.keychain.items.values()].map((item) => (JSON.parse(item) as { key: unknown }).key);

  /** The manifest is the first frame, after the copies of the header. */
  const spoilManifest = (scene: Scene): void => void scene.bytes.fill(1, 4224 + 60, 4224 + 90);

  test('does not keep the sign-out from being finished when the readable accounts are kept', async () => {
    const scene = new Scene();
    await (await signedOutWhileLocked(scene, 'ada')).close();
    const keys = keysIn(scene);
    scene.keychain.mood = 'open';
    spoilManifest(scene);
    const vault = await scene.open();
    expect(vault.status).toMatchObject({ state: 'damaged', oldKey: 'pending' });
    await vault.recover();
    await expect.poll(() => vault.status.oldKey).toBeUndefined();
    expect(keysIn(scene).some((key) => keys.includes(key))).toBe(false);
    expect(markFile(scene)).toBeUndefined();
    expect(await usersOf(vault)).toEqual([homeOf('ben'), homeOf('cas')]);
  });

  test('does not let a refresh that began before a sign-out bring the account back', async () => {
    const scene = new Scene();
    const vault = await signedOutWhileLocked(scene, 'ada');
    scene.keychain.mood = 'open';
    spoilManifest(scene);
    await (await scene.open()).recover();
    const next = await scene.open();
    await next.update((cache) => signIn(cache, 'ada'), { since: 0 });
    expect(await usersOf(next)).toEqual([homeOf('ben'), homeOf('cas')]);
    await next.update((cache) => signIn(cache, 'ada'), { since: next.epoch });
    expect(await usersOf(next)).toEqual([homeOf('ada'), homeOf('ben'), homeOf('cas')]);
    await vault.close();
  });
});

test('an account that was signed out and in again is kept by a file that lost its manifest and its end', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => USERS.forEach((each) => signIn(cache, each)));
  await vault.signOut(homeOf('ada'));
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.compact();
  await vault.update((cache) => signIn(cache, 'dee'));
  await vault.close();
  scene.bytes.fill(1, 4224 + 60, 4224 + 90); // the manifest
  scene.bytes.fill(1, scene.bytes.length - 40, scene.bytes.length - 30); // the last update
  const damaged = await scene.open();
  expect(damaged.status).toMatchObject({ state: 'damaged', recovered: { accounts: 3 } });
  await damaged.recover();
  expect(await usersOf(damaged)).toEqual([homeOf('ada'), homeOf('ben'), homeOf('cas')]);
});

test('is written although another program’s rewrite removes its temporary file', async () => {
  const scene = new Scene();
  let isSwept = false;
  scene.disk.fault = ({ name, file }) => {
    if (isSwept || name !== 'rename' || !file.endsWith('.mark')) return;
    isSwept = true;
    throw errno('ENOENT');
  };
  const vault = await signedOutWhileLocked(scene, 'ada');
  expect(isSwept).toBe(true);
  expect(vault.status.warnings ?? []).not.toContain('sign_out_unrecorded');
  expect(markFile(scene)).toBeDefined();
});
