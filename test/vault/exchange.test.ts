import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { assertStrong } from '../../src-main/keychain/passphrase-strength.ts';
import { type Io, nodeIo } from '../../src-main/vault/disk/file.ts';
import { decrypt, encrypt } from '../../src-main/vault/exchange/age.ts';
import { age, ageWith } from './age.ts';
import { Scene } from './fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

const PASSPHRASE = 'orbit velvet canyon mustard ladder';
/** Rounds as a power of two: few, where the passphrase is not what is tested. */
const CHEAP = 4;

const opened = async (scene: Scene) => scene.open({}, { io: nodeIo, scryptWork: CHEAP });
const signedIn = async (...users: string[]) => {
  const scene = new Scene();
  const vault = await opened(scene);
  await vault.update((cache) => users.forEach((user) => signIn(cache, user)));
  return { scene, vault };
};
const fileIn = (name = 'export.age') => join(temporaryFolder(), name);
const written = (content: Buffer | Uint8Array | string, name?: string) => {
  const file = fileIn(name);
  writeFileSync(file, content);
  return file;
};

describe('a header that does not end', () => {
  const line = `${'A'.repeat(64)}\n`;
  const key = `-> X25519 ${'A'.repeat(43)}\n${'A'.repeat(43)}\n`;
  const begins = 'age-encryption.org/v1\n';
  const armored = (text: string): string =>
    `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(text).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END AGE ENCRYPTED FILE-----\n`;

  test.each([
    ['a line of a stanza', `${begins}-> scrypt ${'A'.repeat(1_000_000)}`],
    ['a body', `${begins}-> scrypt AAAA 4\n${line.repeat(20_000)}`],
    ['stanzas', `${begins}${key.repeat(20_000)}--- ${'A'.repeat(43)}\n`],
    ['an armored body', armored(`${begins}-> scrypt AAAA 4\n${line.repeat(20_000)}`)],
    ['an armor without an end', `-----BEGIN AGE ENCRYPTED FILE-----\n${line.repeat(20_000)}`],
  ])('is refused before it is parsed: %s', async (_what, content) => {
    const { vault } = await signedIn('ada');
    const error: unknown = await vault.importFrom(written(content), PASSPHRASE).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'document_damaged',
      cause: { message: expect.stringMatching(/does not end/) },
    });
  });
});

describe('what is exported', () => {
  test('comes back whole in another vault, in one update, and is read by age', async () => {
    const vault = await new Scene().open({}, { io: nodeIo }); // With as many rounds as users have.
    await vault.update((cache) => ['ada', 'grace'].forEach((user) => signIn(cache, user)));
    const file = fileIn();
    await vault.exportTo(file, PASSPHRASE);
    expect(readFileSync(file, 'latin1')).toMatch(/^age-encryption\.org\/v1\n-> scrypt \S+ 18\n/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(file))).toEqual(['export.age']);
    const bytes = readFileSync(file);
    for (const plain of ['secret of', 'contoso', 'AccessToken', PASSPHRASE]) {
      expect(bytes.includes(plain)).toBe(false);
    }

    const { vault: other } = await signedIn('grace');
    const changes: unknown[] = [];
    other.on('change', (change) => changes.push(change));
    expect(await other.importFrom(file, PASSPHRASE)).toEqual({
      accountsAdded: 1,
      tokensAdded: 3,
      tokensReplaced: 0,
      notUnderstood: 0,
    });
    expect(changes).toHaveLength(1);
    expect(await other.read(usersIn)).toEqual(await vault.read(usersIn));

    const document = JSON.parse(age(['--decrypt', file], [PASSPHRASE])) as Record<string, object>;
    expect(Object.keys(document)).toContain('RefreshToken');
    expect(JSON.stringify(document)).toContain('refresh secret of ada');
  });

  test('may be what age wrote', async () => {
    const { vault } = await signedIn('ada');
    const plain = written(await vault.read(documentOf), 'plain.json');
    const file = fileIn();
    age(['--encrypt', '--passphrase', '--armor', '--output', file, plain], [PASSPHRASE, PASSPHRASE]);
    const other = await opened(new Scene());
    expect(await other.importFrom(file, PASSPHRASE)).toMatchObject({ accountsAdded: 1, tokensAdded: 3 });
    expect(await other.importFrom(plain)).toMatchObject({ accountsAdded: 0, tokensAdded: 0 });
  });

  test('replaces an older export, but never the vault', async () => {
    const { scene, vault } = await signedIn('ada');
    const [symbolic, hard] = [fileIn('symbolic'), fileIn('hard')];
    symlinkSync(scene.file, symbolic);
    linkSync(scene.file, hard);
    const before = readFileSync(scene.file);
    for (const file of [
      scene.file,
      join(dirname(scene.file), '.', 'x', '..', 'cache.vault'),
      symbolic,
      hard,
    ]) {
      await expect(vault.exportTo(file, PASSPHRASE)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    await expect(vault.exportTo('relative.age', PASSPHRASE)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(readFileSync(scene.file).equals(before)).toBe(true);
    for (const suffix of [
      '.lock',
      '.lock-queue',
      '.key-lock',
      '.mark',
      '.use-lock-3',
      '.forgotten',
      '.new-0123456789ab',
    ]) {
      await expect(vault.exportTo(`${scene.file}${suffix}`, PASSPHRASE)).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    }
    const older = written('an older one');
    await vault.exportTo(older, PASSPHRASE);
    expect(readFileSync(older).subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  });

  describe.skipIf(process.platform === 'win32')('under other paths', () => {
    /** A vault in a folder with a link, its files, and what they hold. */
    async function linked() {
      const { scene, vault: first } = await signedIn('ada');
      await first.signOut(homeOf('ada')); // All lock files are there.
      await first.close();
      const vault = await opened(scene);
      const folder = dirname(scene.file);
      for (const suffix of ['.mark', '.older-20260101T000000Z', '.damaged-20260101T000000Z-2']) {
        writeFileSync(`${scene.file}${suffix}`, suffix);
      }
      const outside = temporaryFolder();
      symlinkSync(folder, join(outside, 'linked'));
      mkdirSync(join(folder, 'inner'));
      symlinkSync(join(folder, 'inner'), join(outside, 'inner'));
      const names = readdirSync(folder).filter((name) => name.startsWith('cache.vault'));
      const contents = (): string[] =>
        names.map((name) => readFileSync(join(folder, name), 'base64').slice(-200));
      return { vault, folder, outside, names, contents };
    }

    test.each([
      ['a linked folder', ({ outside }, name) => join(outside, 'linked', name)],
      ['a folder’s parent', ({ folder }, name) => `${folder}/inner/../${name}`],
      ['the parent of a linked folder', ({ outside }, name) => `${outside}/inner/../${name}`],
      ['capital letters', ({ folder }, name) => join(folder, name.toUpperCase())],
      [
        'capital letters in a linked folder',
        ({ outside }, name) => `${outside}/linked/${name.toUpperCase()}`,
      ],
      [
        'a hard link',
        ({ folder, outside }, name) => {
          linkSync(join(folder, name), join(outside, name));
          return join(outside, name);
        },
      ],
      [
        'a symbolic link',
        ({ folder, outside }, name) => {
          symlinkSync(join(folder, name), join(outside, name));
          return join(outside, name);
        },
      ],
    ] as [way: string, path: (place: { folder: string; outside: string }, name: string) => string][])(
      'does not replace the vault or a file beside it: %s',
      async (_way, path) => {
        const place = await linked();
        const before = place.contents();
        expect(place.names.length).toBeGreaterThan(5);
        for (const name of place.names) {
          const error: unknown = await place.vault
            .exportTo(path(place, name), PASSPHRASE)
            .catch((e: unknown) => e);
          expect([name, error]).toMatchObject([name, { code: 'invalid_argument' }]);
        }
        expect(place.contents()).toEqual(before);
      },
    );

    test('does not replace a lock of another vault, and takes such a name where there is none', async () => {
      const { vault } = await signedIn('ada');
      const { scene } = await signedIn('ben');
      await expect(vault.exportTo(`${scene.file}.lock`, PASSPHRASE)).rejects.toMatchObject({
        code: 'invalid_argument',
      });
      await vault.exportTo(fileIn('export.lock'), PASSPHRASE);
    });
  });

  test('replaces no other vault, and nothing that is not a file', async () => {
    const { vault } = await signedIn('ada');
    const { scene: another } = await signedIn('ben');
    const before = readFileSync(another.file);
    await expect(vault.exportTo(another.file, PASSPHRASE)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('another vault'),
    });
    expect(readFileSync(another.file).equals(before)).toBe(true);
    await expect(vault.exportTo(temporaryFolder(), PASSPHRASE)).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('a folder'),
    });
    if (process.platform !== 'win32') {
      const pipe = fileIn('pipe');
      execFileSync('mkfifo', [pipe]);
      await expect(vault.exportTo(pipe, PASSPHRASE)).rejects.toMatchObject({ code: 'storage_failed' });
      expect(statSync(pipe).isFIFO()).toBe(true);
    }
  });

  test('is not there where it could not be written', async () => {
    const { vault } = await signedIn('ada');
    const notAFolder = written('a file', 'not-a-folder');
    await expect(vault.exportTo(join(notAFolder, 'x.age'), PASSPHRASE)).rejects.toMatchObject({
      code: 'path_invalid',
      message: expect.stringContaining('Nothing was written'),
    });
  });

  test('is what is held in memory, where nothing can be saved; nothing is no export', async () => {
    const scene = new Scene();
    scene.keychain.mood = 'locked';
    const vault = await scene.open({ unprotected: 'memory' }, { io: nodeIo, scryptWork: CHEAP });
    writeFileSync(scene.file, 'not to be seen');
    await vault.retry();
    await expect(vault.exportTo(fileIn(), PASSPHRASE)).rejects.toMatchObject({ code: 'vault_damaged' });
    await vault.update((cache) => signIn(cache, 'ada'));
    const file = fileIn();
    await vault.exportTo(file, PASSPHRASE);
    expect((await decrypt(readFileSync(file), PASSPHRASE, 'x')).includes('secret of ada')).toBe(true);
  });
});

describe('a passphrase', () => {
  test.each([
    ['none', ''],
    ['one that is short', 'Tr0ub4dor&3'],
    ['one that is short in characters, however many bytes they have', '🔑'.repeat(11)],
    ['few different characters', 'abababababababab'],
    ['a line break', 'correct horse\nbattery staple'],
    ['a NUL', 'correct horse\0battery staple'],
    ['one without end', 'abcdefgh'.repeat(200)],
  ])('%s is refused, and nothing is written', async (_what, passphrase) => {
    const { vault } = await signedIn('ada');
    const file = fileIn();
    await expect(vault.exportTo(file, passphrase)).rejects.toMatchObject({ code: 'passphrase_weak' });
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  test.each(['correct horse battery', 'Zwölf Ümläute grüßen Käse', '十二文字以上の合言葉にする'])(
    '“%s” is taken',
    (passphrase) => {
      expect(() => assertStrong(passphrase)).not.toThrow();
    },
  );
});

describe('a failed import changes nothing', () => {
  const refused = async (file: string, passphrase: string | undefined, code: string) => {
    const { scene, vault } = await signedIn('grace');
    const before = readFileSync(scene.file);
    const error: unknown = await vault.importFrom(file, passphrase).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(/“.*Nothing was imported/s) });
    expect(readFileSync(scene.file).equals(before)).toBe(true);
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('grace')]);
    return error as Error;
  };
  const sealed = (text: string) => encrypt(Buffer.from(text), PASSPHRASE, CHEAP);

  test('no passphrase, and a wrong one', async () => {
    const file = written(await sealed('{}'));
    await refused(file, undefined, 'passphrase_needed');
    await refused(file, `${PASSPHRASE} `, 'passphrase_wrong');
    const other = await opened(new Scene());
    expect(await other.importFrom(file, PASSPHRASE)).toMatchObject({ accountsAdded: 0 });
  });

  test('cut off, or one byte changed, here and there', async () => {
    const whole = await sealed('{"RefreshToken":{}}');
    for (let length = 22; length < whole.length; length += 13) {
      await expect(decrypt(whole.subarray(0, length), PASSPHRASE, 'x')).rejects.toMatchObject({
        code: 'document_damaged',
      });
    }
    for (let at = 22; at < whole.length; at += 13) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(decrypt(changed, PASSPHRASE, 'x')).rejects.toMatchObject({
        code: expect.stringMatching(/^(document_damaged|document_not_supported|passphrase_wrong)$/),
      });
    }
    await refused(written(whole.subarray(0, -1)), PASSPHRASE, 'document_damaged');
  });

  test('encrypted to a key, or so that it would take a gigabyte', async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateIdentity()));
    await refused(written(await encrypter.encrypt('{}')), PASSPHRASE, 'document_not_supported');
    const costly = (await sealed('{}')).toString('latin1').replace(/(-> scrypt \S+) 4\n/, '$1 30\n');
    await refused(written(Buffer.from(costly, 'latin1')), PASSPHRASE, 'document_not_supported');
  });

  test('no document inside, a hostile one, or no age file at all', async () => {
    await refused(written(await sealed('')), PASSPHRASE, 'document_not_json');
    await refused(written(await sealed('{"AccessToken":')), PASSPHRASE, 'document_not_json');
    await refused(written(await sealed('[1,2]')), PASSPHRASE, 'document_not_a_cache');
    await refused(written(await sealed('['.repeat(50_000))), PASSPHRASE, 'document_not_a_cache');
    await refused(written(await sealed('{"Account":{"a":{},"a":{}}}')), PASSPHRASE, 'document_not_a_cache');
    await refused(written('age-encryption.org/v2\n'), PASSPHRASE, 'document_not_json');
    await refused(written('age-encryption.org/v1\n'), PASSPHRASE, 'document_damaged');
    await refused(written('-----BEGIN AGE ENCRYPTED FILE-----\nx'), PASSPHRASE, 'document_damaged');
    const error = await refused(
      written(await sealed('secret-of-a-document')),
      PASSPHRASE,
      'document_not_json',
    );
    expect(String(error.cause)).not.toContain('secret-of-a-document');
  });

  test('armored age files are accepted', async () => {
    const text = armor.encode(await sealed('{}'));
    expect((await decrypt(Buffer.from(text), PASSPHRASE, 'x')).toString()).toBe('{}');
  });
});

test('four hostile exports that are opened at once take the memory of one', async () => {
  const { vault } = await signedIn('ada');
  // 64 MB each. The most that a file may ask for is a gigabyte.
  const cheap = await encrypt(Buffer.from('{}'), PASSPHRASE, CHEAP);
  const hostile = cheap.toString('latin1').replace(/(-> scrypt \S+) 4\n/, '$1 16\n');
  const files = Array.from({ length: 4 }, () => written(Buffer.from(hostile, 'latin1')));
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  const codes = await Promise.all(
    files.map((file) => vault.importFrom(file, PASSPHRASE).catch((error: unknown) => error)),
  );
  clearInterval(watch);
  expect(codes).toMatchObject(files.map(() => ({ code: 'passphrase_wrong' })));
  expect(most - before).toBeGreaterThan(50e6);
  expect(most - before).toBeLessThan(2 * 67e6);
});

test('age and its library agree with the rounds that are asked for', async () => {
  const file = written(await encrypt(Buffer.from('hello'), PASSPHRASE, CHEAP));
  expect(ageWith(['--decrypt', file], ['something else entirely']).status).not.toBe(0);
  expect(age(['--decrypt', file], [PASSPHRASE])).toBe('hello');
});

function documentOf(cache: TokenCache): string {
  const roots = ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const;
  return JSON.stringify(
    Object.fromEntries(
      roots.map((root) => [
        root,
        Object.fromEntries(
          cache.find(root).map((entity, index) => [
            `${root} ${index}`,
            // A copy alone has no secret.
            'secret' in entity ? { ...entity, secret: entity.secret } : { ...entity },
          ]),
        ),
      ]),
    ),
  );
}

test('an export removes the temporary file of a killed export, and nothing else', async () => {
  const scene = new Scene();
  const vault = await scene.open({}, { io: nodeIo, scryptWork: CHEAP, now: () => Date.now() });
  await vault.update((cache) => signIn(cache, 'ada'));
  const folder = dirname(fileIn());
  const ours = await encrypt(Buffer.from('{}'), PASSPHRASE, CHEAP);
  const old = new Date(Date.now() - 3600 * 1000);
  const put = (name: string, content: Buffer | string, time = old): string => {
    writeFileSync(join(folder, name), content);
    utimesSync(join(folder, name), time, time);
    return name;
  };
  put('export.age.new-0123456789ab', ours.subarray(0, 100));
  put('of another day.age.new-0123456789ab', ours);
  put('export.age.new-00000000000a', '');
  const others = [
    put('under way.age.new-0123456789ab', ours, new Date()),
    put('export.age.new-laptop', ours),
    put('notes.new-0123456789ab', 'age-encryption is what I write about'),
    put('cache.vault.new-0123456789ab', scene.file),
    put('older.age', ours),
  ];
  await vault.exportTo(join(folder, 'export.age'), PASSPHRASE);
  expect(readdirSync(folder).sort()).toEqual([...others, 'export.age'].sort());
});

test('an export makes no folder', async () => {
  const { vault } = await signedIn('ada');
  const folder = join(temporaryFolder(), 'Dokuments');
  await expect(vault.exportTo(join(folder, 'x.age'), PASSPHRASE)).rejects.toMatchObject({
    code: 'path_invalid',
    message: `The folder “${folder}” is not there. Nothing was exported. Create it, or choose another folder.`,
  });
  expect(existsSync(folder)).toBe(false);
});

test('an export that the file system did not confirm is no change of the vault', async () => {
  const { scene } = await signedIn('ada');
  const file = fileIn('unconfirmed.age');
  const io: Io = {
    ...nodeIo,
    open: (path, flags, mode) =>
      path === dirname(file)
        ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
        : nodeIo.open(path, flags, mode),
  };
  const vault = await scene.open({}, { io, scryptWork: CHEAP });
  await expect(vault.exportTo(file, PASSPHRASE)).rejects.toMatchObject({
    code: 'storage_failed',
    message:
      'The export is in place, but the file system did not confirm it: EIO. A power cut may undo it. Check the disk, and export again.',
  });
});

test('an export that can open no more files blames no folder', async () => {
  const { scene } = await signedIn('ada');
  const file = fileIn('limited.age');
  const limited: Io = {
    ...nodeIo,
    open: (path, flags) =>
      path.startsWith(file)
        ? Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE', syscall: 'open' }))
        : nodeIo.open(path, flags),
  };
  const vault = await scene.open({}, { io: limited, scryptWork: CHEAP });
  await expect(vault.exportTo(file, PASSPHRASE)).rejects.toMatchObject({
    code: 'storage_failed',
    message: expect.stringMatching(/^This program has as many files open.* Nothing was exported\./) as string,
  });
});
