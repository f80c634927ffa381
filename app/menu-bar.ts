/** Decides when the item in the menu bar and the notices change. background.ts decides their contents; tray.ts shows them. */
import type { TokenCache, Vault } from 'tokenkeep';
import {
  accountList,
  cachedAccounts,
  nameOf,
  nameWithRealm,
  resourceName,
  tenantOf,
  tokenItems,
  usernameOf,
} from 'tokenkeep/ipc';
import { printable } from 'tokenkeep/vault';
import {
  type BackgroundItem,
  type CopyableToken,
  expiryNotices,
  type IsRenewed,
  menuBarItems,
  type Notice,
} from './background.ts';

/** The item in the menu bar. */
export interface TrayItem {
  show(items: readonly BackgroundItem[]): void;
  remove(): void;
}

export interface MenuBarOptions {
  /** Puts the item into the menu bar. */
  open: () => TrayItem;
  /** Shows a notice. */
  tell: (notice: Notice) => void;
  /** The user's own vault, once it is open. */
  vault: () => Promise<Vault>;
  /** Whether the user wants the item, and notices. */
  wanted: () => { menuBar: boolean; notify: boolean };
  /** Whether the vault is locked; then no account name is shown. */
  isLocked: () => boolean;
  isRenewed: IsRenewed;
  onUnexpected: (error: unknown) => void;
}

export interface MenuBar {
  /** Whether the app stays without a window, because its item is in the menu bar. */
  readonly isShown: boolean;
  /** Call it when the settings have changed. */
  look(): Promise<void>;
  /** Call it when the vault has been opened. Delays the update, because there is more urgent work then. */
  lookSoon(): void;
  stop(): void;
}

/** The longest time between two updates while the item is shown, in seconds, because statuses also change with time. */
const LOOK_EVERY = 60;
/** The longest time between two updates in seconds, because a timer takes no part in sleep, or in a change of the computer's clock. */
const LONGEST_SLEEP = 300;
/** Milliseconds: changes often come several at a time. */
const SOON = 3_000;
/** Accounts whose tokens can be copied from the menu. */
const MOST_COPIED = 12;

export function menuBar(options: MenuBarOptions): MenuBar {
  const { open, tell, vault, wanted, isLocked, isRenewed, onUnexpected } = options;
  const notices = expiryNotices();
  let item: TrayItem | undefined;
  let timer: NodeJS.Timeout | undefined;
  let heard: Vault | undefined;
  let endChanges: (() => void) | undefined;
  let soon: NodeJS.Timeout | undefined;
  let shown = '';
  let stopped = false;

  const show = (items: readonly BackgroundItem[]): void => {
    const text = JSON.stringify(items);
    if (item === undefined || text === shown) return; // an update would close an open menu
    shown = text;
    item.show(items);
  };
  /** Whether the app was locked or stopped while an update was running: it must then show no name and set no timer. */
  const isOver = (): boolean => stopped || isLocked();
  const lookIn = (seconds: number): void => {
    clearTimeout(timer); // also one that was set by another update meanwhile
    if (!stopped && seconds !== Infinity)
      timer = setTimeout(() => void look().catch(onUnexpected), Math.min(seconds, LONGEST_SLEEP) * 1000);
  };
  const update = async (): Promise<void> => {
    clearTimeout(timer);
    const { menuBar: inBar, notify } = wanted();
    if (inBar && item === undefined) {
      item = open();
      shown = '';
    } else if (!inBar) {
      item?.remove();
      item = undefined;
    }
    if (!inBar && !notify) return;
    if (isLocked()) {
      show(LOCKED);
      return;
    }
    const own = await vault();
    if (isOver()) return;
    if (own !== heard) {
      endChanges?.();
      endChanges = own.on('change', lookSoon);
      heard = own;
    }
    const now = Math.floor(Date.now() / 1000);
    const { accounts } = await accountList(await own.read((cache) => cache, { held: true }), now);
    const tokens = inBar ? await own.read((cache) => copyable(cache, now)) : [];
    if (isOver()) return;
    // An expiry that came while notices were off is announced when they are on again.
    const { due, next } = notify ? notices.look(accounts, now, isRenewed) : { due: [], next: null };
    for (const notice of due) tell(notice);
    show(menuBarItems(accounts, tokens, now, isRenewed));
    lookIn(Math.min(next === null ? Infinity : next - now, inBar ? LOOK_EVERY : Infinity));
  };
  const look = async (): Promise<void> => {
    try {
      await update();
    } catch (error) {
      if (!isOver()) lookIn(LOOK_EVERY); // A vault that can't be read now may be readable then.
      throw error;
    }
  };
  const lookSoon = (): void => {
    if (stopped) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      look().catch(onUnexpected);
    }, SOON);
  };
  return {
    get isShown() {
      return item !== undefined;
    },
    look,
    lookSoon,
    stop() {
      stopped = true;
      clearTimeout(soon);
      clearTimeout(timer);
      endChanges?.();
      item?.remove();
      item = undefined;
    },
  };
}

const LOCKED: readonly BackgroundItem[] = [
  { label: 'Vault locked' },
  { label: '' },
  { label: 'Open Tokenkeep', action: { do: 'show' } },
  { label: 'Quit Tokenkeep', action: { do: 'quit' } },
];

function copyable(cache: TokenCache, now: number): CopyableToken[] {
  const found: CopyableToken[] = [];
  let left = MOST_COPIED;
  for (const account of cachedAccounts(cache).byId.values()) {
    if (account.kind !== 'user' || left-- <= 0) continue;
    for (const { id, type, realm, audience, scopes, expires_on } of tokenItems(account)) {
      if (type !== 'AccessToken' || (expires_on !== null && expires_on <= now)) continue;
      const name = nameWithRealm(printable(nameOf(account) ?? usernameOf(account), 40), account);
      const api = audience ?? scopes.join(' ');
      const guest = tenantOf(cache, account, realm);
      found.push({
        id,
        api: resourceName(api) ?? api.replace(/^https:\/\//, ''),
        account: name,
        tenant: guest === undefined ? null : (guest.name ?? guest.realm),
      });
    }
  }
  return found;
}
