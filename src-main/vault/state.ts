/**
 * Where a vault stands. Locked, absent, wrong, damaged, newer and unavailable are different states: each asks
 * something else of the user, and in none of them is the file touched.
 */
export type VaultState =
  | 'ready'
  | 'locked' // the keychain is locked, or its prompt was dismissed or waits for an answer (`waiting`)
  | 'no-keychain' // no library, no session bus or no secret service
  | 'key-missing' // the file is there, the keychain is open, and the key is really absent
  | 'wrong-key' // the keychain's key is not this file's
  | 'damaged' // some of the file can't be authenticated; what can is readable
  | 'newer' // written by a newer format version
  | 'read-only' // it can be read, and not be written
  | 'unreadable' // it is there, and the file system does not let this user, or anybody, read it
  | 'older' // it is older or shorter than what this program, or this machine, has seen
  | 'copy' // it is a copy of a vault that still lies elsewhere, and has the same key
  | 'busy'; // the last save gave up waiting for a program that held the lock; the next one asks again

/** A plain value: safe to clone to a window. Holds no secret. */
export interface VaultStatus {
  /** Where the vault stands. */
  state: VaultState;
  /** The code of the error behind a state other than `ready`, or behind changes that are not saved. */
  code?: string;
  /** For people: what happened, what it means for the data, what to do. Absent when all is well. */
  message?: string;
  /** Where the newest changes are. `memory`: they are lost when this process ends. */
  held: 'disk' | 'memory';
  /** Updates held in memory only. */
  unsaved: number;
  /** The keychain has been asked and has not answered yet; an answer changes the status by itself. */
  waiting: boolean;
  /** Absolute path. */
  file: string;
  /** Size of the file, or null where there is none (yet). */
  bytes: number | null;
  /** Seconds since the epoch, or null before the first save that is known of. */
  savedAt: number | null;
  /** What keeps the key, as people call it: "macOS Keychain", "Secret Service", … */
  keychain: string;
  /** Which of its two places holds the key, and since when (null: nobody knows any more). Absent before it was read. */
  key?: { slot: 'a' | 'b'; madeAt: number | null };
  /** How much of the file says what is still so, 0 to 1, counted in entries. Absent where it was not read. */
  live?: number;
  /** A sign-out is done but for the destruction of the old key, which waits until the keychain can be asked. */
  oldKey?: 'pending';
  /** What is not as it should be in the vault's place, though it works. Absent where nothing is. */
  warnings?: readonly VaultWarning[];
  /** In state `older`: what there is to choose from. */
  older?: OlderFile;
  /** In state `copy`: absolute path of the original. */
  copyOf?: string;
  /** In state `damaged`: accounts that can be read, of how many (null: the file no longer tells), and who is lost. */
  recovered?: Recovered;
}

/** `folder_writable`, `file_writable`: other users of this machine may write there, and so replace or delete the vault. */
export type VaultWarning = 'folder_writable' | 'file_writable';

/** The two sides of an older file, in accounts. */
export interface OlderFile {
  /** What this program still has in memory; `null` where the file was older when it was opened. */
  mine: number | null;
  /** What the file holds; `null` where it can't be opened, or is gone. */
  file: number | null;
}

/** What of a damaged vault can be read. */
export interface Recovered {
  /** That can be read. */
  accounts: number;
  /** `null`: the file no longer tells. */
  of: number | null;
  /** By user name, or by home account id where there is none. */
  lost: readonly string[];
}

/** The parts of a vault's file, and how much of each is as it was written. */
export interface VaultRegions {
  /** Copies of the header, of two. */
  headers: number;
  /** Frames that were there when the file was last written as a whole, the manifest included. */
  base: { intact: number; of: number };
  /** Frames appended since. */
  appended: number;
  /** Bytes after the last frame. Where nothing is damaged, of a write that was never acknowledged. */
  after: number;
}

/** What a vault's file holds, as it was found when every byte of it was read. */
export interface VaultReport {
  /** Everything is there, authentic, and opens. */
  sound: boolean;
  /** As `VaultStatus` has it. */
  state: VaultState;
  /** Of a state other than `ready`, or of the first secret that did not open. */
  code?: string;
  /** Size of the file; 0 where there is none. */
  bytes: number;
  /** That can be read. */
  accounts: number;
  /** That can be read: entities, and what is kept without being understood. */
  entries: number;
  /** Secrets that were decrypted and authenticated. */
  secrets: number;
  /** How much of the file says what is still so, 0 to 1, counted in entries. */
  live: number;
  /** Which of its two places in the keychain holds the key. */
  keySlot: 'a' | 'b';
  /** Seconds since the epoch; null where nobody knows any more. */
  keyMadeAt: number | null;
  /** How often the file was written anew as a whole. */
  generation: number;
  /** Absent where there is no file, or no key to tell. */
  regions?: VaultRegions;
  /** In state `damaged`. */
  recovered?: Recovered;
}
