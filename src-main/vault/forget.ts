import { dirname } from 'node:path';
import { KeychainError } from '../errors.ts';
import type { Forgotten } from './api.ts';
import type { Access } from './commit.ts';
import { identify, isRegular, notAFile, readWhole, replaceFile } from './disk/file.ts';
import { storageError } from './disk/storage-error.ts';
import type { Slot } from './format/header.ts';
import { isStoredFor } from './format/key-item.ts';
import { look, lookForVault, markFileOf, readFileId } from './open.ts';
import type { Settings } from './settings.ts';
import type { SlotReading } from './slots.ts';

/** [Note: forgotten keys] This file lists the ids of deleted vaults whose keys still have to be deleted. */
function listOf(file: string): string {
  return `${file}.forgotten`;
}

/** See `Vault.forget`. */
export async function forget(access: Access): Promise<Forgotten> {
  const { settings, memory } = access;
  const { io, file } = settings;
  const empty = async (): Promise<void> => memory.replace(await look(settings), { discard: true });
  if ((await identify(io, dirname(file)).catch(() => null)) === null) {
    await access.inTurn(empty);
    return { key: 'none' };
  }
  const work = async (): Promise<Forgotten> => {
    const ids = new Set<string>();
    const { opening, mine } = memory;
    const isCopy = opening.original !== null;
    const found = await access.inTurn(() =>
      settings.writing.hold(async () => {
        const there = await readFileId(io, file).catch(() => null);
        for (const id of [there, mine?.fileId, opening.identity === null ? null : opening.fileId]) {
          if (id) ids.add(id.toString('hex'));
        }
        const exists = (await identify(io, file)) !== null;
        // A link may lead to a device, which anyone else needs.
        if (exists && !isRegular(await io.stat(file))) throw notAFile(file);
        if (!isCopy && ids.size > 0) await remember(settings, [...ids]);
        await settings.log.close();
        if (exists) await io.unlink(file);
        await io.unlink(markFileOf(file)).catch(() => undefined);
        return exists || mine !== null;
      }),
    );
    const key = found ? await keyOf(settings, isCopy, [...ids]) : 'none';
    await access.inTurn(empty);
    return { key };
  };
  try {
    return await settings.rekeying.hold(work);
  } catch (cause) {
    throw cause instanceof KeychainError ? cause : storageError(cause);
  }
}

async function keyOf(settings: Settings, isCopy: boolean, ids: string[]): Promise<Forgotten['key']> {
  if (isCopy) return 'kept';
  if (ids.length === 0) return 'unknown';
  try {
    return await destroyKeys(settings, ids);
  } catch (error) {
    if (error instanceof KeychainError) return 'pending';
    throw error;
  }
}

/** Deletes the keys that an earlier `forget` at this path could not delete. */
export async function finishForgetting({ settings }: Access): Promise<void> {
  if ((await identify(settings.io, listOf(settings.file)).catch(() => null)) === null) return;
  await settings.rekeying.hold(() => destroyKeys(settings));
}

async function remember(settings: Settings, ids: readonly string[]): Promise<void> {
  const before = await remembered(settings).catch(() => []); // A list that can't be read is replaced.
  await writeList(settings, new Set([...before, ...ids]));
}

async function writeList({ io, file }: Settings, ids: ReadonlySet<string>): Promise<void> {
  await replaceFile(io, listOf(file), [Buffer.from([...ids].join('\n'))].values(), { owner: file });
}

async function remembered({ io, file }: Settings): Promise<string[]> {
  const list = await readWhole(io, listOf(file), 64 * 1024);
  return list === null
    ? []
    : list.bytes
        .toString('latin1')
        .split('\n')
        .filter((id) => /^[0-9a-f]{32}$/.test(id));
}

/**
 * @param own the ids of a vault that was open here. No other place is the original's, unless the vault is there as well
 * @returns what happened to the keys of these
 */
async function destroyKeys(settings: Settings, own: readonly string[] = []): Promise<Forgotten['key']> {
  const { io, file, slots } = settings;
  const undecided = new Set<string>();
  const kept = new Set<string>();
  for (const id of await remembered(settings)) {
    const fileId = Buffer.from(id, 'hex');
    // The file exists (again): it was not deleted, and needs its key. One that can't be read may be it.
    const isHere = await lookForVault(io, file, fileId);
    if (isHere !== false) {
      (isHere ? kept : undecided).add(id);
      continue;
    }
    const items: [Slot, SlotReading][] = [];
    for (const slot of ['a', 'b'] as const) items.push([slot, await slots.read(fileId, slot)]);
    for (const [slot, item] of items) {
      const isElsewhere = typeof item !== 'string' && isStoredFor(item, file) === false;
      const found = !isElsewhere
        ? false
        : item.file === null
          ? true // A path that was too long to be stored: nobody can look there.
          : await lookForVault(io, item.file, fileId);
      if (found === true) kept.add(id);
      else if (found === null && !own.includes(id)) undecided.add(id);
      else await slots.destroy(fileId, slot); // Also if it is absent: `firstOf` tells whether a keychain could not be asked.
    }
  }
  if (undecided.size === 0) await io.unlink(listOf(file)).catch(() => undefined);
  else await writeList(settings, undecided);
  if (own.some((id) => undecided.has(id))) return 'pending';
  return own.some((id) => kept.has(id)) ? 'kept' : 'destroyed';
}
