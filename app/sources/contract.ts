/** The window's requests for the token caches of other programs. Types only. No token. */
import type { NamedSignIn, OwnCopy, Sealing, SourceState } from 'tokenkeep/sources';

export type { OwnCopy };

/** A cache that was found. */
export interface SourceItem {
  /** Names it in requests, and among the places of an account. */
  id: string;
  program: string;
  name: string;
  sharedBy: readonly string[];
  /** Its path, with `~` for the home folder. */
  file: string;
  sealing: Sealing;
  /** The system may ask for a password when it is opened, so the user is asked first. */
  asksFirst: boolean;
  /** `found`: not opened. */
  state: 'found' | SourceState;
  /** The problem and the remedy; null if there is none. */
  problem: string | null;
  /** Tokenkeep never changes it; `leave` says how to sign out there. */
  viewOnly: boolean;
  leave: string;
  /** What `openProgram` opens: "VS Code"; null if nothing. */
  opens: string | null;
  /** The command that signs out there; null if there is none, or if it names a sign-in. */
  command: string | null;
  accounts: number;
  tokens: number;
  /** Sign-ins of programs without MSAL documents. */
  names: readonly NamedItem[];
  /** Seconds since the epoch: the last change, and the last change that was noticed while the cache was open. */
  writtenAt: number | null;
  changedAt: number | null;
  /** Whether the last change was a sign-out here, or its undo. */
  changedHere: boolean;
  /** The last change that was noticed: "Mara Lindqvist, 1 token refreshed."; null if there was none, or it can't be described. */
  lastChange: string | null;
  /** It can be imported: a plain document of an MSAL library. */
  importable: boolean;
}

/** A sign-in of a program without MSAL documents. */
export interface NamedItem extends NamedSignIn {
  /** The command that signs out there; null if there is none. */
  command: string | null;
}

export interface SourceList {
  /** Whether the user has asked to look for caches. */
  searched: boolean;
  /** Names of the programs that were looked for in vain; empty before a search. */
  notFound: readonly string[];
  items: readonly SourceItem[];
}

/** A place that has some of the accounts that are about to be signed out, or a page that signs them out on all devices. */
export interface PlaceOffer {
  id: string;
  name: string;
  file: string;
  /** Tokens of these accounts there. */
  tokens: number;
  /** How many of these accounts are there, and how many others. */
  accounts: number;
  others: number;
  /** Tokens there by the ids of these accounts; empty if they are more than 100, which the window doesn't list one by one. */
  tokensOf: Readonly<Record<string, number>>;
  /** Names of some of the other accounts, which stay. */
  staying: readonly string[];
  viewOnly: boolean;
  leave: string;
  /** What `openProgram` opens: "VS Code"; null if nothing. */
  opens: string | null;
  /** The command that signs out there; null if there is none. */
  command: string | null;
  /** The host of the page that opens in the browser; null if it is a cache. */
  page: string | null;
}

/** The result of a sign-out in one place. */
export interface PlaceReceipt {
  /** As the place's `PlaceOffer` has it; `vault` for the vault. Two places can have one name and file. */
  id: string;
  name: string;
  file: string;
  /** `not-confirmed`: a page was opened, and what the user did there is not known. */
  result: 'signed-out' | 'still' | 'not-confirmed';
  /** What was removed, or why it was not. */
  says: string;
}

export interface SourceRequests {
  sources(): SourceList;
  /** Looks for caches: at names of files, not at their contents. */
  findSources(): SourceList;
  /** Opens a cache read-only and follows its changes. Needs a click; asks first if the system may ask for a password. */
  openSource(id: string): SourceList;
  /** Opens every found cache for which the system does not ask for a password. Needs a click. */
  openAllSources(): SourceList;
  closeSource(id: string): SourceList;
  /** Shows the system's file dialog; null if it was dismissed. */
  addSource(): SourceList | null;
  /** Plans an import of a cache: `importPlanned` follows. */
  importSource(id: string): void;
  /** Shows the file in the system's file manager. */
  showSource(id: string): void;
  /** Opens the program in which the user signs out. Needs a click. */
  openProgram(id: string): void;
}

export interface SourceEvents {
  /** The list has changed: request it again. */
  sources: null;
}
