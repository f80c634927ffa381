/** What quitting would lose: changes that are held in memory only, and accounts of a file that can't be read any more. */
import { type AccountSummary, type VaultStatus } from 'tokenkeep';
import { type OlderFile, printable } from 'tokenkeep/vault';

/** States in which the file could not be read, so the whole cache is in memory only. */
const UNREAD: ReadonlySet<VaultStatus['state']> = new Set([
  'locked',
  'no-keychain',
  'key-missing',
  'wrong-key',
  'unreadable',
]);

/** The maximum number of names that are listed; the rest are counted. */
const MOST = 4;

const list = new Intl.ListFormat('en-GB');

type AtStake = Pick<VaultStatus, 'state' | 'unsaved' | 'kept'> & {
  readonly older?: Pick<OlderFile, 'mine'>;
};

/** The number of accounts that are held in memory while the file is older or can't be read any more. */
function keptIn({ kept, older }: Pick<AtStake, 'kept' | 'older'>): number {
  return kept ?? older?.mine ?? 0;
}

/** Returns whether quitting would lose something. */
export function wouldLose(status: AtStake): boolean {
  return status.unsaved > 0 || keptIn(status) > 0;
}

/** @param accounts the cached accounts; empty if they could not be read in time */
export function whatWouldBeLost(
  status: AtStake,
  accounts: readonly Pick<AccountSummary, 'username' | 'home_account_id'>[],
): { message: string; detail: string } {
  const { state, unsaved } = status;
  const kept = keptIn(status);
  const they = (unsaved || kept) === 1 ? 'It is' : 'They are';
  const names =
    UNREAD.has(state) || kept > 0
      ? accounts.map((each) => printable(each.username || each.home_account_id, 60))
      : [];
  const shown = names.length > MOST ? names.slice(0, MOST - 1) : names;
  const more = names.length - shown.length;
  const whose = list.format(more > 0 ? [...shown, `${String(more)} more`] : shown);
  if (unsaved === 0) {
    return {
      message: kept === 1 ? '1 account is in memory only' : `${String(kept)} accounts are in memory only`,
      detail:
        `The vault’s file is older, or can’t be read any more. ${they} lost when Tokenkeep quits${whose === '' ? '' : `: ${whose}`}. ` +
        'The file on this computer stays as it is.\n\n' +
        'If you stay, you can keep or export what is in memory. The window says how.',
    };
  }
  return {
    message: unsaved === 1 ? '1 change is not saved' : `${String(unsaved)} changes are not saved`,
    detail:
      `${they} in memory only, and lost when Tokenkeep quits${whose === '' ? '' : `: the sign-ins of ${whose}`}. ` +
      'The file on this computer stays as it is.\n\n' +
      `If you stay, ${they.toLowerCase()} saved as soon as the file can be written. The window says what is in the way.`,
  };
}
