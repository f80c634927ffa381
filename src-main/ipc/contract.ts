/**
 * What a window may ask of the main process, and what it hears from it. Types only: this is the one file of the
 * main-process module that a window's code may import from.
 *
 * [Note: no secret in a window] Nothing here carries a secret but the answer to `reveal`, which the main process
 * gives only after its own dialog has asked the user. Decoded claims are no secret: without the signature they
 * open nothing.
 */
import type { EntityType, SignOutReceipt, TenantProfile } from '../cache/schema/entities.ts';
import type { Difference, EntityReference, Finding, FindingKind } from '../doctor/finding.ts';
import type { ImportReport } from '../vault/exchange/import.ts';
import type { VaultReport, VaultState, VaultStatus } from '../vault/state.ts';

export type {
  Difference,
  EntityReference,
  EntityType,
  Finding,
  FindingKind,
  ImportReport,
  SignOutReceipt,
  TenantProfile,
  VaultReport,
  VaultState,
  VaultStatus,
};

/** One line of the account list: a user, an app without a user, or tokens whose account is not in the cache. */
export interface AccountItem {
  /** Opaque; names this line in other requests and stays the same while the account is cached. */
  id: string;
  /** `orphan`: tokens of a user whose account is not in the cache. */
  kind: 'user' | 'app' | 'orphan';
  /** null for an app. */
  home_account_id: string | null;
  /** Host of the provider, in one of the names of its cloud. */
  environment: string;
  /** "" where the provider gave none, and for apps. */
  username: string;
  /** null where nothing tells it. */
  name: string | null;
  /** MSSTS, ADFS, Generic; null where there is no account entity. */
  authority_type: string | null;
  /** The home tenant first; for an app, the tenant its tokens are for. */
  tenants: readonly TenantProfile[];
  /** Client ids of the apps that hold its tokens. */
  clients: readonly string[];
  /** How many it has of each. */
  tokens: { AccessToken: number; RefreshToken: number; IdToken: number };
  /** Of its access tokens, seconds since the epoch: the soonest still to come, and the latest of all. */
  nextExpiry: number | null;
  lastExpiry: number | null;
  /** The earliest time known of a token of it, seconds since the epoch. */
  since: number | null;
}

/** Everyone and everything that is signed in. */
export interface AccountList {
  /** Users first, then apps and tokens without an account. */
  accounts: readonly AccountItem[];
  /** `notUnderstood`: entries that are kept as they are. */
  totals: { accounts: number; apps: number; tokens: number; notUnderstood: number };
}

/** One credential. Times are seconds since the epoch; null where the entity has none or it is not a number. */
export interface TokenItem {
  /** Opaque; names the token in `claims`, `reveal` and `copy`. */
  id: string;
  type: 'AccessToken' | 'RefreshToken' | 'IdToken';
  environment: string;
  /** The tenant. */
  realm: string | null;
  /** The app that it was given to. */
  client_id: string;
  /** The app's name where a claim tells it. */
  client_name: string | null;
  /** Of access and refresh tokens. */
  scopes: readonly string[];
  /** Access tokens: `aud` where it is a JWT, else the resource that its scopes name. ID tokens: the client. */
  audience: string | null;
  /** Of access tokens, such as `Bearer`. */
  token_type: string | null;
  /** Names the key that it is bound to. */
  key_id: string | null;
  /** "1": a refresh token that every app of Microsoft’s family may use. */
  family_id: string | null;
  /** How it is made up, which only its issuer need know. `jwe`: encrypted to someone. */
  format: 'jwt' | 'jwe' | 'opaque';
  cached_at: number | null;
  /** Access tokens: the field. ID tokens: the `exp` claim. */
  expires_on: number | null;
  extended_expires_on: number | null;
  /** From when on the provider wants it refreshed. */
  refresh_on: number | null;
  last_modification_time: number | null;
}

/** One claim of a decoded token; the value as JSON text, so that no name or shape in it can do harm on the way. */
export interface Claim {
  /** As the token has it. */
  name: string;
  /** Its value; may be an object or a list. */
  json: string;
}

/** What can be seen of a token without its secret. */
export type DecodedToken =
  | { format: 'jwt'; header: readonly Claim[]; payload: readonly Claim[] }
  | { format: 'jwe'; header: readonly Claim[] }
  | { format: 'opaque'; length: number };

/** What a sign-out would remove, counted by the same rule that removes. */
export type RemovalCount = Record<EntityType, number>;

/** What an import would do; the document stays in the main process until it is confirmed or given up. */
export interface ImportPlan {
  id: string;
  /** The file's name, without its folder. */
  fileName: string;
  bytes: number;
  /** The library whose key profile the document has. */
  writtenBy: 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | null;
  accounts: { added: number; known: number; names: readonly string[] };
  tokens: { added: number; replaced: number; unchanged: number; expired: number };
  /** Entries that are kept as they are because they are not understood. */
  notUnderstood: number;
}

/** A file that was exported with a passphrase: what is in it is known once `unlockImport` was given that. */
export interface ImportLocked extends Pick<ImportPlan, 'id' | 'fileName' | 'bytes'> {
  locked: true;
}

/** The proof of a new key. */
export interface KeyReceipt {
  /** Seconds since the epoch. */
  at: number;
  /** Of the new key. */
  slot: 'a' | 'b';
  /** Of the key before. `pending`: it goes when the keychain can be asked. */
  oldKey: 'destroyed' | 'pending';
}

/** What was written, and read back. */
export interface ExportReceipt {
  /** Without its folder. */
  fileName: string;
  accounts: number;
  tokens: number;
}

/** What is the matter with what is cached. */
export interface HealthReport {
  /** In the order in which they matter; of very many the first. */
  findings: readonly Finding[];
  /** Of all findings, also those that are not sent. */
  total: number;
  /** How many of all of them a repair can do something about. */
  repairable: number;
  /** The last repair that can still be taken back. */
  last: RepairReport | null;
}

/** What was done, without secrets. */
export interface RepairReport {
  /** Seconds since the epoch. */
  at: number;
  /** What the repair did to which entities. */
  difference: Difference;
}

/** What `main` answers, by name. Every argument is validated there, every sender checked. */
export interface TokenCacheRequests {
  /** Where the vault stands. */
  status(): VaultStatus;
  /** The list at the left. */
  accounts(): AccountList;
  /** Of one line of the list: access tokens first, then refresh and ID tokens. */
  tokens(accountId: string): readonly TokenItem[];
  /** One token taken apart, without its signature. */
  claims(tokenId: string): DecodedToken;
  /** Ids of the accounts that match every word of the text: names, tenants, clients, scopes, audiences, claims. */
  search(text: string): readonly string[];

  /** `null`: all accounts and apps. */
  removalCount(accountId: string | null): RemovalCount;
  /** Of one line of the list, and destroys the key that opens older copies of the file. */
  signOut(accountId: string): SignOutReceipt;
  /** Of everyone and every app; a receipt for each. */
  signOutAll(): readonly SignOutReceipt[];

  /** The secret, after a dialog of the main process; null where the user said no. */
  reveal(tokenId: string): string | null;
  /** Copies without showing; `clearsAt` in milliseconds since the epoch. null where the user said no. */
  copy(tokenId: string): { clearsAt: number } | null;

  /** Shows the system's file dialog; null where it was dismissed. */
  chooseImport(): ImportPlan | ImportLocked | null;
  /** A file that was dropped on the window. The preload script fills in the path of the `File`. */
  planImport(path: string): ImportPlan | ImportLocked;
  /** `passphrase_wrong` leaves it as it was, for another try. */
  unlockImport(planId: string, passphrase: string): ImportPlan;
  /** Merges what was planned, in one change. Where the vault refuses it, the plan stays for another try. */
  confirmImport(planId: string): ImportReport;
  /** Gives a plan up; one that is not there any more is no error. */
  cancelImport(planId: string): void;

  /** Asks the keychain and reads the file again. */
  retry(): VaultStatus;
  /** damaged: keeps what could be read, in a new file; the damaged one is kept beside it. */
  recover(): VaultStatus;
  /** key-missing, wrong-key, damaged: sets the file aside, never deletes it, and begins an empty one. */
  startFresh(): VaultStatus;

  /** Reads every byte of the file and opens every secret; `verifying` tells how far it is. */
  verify(): VaultReport;
  /** Writes the file anew under a new key, and destroys the old one. `vault_empty` where there is no file yet. */
  rotateKey(): KeyReceipt;
  /** Writes the file anew without what is dead in it. Sizes in bytes. */
  compact(): { before: number; after: number };
  /**
   * Shows the system's dialog, and writes everything to the file that is chosen, encrypted with the passphrase; null
   * where the dialog was dismissed. A weak passphrase is refused before.
   */
  exportAll(passphrase: string): ExportReceipt | null;

  /** What is wrong with what is cached: see `examine` of 'tokenkeep'. */
  examine(): HealthReport;
  /** In one update; `null`: all that can be. What has changed since it was found is left alone. */
  repair(findingIds: readonly string[] | null): RepairReport;
  /** Takes the last repair back, as far as nothing has changed since. Until the app ends. */
  undoRepair(): RepairReport;
}

/** What a window hears without asking, by name. */
export interface TokenCacheEvents {
  /** Something cached has changed, here or in another process: ask again. */
  change: null;
  /** A new one, whenever something in it changes. */
  status: VaultStatus;
  /** A file was chosen or dropped and is being read; a plan or an error follows. Large documents take seconds. */
  importReading: { fileName: string; bytes: number };
  /** An import that was begun outside the window: by the menu, or on the command line. */
  importPlanned: ImportPlan | ImportLocked;
  /** One that could not be begun. */
  importFailed: PlainError;
  /** Of a verification that is under way: entries. */
  verifying: { done: number; of: number };
  /** A copied token has left the clipboard. */
  clipboardCleared: null;
}

/** [Note: errors cross as values] A thrown error loses its class and code on the way; this does not. */
export interface PlainError {
  /** That of a `TokenkeepError`, `unexpected`, `refused` or `not_served`. */
  code: string;
  /** For people: what happened, what it means for the data, what to do. */
  message: string;
}

/** The answer to a request: its value, or why there is none. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: PlainError };

/** What `exposeTokenCache()` puts on the window. Functions never reject: they answer with an `Outcome`. */
export type TokenCacheBridge = {
  [Name in Exclude<keyof TokenCacheRequests, 'planImport'>]: (
    ...args: Parameters<TokenCacheRequests[Name]>
  ) => Promise<Outcome<ReturnType<TokenCacheRequests[Name]>>>;
} & {
  /** Of a file that was dropped on the page. A `File` that a script made has no path, and is refused. */
  planImport(file: File): Promise<Outcome<ImportPlan | ImportLocked>>;
  /** Returns the function that ends it. */
  on<Name extends keyof TokenCacheEvents>(
    name: Name,
    listener: (event: TokenCacheEvents[Name]) => void,
  ): () => void;
};
