/**
 * The contract between a window and the main process: types only, since the entries of the package export everything of this file as types.
 * Its names at run time are in contract-names.ts. A window's code imports types from here and nothing else of the main-process module.
 *
 * [Note: no secret in a window] Only the answer to `reveal` contains a secret, and the main process gives it only after the user has
 * confirmed in a dialog of the main process. Decoded claims are not secret: they are useless without the signature.
 */
import type { SignatureCheck } from '../accounts/account-history.ts';
import type { AccountStatus, Refusal } from '../cache/account-status.ts';
import type { StatusId } from '../cache/shown-status.ts';
import type { EntityType, EntryCount, SignOutReceipt, TenantProfile } from '../cache/schema/entities.ts';
import type { Difference, EntityReference, Finding, FindingKind } from '../doctor/finding.ts';
import type { ImportReport } from '../vault/exchange/import.ts';
import type { Forgotten } from '../vault/api.ts';
import type { VaultReport, VaultState, VaultStatus } from '../vault/state.ts';
import type { Outcome, PlainError } from './requests.ts';

export type {
  AccountStatus,
  Difference,
  EntityReference,
  EntityType,
  Finding,
  FindingKind,
  ImportReport,
  Outcome,
  PlainError,
  Refusal,
  SignatureCheck,
  SignOutReceipt,
  TenantProfile,
  VaultReport,
  VaultState,
  VaultStatus,
  Forgotten,
};

/** One row of the account list: a user, an app without a user, or tokens whose account is not in the cache. */
export interface AccountItem {
  /** Opaque; names the account in other requests and stays the same while it is cached. */
  id: string;
  /** `orphan`: tokens of a user whose account is not in the cache. */
  kind: 'user' | 'app' | 'orphan';
  /** null for an app. */
  home_account_id: string | null;
  /** Host of the provider, under one of the names of its cloud. */
  environment: string;
  /** The provider that issued the tokens; null if unknown. */
  issuer: string | null;
  /** "" if the provider gave none, and for apps. */
  username: string;
  /** null if unknown. */
  name: string | null;
  /** MSSTS, ADFS, Generic; null if there is no account entity. */
  authority_type: string | null;
  /** The home tenant first; for an app, the tenant its tokens are for. */
  tenants: readonly TenantProfile[];
  /** Client ids of the apps that hold its tokens. */
  clients: readonly string[];
  /** The number of its tokens, by type. */
  tokens: { AccessToken: number; RefreshToken: number; IdToken: number };
  /** Whether it can still be used. The dot, facts, filters and search all use it. */
  status: AccountStatus;
  /** The file that it was imported from, which another program may still use; null if it was signed in here. */
  source: string | null;
  /** Where it is: `vault`, and the ids of opened caches of other programs. */
  places: readonly string[];
  /** The soonest expiry of its access tokens that is still to come, in seconds since the epoch; null if there is none. */
  nextExpiry: number | null;
  /** The latest expiry of its access tokens, in seconds since the epoch; null if one's expiry is unknown. */
  lastExpiry: number | null;
  /** The earliest known time of one of its tokens, seconds since the epoch. */
  since: number | null;
}

/** All accounts and apps in the cache. */
export interface AccountList {
  /** Users first, then apps and tokens without an account. */
  accounts: readonly AccountItem[];
  /** `notUnderstood`: entries that are kept unchanged although this version does not understand them. */
  totals: { accounts: number; apps: number; tokens: number; notUnderstood: number };
  /** Names that the user gave to tenants, by tenant ID in lower case. */
  tenantNames: Readonly<Record<string, string>>;
}

/** Of many accounts, those that a window shows first, and what it shows of the others. */
export interface FirstAccounts {
  /** The first accounts, by status (those that need attention first) and name. */
  first: readonly AccountItem[];
  /** Number of all accounts, apps included. */
  size: number;
  /** Number of all accounts by status. */
  statuses: Readonly<Record<StatusId, number>>;
  /** Domains of the tenants of the first accounts, by tenant ID in lower case, derived from all accounts. */
  tenantDomains: Readonly<Record<string, string>>;
  totals: AccountList['totals'];
  tenantNames: AccountList['tenantNames'];
}

/** One credential. Times are seconds since the epoch; null if the entity has none or it is not a number. */
export interface TokenItem {
  /** Opaque; names the token in `claims`, `reveal` and `copy`. */
  id: string;
  type: 'AccessToken' | 'RefreshToken' | 'IdToken';
  /** `vault`, or the id of an opened cache of another program. */
  place: string;
  environment: string;
  /** The tenant. */
  realm: string | null;
  /** The app that it was issued to. */
  client_id: string;
  /** The app's name, if a claim contains it. */
  client_name: string | null;
  /** Of access and refresh tokens. */
  scopes: readonly string[];
  /** Access tokens: `aud` if it is a JWT, else the resource that its scopes name. ID tokens: the client. */
  audience: string | null;
  /** Of access tokens, such as `Bearer`. */
  token_type: string | null;
  /** Names the key that the token is bound to. */
  key_id: string | null;
  /** "1": a refresh token that every app of Microsoft’s family may use. */
  family_id: string | null;
  /** The token's format, which only its issuer has to know. `jwe`: encrypted to its audience. */
  format: 'jwt' | 'jwe' | 'opaque';
  cached_at: number | null;
  /** Access tokens: the field, null if the provider gave no lifetime. ID tokens: the `exp` claim. */
  expires_on: number | null;
  extended_expires_on: number | null;
  /** When the provider asks for a refresh. */
  refresh_on: number | null;
  last_modification_time: number | null;
  /** Of an ID token whose signature was verified when it was received; null if it was not. */
  signature: SignatureCheck | null;
}

/** What `copy` puts on the clipboard: the token, an `Authorization` header (RFC 6750 §2.1), or a curl command with it. */
export type CopyForm = 'token' | 'header' | 'curl';

/** One claim of a decoded token. The value is JSON text, so that its names and structure are harmless in transit. */
export interface Claim {
  /** The claim's name. */
  name: string;
  /** Its value; may be an object or a list. */
  json: string;
}

/** The parts of a token that are shown without its secret. */
export type DecodedToken = {
  /**
   * Differs from that of any other token, also of one that replaced this one under the same id. It is made with a key of this process, so it
   * tells nothing about the token.
   */
  mark: string;
} & (
  | { format: 'jwt'; header: readonly Claim[]; payload: readonly Claim[] }
  | { format: 'jwe'; header: readonly Claim[] }
  | { format: 'opaque'; length: number }
);

/** The number of entries that a sign-out would remove, by the same rule as the removal. */
export type RemovalCount = EntryCount;

/** The planned effect of an import. The document stays in the main process until confirmed or cancelled. */
export interface ImportPlan {
  id: string;
  /** The file's name, without its folder. */
  fileName: string;
  bytes: number;
  /** The library whose dialect the document has. */
  writtenBy: 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | null;
  accounts: { added: number; known: number; names: readonly string[] };
  tokens: { added: number; replaced: number; unchanged: number; expired: number };
  /** Entries that are kept unchanged although this version does not understand them. */
  notUnderstood: number;
}

/** A file that was exported with a passphrase. `unlockImport` returns its plan. */
export interface ImportLocked extends Pick<ImportPlan, 'id' | 'fileName' | 'bytes'> {
  locked: true;
}

/** Proof of a key rotation. */
export interface KeyReceipt {
  /** Seconds since the epoch. */
  at: number;
  /** The slot of the new key. */
  slot: 'a' | 'b';
  /** The previous key. `pending`: destroyed as soon as the keychain is available and the new file can be read. */
  oldKey: 'destroyed' | 'pending';
}

/** The exported file, as read back for verification. */
export interface ExportReceipt {
  /** Without its folder. */
  fileName: string;
  accounts: number;
  tokens: number;
}

/** Problems found in the cache. */
export interface HealthReport {
  /** Most important first; at most 1,000 are sent. */
  findings: readonly Finding[];
  /** All findings, including those that are not sent. */
  total: number;
  /** How many of them can be repaired. */
  repairable: number;
  /** The last repair that can still be undone. */
  last: RepairReport | null;
}

/** What a repair or its undo changed, without secrets. */
export interface RepairReport {
  /** Seconds since the epoch. */
  at: number;
  /** The changed entities. */
  difference: Difference;
}

/** An account in an event. */
export interface ActivityAccount {
  /** The account's id in the list; the account may no longer be there. */
  id: string;
  /** Its name at that time; "" if a sign-out removed it. */
  name: string;
}

/** What happened. Times are seconds since the epoch; nothing in it is a secret. */
export type Activity =
  | { kind: 'sign-in'; client_id: string; way: 'browser' | 'device'; provider: string }
  /** `until`: when the last of the new access tokens expires. `automatic`: without the user. */
  | {
      kind: 'refresh';
      client_ids: readonly string[];
      apis: readonly string[];
      tokens: number;
      until: number | null;
      automatic: boolean;
      /** The tenants of the new tokens, where tokens have one. */
      realms?: readonly string[];
    }
  /** The provider refused a refresh token; `code` is its own error code. */
  | ({ kind: 'refused'; client_id: string; provider: string } & Pick<Refusal, 'reason' | 'code'>)
  /** A token was shown, or copied. `api`: of an access token. `realm`: its tenant. `from`: the program whose cache has it. */
  | {
      kind: 'reveal';
      token: TokenItem['type'];
      api: string | null;
      client_id: string;
      realm?: string;
      from?: string;
    }
  | {
      kind: 'copy';
      token: TokenItem['type'];
      api: string | null;
      client_id: string;
      realm?: string;
      form: CopyForm;
      from?: string;
    }
  /** Single tokens of an app were removed. `api`: of the only one, if it was an access token. `realm`: the tenant of the only one. */
  | { kind: 'removal'; tokens: number; client_id: string; api: string | null; realm?: string }
  /** A sign-out by `signOut`. `tokens`: how many were removed. */
  | { kind: 'sign-out'; tokens: number }
  /** `file`: where the document was, or the export is. */
  | { kind: 'import'; file: string; accountsAdded: number; tokensAdded: number }
  | { kind: 'export'; file: string; accountsExported: number }
  /** The encryption key was replaced. */
  | { kind: 'rotation' }
  | { kind: 'repair'; entries: number; undo: boolean }
  /** All earlier events were removed. */
  | { kind: 'cleared' };

/** One event. */
export type ActivityEvent = {
  /** Names the event in this list. */
  id: string;
  /** Seconds since the epoch. */
  at: number;
  /** The accounts that it is about; some of them, if there are many. */
  accounts: readonly ActivityAccount[];
  /** The number of accounts that it does not name. */
  others?: number;
} & Activity;

/** Events of the last 90 days. */
export interface ActivityList {
  /** Newest first; at most 2,000 are sent. */
  events: readonly ActivityEvent[];
  /** All events, including those that are not sent. */
  total: number;
}

/**
 * The requests that the main process answers. It checks every sender and validates every argument.
 *
 * @example
 * import type { TokenCacheRequests } from 'tokenkeep/ipc';
 *
 * const asked: (keyof TokenCacheRequests)[] = ['accounts', 'signOut'];
 */
export interface TokenCacheRequests {
  /** The state of the vault. */
  status(): VaultStatus;
  /** The account list. */
  accounts(): AccountList;
  /** The account list as JSON text: a list of 10,000 accounts crosses the bridge of the preload script many times faster this way. */
  accountsText(): string;
  /**
   * What a window shows first, as JSON text: the account list, or with hundreds of accounts only the first ones (`FirstAccounts`). Ask for
   * the whole list once they are drawn.
   */
  firstAccountsText(): string;
  /** The tokens of one account: access tokens first, then refresh and ID tokens. */
  tokens(accountId: string): readonly TokenItem[];
  /** One token decoded, without its signature. */
  claims(tokenId: string): DecodedToken;
  /** Ids of the accounts that match every word: names, tenants, clients, scopes, audiences, claims. */
  search(text: string): readonly string[];

  /** Names a tenant in the account list; "" removes the name. `realm`: the tenant's ID. */
  nameTenant(realm: string, name: string): void;

  /** What `signOut` would remove. `null`: all accounts and apps. */
  removalCount(accountIds: readonly string[] | null): RemovalCount;
  /**
   * Removes these accounts with all their entries, and destroys the key that opens older copies of the file. `null`: all
   * accounts and apps. One receipt for each.
   */
  signOut(accountIds: readonly string[] | null): readonly SignOutReceipt[];

  /** Returns the secret after a dialog of the main process; null if the user declined. */
  reveal(tokenId: string): string | null;
  /**
   * Copies without showing, after a dialog; `form` other than `token` is for access tokens. For these, the user may choose not to be asked
   * for five minutes, until the window loses the focus or the screen is locked. `clearsAt` in milliseconds since the epoch. null where the
   * user declined.
   */
  copy(tokenId: string, form?: CopyForm): { clearsAt: number } | null;

  /**
   * Removes tokens of one account from the vault after a dialog of the main process. Returns their number; null if the user declined.
   * Tokens in other programs' caches are refused.
   */
  removeTokens(tokenIds: readonly string[]): number | null;

  /** Shows the system's file dialog; null if the user dismissed it. */
  chooseImport(): ImportPlan | ImportLocked | null;
  /** A file that was dropped on the window. The preload script fills in the path of the `File`. */
  planImport(path: string): ImportPlan | ImportLocked;
  /** Decrypts a plan. After `passphrase_wrong`, another passphrase can be tried. One that is open needs none: `''`. */
  unlockImport(planId: string, passphrase: string): ImportPlan;
  /** Merges the planned document in one change. If the vault refuses it, the plan is kept for a retry. */
  confirmImport(planId: string): ImportReport;
  /** Discards a plan. A plan that no longer exists is no error. */
  cancelImport(planId: string): void;

  /** Calls the keychain and reads the file again. */
  retry(): VaultStatus;
  /** damaged: keeps what could be read, in a new file; the damaged one is kept beside it. */
  recover(): VaultStatus;
  /** key-missing, wrong-key, damaged: sets the file aside, never deletes it, and starts an empty one. */
  startFresh(): VaultStatus;
  /**
   * older, and other states while `status.kept` says that memory holds more: replaces the file with what this program has in memory, after
   * a dialog of the main process. null if the user declined, as with the next three requests.
   */
  keepMine(): VaultStatus | null;
  /** older: accepts the file's contents and discards what is in memory, after a dialog. */
  takeFile(): VaultStatus | null;
  /** copy: gives the file an id and a key of its own, after a dialog. */
  makeOwn(): VaultStatus | null;
  /** Deletes the vault's file and key in every state, after a dialog. Files that were set aside stay. */
  forget(): Forgotten | null;

  /** Reads every byte of the file and opens every secret; `verifying` reports progress. */
  verify(): VaultReport;
  /** Rewrites the file under a new key and destroys the old key. `vault_empty` if there is no file yet. */
  rotateKey(): KeyReceipt;
  /** Rewrites the file without reclaimable space. Sizes in bytes. */
  compact(): { before: number; after: number };
  /**
   * Shows the system's dialog, and exports everything to the chosen file, encrypted with the passphrase; null if the dialog was
   * dismissed. A weak passphrase is refused before the dialog.
   */
  exportAll(passphrase: string): ExportReceipt | null;

  /** What happened to an account, or to all (`null`), in the last 90 days. */
  activity(accountId: string | null): ActivityList;
  /** Removes all events after a dialog of the main process, and records that. false if the user declined. */
  clearActivity(): boolean;

  /** Problems in the cache: see `examine` of 'tokenkeep'. */
  examine(): HealthReport;
  /** Repairs findings in one update; `null`: all repairable findings. Entries that changed since are left unchanged. */
  repair(findingIds: readonly string[] | null): RepairReport;
  /** Undoes the last repair, except for entries that have changed since. Possible until the app quits. */
  undoRepair(): RepairReport;
}

/** The events that a window receives. */
export interface TokenCacheEvents {
  /** The cache has changed, in this process or another: reload. */
  change: null;
  /** An event was recorded. Accounts and tokens are unchanged. */
  activity: null;
  /** The new status, whenever it changes. */
  status: VaultStatus;
  /** A chosen or dropped file is being read; a plan or an error follows. Large files take seconds. */
  importReading: { fileName: string; bytes: number };
  /** An import that was started outside the window: by the menu, or on the command line. */
  importPlanned: ImportPlan | ImportLocked;
  /** An import that could not be started. */
  importFailed: PlainError;
  /** Progress of a verification, in entries. */
  verifying: { done: number; of: number };
  /** A copied token was cleared from the clipboard. */
  clipboardCleared: null;
}

/** What `exposeTokenCache()` puts on the window. Functions never reject: they answer with an `Outcome`. */
export type TokenCacheBridge = {
  [Name in Exclude<keyof TokenCacheRequests, 'planImport'>]: (
    ...args: Parameters<TokenCacheRequests[Name]>
  ) => Promise<Outcome<ReturnType<TokenCacheRequests[Name]>>>;
} & {
  /** Plans the import of a file that was dropped on the page. A `File` made by a script has no path and is refused. */
  planImport(file: File): Promise<Outcome<ImportPlan | ImportLocked>>;
  /** Returns a function that removes the listener. */
  on<Name extends keyof TokenCacheEvents>(
    name: Name,
    listener: (event: TokenCacheEvents[Name]) => void,
  ): () => void;
};
