import type { AppInfo } from '../../app/contract.ts';
import type { VaultReport, VaultStatus } from '../../src-main/ipc/contract.ts';
import { localTime, savedAgo, spanSince } from './time.ts';
import { bytes, capitalized, count, listing, named, number } from './words.ts';

/** A name, a value, and an explanation (may be ""). */
export interface Fact {
  name: string;
  value: string;
  says: string;
}

const WRITABLE =
  'The permissions of the vault file or its folder let your group or other users of this computer replace or delete the vault. They can’t read it. Allow writing for yourself only, then restart Tokenkeep.';

/** Returns the banner of the Security page for a ready vault. Other states have a notice. */
export function statusBanner(
  status: VaultStatus,
  demo: boolean,
): { tone: 'ok' | 'warn' | 'plain'; title: string; text: string } {
  if (demo) {
    return {
      tone: 'ok',
      title: 'Sample data, encrypted like a real vault',
      text: 'The key is in memory and the file in a temporary folder. Both are deleted when you leave.',
    };
  }
  if (status.bytes === null) {
    return {
      tone: 'plain',
      title: 'No vault yet',
      text: `The first sign-in or import creates an encrypted file. Its key goes into ${named(status.keychain)}.`,
    };
  }
  const isWritable = status.warnings?.some((warning) => warning.endsWith('_writable')) === true;
  if (status.oldKey === 'pending') {
    return {
      tone: 'warn',
      title: 'An old key is not destroyed yet',
      text: `Signed-out accounts are removed from the file. Until ${named(status.keychain)} is available, the old key still opens older copies of the file.${unrecorded(status)}${isWritable ? ` ${WRITABLE}` : ''}`,
    };
  }
  if (isWritable) return { tone: 'warn', title: 'Other users can write here', text: WRITABLE };
  return {
    tone: 'ok',
    title: 'Encrypted on this computer',
    text: `One file, encrypted with AES-256-GCM. Its key is in ${named(status.keychain)}.`,
  };
}

/** What the user can still do about a sign-out that could not be noted beside the vault. */
function unrecorded({ warnings, file }: VaultStatus): string {
  if (warnings?.includes('sign_out_unrecorded') !== true) return '';
  return ` The sign-out could not be noted in “${file}.mark”: if an older copy of the vault is put back while Tokenkeep is closed, the account is back.`;
}

export function fileFacts(status: VaultStatus, now: number): Fact[] {
  const facts: Fact[] = [];
  const savedAt = status.bytes === null ? null : status.savedAt; // of a file that was deleted
  if (status.bytes !== null) {
    facts.push({ name: 'Size', value: bytes(status.bytes), says: alive(status.live) });
  }
  facts.push({
    name: 'Last saved',
    value: savedAt === null ? 'Not yet' : capitalized(savedAgo(savedAt, now)),
    says:
      status.held === 'memory' && status.unsaved > 0
        ? `${count(status.unsaved, 'change')} since, in memory only`
        : savedAt === null
          ? ''
          : localTime(savedAt, now),
  });
  return facts;
}

function alive(live: number | undefined): string {
  if (live === undefined) return '';
  const reclaimable = Math.round((1 - live) * 100);
  return reclaimable === 0 ? 'nothing to reclaim' : `${reclaimable}% reclaimable`;
}

/** A row of the table that compares the version in memory with the file. */
export interface VersionRow {
  name: string;
  mine: string;
  file: string;
}

/** Maximum number of account names in one cell. */
const MOST_NAMES = 6;

/** Returns the rows that help choose between memory and an older file; null if memory holds nothing to choose. */
export function versionRows(status: VaultStatus, now: number): VersionRow[] | null {
  const { older, savedAt } = status;
  if (older === undefined || older.mine === null) return null;
  const time = (at: number | null) => (at === null ? 'Not known' : capitalized(localTime(at, now)));
  const { fileSavedAt, file } = older;
  const isGone = status.bytes === null;
  const rows: VersionRow[] = [
    {
      name: 'Saved',
      mine: time(savedAt),
      file: isGone
        ? 'The file is gone'
        : fileSavedAt !== null && savedAt !== null && fileSavedAt > savedAt
          ? `Not known: put in place ${localTime(fileSavedAt, now)}`
          : time(fileSavedAt),
    },
    {
      name: 'Accounts',
      mine: number(older.mine),
      file: file !== null ? number(file) : isGone ? 'None' : 'Not known: the file was not opened',
    },
  ];
  if (file !== null) {
    const names = ({ accounts, names: first }: typeof older.onlyMine) =>
      accounts === 0 ? 'None' : listing(first, MOST_NAMES, accounts);
    rows.push({ name: 'Only here', mine: names(older.onlyMine), file: names(older.onlyFile) });
    if (older.onlyMine.accounts < older.mine)
      rows.push({ name: 'In both', mine: 'With the latest tokens', file: 'Tokens may be missing or older' });
  }
  rows.push({
    name: 'What happens',
    mine: isGone ? 'The file is written again.' : 'The file is replaced, and kept beside the new one.',
    file: isGone
      ? 'Tokenkeep begins with an empty vault. What is in memory is discarded.'
      : file === null
        ? 'Can’t be chosen here: the message above says why.'
        : 'What is in memory is discarded. Accounts that were signed out since stay signed out.',
  });
  return rows;
}

export function keyFacts(status: VaultStatus, demo: boolean, now: number): Fact[] {
  const { key } = status;
  const facts: Fact[] = [
    { name: 'Stored in', value: demo ? 'memory' : status.keychain, says: demo ? 'demo only' : '' },
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
    value: key.madeAt === null ? 'Not known' : spanSince(Math.min(key.madeAt, now), now),
    says: key.madeAt === null ? '' : `made ${localTime(key.madeAt, now)}`,
  });
  return facts;
}

/** Returns the result of a verification, by region. `changed`: the file was written since. */
export function findings(
  report: VaultReport,
  changed = false,
): { sound: boolean; title: string; rows: Fact[] } {
  const { regions, sound, recovered } = report;
  const rows: Fact[] = [];
  if (regions !== undefined) {
    rows.push({
      name: 'Header',
      value: `${regions.headers} of 2`,
      says: regions.headers === 2 ? 'both copies intact' : 'one copy is damaged; the other is used',
    });
    rows.push({
      name: 'Base frames',
      value: `${number(regions.base.intact)} of ${count(regions.base.of, 'frame')}`,
      says: regions.base.intact === regions.base.of ? 'authentic' : 'the others were changed or lost',
    });
    rows.push({
      name: 'Appended frames',
      value: regions.appended === 0 ? 'None' : count(regions.appended, 'frame'),
      says: after(report),
    });
  }
  if (regions !== undefined || report.entries > 0) {
    rows.push({
      name: 'Tokens',
      value: number(report.secrets),
      says: `decrypted and authentic, in ${count(report.entries, 'entry', 'entries')} of ${count(report.accounts, 'account')}`,
    });
  }
  if (recovered !== undefined && recovered.lost.length > 0) {
    rows.push({ name: 'Lost', value: number(recovered.lost.length), says: listing(recovered.lost, 6) });
  }
  return {
    sound,
    title: !sound
      ? troubles(report)
      : changed
        ? 'File verified before its last change'
        : 'File verified: complete and unchanged',
    rows,
  };
}

function after({ regions, sound }: VaultReport): string {
  const left = regions?.after ?? 0;
  if (left === 0) return regions?.appended === 0 ? '' : 'authentic, to the last byte';
  return sound
    ? `then ${bytes(left)} of an interrupted write, never acknowledged`
    : `then ${bytes(left)} that can’t be read`;
}

function troubles({ state, regions, older }: VaultReport): string {
  switch (state) {
    case 'damaged':
      return regions === undefined
        ? 'Damaged: nothing in the file can be read'
        : older === true
          ? 'Damaged, and older than the last one seen: parts of the file were changed or lost'
          : 'Damaged: parts of the file were changed or lost';
    case 'older':
      return 'Not verified: the file lacks parts of the last one seen';
    case 'copy':
      return 'Not verified: the file is a copy of another vault';
    case 'busy':
      return 'Not verified: another program is writing to the file';
    case 'locked':
    case 'no-keychain':
      return 'Not verified: the keychain is not available';
    case 'wrong-key':
    case 'key-missing':
      return 'Not verified: no key opens the file';
    case 'newer':
      return 'Not verified: a newer version wrote this file';
    default:
      return 'The file can’t be read';
  }
}

/** Returns what the vault and this window protect against, and what they don't. */
export function protection(
  { keychain }: VaultStatus,
  { platform, demo }: Pick<AppInfo, 'platform' | 'demo'>,
): { kept: readonly Fact[]; open: readonly Fact[] } {
  const fact = (value: string, says: string): Fact => ({ name: '', value, says });
  const key = named(keychain);
  const programs =
    platform === 'darwin'
      ? 'macOS prompts before they can read the key.'
      : `They can read the key from ${key}.`;
  return {
    kept: [
      fact('Theft of the vault file.', 'The key is not in it.'),
      fact('Changes to the file.', 'They are detected. Intact data is kept.'),
      fact('Other users of this computer.', 'They can’t open the file or the keychain.'),
      fact('This window.', 'It has no network, and no token until you reveal one.'),
    ],
    open: [
      fact('Programs that run as you.', demo ? 'They can read this computer’s memory.' : programs),
      fact('Older copies of the file.', 'The key opens them until it is rotated.'),
      fact('Tokens already issued to apps.', 'They stay valid until they expire.'),
      fact('A weak passphrase.', 'An export is only as safe as its passphrase.'),
    ],
  };
}

/** State of the vault in the footer. */
export interface Keeping {
  /** Whether the data on disk is encrypted and current; null: there is nothing to encrypt. */
  safe: boolean | null;
  badge: string;
  key: string | null;
  saved: string | null;
}

export function keeping(status: VaultStatus, demo: boolean, now: number): Keeping {
  if (demo) return { safe: true, badge: 'Sample data', key: 'Key in memory', saved: null };
  if (status.held === 'memory') {
    const changes = status.unsaved > 0 ? `: ${count(status.unsaved, 'change')} in memory` : '';
    return { safe: false, badge: `Not saved${changes}`, key: null, saved: fileSaved(status, now) };
  }
  if (status.state === 'ready' && status.bytes === null) {
    return { safe: null, badge: 'No vault yet', key: null, saved: null };
  }
  if (status.state === 'ready') {
    return {
      safe: true,
      badge: 'Encrypted',
      key: `Key in ${named(status.keychain)}`,
      saved: lastSaved(status, now),
    };
  }
  return {
    safe: false,
    badge: status.waiting ? 'Waiting' : BADGES[status.state],
    key: null,
    saved: fileSaved(status, now),
  };
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

/** Names the file, because "Saved just now" would contradict "Not saved" beside it, which is about memory. */
function fileSaved(status: VaultStatus, now: number): string | null {
  return status.savedAt === null ? null : `File saved ${savedAgo(status.savedAt, now)}`;
}

/** "5 accounts · 1 app · 23 tokens · 61 kB"; empty for an empty cache. */
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
