import type { AppInfo } from '../../app/contract.ts';
import type { VaultReport, VaultStatus } from '../../src-main/ipc/contract.ts';
import { localTime, savedAgo, span } from './time.ts';
import { bytes, count, listing, named, number } from './words.ts';

/** A name, what it is, and where needed what that means. */
export interface Fact {
  name: string;
  value: string;
  says: string;
}

/** Where things stand, in one line and a sentence, while the vault is ready; other states have a notice. */
export function statusBanner(
  status: VaultStatus,
  demo: boolean,
): { tone: 'ok' | 'warn'; title: string; text: string } {
  if (demo) {
    return {
      tone: 'ok',
      title: 'A demo, encrypted like the real thing',
      text: 'Its key is in memory and its file in a temporary folder; both are gone when you leave.',
    };
  }
  if (status.bytes === null) {
    return {
      tone: 'ok',
      title: 'Nothing to protect yet',
      text: `The file is made, encrypted, at the first sign-in or import; its key goes into ${named(status.keychain)}.`,
    };
  }
  if (status.oldKey === 'pending') {
    return {
      tone: 'warn',
      title: 'An old key waits to be destroyed',
      text: `What was signed out is gone from the file. Until ${named(status.keychain)} can be asked, older copies of the file can still be opened with the old key.`,
    };
  }
  return {
    tone: 'ok',
    title: 'Encrypted on this computer',
    text: `One file, sealed with AES-256-GCM. Its key is in ${named(status.keychain)}, and in no file.`,
  };
}

export function fileFacts(status: VaultStatus, now: number): Fact[] {
  const facts: Fact[] = [];
  if (status.bytes !== null) {
    facts.push({ name: 'Size', value: bytes(status.bytes), says: alive(status.live) });
  }
  facts.push({
    name: 'Last saved',
    value: status.savedAt === null ? 'not yet' : savedAgo(status.savedAt, now),
    says:
      status.held === 'memory' && status.unsaved > 0
        ? `${count(status.unsaved, 'change')} since, in memory only`
        : status.savedAt === null
          ? ''
          : localTime(status.savedAt, now),
  });
  return facts;
}

function alive(live: number | undefined): string {
  if (live === undefined) return '';
  const dead = Math.round((1 - live) * 100);
  return dead === 0 ? 'all of it live' : `${dead} % of it dead: replaced or removed since`;
}

export function keyFacts(status: VaultStatus, demo: boolean, now: number): Fact[] {
  const { key } = status;
  const facts: Fact[] = [
    { name: 'Kept in', value: demo ? 'memory' : status.keychain, says: demo ? 'only in the demo' : '' },
  ];
  if (key === undefined) return facts;
  facts.push({
    name: 'Slot',
    value: key.slot,
    says:
      status.oldKey === 'pending'
        ? `the old key is still in slot ${key.slot === 'a' ? 'b' : 'a'}`
        : `slot ${key.slot === 'a' ? 'b' : 'a'} is empty, for the next key`,
  });
  facts.push({
    name: 'Age',
    value: key.madeAt === null ? 'not known' : span(Math.max(0, now - key.madeAt)),
    says: key.madeAt === null ? '' : `made ${localTime(key.madeAt, now)}`,
  });
  return facts;
}

/** What a verification found: a statusBanner, and region by region. */
export function findings(report: VaultReport): { sound: boolean; title: string; rows: Fact[] } {
  const { regions, sound, recovered } = report;
  const rows: Fact[] = [];
  if (regions !== undefined) {
    rows.push({
      name: 'Header',
      value: `${regions.headers} of 2`,
      says: regions.headers === 2 ? 'both copies intact' : 'one copy is damaged; the other one serves',
    });
    rows.push({
      name: 'Last rewriting',
      value: `${number(regions.base.intact)} of ${count(regions.base.of, 'frame')}`,
      says: regions.base.intact === regions.base.of ? 'authentic' : 'the others were changed or lost',
    });
    rows.push({
      name: 'Changes since',
      value: regions.appended === 0 ? 'none' : count(regions.appended, 'frame'),
      says: after(report),
    });
  }
  if (regions !== undefined || report.entries > 0) {
    rows.push({
      name: 'Secrets',
      value: number(report.secrets),
      says: `opened and authentic, in ${count(report.entries, 'entry', 'entries')} of ${count(report.accounts, 'account')}`,
    });
  }
  if (recovered !== undefined && recovered.lost.length > 0) {
    rows.push({ name: 'Lost', value: number(recovered.lost.length), says: listing(recovered.lost, 6) });
  }
  return {
    sound,
    title: sound ? 'Sound: nothing is missing and nothing was changed' : troubles(report),
    rows,
  };
}

function after({ regions, sound }: VaultReport): string {
  const left = regions?.after ?? 0;
  if (left === 0) return regions?.appended === 0 ? '' : 'authentic, up to the last byte';
  return sound
    ? `then ${bytes(left)} of a write that was cut short; never acknowledged`
    : `then ${bytes(left)} that can’t be read`;
}

function troubles({ state, regions }: VaultReport): string {
  if (regions !== undefined) return 'Damaged: parts of the file are not as they were written';
  if (state === 'locked' || state === 'no-keychain') return 'Not verified: the keychain did not give the key';
  if (state === 'wrong-key' || state === 'key-missing')
    return 'Not verified: there is no key that opens the file';
  return state === 'newer' ? 'Not verified: a newer version wrote this file' : 'The file can’t be read';
}

/** What the file, the key and this window protect against, and what they don't. Honest, and short. */
export function protection(
  { keychain }: VaultStatus,
  platform: AppInfo['platform'],
): { kept: readonly Fact[]; open: readonly Fact[] } {
  const key = named(keychain);
  const fact = (value: string, says: string): Fact => ({ name: '', value, says });
  return {
    kept: [
      fact('Someone who gets the file, a backup or the disk', `reads nothing: the key is in ${key}`),
      fact('Someone who changes, swaps or cuts the file', 'is noticed; what is intact is kept'),
      fact('Other users of this computer', 'can open neither the file nor your keychain'),
      fact('This window', 'holds no token that you did not ask to see, and has no network'),
    ],
    open: [
      platform === 'darwin'
        ? fact('Other programs that run as you', 'may ask for the key; macOS asks you first')
        : fact('Other programs that run as you', `can ask ${key} for the key, as Tokenkeep does`),
      fact('An older copy of the file', 'opens with the same key, until the key is replaced'),
      fact('Tokens that apps have taken already', 'are theirs until they expire'),
      fact('An export', 'is as safe as its passphrase'),
    ],
  };
}

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
  older: 'Older file',
  copy: 'Copy',
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
