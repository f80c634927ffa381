/** The menu enables only what can be done. */
import { beforeEach, expect, it, vi } from 'vitest';
import { setMenu, showMenuState } from '../../app/menu.ts';

interface Item {
  id?: string;
  enabled?: boolean;
  submenu?: Item[];
}
const electron = vi.hoisted(() => ({ items: [] as Item[] }));
vi.mock('electron', () => ({
  Menu: {
    buildFromTemplate: (menus: Item[]) => menus.flatMap(({ submenu }) => submenu ?? []),
    setApplicationMenu: (items: Item[]) => void (electron.items = items),
    getApplicationMenu: () => ({
      getMenuItemById: (id: string) => electron.items.find((item) => item.id === id),
    }),
  },
}));
const enabled = (): Record<string, boolean> =>
  Object.fromEntries(
    electron.items.flatMap((item) => (item.id === undefined ? [] : [[item.id, item.enabled !== false]])),
  );

beforeEach(() => setMenu({ development: false, run: () => undefined }));

it('signs nobody out before the window says who is there', () => {
  expect(enabled()).toEqual({ 'sign-in': true, 'sign-out': false, 'sign-out-all': false });
  showMenuState({ signIn: true, signOut: true, signOutAll: true });
  expect(enabled()).toEqual({ 'sign-in': true, 'sign-out': true, 'sign-out-all': true });
});

it('signs nobody in to the sample data', () => {
  showMenuState({ signIn: false, signOut: false, signOutAll: true });
  expect(enabled()).toEqual({ 'sign-in': false, 'sign-out': false, 'sign-out-all': true });
  showMenuState({ signIn: true, signOut: false, signOutAll: true });
  expect(enabled()['sign-in']).toBe(true);
});
