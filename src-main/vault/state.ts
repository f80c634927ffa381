/**
 * The state of a vault. Locked, absent, wrong, damaged, newer and unavailable are different states: each requires a
 * different action of the user, and none of them changes the file.
 */
export type VaultState =
  | 'ready'
  | 'locked' // the keychain is locked, or its prompt was dismissed or is still open (`waiting`)
  | 'no-keychain' // no library, no session bus or no secret service
  | 'key-missing' // the file exists, the keychain is unlocked, and it has no key for the file
  | 'wrong-key' // the key in the keychain does not belong to this file
  | 'damaged' // part of the file can't be authenticated; the rest is readable
  | 'newer' // written by a newer format version
  | 'read-only' // it can be read but not written
  | 'unreadable' // it exists, but the file system doesn't let this user, or any user, read it
  | 'older' // it is older or shorter than what this program or machine has seen
  | 'copy' // it is a copy of a vault that still exists elsewhere, with the same key
  | 'busy'; // the last commit timed out waiting for a program that held the lock; the next one tries again

/** The status of a vault: a plain object, safe to clone to a window. Holds no secret. */
export interface VaultStatus {
  /** The state of the vault. */
  state: VaultState;
  /** The code of the error that caused a state other than `ready`, or that prevents changes from being saved. */
  code?: string;
  /** A message for the user: what happened, what it means for the data, what to do. Absent when all is well. */
  message?: string;
  /** Where the newest changes are. `memory`: they are lost when this process ends. */
  held: 'disk' | 'memory';
  /** Number of updates held only in memory. */
  unsaved: number;
  /** The keychain has not answered yet. Its answer will update the status. */
  waiting: boolean;
  /** Absolute path. */
  file: string;
  /** Size of the file in bytes, or null if it does not exist (yet). */
  bytes: number | null;
  /** Seconds since the epoch, or null before the first known commit. */
  savedAt: number | null;
  /** The keychain's display name: "macOS Keychain", "Secret Service", … */
  keychain: string;
  /** The key's slot, and when the key was made, in seconds since the epoch (null: unknown). Absent before the file was read. */
  key?: { slot: 'a' | 'b'; madeAt: number | null };
  /** The fraction of the file's entries that are current, 0 to 1. Absent if it was not read. */
  live?: number;
  /**
   * A sign-out or rotation is done except for destroying the old key, which happens as soon as the keychain is available and the new file can
   * be read: at the latest at the next `retry` or opening where they are.
   */
  oldKey?: 'pending';
  /** Problems at the vault's path that don't prevent its use. Absent if there are none. */
  warnings?: readonly VaultWarning[];
  /** In state `older`: the two versions to choose from. In state `damaged`: the file is older, too, than what was last seen of it. */
  older?: OlderFile;
  /**
   * The file can't be read completely any more, and memory still holds what this program read before: the number of
   * accounts. Absent otherwise, and in state `older`.
   */
  kept?: number;
  /** In state `copy`, and in state `damaged` if the file is a copy: absolute path of the original; absent if it is unknown. */
  copyOf?: string;
  /** In state `damaged`: the number of salvaged accounts, the total (null: unknown), and the lost accounts. */
  recovered?: Recovered;
}

/**
 * `folder_writable`, `file_writable`: other users of this machine can write there, and so replace or delete the
 * vault. `sign_out_unrecorded`: a sign-out waits for the keychain (`oldKey`), and `<file>.mark` beside the vault can't be written. Until the
 * keychain is available, an older copy of the file brings the account back if it is put back while no program has the vault open.
 */
export type VaultWarning = 'folder_writable' | 'file_writable' | 'sign_out_unrecorded';

/** The two versions of a vault whose file is older. */
export interface OlderFile {
  /** The number of accounts that this program still has in memory; `null` if the file was already older when it was opened. */
  mine: number | null;
  /** The number of accounts in the file; `null` if it can't be opened or is gone. */
  file: number | null;
  /**
   * When the file was last changed, in seconds since the epoch; `null` if it is gone. A tool that copies files may have set it to the time of
   * the copy.
   */
  fileSavedAt: number | null;
  /**
   * The accounts that only memory has: their number, and the first 20 by user name, or by home account id if there is none. None unless both
   * versions can be read. Accounts in both may have different tokens.
   */
  onlyMine: { accounts: number; names: readonly string[] };
  /** The accounts that only the file has. */
  onlyFile: { accounts: number; names: readonly string[] };
  /** The file was damaged, and another program has recovered a part of it. Absent otherwise. */
  recovered?: true;
}

/** The readable part of a damaged vault. */
export interface Recovered {
  /** Number of readable accounts. */
  accounts: number;
  /** Total number of accounts. `null`: the file no longer says. */
  of: number | null;
  /** Lost accounts, by user name, or by home account id if there is none. */
  lost: readonly string[];
}

/** The parts of a vault's file, and how much of each is intact. */
export interface VaultRegions {
  /** Intact copies of the header, of two. */
  headers: number;
  /** Base frames: those of the last rewrite, including the manifest. */
  base: { intact: number; of: number };
  /** Appended frames. */
  appended: number;
  /** Bytes after the last frame. In an undamaged file, they belong to a write that was never acknowledged. */
  after: number;
}

/** The result of verifying a vault's file: every byte was read. */
export interface VaultReport {
  /** Everything is present and authentic, and decrypts. */
  sound: boolean;
  /** As in `VaultStatus`. */
  state: VaultState;
  /** The code of the error that caused a state other than `ready`, or of the first secret that did not decrypt. */
  code?: string;
  /** Size of the file in bytes; 0 if there is none. */
  bytes: number;
  /** Number of readable accounts. */
  accounts: number;
  /** Number of readable entries, including those that are kept without being understood. */
  entries: number;
  /** Number of secrets that were decrypted and authenticated. */
  secrets: number;
  /** The fraction of the file's entries that are current, 0 to 1. */
  live: number;
  /** The slot in the keychain that holds the key. */
  keySlot: 'a' | 'b';
  /** Seconds since the epoch; null if unknown. */
  keyMadeAt: number | null;
  /** Number of times that the whole file was rewritten. */
  generation: number;
  /** Absent if there is no file, or no key to read it. */
  regions?: VaultRegions;
  /** In state `damaged`. */
  recovered?: Recovered;
  /** In state `damaged`: the file is older, too, than what was last seen of it. Absent otherwise. */
  older?: true;
}
