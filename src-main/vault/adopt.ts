import { isDeepStrictEqual } from 'node:util';
import { readDocument } from '../cache/document/document.ts';
import { isMerged, merge } from '../cache/document/merge.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { lostNames } from '../cache/json.ts';
import type { TokenResponseEvent } from '../cache/response.ts';
import { storeOf } from '../cache/token-cache.ts';
import { DocumentError, InvalidArgumentError, StorageError, VaultError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import type { Vault } from './api.ts';
import { type ImportReport, reportOf } from './exchange/import.ts';

/**
 * A cache that an app kept its sign-ins in before it used a vault.
 *
 * @example
 * import type { EarlierCache } from 'tokenkeep/vault';
 *
 * const earlier: EarlierCache = {
 *   read: () => settings.get('tokens'),
 *   remove: (moved) => settings.get('tokens') === moved && settings.delete('tokens'),
 * };
 */
export interface EarlierCache {
  /**
   * Reads the old copy: a cache document as text or UTF-8, or token responses as `cache.add` takes them, for apps with a format of their
   * own. null, undefined or an empty text means that there is no old copy (any more).
   */
  read(): EarlierContents | Promise<EarlierContents>;
  /**
   * Removes the old copy. Called once everything in it was read back from the vault. If it has changed since, and is no longer `moved`,
   * leave it: `adopt` then reads and moves it again.
   *
   * @param moved what `read` returned
   */
  remove(moved: EarlierContents): unknown;
}

/** The contents of an old copy. */
export type EarlierContents =
  | string
  | Uint8Array
  | TokenResponseEvent
  | readonly TokenResponseEvent[]
  | null
  | undefined;

/** The result of a move into the vault. */
export interface AdoptionReport extends ImportReport {
  /** Whether there was an old copy. It is gone now. */
  adopted: boolean;
}

/** How often an old copy is read again, because an older version of the app changed it in the meantime. */
const MOST_READINGS = 10;

/**
 * Moves the sign-ins of an earlier cache into the vault: reads the old copy, merges it, reads the vault back from the disk, and only then
 * removes the old copy. Call it at each start, before the app uses the vault; once the old copy is gone, it costs one `read`.
 *
 * Processes that start at the same time take turns, and only the first one finds an old copy. If the vault and the old copy both have a
 * credential, the newer one is kept. If an older version of the app writes the old copy meanwhile, it is merged again; what it writes
 * between the last comparison and the removal is safe if `remove` compares as well, as that of `earlierFile` does. Nothing is written in
 * plain text.
 *
 * If it rejects, the old copy is still there, and nothing that the vault had is lost.
 *
 * @throws what `read` and `remove` throw; DocumentError if the old copy is not understood, or has two fields of one name;
 *   InvalidArgumentError for a token response that can't be added; VaultError if the vault is not `ready`; StorageError if the vault does
 *   not hold what was written, or if the old copy is still there after `remove`
 * @example
 * import { adopt, openVault } from 'tokenkeep';
 * import { earlierFile } from 'tokenkeep/vault';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * await adopt(vault, earlierFile('/home/ada/.config/my-app/cache.json'));
 */
export async function adopt(vault: Vault, earlier: EarlierCache): Promise<AdoptionReport> {
  const given = checkOptions('adopt', earlier, { read: true, remove: true }, 'Nothing was moved.');
  for (const field of ['read', 'remove'] as const) {
    if (typeof given[field] === 'function') continue;
    throw new InvalidArgumentError(`adopt: \`${field}\` must be a function. Nothing was moved.`, { field });
  }
  return vault.exclusively('adopt an earlier cache', async () => {
    const total: AdoptionReport = { adopted: false, ...nothing() };
    let contents = await earlier.read();
    let wasThere = false;
    for (let readings = 1; !isNothing(contents); readings += 1) {
      if (readings > MOST_READINGS) throw busy();
      const moved = contents;
      add(total, await take(vault, cacheOf(moved)));
      contents = await earlier.read();
      if (!isDeepStrictEqual(contents, moved)) continue; // An older version of the app has changed or removed the old copy.
      await earlier.remove(moved);
      contents = await earlier.read(); // It may have been written to again, before or after it was removed.
      if (!isDeepStrictEqual(contents, moved)) continue;
      if (wasThere) throw stillThere();
      wasThere = true; // An older version of the app may have written the same once more.
    }
    return total;
  });
}

/** Merges the cache, and makes sure that the vault's file holds it. */
async function take(vault: Vault, old: SerializableTokenCache): Promise<ImportReport> {
  const report = reportOf(await vault.update((cache) => merge(cache, old)));
  if (vault.status.held === 'memory') {
    // With `unprotected: 'memory'`, the change is saved later, and the old copy must stay until then.
    throw new VaultError(
      'vault_locked',
      `${vault.status.message ?? 'The vault can’t be written.'} Until then, what was in the earlier cache is in memory only, so that cache was not removed. Adopt it again when the vault is saved.`,
    );
  }
  const { sound } = await vault.verify();
  if (!sound || !(await vault.read((cache) => isMerged(cache, old)))) throw unlike();
  return report;
}

function cacheOf(contents: NonNullable<EarlierContents>): SerializableTokenCache {
  const cache = new SerializableTokenCache();
  const text = contents instanceof Uint8Array ? new TextDecoder().decode(contents) : contents;
  if (typeof text !== 'string') for (const event of [text].flat()) cache.add(event);
  else if (lostNames(text, readDocument(storeOf(cache), text))) throw ambiguous();
  return cache;
}

/** The vault would have one of the two, and the other would be removed with the old copy. */
function ambiguous(): DocumentError {
  return new DocumentError(
    'document_not_a_cache',
    'The earlier cache has two fields of the same name, of which only one could be kept. No MSAL library writes such a document. Nothing was moved, and the earlier cache is unchanged. Remove one of the two from it.',
  );
}

function isNothing(contents: EarlierContents): contents is null | undefined | '' {
  if (contents === null || contents === undefined) return true;
  return (typeof contents === 'string' || 'length' in contents) && contents.length === 0;
}

const nothing = (): ImportReport => ({
  accountsAdded: 0,
  tokensAdded: 0,
  tokensReplaced: 0,
  notUnderstood: 0,
});

function add(total: AdoptionReport, report: ImportReport): void {
  total.adopted = true;
  total.accountsAdded += report.accountsAdded;
  total.tokensAdded += report.tokensAdded;
  total.tokensReplaced += report.tokensReplaced;
  total.notUnderstood += report.notUnderstood;
}

function busy(): VaultError {
  return new VaultError(
    'vault_busy',
    'Another program keeps changing the earlier cache. What was in it is in the vault as well, and it was not removed. Close that program, then try again.',
  );
}

function unlike(): StorageError {
  return new StorageError(
    'storage_failed',
    'The vault does not hold what was just written to it. The earlier cache was not removed. Check the disk, then try again.',
  );
}

function stillThere(): StorageError {
  return new StorageError(
    'storage_failed',
    'The earlier cache is in the vault now, but its old copy is still there after it was removed, with live tokens in it. Remove it by hand.',
  );
}
