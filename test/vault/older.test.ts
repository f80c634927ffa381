// What is older or shorter than what was seen is told, and never taken for current.
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { Access } from '../../src-main/vault/commit.ts';
import { FRAMES_AT, readHeader } from '../../src-main/vault/format/header.ts';
import { decodeKeyItem, encodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import { VaultMemory } from '../../src-main/vault/memory.ts';
import { look } from '../../src-main/vault/open.ts';
import { Rekeying } from '../../src-main/vault/rekey.ts';
import { type Settings, settingsFrom } from '../../src-main/vault/settings.ts';
import { keyItem, Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

const users = async (vault: Vault): Promise<string[]> => Object.keys(await vault.read(usersIn)).sort();
const homes = (...names: string[]): string[] => names.map(homeOf);

let scene: Scene;
/** The file after each update; the last one is current. */
let states: Buffer[];

/** Three updates, each of them an account; the vault is closed in an orderly way. */
beforeEach(async () => {
  scene = new Scene();
  states = [];
  const vault = await scene.open();
  for (const user of ['ada', 'ben', 'cas']) {
    await vault.update((cache) => signIn(cache, user));
    states.push(Buffer.from(scene.bytes));
  }
  await vault.close();
});

function state(n: number): Buffer {
  return states[n] ?? Buffer.alloc(0);
}

/** Restores an older copy, and has it read, after the vault has been written for the first time. */
class PutBackAfterWrite extends Access {
  readonly #putBack: () => void;
  #isDone = false;

  constructor(settings: Settings, memory: VaultMemory, putBack: () => void) {
    super(settings, memory);
    this.#putBack = putBack;
  }

  override async inTurn<T>(task: () => Promise<T>): Promise<T> {
    const before = this.memory.opening.identity;
    const value = await super.inTurn(task);
    if (this.#isDone || this.memory.opening.identity === before) return value;
    this.#isDone = true;
    this.#putBack();
    await super.inTurn(() => this.catchUp());
    return value;
  }
}

/** Handling of a file that a backup, a sync tool or a failing disk has left. */
const CUTS: [name: string, make: () => Buffer][] = [
  ['an older copy', () => state(0)],
  ['cut at a frame border', () => state(1)],
  ['cut inside the last frame', () => state(2).subarray(0, state(2).length - 30)],
  ['the last frame zeroed', () => Buffer.concat([state(1), Buffer.alloc(state(2).length - state(1).length)])],
];

describe.each(CUTS)('%s', (name, make) => {
  test('is noticed at the next start; verify does not call it sound, and nothing is overwritten', async () => {
    const bytes = make();
    scene.disk.put(scene.file, bytes);
    const vault = await scene.open();
    expect(vault.status).toMatchObject({ state: 'older', code: 'vault_older', older: { mine: null } });
    expect(vault.status.message).toMatch(/take this file’s contents\.$/);
    expect(await vault.verify()).toMatchObject({ sound: false, state: 'older', code: 'vault_older' });
    await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({
      code: 'vault_older',
    });
    await expect(vault.compact()).rejects.toMatchObject({ code: 'vault_older' });
    await expect(vault.signOut(homeOf('ada'))).rejects.toMatchObject({ code: 'vault_older' });
    await expect(vault.startFresh()).rejects.toMatchObject({ code: 'vault_older' });
    await expect(vault.keepMine()).rejects.toBeInstanceOf(InvalidArgumentError);
    // Asking again does not make it current.
    expect((await vault.retry()).state).toBe('older');
    await vault.close();
    expect((await scene.open()).status.state).toBe('older');
    expect(scene.bytes.equals(bytes)).toBe(true);
  });

  test('is taken at the next start by an answer, once', async () => {
    scene.disk.put(scene.file, make());
    const vault = await scene.open();
    await vault.takeFile();
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
    const kept = name === 'an older copy' ? ['ada'] : ['ada', 'ben'];
    expect(await users(vault)).toEqual(homes(...kept));
    await vault.update((cache) => signIn(cache, 'dee'));
    const again = await scene.open();
    expect(again.status.state).toBe('ready');
    expect(await users(again)).toEqual(homes(...kept, 'dee'));
    expect(await again.verify()).toMatchObject({ sound: true });
  });

  test('is noticed by a program that runs, which keeps what it has', async () => {
    const vault = await scene.open();
    scene.disk.put(scene.file, make());
    expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
    const copy = name === 'an older copy';
    expect(vault.status).toMatchObject({
      state: 'older',
      older: {
        mine: 3,
        file: copy ? 1 : 2,
        fileSavedAt: expect.any(Number) as number,
        onlyMine: copy
          ? { accounts: 2, names: ['ben@contoso.example', 'cas@contoso.example'] }
          : { accounts: 1, names: ['cas@contoso.example'] },
        onlyFile: { accounts: 0, names: [] },
      },
    });
    expect(vault.status.message).toMatch(/Keep what this program has, or take the file’s contents\.$/);
    await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({
      code: 'vault_older',
    });
    expect((await vault.retry()).state).toBe('older');
    expect(await vault.verify()).toMatchObject({ sound: false, state: 'older' });
    expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
  });

  test('is replaced by what the program has, if its user wants that; the older file is kept beside it', async () => {
    const vault = await scene.open();
    const bytes = make();
    scene.disk.put(scene.file, bytes);
    await vault.read(() => undefined);
    await vault.keepMine();
    expect(vault.status).toMatchObject({ state: 'ready', held: 'disk' });
    expect(vault.status.older).toBeUndefined();
    await vault.update((cache) => signIn(cache, 'dee'));
    const again = await scene.open();
    expect(again.status.state).toBe('ready');
    expect(await users(again)).toEqual(homes('ada', 'ben', 'cas', 'dee'));
    const aside = [...scene.disk.nodes.keys()].filter((file) => file.includes('.older-'));
    expect(aside.map((file) => scene.disk.bytes(file).equals(bytes))).toEqual([true]);
  });

  test('is taken by a program that runs, if its user wants that', async () => {
    const vault = await scene.open();
    scene.disk.put(scene.file, make());
    await vault.read(() => undefined);
    await vault.takeFile();
    expect(vault.status.state).toBe('ready');
    const kept = name === 'an older copy' ? ['ada'] : ['ada', 'ben'];
    expect(await users(vault)).toEqual(homes(...kept));
    expect(await users(await scene.open())).toEqual(homes(...kept));
  });
});

test('cut inside its base, a running program keeps what it has', async () => {
  const vault = await scene.open();
  scene.disk.put(scene.file, state(0).subarray(0, state(0).length - 40));
  expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
  expect(vault.status.state).toBe('older');
  await vault.keepMine();
  expect(await users(await scene.open())).toEqual(homes('ada', 'ben', 'cas'));
});

test.each([0, 100, 4223])('cut to %i bytes, a running program keeps what it has', async (length) => {
  const vault = await scene.open();
  scene.disk.put(scene.file, state(2).subarray(0, length));
  expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
  expect(vault.status).toMatchObject({ state: 'older', older: { mine: 3, file: null } });
  expect(vault.status.message).toMatch(/can’t be opened: .+ Keep what this program has\.$/);
  await expect(vault.takeFile()).rejects.toMatchObject({ code: 'vault_key_missing' });
  await vault.keepMine();
  expect(await users(await scene.open())).toEqual(homes('ada', 'ben', 'cas'));
});

test.each(['keepMine', 'takeFile'] as const)(
  'deleted, a running program keeps what it has; %s writes it again or begins anew',
  async (choose) => {
    const vault = await scene.open();
    scene.disk.nodes.delete(scene.file);
    expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
    expect(vault.status).toMatchObject({ state: 'older', bytes: null });
    await vault[choose]();
    expect(vault.status.state).toBe('ready');
    expect(await users(vault)).toEqual(choose === 'keepMine' ? homes('ada', 'ben', 'cas') : []);
    await vault.update((cache) => signIn(cache, 'dee'));
    expect(await users(await scene.open())).toContain(homeOf('dee'));
  },
);

test('another vault’s file in its place is reported, and used if the user agrees', async () => {
  const other = new Scene();
  await (await other.open()).update((cache) => signIn(cache, 'zoe'));
  for (const [account, item] of other.keychain.items) scene.keychain.items.set(account, item);
  const vault = await scene.open();
  scene.disk.put(scene.file, other.bytes);
  expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
  expect(vault.status.state).toBe('older');
  await vault.takeFile();
  expect(vault.status.state).toBe('ready');
  expect(await users(vault)).toEqual(homes('zoe'));
});

test('putting the current file back ends the state', async () => {
  const vault = await scene.open();
  scene.disk.put(scene.file, state(0));
  await vault.read(() => undefined);
  expect(vault.status.state).toBe('older');
  scene.disk.put(scene.file, state(2));
  expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas'));
  expect(vault.status.state).toBe('ready');
  await vault.update((cache) => signIn(cache, 'dee'));
  expect(await users(await scene.open())).toHaveLength(4);
});

test('a file older than the last rewrite is noticed even if no program closed the vault', async () => {
  const vault = await scene.open();
  await vault.compact();
  await vault.update((cache) => signIn(cache, 'dee'));
  await vault.exclusively('', () => Promise.resolve());
  await expect.poll(() => scene.keychain.item('a').text).toContain('"generation":"2"');
  scene.disk.put(scene.file, state(2));
  expect((await scene.open()).status.state).toBe('older');
});

test('a fork of the same generation and length is another history', async () => {
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'dee'));
  await vault.close();
  const first = Buffer.from(scene.bytes);
  // The same beginning, another end that is as long.
  const other = new Scene();
  other.disk.put(other.file, state(2));
  for (const [account, item] of scene.keychain.items) other.keychain.items.set(account, item);
  other.keychain.items.set(scene.keychain.item('a').account, JSON.stringify({ key: keyIn(scene) }));
  const fork = await other.open();
  await fork.update((cache) => signIn(cache, 'eve'));
  expect(other.bytes.length).toBe(first.length);
  scene.disk.put(scene.file, other.bytes);
  expect((await scene.open()).status.state).toBe('older');
});

function keyIn({ keychain }: Scene): string {
  const { key }: { key: string } = JSON.parse(keychain.item('a').text);
  return key;
}

describe.each([0, 1, 2, 40])(
  'a file that another machine with the same key has rewritten, after %i updates of its own',
  (updates) => {
    /** The file of another history, one generation ahead. */
    async function elsewhere(): Promise<Buffer> {
      const other = new Scene();
      other.disk.put(other.file, scene.bytes);
      for (const [account, item] of scene.keychain.items) other.keychain.items.set(account, item);
      const vault = await other.open();
      expect(vault.status.state).toBe('ready');
      for (let n = 0; n < updates; n += 1) await vault.update((cache) => signIn(cache, `them-${n}`));
      await vault.compact();
      return other.bytes;
    }

    test('is noticed by a program that runs, which keeps what it has', async () => {
      const vault = await scene.open();
      const theirs = await elsewhere();
      await vault.update((cache) => signIn(cache, 'dee'));
      scene.disk.put(scene.file, theirs);
      expect(await users(vault)).toEqual(homes('ada', 'ben', 'cas', 'dee'));
      expect(vault.status.state).toBe('older');
      await vault.keepMine();
      expect(await users(await scene.open())).toEqual(homes('ada', 'ben', 'cas', 'dee'));
    });

    test('is noticed at the next start', async () => {
      const vault = await scene.open();
      const theirs = await elsewhere();
      await vault.update((cache) => signIn(cache, 'dee'));
      await vault.close();
      scene.disk.put(scene.file, theirs);
      const next = await scene.open();
      expect(next.status.state).toBe('older');
      await next.takeFile();
      expect((await scene.open()).status.state).toBe('ready');
    });

    test('is a later state of the same history for who saw what it was rewritten from', async () => {
      const vault = await scene.open();
      const theirs = await elsewhere();
      scene.disk.put(scene.file, theirs);
      expect(await users(vault)).toHaveLength(3 + updates);
      expect(vault.status.state).toBe('ready');
    });
  },
);

describe('a damaged file that another program recovers', () => {
  /** The file with one changed byte in the frame of the first account. */
  function damaged(): Buffer {
    const bytes = Buffer.from(scene.bytes);
    const manifest = 84 + bytes.readUInt32LE(FRAMES_AT) + bytes.readUInt32LE(FRAMES_AT + 4);
    const at = FRAMES_AT + manifest + 90;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  }

  /** A program that has read all accounts, and another one that has recovered the damaged file. */
  async function recovered(damage = damaged): Promise<{ here: Vault; there: Vault }> {
    const first = await scene.open();
    await first.compact();
    await first.close();
    const here = await scene.open();
    scene.disk.put(scene.file, damage());
    const there = await scene.open();
    expect(there.status.state).toBe('damaged');
    await there.recover();
    return { here, there };
  }

  test('takes nothing from a program that has read more', async () => {
    const { here, there } = await recovered();
    expect(await users(there)).toEqual(homes('ben', 'cas'));
    expect(await users(here)).toEqual(homes('ada', 'ben', 'cas'));
    expect(here.status).toMatchObject({ state: 'older', older: { mine: 3, file: 2, recovered: true } });
    expect(here.status.message).toContain('another program kept what could be read of it');
    await expect(here.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({ code: 'vault_older' });
    await here.keepMine();
    expect(await users(there)).toEqual(homes('ada', 'ben', 'cas'));
    expect([there.status.state, (await scene.open()).status.state]).toEqual(['ready', 'ready']);
  });

  test('is told however much was written since, and until the program has chosen', async () => {
    const { here, there } = await recovered();
    for (let n = 0; n < 5; n += 1) {
      await there.update((cache) => signIn(cache, `them-${n}`));
      await there.compact();
    }
    await there.rotateKey();
    expect(await users(here)).toEqual(homes('ada', 'ben', 'cas'));
    expect((await here.retry()).state).toBe('older');
    await here.takeFile();
    expect(await users(here)).toHaveLength(7);
    expect(here.status.state).toBe('ready');
  });

  test('is current at the next start, also if the keychain could not be told', async () => {
    const first = await scene.open();
    await first.compact();
    await first.close();
    scene.disk.put(scene.file, damaged());
    const there = await scene.open();
    scene.keychain.mood = 'locked';
    await there.recover();
    await there.close();
    scene.keychain.mood = 'open';
    expect((await scene.open()).status.state).toBe('ready');
  });

  test('is a later state for everyone if nothing was lost', async () => {
    const { here } = await recovered(() => {
      const bytes = Buffer.from(scene.bytes);
      bytes[4096 + 50] = (bytes[4096 + 50] ?? 0) ^ 1; // in the second header
      return bytes;
    });
    expect(await users(here)).toEqual(homes('ada', 'ben', 'cas'));
    expect(here.status.state).toBe('ready');
  });
});

describe('an older file that is damaged as well', () => {
  const spoiled = (n: number): Buffer => {
    const bytes = Buffer.from(state(n));
    bytes[4096 + 50] = (bytes[4096 + 50] ?? 0) ^ 1;
    return bytes;
  };

  test('is told to be older at a start, and by verify', async () => {
    scene.disk.put(scene.file, spoiled(1));
    const vault = await scene.open();
    expect(vault.status).toMatchObject({ state: 'damaged', older: { mine: null, file: 2 } });
    expect(vault.status.message).toMatch(/is damaged, and it is older or shorter/);
    expect(await vault.verify()).toMatchObject({ sound: false, state: 'damaged', older: true });
    await vault.recover();
    expect(vault.status.older).toBeUndefined();
    expect((await scene.open()).status.state).toBe('ready');
  });

  test('is only damaged if it is current', async () => {
    scene.disk.put(scene.file, spoiled(2));
    const vault = await scene.open();
    expect(vault.status.state).toBe('damaged');
    expect(vault.status.older).toBeUndefined();
    expect(await vault.verify()).not.toHaveProperty('older');
  });

  test('brings no account back that was signed out since', async () => {
    const vault = await scene.open();
    await vault.update((cache) => cache.signOut(homeOf('ada')));
    await vault.close();
    scene.disk.put(scene.file, spoiled(1));
    const next = await scene.open();
    expect(next.status.state).toBe('damaged');
    await next.recover();
    expect(await users(next)).toEqual(homes('ben'));
  });
});

describe.each(['keepMine', 'takeFile'] as const)('what %s makes of two histories', (choice) => {
  /** A vault whose file an older one has replaced, after an update of its own. */
  async function forked(): Promise<{ here: Vault; elsewhere: Vault; other: Scene }> {
    const other = new Scene();
    other.disk.put(other.file, state(2));
    for (const [account, item] of scene.keychain.items) other.keychain.items.set(account, item);
    const [here, elsewhere] = [await scene.open(), await other.open()];
    await here.update((cache) => signIn(cache, 'dee'));
    scene.disk.put(scene.file, state(1));
    await here.read(() => undefined);
    expect(here.status.state).toBe('older');
    return { here, elsewhere, other };
  }

  test('is current for a program that has seen one of them', async () => {
    const { here } = await forked();
    const beside = await scene.open();
    await here[choice]();
    await beside.read(() => undefined);
    expect(beside.status.state).toBe('ready');
    expect((await scene.open()).status.state).toBe('ready');
  });

  test('is another history for a program that has seen a third one', async () => {
    const { here, elsewhere, other } = await forked();
    await elsewhere.update((cache) => signIn(cache, 'eve'));
    await here[choice]();
    other.disk.put(other.file, scene.bytes);
    expect(await users(elsewhere)).toEqual(homes('ada', 'ben', 'cas', 'eve'));
    expect(elsewhere.status.state).toBe('older');
  });
});

test('a file that is ahead of the mark is current: the mark is a lower bound', async () => {
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'dee'));
  // The process is killed: nobody has told the keychain.
  const again = await scene.open();
  expect(again.status.state).toBe('ready');
  expect(await users(again)).toHaveLength(4);
});

test('changes held in memory stay there while the file is older, and are saved with what is kept', async () => {
  const vault = await scene.open({ unprotected: 'memory' });
  await vault.read(() => undefined);
  scene.disk.put(scene.file, state(0));
  await vault.update((cache) => signIn(cache, 'dee'));
  expect(vault.status).toMatchObject({ state: 'older', held: 'memory', unsaved: 1 });
  await vault.keepMine();
  expect(vault.status).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
  expect(await users(await scene.open())).toEqual(homes('ada', 'ben', 'cas', 'dee'));
});

describe('a sign-out that was acknowledged', () => {
  test('made while the keychain was locked is repeated in an older file by the running program', async () => {
    const vault = await scene.open();
    scene.keychain.mood = 'locked';
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    scene.disk.put(scene.file, state(2));
    expect(await users(vault)).toEqual(homes('ben', 'cas'));
    expect(vault.status).toMatchObject({ state: 'older', oldKey: 'pending' });
    scene.keychain.mood = 'open';
    await vault.retry();
    await vault.close();
    // The copy that was put back has been closed, and what is in the file has no such account.
    expect(scene.keychain.slots).toEqual(['b']);
    const again = await scene.open();
    expect(again.status.state).toBe('older');
    expect(await users(again)).toEqual(homes('ben', 'cas'));
    await again.takeFile();
    expect(await users(again)).toEqual(homes('ben', 'cas'));
    expect(again.status.oldKey).toBeUndefined();
    scene.disk.put(scene.file, state(2));
    expect((await scene.open()).status.state).toBe('key-missing');
  });

  test('is done again at the next start (failure 22b)', async () => {
    const vault = await scene.open();
    scene.keychain.mood = 'locked';
    await vault.signOut(homeOf('ada'));
    await vault.close();
    scene.disk.put(scene.file, state(2));
    scene.keychain.mood = 'open';
    const again = await scene.open();
    expect(again.status).toMatchObject({ state: 'older', oldKey: 'pending' });
    expect(await users(again)).toEqual(homes('ben', 'cas'));
    await again.close();
    expect(scene.keychain.slots).toEqual(['b']);
    const last = await scene.open();
    expect(last.status.state).toBe('older');
    expect(last.status.oldKey).toBeUndefined();
    await last.takeFile();
    expect(await users(last)).toEqual(homes('ben', 'cas'));
    expect([...scene.disk.nodes.keys()].filter((file) => file.endsWith('.mark'))).toEqual([]);
  });

  test('whose old key could not be destroyed is repeated in an older file', async () => {
    const vault = await scene.open();
    scene.keychain.before = (call) => {
      if (call === 'delete a') scene.keychain.mood = 'locked';
    };
    expect((await vault.signOut(homeOf('ada'))).oldKey).toBe('pending');
    scene.keychain.before = () => undefined;
    await vault.close();
    scene.disk.put(scene.file, state(2));
    scene.keychain.mood = 'open';
    const again = await scene.open();
    expect(again.status.state).toBe('older');
    expect(await users(again)).toEqual(homes('ben', 'cas'));
    await again.close();
    expect(scene.keychain.slots).toHaveLength(1);
    scene.disk.put(scene.file, state(2));
    expect((await scene.open()).status.state).not.toBe('ready');
  });

  test('destroys the old key, not the new one, when an older copy is adopted between the two steps', async () => {
    const { file, keychain, disk: io, timers } = scene;
    const settings = await settingsFrom({ file, keychain }, { io, timers, now: () => scene.now });
    const memory = new VaultMemory(await look(settings), { file, keychain: 'Fake keychain' });
    const access = new PutBackAfterWrite(settings, memory, () => scene.disk.put(file, state(2)));
    const rekeying = new Rekeying(access);
    const { oldKey } = await rekeying.erase((cache) => cache.signOut(homeOf('ada')));
    await rekeying.idle();
    expect(memory.opening.state).toBe('older');
    expect(oldKey).toBe('destroyed');
    expect(keychain.slots).toEqual(['b']);
    await Promise.all([settings.writing.close(), settings.rekeying.close()]);
  });

  test('is not undone by keeping what another program has in memory', async () => {
    const mine = await scene.open();
    await mine.read(() => undefined);
    const theirs = await scene.open();
    expect((await theirs.signOut(homeOf('ada'))).oldKey).toBe('destroyed');
    await theirs.close();
    scene.disk.put(scene.file, state(0));
    expect(await users(mine)).toEqual(homes('ada', 'ben', 'cas'));
    expect(mine.status.state).toBe('older');
    await mine.keepMine();
    expect(await users(mine)).toEqual(homes('ben', 'cas'));
    const again = await scene.open();
    expect(again.status.state).toBe('ready');
    expect(await users(again)).toEqual(homes('ben', 'cas'));
  });

  test('closes older copies, which a running program distinguishes from current ones', async () => {
    const vault = await scene.open();
    await vault.signOut(homeOf('ada'));
    scene.disk.put(scene.file, state(2));
    expect(await users(vault)).toEqual(homes('ben', 'cas'));
    expect(vault.status).toMatchObject({ state: 'older', older: { mine: 2, file: null } });
    await expect(vault.takeFile()).rejects.toMatchObject({ code: 'vault_key_missing' });
    await vault.keepMine();
    expect(await users(await scene.open())).toEqual(homes('ben', 'cas'));
  });
});

/** What destroys the key while another program runs that has it in memory, and the slots that hold a key then. */
const DESTROYERS: [what: string, destroy: (vault: Vault) => Promise<unknown>, slots: string[]][] = [
  ['a sign-out', (vault) => vault.signOut(homeOf('ada')), ['b']],
  ['a new key', (vault) => vault.rotateKey(), ['b']],
  ['deleting the vault', (vault) => vault.forget(), []],
];
/** How a backup or sync tool puts a copy in the file's place. */
const WAYS: [how: string, put: (bytes: Buffer) => void][] = [
  ['as another file', (bytes) => scene.disk.put(scene.file, bytes)],
  [
    'into the file that is there',
    (bytes) => {
      const node = scene.disk.nodes.get(scene.file);
      if (node === undefined) scene.disk.put(scene.file, bytes);
      else Object.assign(node, { bytes: Buffer.from(bytes), mtimeNs: node.mtimeNs + 1n });
    },
  ],
];
const COPIES: [which: string, by: (other: Vault) => Promise<unknown>, accounts: string[]][] = [
  ['at what it has read', () => Promise.resolve(), ['ada', 'ben', 'cas']],
  ['ahead of it', (other) => other.update((cache) => signIn(cache, 'dan')), ['ada', 'ben', 'cas']],
  ['ahead of it, and rewritten', (other) => other.compact(), ['ada', 'ben', 'cas']],
];

describe.each(DESTROYERS)('another program destroyed the key: %s', (_what, destroy, slots) => {
  describe.each(COPIES)('a copy that is %s', (_which, advance, accounts) => {
    test.each(WAYS)(
      'put back %s is not taken for current by a program that has the key',
      async (_how, put) => {
        const mine = await scene.open();
        expect(await users(mine)).toEqual(homes('ada', 'ben', 'cas'));
        const theirs = await scene.open();
        await advance(theirs);
        const copy = Buffer.from(scene.bytes);
        await destroy(theirs);
        await theirs.close();
        expect(scene.keychain.slots).toEqual(slots);
        put(copy);
        expect(await users(mine)).toEqual(homes(...accounts)); // what it has in memory
        expect(mine.status).toMatchObject({ state: 'key-missing', kept: 3 });
        for (const change of [
          () => mine.update((cache) => signIn(cache, 'eve')),
          () => mine.signOut(homeOf('ben')),
          () => mine.rotateKey(),
          () => mine.compact(),
        ])
          await expect(change()).rejects.toMatchObject({ code: 'vault_key_missing' });
        expect((await mine.retry()).state).toBe('key-missing');
        await mine.close();
        expect(scene.bytes.equals(copy)).toBe(true);
        expect(scene.keychain.slots).toEqual(slots);
        expect((await scene.open()).status.state).toBe('key-missing');
      },
    );
  });
});

/** Where the key is not, and no longer comes from once the keychain is locked. */
const LOST: [how: string, lose: () => void, state: string][] = [
  ['is gone', () => scene.keychain.items.clear(), 'key-missing'],
  [
    'is another one',
    () => scene.keychain.items.set(scene.keychain.item('a').account, keyItem(7)),
    'wrong-key',
  ],
];

describe.each(LOST)('a key that %s, as the keychain has told', (_how, lose, told) => {
  /** Programs that have found that out: after a rewrite of their own, or because of another file. */
  const FINDERS: [when: string, find: (mine: Vault) => Promise<unknown>][] = [
    ['after a rewrite', (mine) => mine.compact()],
    [
      'from another file',
      (mine) => {
        scene.disk.put(scene.file, scene.bytes);
        return mine.read(() => undefined);
      },
    ],
  ];

  test.each(FINDERS)('found %s, is not used again until the keychain has it', async (_when, find) => {
    const mine = await scene.open();
    const items = [...scene.keychain.items];
    lose();
    await find(mine);
    await expect.poll(() => mine.status.state).toBe(told);
    expect((await mine.retry()).state).toBe(told);
    scene.keychain.mood = 'locked';
    expect((await mine.retry()).state).toBe('locked');
    await expect(mine.update((cache) => signIn(cache, 'dan'))).rejects.toMatchObject({
      code: 'vault_locked',
    });
    expect(mine.status.kept).toBe(3);
    expect(await users(mine)).toEqual(homes('ada', 'ben', 'cas'));
    scene.keychain.mood = 'open';
    for (const [account, item] of items) scene.keychain.items.set(account, item);
    expect((await mine.retry()).state).toBe('ready');
    await mine.update((cache) => signIn(cache, 'dan'));
    expect(await users(await scene.open())).toHaveLength(4);
  });
});

/** What a program writes after a copy was put into its file, which lacks the last update of another program. */
const WRITTEN: [what: string, write: (mine: Vault) => Promise<unknown>][] = [
  [
    'less',
    (mine) =>
      mine.update((cache) => {
        for (const account of cache.find('Account', { query: { home_account_id: homeOf('ben') } }))
          cache.modify('Account', account, { name: 'Ben' });
      }),
  ],
  ['as much', (mine) => mine.update((cache) => signIn(cache, 'eve'))],
  ['more', (mine) => mine.update((cache) => signIn(cache, 'eve', 'x'.repeat(2_000)))],
  ['all of it anew', (mine) => mine.compact()],
];

test.each(WRITTEN)('a mark of the same rewrite stays if a program then wrote %s', async (_what, write) => {
  const mine = await scene.open();
  const theirs = await scene.open();
  const copy = Buffer.from(scene.bytes);
  await theirs.update((cache) => signIn(cache, 'dan'));
  await theirs.close();
  const { mark } = decodeKeyItem(scene.keychain.item('a').text)!;
  const node = scene.disk.nodes.get(scene.file)!;
  Object.assign(node, { bytes: copy, mtimeNs: node.mtimeNs + 1n });
  await write(mine);
  await mine.close();
  expect(decodeKeyItem(scene.keychain.item('a').text)!.mark).toEqual(mark);
  expect((await scene.open()).status.state).toBe('older');
});

describe('a program that has the key', () => {
  test.each([
    ['a read', (mine: Vault) => users(mine), ['ada', 'ben', 'cas', 'dan']],
    [
      'an update',
      (mine: Vault) => mine.update((cache) => signIn(cache, 'eve')),
      ['ada', 'ben', 'cas', 'dan', 'eve'],
    ],
    ['a sign-out', (mine: Vault) => mine.signOut(homeOf('ada')), ['ben', 'cas', 'dan']],
  ])('waits a second for a keychain that does not answer: %s', async (_what, use, left) => {
    const mine = await scene.open();
    const theirs = await scene.open();
    await theirs.update((cache) => signIn(cache, 'dan'));
    await theirs.compact();
    await theirs.close();
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    scene.keychain.hold = () => answered;
    let isDone = false;
    const used = use(mine).then(() => (isDone = true));
    await vi.waitFor(() => expect([scene.timers.fire(1_000), isDone]).toEqual([[], true]), 20_000);
    await used;
    expect(await users(mine)).toEqual(homes(...left));
    expect(mine.status.state).toBe('ready');
    answer();
    await mine.close();
    expect(await users(await scene.open())).toEqual(homes(...left));
  });

  test('asks for nothing when the keychain answers after it was closed', async () => {
    const mine = await scene.open();
    await mine.update((cache) => signIn(cache, 'dan'));
    scene.keychain.items.clear();
    const next = await scene.open();
    scene.keychain.asked.length = 0;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    scene.keychain.hold = () => answered;
    const closed = mine.close();
    await vi.waitFor(() => expect(scene.timers.fire(2_000)).toEqual([2_000]), 20_000);
    await closed;
    answer();
    await next.forget(); // waits for the lock that the first program held
    expect(scene.keychain.asked).toEqual(['get a', 'get a', 'get b', 'delete a', 'delete b', 'get a']);
  });

  test('does not store it again when it is closed, even if it was not seen to be gone', async () => {
    const mine = await scene.open();
    await mine.update((cache) => signIn(cache, 'dan'));
    const theirs = await scene.open();
    const node = scene.disk.nodes.get(scene.file);
    await theirs.signOut(homeOf('ada'));
    await theirs.close();
    scene.disk.nodes.set(scene.file, node!); // the very same file, from another name that it had
    await mine.close();
    expect(scene.keychain.slots).toEqual(['b']);
    expect((await scene.open()).status.state).toBe('key-missing');
  });

  test('lowers no mark that another program has stored since', async () => {
    const mine = await scene.open();
    await mine.update((cache) => signIn(cache, 'dan'));
    const copy = Buffer.from(scene.bytes);
    const theirs = await scene.open();
    await theirs.update((cache) => signIn(cache, 'eve'));
    await theirs.compact();
    await theirs.close();
    scene.keychain.mood = 'locked';
    scene.disk.put(scene.file, copy);
    await mine.read(() => undefined);
    scene.keychain.mood = 'open';
    await mine.close();
    expect((await scene.open()).status.state).toBe('older');
  });

  test('asks the keychain once for another file, and for no update', async () => {
    const mine = await scene.open();
    const theirs = await scene.open();
    scene.keychain.asked.length = 0;
    await mine.update((cache) => signIn(cache, 'dan'));
    await theirs.update((cache) => signIn(cache, 'eve'));
    await mine.update((cache) => signIn(cache, 'fay'));
    expect(scene.keychain.asked).toEqual([]);
    await theirs.compact();
    await theirs.close();
    expect(scene.keychain.asked.splice(0)).toEqual(['get a', 'set a']); // its mark
    expect(await users(mine)).toHaveLength(6);
    await mine.update((cache) => signIn(cache, 'gus'));
    expect(scene.keychain.asked).toEqual(['get a']);
  });

  test('continues with another file under this key while the keychain is locked', async () => {
    const mine = await scene.open();
    const theirs = await scene.open();
    await theirs.update((cache) => signIn(cache, 'dan'));
    await theirs.compact();
    scene.keychain.mood = 'locked';
    expect(await users(mine)).toEqual(homes('ada', 'ben', 'cas', 'dan'));
    await mine.update((cache) => signIn(cache, 'eve'));
    expect(mine.status.state).toBe('ready');
  });
});

test('a choice is final, also if the other slot has the mark of a key that was never used', async () => {
  const first = await scene.open();
  await first.update((cache) => signIn(cache, 'dan'));
  await first.close();
  const { account, text } = scene.keychain.item('a');
  const { mark } = decodeKeyItem(text)!;
  const unused = { ...mark!, generation: mark!.generation + 1n, end: 0, tag: Buffer.alloc(0) };
  scene.keychain.items.set(
    account.replace('/a', '/b'),
    encodeKeyItem({ key: randomBytes(32), mark: unused, file: scene.file, name: '' }),
  );
  scene.disk.put(scene.file, state(1));
  const vault = await scene.open();
  expect(vault.status.state).toBe('older');
  await vault.takeFile();
  await vault.close();
  expect((await scene.open()).status.state).toBe('ready');
});

test.each(['the file that it followed', 'a file that it did not follow'])(
  'a key of which an older copy showed that it is gone does not open %s',
  async (which) => {
    const vault = await scene.open();
    const { account, text } = scene.keychain.item('a');
    const followed = scene.disk.nodes.get(scene.file)!;
    const bytes = Buffer.from(scene.bytes);
    scene.keychain.items.clear();
    scene.disk.put(scene.file, bytes.subarray(0, bytes.length - 1));
    expect((await vault.retry()).state).toBe('older');
    scene.keychain.mood = 'locked';
    if (which === 'the file that it followed') scene.disk.nodes.set(scene.file, followed);
    else scene.disk.put(scene.file, bytes);
    expect((await vault.retry()).state).toBe('locked');
    scene.keychain.mood = 'open';
    scene.keychain.items.set(account, text);
    expect((await vault.retry()).state).toBe('ready');
  },
);

test('a key that is found to be gone when a mark is stored is not used while the keychain is locked', async () => {
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'dan'));
  scene.keychain.items.clear();
  scene.keychain.asked.length = 0;
  scene.keychain.before = () => {
    if (scene.keychain.asked.length > 1) scene.keychain.mood = 'locked';
  };
  await vault.compact();
  await expect.poll(() => vault.status.state).toBe('locked');
  expect((await vault.retry()).state).toBe('locked');
  await expect(vault.update((cache) => signIn(cache, 'eve'))).rejects.toMatchObject({ code: 'vault_locked' });
});

test('a locked keychain ends neither the choice nor the contents of memory', async () => {
  const vault = await scene.open();
  scene.disk.put(scene.file, state(0));
  scene.keychain.mood = 'locked';
  expect(await users(vault)).toHaveLength(3);
  for (const choose of ['keepMine', 'takeFile'] as const) {
    await expect(vault[choose]()).rejects.toMatchObject({ code: 'vault_locked' });
    expect(vault.status.state).toBe('older');
  }
  scene.keychain.mood = 'open';
  await vault.keepMine();
  expect(await users(await scene.open())).toHaveLength(3);
});

test('the process ends at each step of a choice: the file opens in the state from before or in the chosen one', async () => {
  for (const choose of ['keepMine', 'takeFile'] as const) {
    for (let step = 0; step < 12; step += 1) {
      scene.disk.put(scene.file, state(2));
      const vault = await scene.open();
      const found = readHeader(scene.bytes);
      expect(found.kind).toBe('header');
      scene.disk.put(scene.file, state(0));
      await vault.read(() => undefined);
      let calls = 0;
      const end = (): void => {
        calls += 1;
        if (calls > step) throw new Error('the process has ended');
      };
      scene.disk.fault = end;
      scene.keychain.before = end;
      await vault[choose]().catch(() => undefined);
      await vault.close().catch(() => undefined);
      scene.disk.fault = () => undefined;
      scene.keychain.before = () => undefined;
      const next = await scene.open();
      expect(['older', 'ready'], `${choose}, step ${step}`).toContain(next.status.state);
      expect([homes('ada'), homes('ada', 'ben', 'cas')]).toContainEqual(await users(next));
      if (next.status.state === 'older') await next.takeFile();
      await next.close();
    }
  }
});

test('the copy from before recover is older at a start, even if the program that recovered was killed', async () => {
  const before = Buffer.from(scene.bytes);
  scene.disk.put(scene.file, Buffer.from(scene.bytes).fill(1, 200, 201));
  await (await scene.open()).recover(); // and never closes
  scene.disk.put(scene.file, before);
  expect((await scene.open()).status.state).toBe('older');
});

test('a copy that was made a vault of its own has a mark, like every file that was rewritten', async () => {
  const copy = `${scene.file}.copied`;
  scene.disk.put(copy, scene.bytes);
  const vault = await scene.open({ file: copy });
  await vault.makeOwn();
  const marks = [...scene.keychain.items.values()].map((text) => decodeKeyItem(text)?.mark?.end ?? 0);
  expect(new Set(marks)).toEqual(new Set([scene.disk.bytes(copy).length, scene.bytes.length]));
});

test('taking the older file gives up what is held in memory', async () => {
  const vault = await scene.open({ unprotected: 'memory' });
  scene.disk.put(scene.file, state(0));
  await vault.update((cache) => signIn(cache, 'dan'));
  expect(vault.status).toMatchObject({ state: 'older', held: 'memory' });
  await vault.takeFile();
  expect(await users(vault)).toEqual(homes('ada'));
  expect(vault.status).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
});
