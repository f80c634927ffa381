import type { AppInfo } from '../../app/contract.ts';
import type { AccountList, PlainError, VaultStatus } from '../../src-main/ipc/contract.ts';
import { type Notice, notice } from './notices.ts';

export type Screen =
  | { kind: 'opening' }
  | { kind: 'failed'; error: PlainError }
  | { kind: 'notice'; notice: Notice }
  | { kind: 'first-run' }
  | { kind: 'main'; notice: Notice | null };

/** Which screen fits. What there is to show is shown, with the notice above it; else the notice has the screen. */
export function screenOf(
  status: VaultStatus | null,
  info: AppInfo | null,
  totals: AccountList['totals'] | null,
  error: PlainError | null,
): Screen {
  const about = notice(status, info);
  if (totals !== null && totals.accounts + totals.apps + totals.tokens > 0)
    return { kind: 'main', notice: about };
  if (about !== null) return { kind: 'notice', notice: about };
  if (error !== null) return { kind: 'failed', error };
  return status === null || totals === null ? { kind: 'opening' } : { kind: 'first-run' };
}
