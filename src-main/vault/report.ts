import type { TokenkeepError } from '../errors.ts';
import { KeychainTimeoutError } from '../errors.ts';
import type { Contents } from './contents.ts';
import type { Opening } from './open.ts';
import type { VaultStatus } from './state.ts';

/** What there is to say about a vault beside what was found at its place. */
export interface Circumstances {
  file: string;
  keychain: string;
  unsaved: number;
  /** Why they are not saved. */
  saveError: TokenkeepError | null;
  savedAt: number | null;
}

export function statusOf(opening: Opening, circumstances: Circumstances): VaultStatus {
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
    ...(contents?.metadata.pending ? { oldKey: 'pending' as const } : {}),
    ...(recovered === null ? {} : { recovered }),
  };
}

function aboutFile({ header, metadata, rows, live }: Contents): Pick<VaultStatus, 'key' | 'live'> {
  return { key: { slot: header.slot, madeAt: metadata.keyMadeAt || null }, live: shareAlive(rows, live) };
}

/** Of the entries that were written, those that still say what is so. */
export function shareAlive(rows: number, live: number): number {
  return rows === 0 ? 1 : live / rows;
}
