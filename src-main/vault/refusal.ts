import { KeychainError, LockError, StorageError, VaultError, type VaultErrorCode } from '../errors.ts';
import { hasOwnMessage } from './disk/storage-error.ts';
import { printable } from './printable.ts';
import type { VaultState } from './state.ts';

/** One sentence each: what happened, what it means for the data, and what to do. */
const REFUSALS: Readonly<Record<Exclude<VaultState, 'ready'>, { code: VaultErrorCode; message: string }>> = {
  locked: {
    code: 'vault_locked',
    message:
      'The keychain is locked, so the vault can’t be opened. Its file is untouched. Unlock the keychain and try again.',
  },
  'no-keychain': {
    code: 'vault_no_keychain',
    message:
      'There is no keychain, so the vault can’t be opened. Its file is untouched, and nothing is saved until there is one. Install or start one, and try again.',
  },
  'key-missing': {
    code: 'vault_key_missing',
    message:
      'The keychain does not have this vault’s key, so its sign-ins can’t be opened. The file is untouched. If the key comes back, as with a restored keychain, try again. Otherwise start fresh: the file is then set aside.',
  },
  'wrong-key': {
    code: 'vault_wrong_key',
    message:
      'The key in the keychain is not this vault’s, so its sign-ins can’t be opened. The file is untouched. Restore the file or the keychain from the time when they belonged together, or start fresh: the file is then set aside.',
  },
  damaged: {
    code: 'vault_damaged',
    message:
      'The vault’s file is damaged. It is untouched. Keep what can be read in a new file, or start fresh: the damaged one is kept beside it.',
  },
  newer: {
    code: 'vault_newer',
    message:
      'The vault was made by a newer version of this software, so this version can’t open it. Its file is untouched. Update this program.',
  },
  'read-only': {
    code: 'vault_read_only',
    message:
      'The vault’s file, its folder or its disk can’t be written. Nothing was changed. Allow writing, and try again.',
  },
  unreadable: {
    code: 'vault_unreadable',
    message:
      'The vault’s file is there, and the system does not let it be read. It is untouched, and nothing is saved. Check the permissions of the file and its folder, and the disk, and try again.',
  },
  older: {
    code: 'vault_older',
    message:
      'The vault’s file is older or shorter than what was last seen of it, or was written to elsewhere; a backup or a sync tool may have put it there. Nothing was overwritten, and nothing is saved. Keep what this program has, or take the file’s contents.',
  },
  copy: {
    code: 'vault_copy',
    message:
      'This vault was moved or copied. Its original path was too long for the keychain, so whether the original is still there can’t be known; both would have the same key. It can be read and not written. Make it a vault of its own to use it.',
  },
  busy: {
    code: 'vault_busy',
    message:
      'Another program has been writing to this vault for too long. Nothing was changed. Close it, or try again.',
  },
};

export function refusal(state: Exclude<VaultState, 'ready'>, cause?: unknown): VaultError {
  const { code, message } = REFUSALS[state];
  // Only the keychain, the lock or the file system knows the cause and the remedy.
  const isSpecific =
    (state === 'no-keychain' && cause instanceof KeychainError) ||
    (state === 'read-only' && (cause instanceof LockError || cause instanceof StorageError)) ||
    (state === 'unreadable' && cause instanceof StorageError && isSaid(cause)) ||
    (cause instanceof VaultError && cause.code === code);
  const says = isSpecific ? cause.message : message;
  return new VaultError(code, says, cause === undefined ? undefined : { cause });
}

/**
 * Returns whether the error's own message explains why the vault can't be read: it has no system error as its cause, is about the path, or
 * is about a limit.
 */
function isSaid({ code, cause }: StorageError): boolean {
  return cause === undefined || code === 'path_invalid' || code === 'name_too_long' || hasOwnMessage(cause);
}

export function closed(): VaultError {
  return new VaultError(
    'vault_closed',
    'This vault was closed. Nothing was changed. Open it again to use it.',
  );
}

/** Returns the error for a task that found the vault in another state than when it began. */
export function changedMeanwhile(): VaultError {
  return new VaultError(
    'vault_busy',
    'Another program changed the vault at the same moment. Nothing was changed here. Try again.',
  );
}

/** Returns the error for memory of which a part was damaged, or changed in the file before it was read. */
export function notComplete(cause: VaultError): VaultError {
  return new VaultError(
    'vault_damaged',
    'This program does not have all of the newer version: a part of it was damaged, or was changed before it was read into memory. The vault’s file is as it was. Take the file’s contents.',
    { cause },
  );
}

/** Returns the error for a file of which nothing can be read. */
export function nothingReadable(): VaultError {
  return new VaultError(
    'vault_damaged',
    'The vault’s file is damaged, and nothing in it can be read. It is untouched. Restore it from a backup, or start fresh: the file is then set aside.',
  );
}

/** Returns the error for an older file that was there when the vault was opened, so that memory holds nothing newer. */
export function olderAtStart(): VaultError {
  return new VaultError(
    'vault_older',
    'The vault’s file is older or shorter than what was last seen of it, or was written to elsewhere; a backup or a sync tool may have put it there. Nothing was overwritten, and nothing is saved. Put the newer file back and try again, or take this file’s contents.',
  );
}

/** Returns the error for an older file that was put in place of an open one, and that can't be opened. */
export function olderUnopenable(): VaultError {
  return new VaultError(
    'vault_older',
    'The vault’s file is older or shorter than what was last seen of it, and can’t be opened: its key was destroyed when an account was signed out, or it is damaged. Nothing was overwritten, and nothing is saved. Keep what this program has.',
  );
}

/** Returns the error for a damaged file that was older, too, when the vault was opened. */
export function damagedAndOlder(): VaultError {
  return new VaultError(
    'vault_damaged',
    'The vault’s file is damaged, and it is older or shorter than what was last seen of it; a backup or a sync tool may have put it there. It is untouched. Put the newer file back and try again, or keep what can be read in a new file, or start fresh: the damaged one is kept beside it.',
  );
}

/** Returns the error for a file of which another program has recovered a part, while this program had it open. */
export function salvaged(): VaultError {
  return new VaultError(
    'vault_older',
    'The vault’s file was damaged, and another program kept what could be read of it. This program may have more. Nothing was overwritten, and nothing is saved. Keep what this program has, or take the file’s contents.',
  );
}

/** Returns the error for a file that was deleted while this program had it open. */
export function gone(): VaultError {
  return new VaultError(
    'vault_older',
    'The vault’s file was deleted or moved while this program had it open. Nothing is saved. Keep what this program has, which writes the file again, or begin with an empty vault.',
  );
}

/** Returns the error for an open file that was replaced with the file of another vault. */
export function replaced(): VaultError {
  return new VaultError(
    'vault_older',
    'Another vault’s file was put in the place of the one that this program had open. Nothing was overwritten, and nothing is saved. Keep what this program has, or open the vault again to use the other one.',
  );
}

export function isCopyOf(original: string): VaultError {
  return new VaultError(
    'vault_copy',
    `The original of this vault is “${printable(original, 200)}”, and both have the same key: signing out there makes this copy unreadable. It can be read and not written. Make it a vault of its own to use it.`,
  );
}

/** Returns the error for a damaged copy. Without a path, whether its original is still there can't be known. */
export function damagedCopy(original: string | null): VaultError {
  const of =
    original === null
      ? 'This file is damaged. It was moved or copied, and the original, if it is still there, has the same key.'
      : `This is a damaged copy of the vault “${printable(original, 200)}”, and both have the same key.`;
  return new VaultError(
    'vault_damaged',
    `${of} Both files are untouched. Keep what can be read as a vault of its own, or start fresh: the damaged file is kept beside it.`,
  );
}

/** Returns the error for a rotation that kept the old key: because of the keychain, if it did not store the new one or did not answer. */
export function notRotated(cause: Error | null): Error {
  if (cause !== null && !(cause instanceof KeychainError)) return cause;
  if (cause?.outcome === 'unavailable') return refusal('no-keychain', cause);
  return new VaultError(
    'vault_locked',
    'The keychain is locked, or waits for an answer to its prompt, so the vault’s key was not replaced. The old key stays in use, and nothing is lost. Unlock the keychain and try again.',
    cause === null ? undefined : { cause },
  );
}

export function notDestroyed(): StorageError {
  return new StorageError(
    'storage_failed',
    'The vault has a new key, but the old one still exists: the new file could not be read back, or the keychain did not destroy the key. Older copies of the file can be opened until then. Open the vault again: the old key is destroyed then.',
  );
}
