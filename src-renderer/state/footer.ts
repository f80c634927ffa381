import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { savedAgo } from './time.ts';
import { bytes, count, named } from './words.ts';

/** What the line at the bottom says about where things are kept. */
export interface Keeping {
  /** What is on disk is encrypted, and what is shown is what is on disk. */
  safe: boolean;
  badge: string;
  key: string | null;
  saved: string | null;
}

export function keeping(status: VaultStatus, demo: boolean, now: number): Keeping {
  if (demo) return { safe: true, badge: 'Demo', key: 'Key in memory', saved: null };
  if (status.held === 'memory') {
    const changes = status.unsaved > 0 ? `: ${count(status.unsaved, 'change')} in memory` : '';
    return { safe: false, badge: `Not saved${changes}`, key: null, saved: lastSaved(status, now) };
  }
  if (status.state === 'ready' && status.bytes === null) {
    return { safe: true, badge: 'Nothing to keep yet', key: null, saved: null };
  }
  if (status.state === 'ready') {
    return {
      safe: true,
      badge: 'Encrypted',
      key: `Key in ${named(status.keychain)}`,
      saved: lastSaved(status, now),
    };
  }
  return { safe: false, badge: BADGES[status.state], key: null, saved: lastSaved(status, now) };
}

const BADGES = {
  locked: 'Locked',
  'no-keychain': 'No keychain',
  'key-missing': 'Not opened',
  'wrong-key': 'Not opened',
  damaged: 'Damaged',
  newer: 'Read-only',
  'read-only': 'Read-only',
  unreadable: 'Not opened',
  busy: 'Busy',
} as const;

function lastSaved(status: VaultStatus, now: number): string | null {
  return status.savedAt === null ? null : `Saved ${savedAgo(status.savedAt, now)}`;
}

/** "5 accounts · 1 app · 23 tokens · 61 kB"; nothing where there is none. */
export function totals(
  { accounts, apps, tokens }: { accounts: number; apps: number; tokens: number },
  size: number | null,
): string {
  if (accounts + apps + tokens === 0) return '';
  const parts = [count(accounts, 'account')];
  if (apps > 0) parts.push(count(apps, 'app'));
  parts.push(count(tokens, 'token'));
  if (size !== null) parts.push(bytes(size));
  return parts.join(' · ');
}
