import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountName, type AccountGroup } from './groups.ts';

/** Heights in pixels, the same as in accounts.css: what lies where is computed, so that only what is seen is drawn. */
export const ACCOUNT_HEIGHT = 48;
export const GROUP_HEIGHT = 32;
export const LIST_PADDING = 8;

/** Up to so many rows, a list or a table is drawn whole: that costs nothing, and assistive technology sees all of it. */
export const DRAWN_WHOLE = 100;

export type Row =
  | { kind: 'group'; group: AccountGroup; top: number }
  /** `index` counts the accounts alone, from 0. */
  | { kind: 'account'; account: AccountItem; group: AccountGroup; index: number; top: number };

export interface Rows {
  rows: readonly Row[];
  /** The accounts among them, in order. */
  accounts: readonly Extract<Row, { kind: 'account' }>[];
  height: number;
}

/** The whole list, laid out. */
export function layOut(groups: readonly AccountGroup[]): Rows {
  const rows: Row[] = [];
  const accounts: Extract<Row, { kind: 'account' }>[] = [];
  let top = LIST_PADDING;
  for (const group of groups) {
    rows.push({ kind: 'group', group, top });
    top += GROUP_HEIGHT;
    for (const account of group.accounts) {
      const row = { kind: 'account' as const, account, group, index: accounts.length, top };
      rows.push(row);
      accounts.push(row);
      top += ACCOUNT_HEIGHT;
    }
  }
  return { rows, accounts, height: top + LIST_PADDING };
}

/** The rows that touch the part from `top`, `height` pixels high; found by halving, however many there are. */
export function rowsWithin({ rows }: Rows, top: number, height: number): readonly Row[] {
  const first = Math.max(0, firstBelow(rows, top) - 1);
  return rows.slice(first, firstBelow(rows, top + height));
}

function firstBelow(rows: readonly Row[], y: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.top ?? 0) <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a key leads from the account at `index` (-1: from none); null where the key means nothing to a list. */
export function moved(key: string, index: number, size: number, page: number): number | null {
  if (size === 0) return null;
  const within = (to: number) => Math.min(size - 1, Math.max(0, to));
  switch (key) {
    case 'ArrowDown':
      return within(index + 1);
    case 'ArrowUp':
      return within(index - 1);
    case 'PageDown':
      return within(index + page);
    case 'PageUp':
      return within(index - page);
    case 'Home':
      return 0;
    case 'End':
      return size - 1;
    default:
      return null;
  }
}

/** The next account after `index`, around the end, whose name begins with what was typed. */
export function beginningWith({ accounts }: Rows, typed: string, index: number): number | null {
  const wanted = typed.toLowerCase();
  // One letter again and again walks on; more letters may still mean the account one stands on.
  const start = typed.length === 1 ? index + 1 : Math.max(0, index);
  for (let step = 0; step < accounts.length; step += 1) {
    const at = (start + step) % accounts.length;
    const row = accounts[at];
    if (row !== undefined && accountName(row.account).toLowerCase().startsWith(wanted)) return at;
  }
  return null;
}

/** How far to scroll so that a row is seen whole; the group's title too where it is the first of its group. */
export function scrolledTo(row: Extract<Row, { kind: 'account' }>, top: number, height: number): number {
  const first = row.group.accounts[0] === row.account;
  const from = first ? row.top - GROUP_HEIGHT - LIST_PADDING : row.top;
  const until = row.top + ACCOUNT_HEIGHT + LIST_PADDING;
  if (from < top) return from;
  return until > top + height ? until - height : top;
}
