import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountName, type AccountGroup } from './groups.ts';
import { kept } from './kept.ts';

/**
 * Heights in pixels, the same as in accounts.css. Positions are computed, so that only visible rows are rendered.
 */
export const ACCOUNT_HEIGHT = 42;
export const GROUP_HEIGHT = 32;
export const LIST_PADDING = 8;

/** Up to this many rows, lists and tables are rendered completely, so that assistive technology sees all rows. */
export const DRAWN_WHOLE = 50;

export type Row =
  | { kind: 'group'; group: AccountGroup; top: number }
  /** `index` counts accounts only, from 0. */
  | { kind: 'account'; account: AccountItem; group: AccountGroup; index: number; top: number };

export interface Rows {
  rows: readonly Row[];
  /** The account rows, in order. */
  accounts: readonly Extract<Row, { kind: 'account' }>[];
  /** Indexes of the accounts by ID: a key press looks one up among thousands. */
  indexes: ReadonlyMap<string, number>;
  height: number;
}

/** Computes the positions of all rows. */
export const layOut = kept((groups: readonly AccountGroup[]): Rows => {
  const rows: Row[] = [];
  const accounts: Extract<Row, { kind: 'account' }>[] = [];
  const indexes = new Map<string, number>();
  let top = LIST_PADDING;
  for (const group of groups) {
    rows.push({ kind: 'group', group, top });
    top += GROUP_HEIGHT;
    for (const account of group.accounts) {
      const row = { kind: 'account' as const, account, group, index: accounts.length, top };
      indexes.set(account.id, row.index);
      rows.push(row);
      accounts.push(row);
      top += ACCOUNT_HEIGHT;
    }
  }
  return { rows, accounts, indexes, height: top + LIST_PADDING };
});

/** Returns the rows that intersect the range from `top`, `height` pixels high, by binary search. */
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

/** Returns the index that a key moves to from `index` (-1: none); null for other keys. */
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

/**
 * Returns the next account after `index`, wrapping around, whose name starts with the typed text. A letter that is typed several times
 * moves on each time (WAI-ARIA, "Listbox Pattern").
 */
export function beginningWith({ accounts }: Rows, typed: string, index: number): number | null {
  const letters = Array.from(typed.toLowerCase());
  const [first = ''] = letters;
  const isOneLetter = letters.every((letter) => letter === first);
  const wanted = isOneLetter ? first : letters.join('');
  // One letter moves on to the next account; different letters can match the current one.
  const start = isOneLetter ? index + 1 : Math.max(0, index);
  for (let step = 0; step < accounts.length; step += 1) {
    const at = (start + step) % accounts.length;
    const row = accounts[at];
    if (row !== undefined && accountName(row.account).toLowerCase().startsWith(wanted)) return at;
  }
  return null;
}

/** Returns the scroll position that makes a row visible, with its group title if it is the first of its group. */
export function scrolledTo(row: Extract<Row, { kind: 'account' }>, top: number, height: number): number {
  const first = row.group.accounts[0] === row.account;
  const from = first ? row.top - GROUP_HEIGHT - LIST_PADDING : row.top;
  const until = row.top + ACCOUNT_HEIGHT + LIST_PADDING;
  if (from < top) return from;
  return until > top + height ? until - height : top;
}
