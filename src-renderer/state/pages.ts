import { createStore, type Store } from './store.ts';

/** What the window shows below its header. */
export type Page = 'accounts' | 'security' | 'health';

/** In the order of the header, which is the order of their keys (Ctrl 1, 2, …) in the menu. */
export const PAGES: readonly { id: Page; title: string }[] = [
  { id: 'accounts', title: 'Accounts' },
  { id: 'security', title: 'Security' },
  { id: 'health', title: 'Health' },
];

export interface Pages {
  view: Store<Page>;
  show: (page: Page) => void;
}

export function isPage(text: string): text is Page {
  return PAGES.some(({ id }) => id === text);
}

export function createPages(): Pages {
  const view = createStore<Page>('accounts');
  return { view, show: view.set };
}
