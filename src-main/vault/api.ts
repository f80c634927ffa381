import type { CacheHandle, Synchronous, UpdateOptions } from '../cache/handle.ts';
import type { AccountReference, CacheChange, SignOutReceipt } from '../cache/schema/entities.ts';
import type { Keychain } from '../keychain/keychain.ts';
import type { Abortable } from '../waiting.ts';
import type { ImportReport } from './exchange/import.ts';
import type { VaultReport, VaultStatus } from './state.ts';

/** Options of `openVault`: where the vault is, which keychain holds its key, and what to do when it can't be saved. */
export interface VaultOptions {
  /** Absolute path of the vault file. Its folder is created (mode 0700) at the first commit. */
  file: string;
  /**
   * A label stored beside the key, for users who inspect their keychain. It need not be unique: the key is found by
   * an id in the file. Default: "vault".
   */
  name?: string;
  /** The keychain's service name, as shown in the keychain's list. Default: "Tokenkeep". */
  service?: string;
  /** Default: `systemKeychain()`. */
  keychain?: Keychain;
  /**
   * What `update` does when it can't save: `refuse` (the default) rejects and changes nothing; `memory` holds the
   * change in memory until it can be saved, and counts it in `status.held`. Neither ever writes under weaker
   * protection.
   */
  unprotected?: 'refuse' | 'memory';
  /** Stops waiting for the file and the keychain: `openVault` rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The outcome for the key of a deleted vault. */
export interface Forgotten {
  /**
   * `pending`: the keychain was not available; the key is deleted the next time a vault is opened at this path.
   * `kept`: the key is shared with the original of which this vault was a copy, or may be, if the original's path is
   * unknown. `unknown`: the file no longer identified its key. `none`: there was no vault.
   */
  key: 'destroyed' | 'pending' | 'kept' | 'unknown' | 'none';
}

/** Options of `read`. `signal` stops waiting for the file. */
export interface ReadOptions extends Abortable {
  /** Whether to read what memory holds if the file can't be read. */
  held?: boolean;
}

/** The result of `erase`: the value of `fn`, and what happened to the key of older copies of the file. */
export interface Erasure<T> {
  /** The return value of `fn`. */
  value: T;
  /**
   * `pending`: the keychain was not available, or did not answer within a second; the key is destroyed as soon as it answers. Absent: there
   * was no file.
   */
  oldKey?: 'destroyed' | 'pending';
}

/**
 * A token cache in one encrypted file, whose key is in the keychain. Created by `openVault`, which resolves in every
 * state; check `status`.
 *
 * @example
 * import { openVault, type Vault } from 'tokenkeep';
 *
 * const vault: Vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * if (vault.status.state !== 'ready') console.warn(vault.status.code);
 * vault.on('change', () => console.log('The accounts have changed.'));
 * const accounts = await vault.read((cache) => cache.accounts(), { held: true });
 * await vault.close();
 */
export interface Vault extends CacheHandle {
  /** The current status, a plain object. It is replaced by a new object whenever something in it changes. */
  readonly status: VaultStatus;

  /** The number of accounts that were signed out of this vault, by any process, as of the last read. */
  readonly epoch: number;

  /**
   * Runs `fn` on the cache. Rejects with the state's error if nothing can be read, so that an unreadable vault is not
   * mistaken for an empty one. With `held`, or in a vault opened with `unprotected: 'memory'`, it reads what memory
   * holds, which may be nothing.
   */
  read<T>(fn: Synchronous<T>, options?: ReadOptions): Promise<T>;

  update<T>(fn: Synchronous<T>, options?: UpdateOptions): Promise<T>;

  /**
   * Runs `fn` while holding a named lock. The lock belongs to the operating system, which releases it when the process dies.
   * Names share a small number of lock files. Aborting `signal` cancels the call until the task begins. The signal is also
   * passed to the task.
   *
   * @throws VaultError of a state in which an update would be refused: the task does not begin, since what it gets could not be kept
   */
  exclusively<T>(name: string, task: (signal?: AbortSignal) => Promise<T>, options?: Abortable): Promise<T>;

  /**
   * Adds a listener and returns the function that removes it. `change`: an update was saved (or held in memory),
   * another process changed the vault, or entries became readable. `status`: the new status. A listener that throws
   * does not affect the vault or other listeners.
   */
  on(event: 'change', listener: (change: CacheChange) => void): () => void;
  /** Adds a listener for changes of the status; see above. */
  on(event: 'status', listener: (status: VaultStatus) => void): () => void;

  /**
   * Asks the keychain again, rereads the file, and saves what is held in memory. Resolves in every state. `signal` stops waiting: the
   * keychain's answer counts when it comes.
   */
  retry(options?: Abortable): Promise<VaultStatus>;

  /**
   * In states key-missing, wrong-key and damaged: renames the file to `<file>.orphan-<time>` (damaged:
   * `.damaged-<time>`) and starts an empty vault. The file is never deleted. Rejects with the state's VaultError in
   * any other state that is not `ready`, and with InvalidArgumentError in state `ready`.
   */
  startFresh(): Promise<void>;

  /**
   * In state damaged: writes the salvaged accounts to a new file under the same key, and keeps the damaged file
   * beside it as `<file>.damaged-<time>`. What is salvaged from a copy becomes a vault of its own, as `makeOwn` makes it. Rejects in every other state, as `startFresh` does.
   */
  recover(): Promise<void>;

  /**
   * In state older, and in damaged, key-missing and wrong-key while `status.kept` says that memory holds more: replaces
   * the file with what this program has in memory, and keeps the replaced file beside it as `<file>.older-<time>`
   * (`.damaged-<time>`, `.orphan-<time>`). Accounts that were signed out in the meantime stay signed out.
   *
   * @throws InvalidArgumentError if the file was already older when it was opened, so that memory holds nothing newer;
   * VaultError of any other state
   */
  keepMine(): Promise<void>;

  /**
   * In state older: accepts the file's contents, except accounts that were signed out since it was written. Discards
   * what is in memory. Keeps the older file beside it as `<file>.older-<time>`.
   *
   * @throws VaultError `vault_key_missing` if the older file can no longer be opened
   */
  takeFile(): Promise<void>;

  /**
   * Deletes the vault's file and its key, in every state: deleting needs no key. Files that were set aside stay. The
   * key of a copy belongs to the original and is kept. Afterwards this is an empty vault, as if it had just been
   * opened.
   *
   * @returns what happened to the key
   */
  forget(): Promise<Forgotten>;

  /**
   * In state copy: gives this file an id and a key of its own. From then on it is independent of the original, except
   * that both hold the same refresh tokens: the app and the command ask before they first use one of them.
   */
  makeOwn(): Promise<void>;

  /**
   * Removes the account and all its entries, as `erase` does: nobody can open older copies of the file afterwards.
   * With `oldKey: 'pending'`, the account is gone from the file, but the keychain was not available, or the new file could not be read
   * back. The old key is destroyed as soon as that is possible, by whichever program has the vault open. Aborting `signal` cancels the
   * call until the account is removed.
   */
  signOut(account: string | AccountReference, options?: Abortable): Promise<SignOutReceipt>;

  /**
   * Does what `update` does, and makes what `fn` removed unreadable in older copies of the file: the file is
   * rewritten under a new key and read back, and the old key is destroyed. Concurrent calls share one rewrite.
   * Rejects, with nothing changed, in every state but `ready`, whatever `unprotected` says.
   *
   * `oldKey` is absent if nothing was ever saved. Aborting `signal` cancels the call until `fn` has run.
   */
  erase<T>(fn: Synchronous<T>, options?: Abortable): Promise<Erasure<T>>;

  /**
   * Rewrites the file under a new key, reads it back, and destroys the old key. Waits for a slow keychain. If the keychain refuses or does
   * not answer, it rejects, the old key stays in use and nothing is lost; `status.oldKey` then says that it is pending. Aborting `signal`
   * cancels the call until the rewrite begins.
   */
  rotateKey(options?: Abortable): Promise<void>;

  /**
   * Rewrites the file without its reclaimable space. The vault also compacts automatically. Aborting `signal` cancels the call until the
   * rewrite begins.
   */
  compact(options?: Abortable): Promise<void>;

  /**
   * Reads every byte of the file and authenticates every frame; changes nothing. Resolves in every state.
   *
   * @param progress called from time to time with the number of entries verified and the total
   */
  verify(progress?: (done: number, of: number) => void, options?: Abortable): Promise<VaultReport>;

  /**
   * Exports everything to a file in the age format, encrypted with the passphrase. `age --decrypt` opens it too, and yields a
   * cache document that an MSAL library reads. The file is written atomically, with mode 0600, and has been read back when this
   * resolves. Its folder has to exist. In a state other than `ready`, whatever can be read is exported. Aborting `signal` cancels the call until the
   * file is written.
   *
   * @throws PassphraseError `passphrase_weak`; StorageError; VaultError of a state in which nothing can be read; InvalidArgumentError if
   *   the file is a vault or has the name of a file beside it
   */
  exportTo(file: string, passphrase: string, options?: Abortable): Promise<void>;

  /**
   * Merges an export, or any cache document of an MSAL library, in one atomic update. Aborting `signal` cancels the call until then. App
   * data is left out, because anyone may have written the file, and the accounts are marked as imported from it; see `historyOf` of
   * `tokenkeep/ipc`.
   *
   * @throws PassphraseError `passphrase_needed`, `passphrase_wrong`; DocumentError; and as `update` does
   */
  importFrom(file: string, passphrase?: string, options?: Abortable): Promise<ImportReport>;

  /**
   * Waits for operations in progress, then releases keys and timers. A task of `exclusively` that has begun can still read and update until
   * it ends; one that has not is rejected with `vault_closed`. Changes held only in memory are lost. Later calls wait as the first does.
   */
  close(): Promise<void>;

  /** Calls `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
