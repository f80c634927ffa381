import type { RemovalCount, SignOutReceipt } from '../../src-main/ipc/contract.ts';
import { localTime } from './time.ts';
import { addCounts } from './words.ts';

export interface ReceiptWords {
  title: string;
  removed: RemovalCount;
  remaining: number;
  when: string;
  /** null where there is no key: a cache in memory. */
  oldKey: OldKeyLine | null;
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

export interface OldKeyLine {
  says: 'Old key';
  value: string;
  tone: 'ok' | 'plain';
}

/** What became of the key before: after a sign-out, and after it was replaced. */
export function oldKeyLine(oldKey: 'destroyed' | 'pending'): OldKeyLine {
  return oldKey === 'destroyed'
    ? {
        says: 'Old key',
        value: 'Destroyed: older copies and backups of the file can no longer be opened',
        tone: 'ok',
      }
    : {
        says: 'Old key',
        value: 'To be destroyed when the keychain can be asked; until then it still opens older copies',
        tone: 'plain',
      };
}

function keyWords(receipts: readonly SignOutReceipt[]): OldKeyLine | null {
  // Each sign-out rotates the key: the last receipt that tells of it is about the key that is left.
  const told = receipts.filter(({ oldKey }) => oldKey !== undefined).at(-1)?.oldKey;
  return told === undefined ? null : oldKeyLine(told);
}
