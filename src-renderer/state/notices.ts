import type { AppInfo } from '../../app/contract.ts';
import type { VaultState, VaultStatus } from '../../src-main/ipc/contract.ts';
import { bytes, count, listing, named } from './words.ts';

export type NoticeAction = 'retry' | 'recover' | 'start-fresh' | 'show-file';

/**
 * What the window says about a vault that is not simply ready: cause, consequence, one thing to do. A screen while
 * there is nothing to show, a banner above the accounts otherwise.
 */
export interface Notice {
  id: Exclude<VaultState, 'ready'> | 'waiting' | 'crashed' | 'not-saved';
  /** wait: it will pass. warn: needs the user. bad: something is lost or can't be opened. */
  tone: 'wait' | 'warn' | 'bad';
  title: string;
  /** The cause; in main's words where only it knows what that was. */
  text: string;
  /** What it means for what is done now; main's words say what it means for the file. May be "". */
  consequence: string;
  /** The first is the one to take. */
  actions: readonly NoticeAction[];
}

const IN_MEMORY =
  'Until then nothing is written to disk: what you sign in or import is in memory only, and lost when Tokenkeep quits.';

export function notice(status: VaultStatus | null, info: AppInfo | null): Notice | null {
  if (status === null) return null;
  if (info?.keychainCrashed === true && status.state !== 'ready') return crashed(status);
  if (status.waiting) return waiting(status);
  if (status.state === 'ready') return status.held === 'memory' ? notSaved(status) : null;
  return { id: status.state, ...NOTICES[status.state](status) };
}

type Words = Omit<Notice, 'id'>;

function crashed(status: VaultStatus): Notice {
  return {
    id: 'crashed',
    tone: 'warn',
    title: 'The keychain stopped Tokenkeep last time',
    text: `The last start ended while ${named(status.keychain)} was being asked for the key, so it has not been asked again. The file of your sign-ins is untouched. Retry asks it.`,
    consequence: IN_MEMORY,
    actions: ['retry'],
  };
}

function waiting(status: VaultStatus): Notice {
  return {
    id: 'waiting',
    tone: 'wait',
    title: 'Waiting for the keychain…',
    text: `The key was asked for, and ${named(status.keychain)} has not answered yet. It may be showing a prompt, perhaps behind this window.`,
    consequence: 'Your sign-ins appear as soon as it answers. Until then nothing is written to disk.',
    actions: [],
  };
}

function notSaved(status: VaultStatus): Notice {
  return {
    id: 'not-saved',
    tone: 'warn',
    title: `${count(status.unsaved, 'change')} not saved`,
    text: status.message ?? 'The file could not be written. Tokenkeep tries again by itself.',
    consequence:
      'The file on disk is as it was before. The newest state is in memory, and lost when Tokenkeep quits.',
    actions: ['retry', 'show-file'],
  };
}

const NOTICES: Readonly<Record<Exclude<VaultState, 'ready'>, (status: VaultStatus) => Words>> = {
  locked: (status) => ({
    tone: 'warn',
    title: 'The keychain is locked',
    text: `The key to your sign-ins is in ${named(status.keychain)}, which is locked, or its prompt was dismissed. Their file is untouched. Unlock it, then retry.`,
    consequence: IN_MEMORY,
    actions: ['retry'],
  }),
  'no-keychain': (status) => ({
    tone: 'warn',
    title: 'No keychain to keep the key in',
    text:
      status.message ??
      'This system has no keychain that answers. On Linux, install and start GNOME Keyring, KWallet or KeePassXC, then retry. No file was touched.',
    consequence: IN_MEMORY,
    actions: ['retry'],
  }),
  'key-missing': (status) => ({
    tone: 'bad',
    title: `${status.bytes === null ? 'Your' : `${bytes(status.bytes)} of`} sign-ins cannot be opened`,
    text: `Their key is no longer in ${named(status.keychain)}. If it comes back (another keychain, a restored profile), retry opens them. The file is untouched; starting fresh sets it aside and deletes nothing.`,
    consequence: IN_MEMORY,
    actions: ['retry', 'start-fresh', 'show-file'],
  }),
  'wrong-key': (status) => ({
    tone: 'bad',
    title: 'The key does not open this file',
    text: `The key in ${named(status.keychain)} belongs to another file: this one may be an old copy, or come from another machine. It is untouched; starting fresh sets it aside and deletes nothing.`,
    consequence: IN_MEMORY,
    actions: ['retry', 'start-fresh', 'show-file'],
  }),
  damaged: (status) => ({
    tone: 'bad',
    title: recovered(status),
    text: 'Parts of the file were changed or lost on disk; what is intact could be read. Keep it in a new file, or start fresh: either way the damaged one is kept beside it, as it is.',
    consequence: lost(status),
    actions:
      status.recovered !== undefined && status.recovered.accounts > 0
        ? ['recover', 'start-fresh', 'show-file']
        : ['start-fresh', 'retry', 'show-file'],
  }),
  newer: () => ({
    tone: 'warn',
    title: 'Made by a newer version',
    text: 'A newer version of Tokenkeep wrote this file. It is untouched. Update Tokenkeep to open it.',
    consequence: 'This version never writes it in the older form.',
    actions: ['retry', 'show-file'],
  }),
  'read-only': (status) => ({
    tone: 'warn',
    title: 'Read-only',
    text:
      status.message ??
      'The file can be read, but not written. Check its permissions and those of its folder.',
    consequence: 'You can look at everything; nothing can be removed from it until it can be written.',
    actions: ['retry', 'show-file'],
  }),
  unreadable: (status) => ({
    tone: 'bad',
    title: 'The file can’t be read',
    text:
      status.message ??
      'The system does not let it be read. It is untouched. Check its permissions, those of its folder, and the disk.',
    consequence: IN_MEMORY,
    actions: ['retry', 'show-file'],
  }),
  older: (status) => ({
    tone: 'bad',
    title: 'An older file was put in place',
    text:
      status.message ??
      'The vault file is older than the one that was last seen here. A backup or a sync tool may have restored it.',
    consequence: 'Nothing is saved until you choose which one to keep. Nothing was overwritten.',
    actions: ['retry', 'show-file'],
  }),
  copy: (status) => ({
    tone: 'warn',
    title: 'This vault is a copy',
    text: status.message ?? 'The original is in another folder, and both have the same encryption key.',
    consequence: 'You can look at everything. Nothing can be changed until this copy has a key of its own.',
    actions: ['retry', 'show-file'],
  }),
  busy: (status) => ({
    tone: 'warn',
    title: 'Another program is using the file',
    text:
      status.message ?? 'It has held the file for longer than a change takes. Close it, or wait, then retry.',
    consequence: 'Changes made here wait in memory.',
    actions: ['retry', 'show-file'],
  }),
};

/** "3 of 5 accounts recovered"; without the total where the file no longer tells. */
export function recovered(status: VaultStatus): string {
  if (status.recovered === undefined) return 'The file is damaged';
  const { accounts, of } = status.recovered;
  return of === null
    ? `${count(accounts, 'account')} recovered`
    : `${accounts} of ${count(of, 'account')} recovered`;
}

function lost(status: VaultStatus): string {
  const names = status.recovered?.lost ?? [];
  return names.length === 0 ? '' : `Lost: ${listing(names, 3)}.`;
}
