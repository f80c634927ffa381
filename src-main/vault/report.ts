import type { TokenkeepError } from '../errors.ts';
import { KeychainTimeoutError } from '../errors.ts';
import type { Opening } from './open.ts';
import type { VaultStatus } from './status.ts';

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
  const recovered = opening.contents?.recovered ?? null;
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
    ...(opening.contents?.standing.pending ? { oldKey: 'pending' as const } : {}),
    ...(recovered === null ? {} : { recovered }),
  };
}
