import type { RemovalCount, SignOutReceipt } from '../../src-main/ipc/contract.ts';
import { localTime } from './time.ts';
import { addCounts } from './words.ts';

export interface ReceiptWords {
  title: string;
  removed: RemovalCount;
  remaining: number;
  when: string;
  /** null where there is no key: a cache in memory. */
  oldKey: string | null;
}

/** One receipt, or those of all accounts taken together. */
export function receiptWords(
  user: boolean,
  who: string,
  receipts: readonly SignOutReceipt[],
  now: number,
  timeZone?: string,
): ReceiptWords {
  const last = receipts.reduce((at, receipt) => Math.max(at, receipt.at), 0);
  return {
    title: user
      ? `${who === 'everyone' ? 'Everyone' : who} is signed out`
      : `The tokens of ${who} are removed`,
    removed: addCounts(receipts.map(({ removed }) => removed)),
    remaining: receipts.reduce((sum, { remaining }) => sum + remaining, 0),
    when: receipts.length === 0 ? 'never' : localTime(last, now, timeZone),
    oldKey: keyWords(receipts),
  };
}

function keyWords(receipts: readonly SignOutReceipt[]): string | null {
  // Each sign-out rotates the key: the last receipt that tells of it is about the key that is left.
  const told = receipts.filter(({ oldKey }) => oldKey !== undefined).at(-1)?.oldKey;
  if (told === undefined) return null;
  return told === 'destroyed'
    ? 'Destroyed: older copies and backups of the file can no longer be opened'
    : 'To be destroyed when the keychain is unlocked; the account is gone from the file already';
}
