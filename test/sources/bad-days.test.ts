/** What goes wrong with the caches of other programs. Each case ends in a state or an error that says so, and loses nothing. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { AccountSummary } from '../../src-main/cache/schema/entities.ts';
import type { Dpapi } from '../../src-main/sources/dpapi.ts';
import { findSources, type FoundSource, sourceFromFile } from '../../src-main/sources/find.ts';
import { renameOver } from '../../src-main/sources/program-file.ts';
import { removeLeftovers, whileLocked } from '../../src-main/sources/program-lock.ts';
import { type ReadOptions, readSource } from '../../src-main/sources/read.ts';
import type { SecretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { watchSource } from '../../src-main/sources/watch.ts';
import { bundle } from '../support/bundle.ts';

const TENANT = '22222222-aaaa-bbbb-cccc-000000000002';
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-bad-days-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
type Library = 'msal-python' | 'msal-node' | 'msal-dotnet';
function documentOf(names: readonly string[], dialect: Library = 'msal-python'): string {
  const cache = new SerializableTokenCache();
  for (const name of names)
    cache.add({
      client_id: 'c',
      scope: ['s'],
      token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
      response: {
        expires_in: 3600,
        access_token: `at-${name}`,
        refresh_token: `rt-${name}`,
        client_info: b64({ uid: name, utid: TENANT }),
        id_token: `${b64({ alg: 'none' })}.${b64({ sub: name, oid: name, tid: TENANT, iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, preferred_username: `${name}@contoso.example` })}.x`,
      },
    });
  return cache.serialize({ dialect });
}

function put(path: string, contents: string | Uint8Array, mode = 0o600): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents, { mode });
  return file;
}

const LIBRARIES: readonly Library[] = ['msal-python', 'msal-node', 'msal-dotnet'];
/** How each medium stores a document: the text that is read, and the bytes that are stored afterwards. */
interface Medium {
  readonly source: FoundSource;
  readonly options: ReadOptions;
  store(bytes: Uint8Array): void;
  stored(): Buffer;
}
const MEDIA: Readonly<Record<string, () => Promise<Medium>>> = {
  async 'a file'() {
    const file = put('cache.json', '{}');
    return {
      source: (await sourceFromFile(file))!,
      options: { pause: 1 },
      store: (bytes) => writeFileSync(file, bytes),
      stored: () => readFileSync(file),
    };
  },
  async 'a file sealed by DPAPI'() {
    const file = put('cache.bin', '');
    const flipped = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));
    const seal = (bytes: Uint8Array) => Promise.resolve(flipped(bytes));
    const dpapi: Dpapi = { protect: seal, unprotect: seal };
    const source = (await sourceFromFile(file))!;
    return {
      source: { ...source, sealing: 'dpapi', place: { ...source.place, sealing: 'dpapi' } },
      options: { pause: 1, secrets: { dpapi: () => dpapi } },
      store: (bytes) => writeFileSync(file, flipped(bytes)),
      stored: () => flipped(readFileSync(file)),
    };
  },
  'an item of the keyring': () => keyringMedium('text'),
  'an item in base64': () => keyringMedium('base64'),
};
async function keyringMedium(encoding: 'text' | 'base64'): Promise<Medium> {
  const source = (await sourceFromFile(put('signal', '')))!;
  let secret: Buffer = Buffer.alloc(0);
  const service: SecretService = {
    search: () => Promise.resolve({ unlocked: ['/item'], locked: [] }),
    labelOf: () => Promise.resolve(''),
    secretOf: () => Promise.resolve(secret),
    setSecret(_, next) {
      secret = next;
      return Promise.resolve();
    },
    close: () => undefined,
  };
  const place = { ...source.place, sealing: 'secret-service' as const, item: { attributes: {}, encoding } };
  return {
    source: { ...source, sealing: 'secret-service', place },
    options: { pause: 1, secrets: { secretService: () => Promise.resolve(service) } },
    store: (bytes) =>
      (secret =
        encoding === 'text' ? Buffer.from(bytes) : Buffer.from(Buffer.from(bytes).toString('base64'))),
    stored: () => (encoding === 'text' ? secret : Buffer.from(secret.toString(), 'base64')),
  };
}

const whole = documentOf(['ada', 'ben']);
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const MALFORMED: readonly (readonly [string, Uint8Array, string])[] = [
  ['is torn', bytesOf(whole.slice(0, whole.length / 2)), 'source_unreadable'],
  ['ends with zeros', bytesOf(`${whole}\0\0\0`), 'source_unreadable'],
  ['is a list', bytesOf('[]'), 'source_unreadable'],
  ['is another JSON document', bytesOf('{"name":"x"}'), 'source_unreadable'],
  [
    'is nested 10,000 levels deep',
    bytesOf(`{"AccessToken":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    'source_unreadable',
  ],
  ['is UTF-16', Buffer.from(`\ufeff${whole}`, 'utf16le'), 'source_unreadable'],
  [
    'has a byte that is not UTF-8',
    Buffer.concat([bytesOf(whole.slice(0, -1)), bytesOf(',"x":"'), Buffer.from([0xff]), bytesOf('"}')]),
    'source_unreadable',
  ],
];

describe.each(Object.entries(MEDIA))('a document in %s', (_, open) => {
  let ada: AccountSummary;
  let medium: Medium;
  beforeEach(async () => {
    medium = await open();
    medium.store(bytesOf(whole));
    const { accounts } = await readSource(medium.source, medium.options);
    ada = accounts.find(({ username }) => username.startsWith('ada@'))!;
  });

  it.each(MALFORMED)('that %s is not understood, and not changed', async (_what, bytes, code) => {
    medium.store(bytes);
    expect((await readSource(medium.source, medium.options)).state).toBe('not-understood');
    await expect(signOutAtSource(medium.source, ada, medium.options)).rejects.toMatchObject({ code });
    expect(medium.stored().equals(bytes)).toBe(true);
    expect(readdirSync(home)).toHaveLength(1); // no lock, and no temporary file
  });

  it('with two entries of one name is read, but not changed, since one of them would be lost', async () => {
    const twice = `{"RefreshToken":{"x":{"secret":"rt-carl"}},${whole.slice(1)}`;
    medium.store(bytesOf(twice));
    expect((await readSource(medium.source, medium.options)).state).toBe('accounts');
    await expect(signOutAtSource(medium.source, ada, medium.options)).rejects.toThrow(
      'two entries of the same name',
    );
    expect(medium.stored().toString()).toBe(twice);
  });

  it.each(LIBRARIES)('by %s keeps its numbers through a sign-out and its undo', async (library) => {
    const document = documentOf(['ada', 'ben'], library);
    const unknown = `{"Unknown":{"ticks":638712345678901234567,"by":"ben"},${document.slice(1)}`;
    medium.store(bytesOf(unknown));
    const receipt = await signOutAtSource(medium.source, ada, medium.options);
    expect(receipt).toMatchObject({ remaining: 0, removed: { RefreshToken: 1 } });
    expect(medium.stored().toString()).not.toContain('rt-ada');
    await receipt.undo();
    const text = medium.stored().toString();
    expect(text).toContain('638712345678901234567');
    expect(JSON.parse(text)).toEqual(JSON.parse(unknown));
  });

  it.each([
    ['a byte order mark', `\ufeff${whole}`],
    ['CRLF', JSON.stringify(JSON.parse(whole), null, 2).replaceAll('\n', '\r\n')],
  ])('with %s is read, and written without a mark', async (_what, text) => {
    medium.store(bytesOf(text));
    expect((await signOutAtSource(medium.source, ada, medium.options)).remaining).toBe(0);
    const after = medium.stored().toString();
    expect(after.startsWith('{')).toBe(true);
    expect(JSON.stringify(JSON.parse(after))).toContain('rt-ben');
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['an empty object', '{}'],
  ])('that holds %s has nobody signed in', async (_what, text) => {
    medium.store(bytesOf(text));
    expect((await readSource(medium.source, medium.options)).state).toBe('empty');
    expect((await signOutAtSource(medium.source, ada, medium.options)).removed.RefreshToken).toBe(0);
    expect(medium.stored().toString()).toBe(text);
  });
});

it('changes a document in the end that its program writes at every attempt, and keeps what was written', async () => {
  const medium = await keyringMedium('text');
  const { source, options } = medium;
  medium.store(bytesOf(whole));
  const { accounts } = await readSource(source, options);
  const service = (await options.secrets!.secretService!())!;
  let looks = 0;
  const secretOf: SecretService['secretOf'] = (item) => {
    // Each attempt reads the document, then compares it under the lock.
    looks += 1;
    if (looks === 2 || looks === 4 || looks === 6)
      medium.store(bytesOf(documentOf(['ada', 'ben', `carl${looks}`])));
    return service.secretOf(item);
  };
  const secrets = { secretService: () => Promise.resolve({ ...service, secretOf }) };
  const ada = accounts.find(({ username }) => username.startsWith('ada@'))!;
  expect((await signOutAtSource(source, ada, { ...options, secrets })).remaining).toBe(0);
  expect(looks).toBe(9);
  expect(medium.stored().toString()).not.toContain('rt-ada');
  expect(medium.stored().toString()).toContain('rt-carl6');
});

it('gives up on a document that its program writes even while it is locked, and loses nothing of it', async () => {
  const medium = await keyringMedium('text');
  const { source, options } = medium;
  medium.store(bytesOf(whole));
  const { accounts } = await readSource(source, options);
  const service = (await options.secrets!.secretService!())!;
  let looks = 0;
  const secretOf: SecretService['secretOf'] = (item) => {
    looks += 1;
    if (looks % 2 === 0) medium.store(bytesOf(documentOf(['ada', 'ben', `carl${looks}`])));
    return service.secretOf(item);
  };
  const secrets = { secretService: () => Promise.resolve({ ...service, secretOf }) };
  await expect(signOutAtSource(source, accounts[0]!, { ...options, secrets })).rejects.toMatchObject({
    code: 'source_busy',
    message: expect.stringContaining('Nothing was changed.') as string,
  });
  expect(medium.stored().toString()).toBe(documentOf(['ada', 'ben', `carl${looks}`]));
});

describe('an item of the keyring', () => {
  async function observed(locking: 'none' | 'lockfile') {
    const medium = await keyringMedium('text');
    const { source, options } = medium;
    medium.store(bytesOf(whole));
    const service = (await options.secrets!.secretService!())!;
    const seen: { at: string; signal: number; turns: number }[] = [];
    let turns = 0;
    const note = (at: string): void => {
      seen.push({ at, signal: statSync(source.file).mtimeMs, turns });
    };
    const watched: SecretService = {
      ...service,
      secretOf: (item) => (note('read'), service.secretOf(item)),
      setSecret: (item, secret) => (note('set'), service.setSecret(item, secret)),
    };
    const place = { ...source.place, locking };
    const secrets = { secretService: () => Promise.resolve(watched) };
    const count = (): void => {
      turns += 1;
      if (turns < 10_000) setImmediate(count);
    };
    setImmediate(count);
    return {
      source: { ...source, place },
      options: { ...options, secrets },
      seen,
      turns: () => turns,
    };
  }

  it('has its signal ahead before it is changed, so that a program looks again even if Tokenkeep is killed then', async () => {
    const { source, options, seen } = await observed('lockfile');
    const [ada] = (await readSource(source, options)).accounts;
    const start = Date.now();
    await signOutAtSource(source, ada!, options);
    expect(seen.find(({ at }) => at === 'set')!.signal).toBeGreaterThan(start + 4_000);
    expect(statSync(source.file).mtimeMs).toBeLessThan(Date.now() + 1_000);
  });

  it('is read and changed in steps, between which the process serves others', async () => {
    const { source, options, seen, turns } = await observed('none');
    const before = turns();
    const [ada] = (await readSource(source, options)).accounts;
    expect(turns() - before).toBeGreaterThan(0);
    seen.length = 0;
    await signOutAtSource(source, ada!, options);
    // Nothing else waits between the first look and the comparison: no file, no lock.
    expect(seen[1]!.turns - seen[0]!.turns).toBeGreaterThanOrEqual(5);
  });
});

describe('several items of the keyring', () => {
  /** The items of a keyring by their paths. The search returns them in another order each time. */
  async function several(documents: Readonly<Record<string, string>>, locked: readonly string[] = []) {
    const { source, options } = await keyringMedium('text');
    const items = new Map<string, Buffer>(
      Object.entries(documents).map(([path, text]) => [path, Buffer.from(text)]),
    );
    let searches = 0;
    const open = new Set(items.keys());
    for (const path of locked) open.delete(path);
    const sole = (await options.secrets!.secretService!())!;
    const service: SecretService = {
      ...sole,
      search() {
        const paths = [...items.keys()];
        if ((searches += 1) % 2 === 0) paths.reverse();
        return Promise.resolve({
          unlocked: paths.filter((path) => open.has(path)),
          locked: paths.filter((path) => !open.has(path)),
        });
      },
      secretOf: (item) => Promise.resolve(items.get(item)!),
      setSecret: (item, secret) => Promise.resolve(void items.set(item, secret)),
      unlock(paths) {
        for (const path of paths) open.add(path);
        return Promise.resolve(true);
      },
    };
    const secrets = { secretService: () => Promise.resolve(service) };
    return { source, options: { ...options, secrets }, text: (path: string) => String(items.get(path)) };
  }
  const named = (accounts: readonly AccountSummary[], id: string): AccountSummary =>
    accounts.find(({ home_account_id }) => home_account_id.startsWith(id))!;

  it('keep each its own document, in whatever order they are found', async () => {
    const other = documentOf(['ada', 'ben']);
    const { source, options, text } = await several({ '/1': other, '/2': documentOf(['carl']) });
    const { accounts } = await readSource(source, options);
    expect(accounts).toHaveLength(3);
    const receipt = await signOutAtSource(source, named(accounts, 'carl'), options);
    expect(receipt.remaining).toBe(0);
    expect(text('/2')).not.toContain('rt-carl');
    expect(text('/1')).toBe(other);
    await receipt.undo();
    expect(text('/2')).toContain('rt-carl');
    expect(text('/1')).toBe(other);
  });

  it.each(['/1', '/2'])(
    'are put back as far as they can be if %s fails, and the error says so',
    async (broken) => {
      const documents = { '/1': documentOf(['ada']), '/2': documentOf(['ada', 'ben']) };
      const { source, options, text } = await several(documents);
      let isFull = false;
      const secretService = async (): Promise<SecretService> => {
        const service = await options.secrets.secretService();
        return {
          ...service,
          setSecret: (item, secret) =>
            isFull && item === broken
              ? Promise.reject(new Error('It is full.'))
              : service.setSecret(item, secret),
        };
      };
      const { accounts } = await readSource(source, options);
      const receipt = await signOutAtSource(source, named(accounts, 'ada'), {
        ...options,
        secrets: { secretService },
      });
      isFull = true;
      await expect(receipt.undo()).rejects.toMatchObject({
        code: 'source_failed',
        message: expect.stringMatching(/^A part of what was removed is back\. .*It is full/) as string,
      });
      for (const path of ['/1', '/2']) expect(text(path).includes('rt-ada')).toBe(path !== broken);
      isFull = false;
      await receipt.undo();
      expect(text(broken)).toContain('rt-ada');
    },
  );

  it('are not all checked while one is locked, and are when the user unlocks it', async () => {
    const documents = { '/1': documentOf(['ada']), '/2': documentOf(['ada', 'ben']) };
    const { source, options, text } = await several(documents, ['/2']);
    const { accounts, problem } = await readSource(source, options);
    expect(accounts).toHaveLength(1);
    expect(problem).toContain('locked');
    const receipt = await signOutAtSource(source, named(accounts, 'ada'), options);
    expect(receipt.remaining).toBeNull();
    expect(receipt.problem).toContain('locked');
    expect(text('/2')).toBe(documents['/2']);
    const all = await readSource(source, { ...options, unlock: true });
    expect(all.problem).toBeUndefined();
    expect((await signOutAtSource(source, named(all.accounts, 'ada'), options)).remaining).toBe(0);
    expect(text('/2')).not.toContain('rt-ada');
  });

  it('are signed out of one by one: what one refuses is said, and the others are changed', async () => {
    const { source, options, text } = await several({ '/1': documentOf(['ada']), '/2': 'no document' });
    const { accounts, problem } = await readSource(source, options);
    expect(problem).toContain('not a document');
    const receipt = await signOutAtSource(source, named(accounts, 'ada'), options);
    expect(receipt).toMatchObject({ remaining: null, removed: { RefreshToken: 1 } });
    expect(receipt.problem).toContain('not a document');
    expect(receipt.problem).not.toMatch(/nothing was changed/i); // The other one was.
    expect(text('/2')).toBe('no document');
    await receipt.undo();
    expect(text('/1')).toContain('rt-ada');
  });
});

describe('an item that several files signal', () => {
  const NAMES = ['msal.cache', 'msal.cache.cae', 'msal.cache.nocae'];
  async function signalled() {
    const medium = await keyringMedium('text');
    medium.store(bytesOf(whole));
    const signals = NAMES.map((name) => put(`.IdentityService/${name}`, '{}'));
    const cache = put('.IdentityService/mg.msal.cache', documentOf(['ada']));
    for (const file of [...signals, cache]) utimesSync(file, 1, 1);
    const { sealing, item } = medium.source.place;
    const all = [...signals, cache, join(home, '.IdentityService/none')];
    const place = { ...medium.source.place, sealing, item: item!, file: signals[2]!, signals: all };
    const source = { ...medium.source, file: place.file, place };
    return { ...medium, source, signals, cache };
  }

  it('has all of them ahead, so that every program that shares it looks again', async () => {
    const { source, options, signals, cache } = await signalled();
    const [ada] = (await readSource(source, options)).accounts;
    await signOutAtSource(source, ada!, options);
    for (const file of signals) expect(statSync(file).mtimeMs, file).toBeGreaterThan(Date.now() - 60_000);
    expect(statSync(cache).mtimeMs, 'a cache of its own').toBe(1_000);
    expect(readdirSync(join(home, '.IdentityService')).sort()).toEqual(['mg.msal.cache', ...NAMES]);
  });

  it('is changed under the lock of each', async () => {
    const medium = await signalled();
    const { source, options, signals } = medium;
    const [ada] = (await readSource(source, options)).accounts;
    const lock = `${signals[1]!}.lockfile`;
    writeFileSync(lock, `${process.ppid} python`);
    const before = medium.stored();
    await expect(signOutAtSource(source, ada!, { ...options, deadline: 50 })).rejects.toMatchObject({
      code: 'source_busy',
      message: expect.stringContaining(lock) as string,
    });
    expect(medium.stored()).toEqual(before);
    expect(readdirSync(join(home, '.IdentityService')).filter((name) => name.endsWith('.lockfile'))).toEqual([
      'msal.cache.cae.lockfile',
    ]);
    unlinkSync(lock);
    expect((await signOutAtSource(source, ada!, options)).remaining).toBe(0);
  });

  it('is followed by each', async () => {
    const { source, signals } = await signalled();
    const told = vi.fn();
    const stop = watchSource(source, told);
    for (const [index, file] of signals.entries()) {
      utimesSync(file, 2, 2);
      await expect.poll(() => told.mock.calls.length, { timeout: 10_000 }).toBe(index + 1);
    }
    stop();
  });

  it('keeps all of them when it is found', async () => {
    for (const name of ['msal.cache.cae', 'msal.cache.nocae']) put(`.IdentityService/${name}`, '{}');
    const [source] = (await findSources({ home, platform: 'linux' })).filter(
      ({ program }) => program === 'azure-identity-js',
    );
    expect(source?.place.signals).toEqual(
      expect.arrayContaining([join(home, '.IdentityService/msal.cache.cae')]),
    );
  });
});

async function anybody(): Promise<AccountSummary> {
  const file = put('another.json', whole);
  return (await readSource((await sourceFromFile(file))!)).accounts[0]!;
}

describe('something else in the place of a cache', () => {
  it.each([
    ['a folder', (file: string) => mkdirSync(file), 'not-understood'],
    ['a pipe', (file: string) => spawnSync('mkfifo', [file]), 'not-understood'],
    ['a link that leads nowhere', (file: string) => symlinkSync(join(home, 'nowhere/at/all'), file), 'gone'],
    ['a link that leads to itself', (file: string) => symlinkSync(file, file), 'not-understood'],
    ['a device that never ends', (file: string) => symlinkSync('/dev/zero', file), 'not-understood'],
  ])('%s has a state', async (_, make, state) => {
    mkdirSync(join(home, '.azure'));
    const file = join(home, '.azure/msal_token_cache.json');
    make(file);
    const [source] = await findSources({ home, platform: 'linux' });
    const reading = await readSource(source!, { pause: 1 });
    expect(reading.state).toBe(state);
    expect(reading.problem).toContain(file);
  });

  it('a file larger than any cache is not read, and says its size', async () => {
    const file = put('.azure/msal_token_cache.json', '{');
    truncateSync(file, 300 * 1024 * 1024); // a hole, which takes no space
    const [source] = await findSources({ home, platform: 'linux' });
    const reading = await readSource(source!, { pause: 1 });
    expect(reading).toMatchObject({
      state: 'not-understood',
      problem: `${file} has 300 MB, more than any token cache. Nothing was read.`,
    });
    await expect(signOutAtSource(source!, await anybody())).rejects.toThrow('300 MB');
    expect(statSync(file).size).toBe(300 * 1024 * 1024);
  });

  it.runIf(process.platform === 'linux')(
    'a file that says it is empty and does not end is not read',
    async () => {
      // A regular file of size 0 with a terabyte of zeros.
      const reading = await readSource((await sourceFromFile('/proc/self/pagemap'))!, { pause: 1 });
      expect(reading).toMatchObject({ state: 'not-understood' });
      expect(reading.problem).toContain('more than 256 MB, more than any token cache. Nothing was read.');
    },
  );

  it('a document that Go has sealed with a key of the kernel is sealed', async () => {
    put('.IdentityService/kubelogin.cache.nocae', 'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn');
    const [source] = await findSources({ home, platform: 'linux' });
    expect(await readSource(source!)).toMatchObject({
      state: 'sealed',
      problem: expect.stringContaining('kernel') as string,
    });
  });

  it('a document that a program is writing is in use', async () => {
    const file = put('.azure/msal_token_cache.json', '{"Account":');
    writeFileSync(`${file}.lockfile`, `${process.pid} az`);
    const [source] = await findSources({ home, platform: 'linux' });
    expect(await readSource(source!, { pause: 1 })).toMatchObject({ state: 'in-use' });
  });
});

describe('a lock', () => {
  it.each(['lockfile', 'lock'] as const)('can’t be taken without the command flock: %s', async (locking) => {
    const file = put('cache.json', whole);
    const found = (await sourceFromFile(file))!;
    const source = { ...found, place: { ...found.place, locking } };
    const { accounts } = await readSource(source);
    vi.stubEnv('PATH', home);
    try {
      await expect(signOutAtSource(source, accounts[0]!)).rejects.toThrow('Install util-linux');
    } finally {
      vi.unstubAllEnvs();
    }
    expect(readFileSync(file, 'utf8')).toBe(whole);
    expect(readdirSync(home).filter((name) => name.endsWith('.tmp') || name.endsWith('.lockfile'))).toEqual(
      [],
    );
  });

  let source: FoundSource;
  let lock: string;
  let ada: AccountSummary;
  beforeEach(async () => {
    lock = `${put('.azure/msal_token_cache.json', whole)}.lockfile`;
    [source] = (await findSources({ home, platform: 'linux' })) as [FoundSource];
    ada = (await readSource(source)).accounts.find(({ username }) => username.startsWith('ada@'))!;
  });

  it('names the process that holds it', async () => {
    writeFileSync(lock, `${process.pid} az`);
    await expect(signOutAtSource(source, ada, { deadline: 50 })).rejects.toThrow(
      `Process ${process.pid} has kept`,
    );
  });

  it('says that it was left behind, and when it can be taken over', async () => {
    const { pid } = spawnSync('true');
    writeFileSync(lock, `${pid} az`);
    await expect(signOutAtSource(source, ada, { deadline: 50 })).rejects.toThrow(
      `Process ${pid} left the lock`,
    );
  });

  it.each([
    ['a folder', () => mkdirSync(lock)],
    ['a pipe', () => spawnSync('mkfifo', [lock])],
  ])('whose place is taken by %s stops the sign-out', async (_, make) => {
    make();
    await expect(signOutAtSource(source, ada, { deadline: 50 })).rejects.toThrow(lock);
    expect(readFileSync(source.file, 'utf8')).toBe(whole);
  });

  it('of a Tokenkeep that was killed is removed at the next look, with its temporary file, and nothing else is', async () => {
    const { pid } = spawnSync('true');
    writeFileSync(lock, `${pid} tokenkeep`);
    const folder = dirname(lock);
    writeFileSync(join(folder, `.tokenkeep-${pid}-0123456789ab.tmp`), 'rt-ada');
    writeFileSync(join(folder, `.tokenkeep-${process.pid}-0123456789ab.tmp`), 'in use');
    put('.azd/auth/msal/cache.json', whole);
    put('.azd/auth/msal/cache.json.lock', '');
    put('.IdentityService/msal.cache', whole);
    const foreign = put('.IdentityService/msal.cache.lockfile', `${pid} az`);
    await removeLeftovers(await findSources({ home, platform: 'linux' }));
    expect(readdirSync(folder).sort()).toEqual([
      `.tokenkeep-${process.pid}-0123456789ab.tmp`,
      'msal_token_cache.json',
    ]);
    expect(existsSync(foreign)).toBe(true);
    expect(readdirSync(join(home, '.azd/auth/msal')).sort()).toEqual(['cache.json', 'cache.json.lock']);
  });

  it('of a Tokenkeep that was killed is removed where a link leads and beside every signal', async () => {
    const { pid } = spawnSync('true');
    const target = put('dotfiles/token.cache.azure.json', documentOf(['ada']));
    mkdirSync(join(home, '.fx/account'), { recursive: true });
    symlinkSync(target, join(home, '.fx/account/token.cache.azure.json'));
    for (const name of ['msal.cache.cae', 'msal.cache.nocae']) put(`.IdentityService/${name}`, '{}');
    const left = [
      put(`dotfiles/.tokenkeep-${pid}-0123456789ab.tmp`, 'rt-ada'),
      put('.IdentityService/msal.cache.cae.lockfile', `${pid} tokenkeep`),
      put('.IdentityService/msal.cache.nocae.lockfile', `${pid} tokenkeep`),
    ];
    await removeLeftovers(await findSources({ home, platform: 'linux' }));
    expect(left.filter((file) => existsSync(file))).toEqual([]);
  });

  it('names what is wrong with the command that locks: missing, or without an answer', async () => {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    vi.stubEnv('PATH', bin);
    try {
      await expect(signOutAtSource(source, ada)).rejects.toThrow('is missing');
      writeFileSync(join(bin, 'flock'), '#!/bin/sh\nexec /bin/sleep 60\n', { mode: 0o700 });
      let turns = 0;
      const counting = setInterval(() => (turns += 1), 10);
      await expect(signOutAtSource(source, ada)).rejects.toThrow('did not answer (SIGTERM)');
      clearInterval(counting);
      expect(turns).toBeGreaterThan(10); // the process serves others meanwhile
    } finally {
      vi.unstubAllEnvs();
    }
    expect(readFileSync(source.file, 'utf8')).toContain('rt-ada');
  });

  it.each([
    ['lockfile', 2],
    ['lock', 1],
  ] as const)('that is removed at the moment it is taken is taken anew: %s', async (locking, call) => {
    const { pid } = spawnSync('true');
    const place = { ...source.place, locking };
    const file = locking === 'lockfile' ? lock : `${source.file}.lock`;
    put(relative(home, file), `${pid} tokenkeep`);
    // Another program's release comes between our look at the file and our lock on it. The first call locks a new file's name.
    const calls = join(home, 'calls');
    const real = spawnSync('which', ['flock']).stdout.toString().trim();
    const script = `#!/bin/sh\necho >> ${calls}\n[ "$(wc -l < ${calls})" = ${call} ] && rm ${file}\nexec ${real} "$@"\n`;
    put('bin/flock', script, 0o700);
    vi.stubEnv('PATH', `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`);
    try {
      expect(await whileLocked(place, () => Promise.resolve(existsSync(file)))).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(readFileSync(calls, 'utf8').length).toBeGreaterThan(call);
  });

  it.each(['lockfile', 'lock'] as const)(
    'that is moved or taken over while we hold it: nothing is written (%s)',
    async (locking) => {
      const place = { ...source.place, locking };
      const file = locking === 'lockfile' ? lock : `${source.file}.lock`;
      const changes: ((file: string) => void)[] = [
        () => undefined,
        (path) => rmSync(path),
        (path) => renameSync(path, `${path}.conflict`),
        (path) => {
          rmSync(path);
          writeFileSync(path, '1 other');
        },
      ];
      const outcomes: unknown[] = [];
      for (const change of changes) {
        const held = whileLocked(place, async (assertHeld) => {
          change(file);
          await assertHeld();
          return 'held';
        });
        outcomes.push(await held.catch((error: unknown) => error));
        rmSync(file, { force: true });
      }
      const refused = {
        code: 'source_busy',
        message: expect.stringContaining(
          'moved or taken over by another program meanwhile. Nothing was changed',
        ),
      };
      expect(outcomes).toMatchObject(['held', refused, refused, refused]);
    },
  );

  it('of a Tokenkeep that was killed is taken over at once', async () => {
    writeFileSync(lock, `${spawnSync('true').pid} tokenkeep`);
    expect((await signOutAtSource(source, ada, { deadline: 5000 })).remaining).toBe(0);
  });

  it('is held for no longer than the replacement takes, however slow the seal is', async () => {
    const slow = (bytes: Uint8Array) =>
      new Promise<Buffer>((resolve) => {
        expect(existsSync(lock)).toBe(false);
        setTimeout(() => resolve(Buffer.from(bytes)), 20);
      });
    const sealed: FoundSource = { ...source, sealing: 'dpapi', place: { ...source.place, sealing: 'dpapi' } };
    const options = { secrets: { dpapi: () => ({ protect: slow, unprotect: slow }) } };
    expect((await signOutAtSource(sealed, ada, options)).remaining).toBe(0);
    expect(readFileSync(source.file, 'utf8')).not.toContain('rt-ada');
  });
});

describe('another user', () => {
  const NOBODY = 65_534;
  let program: string;
  beforeAll(async () => {
    program = await bundle('test/sources/program.ts');
    chmodSync(dirname(program), 0o755);
  }, 60_000);
  afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));
  const asNobody = (name: string) => {
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const { stdout, stderr } = spawnSync(process.execPath, [program, home, name], {
      encoding: 'utf8',
      ...user,
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as { state: string; problem: string; signOut?: string }[];
  };
  // If the tests don't run as root, the files of the tests' own user are used instead of another's.
  const theirs = (path: string) => process.getuid?.() === 0 && chownSync(path, NOBODY, NOBODY);

  it('may not read the cache, and gets an error', () => {
    chmodSync(home, 0o755);
    const file = put('.azure/msal_token_cache.json', whole, 0o000);
    chmodSync(dirname(file), 0o755);
    const [said] = asNobody('ada');
    expect(said).toMatchObject({ state: 'no-permission' });
    expect(said?.problem).toContain(file);
  });

  it.each(['.azure/msal_token_cache.json', '.IdentityService/msal.cache'])(
    'may not enter the folder of %s, and is told so',
    (path) => {
      chmodSync(home, 0o755);
      chmodSync(dirname(put(path, whole)), 0o000);
      expect([...new Set(asNobody('ada').map(({ state }) => state))]).toEqual(['no-permission']);
      chmodSync(join(home, dirname(path)), 0o700);
    },
  );

  it('may look for caches where it can’t remove a lock that was left behind', () => {
    chmodSync(home, 0o755);
    const file = put('.azure/msal_token_cache.json', whole, 0o644);
    put('.azure/msal_token_cache.json.lockfile', `${spawnSync('true').pid} tokenkeep`, 0o666);
    chmodSync(`${file}.lockfile`, 0o666);
    chmodSync(dirname(file), 0o555);
    const [said] = asNobody('ada');
    chmodSync(dirname(file), 0o755);
    expect(said).toMatchObject({ state: 'accounts' });
  });

  it('may read the cache but not write beside it: nothing is changed', () => {
    chmodSync(home, 0o755);
    const file = put('.azure/msal_token_cache.json', whole);
    chmodSync(file, 0o644);
    chmodSync(dirname(file), 0o555);
    const said = asNobody('ada');
    chmodSync(dirname(file), 0o755);
    expect(said).toMatchObject([{ state: 'accounts', signOut: 'source_no_permission' }]);
    expect(readFileSync(file, 'utf8')).toBe(whole);
    expect(readdirSync(dirname(file))).toHaveLength(1);
  });

  it('may not write the list of subscriptions: the account is signed out, and still listed', () => {
    chmodSync(home, 0o755);
    const file = put('.azure/msal_token_cache.json', whole);
    const subscriptions = [{ user: { name: 'ada@contoso.example' } }];
    const profile = put('elsewhere/azureProfile.json', JSON.stringify({ subscriptions }), 0o644);
    symlinkSync(profile, join(home, '.azure/azureProfile.json'));
    for (const path of [dirname(file), file]) theirs(path);
    chmodSync(dirname(profile), 0o555);
    const [said] = asNobody('ada');
    chmodSync(dirname(profile), 0o755);
    expect(said?.signOut).toBe(
      `done ${profile} still lists its subscriptions and can’t be written. Run az logout to remove them.`,
    );
    expect(readFileSync(file, 'utf8')).not.toContain('rt-ada');
  });

  // Only root may give a file away.
  if (process.getuid?.() === 0)
    it('owns the cache still after root has signed somebody out', async () => {
      const file = put('.azure/msal_token_cache.json', whole, 0o640);
      theirs(file);
      const [source] = await findSources({ home, platform: 'linux' });
      const { accounts } = await readSource(source!);
      await signOutAtSource(source!, accounts[0]!);
      expect(statSync(file)).toMatchObject({ uid: NOBODY, gid: NOBODY });
      expect(statSync(file).mode & 0o777).toBe(0o640);
    });
});

describe('a replacement', () => {
  it('waits on Windows for a program that has the file open', async () => {
    const [from, to] = [put('new', 'new'), put('old', 'old')];
    let refusals = 0;
    await renameOver(from, to, 'win32', async (...paths) => {
      if ((refusals += 1) <= 2) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      await rename(...paths);
    });
    expect(refusals).toBe(3);
    expect(readFileSync(to, 'utf8')).toBe('new');
  });

  it('gives up within a second, and not where waiting can’t help', async () => {
    let tries = 0;
    const refusal = (code: string) => () => {
      tries += 1;
      return Promise.reject(Object.assign(new Error(code), { code }));
    };
    vi.useFakeTimers();
    try {
      const refused = expect(renameOver('a', 'b', 'win32', refusal('EBUSY'))).rejects.toThrow('EBUSY');
      await vi.advanceTimersByTimeAsync(1000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
    expect(tries).toBe(22); // at once, and every 40 ms until 800 ms are over
    tries = 0;
    await expect(renameOver('a', 'b', 'linux', refusal('EACCES'))).rejects.toThrow('EACCES');
    expect(tries).toBe(1);
  });
});

describe('a list of subscriptions', () => {
  let file: string;
  let profile: string;
  let source: FoundSource;
  let ada: AccountSummary;
  beforeEach(async () => {
    file = put('.azure/msal_token_cache.json', whole);
    profile = join(home, '.azure/azureProfile.json');
    [source] = (await findSources({ home, platform: 'linux' })) as [FoundSource];
    ada = (await readSource(source)).accounts.find(({ username }) => username.startsWith('ada@'))!;
  });

  it('that is a pipe is not waited for, and is said to be as it was', async () => {
    spawnSync('mkfifo', [profile]);
    const receipt = await signOutAtSource(source, ada);
    expect(receipt).toMatchObject({
      remaining: 0,
      left: `${profile} may still list its subscriptions and can’t be read. Run az logout to remove them.`,
    });
    await receipt.undo();
    expect(readFileSync(file, 'utf8')).toContain('rt-ada');
  });

  it('keeps the digits of its numbers', async () => {
    const [own, other] = [
      `{"id":"1","user":{"name":"ada@contoso.example"},"n":638712345678901234567}`,
      `{"id":"2","user":{"name":"ben@contoso.example"},"isDefault":true,"n":638712345678901234568}`,
    ];
    put('.azure/azureProfile.json', `{"subscriptions":[${own},${other}]}`);
    const receipt = await signOutAtSource(source, ada);
    expect(readFileSync(profile, 'utf8')).toBe(`{"subscriptions":[${other}]}`);
    put('.azure/azureProfile.json', `{"subscriptions":[${other}],"installationId":"x"}`);
    await receipt.undo();
    expect(readFileSync(profile, 'utf8')).toContain('638712345678901234567');
  });

  it('with two entries of one name is not changed, since one of them would be lost', async () => {
    const list = `{"subscriptions":[{"user":{"name":"ada@contoso.example"}}],"x":1,"x":2}`;
    put('.azure/azureProfile.json', list);
    const { remaining, left } = await signOutAtSource(source, ada);
    expect({ remaining, left }).toEqual({
      remaining: 0,
      left: `${profile} still lists its subscriptions and has two entries of the same name, of which one would be lost. Run az logout to remove them.`,
    });
    expect(readFileSync(profile, 'utf8')).toBe(list);
  });

  it.each([
    ['the sign-out', 2, ['ben', 'carl']],
    ['its undo', 4, ['ada', 'ben', 'carl']],
  ])('keeps what az writes while %s is under way', async (_what, at, names) => {
    const listOf = (...all: string[]) =>
      JSON.stringify({
        subscriptions: all.map((name) => ({ id: name, user: { name: `${name}@contoso.example` } })),
      });
    put('.azure/azureProfile.json', listOf('ada', 'ben'));
    // Of each change, the document is flushed first, then the list that was read before that.
    const handle = await open(file);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const sync = Object.getOwnPropertyDescriptor(prototype, 'sync')?.value as FileHandle['sync'];
    let flushed = 0;
    const spy = vi.spyOn(prototype, 'sync').mockImplementation(function (this: FileHandle) {
      flushed += 1;
      if (flushed === at)
        writeFileSync(profile, at === 2 ? listOf('ada', 'ben', 'carl') : listOf('ben', 'carl'));
      return sync.call(this);
    });
    try {
      const receipt = await signOutAtSource(source, ada);
      if (at === 4) await receipt.undo();
    } finally {
      spy.mockRestore();
    }
    const { subscriptions } = JSON.parse(readFileSync(profile, 'utf8')) as {
      subscriptions: { id: string }[];
    };
    expect(subscriptions.map(({ id }) => id).sort()).toEqual(names);
    expect(flushed).toBe(at + 1);
  });
});

it('follows a cache through a link, through the end of its folder, and when it is made again', async () => {
  const real = put('dotfiles/cache.json', whole);
  mkdirSync(join(home, 'azure'));
  const file = join(home, 'azure/cache.json');
  symlinkSync(real, file);
  let told = 0;
  const waiters: (() => void)[] = [];
  const stop = watchSource({ file }, () => {
    told += 1;
    waiters.splice(0).forEach((go) => go());
  });
  const next = (change: () => void) => {
    const heard = new Promise<void>((resolve) => waiters.push(resolve));
    change();
    return heard;
  };
  try {
    await next(() => writeFileSync(real, '{}'));
    await next(() => rmSync(dirname(file), { recursive: true }));
    await next(() => {
      mkdirSync(dirname(file));
      writeFileSync(file, whole);
    });
    await next(() => writeFileSync(file, '{}'));
    expect(told).toBeGreaterThanOrEqual(4);
  } finally {
    stop();
  }
});
