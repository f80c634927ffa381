// Something else in the place of each file that a vault uses: told within seconds by a code and the path, left as it is, and nothing is lost.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { KeychainError, TokenkeepError } from '../../src-main/errors.ts';
import { firstOf } from '../../src-main/keychain/first-of.ts';
import { keyFile } from '../../src-main/keychain/key-file.ts';
import { type Keychain, memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { openVault, openVaultIn } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn } from './people.ts';

const sockets: Server[] = [];
afterAll(() => {
  for (const socket of sockets) socket.close();
});

type Kind = (typeof KINDS)[number];
const KINDS = [
  'a link that leads nowhere',
  'a link to itself',
  'a link to a pipe',
  'a link to a folder',
  'a folder',
  'a pipe',
  'a socket',
  'a file of 3 GiB',
] as const;

async function put(kind: Kind, path: string): Promise<void> {
  if (kind === 'a link that leads nowhere') symlinkSync(join(path, '..', 'no', 'where'), path);
  else if (kind === 'a link to itself') symlinkSync(path, path);
  else if (kind === 'a link to a folder') {
    mkdirSync(`${path}-target`);
    symlinkSync(`${path}-target`, path);
  } else if (kind === 'a link to a pipe') {
    execFileSync('mkfifo', [`${path}-target`]);
    symlinkSync(`${path}-target`, path);
  } else if (kind === 'a folder') mkdirSync(path);
  else if (kind === 'a pipe') execFileSync('mkfifo', [path]);
  else if (kind === 'a socket') {
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(path, resolve));
    sockets.push(socket);
  } else {
    writeFileSync(path, '');
    truncateSync(path, 3 * 1024 ** 3);
  }
}

/** What is at the path, without following a link. */
function lookAt(path: string): string {
  const { mode, size } = lstatSync(path);
  return `${mode.toString(8)} ${size}`;
}

/** Milliseconds; a call that waits for a pipe, or reads 3 GiB, takes longer on a busy machine as well. */
const HANGS = 30_000;

/** Returns the code and message with which a call failed, or its value. Other files can be read after it. */
async function outcomeOf<T>(
  call: () => Promise<T>,
): Promise<{ value: T } | { code: string; message: string }> {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('It hangs.')), HANGS);
  });
  const ended = call().then(
    (value) => ({ value }),
    (error: unknown) => {
      if (!(error instanceof TokenkeepError)) throw error;
      return { code: error.code, message: error.message };
    },
  );
  try {
    return await Promise.race([ended, hangs]);
  } finally {
    clearTimeout(timer);
    expect((await readFile(import.meta.filename)).length).toBeGreaterThan(0);
  }
}

const WORDS = 'orbit velvet canyon mustard ladder';

/** A vault of three accounts in a folder of its own, closed; its keychain can be locked. */
async function threeAccounts() {
  const file = join(temporaryFolder(), 'cache.vault');
  const memory = memoryKeychain();
  const lock = { isLocked: false };
  const unless = <T>(call: () => Promise<T>): Promise<T> =>
    lock.isLocked ? Promise.reject(new KeychainError('keychain_locked', 'locked')) : call();
  const keychain: Keychain = {
    get: (...words) => unless(() => memory.get(...words)),
    set: (...words) => unless(() => memory.set(...words)),
    delete: (...words) => unless(() => memory.delete(...words)),
  };
  const vault = await openVault({ file, keychain });
  await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
  await vault.close();
  return { file, keychain, lock };
}

describe.skipIf(process.platform === 'win32').each(KINDS)('%s in the place of', (kind) => {
  const isNothing = kind === 'a link that leads nowhere';
  const isFile = kind === 'a file of 3 GiB';

  const aVault = async (): Promise<void> => {
    const file = join(temporaryFolder(), 'cache.vault');
    await put(kind, file);
    const before = lookAt(file);
    await using vault = await openVault({ file, keychain: memoryKeychain() });
    expect(vault.status).toMatchObject({
      state: 'unreadable',
      message: expect.stringContaining(basename(file)),
    });
    const names = expect.stringContaining(basename(file));
    for (const call of [
      () => vault.update((cache) => signIn(cache, 'ada')),
      () => vault.signOut(homeOf('ada')),
      () => vault.forget(),
    ]) {
      expect(await outcomeOf<unknown>(call)).toMatchObject({ code: expect.any(String), message: names });
    }
    expect(lookAt(file)).toBe(before);
    if (kind === 'a link to a pipe') expect(lstatSync(`${file}-target`).isFIFO()).toBe(true);
    expect(readdirSync(join(file, '..')).filter((name) => name.includes('.new-'))).toEqual([]);
  };
  // A link that leads nowhere is a vault that is not there yet, and a file is a vault.
  if (!isNothing && !isFile) test('a vault: unreadable, and neither written nor deleted', aVault);

  test('an export: refused, unless a file takes its place', async () => {
    const { file, keychain } = await threeAccounts();
    await using vault = await openVaultIn({ file, keychain }, { scryptWork: 1 });
    const target = join(file, '..', 'export.age');
    await put(kind, target);
    const before = lookAt(target);
    const outcome = await outcomeOf(() => vault.exportTo(target, WORDS));
    if (isNothing || isFile) {
      expect(outcome).toEqual({ value: undefined });
      expect(readFileSync(target, 'latin1')).toMatch(/^age-encryption/);
    } else {
      expect(outcome).toMatchObject({ message: expect.stringContaining('export.age') });
      expect(lookAt(target)).toBe(before);
    }
  });

  test('an import: refused, with its name', async () => {
    const { file, keychain } = await threeAccounts();
    await using vault = await openVault({ file, keychain });
    const source = join(file, '..', 'export.age');
    await put(kind, source);
    expect(await outcomeOf(() => vault.importFrom(source, WORDS))).toMatchObject({
      code: isFile ? 'document_too_large' : 'document_unreadable',
      message: expect.stringMatching(/“export.age”.* Nothing was imported\./),
    });
    expect(await vault.read((cache) => cache.accounts().length)).toBe(3);
  });

  test('a key file, and the file of firstOf: unavailable, never absent once something is stored', async () => {
    const folder = temporaryFolder();
    const [key, remember] = [join(folder, 'key'), join(folder, 'chosen')];
    await keyFile(join(folder, 'other'), { items: `${key}.items` }).set('s', 'a', 'kept');
    await put(kind, key);
    const file = keyFile(key);
    const first = firstOf([memoryKeychain()], { remember });
    await put(kind, remember);
    const before = [key, remember].map(lookAt);
    for (const [keychain, name] of [
      [file, 'key'],
      [first, 'chosen'],
    ] as const) {
      const told = {
        code: expect.stringMatching(/^keychain_/),
        message: expect.stringContaining(join(folder, name)),
      };
      expect(await outcomeOf(() => keychain.get('s', 'a'))).toMatchObject(told);
      expect(await outcomeOf(() => keychain.set('s', 'a', 'x'))).toMatchObject(told);
    }
    if (kind.startsWith('a link'))
      await expect(first.get('s', 'a')).rejects.toThrow('is a link, which is not followed');
    expect([key, remember].map(lookAt)).toEqual(before);
  });

  test.each(isFile ? [] : ['lock', 'lock-queue', 'key-lock', 'key-lock-queue'])(
    'its file .%s: told by the path, and all accounts stay',
    async (suffix) => {
      const { file, keychain } = await threeAccounts();
      const place = `${file}.${suffix}`;
      if (readdirSync(join(file, '..')).includes(basename(place))) execFileSync('rm', [place]);
      await put(kind, place);
      const before = lookAt(place);
      await using vault = await openVault({ file, keychain });
      expect(vault.status.state).toBe('ready');
      expect(await outcomeOf(() => vault.signOut(homeOf('ada')))).toMatchObject({
        message: expect.stringContaining(place),
      });
      expect(lookAt(place)).toBe(before);
      expect(await vault.read((cache) => cache.accounts().length)).toBe(3);
    },
  );

  test.each(['mark', 'forgotten', 'new-0123456789ab'])(
    'its file .%s: an update and both kinds of sign-out succeed',
    async (suffix) => {
      const { file, keychain, lock } = await threeAccounts();
      await put(kind, `${file}.${suffix}`);
      await using vault = await openVault({ file, keychain });
      expect(vault.status.state).toBe('ready');
      await vault.update((cache) => signIn(cache, 'dee'));
      expect(await vault.signOut(homeOf('ada'))).toMatchObject({ oldKey: 'destroyed' });
      lock.isLocked = true;
      expect(await vault.signOut(homeOf('ben'))).toMatchObject({ oldKey: 'pending' });
      // Everything but a folder is replaced.
      const isUnrecorded = suffix === 'mark' && kind === 'a folder';
      expect(vault.status.warnings).toEqual(isUnrecorded ? ['sign_out_unrecorded'] : undefined);
      lock.isLocked = false;
      // Another program finishes it, and the one that could not note it sees that.
      await using again = await openVault({ file, keychain });
      await expect.poll(() => again.status.oldKey).toBeUndefined();
      // Its status says so before the file does.
      await expect.poll(() => vault.read(() => vault.status.warnings)).toBeUndefined();
      expect(await again.read((cache) => cache.accounts().length)).toBe(2);
      const isInTheWay = suffix === 'forgotten' && kind === 'a folder';
      expect(await outcomeOf(() => again.forget())).toMatchObject(
        isInTheWay
          ? { code: 'path_invalid', message: expect.stringContaining(`${file}.forgotten`) }
          : { value: { key: 'destroyed' } },
      );
    },
  );
});

describe.runIf(process.platform === 'linux')(
  'a link such as /dev/stdin, whose text is not always a path',
  () => {
    /** Returns a descriptor of something that has no path. */
    const OPEN = {
      'a pipe': (folder: string) => {
        const path = join(folder, 'pipe');
        execFileSync('mkfifo', [path]);
        const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
        rmSync(path);
        return fd;
      },
      'a device': () => openSync('/dev/zero', 'r'),
      'a folder': (folder: string) => openSync(folder, 'r'),
      'a file that was deleted': (folder: string) => {
        const path = join(folder, 'deleted');
        writeFileSync(path, 'of another program');
        const fd = openSync(path, 'r');
        rmSync(path);
        return fd;
      },
    };

    test.each(
      Object.entries(OPEN).flatMap(([what, open]) =>
        ['/proc/self/fd', '/dev/fd', 'a link'].map((from) => [what, from, open] as const),
      ),
    )('to %s, by %s: is no vault that is not there yet', async (what, from, open) => {
      const folder = temporaryFolder();
      const fd = open(folder);
      onTestFinished(() => closeSync(fd));
      const link = join(folder, 'cache.vault');
      symlinkSync(`/proc/self/fd/${fd}`, link);
      const file = from === 'a link' ? link : `${from}/${fd}`;
      await using vault = await openVault({ file, keychain: memoryKeychain() });
      expect(vault.status.state).toBe(what === 'a file that was deleted' ? 'damaged' : 'unreadable');
      expect(await outcomeOf(() => vault.update((cache) => signIn(cache, 'ada')))).toHaveProperty('code');
      expect(readdirSync(folder)).toEqual(['cache.vault']);
    });

    test('to a file that has a path: is the vault there, under the lock of that path', async () => {
      const { file, keychain } = await threeAccounts();
      const fd = openSync(file, 'r');
      onTestFinished(() => closeSync(fd));
      await using vault = await openVault({ file: `/proc/self/fd/${fd}`, keychain });
      expect(vault.status).toMatchObject({ state: 'ready', file });
    });
  },
);

test.runIf(process.platform === 'linux')(
  'what cannot be locked in its folder is told by a code, also by forget',
  async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    symlinkSync('/proc/self/status', file);
    await using vault = await openVault({ file, keychain: memoryKeychain() });
    const outcome = await outcomeOf(() => vault.forget());
    expect(outcome).toMatchObject({ code: 'storage_failed' });
  },
);
