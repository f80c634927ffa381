// What stands in a vault's place and is no vault: each gets its state at once, and is not touched. On a real disk.
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { signIn, usersIn } from './people.ts';

const POSIX = process.platform !== 'win32';
/** Milliseconds; issue and page have “within a second”. Of the processor's, since the machine may be busy. */
const AT_ONCE = 3_000;
/** The longest on the clock, in milliseconds. */
const LONGEST = 20_000;

/** Returns a function that returns how many milliseconds the processor has worked for this process since. */
function working(): () => number {
  const begun = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  };
}

async function stateOf(file: string, keychain = memoryKeychain()): Promise<string> {
  const [begun, worked] = [performance.now(), working()];
  const vault = await openVault({ file, keychain });
  expect(worked()).toBeLessThan(AT_ONCE);
  const took = performance.now() - begun;
  await vault.close();
  expect(took).toBeLessThan(LONGEST);
  return vault.status.state;
}

describe.skipIf(!POSIX)('in the place of a vault', () => {
  test('eight pipes without a writer do not block other file accesses', async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    execFileSync('mkfifo', [file]);
    const states = await Promise.all(Array.from({ length: 8 }, () => stateOf(file)));
    expect(new Set(states)).toEqual(new Set(['unreadable']));
    expect(readFileSync(import.meta.filename).length).toBeGreaterThan(0);
    expect(statSync(file).isFIFO()).toBe(true);
  });

  test.each(['/dev/zero', '/dev/null'])('%s', async (device) => {
    const file = join(temporaryFolder(), 'cache.vault');
    symlinkSync(device, file);
    expect(await stateOf(file)).toBe('unreadable');
  });

  test('a folder', async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    mkdirSync(file);
    expect(await stateOf(file)).toBe('unreadable');
    expect(statSync(file).isDirectory()).toBe(true);
  });

  test.each([2, 3])('a sparse file of %i GiB that is no vault', async (gibibytes) => {
    const file = join(temporaryFolder(), 'cache.vault');
    writeFileSync(file, '');
    truncateSync(file, gibibytes * 1024 ** 3);
    expect(await stateOf(file)).toBe('damaged');
  });

  test('a vault file extended to 2 GiB', async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    const keychain = memoryKeychain();
    const vault = await openVault({ file, keychain });
    await vault.update((cache) => signIn(cache, 'ada'));
    await vault.close();
    truncateSync(file, 2 * 1024 ** 3);
    expect(await stateOf(file, keychain)).toBe('unreadable');
  });

  test('a pipe in the place of an open vault: memory is kept, and the vault continues when the file is back', async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    const vault = await openVault({ file, keychain: memoryKeychain() });
    await vault.update((cache) => signIn(cache, 'ada'));
    renameSync(file, `${file}.real`);
    execFileSync('mkfifo', [file]);
    await vault.read(usersIn, { held: true });
    expect(vault.status.state).toBe('unreadable');
    renameSync(`${file}.real`, file);
    expect((await vault.retry()).state).toBe('ready');
    expect(Object.keys(await vault.read(usersIn))).toHaveLength(1);
    await vault.close();
  });
});

test('four megabytes of forged frames take no longer than damage', async () => {
  const file = join(temporaryFolder(), 'cache.vault');
  const keychain = memoryKeychain();
  const vault = await openVault({ file, keychain });
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.close();
  const tail = Buffer.alloc(4 * 1024 ** 2);
  for (let at = 0; at + 64 < tail.length; at += 64) {
    tail.writeUInt32LE(Math.max(0, tail.length - at - 64 - 16 - 4), at);
    tail.writeUInt32LE(5, at + 8);
    tail.writeUInt32LE(crc32(tail.subarray(at, at + 60)), at + 60);
  }
  writeFileSync(file, Buffer.concat([readFileSync(file), tail]));
  const worked = working();
  const again = await openVault({ file, keychain });
  expect(worked()).toBeLessThan(AT_ONCE);
  expect(again.status.state).toBe('damaged');
  expect(Object.keys(await again.read(usersIn))).toHaveLength(1);
  await again.close();
});

/** What follows a vault: each in pieces of 16 MiB, or nothing but a length. */
const BEHIND: Readonly<Record<string, (piece: Buffer) => void>> = {
  'random bytes': (piece) => void randomFillSync(piece),
  'zeros with a few other bytes': (piece) => {
    for (let at = 5; at < piece.length; at += 64) piece[at] = 1;
  },
  'what looks like the start of a frame at every 16th byte': (piece) => {
    for (let at = 0; at + 16 <= piece.length; at += 16) {
      piece.writeUInt32LE(44, at);
      piece.writeUInt32LE(5, at + 8);
    }
  },
  'short frames with correct checksums': (piece) => {
    for (let at = 0; at + 128 <= piece.length; at += 128) {
      piece.writeUInt32LE(44, at);
      piece.writeUInt32LE(5, at + 8);
      piece.writeUInt32LE(crc32(piece.subarray(at, at + 60)), at + 60);
      piece.writeUInt32LE(crc32(piece.subarray(at + 64, at + 124)), at + 124);
    }
  },
  'one long frame with correct checksums': (piece) => {
    piece.writeUInt32LE(piece.length / 2 - 84);
    piece.writeUInt32LE(piece.length / 2, 4);
    piece.writeUInt32LE(2, 8);
    piece.writeUInt32LE(crc32(piece.subarray(0, 60)), 60);
    piece.writeUInt32LE(crc32(piece.subarray(64, -4)), piece.length - 4);
  },
};

/** Runs a task. Returns the longest time for which it did not let others run, in milliseconds of the processor. */
async function longestTurn(task: () => Promise<unknown>): Promise<number> {
  let [longest, isOver] = [0, false];
  let worked = working();
  const look = (): void => {
    longest = Math.max(longest, worked());
    worked = working();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await task();
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  return longest;
}

/** Other threads of this process work as well. */
const LONGEST_TURN = 700;

describe.each(['zeros', ...Object.keys(BEHIND)])('a vault that is followed by %s', (what) => {
  test('is opened, read again and verified without blocking the program', async () => {
    const file = join(temporaryFolder(), 'cache.vault');
    const keychain = memoryKeychain();
    const running = await openVault({ file, keychain });
    for (const user of ['ada', 'ben']) await running.update((cache) => signIn(cache, user));
    const fill = BEHIND[what];
    const piece = Buffer.alloc(16 * 1024 ** 2);
    fill?.(piece);
    if (fill === undefined) truncateSync(file, 900 * 1024 ** 2);
    else
      for (let pieces = what.startsWith('one') ? 1 : 6; pieces > 0; pieces -= 1) appendFileSync(file, piece);
    const state = fill === undefined ? 'ready' : 'damaged';

    expect(await longestTurn(() => running.read(() => undefined, { held: true }))).toBeLessThan(LONGEST_TURN);
    expect(running.status.state).toBe(state);
    const worked = working();
    let vault = running;
    const open = async (): Promise<void> => void (vault = await openVault({ file, keychain }));
    expect(await longestTurn(open)).toBeLessThan(LONGEST_TURN);
    expect(worked()).toBeLessThan(AT_ONCE);
    expect(vault.status.state).toBe(state);
    expect(Object.keys(await vault.read(usersIn))).toHaveLength(2);
    if (fill !== undefined) expect(await longestTurn(() => vault.verify())).toBeLessThan(LONGEST_TURN);
    // What follows is gone with the next update, or with the damage.
    await (fill === undefined ? vault.update((cache) => signIn(cache, 'cas')) : vault.recover());
    expect(statSync(file).size).toBeLessThan(1024 ** 2);
    await vault.close();
    await running.close();
  }, 60_000);
});

test('a name that is too long for file systems is refused before anything is created', async () => {
  const file = join(temporaryFolder(), 'x'.repeat(221));
  await expect(openVault({ file, keychain: memoryKeychain() })).rejects.toThrow(/220 bytes/);
  expect(await stateOf(join(temporaryFolder(), 'x'.repeat(220)))).toBe('ready');
});

test('changes by another program are reported within 100 ms, and listening keeps no program alive', async () => {
  const file = join(temporaryFolder(), 'cache.vault');
  const keychain = memoryKeychain();
  const [mine, theirs] = [await openVault({ file, keychain }), await openVault({ file, keychain })];
  await mine.update((cache) => signIn(cache, 'ada'));
  const waits: number[] = [];
  // Another program may take the processor at any time, but hardly each time.
  for (let count = 1; count <= 30 && (count <= 5 || Math.min(...waits) >= 100); count += 1) {
    const heard = new Promise<number>((resolve) => {
      const end = mine.on('change', () => {
        end();
        resolve(performance.now());
      });
    });
    await theirs.update((cache) => signIn(cache, `user-${count}`));
    const written = performance.now();
    waits.push((await heard) - written);
    if (count === 2) await theirs.compact();
  }
  expect(Math.min(...waits)).toBeLessThan(100);
  await mine.close();
  await theirs.close();
});

test.skipIf(!POSIX)(
  'a folder or file that others can write is reported as a warning, and the vault works',
  async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'cache.vault');
    const keychain = memoryKeychain();
    const vault = await openVault({ file, keychain });
    await vault.update((cache) => signIn(cache, 'ada'));
    expect(vault.status.warnings).toBeUndefined();
    chmodSync(folder, 0o777);
    chmodSync(file, 0o666);
    expect(await vault.retry()).toMatchObject({
      state: 'ready',
      warnings: ['folder_writable', 'file_writable'],
    });
    // Nobody can replace another's file in a folder like /tmp.
    chmodSync(folder, 0o1777);
    chmodSync(file, 0o600);
    expect((await vault.retry()).warnings).toBeUndefined();
    await vault.close();
  },
);
