// [Note: network drives] in disk/file.ts: what a drive whose server is away can't stop.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { nodeIo } from '../../src-main/vault/disk/file.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

type Call = (...given: unknown[]) => unknown;

/** The requests that the vault made, and how those of one name are answered. */
const drive = vi.hoisted(() => ({
  asked: [] as string[],
  type: 0x6969, // NFS
  /** The folder where it is mounted; null: all folders are on the drive. */
  root: null as string | null,
  /** Folders that are watched. */
  watched: [] as string[],
  hanging: new Set<string>(),
  /** Reads of more bytes than this hang. */
  longestRead: Infinity,
  waiting: [] as (() => void)[],
}));

vi.mock('node:fs', async (original) => {
  const real: Record<string, unknown> = await original();
  const watched = [
    'stat',
    'open',
    'read',
    'access',
    'readdir',
    'statSync',
    'openSync',
    'readSync',
    'writeSync',
    'accessSync',
    'closeSync',
    'close',
  ];
  const calls = [...watched, 'lstatSync', 'readlinkSync', 'realpath'].map((name): [string, Call] => [
    name,
    (...given) => {
      const answer = (): unknown => (real[name] as Call)(...given);
      // The thread for locks asks the real file system, which is local.
      if (!/lock(?:-\w+)?$/.test(String(given[0]))) drive.asked.push(name);
      const isLong = name === 'read' && Number(given[3]) > drive.longestRead;
      if (!drive.hanging.has(name) && !isLong) return answer();
      drive.waiting.push(() => void answer());
      return undefined;
    },
  ]);
  const statfs = (path: string, done: (error: null, found: { type: number }) => void): void =>
    done(null, { type: drive.root === null || path.startsWith(drive.root) ? drive.type : 0xef53 }); // or ext4
  const watch = (...given: unknown[]): unknown => {
    drive.watched.push(String(given[0]));
    return (real['watch'] as Call)(...given);
  };
  return { ...real, ...Object.fromEntries(calls), statfs, watch };
});

beforeEach(() => {
  drive.asked.length = drive.waiting.length = drive.watched.length = 0;
  drive.hanging.clear();
  drive.longestRead = Infinity;
  drive.type = 0x6969;
  drive.root = null;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const realTimeout = setTimeout;

/** Awaits work and lets the deadline pass whenever a request hangs. */
async function late<T>(work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => void (isDone = true);
  work.then(done, done);
  for (let passed = 0; !isDone; ) {
    if (drive.waiting.length > passed) {
      passed = drive.waiting.length;
      await vi.advanceTimersByTimeAsync(10_000);
    } else await new Promise((resolve) => realTimeout(resolve, 1));
  }
  return work;
}

const placed = (): { file: string; keychain: ReturnType<typeof memoryKeychain> } => ({
  file: join(temporaryFolder(), 'cache.vault'),
  keychain: memoryKeychain(),
});

/** A busy machine takes longer than the second that vitest waits. */
const waitFor = <T>(fn: () => T | Promise<T>): Promise<T> => vi.waitFor(fn, 20_000);

test.each(['a folder of', 'the root of'])(
  'in %s a network drive, nothing is asked for on the main thread',
  async (where) => {
    vi.useRealTimers();
    const folder = join(temporaryFolder(), 'mounted');
    mkdirSync(folder);
    if (where === 'the root of') drive.root = folder;
    const place = { ...placed(), file: join(folder, 'cache.vault') };
    const vault = await openVault(place);
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    await vault.signOut(homeOf('ada'));
    await vault.close();
    const again = await openVault(place);
    expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ben')]);
    await again.close();
    expect(drive.asked.filter((name) => name.endsWith('Sync'))).toEqual([]);
    expect(drive.asked).toContain('stat');
  },
);

test.each(['open', 'read'])(
  'a drive that does not answer %s is given up, asked once, and used again',
  async (name) => {
    const place = placed();
    writeFileSync(place.file, 'not a vault');
    drive.hanging.add(name);
    const vault = await late(openVault(place));
    expect(vault.status).toMatchObject({ state: 'unreadable', code: 'vault_unreadable' });
    expect(vault.status.message).toContain('does not answer');
    const asked = drive.asked.filter((one) => one === name).length;
    for (let tries = 0; tries < 5; tries += 1) await vault.retry();
    await expect(vault.read(usersIn)).rejects.toThrow('does not answer');
    expect(drive.asked.filter((one) => one === name)).toHaveLength(asked);
    drive.hanging.clear();
    const closed = drive.asked.filter((one) => one === 'close').length;
    for (const answer of drive.waiting.splice(0)) answer();
    vi.useRealTimers();
    await waitFor(async () => expect((await vault.retry()).state).toBe('damaged'));
    // A file that was opened too late belongs to nobody.
    if (name === 'open')
      expect(drive.asked.filter((one) => one === 'close').length).toBeGreaterThan(closed + 1);
    await vault.close();
  },
);

// Starting to watch is a call on the main thread, and a network drive reports no changes that other computers make.
test.each([
  ['a network drive', 0x6969, 0],
  ['a local disk', 0xef53, 1],
])('a listener on %s hears of changes by another program', async (_where, type, watched) => {
  vi.useRealTimers();
  drive.type = type;
  const place = placed();
  const [vault, other] = [await openVault(place), await openVault(place)];
  await other.update((cache) => signIn(cache, 'ada'));
  await vault.read(usersIn);
  let heard = 0;
  vault.on('change', () => (heard += 1));
  expect(drive.watched).toHaveLength(watched);
  await other.update((cache) => signIn(cache, 'ben'));
  await waitFor(() => expect(heard).toBe(1));
  await Promise.all([vault.close(), other.close()]);
});

test.each([
  ['\\\\server\\share', 0],
  ['//server/share', 0],
  ['\\\\?\\UNC\\server\\share', 0],
  ['//?/unc/server/share', 0],
  ['\\\\?\\C:\\apps', 1],
  ['\\\\.\\C:\\apps', 1],
  ['C:\\apps', 1],
])('on Windows, %s is watched unless it names a server', (folder, watched) => {
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'win32' });
  try {
    nodeIo.watch?.(
      folder,
      () => undefined,
      () => undefined,
    )?.();
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
  expect(drive.watched).toHaveLength(watched);
});

test('a drive that does not answer stops no program that begins to listen', async () => {
  const place = placed();
  drive.hanging.add('stat').add('open');
  const vault = await late(openVault(place));
  expect(vault.status.state).toBe('unreadable');
  vault.on('change', () => undefined);
  expect(drive.watched).toEqual([]);
  drive.hanging.clear();
  for (const answer of drive.waiting.splice(0)) answer();
  vi.useRealTimers();
  await vault.close();
});

test('an open vault says that its drive does not answer, and goes on when it does', async () => {
  const place = placed();
  const vault = await openVault(place);
  vi.useRealTimers();
  await vault.update((cache) => signIn(cache, 'ada'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  drive.hanging.add('stat');
  await expect(late(vault.read(usersIn))).rejects.toMatchObject({ code: 'storage_failed' });
  const asked = drive.asked.length;
  await expect(vault.read(usersIn)).rejects.toThrow('does not answer');
  expect(drive.asked).toHaveLength(asked);
  drive.hanging.clear();
  for (const answer of drive.waiting.splice(0)) answer();
  vi.useRealTimers();
  await waitFor(async () => expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ada')]));
  await vault.close();
});

test('a long read is given up too, and one of a slow drive is made in parts that each have a deadline', async () => {
  vi.useRealTimers();
  const place = placed();
  const vault = await openVault(place);
  await vault.update((cache) => signIn(cache, 'ada', 'x'.repeat(3_000_000)));
  await vault.close();
  drive.longestRead = 1024 * 1024;
  const again = await openVault(place);
  expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ada')]);
  await again.close();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  drive.longestRead = 256 * 1024;
  const hanging = await late(openVault(place));
  expect(hanging.status.message).toContain('does not answer');
  for (const answer of drive.waiting.splice(0)) answer();
  vi.useRealTimers();
  await hanging.close();
});

test('a sign-out is given up where the drive does not list its folder', async () => {
  const place = placed();
  vi.useRealTimers();
  const vault = await openVault(place);
  await vault.update((cache) => signIn(cache, 'ada'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  drive.hanging.add('readdir');
  await expect(late(vault.signOut(homeOf('ada')))).rejects.toThrow('does not answer');
  drive.hanging.clear();
  for (const answer of drive.waiting.splice(0)) answer();
  vi.useRealTimers();
  await waitFor(async () =>
    expect(await vault.signOut(homeOf('ada'))).toMatchObject({ oldKey: 'destroyed' }),
  );
  await vault.close();
});

test('a network drive that is mounted over the folder later is not asked on the main thread for long', async () => {
  vi.useRealTimers();
  drive.type = 0xef53; // ext4
  const vault = await openVault(placed());
  await vault.update((cache) => signIn(cache, 'ada'));
  expect(drive.asked.some((name) => name.endsWith('Sync'))).toBe(true);
  drive.type = 0x6969;
  const later = performance.now() + 60_000;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => later);
  await vault.read(usersIn); // The first use after a while finds out.
  await waitFor(async () => {
    drive.asked.length = 0;
    await vault.read(usersIn);
    expect(drive.asked).toEqual(['stat']);
  });
  now.mockRestore();
  await vault.close();
});
