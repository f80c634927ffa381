import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KeychainError } from '../../src-main/errors.ts';
import { type KeychainConformanceOptions, keychainConformance } from '../../src-main/keychain/conformance.ts';
import { firstOf } from '../../src-main/keychain/first-of.ts';
import { environmentKey, keyFile } from '../../src-main/keychain/key-file.ts';
import { checkedKeychain, type Keychain, memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Keytar } from '../../src-main/keychain/keytar.ts';
import { passphrase } from '../../src-main/keychain/passphrase-keychain.ts';
import { type ElectronSafeStorage, safeStorage } from '../../src-main/keychain/safe-storage.ts';
import { systemKeychain } from '../../src-main/keychain/system-keychain.ts';
import { bundle } from '../support/bundle.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { signIn } from '../vault/people.ts';

const WORDS = 'orbit velvet canyon mustard ladder';
const KEY = randomBytes(32).toString('base64');

/** Encrypts as Electron does, from a keychain's point of view: with a key of its own, and an error for anything else. */
function fakeSafeStorage(
  options: { available?: boolean; backend?: string; key?: number } = {},
): ElectronSafeStorage {
  const { available = true, backend = 'gnome_libsecret', key = 7 } = options;
  const turned = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ key));
  return {
    isEncryptionAvailable: () => available,
    getSelectedStorageBackend: () => backend,
    encryptString: (text) => Buffer.concat([Buffer.from(`v10${key}`), turned(Buffer.from(text))]),
    decryptString: (bytes) => {
      if (bytes.subarray(0, 4).toString() !== `v10${key}`)
        throw new Error('Error while decrypting the ciphertext');
      return turned(bytes.subarray(4)).toString();
    },
  };
}

function fakeKeytar(isLocked = false): Keytar {
  const items = new Map<string, string>();
  const at = (service: string, account: string): string => JSON.stringify([service, account]);
  return {
    getPassword: (service, account) =>
      Promise.resolve(isLocked ? null : (items.get(at(service, account)) ?? null)),
    setPassword: (service, account, secret) => {
      if (isLocked) return Promise.reject(new Error('Cannot create an item in a locked collection'));
      items.set(at(service, account), secret);
      return Promise.resolve();
    },
    deletePassword: (service, account) => Promise.resolve(items.delete(at(service, account))),
  };
}

const unreachable: Keychain = {
  label: 'Unreachable',
  get: () => Promise.reject(new KeychainError('keychain_unavailable', 'There is none here.')),
  set: () => Promise.reject(new KeychainError('keychain_unavailable', 'There is none here.')),
  delete: () => Promise.reject(new KeychainError('keychain_unavailable', 'There is none here.')),
};

const twice = (make: (folder: string) => Keychain) => () => {
  const folder = temporaryFolder();
  return { keychain: make(folder), another: make(folder) };
};
const items = (folder: string): string => join(folder, 'items');
const work = 10;

/** A keychain that stores a secret under another passphrase than the one it is opened with. */
async function lockedPassphrase(): Promise<{ keychain: Keychain }> {
  const folder = temporaryFolder();
  await passphrase(WORDS, { items: items(folder), work }).set('s', 'a', 'kept');
  return { keychain: passphrase('wrong words altogether, sadly', { items: items(folder), work }) };
}

const SUITES: Readonly<Record<string, KeychainConformanceOptions>> = {
  memoryKeychain: { open: () => ({ keychain: memoryKeychain() }) },
  checkedKeychain: { open: () => ({ keychain: checkedKeychain(memoryKeychain()) }) },
  'systemKeychain over a keytar that is one': {
    open: () => {
      const keytar = fakeKeytar();
      return { keychain: systemKeychain({ load: () => Promise.resolve(keytar), deadline: 5000 }) };
    },
    locked: () => ({
      keychain: systemKeychain({ load: () => Promise.resolve(fakeKeytar(true)), deadline: 5000 }),
    }),
  },
  keyFile: {
    open: twice((folder) => keyFile(join(folder, 'key'))),
    unavailable: () => ({ keychain: keyFile(join(temporaryFolder(), 'key'), { create: false }) }),
  },
  environmentKey: {
    open: twice((folder) => environmentKey('KEY', { items: items(folder), env: { KEY } })),
    unavailable: () => ({ keychain: environmentKey('KEY', { items: items(temporaryFolder()), env: {} }) }),
  },
  passphrase: {
    open: twice((folder) => passphrase(() => WORDS, { items: items(folder), work })),
    locked: lockedPassphrase,
  },
  safeStorage: {
    open: twice((folder) => safeStorage(fakeSafeStorage(), { items: items(folder) })),
    unavailable: () => ({
      keychain: safeStorage(fakeSafeStorage({ backend: 'basic_text' }), { items: items(temporaryFolder()) }),
    }),
  },
  firstOf: {
    open: twice((folder) =>
      firstOf([unreachable, keyFile(join(folder, 'key'))], { remember: join(folder, 'chosen') }),
    ),
    unavailable: () => ({
      keychain: firstOf([unreachable], { remember: join(temporaryFolder(), 'chosen') }),
    }),
    locked: async () => {
      const { keychain } = await lockedPassphrase();
      return {
        keychain: firstOf([keychain, memoryKeychain()], { remember: join(temporaryFolder(), 'chosen') }),
      };
    },
  },
};

describe.each(Object.entries(SUITES))('%s conforms', (_name, options) => {
  for (const { name, run } of keychainConformance(options)) test(name, run);
});

test('the suite notices a keychain that keeps nothing, mixes names or cuts secrets short', async () => {
  const broken = (change: Partial<Keychain>) =>
    keychainConformance({ open: () => ({ keychain: { ...memoryKeychain(), ...change } }) });
  const failed = async (cases: ReturnType<typeof broken>): Promise<number> =>
    (await Promise.allSettled(cases.map(({ run }) => run()))).filter(({ status }) => status === 'rejected')
      .length;
  const memory = memoryKeychain();
  expect(await failed(broken({ set: () => Promise.resolve() }))).toBeGreaterThan(3);
  expect(await failed(broken({ delete: () => Promise.resolve() }))).toBeGreaterThan(0);
  const mixing = {
    set: (_: string, account: string, secret: string) => memory.set('', account, secret),
    get: (_: string, account: string) => memory.get('', account),
  };
  expect(await failed(broken(mixing))).toBeGreaterThan(0);
  const cutting = {
    set: (service: string, account: string, secret: string) =>
      memory.set(service, account, secret.slice(0, 512)),
    get: (service: string, account: string) => memory.get(service, account),
  };
  expect(await failed(broken(cutting))).toBeGreaterThan(0);
});

describe('a keychain of somebody else’s', () => {
  const fine = memoryKeychain();
  test.each([
    [
      'throws a SyntaxError',
      { get: () => Promise.reject(new SyntaxError('Unexpected token <')) },
      /SyntaxError|Unexpected token/,
    ],
    [
      'throws at once',
      {
        get: () => {
          throw new TypeError('no such thing');
        },
      },
      /no such thing/,
    ],
    [
      'rejects with a system error',
      { get: () => Promise.reject(Object.assign(new Error('EACCES: x'), { code: 'EACCES' })) },
      /EACCES/,
    ],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the test is about
    ['rejects with no error at all', { get: () => Promise.reject('text') }, /text/],
    ['returns undefined', { get: () => Promise.resolve(undefined as unknown as null) }, /returned undefined/],
    ['returns bytes', { get: () => Promise.resolve(Buffer.from('x') as unknown as string) }, /type object/],
    ['returns a number', { get: () => Promise.resolve(1 as unknown as string) }, /type number/],
  ])('%s: keychain_failed, and never the file system’s error', async (_what, change, words) => {
    const keychain = checkedKeychain({ ...fine, label: 'Theirs', ...change });
    const error: unknown = await keychain.get('s', 'a').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'keychain_failed', outcome: 'unavailable' });
    expect((error as Error).message).toMatch(/^Theirs /);
    expect((error as Error).message).toMatch(words);
  });

  test('an error of the contract passes as it is', async () => {
    const error = new KeychainError('keychain_locked', 'locked');
    await expect(checkedKeychain({ ...fine, get: () => Promise.reject(error) }).get('s', 'a')).rejects.toBe(
      error,
    );
  });
});

describe('a key file', () => {
  test('is made at the first write, for this user alone, and not by a read', async () => {
    const file = join(temporaryFolder(), 'deep', 'key');
    const keychain = keyFile(file);
    expect(await keychain.get('s', 'a')).toBeNull();
    expect(() => statSync(file)).toThrow();
    await keychain.set('s', 'a', 'kept');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(`${file}.items`).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(`${file}.items`)) {
      expect(statSync(join(`${file}.items`, name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(`${file}.items`, name), 'latin1')).not.toContain('kept');
    }
  });

  test('appears whole, and leaves nothing beside it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const folder = temporaryFolder();
      const file = join(folder, 'key');
      const lengths = new Set<number>();
      let isMade = false;
      const making = keyFile(file)
        .set('s', 'a', 'kept')
        .finally(() => (isMade = true));
      while (!isMade) {
        if (existsSync(file)) lengths.add(readFileSync(file).length);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await making;
      expect([...lengths]).toEqual([45]); // 32 bytes in base64, and a line break
      expect(readdirSync(folder).sort()).toEqual(['key', 'key.items']);
    }
  });

  test.each([
    ['raw', (key: Buffer) => key],
    ['base64 and a line break', (key: Buffer) => `${key.toString('base64')}\n`],
    ['base64url', (key: Buffer) => key.toString('base64url')],
    ['hexadecimal', (key: Buffer) => key.toString('hex').toUpperCase()],
  ])('may hold its key as %s', async (_what, written) => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, written(Buffer.from(KEY, 'base64')), { mode: 0o400 });
    await keyFile(file, { create: false }).set('s', 'a', 'kept');
    writeFileSync(`${file}-2`, KEY, { mode: 0o600 });
    expect(await keyFile(`${file}-2`, { items: `${file}.items` }).get('s', 'a')).toBe('kept');
  });

  test('may be a link, as Kubernetes mounts it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'data'), KEY, { mode: 0o600 });
    symlinkSync(join(folder, 'data'), join(folder, 'key'));
    await keyFile(join(folder, 'key'), { create: false }).set('s', 'a', 'kept');
  });

  test.each([
    ['a passphrase', 'password1234'],
    ['nothing', ''],
    ['a short key', Buffer.alloc(16, 'x').toString('base64')],
    ['zeros', '0'.repeat(64)],
    ['a passphrase of 32 characters', 'correct horse battery staple 12!'],
    ['a passphrase of 31 characters and a line break', 'correct horse battery staple 1!\n'],
    ['32 zeros', '0'.repeat(32)],
    ['32 zero bytes', '\0'.repeat(32)],
    ['one byte 32 times', '\x01'.repeat(32)],
  ])('that holds %s is refused, also in the environment', async (_what, text) => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, text, { mode: 0o600 });
    await expect(keyFile(file).get('s', 'a')).rejects.toMatchObject({ code: 'keychain_unavailable' });
    const variable = environmentKey('KEY', { items: `${file}.items`, env: { KEY: text } });
    await expect(variable.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_unavailable' });
  });

  test('may hold 32 raw bytes, which a variable can’t', async () => {
    const KEY_AS_TEXT = String.fromCharCode(...Array.from({ length: 32 }, (_none, index) => index + 1));
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, Buffer.from(KEY, 'base64'), { mode: 0o600 });
    await keyFile(file, { create: false }).set('s', 'a', 'kept');
    const variable = environmentKey('KEY', { items: `${file}.items`, env: { KEY: KEY_AS_TEXT } });
    await expect(variable.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_unavailable' });
  });

  test('that is gone while what it encrypted is there: said, and never made anew', async () => {
    const file = join(temporaryFolder(), 'key');
    await keyFile(file).set('s', 'a', 'kept');
    rmSync(file);
    await expect(keyFile(file).get('s', 'a')).rejects.toMatchObject({
      code: 'keychain_unavailable',
      message: expect.stringMatching(/gone/),
    });
    await expect(keyFile(file).set('s', 'a', 'x')).rejects.toMatchObject({ code: 'keychain_unavailable' });
    expect(() => statSync(file)).toThrow();
  });

  test('that is another one: wrong key, also for a secret that is absent', async () => {
    const file = join(temporaryFolder(), 'key');
    await keyFile(file).set('s', 'a', 'kept');
    writeFileSync(file, randomBytes(32));
    for (const account of ['a', 'absent']) {
      await expect(keyFile(file).get('s', account)).rejects.toMatchObject({ code: 'keychain_wrong_key' });
    }
    await expect(keyFile(file).set('s', 'b', 'x')).rejects.toMatchObject({ code: 'keychain_wrong_key' });
  });

  test('that others can change is refused', async () => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, KEY);
    chmodSync(file, 0o666);
    await expect(keyFile(file).get('s', 'a')).rejects.toMatchObject({
      code: 'keychain_refused',
      message: expect.stringContaining('chmod go-w'),
    });
  });

  test('a folder in its place, or an item that is cut short, swapped or a link: an error, never absent', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'is-a-folder'));
    await expect(keyFile(join(folder, 'is-a-folder')).get('s', 'a')).rejects.toMatchObject({
      outcome: 'unavailable',
    });
    const file = join(folder, 'key');
    const keychain = keyFile(file);
    await keychain.set('s', 'a', 'kept a');
    const before = new Set(readdirSync(`${file}.items`));
    await keychain.set('s', 'b', 'kept b');
    const place = (name: string | undefined): string => join(`${file}.items`, name ?? '');
    const [a, b] = [
      [...before].find((name) => name !== 'check.item'),
      readdirSync(`${file}.items`).find((name) => !before.has(name)),
    ];
    writeFileSync(place(a), readFileSync(place(b)));
    await expect(keychain.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_wrong_key' });
    writeFileSync(place(a), '');
    await expect(keychain.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_wrong_key' });
    rmSync(place(a));
    symlinkSync(place(b), place(a));
    await expect(keychain.get('s', 'a')).rejects.toMatchObject({ outcome: 'unavailable' });
  });
});

describe('a lost check item', () => {
  const answers = (...words: string[]) => {
    let asked = 0;
    return { ask: () => words[asked++] ?? null, asked: () => asked };
  };
  const folderWithoutCheck = async (): Promise<string> => {
    const folder = items(temporaryFolder());
    const keychain = passphrase(WORDS, { items: folder, work: 10 });
    await keychain.set('s', 'a', 'kept');
    rmSync(join(folder, 'check.item'));
    return folder;
  };

  test('hides no secret, and is replaced once a secret was opened', async () => {
    const folder = await folderWithoutCheck();
    const { ask, asked } = answers('another passphrase of five words', WORDS);
    const keychain = passphrase(ask, { items: folder, work: 10 });
    await expect(keychain.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_locked' });
    expect(existsSync(join(folder, 'check.item'))).toBe(false);
    expect(await keychain.get('s', 'a')).toBe('kept');
    expect(asked()).toBe(2);
    await keychain.set('s', 'b', 'more');
    expect(await passphrase(WORDS, { items: folder, work: 10 }).get('s', 'b')).toBe('more');
  });

  test.each(['EROFS', 'EACCES', 'ENOSPC'])(
    'is not needed to read where it can’t be created: %s',
    async (code) => {
      const folder = await folderWithoutCheck();
      const { open } = promises;
      onTestFinished(() => {
        promises.open = open;
        syncBuiltinESMExports();
      });
      promises.open = (path, flags, mode) =>
        flags === 'wx' ? Promise.reject(Object.assign(new Error(code), { code })) : open(path, flags, mode);
      syncBuiltinESMExports();
      const keychain = passphrase(WORDS, { items: folder, work: 10 });
      expect(await keychain.get('s', 'a')).toBe('kept');
      await expect(keychain.set('s', 'a', 'x')).rejects.toBeInstanceOf(KeychainError);
      expect(await keychain.get('s', 'a')).toBe('kept');
      expect(existsSync(join(folder, 'check.item'))).toBe(false);
    },
  );

  test('lets nothing be stored that might be sealed with another key', async () => {
    const folder = await folderWithoutCheck();
    const other = passphrase('another passphrase of five words', { items: folder, work: 10 });
    await expect(other.set('s', 'b', 'x')).rejects.toMatchObject({
      code: 'keychain_wrong_key',
      message: expect.stringContaining('check.item') as string,
    });
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await passphrase(WORDS, { items: folder, work: 10 }).get('s', 'a')).toBe('kept');
  });

  test('is no reason to create another key file', async () => {
    const file = join(temporaryFolder(), 'key');
    await keyFile(file).set('s', 'a', 'kept');
    rmSync(join(`${file}.items`, 'check.item'));
    rmSync(file);
    for (const attempt of [keyFile(file).get('s', 'a'), keyFile(file).set('s', 'a', 'x')])
      await expect(attempt).rejects.toMatchObject({ code: 'keychain_unavailable' });
    expect(existsSync(file)).toBe(false);
  });
});

describe('a passphrase', () => {
  test('is asked for when it is needed, once, and again after a wrong one', async () => {
    const folder = items(temporaryFolder());
    const answers = [WORDS];
    let asked = 0;
    const keychain = passphrase(
      () => {
        asked += 1;
        return Promise.resolve(answers.shift() ?? null);
      },
      { items: folder, work },
    );
    expect(await keychain.get('s', 'a')).toBeNull();
    expect(asked).toBe(0);
    await keychain.set('s', 'a', 'kept');
    expect(await keychain.get('s', 'a')).toBe('kept');
    expect(asked).toBe(1);
    const tries = ['wrong', null, WORDS];
    const later = passphrase(() => tries.shift() ?? null, { items: folder, work });
    await expect(later.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_locked' });
    await expect(later.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_locked' });
    expect(await later.get('s', 'a')).toBe('kept');
  });

  test('whose salt was lost is not told as a wrong one, and gets no new salt', async () => {
    const folder = items(temporaryFolder());
    await passphrase(WORDS, { items: folder, work }).set('s', 'a', 'kept');
    const file = join(folder, 'salt');
    const salt = readFileSync(file);
    for (const changed of [null, salt.subarray(1)]) {
      rmSync(file);
      if (changed !== null) writeFileSync(file, changed);
      const later = passphrase(WORDS, { items: folder, work });
      await expect(later.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_wrong_key' });
      await expect(later.set('s', 'a', 'new')).rejects.toMatchObject({ code: 'keychain_wrong_key' });
      expect(existsSync(file)).toBe(changed !== null);
      writeFileSync(file, salt);
    }
    expect(await passphrase(WORDS, { items: folder, work }).get('s', 'a')).toBe('kept');
  });

  test('that can be guessed is refused where it would be the first, and nothing is written', async () => {
    const folder = temporaryFolder();
    await expect(
      passphrase('password1234', { items: items(folder), work }).set('s', 'a', 'x'),
    ).rejects.toMatchObject({ code: 'keychain_refused' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('safeStorage: another key of Electron’s, and one that everybody knows', async () => {
  const folder = items(temporaryFolder());
  await safeStorage(fakeSafeStorage(), { items: folder }).set('s', 'a', 'kept');
  await expect(
    safeStorage(fakeSafeStorage({ key: 8 }), { items: folder }).get('s', 'a'),
  ).rejects.toMatchObject({ code: 'keychain_wrong_key' });
  await expect(
    safeStorage(fakeSafeStorage({ backend: 'basic_text' }), { items: folder }).get('s', 'a'),
  ).rejects.toMatchObject({ code: 'keychain_unavailable' });
  await expect(
    safeStorage(fakeSafeStorage({ available: false }), { items: folder }).get('s', 'a'),
  ).rejects.toMatchObject({ code: 'keychain_unavailable' });
});

describe('the first of several', () => {
  const mood = { unavailable: false };
  const keyring = (): Keychain => {
    const inner = memoryKeychain();
    const ask = <T>(call: () => Promise<T>): Promise<T> =>
      mood.unavailable ? (unreachable.get('', '') as Promise<T>) : call();
    return {
      label: 'Keyring',
      get: (...words) => ask(() => inner.get(...words)),
      set: (...words) => ask(() => inner.set(...words)),
      delete: (...words) => ask(() => inner.delete(...words)),
    };
  };

  test('stays what it was: a keyring that is out of reach later is unavailable, not absent, and nothing moves', async () => {
    const folder = temporaryFolder();
    const [first, file] = [keyring(), join(folder, 'key')];
    const make = () => firstOf([first, keyFile(file)], { remember: join(folder, 'chosen') });
    mood.unavailable = false;
    await make().set('s', 'a', 'kept');
    mood.unavailable = true;
    await expect(make().get('s', 'a')).rejects.toMatchObject({ code: 'keychain_unavailable' });
    await expect(make().set('s', 'b', 'x')).rejects.toMatchObject({ code: 'keychain_unavailable' });
    expect(() => statSync(file)).toThrow();
    mood.unavailable = false;
    const again = make();
    expect(await again.get('s', 'a')).toBe('kept');
    expect(again.label).toBe('Keyring');
  });

  describe('without the file that remembers the choice', () => {
    const labelled = (label: string, keychain: Keychain): Keychain => ({ ...keychain, label });

    async function lost(): Promise<{
      folder: string;
      first: Keychain;
      second: Keychain;
      make: () => Keychain;
    }> {
      const [folder, second] = [temporaryFolder(), labelled('Second', memoryKeychain())];
      let isAway = true;
      const memory = memoryKeychain();
      const ask = <T>(call: () => Promise<T>): Promise<T> =>
        isAway ? Promise.reject(new KeychainError('keychain_unavailable', 'away')) : call();
      const first: Keychain = {
        label: 'First',
        get: (...words) => ask(() => memory.get(...words)),
        set: (...words) => ask(() => memory.set(...words)),
        delete: (...words) => ask(() => memory.delete(...words)),
      };
      const make = (): Keychain => firstOf([first, second], { remember: join(folder, 'chosen') });
      await make().set('s', 'id/a', 'kept');
      expect(await second.get('s', 'id/a')).toBe('kept');
      rmSync(join(folder, 'chosen'));
      isAway = false;
      return { folder, first, second, make };
    }

    test('finds the secret in the second one, and stays there', async () => {
      const { folder, first, second, make } = await lost();
      const keychain = make();
      expect(await keychain.get('s', 'id/a')).toBe('kept');
      expect(existsSync(join(folder, 'chosen'))).toBe(false); // A read writes nothing.
      await keychain.set('s', 'id/b', 'next');
      await keychain.delete('s', 'id/a');
      expect(await second.get('s', 'id/b')).toBe('next');
      expect(await second.get('s', 'id/a')).toBeNull();
      expect(await first.get('s', 'id/b')).toBeNull();
      expect(await make().get('s', 'id/b')).toBe('next');
      expect(readFileSync(join(folder, 'chosen'), 'utf8')).toBe('Second\n');
    });

    test('deletes the secret wherever it is', async () => {
      const { second, make } = await lost();
      await make().delete('s', 'id/a');
      expect(await second.get('s', 'id/a')).toBeNull();
    });

    describe('and with one that is unavailable', () => {
      /** A vault whose key is in the keychain with this label, which is unavailable while `away.is`. */
      async function vaultWith(label: 'First' | 'Second') {
        const folder = temporaryFolder();
        const [holding, other] = [memoryKeychain(), memoryKeychain()];
        const away = { is: true };
        const unless = <T>(call: () => Promise<T>): Promise<T> =>
          away.is ? Promise.reject(new KeychainError('keychain_unavailable', 'no session')) : call();
        const partly: Keychain = {
          label,
          get: (...words) => unless(() => holding.get(...words)),
          set: (...words) => unless(() => holding.set(...words)),
          delete: (...words) => unless(() => holding.delete(...words)),
        };
        const always = labelled(label === 'First' ? 'Second' : 'First', other);
        const remember = join(folder, 'chosen');
        const keychain = (): Keychain =>
          firstOf(label === 'First' ? [partly, always] : [always, partly], { remember });
        const file = join(folder, 'cache.vault');
        away.is = false;
        writeFileSync(remember, `${label}\n`);
        const vault = await openVault({ file, keychain: keychain() });
        await vault.update((cache) => signIn(cache, 'ada'));
        await vault.close();
        rmSync(remember);
        away.is = true;
        return { away, file, keychain, open: () => openVault({ file, keychain: keychain() }) };
      }

      test.each(['First', 'Second'] as const)(
        '%s: the key of a vault is unavailable, not missing, until it can be asked',
        async (label) => {
          const { away, open } = await vaultWith(label);
          await using vault = await open();
          expect(vault.status).toMatchObject({ state: 'no-keychain', code: 'keychain_unavailable' });
          away.is = false;
          expect((await vault.retry()).state).toBe('ready');
        },
      );

      test.each(['First', 'Second'] as const)(
        '%s: a deleted vault’s key stays pending until it is deleted there',
        async (label) => {
          const { away, keychain, open } = await vaultWith(label);
          await using vault = await open();
          expect(await vault.forget()).toEqual({ key: 'pending' });
          await expect(keychain().delete('s', 'a')).rejects.toMatchObject({
            code: 'keychain_unavailable',
            message: `The secret may still be in a keychain that can’t be asked. It was deleted from the others. Delete it again once that keychain can be asked.\n${label}: no session`,
          });
          away.is = false;
          await expect(keychain().delete('s', 'a')).resolves.toBeUndefined();
        },
      );

      test('deletes what the others have', async () => {
        const second = labelled('Second', memoryKeychain());
        const { keychain: locked } = await lockedPassphrase();
        await second.set('s', 'a', 'kept');
        const remember = join(temporaryFolder(), 'chosen');
        const gone = new KeychainError('keychain_unavailable', 'gone');
        const away: Keychain = { ...labelled('First', memoryKeychain()), delete: () => Promise.reject(gone) };
        await expect(firstOf([away, locked, second], { remember }).delete('s', 'a')).rejects.toThrow('gone');
        expect(await second.get('s', 'a')).toBeNull();
      });

      test('of which nothing was ever written, is skipped: the machine may have no keyring', async () => {
        const second = labelled('Second', memoryKeychain());
        const away: Keychain = {
          ...labelled('First', memoryKeychain()),
          get: () => Promise.reject(new KeychainError('keychain_unavailable', 'gone')),
        };
        const folder = temporaryFolder();
        const keychain = firstOf([away, second], { remember: join(folder, 'chosen') });
        await using vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
        expect(vault.status.state).toBe('ready');
        await vault.update((cache) => signIn(cache, 'ada'));
        expect(readFileSync(join(folder, 'chosen'), 'utf8')).toBe('Second\n');
      });
    });

    test('a program that used one before stays with it, also while it is unavailable', async () => {
      const { first, second, make, folder } = await lost();
      writeFileSync(join(folder, 'chosen'), 'Second\n');
      const mood = { isAway: false };
      const away: Keychain = {
        ...second,
        get: (...words) =>
          mood.isAway
            ? Promise.reject(new KeychainError('keychain_unavailable', 'away'))
            : second.get(...words),
        set: (...words) =>
          mood.isAway
            ? Promise.reject(new KeychainError('keychain_unavailable', 'away'))
            : second.set(...words),
      };
      const keychain = firstOf([first, away], { remember: join(folder, 'chosen') });
      expect(await keychain.get('s', 'id/a')).toBe('kept');
      rmSync(join(folder, 'chosen'));
      mood.isAway = true;
      // Another slot, of which no keychain knows: it must not end up in another one.
      await expect(keychain.get('s', 'id/b')).rejects.toMatchObject({ code: 'keychain_unavailable' });
      await expect(keychain.set('s', 'id/b', 'next')).rejects.toMatchObject({ code: 'keychain_unavailable' });
      expect(await first.get('s', 'id/b')).toBeNull();
      mood.isAway = false;
      await keychain.set('s', 'id/b', 'next');
      expect(await make().get('s', 'id/b')).toBe('next');
      expect(readFileSync(join(folder, 'chosen'), 'utf8')).toBe('Second\n');
    });

    test('writes the secret where it is', async () => {
      const { first, second, make } = await lost();
      await make().set('s', 'id/a', 'new');
      expect([await first.get('s', 'id/a'), await second.get('s', 'id/a')]).toEqual([null, 'new']);
    });

    test('is locked, and not absent, if the one that may have it is locked', async () => {
      const folder = temporaryFolder();
      const { keychain: locked } = await lockedPassphrase();
      const keychain = firstOf([memoryKeychain(), locked], { remember: join(folder, 'chosen') });
      await expect(keychain.get('s', 'a')).rejects.toMatchObject({ outcome: 'locked' });
    });
  });

  test('that was chosen and is not among them any more is named', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'chosen'), 'Keyring\n');
    await expect(
      firstOf([keyFile(join(folder, 'key'))], { remember: join(folder, 'chosen') }).get('s', 'a'),
    ).rejects.toMatchObject({ code: 'keychain_unavailable', message: expect.stringContaining('“Keyring”') });
  });

  test('needs labels that differ and an absolute path', () => {
    expect(() => firstOf([memoryKeychain(), memoryKeychain()], { remember: '/x' })).toThrow(
      /labels? differ|`label`s differ/,
    );
    expect(() => firstOf([memoryKeychain()], { remember: 'x' })).toThrow(/absolute/);
    expect(() => firstOf([], { remember: '/x' })).toThrow(/label/);
  });
});

describe('temporary files that a killed program left', () => {
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const inNameOf = (file: string, digits = '0123456789ab'): string => `${file}.new-${digits}`;
  function leave(file: string, when = anHourAgo): string {
    writeFileSync(file, KEY);
    utimesSync(file, when, when);
    return file;
  }

  test('beside a key file are removed: old ones, of this file', async () => {
    const folder = temporaryFolder();
    const key = join(folder, 'key');
    const gone = leave(inNameOf(key));
    const stay = [
      leave(inNameOf(key, 'ba9876543210'), new Date()), // its writer may still be at work
      leave(inNameOf(join(folder, 'other'))),
      leave(`${key}.new-notours`),
      leave(`${key}.new`),
    ];
    mkdirSync(inNameOf(key, 'aaaaaaaaaaaa'));
    await keyFile(key).set('s', 'a', 'kept');
    expect(existsSync(gone)).toBe(false);
    expect([...stay, inNameOf(key, 'aaaaaaaaaaaa')].filter((file) => !existsSync(file))).toEqual([]);
  });

  test('that are too young to tell are removed at a later use', async () => {
    const folder = temporaryFolder();
    const key = join(folder, 'key');
    const young = leave(inNameOf(key), new Date());
    await keyFile(key).set('s', 'a', 'kept');
    expect(existsSync(young)).toBe(true);
    utimesSync(young, anHourAgo, anHourAgo);
    await keyFile(key).set('s', 'a', 'kept');
    expect(existsSync(young)).toBe(false);
  });

  test('that are a second name of the key file leave the key as it was', async () => {
    const folder = temporaryFolder();
    const key = join(folder, 'key');
    writeFileSync(key, KEY);
    linkSync(key, inNameOf(key));
    utimesSync(key, anHourAgo, anHourAgo);
    await keyFile(key).set('s', 'a', 'kept');
    expect(existsSync(inNameOf(key))).toBe(false);
    expect(readFileSync(key, 'utf8')).toBe(KEY);
  });

  test('among the items are removed, so that no copy of a destroyed key is left', async () => {
    const folder = temporaryFolder();
    mkdirSync(`${folder}/items`);
    const left = leave(inNameOf(join(folder, 'items', 'abc.item')));
    await environmentKey('KEY', { items: items(folder), env: { KEY } }).get('s', 'a');
    expect(existsSync(left)).toBe(false);
  });

  test('in a folder that the system provides are not touched', async () => {
    const folder = temporaryFolder();
    const key = leave(join(folder, 'key'));
    const other = leave(inNameOf(key));
    await keyFile(key, { items: items(folder), create: false }).set('s', 'a', 'kept');
    expect(existsSync(other)).toBe(true);
  });

  test('by a kill at any point of the creation are gone after the next start, and the keychain works', async () => {
    const program = await bundle(join(import.meta.dirname, 'creator-program.ts'));
    onTestFinished(() => rmSync(dirname(program), { recursive: true }));
    let left = 0;
    for (const call of ['writeFile', 'sync', 'link', 'unlink', 'rename']) {
      const folder = temporaryFolder();
      const key = join(folder, 'key');
      const { signal } = spawnSync(process.execPath, [program, key, call]);
      expect([call, signal]).toEqual([call, 'SIGKILL']);
      const leftovers = (): string[] =>
        (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.includes('.new-'));
      left += leftovers().length;
      for (const name of leftovers()) utimesSync(join(folder, name), anHourAgo, anHourAgo);
      const keychain = keyFile(key);
      await keychain.set('s', 'a', 'kept');
      expect([call, await keychain.get('s', 'a'), leftovers()]).toEqual([call, 'kept', []]);
    }
    expect(left).toBeGreaterThan(3);
  });
});

test.each([
  ['keyFile', () => keyFile('relative')],
  ['environmentKey', () => environmentKey('', { items: '/x' })],
  ['environmentKey', () => environmentKey('X', { items: 'x' })],
  ['passphrase', () => passphrase(1 as unknown as string, { items: '/x' })],
  ['passphrase', () => passphrase('x', { items: '/x', work: 30 })],
  ['safeStorage', () => safeStorage({} as ElectronSafeStorage, { items: '/x' })],
])('%s refuses arguments that it can’t use', (name, make) => {
  expect(make).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(`^${name}: `) }),
  );
});
