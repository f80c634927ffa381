import { randomBytes } from 'node:crypto';
import { dropOldHistories, markAllAsShared, markUnknownAsShared } from '../accounts/account-history.ts';
import type { Change } from '../cache/entry.ts';
import { transact } from '../cache/token-cache.ts';
import { InvalidArgumentError, KeychainError, VaultError } from '../errors.ts';
import { type Access, abandon, rewrite } from './commit.ts';
import { type Contents, isEmptied, isManifestLost, keptFrames, markOf } from './contents.ts';
import { keepCopy, setAside } from './disk/file.ts';
import { withTombstones } from './format/batch.ts';
import type { Slot } from './format/header.ts';
import { type History, joinedHistory, NO_HISTORY } from './format/history.ts';
import { latestMark, type Mark } from './format/key-item.ts';
import { look, type Opening, type Original, stateFor } from './open.ts';
import { changedMeanwhile, notComplete, nothingReadable, refusal } from './refusal.ts';
import type { Settings } from './settings.ts';
import { otherSlot } from './slots.ts';
import type { VaultState } from './state.ts';
import { removeSignedOut } from './tombstones.ts';

/** Sets the file aside and starts an empty vault. See `Vault.startFresh`. */
export async function startFresh(access: Access): Promise<void> {
  const { settings, memory } = access;
  await access.writing(async () => {
    await access.lookAgain();
    const state = assertState(memory.opening, ['key-missing', 'wrong-key', 'damaged']);
    if (memory.opening.identity !== null) {
      const label = state === 'damaged' ? 'damaged' : 'orphan';
      await setAside(settings.io, settings.file, label, new Date(settings.now()));
    }
    await memory.replace(await look(settings));
  });
}

/** Keeps the salvaged accounts. See `Vault.recover`. */
export async function recover(access: Access): Promise<void> {
  const { settings, memory } = access;
  await access.writing(async () => {
    // The keychain is asked, whatever is in memory: the file may be a copy by now, whose key is the original's.
    const found = await look(settings, { ...memory.known, followed: null });
    assertState(found, ['damaged']);
    const { contents, key, slot } = found;
    if (contents === null || key === null) {
      throw nothingReadable();
    }
    if (found.original !== null) {
      await keepCopy(settings.io, settings.file, 'damaged', new Date(settings.now()));
      settleHistories(contents);
      shareHistories(contents, found.original);
      await memory.replace({ ...found, ...(await writeOwn(settings, contents)) });
      memory.isUnmarked = true;
      key.fill(0);
      return;
    }
    await keepCopy(settings.io, settings.file, 'damaged', new Date(settings.now()));
    const { cache, groups, header } = contents;
    const { fileId } = header;
    const seen = memory.seen?.fileId.equals(fileId) === true ? (memory.mine?.contents ?? null) : null;
    const mark = latestMark([found.mark, seen && markOf(seen)]);
    takeTombstones(contents, mark);
    settleHistories(contents);
    // The damage may have taken the note with it that the key has to be replaced.
    const isPending = found.isSignOutPending || (seen !== null && seen.metadata.pending !== null);
    const metadata = isPending ? { ...contents.metadata, pending: 'rotate' as const } : contents.metadata;
    const source = { cache, previous: contents, kept: groups, key, slot, metadata, fileId };
    const generation = generationAfter(mark, contents);
    const history = historyAfter(found, contents, mark, seen);
    const written = await rewrite(settings, { ...source, generation, history });
    await memory.replace({ ...found, ...written, state: 'ready', error: null });
    memory.isUnmarked = true;
  });
}

/** Returns the history of what is recovered: who has read more of the file than that is told, and the marks of this machine are accepted. */
function historyAfter(
  { isBehind }: Opening,
  contents: Contents,
  mark: Mark | null,
  seen: Contents | null,
): History {
  const { history, isWhole } = contents;
  const marks = statesIn([mark]);
  if (isWhole === true && !isBehind) return joinedHistory([history], marks);
  const lostTo = generationAfter(mark, contents) - 1n;
  return joinedHistory([{ ...history, lostTo }, ...(seen === null ? [] : [seen.history])], marks);
}

/** Notes the sign-outs that a damaged file may have lost. If it was written before them, their accounts are removed. */
function takeTombstones(contents: Contents, mark: Mark | null): void {
  if (mark === null) return;
  const { header, end, metadata } = contents;
  // Without the manifest's epoch, an account of this generation that was signed out and in again could not be told from one that is out.
  const isShorter = mark.end > end.at && !isManifestLost(contents);
  const isOlder = mark.generation > header.generation || (mark.generation === header.generation && isShorter);
  if (isOlder) removeSignedOut(contents, mark.tombstones);
  else
    contents.metadata = withTombstones(
      metadata,
      mark.tombstones.map((one) => ({ ...one, at: 0 })),
    );
}

/** The states in which `keepMine` is possible, and the label of the replaced file in each. */
const KEPT_AS: ReadonlyMap<VaultState, string> = new Map([
  ['older', 'older'],
  ['damaged', 'damaged'],
  ['key-missing', 'orphan'],
  ['wrong-key', 'orphan'],
]);

/** Replaces the file with what this program has in memory. See `Vault.keepMine`. */
export async function keepMine(access: Access): Promise<void> {
  const { settings, memory } = access;
  await whileIn([...KEPT_AS.keys()], access, async (opening) => {
    const { mine } = memory;
    const contents = mine?.contents ?? null;
    if (mine === null || contents === null) {
      if (opening.state !== 'older') assertState(opening, []);
      throw new InvalidArgumentError(
        'keepMine: this program has nothing newer in memory, because the file was older when it was opened. Nothing was changed. Take the file’s contents.',
      );
    }
    const { fileId } = contents.header;
    const { key, slot, marks } = await keyFor(access, fileId, mine.slot);
    await access.inTurn(() =>
      access.writing(async () => {
        const label = KEPT_AS.get(memory.opening.state);
        if (label === undefined || memory.mine !== mine) throw changedMeanwhile();
        const known = [opening.mark, memory.opening.mark, markOf(contents), ...marks];
        const mark = latestMark(known);
        memory.notify([removeSignedOut(contents, mark?.tombstones ?? [])]);
        if (memory.opening.identity !== null) {
          await keepCopy(settings.io, settings.file, label, new Date(settings.now()));
        }
        // An async function, because the frames that are kept may be known only after accounts have been read.
        const replaced = async (): ReturnType<typeof rewrite> =>
          rewrite(settings, {
            cache: memory.cache,
            previous: contents,
            kept: keptFrames(contents, memory.held),
            key,
            slot,
            metadata: contents.metadata,
            fileId,
            generation: generationAfter(mark, contents, memory.opening.contents),
            history: joinedHistory(
              [contents.history, ...historyOf(memory.opening.contents)],
              statesIn(known),
            ),
          });
        const written = await replaced().catch((error: unknown) => {
          throw error instanceof VaultError && error.code === 'vault_damaged' ? notComplete(error) : error;
        });
        const found = { ...written, key, slot, state: 'ready', error: null, mark } as const;
        memory.saved({ ...mine, ...found }, Math.floor(settings.now() / 1000));
      }),
    );
  });
}

/** Accepts an older file, except accounts that were signed out since it was written. See `Vault.takeFile`. */
export async function takeFile(access: Access): Promise<void> {
  const { settings, memory } = access;
  await whileIn(['older'], access, async ({ fileId, identity, slot: current }) => {
    const isAnother =
      memory.seen !== null && fileId !== null && !memory.seen.fileId.equals(fileId) && identity !== null;
    if (identity === null || isAnother) {
      await access.inTurn(async () => memory.replace(await look(settings), { discard: true }));
      return;
    }
    const found = memory.opening.contents;
    if (fileId === null || found === null || isEmptied(found)) throw unopenable();
    const { key, slot, marks } = await keyFor(access, fileId, current);
    await access.inTurn(() =>
      access.writing(async () => {
        const { mine, opening } = memory;
        const { contents } = opening;
        if (opening.state !== 'older' || contents === null) throw changedMeanwhile();
        const seen = mine?.contents ?? null;
        const known = [opening.mark, seen && markOf(seen), ...marks];
        const mark = latestMark(known);
        removeSignedOut(contents, mark?.tombstones ?? []);
        settleHistories(contents);
        const isPending = opening.isSignOutPending || seen?.metadata.pending === 'rotate';
        const label = contents.recovered === null ? 'older' : 'damaged';
        await keepCopy(settings.io, settings.file, label, new Date(settings.now()));
        const written = await rewrite(settings, {
          cache: contents.cache,
          previous: contents,
          kept: contents.groups,
          key,
          slot,
          metadata: isPending ? { ...contents.metadata, pending: 'rotate' } : contents.metadata,
          fileId,
          generation: generationAfter(mark, contents),
          history: joinedHistory([...historyOf(contents), ...historyOf(seen)], statesIn(known)),
        });
        const taken = { ...opening, ...written, key, slot, state: 'ready', error: null, mark } as const;
        await memory.replace(taken, { discard: true });
        memory.isUnmarked = true;
      }),
    );
  });
}

/** Gives a copy an id and a key of its own. See `Vault.makeOwn`. */
export async function makeOwn(access: Access): Promise<void> {
  const { settings, memory } = access;
  await access.writing(async () => {
    await access.lookAgain();
    const { opening } = memory;
    assertState(opening, ['copy']);
    const { contents, original } = opening;
    if (contents === null || original === null) throw refusal('copy', opening.error);
    memory.notify([shareHistories(contents, original)]);
    const own = await writeOwn(settings, contents);
    memory.saved({ ...opening, ...own }, Math.floor(settings.now() / 1000));
  });
}

/** Notes that the original's programs continue to use the same refresh tokens. */
function shareHistories({ cache }: Contents, { path }: Original): readonly Change[] {
  return transact(cache, () => markAllAsShared(cache, path)).changes;
}

/** Replaces the file of a copy with a vault that has an id and a key of its own, and the same contents. */
async function writeOwn(settings: Settings, { cache, metadata }: Contents) {
  const fileId = randomBytes(16);
  const now = Math.floor(settings.now() / 1000);
  const key = await settings.slots.make(fileId, 'a', null);
  const written = await rewrite(settings, {
    cache,
    previous: null,
    kept: new Map(), // Secrets are bound to the id, so all of them are sealed again.
    key,
    slot: 'a',
    metadata: { keyMadeAt: now, pending: null, epoch: metadata.epoch, tombstones: [] },
    fileId,
    history: NO_HISTORY,
  }).catch(async (error: unknown) => {
    await abandon(settings, { fileId, slot: 'a', key });
    throw error;
  });
  const own = { ...written, fileId, key, slot: 'a', mark: null, original: null } as const;
  return { ...own, state: 'ready', error: null, isSignOutPending: false } as const;
}

/** Runs `task` with the key lock held, because it may have to ask the keychain for the vault's key. */
async function whileIn(
  states: readonly VaultState[],
  access: Access,
  task: (opening: Opening) => Promise<void>,
): Promise<void> {
  const { settings, memory } = access;
  await settings.rekeying.hold(async () => {
    await access.inTurn(() => access.catchUp());
    assertState(memory.opening, states);
    await task(memory.opening);
  });
}

/**
 * Returns a key that the keychain holds for this vault: the key in this slot; otherwise the key in the other slot,
 * where another program may have put it; otherwise a new key.
 */
async function keyFor(
  { settings }: Access,
  fileId: Buffer,
  preferred: Slot,
): Promise<{ key: Buffer; slot: Slot; marks: (Mark | null)[] }> {
  try {
    const marks: (Mark | null)[] = [];
    let found: { key: Buffer; slot: Slot } | null = null;
    for (const slot of [preferred, otherSlot(preferred)]) {
      const item = await settings.slots.read(fileId, slot);
      if (typeof item === 'string') continue;
      marks.push(item.mark);
      found ??= { key: item.key, slot };
    }
    found ??= { key: await settings.slots.make(fileId, preferred, null), slot: preferred };
    return { ...found, marks };
  } catch (cause) {
    // The vault stays `older` and keeps what is in memory. The user can unlock the keychain and try again.
    throw cause instanceof KeychainError ? refusal(stateFor(cause), cause) : cause;
  }
}

/**
 * Accounts that were lost from a damaged file leave no history behind: a later sign-in starts a new one. And where the histories themselves
 * may be lost, they may have recorded that another program uses these refresh tokens, so the user is asked again.
 */
function settleHistories({ cache, recovered, isLooseLost }: Contents): void {
  if (recovered === null) return;
  transact(cache, () => {
    if (isLooseLost === true) markUnknownAsShared(cache); // before histories are dropped, and roots with them
    dropOldHistories(cache);
  });
}

/** Returns the history of the contents, if it is known. That of a damaged file may have gaps. */
function historyOf(contents: Contents | null): History[] {
  return contents === null || contents.recovered !== null ? [] : [contents.history];
}

/** Returns all marks of this machine, for which the chosen file is current; the keychain has one in each slot. */
function statesIn(marks: readonly (Mark | null)[]): Mark[] {
  return marks.flatMap((mark) => (mark === null || mark.end === 0 ? [] : [mark]));
}

function generationAfter(mark: Mark | null, ...all: (Contents | null)[]): bigint {
  const known = [mark?.generation ?? 0n, ...all.map((one) => one?.header.generation ?? 0n)];
  return known.reduce((most, one) => (one > most ? one : most)) + 1n;
}

function unopenable(): VaultError {
  return new VaultError(
    'vault_key_missing',
    'The older file can’t be opened: its key was destroyed when an account was signed out, or it is damaged. Nothing was changed. Keep what this program has.',
  );
}

function assertState(
  { state, error }: Pick<Opening, 'state' | 'error'>,
  allowed: readonly VaultState[],
): VaultState {
  if (allowed.includes(state)) return state;
  if (state !== 'ready') throw refusal(state, error ?? undefined);
  throw new InvalidArgumentError(
    'This vault is ready: there is nothing to recover, and nothing was changed.',
  );
}
