import { storeOf } from '../cache/token-cache.ts';
import type { TokenkeepError } from '../errors.ts';
import { KeychainTimeoutError } from '../errors.ts';
import type { Contents } from './contents.ts';
import type { Opening } from './open.ts';
import type { VaultStatus } from './state.ts';

/** What the status reports beside what was found at the vault's path. */
export interface Circumstances {
  file: string;
  keychain: string;
  unsaved: number;
  /** Why they are not saved. */
  saveError: TokenkeepError | null;
  savedAt: number | null;
}

/** @param mine while the file is not what this program saw last: the vault as it saw it */
export function statusOf(opening: Opening, mine: Opening | null, circumstances: Circumstances): VaultStatus {
  const { unsaved, saveError, file, keychain, savedAt } = circumstances;
  const error = opening.error ?? saveError;
  const { contents } = opening;
  const recovered = contents?.recovered ?? null;
  return {
    state: opening.state,
    ...(error === null ? {} : { code: error.code, message: error.message }),
    held: unsaved > 0 ? 'memory' : 'disk',
    unsaved,
    waiting: opening.error instanceof KeychainTimeoutError,
    file,
    bytes: opening.identity === null ? null : Number(opening.identity.size),
    savedAt,
    keychain,
    ...(contents === null ? {} : aboutFile(contents)),
    ...(isPending(opening) || (mine !== null && isPending(mine)) ? { oldKey: 'pending' as const } : {}),
    ...(opening.state === 'older' || mine === null ? {} : { kept: accountsIn(mine) ?? 0 }),
    ...(opening.state === 'older' ? { older: { mine: accountsIn(mine), file: accountsIn(opening) } } : {}),
    ...(opening.warnings.length === 0 ? {} : { warnings: opening.warnings }),
    ...(opening.original === null ? {} : { copyOf: opening.original }),
    ...(recovered === null ? {} : { recovered }),
  };
}

function aboutFile({ header, metadata, rows, live }: Contents): Pick<VaultStatus, 'key' | 'live'> {
  return { key: { slot: header.slot, madeAt: metadata.keyMadeAt || null }, live: shareAlive(rows, live) };
}

/** Returns the fraction of written entries that are current. */
export function shareAlive(rows: number, live: number): number {
  return rows === 0 ? 1 : live / rows;
}

function isPending({ contents, isSignOutPending }: Opening): boolean {
  return isSignOutPending || (contents !== null && contents.metadata.pending !== null);
}

function accountsIn(opening: Opening | null): number | null {
  if (opening === null || opening.contents === null) return null;
  return [...storeOf(opening.contents.cache).accounts].length;
}
