// Not in npm run check: its vaults have several megabytes.
// A large file is checked when it is opened, and read into memory afterwards. [Note: large files] in file-bytes.ts
import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { type Io, nodeIo } from '../../src-main/vault/disk/file.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

const USERS = Array.from({ length: 50 }, (_, index) => `user-${index}`);
const secretOf = (user: string): string => `${user} ${'x'.repeat(60_000)}`;
const ALL = Object.fromEntries(USERS.map((user) => [homeOf(user), `access ${secretOf(user)}`]));
/** The last one in the file. */
const LAST = homeOf('user-49');

const tokenOf = (vault: Vault, home_account_id: string): Promise<string | undefined> =>
  vault.read((cache) => cache.find('AccessToken', { query: { home_account_id } })[0]?.secret);

/** The real disk, on which the first file that was checked is not read into memory until `release` is called. */
class HeldBack {
  release = (): void => undefined;
  readonly #released = new Promise<void>((resolve) => (this.release = resolve));
  /** How often the vault’s file is open to be read. */
  opened = 0;
  #isUsed = false;
  /** How often something was read without waiting. */
  asked = 0;
  /** How often something was read after the file was checked. */
  readAfterwards = 0;

  ioFor(file: string): Io {
    return {
      ...nodeIo,
      open: async (path, flags, mode) => {
        const handle = await nodeIo.open(path, flags, mode);
        if (path !== file || flags !== 'r' || this.#isUsed || handle.readNow === undefined) return handle;
        this.#isUsed = true;
        this.opened += 1;
        let isChecked = false;
        return {
          ...handle,
          read: async (target, offset, length, position) => {
            if (isChecked) {
              this.readAfterwards += 1;
              await this.#released;
            }
            const { size } = await handle.stat();
            const found = await handle.read(target, offset, length, position);
            isChecked ||= position + found.bytesRead === Number(size);
            return found;
          },
          readNow: (...where) => {
            this.asked += 1;
            return handle.readNow?.(...where) ?? 0;
          },
          close: () => {
            this.opened -= 1;
            return handle.close();
          },
        };
      },
    };
  }
}

/** Writes into the file that is there, as `cp` does, rather than replacing it. */
function writeInto(file: string, bytes: Buffer, at: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

describe.skipIf(process.platform === 'win32')('a large file', () => {
  let file: string;
  let disk: HeldBack;
  let vault: Vault;
  let keychain: ReturnType<typeof memoryKeychain>;
  const open = (io: Io = nodeIo): Promise<Vault> => openVaultIn({ file, keychain }, { io });

  /** A vault of 6 MiB, which is open and not yet in memory. */
  beforeEach(async () => {
    file = join(temporaryFolder(), 'large.vault');
    keychain = memoryKeychain();
    disk = new HeldBack();
    const writer = await open();
    await writer.update((cache) => {
      for (const user of USERS) signIn(cache, user, secretOf(user));
    });
    await writer.close();
    copyFileSync(file, `${file}.older`);
    vault = await open(disk.ioFor(file));
    expect(vault.status.state).toBe('ready');
    expect(disk.opened).toBe(1);
    disk.asked = 0; // The mark’s frame, and the entries without an account.
  });

  afterEach(async () => {
    disk.release();
    await vault.close();
    await expect.poll(() => disk.opened).toBe(0);
  });

  test('lists its accounts from the index, and an account that is asked for is read from it', async () => {
    expect(await vault.read((cache) => cache.accounts().length)).toBe(USERS.length);
    expect(disk.asked).toBe(0);
    expect(await tokenOf(vault, LAST)).toBe(ALL[LAST]);
    expect(disk.asked).toBe(1);
  });

  test('is closed once it is in memory, and then not read again', async () => {
    disk.release();
    await expect.poll(() => disk.opened).toBe(0);
    writeInto(file, Buffer.alloc(readFileSync(file).length), 0);
    expect(await vault.read(usersIn)).toEqual(ALL);
    expect(disk.asked).toBe(0);
    expect(vault.status).toMatchObject({ state: 'damaged', kept: USERS.length });
  });

  test.each<[string, (file: string) => void, state: string]>([
    ['is deleted', (path) => rmSync(path), 'older'],
    ['is replaced by an older file', (path) => renameSync(`${path}.older`, path), 'older'],
  ])('that %s before it is in memory: the program keeps what it has opened', async (_name, become, state) => {
    await vault.update((cache) => signIn(cache, 'eve'));
    become(file);
    expect(await vault.read(usersIn)).toEqual({ ...ALL, [homeOf('eve')]: 'access secret of eve' });
    expect(vault.status).toMatchObject({ state, older: { mine: USERS.length + 1 } });
    disk.release();
    await vault.keepMine();
    const other = await open();
    expect(await other.read(usersIn)).toEqual({ ...ALL, [homeOf('eve')]: 'access secret of eve' });
    await other.close();
  });

  test('that is rewritten by another program before it is in memory', async () => {
    const other = await open();
    await other.signOut(homeOf('user-7'));
    await other.update((cache) => signIn(cache, 'user-8', 'new'));
    await other.close();
    const { [homeOf('user-7')]: _gone, ...rest } = ALL;
    expect(await vault.read(usersIn)).toEqual({ ...rest, [homeOf('user-8')]: 'access new' });
  });

  test('that somebody writes into before it is in memory: the loss is named, and the rest can be read', async () => {
    const { length } = readFileSync(file);
    writeInto(file, Buffer.alloc(2000, 7), length - 3000);
    await expect(tokenOf(vault, LAST)).rejects.toMatchObject({ code: 'vault_damaged' });
    const { [LAST]: _lost, ...rest } = ALL;
    expect(await vault.read(usersIn)).toEqual(rest);
    expect(vault.status).toMatchObject({
      state: 'damaged',
      recovered: { lost: ['user-49@contoso.example'] },
    });
  });

  test('that becomes shorter before it is in memory: the loss is named, and the file’s accounts can be taken', async () => {
    truncateSync(file, readFileSync(file).length - 3000);
    await expect(tokenOf(vault, LAST)).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(await tokenOf(vault, homeOf('user-48'))).toBe(ALL[homeOf('user-48')]);
    expect(vault.status.state).toBe('older');
    await vault.takeFile();
    const { [LAST]: _lost, ...rest } = ALL;
    expect(await vault.read(usersIn)).toEqual(rest);
  });

  test('that a copy of an older file is written into: its accounts can be taken, and listeners are told', async () => {
    const heard: string[] = [];
    vault.on('change', () => heard.push('change'));
    vault.on('status', ({ state }) => heard.push(state));
    await vault.update((cache) => signIn(cache, 'eve'));
    disk.release();
    truncateSync(file, 0);
    await expect.poll(() => disk.opened).toBe(0);
    copyFileSync(`${file}.older`, file);
    await expect.poll(() => vault.status.state).toBe('older');
    await expect(vault.keepMine()).rejects.toMatchObject({
      code: 'vault_damaged',
      message: /does not have all of/,
    });
    await vault.takeFile();
    expect(vault.status.state).toBe('ready');
    expect(await vault.read(usersIn)).toEqual(ALL);
    expect(heard.slice(-2).toSorted()).toEqual(['change', 'ready']);
  });

  test('that the disk can’t read is unreadable: at a start, and for a program that goes on with what it has', async () => {
    disk.release();
    await expect.poll(() => disk.opened).toBe(0);
    let isBroken = true;
    let opened = 0;
    const broken: Io = {
      ...nodeIo,
      open: async (...where) => {
        const handle = await nodeIo.open(...where);
        opened += 1;
        return {
          ...handle,
          read: (target, offset, length, position) =>
            isBroken && position >= 1024 * 1024
              ? Promise.reject(
                  Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }),
                )
              : handle.read(target, offset, length, position),
          close: () => {
            opened -= 1;
            return handle.close();
          },
        };
      },
    };
    const atStart = await open(broken);
    expect(atStart.status).toMatchObject({ state: 'unreadable', message: /EIO/ });
    expect(opened).toBe(0);
    isBroken = false;
    await expect.poll(() => atStart.read(usersIn)).toEqual(ALL);
    await expect.poll(() => opened).toBe(0);
    isBroken = true;
    copyFileSync(`${file}.older`, `${file}.again`);
    renameSync(`${file}.again`, file);
    expect(await atStart.read(usersIn)).toEqual(ALL);
    expect(atStart.status).toMatchObject({ state: 'unreadable', kept: USERS.length });
    await atStart.close();
    expect(opened).toBe(0);
  });

  test('is rewritten only when it is in memory', async () => {
    const receipt = vault.signOut(homeOf('user-3'));
    disk.release();
    expect(await receipt).toMatchObject({ remaining: 0, oldKey: 'destroyed' });
    expect(disk.asked).toBeLessThan(5); // Without waiting, each of the 49 frames would be asked for.
    const { [homeOf('user-3')]: _gone, ...rest } = ALL;
    expect(await vault.read(usersIn)).toEqual(rest);
    const other = await open();
    expect(await other.verify()).toMatchObject({ sound: true, accounts: USERS.length - 1 });
    expect(await other.read(usersIn)).toEqual(rest);
    await other.close();
  });

  test('is not read to its end for a program that closes the vault', async () => {
    const closed = vault.close();
    disk.release();
    await closed;
    await expect.poll(() => disk.opened).toBe(0);
    expect(disk.readAfterwards).toBe(1); // The piece that it waited for.
  });

  test('with damage is damaged at once, wherever the damage is', async () => {
    await vault.close();
    const bytes = readFileSync(file);
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9, 0.999]) {
      const at = Math.floor(bytes.length * part);
      writeInto(file, Buffer.from([(bytes[at] ?? 0) ^ 1]), at);
      const damaged = await open();
      expect(damaged.status).toMatchObject({ state: 'damaged', recovered: { of: USERS.length } });
      await damaged.close();
      writeInto(file, bytes.subarray(at, at + 1), at);
    }
  });
});
