/**
 * Pages of providers on which a user signs out on all devices. They are opened in the browser; Tokenkeep can't see what the user does
 * there.
 */
import { everywherePage, type EverywherePage } from 'tokenkeep/sources';
import { type CachedAccount } from 'tokenkeep/ipc';
import type { PlaceOffer, PlaceReceipt } from '../sources/contract.ts';

type Account = Pick<CachedAccount, 'id' | 'kind' | 'home_account_id' | 'environment'>;

/** The name of the row, in the question and in the receipt. */
const NAME = 'Microsoft, on all devices';

/** Returns the row of each page that these accounts need: work accounts of one cloud share one. */
export function pageOffers(accounts: readonly Account[]): PlaceOffer[] {
  return [...pagesOf(accounts)].map(([id, { page, accounts: its }]) => ({
    id,
    name: NAME,
    file: '',
    tokens: 0,
    accounts: its.size,
    others: 0,
    tokensOf: Object.fromEntries([...its].map((id) => [id, 0])),
    staying: [],
    viewOnly: false,
    leave: `Microsoft has no endpoint that revokes tokens. Tokenkeep opens ${page.name}, where you choose ${page.choose}.`,
    opens: null,
    command: null,
    page: new URL(page.url).host,
  }));
}

/** Whether a page of these accounts is chosen. */
export function hasPage(accounts: readonly Account[], chosen: readonly string[]): boolean {
  return [...pagesOf(accounts).keys()].some((id) => chosen.includes(id));
}

/** Opens the chosen pages, one for all accounts that need it. Returns their rows of the receipt. */
export async function openPages(
  accounts: readonly Account[],
  chosen: readonly string[],
  openBrowser: (url: string) => Promise<void>,
): Promise<PlaceReceipt[]> {
  const rows: PlaceReceipt[] = [];
  for (const [id, { page }] of pagesOf(accounts)) {
    if (!chosen.includes(id)) continue;
    const row = { id, name: NAME, file: '', result: 'not-confirmed' } as const;
    try {
      await openBrowser(page.url);
      rows.push({
        ...row,
        says: `${page.name} was opened: choose ${page.choose} there. Tokenkeep can’t see what you chose.`,
      });
    } catch {
      rows.push({
        ...row,
        says: `The browser could not be opened. Open ${page.url}, then choose ${page.choose}.`,
      });
    }
  }
  return rows;
}

/** The pages, each with the ids of the accounts that need it. */
function pagesOf(
  accounts: readonly Account[],
): Map<string, { page: EverywherePage; accounts: Set<Account['id']> }> {
  const pages = new Map<string, { page: EverywherePage; accounts: Set<Account['id']> }>();
  for (const account of accounts) {
    const { kind, home_account_id, environment } = account;
    const page =
      kind === 'app' ? null : everywherePage({ home_account_id: home_account_id ?? '', environment });
    if (page === null) continue;
    const id = `page-${new URL(page.url).host.replaceAll('.', '-')}`;
    const known = pages.get(id);
    if (known === undefined) pages.set(id, { page, accounts: new Set([account.id]) });
    else known.accounts.add(account.id);
  }
  return pages;
}
