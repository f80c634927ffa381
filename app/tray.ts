/** The item in the menu bar, and notices, with Electron. */
import { Menu, type MenuItemConstructorOptions, nativeImage, Notification, Tray } from 'electron';
import type { BackgroundAction, BackgroundItem, Notice } from './background.ts';
import type { TrayItem } from './menu-bar.ts';

/** @param icon a PNG file */
export function openTray(icon: string, run: (action: BackgroundAction) => void): TrayItem {
  const tray = new Tray(nativeImage.createFromPath(icon).resize({ width: 22, height: 22 }));
  tray.setToolTip('Tokenkeep');
  tray.on('click', () => run({ do: 'show' }));
  return {
    show: (items) => tray.setContextMenu(Menu.buildFromTemplate(templateOf(items, run))),
    remove: () => tray.destroy(),
  };
}

export function showNotice(
  { accountId, title, body }: Notice,
  run: (action: BackgroundAction) => void,
): void {
  if (!Notification.isSupported()) return;
  const actions = accountId === null ? [] : [{ type: 'button' as const, text: 'Sign in' }];
  const notification = new Notification({ title, body, actions });
  const forget = (): void => void shownNow.delete(notification);
  const open = (): void => {
    forget();
    run(accountId === null ? { do: 'show' } : { do: 'sign-in-again', accountId });
  };
  notification.on('click', open);
  notification.on('action', open);
  notification.on('close', forget);
  notification.on('failed', forget);
  shownNow.add(notification);
  notification.show();
}

/** A notification that nothing holds is collected as garbage, and its click is then lost (electron/electron#16922). */
const shownNow = new Set<Notification>();

function templateOf(
  items: readonly BackgroundItem[],
  run: (action: BackgroundAction) => void,
): MenuItemConstructorOptions[] {
  return items.map(({ label, action, items: inner }) => {
    if (label === '') return { type: 'separator' };
    // A single & would underline the next letter.
    const text = label.replaceAll('&', '&&');
    if (inner !== undefined) return { label: text, submenu: templateOf(inner, run) };
    return action === undefined ? { label: text, enabled: false } : { label: text, click: () => run(action) };
  });
}
