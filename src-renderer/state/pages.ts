import type { AppInfo } from '../../app/contract.ts';
import type { AccountList, PlainError, VaultStatus } from '../../src-main/ipc/contract.ts';
import { type Notice, notice } from './notices.ts';
import { createStore, type Store } from './store.ts';

/** A page of the window. */
export type Page = 'accounts' | 'inspect' | 'activity' | 'security' | 'health' | 'settings';

/** In the order of the header and of the keys Ctrl+1, Ctrl+2, … */
export const PAGES: readonly { id: Page; title: string }[] = [
  { id: 'accounts', title: 'Accounts' },
  { id: 'inspect', title: 'Inspect' },
  { id: 'activity', title: 'Activity' },
  { id: 'security', title: 'Security' },
  { id: 'health', title: 'Health' },
];

export interface Pages {
  view: Store<Page>;
  show: (page: Page) => void;
}

export function isPage(text: string): text is Page {
  return text === 'settings' || PAGES.some(({ id }) => id === text);
}

export function createPages(): Pages {
  const view = createStore<Page>('accounts');
  return { view, show: view.set };
}

export type Screen =
  | { kind: 'opening' }
  | { kind: 'failed'; error: PlainError }
  | { kind: 'notice'; notice: Notice }
  | { kind: 'first-run' }
  | { kind: 'main'; notice: Notice | null };

/**
 * Returns the screen of the Accounts page. Accounts are shown with the notice above; without accounts, the notice
 * fills the screen.
 */
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
