import { expect, test } from 'vitest';
import { errno } from './disk.ts';
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

test('verify finds what was damaged since', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  scene.bytes.writeUInt8(1, scene.bytes.length - 1);
  expect(await vault.verify()).toMatchObject({ sound: false, state: 'damaged', code: 'vault_damaged' });
});

test('compact leaves what is alive', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  for (let n = 0; n < 5; n += 1) await vault.update((cache) => signIn(cache, 'ada', `number ${n}`));
  const before = scene.bytes.length;
  await vault.compact();
  expect(scene.bytes.length).toBeLessThan(before / 1.5);
  expect(await vault.verify()).toMatchObject({ sound: true, live: 1, generation: 2 });
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access number 4' });
});

test('compact saves what was held', async () => {
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
  expect([...scene.keychain.items.keys()]).toEqual(['vault/b']);
  expect(await vault.verify()).toMatchObject({ sound: true, keySlot: 'b', keyMadeAt: scene.now / 1000 });
  scene.keychain.mood = 'locked';
  await expect(vault.rotateKey()).rejects.toMatchObject({ code: 'vault_locked' });
  expect(await vault.read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});
