import { createStore, type Store } from './store.ts';

/** What the window shows below its header. */
export type Page = 'accounts' | 'security';

/** In the order of the header, which is the order of their keys (Ctrl 1, 2, …) in the menu. */
export const PAGES: readonly { id: Page; title: string }[] = [
  { id: 'accounts', title: 'Accounts' },
  { id: 'security', title: 'Security' },
];

export interface Pages {
  view: Store<Page>;
  show: (page: Page) => void;
}

export function createPages(): Pages {
  const view = createStore<Page>('accounts');
  return { view, show: view.set };
}
