import { dirname } from 'node:path';
import { KeychainError, type TokenkeepError, type VaultError } from '../errors.ts';
import { type Contents, readContents } from './contents.ts';
import { hear, type Identity, readWhole } from './disk/atomic-file.ts';
import { FRAMES_AT, readHeader, type Slot } from './format/header.ts';
import type { Io } from './disk/io.ts';
import { keyCheck } from './format/keys.ts';
import { paced } from './pace.ts';
import { refusal } from './refusal.ts';
import type { KeySlots } from './slots.ts';
import type { VaultState } from './state.ts';
import { errnoOf, storageError } from './disk/storage-error.ts';

/** What was found at a vault's place. Opening changes nothing: not the file, not the key. */
export interface Opening {
  state: VaultState;
  /** Why it is not `ready`. */
  error: TokenkeepError | null;
  /** `null`: there is no file, or nothing in it can be read. */
  contents: Contents | null;
  /** `null`: there is none yet, or it is not to be had. */
  key: Buffer | null;
  slot: Slot;
  /** `null`: there is no file. */
  identity: Identity | null;
}

/** `openFile`, and whether what was found can be written. Where it can't, it can still be read. */
export async function look(
  { io, file, slots }: { io: Io; file: string; slots: KeySlots },
  known: Buffer | null = null,
): Promise<Opening> {
  const opening = await openFile(io, file, slots, known);
  if (opening.state !== 'ready') return opening;
  for (const path of [dirname(file), file]) {
    try {
      await io.writable(path);
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') continue; // It is made at the first save.
      return { ...opening, state: 'read-only', error: storageError(cause) };
    }
  }
  return opening;
}

/**
 * `known` is a key that opened this vault before: as long as it is the file's, the keychain is left in peace, and may
 * be locked.
 */
export async function openFile(
  io: Io,
  file: string,
  slots: KeySlots,
  known: Buffer | null = null,
): Promise<Opening> {
  let whole: Awaited<ReturnType<typeof readWhole>>;
  let early: { slot: Slot; key: ReturnType<ReadSlot> } | null = null;
  try {
    if (known === null) {
      // The keychain takes its time; it is asked before the bulk of the file is read.
      const slot = (await readSlot(io, file)) ?? 'a';
      early = { slot, key: hear(slots.read(slot)) };
    }
    whole = await readWhole(io, file);
  } catch (cause) {
    return { ...NOTHING, state: 'unreadable', error: refusal('unreadable', storageError(cause)) };
  }
  const read = (slot: Slot) => (slot === early?.slot ? early.key : slots.read(slot));
  try {
    return whole === null
      ? await openNothing(read)
      : await openBytes(whole.bytes, whole.identity, read, known);
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    return { ...NOTHING, state: stateFor(error), error, identity: whole?.identity ?? null };
  }
}

export function stateFor(error: KeychainError): 'no-keychain' | 'locked' {
  return error.outcome === 'locked' ? 'locked' : 'no-keychain';
}

const NOTHING = { contents: null, key: null, slot: 'a', identity: null } as const;

type ReadSlot = (slot: Slot) => ReturnType<KeySlots['read']>;

/** No file: an empty cache. A key that is there is this vault's own, whose file is gone or not yet written. */
async function openNothing(read: ReadSlot): Promise<Opening> {
  for (const slot of ['a', 'b'] as const) {
    const key = await read(slot);
    if (key === 'invalid') return { ...NOTHING, slot, ...refused('wrong-key') };
    if (key !== 'absent') return { ...NOTHING, state: 'ready', error: null, key, slot };
  }
  return { ...NOTHING, state: 'ready', error: null };
}

async function openBytes(
  bytes: Buffer,
  identity: Identity,
  read: ReadSlot,
  known: Buffer | null,
): Promise<Opening> {
  const found = readHeader(bytes);
  if (found.kind === 'newer') return { ...NOTHING, identity, ...refused('newer') };
  if (found.kind === 'none') return { ...NOTHING, identity, ...refused('damaged') };
  const { slot, salt, check } = found.header;
  const fits = (key: Buffer): boolean => keyCheck(key, salt).equals(check);
  const key = known !== null && fits(known) ? Buffer.from(known) : await read(slot);
  if (key === 'absent') return { ...NOTHING, slot, identity, ...refused('key-missing') };
  if (key === 'invalid' || !fits(key)) {
    return { ...NOTHING, slot, identity, ...refused('wrong-key') };
  }
  const contents = await paced(readContents(bytes, found, key));
  if (contents.recovered === null) return { state: 'ready', error: null, contents, key, slot, identity };
  return { ...refused('damaged'), contents, key, slot, identity };
}

function refused(state: Exclude<VaultState, 'ready'>): { state: VaultState; error: VaultError } {
  return { state, error: refusal(state) };
}

async function readSlot(io: Io, file: string): Promise<Slot | null> {
  const found = readHeader((await readWhole(io, file, FRAMES_AT))?.bytes ?? Buffer.alloc(0));
  return found.kind === 'header' ? found.header.slot : null;
}
