/** Describes what quitting would lose while changes are held in memory only. */
import { type AccountSummary, type VaultStatus } from 'tokenkeep';
import { printable } from 'tokenkeep/vault';

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

/** @param accounts the cached accounts; empty if they could not be read in time */
export function whatWouldBeLost(
  { state, unsaved }: Pick<VaultStatus, 'state' | 'unsaved'>,
  accounts: readonly Pick<AccountSummary, 'username' | 'home_account_id'>[],
): { message: string; detail: string } {
  const they = unsaved === 1 ? 'It is' : 'They are';
  const names = UNREAD.has(state)
    ? accounts.map((each) => printable(each.username || each.home_account_id, 60))
    : [];
  const shown = names.length > MOST ? names.slice(0, MOST - 1) : names;
  const more = names.length - shown.length;
  const whose = list.format(more > 0 ? [...shown, `${String(more)} more`] : shown);
  return {
    message: unsaved === 1 ? '1 change is not saved' : `${String(unsaved)} changes are not saved`,
    detail:
      `${they} in memory only, and lost when Tokenkeep quits${whose === '' ? '' : `: the sign-ins of ${whose}`}. ` +
      'The file on this computer stays as it is.\n\n' +
      `If you stay, ${they.toLowerCase()} saved as soon as the file can be written. The window says what is in the way.`,
  };
}
