import type { AppInfo } from '../../app/contract.ts';
import type { VaultState, VaultStatus } from '../../src-main/ipc/contract.ts';
import { bytes, count, listing, named } from './words.ts';

export type NoticeAction =
  | 'keep-mine'
  | 'compare'
  | 'take-file'
  | 'make-own'
  | 'retry'
  | 'recover'
  | 'restore'
  | 'start-fresh'
  | 'show-file';

/**
 * A vault state that needs attention: cause, consequence and actions. Shown as a screen if there are no accounts,
 * else as a banner.
 */
export interface Notice {
  id: Exclude<VaultState, 'ready'> | 'waiting' | 'crashed' | 'not-saved';
  /** wait: passes by itself. warn: needs the user. bad: data is lost or can't be opened. */
  tone: 'wait' | 'warn' | 'bad';
  title: string;
  /** The cause; main's message if only main knows it. */
  text: string;
  /** What it means for new changes. May be "". */
  consequence: string;
  /** The first one is the recommended action. */
  actions: readonly NoticeAction[];
}

const IN_MEMORY = 'Until then, new sign-ins and imports stay in memory and are lost when you quit.';

export function notice(status: VaultStatus | null, info: AppInfo | null): Notice | null {
  if (status === null) return null;
  if (info?.keychainCrashed === true && status.state !== 'ready') return crashed(status);
  if (status.waiting) return waiting(status);
  if (status.state === 'ready') return status.held === 'memory' ? notSaved(status) : null;
  return { id: status.state, ...keeping(NOTICES[status.state](status), status) };
}

type Words = Omit<Notice, 'id'>;

/** Codes of a keychain that is not there. With the others it is there, but full, refused or broken. */
const ABSENT: ReadonlySet<string> = new Set(['keychain_unavailable', 'keychain_library_missing']);

/** States in which the file can be replaced with what memory holds. */
const REPLACEABLE: ReadonlySet<VaultState> = new Set<VaultState>(['damaged', 'key-missing', 'wrong-key']);

/** Adds the accounts that memory still holds after the file of an open vault became unreadable. */
function keeping(words: Words, { state, kept }: VaultStatus): Words {
  if (kept === undefined || kept === 0) return words;
  const consequence = `${count(kept, 'account')} from before ${kept === 1 ? 'is' : 'are'} still in memory, and lost when you quit. You can export ${kept === 1 ? 'it' : 'them'}.`;
  const actions: readonly NoticeAction[] = REPLACEABLE.has(state)
    ? ['keep-mine', ...words.actions]
    : words.actions;
  return { ...words, consequence, actions };
}

function crashed(status: VaultStatus): Notice {
  return {
    id: 'crashed',
    tone: 'warn',
    title: 'Tokenkeep stopped while asking the keychain',
    text: `Last time, Tokenkeep stopped while asking ${named(status.keychain)} for the key, so it has not asked again. The vault file is unchanged. Retry asks for the key.`,
    consequence: IN_MEMORY,
    actions: ['retry'],
  };
}

function waiting(status: VaultStatus): Notice {
  return {
    id: 'waiting',
    tone: 'wait',
    title: 'Waiting for the keychain…',
    text: `Tokenkeep asked ${named(status.keychain)} for the key and is waiting for an answer. Look for a prompt, perhaps behind this window.`,
    consequence: 'Your accounts appear when it answers. Until then, nothing is written to disk.',
    actions: [],
  };
}

function notSaved(status: VaultStatus): Notice {
  return {
    id: 'not-saved',
    tone: 'warn',
    title: `${count(status.unsaved, 'change')} not saved`,
    text: status.message ?? 'The file could not be written. Tokenkeep tries again.',
    consequence: 'The file on disk is unchanged. The changes are in memory and are lost when you quit.',
    actions: ['retry', 'show-file'],
  };
}

const NOTICES: Readonly<Record<Exclude<VaultState, 'ready'>, (status: VaultStatus) => Words>> = {
  locked: (status) => ({
    tone: 'warn',
    title: 'The keychain is locked',
    text: `The encryption key is in ${named(status.keychain)}, which is locked, or its prompt was dismissed. The vault file is unchanged. Unlock the keychain, then retry.`,
    consequence: IN_MEMORY,
    actions: ['retry'],
  }),
  'no-keychain': (status) => ({
    tone: 'warn',
    title: ABSENT.has(status.code ?? 'keychain_unavailable')
      ? 'No keychain found'
      : 'The keychain can’t be used',
    text:
      status.message ??
      'No keychain answers on this system. On Linux, install and start GNOME Keyring, KWallet or KeePassXC, then retry. No file was changed.',
    consequence: IN_MEMORY,
    actions: ['retry'],
  }),
  'key-missing': (status) => ({
    tone: 'bad',
    title: 'The encryption key is missing',
    text: `${status.bytes === null ? 'The vault file' : `The vault file (${bytes(status.bytes)})`} can’t be opened: its key is not in ${named(status.keychain)}. The file is unchanged. If the key comes back (another keychain, a restored profile), retry. Otherwise, restore from an export.`,
    consequence: IN_MEMORY,
    actions: ['retry', 'restore', 'start-fresh', 'show-file'],
  }),
  'wrong-key': (status) => ({
    tone: 'bad',
    title: 'The key doesn’t open this file',
    text: `The key in ${named(status.keychain)} belongs to another file. This file may be an older copy, or from another computer. The file is unchanged. To get your accounts back, restore from an export.`,
    consequence: IN_MEMORY,
    actions: ['restore', 'retry', 'start-fresh', 'show-file'],
  }),
  damaged: (status) => {
    const isRecoverable = status.recovered !== undefined && status.recovered.accounts > 0;
    const isSpecial = status.copyOf !== undefined || status.older !== undefined;
    const special = isSpecial ? status.message : undefined;
    return {
      tone: 'bad',
      title: recovered(status),
      text: isRecoverable
        ? (special ??
          'Parts of the file were changed or lost on disk. Keep the recovered accounts in a new file, or start fresh. Either way, the damaged file is kept beside it.')
        : 'No account in the file can be read. To get your accounts back, restore from an export. The damaged file is kept beside the new one.',
      consequence: `${lost(status)} ${IN_MEMORY}`.trim(),
      actions: isRecoverable
        ? ['recover', 'start-fresh', 'show-file']
        : ['restore', 'start-fresh', 'retry', 'show-file'],
    };
  },
  newer: () => ({
    tone: 'warn',
    title: 'Written by a newer version',
    text: 'A newer version of Tokenkeep wrote this file. The file is unchanged. Update Tokenkeep to open it.',
    consequence: 'This version never writes to it: changes stay in memory, and are lost when you quit.',
    actions: ['show-file', 'retry'],
  }),
  'read-only': (status) => ({
    tone: 'warn',
    title: 'Read-only',
    text:
      status.message ??
      'You don’t have permission to write the vault file. Check the permissions of the file and its folder.',
    consequence:
      'You can view everything. Changes stay in memory until the file can be written, and are lost when you quit.',
    actions: ['retry', 'show-file'],
  }),
  unreadable: (status) => ({
    tone: 'bad',
    title: 'The file can’t be read',
    text:
      status.message ??
      'The system refuses to read the file. The file is unchanged. Check the permissions of the file and its folder, and the disk.',
    consequence: IN_MEMORY,
    actions: ['retry', 'show-file'],
  }),
  older: (status) => ({
    tone: 'bad',
    title:
      status.older?.recovered === true
        ? 'Another program recovered the file'
        : 'An older file was put in place',
    text:
      status.message ??
      'The vault file is older than the one that was last seen here. A backup or a sync tool may have restored it.',
    consequence: IN_MEMORY,
    actions: [
      ...(typeof status.older?.mine === 'number' ? (['keep-mine'] as const) : []),
      ...(typeof status.older?.file === 'number' || status.bytes === null ? (['take-file'] as const) : []),
      ...(typeof status.older?.mine === 'number' ? (['compare'] as const) : []),
      'retry',
      'show-file',
    ],
  }),
  copy: (status) => ({
    tone: 'warn',
    title: 'This vault is a copy',
    text: status.message ?? 'The original is in another folder, and both have the same encryption key.',
    consequence: IN_MEMORY,
    actions: ['make-own', 'retry', 'show-file'],
  }),
  busy: (status) => ({
    tone: 'warn',
    title: 'Another program is using the file',
    text: status.message ?? 'Another program has locked the file. Close that program or wait, then retry.',
    consequence: 'Until then, changes stay in memory, and are lost when you quit.',
    actions: ['retry', 'show-file'],
  }),
};

/** "3 of 5 accounts recovered"; without the total if it is unknown. */
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
