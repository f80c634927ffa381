// Not in npm run check: it opens a file more than a thousand times.
import { beforeAll, describe, expect, test } from 'vitest';
import { FRAMES_AT, HEADER_COPY_AT, HEADER_LENGTH } from '../../src-main/vault/format/header.ts';
import { type Opening, openFile } from '../../src-main/vault/open.ts';
import { FakeDisk, placeOf } from './disk.ts';
import { FakeKeychain, Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

/** Frames of the good file: the manifest, two accounts, app metadata, and two updates that were appended. */
let good: Buffer;
let keychain: FakeKeychain;
let starts: number[];
const USERS = ['ada', 'ben'];
const BASE_FRAMES = 4;

beforeAll(async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => USERS.forEach((user) => signIn(cache, user)));
  await vault.update((cache) => signIn(cache, 'dee'));
  await vault.update((cache) => signIn(cache, 'ada', 'newer'));
  good = Buffer.from(scene.bytes);
  keychain = scene.keychain;
  starts = frameStarts(good);
});

function frameStarts(file: Buffer): number[] {
  const found: number[] = [];
  for (let at = FRAMES_AT; at < file.length; ) {
    found.push(at);
    at += 64 + file.readUInt32LE(at) + file.readUInt32LE(at + 4) + 20;
  }
  return found;
}

/**
 * Every byte of the header and of what a frame begins and ends with, some of what lies between, and few of the thousands of zeros
 * between the header's two copies. The fault campaign's long form has all of them.
 */
function* places(): Iterable<number> {
  for (let at = 0; at < good.length; at += 1) {
    const between = at > HEADER_LENGTH && at < HEADER_COPY_AT - 1;
    const isNearBorder = [...starts, good.length].some((start) => at >= start - 24 && at < start + 68);
    const step = between ? 61 : at < FRAMES_AT || isNearBorder ? 1 : 11;
    if (at % step === 0) yield at;
  }
}

async function openBytes(bytes: Buffer, { items } = keychain): Promise<Opening> {
  const disk = new FakeDisk();
  disk.put('/v', bytes);
  const keychain = new FakeKeychain();
  for (const [account, key] of items) keychain.items.set(account, key);
  const opening = await openFile(placeOf(disk, '/v', keychain));
  if (!disk.bytes('/v').equals(bytes) || disk.calls.length > 0)
    throw new Error('opening has changed the file');
  return opening;
}

function secretsOf({ contents }: Opening): Record<string, string> {
  return contents === null ? {} : usersIn(contents.cache);
}

const ALL = {
  [homeOf('ada')]: 'access newer',
  [homeOf('ben')]: 'access secret of ben',
  [homeOf('dee')]: 'access secret of dee',
};

/** Everything that was read was written, though perhaps not as the latest version. */
function expectNothingInvented(opening: Opening): void {
  for (const [home, secret] of Object.entries(secretsOf(opening))) {
    if (secret !== ALL[home] && secret !== 'access secret of ada')
      throw new Error(`read for ${home}: ${secret}`);
  }
}

test('the file from which the damaged ones are made is intact', async () => {
  expect(starts).toHaveLength(BASE_FRAMES + 2);
  const opening = await openBytes(good);
  expect(opening.state).toBe('ready');
  expect(secretsOf(opening)).toEqual(ALL);
});

describe('every byte flipped', () => {
  test('is found, and everything that it does not lie in is read', async () => {
    for (const at of places()) {
      const bytes = Buffer.from(good);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      const opening = await openBytes(bytes);
      expect(opening.state, `byte ${at}`).toBe('damaged');
      const frame = starts.findLastIndex((start) => start <= at);
      expectNothingInvented(opening);
      const kept = secretsOf(opening);
      if (frame <= 0) expect(kept, `byte ${at}`).toEqual(ALL);
      else expect(Object.keys(kept).length, `byte ${at}`).toBeGreaterThanOrEqual(2);
      const lost = opening.contents?.recovered?.lost;
      if (frame >= 1 && frame <= USERS.length)
        expect(lost).toEqual([`${USERS[frame - 1] ?? ''}@contoso.example`]);
      else expect(lost).toEqual([]);
    }
  }, 120_000);
});

describe('every length', () => {
  test('a file truncated in its base is damaged; truncated in an appended frame, it is older', async () => {
    const endOfBase = starts[BASE_FRAMES] ?? 0;
    for (const length of places()) {
      const opening = await openBytes(good.subarray(0, length));
      expect(opening.state, `length ${length}`).toBe(length < endOfBase ? 'damaged' : 'ready');
      expectNothingInvented(opening);
      if (length < HEADER_LENGTH) expect(opening.contents).toBeNull();
      if (length >= endOfBase) {
        const last = starts.findLastIndex((start) => start <= length);
        const users = (starts[BASE_FRAMES + 1] ?? 0) <= length ? 3 : 2;
        expect(Object.keys(secretsOf(opening)), `length ${length}, frame ${last}`).toHaveLength(users);
      }
    }
  }, 60_000);

  test('zeros after the last frame are unwritten space', async () => {
    const opening = await openBytes(Buffer.concat([good, Buffer.alloc(5000)]));
    expect(opening.state).toBe('ready');
    expect(opening.contents?.end.at).toBe(good.length);
  });

  test('any other bytes after the last frame are damage', async () => {
    const opening = await openBytes(Buffer.concat([good, Buffer.alloc(5000, 7)]));
    expect(opening.state).toBe('damaged');
    expect(secretsOf(opening)).toEqual(ALL);
  });
});

describe('a frame that was being written during a power cut', () => {
  test.each([0, 512, 1024])('without the sector at %i, it counts as never written', async (hole) => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => USERS.forEach((user) => signIn(cache, user)));
    const before = scene.bytes.length;
    await vault.update((cache) => signIn(cache, 'eve', 'x'.repeat(4000)));
    const bytes = Buffer.from(scene.bytes);
    const sector = Math.ceil(before / 512) * 512 + hole;
    bytes.fill(0, hole === 0 ? before : sector, sector + 512);
    const opening = await openBytes(bytes, scene.keychain);
    expect(opening.state).toBe('ready');
    expect(opening.contents?.end.at).toBe(before);
    expect(Object.keys(secretsOf(opening))).toHaveLength(2);
  });
});

describe('frames', () => {
  const frame = (n: number): Buffer => good.subarray(starts[n], starts[n + 1]);
  const build = (order: readonly number[]): Buffer =>
    Buffer.concat([good.subarray(0, FRAMES_AT), ...order.map(frame)]);

  test.each([
    ['swapped in the base', [0, 2, 1, 3, 4, 5]],
    ['swapped at the end', [0, 1, 2, 3, 5, 4]],
    ['repeated', [0, 1, 2, 3, 4, 4, 5]],
    ['repeated at the end', [0, 1, 2, 3, 4, 5, 5]],
    ['dropped from the base', [0, 1, 3, 4, 5]],
    ['dropped from what was appended', [0, 1, 2, 3, 5]],
    ['without the manifest', [1, 2, 3, 4, 5]],
  ])('%s are found', async (_name, order) => {
    const opening = await openBytes(build(order));
    expect(opening.state).toBe('damaged');
    expectNothingInvented(opening);
  });

  test('of an older copy of the same vault do not open in a newer one', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    const older = Buffer.from(scene.bytes);
    await vault.erase((cache) => signIn(cache, 'ben'));
    const newer = Buffer.from(scene.bytes);
    const [, account] = frameStarts(older);
    const spliced = Buffer.concat([newer, older.subarray(account)]);
    const opening = await openBytes(spliced, scene.keychain);
    expect(opening.state).toBe('damaged');
    expect(Object.keys(secretsOf(opening)).sort()).toEqual([homeOf('ada'), homeOf('ben')]);
  });

  test('with a header of another copy do not open', async () => {
    const bytes = Buffer.from(good);
    const header = Buffer.from(bytes.subarray(0, HEADER_LENGTH));
    for (const at of [0, HEADER_COPY_AT]) {
      // The generation, and nothing else that a reader could notice.
      header.writeBigUInt64LE(99n, 32);
      const { createHash } = await import('node:crypto');
      createHash('sha256').update(header.subarray(0, 96)).digest().copy(header, 96);
      header.copy(bytes, at);
    }
    const opening = await openBytes(bytes);
    // The key-check value is derived from the header, so it was changed without the key.
    expect(opening.state).toBe('wrong-key');
    expect(secretsOf(opening)).toEqual({});
  });
});
