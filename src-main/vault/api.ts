import type { AccountReference, CacheChange, SignOutReceipt } from '../cache/schema/entities.ts';
import type { CacheHandle, UpdateOptions } from '../cache/handle.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { Keychain } from '../keychain/keychain.ts';
import type { ImportReport } from './exchange/import.ts';
import type { VaultReport, VaultStatus } from './state.ts';

/** Where a vault is, who keeps its key, and what happens when it can't be saved. */
export interface VaultOptions {
  /** Absolute path of the vault's file. Its folder is made (mode 0700) at the first save. */
  file: string;
  /**
   * A label that is stored beside the key, for people who look into their keychain. It need not be unique: the key is
   * found by an id in the file. Default: "vault".
   */
  name?: string;
  /** The keychain's service name, what people see in their keychain's list. Default: "Tokenkeep". */
  service?: string;
  /** Default: `systemKeychain()`. */
  keychain?: Keychain;
  /**
   * What `update` does when it can't save: `refuse` (the default) rejects and changes nothing; `memory` holds the
   * change in memory until it can be saved, and `status.held` says so. Neither ever writes under weaker protection.
   */
  unprotected?: 'refuse' | 'memory';
}

/** What became of the key of a vault that was deleted. */
export interface Forgotten {
  /**
   * `pending`: the keychain could not be asked; it is deleted the next time that a vault is opened in this place. `kept`:
   * it is also the key of the original of which this was a copy. `unknown`: the file no longer said which key was its.
   * `none`: there was no vault.
   */
  key: 'destroyed' | 'pending' | 'kept' | 'unknown' | 'none';
}

/** How a vault is read. */
export interface ReadOptions {
  /** Read what memory holds in a state in which nothing can be read from the file. */
  held?: boolean;
}

/** What `erase` gives: its value, and what became of the key that opens older copies of the file. */
export interface Erasure<T> {
  /** What `fn` gave. */
  value: T;
  /** `pending`: the keychain could not be asked; it is destroyed as soon as it can. Absent: there was no file. */
  oldKey?: 'destroyed' | 'pending';
}

/**
 * A token cache in one encrypted file, whose key is in the keychain. Made by `openVault`, which resolves in every
 * state: look at `status`.
 */
export interface Vault extends CacheHandle {
  /** A plain value; a new one whenever something in it changes. */
  readonly status: VaultStatus;

  /** How many accounts have been signed out of this vault, here or elsewhere, as of the last read. */
  readonly epoch: number;

  /**
   * Rejects with the state's error where nothing can be read, so that "no accounts" is not taken for an answer. With
   * `held`, or in a vault that was opened with `unprotected: 'memory'`, it gives what memory holds, which may be nothing.
   */
  read<T>(fn: (cache: TokenCache) => T, options?: ReadOptions): Promise<T>;

  update<T>(fn: (cache: TokenCache) => T, options?: UpdateOptions): Promise<T>;

  /** The lock is the operating system's: a process that dies lets go of it. Names share a few lock files. */
  exclusively<T>(name: string, task: () => Promise<T>): Promise<T>;

  /**
   * `change`: what an update did once it is saved (or held in memory), or what another process did, or what became
   * readable. `status`: the new status. Returns the function that ends it. A listener that throws harms nobody.
   */
  on(event: 'change', listener: (change: CacheChange) => void): () => void;
  /** See above. */
  on(event: 'status', listener: (status: VaultStatus) => void): () => void;

  /** Asks the keychain and reads the file again, and saves what is held in memory. Resolves in every state. */
  retry(): Promise<VaultStatus>;

  /**
   * key-missing, wrong-key, damaged: renames the file to `<file>.orphan-<time>` (damaged: `.damaged-<time>`), never
   * deletes it, and begins an empty vault. Rejects with the state's VaultError in any other state that is not
   * `ready`; with InvalidArgumentError when it is `ready`.
   */
  startFresh(): Promise<void>;

  /**
   * damaged: writes what could be read to a new file, under the same key, and keeps the damaged one beside it as
   * `<file>.damaged-<time>`. Rejects in every other state, as `startFresh` does.
   */
  recover(): Promise<void>;

  /**
   * older: writes what this program has in memory in the place of the older file, which is kept beside it as
   * `<file>.older-<time>`. Accounts that were signed out meanwhile stay signed out.
   *
   * @throws InvalidArgumentError where the file was older when it was opened, so that memory holds nothing newer
   */
  keepMine(): Promise<void>;

  /**
   * older: takes the file's contents, without the accounts that were signed out since it was written. What is in
   * memory is given up. The older file is kept beside it as `<file>.older-<time>`.
   *
   * @throws VaultError `vault_key_missing` where the older file can't be opened any more
   */
  takeFile(): Promise<void>;

  /**
   * Deletes the vault's file and its key, in every state: deleting needs no key. Files that were set aside stay. The
   * key of a copy is the original's, and is kept. Afterwards this is an empty vault, as if it had just been opened.
   *
   * @returns what became of the key
   */
  forget(): Promise<Forgotten>;

  /**
   * copy: gives this file an id and a key of its own. From then on it and the original have nothing to do with each
   * other.
   */
  makeOwn(): Promise<void>;

  /**
   * Removes the account and everything that belongs to it, as `erase` does: older copies of the file can't be opened
   * by anyone. `oldKey: 'pending'`: the account is gone from the file, and the keychain could not be asked; the old
   * key is destroyed at the next chance, by whichever program has it.
   */
  signOut(account: string | AccountReference): Promise<SignOutReceipt>;

  /**
   * `update`, after which what `fn` removed can't be read in older copies of the file either: the file is written
   * anew under a new key, read back, and the old key destroyed. Calls at the same time share one rewriting. Rejects,
   * with nothing changed, in every state but `ready`, whatever `unprotected` says: what was not done is not claimed.
   *
   * `oldKey` is absent where nothing was ever saved.
   */
  erase<T>(fn: (cache: TokenCache) => T): Promise<Erasure<T>>;

  /**
   * Writes the file anew under a new key, reads it back, and destroys the old one. Rejects, with the old key in use
   * and nothing lost, where the keychain refuses; `status.oldKey` then says that it is pending.
   */
  rotateKey(): Promise<void>;

  /** Writes the file anew without what is dead in it. It is done now and then by itself. */
  compact(): Promise<void>;

  /**
   * Reads every byte of the file and opens every secret; changes nothing. Resolves in every state.
   *
   * @param progress hears now and then how many entries are done, of how many
   */
  verify(progress?: (done: number, of: number) => void): Promise<VaultReport>;

  /**
   * Writes everything to a file in the age format, encrypted with the passphrase: `age --decrypt` opens it too, and
   * gives a cache document that an MSAL library reads. The file is whole or not there, for this user alone (0600), and
   * has been read back when this resolves. In a state other than `ready`, what can be read is exported.
   *
   * @throws PassphraseError `passphrase_weak`; StorageError; VaultError of a state in which nothing can be read
   */
  exportTo(file: string, passphrase: string): Promise<void>;

  /**
   * Merges what was exported, or any cache document of an MSAL library: whole or not at all, in one update.
   *
   * @throws PassphraseError `passphrase_needed`, `passphrase_wrong`; DocumentError; and as `update` does
   */
  importFrom(file: string, passphrase?: string): Promise<ImportReport>;

  /** Waits for what is under way, then lets go of keys and timers. What is held in memory only is lost. */
  close(): Promise<void>;
}
