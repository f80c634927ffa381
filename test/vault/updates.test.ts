import { describe, expect, test } from 'vitest';
import type { CacheChange } from '../../src-main/cache/schema/entities.ts';
import { storeOf, type TokenCache } from '../../src-main/cache/token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { errno } from './disk.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

test('an update is visible to the next program that opens the vault', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  expect(await vault.update((cache) => (signIn(cache, 'ada'), 'value'))).toBe('value');
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access secret of ada' });
});

test('updates that come while one is being written are committed together', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  scene.disk.calls.length = 0;
  await Promise.all(['u1', 'u2', 'u3', 'u4'].map((user) => vault.update((cache) => signIn(cache, user))));
  expect(scene.disk.calls.filter(({ name }) => name === 'datasync')).toHaveLength(1);
  expect(Object.keys(await (await scene.open()).read(usersIn))).toHaveLength(5);
});

test('an update that changes nothing writes nothing', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => cache.accounts());
  expect([...scene.disk.nodes.keys()]).toEqual([]);
});

test('a function that throws changes nothing and does not affect the others in its batch', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  const failing = vault.update((cache) => {
    signIn(cache, 'eve');
    throw new RangeError('mine');
  });
  const good = vault.update((cache) => signIn(cache, 'ada'));
  await expect(failing).rejects.toThrow(RangeError);
  await good;
  expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ada')]);
});

test('functions must not be async, and reading must not write', async () => {
  const vault = await new Scene().open();
  await expect(
    // @ts-expect-error -- it does not compile either
    vault.update(async (cache) => {
      signIn(cache, 'eve');
      return Promise.resolve();
    }),
  ).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(vault.read((cache) => signIn(cache, 'eve'))).rejects.toBeInstanceOf(InvalidArgumentError);
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
});

test('reading sees what another handle wrote, and listeners hear of it', async () => {
  const scene = new Scene();
  const [mine, theirs] = [await scene.open(), await scene.open()];
  await mine.update((cache) => signIn(cache, 'ada'));
  expect(Object.keys(await theirs.read(usersIn))).toEqual([homeOf('ada')]);
  const heard: CacheChange[] = [];
  mine.on('change', (change) => heard.push(change));
  await theirs.update((cache) => signIn(cache, 'ben'));
  scene.timers.fire(500);
  await mine.read(() => undefined);
  expect(heard.flatMap(({ entities }) => entities).map(({ type }) => type)).toContain('Account');
  const before = heard.length;
  await theirs.erase((cache) => cache.signOut(homeOf('ada')));
  await mine.read(() => undefined);
  const removed = heard.slice(before).flatMap(({ entities }) => entities);
  expect(removed.every(({ after }) => after === undefined)).toBe(true);
  expect(removed.map(({ type }) => type).sort()).toEqual([
    'AccessToken',
    'Account',
    'IdToken',
    'RefreshToken',
  ]);
});

test('writers that take turns lose nothing', async () => {
  const scene = new Scene();
  const handles = await Promise.all([scene.open(), scene.open(), scene.open()]);
  await Promise.all(
    handles.flatMap((vault, handle) =>
      Array.from({ length: 10 }, (_, n) => vault.update((cache) => signIn(cache, `u${handle}-${n}`))),
    ),
  );
  for (const vault of [...handles, await scene.open()]) {
    expect(await vault.read((cache) => cache.accounts())).toHaveLength(30);
  }
});

test('secrets are sealed in memory and in the file', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  // Once with the whole file, once appended.
  await vault.update((cache) => signIn(cache, 'ada', 'tell-tale'));
  await vault.update((cache) => signIn(cache, 'ben', 'tell-tale'));
  for (const handle of [vault, await scene.open()]) {
    for (const token of await handle.read((cache) => cache.find('AccessToken'))) {
      expect(Object.getOwnPropertyDescriptor(token, 'secret')).not.toHaveProperty('value');
      expect(token.secret).toBe('access tell-tale');
    }
    // Fields keep their places, as in the document that they came from.
    const kept = await handle.read((cache) =>
      [...storeOf(cache).entries('AccessToken')].map(({ value }) => Object.keys(value as object).slice(0, 2)),
    );
    expect(kept.flat()).toEqual(kept.flatMap(() => ['credential_type', 'secret']));
    expect(kept).not.toEqual([]);
  }
  expect(scene.bytes.includes('tell-tale')).toBe(false);
});

test('a sealed entity can be changed, and keeps its secret', async () => {
  const scene = new Scene();
  await (await scene.open()).update((cache) => signIn(cache, 'ada'));
  const vault = await scene.open();
  await vault.update((cache) => {
    const [token] = cache.find('AccessToken');
    if (token !== undefined) cache.modify('AccessToken', token, { note: 'kept' });
  });
  const [token] = await (await scene.open()).read((cache) => cache.find('AccessToken'));
  expect(token).toMatchObject({ note: 'kept', secret: 'access secret of ada' });
});

test('a file that is more than half reclaimable is rewritten', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  for (let n = 0; n < 120; n += 1) await vault.update((cache) => signIn(cache, 'ada', `number ${n}`));
  expect(scene.disk.calls.filter(({ name }) => name === 'rename').length).toBeGreaterThan(1);
  expect(scene.bytes.length).toBeLessThan(100_000);
  expect(await (await scene.open()).read(usersIn)).toEqual({ [homeOf('ada')]: 'access number 119' });
});

describe('when the disk is full', () => {
  const full = (scene: Scene): void => {
    scene.disk.fault = ({ name }) => {
      if (name === 'write') throw errno('ENOSPC');
    };
  };

  test('refuse: the update rejects, and memory is as it was', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    full(scene);
    await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({ code: 'disk_full' });
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ada')]);
    scene.disk.fault = () => undefined;
    await vault.update((cache) => signIn(cache, 'ben'));
    expect(Object.keys(await (await scene.open()).read(usersIn))).toHaveLength(2);
  });

  test('memory: the change is held, retried with growing pauses, and finally saved', async () => {
    const scene = new Scene();
    const vault = await scene.open({ unprotected: 'memory' });
    await vault.update((cache) => signIn(cache, 'ada'));
    full(scene);
    await vault.update((cache) => signIn(cache, 'ben'));
    expect(vault.status).toMatchObject({ held: 'memory', unsaved: 1, code: 'disk_full' });
    expect(Object.keys(await vault.read(usersIn))).toHaveLength(2);
    expect(Object.keys(await (await scene.open()).read(usersIn))).toHaveLength(1);
    const pauses: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      pauses.push(...scene.timers.fire());
      await vault.read(() => undefined);
    }
    expect(pauses.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
    scene.disk.fault = () => undefined;
    expect(await vault.retry()).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
    expect(vault.status.code).toBeUndefined();
    expect(Object.keys(await (await scene.open()).read(usersIn))).toHaveLength(2);
  });
});

test('memory: changes made while locked are applied on top of the file after unlocking', async () => {
  const scene = new Scene();
  await (await scene.open()).update((cache) => signIn(cache, 'ada'));
  scene.keychain.mood = 'locked';
  const vault = await scene.open({ unprotected: 'memory' });
  await vault.update((cache) => signIn(cache, 'ben'));
  expect(vault.status).toMatchObject({ state: 'locked', held: 'memory', unsaved: 1 });
  expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ben')]);
  const before = Buffer.from(scene.bytes);
  expect(scene.bytes.equals(before)).toBe(true);
  scene.keychain.mood = 'open';
  expect(await vault.retry()).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
  expect(Object.keys(await (await scene.open()).read(usersIn)).sort()).toEqual([
    homeOf('ada'),
    homeOf('ben'),
  ]);
});

test('every call that writes, failing at each of its occurrences: the old state or the new one', async () => {
  const run = async (failAt: number): Promise<number> => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    let calls = 0;
    scene.disk.calls.length = 0;
    scene.disk.fault = () => {
      calls += 1;
      if (calls === failAt) throw errno('EIO');
    };
    const acknowledged = new Set<string>([homeOf('ada')]);
    const update = async (user: string): Promise<void> => {
      await vault
        .update((cache) => signIn(cache, user))
        .then(
          () => acknowledged.add(homeOf(user)),
          () => undefined,
        );
    };
    await update('ben');
    await vault.erase((cache) => cache.signOut(homeOf('nobody'))).catch(() => undefined);
    await update('cas');
    scene.disk.fault = () => undefined;
    for (const reader of [vault, await scene.open()]) {
      expect(reader.status.state, `call ${failAt}`).toBe('ready');
      const users = Object.keys(await reader.read(usersIn));
      expect(users, `call ${failAt}`).toEqual(expect.arrayContaining([...acknowledged]));
    }
    return calls;
  };
  const calls = await run(0);
  expect(calls).toBeGreaterThan(10);
  for (let failAt = 1; failAt <= calls; failAt += 1) await run(failAt);
});

test('an error while closing a flushed file does not make a completed update reject', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  const open = scene.disk.open.bind(scene.disk);
  scene.disk.open = async (file, flags) => {
    const handle = await open(file, flags);
    return flags === 'r' ? handle : { ...handle, close: () => Promise.reject(errno('EIO')) };
  };
  await vault.update((cache) => signIn(cache, 'ben'));
  scene.disk.open = open;
  expect(Object.keys(await (await scene.open()).read(usersIn))).toHaveLength(2);
});

test('a closed vault rejects every call', async () => {
  const vault = await new Scene().open();
  await vault.close();
  for (const call of [
    () => vault.update(() => undefined),
    () => vault.read(() => undefined),
    () => vault.retry(),
    () => vault.erase(() => undefined),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'vault_closed' });
  }
});

test('a large batch rewrites the file with one frame per account, whole or not at all', async () => {
  const scene = new Scene();
  const [vault, other] = [await scene.open(), await scene.open()];
  await vault.update((cache) => signIn(cache, 'ada'));
  const { length } = await other.read((cache) => cache.accounts());
  const many = (cache: TokenCache): void => {
    for (let n = 0; n < 300; n += 1) signIn(cache, `u${n}`);
  };
  scene.disk.fault = ({ name }) => {
    if (name === 'rename') throw errno('ENOSPC');
  };
  await expect(vault.update(many)).rejects.toMatchObject({ code: 'disk_full' });
  scene.disk.fault = () => undefined;
  for (const handle of [vault, await scene.open()]) {
    expect(await handle.read((cache) => cache.accounts())).toHaveLength(length);
  }
  const heard: CacheChange[] = [];
  other.on('change', (change) => heard.push(change));
  await vault.update(many);
  expect((await vault.verify()).regions).toMatchObject({ base: { intact: 303, of: 303 }, appended: 0 });
  expect(await other.read((cache) => cache.accounts())).toHaveLength(301);
  // What the other one hears of is what is new in the file, and nothing of ada.
  expect(heard).toHaveLength(1);
  expect(heard[0]?.entities).toHaveLength(1200);
});
