/** The application menu. The window carries out its commands, because it has their dialogs. */
import { Menu, type MenuItemConstructorOptions } from 'electron';
import type { MenuCommand, MenuState } from './contract.ts';

export interface MenuOptions {
  /** Reload and developer tools. */
  development: boolean;
  run: (command: MenuCommand) => void;
}

export function setMenu({ development, run }: MenuOptions): void {
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => run(command),
    ...(accelerator === undefined ? {} : { accelerator }),
  });
  // Disabled until the window says that there is something to sign out.
  const later = (label: string, command: 'sign-out' | 'sign-out-all'): MenuItemConstructorOptions => ({
    ...item(label, command),
    id: command,
    enabled: false,
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const mac = process.platform === 'darwin';

  const appMenu: MenuItemConstructorOptions = {
    label: 'Tokenkeep',
    submenu: [
      item('About Tokenkeep', 'about'),
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  };
  const file: MenuItemConstructorOptions = {
    label: '&File',
    submenu: [
      { ...item('Sign &in…', 'sign-in', 'CmdOrCtrl+N'), id: 'sign-in' },
      item('&Import…', 'import', 'CmdOrCtrl+O'),
      separator,
      later('Sign &out…', 'sign-out'),
      later('Sign out &all…', 'sign-out-all'),
      separator,
      item('Se&ttings', 'settings', 'CmdOrCtrl+,'),
      separator,
      { role: mac ? 'close' : 'quit' },
    ],
  };
  const edit: MenuItemConstructorOptions = {
    label: '&Edit',
    submenu: [
      { role: 'undo' },
      { role: 'redo' },
      separator,
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
      separator,
      item('&Find', 'find', 'CmdOrCtrl+F'),
    ],
  };
  const view: MenuItemConstructorOptions = {
    label: '&View',
    submenu: [
      item('&Accounts', 'accounts', 'CmdOrCtrl+1'),
      item('&Inspect', 'inspect', 'CmdOrCtrl+2'),
      item('A&ctivity', 'activity', 'CmdOrCtrl+3'),
      item('&Security', 'security', 'CmdOrCtrl+4'),
      item('&Health', 'health', 'CmdOrCtrl+5'),
      separator,
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      separator,
      { role: 'togglefullscreen' },
      ...(development ? [separator, { role: 'reload' as const }, { role: 'toggleDevTools' as const }] : []),
    ],
  };
  const help: MenuItemConstructorOptions = {
    label: '&Help',
    role: 'help',
    submenu: [item('About Tokenkeep', 'about')],
  };
  Menu.setApplicationMenu(Menu.buildFromTemplate([...(mac ? [appMenu] : []), file, edit, view, help]));
}

const STATES = { 'sign-out': 'signOut', 'sign-out-all': 'signOutAll', 'sign-in': 'signIn' } as const;

/**
 * Enables the commands that have something to act on.
 *
 * @param state.signIn false for sample data, which nobody can sign in to
 */
export function showMenuState(state: MenuState & { signIn: boolean }): void {
  const menu = Menu.getApplicationMenu();
  for (const [id, name] of Object.entries(STATES)) {
    const found = menu?.getMenuItemById(id);
    if (found) found.enabled = state[name];
  }
}
