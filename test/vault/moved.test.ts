import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault, VaultOptions } from '../../src-main/vault/api.ts';
import { type Io, type IoFile, nodeIo } from '../../src-main/vault/disk/file.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';
import { MOVES, moved } from '../support/moved.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { homeOf, signIn, usersIn } from './people.ts';

// Programs that sync, restore or tidy up move lock files and folders while vaults are open.

const vaults: Vault[] = [];
afterEach(async () => {
  await Promise.all(vaults.splice(0).map((vault) => vault.close()));
});

function placed(): VaultOptions {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  return { file: join(folder, 'cache.vault'), keychain: memoryKeychain() };
}

async function opened(place: VaultOptions, io: Io = nodeIo): Promise<Vault> {
  const vault = await openVaultIn(place, { io });
  vaults.push(vault);
  return vault;
}

const update = (vault: Vault, user: string): Promise<void> => vault.update((cache) => signIn(cache, user));
const users = async (vault: Vault): Promise<string[]> =>
  (await vault.read((cache) => Object.keys(usersIn(cache)), { held: true })).toSorted();

/** Moves the lock file, and with a folder everything in it. A folder that is empty afterwards is another case: the vault is gone. */
const ways = MOVES.filter((how) => how !== 'in a folder that was renamed');

describe.each(ways)('a lock file that is %s (failure 15a)', (how) => {
  test('between writes: no update of two programs is lost, and one of them at a time is exclusive', async () => {
    const place = placed();
    const first = await opened(place);
    for (const user of ['ada', 'ben', 'cas']) {
      await update(first, user);
      await first.exclusively('name', () => Promise.resolve());
    }
    for (const end of ['.lock', '.lock-queue']) {
      moved(how, `${place.file}${end}`);
      if (how.includes('folder')) break;
    }
    const second = await opened(place);
    const saved = ['ada', 'ben', 'cas'].map(homeOf);
    const write = async (vault: Vault, name: string): Promise<void> => {
      for (let n = 0; n < 12; n += 1)
        await update(vault, `${name}${n}`).then(() => saved.push(homeOf(`${name}${n}`)));
    };
    await Promise.all([write(first, 'f'), write(second, 's')]);
    const third = await opened(place);
    expect(third.status.state).toBe('ready');
    expect(await users(third)).toEqual(saved.toSorted());

    let [holders, most] = [0, 0];
    const turn = async (): Promise<void> => {
      most = Math.max(most, (holders += 1));
      await new Promise((resolve) => setTimeout(resolve, 30));
      holders -= 1;
    };
    await Promise.all([first, second, third].map((vault) => vault.exclusively('name', turn)));
    expect(most).toBe(1);
  });

  test('while an update is written: it is not acknowledged, and the next one is', async () => {
    const place = placed();
    let move = (): void => undefined;
    const vault = await opened(
      place,
      whenFlushed(() => move()),
    );
    await update(vault, 'ada');
    move = () => {
      move = () => undefined;
      moved(how, `${place.file}.lock`);
    };
    await expect(update(vault, 'ben')).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('Whether the last change is in the file is not known.'),
    });
    await update(vault, 'cas');
    const all = await users(await opened(place));
    expect(all).toEqual(expect.arrayContaining([homeOf('ada'), homeOf('cas')]));
    expect(await users(vault)).toEqual(all);
  });

  test('while the whole file is written: it is not replaced', async () => {
    const place = placed();
    let move = (): void => undefined;
    const vault = await opened(
      place,
      whenFlushed(() => move()),
    );
    await update(vault, 'ada');
    const before = readFileSync(place.file);
    move = () => {
      move = () => undefined;
      moved(how, `${place.file}.lock`);
    };
    await expect(vault.compact()).rejects.toMatchObject({ code: 'storage_failed' });
    expect(readFileSync(place.file)).toEqual(before);
    await vault.compact();
    expect(await users(await opened(place))).toEqual([homeOf('ada')]);
  });
});

/** The real disk, which runs a function each time a file was flushed. */
function whenFlushed(flushed: () => void): Io {
  return {
    ...nodeIo,
    open: async (file, flags, mode) => {
      const handle = await nodeIo.open(file, flags, mode);
      const then = (flush: () => Promise<void>) => async (): Promise<void> => {
        await flush();
        flushed();
      };
      const watched: IoFile = {
        ...handle,
        datasync: then(() => handle.datasync()),
        sync: then(() => handle.sync()),
      };
      return watched;
    },
  };
}
