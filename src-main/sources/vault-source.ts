/** Tokenkeep vaults as sources: another program's vault, or a copy. They are opened for one task and closed again. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dropOldHistories, putBack } from '../accounts/account-history.ts';
import { documentText } from '../cache/document/document.ts';
import { isAppData } from '../cache/app-data.ts';
import { Entry } from '../cache/entry.ts';
import { isRecord } from '../cache/json.ts';
import { markNumbers, unmarkNumbers } from '../cache/document/numbers.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import type { AccountSummary, SignOutReceipt } from '../cache/schema/entities.ts';
import { isSection } from '../cache/schema/fields.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { SourceError } from '../errors.ts';
import type { Vault } from '../vault/api.ts';
import { isVaultHeader, MAGIC_LENGTH } from '../vault/format/header.ts';
import type { VaultState } from '../vault/state.ts';
import { openVault } from '../vault/vault.ts';
import { type Gone, withGone } from './gone.ts';
import type { Unread } from './source-state.ts';

/** A vault: its absolute path, and its name in messages. */
interface VaultFile {
  readonly file: string;
  readonly name: string;
}

/**
 * Opens a vault by its absolute path.
 *
 * @example
 * import { openVault } from 'tokenkeep';
 * import type { OpenVault, SecretReaders } from 'tokenkeep/sources';
 *
 * const open: OpenVault = (file) => openVault({ file, service: 'My app' });
 * const secrets: SecretReaders = { vault: open };
 */
export type OpenVault = (file: string) => Promise<Vault>;

const openHere: OpenVault = (file) => openVault({ file });

/** Whether a file begins like a vault. Reads a few bytes, and never waits for a pipe. */
export async function isVaultFile(file: string): Promise<boolean> {
  const { O_NONBLOCK = 0 } = constants as Partial<typeof constants>;
  const handle = await open(file, constants.O_RDONLY | O_NONBLOCK).catch(() => null);
  if (handle === null) return false;
  try {
    if (!(await handle.stat()).isFile()) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_LENGTH), 0, MAGIC_LENGTH, 0);
    return isVaultHeader(buffer.subarray(0, bytesRead));
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

/** States in which the vault can't be read. In the others, a message may say that parts could not be read. */
const UNREAD: Partial<Record<VaultState, Unread['state']>> = {
  locked: 'locked',
  'no-keychain': 'sealed',
  'key-missing': 'sealed',
  'wrong-key': 'sealed',
  newer: 'not-understood',
  unreadable: 'no-permission',
};

/** Returns a copy of the vault's contents. */
export async function readVault(
  { file, name }: VaultFile,
  now: (() => number) | undefined,
  opener: OpenVault = openHere,
): Promise<{ readonly cache: TokenCache; readonly problem?: string } | Unread> {
  if (!(await isVaultFile(file)))
    return { state: 'gone', problem: `${file} was removed, or is no longer a vault.` };
  const vault = await opener(file);
  try {
    const { state, message } = vault.status;
    const unread = UNREAD[state];
    if (unread !== undefined) return { state: unread, problem: message ?? `${name} is ${state}.` };
    const text = await vault.read((cache) => documentText(cache));
    const cache = new SerializableTokenCache(now === undefined ? {} : { now });
    cache.deserialize(asCache(text));
    return state === 'ready' || message === undefined ? { cache } : { cache, problem: message };
  } finally {
    await vault.close();
  }
}

/** A document that holds grants alone is not recognized as a cache, so it gets an empty section. */
function asCache(text: string): string {
  const roots: unknown = JSON.parse(markNumbers(text));
  return unmarkNumbers(JSON.stringify({ Account: {}, ...(isRecord(roots) ? roots : {}) }));
}

/**
 * Signs an account out of a vault. `putBackIntoVault` takes what `removedFrom` returns. @throws VaultError if the vault can't be changed
 */
export async function signOutOfVault(
  { file }: Pick<VaultFile, 'file'>,
  account: AccountSummary,
  removedFrom: (change: () => void, text: () => string) => string,
  opener: OpenVault = openHere,
): Promise<{
  removed: SignOutReceipt['removed'];
  gone: string;
  oldKey: 'destroyed' | 'pending' | undefined;
}> {
  const vault = await opener(file);
  try {
    const { value, oldKey } = await vault.erase((cache) => {
      let removed: SignOutReceipt['removed'] | undefined;
      const gone = removedFrom(
        () => {
          ({ removed } = cache.signOut(account));
          dropOldHistories(cache); // in the same change, so that they can be restored
        },
        () => documentText(cache),
      );
      return { removed, gone };
    });
    if (value.removed === undefined) throw new Error('The change was not made.');
    return { removed: value.removed, gone: value.gone, oldKey };
  } finally {
    await vault.close();
  }
}

/**
 * Merges the removed entries into the vault again. Entries written since are newer and are kept.
 *
 * @throws SourceError `source_unreadable` if the file is no longer a vault: opening it would create a new one in its place
 */
export async function putBackIntoVault(
  { file }: Pick<VaultFile, 'file'>,
  gone: Gone | null,
  opener: OpenVault = openHere,
): Promise<void> {
  if (!(await isVaultFile(file)))
    throw new SourceError(
      'source_unreadable',
      `${file} was removed, can’t be read, or is no longer a vault. Nothing was put back. Bring the vault back to its place, then undo again.`,
    );
  const vault = await opener(file);
  try {
    const parts = Object.entries(gone !== null && 'parts' in gone ? gone.parts : {});
    // What is not understood has no entries that could be merged.
    const foreign = parts.filter(([root]) => !isSection(root) && !isAppData(root));
    const own = Object.fromEntries(parts.filter((part) => !foreign.includes(part)));
    const removed = new SerializableTokenCache();
    removed.deserialize(asCache(unmarkNumbers(JSON.stringify(withGone({}, { parts: own })))));
    await vault.update((cache) => {
      putBack(cache, removed);
      const store = storeOf(cache);
      store.run(() => {
        for (const [root, part] of foreign)
          store.put(Entry.of(root, null, withGone(store.kept(root)?.value, part)));
      });
    });
  } finally {
    await vault.close();
  }
}
