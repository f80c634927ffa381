/**
 * Every error that Tokenkeep throws: one class per thing a caller can act on, each with a stable `code`.
 *
 * @module tokenkeep/errors
 */

/**
 * Every code of an error that Tokenkeep throws. New versions may add some, so give a `switch` a default.
 *
 * @example
 * import type { TokenkeepErrorCode } from 'tokenkeep';
 *
 * const passing: readonly TokenkeepErrorCode[] = ['vault_busy', 'partition_busy', 'store_unavailable'];
 */
export type TokenkeepErrorCode =
  | 'invalid_argument'
  | 'ambiguous_account'
  | 'sign_in_required'
  | 'unexpected'
  | 'session_ended'
  | 'no_request'
  | 'native_code_changed'
  | DocumentErrorCode
  | PassphraseErrorCode
  | QuestionErrorCode
  | GrantErrorCode
  | KeychainErrorCode
  | VaultErrorCode
  | StorageErrorCode
  | LockErrorCode
  | PartitionErrorCode
  | PartitionStoreErrorCode
  | LogoutTokenErrorCode
  | WebSignInErrorCode
  | SourceErrorCode;

/**
 * What to do after the program's files were replaced while it runs. Messages about code that can't be loaded then contain these words, so
 * use the same words where your program notices an update.
 *
 * @example
 * import { RESTART_TO_FINISH } from 'tokenkeep/errors';
 *
 * console.log(`${RESTART_TO_FINISH}.`);
 */
export const RESTART_TO_FINISH = 'Restart to finish the update';

/**
 * An error whose code and message are written for users, so that they may be shown: `serveRequests` passes them to the window, and nothing
 * of any other error. Subclass it for the errors of your own requests.
 *
 * @example
 * import { PublicError } from 'tokenkeep/errors';
 *
 * class UploadError extends PublicError<'upload_too_large' | 'upload_refused'> {}
 */
export class PublicError<Code extends string = string> extends Error {
  /** Stable across versions, for use in `switch`. The message is for users and may change. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The class of every error that Tokenkeep throws. The message says what happened, what it means for the data and what to do. It holds no
 * secret, no token and no text of a document. The underlying error is in `cause`.
 *
 * @example
 * import { openVault, TokenkeepError } from 'tokenkeep';
 *
 * try {
 *   const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 *   await vault.read((cache) => cache.accounts());
 * } catch (error) {
 *   if (!(error instanceof TokenkeepError)) throw error;
 *   console.error(`${error.code}: ${error.message}`);
 * }
 */
export class TokenkeepError extends PublicError<TokenkeepErrorCode> {}

/** A TokenkeepError with some of the codes. Not exported by the package: its subclasses are. */
class CodedError<Code extends TokenkeepErrorCode> extends TokenkeepError {
  declare readonly code: Code;

  // oxlint-disable-next-line no-useless-constructor -- it narrows the type of the code
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/**
 * An argument does not match the signature, or its value is invalid. Nothing was changed.
 *
 * @example
 * import { InvalidArgumentError, type TokenResponseEvent } from 'tokenkeep';
 *
 * function explain(error: unknown, event: TokenResponseEvent): void {
 *   if (error instanceof InvalidArgumentError) console.error(`${event.client_id}: ${error.field ?? error.message}`);
 * }
 */
export class InvalidArgumentError extends CodedError<'invalid_argument'> {
  /** The name of the invalid argument or field, if there is a single one. */
  readonly field?: string;

  constructor(message: string, { field, ...options }: { cause?: unknown; field?: string } = {}) {
    super('invalid_argument', message, options);
    if (field !== undefined) this.field = field;
  }
}

/**
 * An account ID names more than one account, because users of two issuers have the same ID. Nothing was removed. Pass the account itself,
 * as `accounts()` returns it.
 *
 * @example
 * import { AmbiguousAccountError } from 'tokenkeep';
 *
 * try {
 *   await vault.signOut('1');
 * } catch (error) {
 *   if (!(error instanceof AmbiguousAccountError)) throw error;
 *   for (const account of error.accounts) await vault.signOut(account);
 * }
 */
export class AmbiguousAccountError extends CodedError<'ambiguous_account'> {
  /** The accounts that have this ID. Each can be passed to `signOut`. */
  readonly accounts: readonly { home_account_id: string; environment: string; issuer?: string }[];

  constructor(message: string, accounts: AmbiguousAccountError['accounts'], options?: { cause?: unknown }) {
    super('ambiguous_account', message, options);
    this.accounts = accounts;
  }
}

/** Why a document was rejected. */
export type DocumentErrorCode =
  | 'document_not_json' // not JSON, or cut off in the middle
  | 'document_not_a_cache' // not an object of entity maps, or nested too deep
  | 'document_too_large' // too many bytes, entries or values
  | 'document_unreadable' // no such file, a directory, no permission
  | 'document_damaged' // an exported file that was cut off or changed
  | 'document_not_supported'; // an age file that was not encrypted with a passphrase, or needs too much work

/**
 * A text or a file is not a cache document. Nothing was merged, and nothing was lost.
 *
 * @example
 * import { DocumentError, SerializableTokenCache } from 'tokenkeep';
 *
 * try {
 *   new SerializableTokenCache().deserialize('{ "half": ');
 * } catch (error) {
 *   if (error instanceof DocumentError && error.code === 'document_not_json') console.error('The file is cut off.');
 * }
 */
export class DocumentError extends CodedError<DocumentErrorCode> {}

/** Why a passphrase was rejected. */
export type PassphraseErrorCode =
  | 'passphrase_needed' // the file was exported with one
  | 'passphrase_wrong'
  | 'passphrase_weak'; // none, too short, or too easy to guess

/**
 * A passphrase is missing, wrong or too weak. Nothing was written and nothing was imported.
 *
 * @example
 * import { PassphraseError } from 'tokenkeep';
 *
 * try {
 *   await vault.importFrom('/home/ada/backup.age', passphrase);
 * } catch (error) {
 *   if (error instanceof PassphraseError && error.code === 'passphrase_wrong') console.error('Try another passphrase.');
 * }
 */
export class PassphraseError extends CodedError<PassphraseErrorCode> {}

/** Why the user was not asked. */
export type QuestionErrorCode =
  | 'no_user_gesture' // nobody clicked or typed in the window just before the request
  | 'asked_too_often'; // the user declined a moment ago

/**
 * A window requested a dialog, a file or a browser without user input, or again too soon. Nothing was done.
 *
 * @example
 * import { confirm } from 'tokenkeep/electron';
 * import { QuestionError } from 'tokenkeep/errors';
 *
 * try {
 *   await confirm(window.webContents, { message: 'Delete it?', detail: 'It can’t be restored.', yes: 'Delete' });
 * } catch (error) {
 *   if (error instanceof QuestionError && error.code === 'no_user_gesture') console.error('Nobody clicked.');
 * }
 */
export class QuestionError extends CodedError<QuestionErrorCode> {}

/**
 * No refresh token can be redeemed for an access token: the user has to sign in. The cache is unchanged.
 *
 * @example
 * import { acquireTokenSilent, SignInRequiredError, type TokenRequest } from 'tokenkeep';
 * import type { Clock, Redeem } from 'tokenkeep/cache';
 *
 * async function token(request: TokenRequest, redeem: Redeem, now: Clock): Promise<string | null> {
 *   try {
 *     return (await acquireTokenSilent(vault, request, redeem, now)).secret;
 *   } catch (error) {
 *     if (error instanceof SignInRequiredError) return null; // show the sign-in
 *     throw error;
 *   }
 * }
 */
export class SignInRequiredError extends CodedError<'sign_in_required'> {
  /** The error code of the provider, such as `invalid_grant`; null if the provider was not asked, or gave no code. */
  readonly reason: string | null;

  constructor(
    message: string,
    { reason = null, ...options }: { cause?: unknown; reason?: string | null } = {},
  ) {
    super('sign_in_required', message, options);
    this.reason = reason;
  }
}

/** Why a grant was not kept or returned. */
export type GrantErrorCode =
  | 'grant_exists' // a grant has this label, and `replace` was not set
  | 'grant_other_subject' // a refresh was answered with another user's tokens
  | 'grant_other_issuer' // a refresh was answered with another issuer's tokens
  | 'grant_newer'; // written by a newer version

/**
 * A grant of `tokenkeep/oauth` was not kept or returned. What was kept before is unchanged.
 *
 * @example
 * import { GrantError } from 'tokenkeep/errors';
 * import { openGrants } from 'tokenkeep/oauth';
 *
 * const grants = openGrants(vault, { issuer: 'https://id.example', client_id: 'my-app' });
 * try {
 *   await grants.add('work', { tokens: { access_token: 'secret' } });
 * } catch (error) {
 *   if (error instanceof GrantError && error.code === 'grant_exists') console.error('Already signed in.');
 * }
 */
export class GrantError extends CodedError<GrantErrorCode> {}

/** Why a keychain operation failed. */
export type KeychainErrorCode =
  | 'keychain_locked' // the keychain is locked, its prompt was dismissed, or the passphrase is wrong
  | 'keychain_timeout' // it has not answered in time, and may still be prompting the user
  | 'keychain_unavailable' // there is none on this machine or in this session, or its service died
  | 'keychain_no_collection' // the keychain's service runs, but has no default keychain
  | 'keychain_full' // it has no room for another secret
  | 'keychain_refused' // a sandbox, a policy or a permission keeps this program from using it
  | 'keychain_library_missing' // the system's library for the keychain is not installed
  | 'keychain_module_missing' // the native module that reaches the keychain is not part of this program
  | 'keychain_module_failed' // that module is there and can't be loaded on this system
  | 'keychain_wrong_key' // the key in the key file, variable or store does not decrypt the stored secrets
  | 'keychain_mismatch' // the value that was read back differs from the one written
  | 'keychain_failed'; // an unknown error, which the message quotes

const LOCKED: readonly KeychainErrorCode[] = ['keychain_locked', 'keychain_timeout'];

/**
 * A keychain operation failed. No key was created, changed or abandoned because of it.
 *
 * @example
 * import { KeychainError, systemKeychain } from 'tokenkeep';
 *
 * try {
 *   await systemKeychain().get('My App', 'key');
 * } catch (error) {
 *   if (error instanceof KeychainError && error.outcome === 'locked') console.log('Unlock the keychain.');
 * }
 */
export class KeychainError extends CodedError<KeychainErrorCode> {
  /** `locked`: the keychain can be unlocked, and its contents are intact. `unavailable`: its contents are unknown. */
  get outcome(): 'locked' | 'unavailable' {
    return LOCKED.includes(this.code) ? 'locked' : 'unavailable';
  }
}

/**
 * The keychain did not respond in time; it may be showing a prompt.
 *
 * @example
 * import { systemKeychain } from 'tokenkeep';
 * import { KeychainTimeoutError } from 'tokenkeep/errors';
 *
 * try {
 *   await systemKeychain().get('My App', 'key');
 * } catch (error) {
 *   if (error instanceof KeychainTimeoutError) console.log('Answered at last:', (await error.answer) !== null);
 * }
 */
export class KeychainTimeoutError extends KeychainError {
  /** Settles with the result of the call once the keychain responds. May never settle. */
  readonly answer: Promise<unknown>;

  constructor(message: string, answer: Promise<unknown>) {
    super('keychain_timeout', message);
    this.answer = answer;
  }
}

/** The vault's state (`vault_busy`: other programs are writing), or that it has no file yet or was closed. */
export type VaultErrorCode =
  | 'vault_locked'
  | 'vault_no_keychain'
  | 'vault_key_missing'
  | 'vault_wrong_key'
  | 'vault_damaged'
  | 'vault_newer'
  | 'vault_read_only'
  | 'vault_unreadable'
  | 'vault_older' // the file is older or shorter than when it was last read
  | 'vault_copy' // a copy of a vault that still exists elsewhere
  | 'vault_busy'
  | 'vault_empty' // the operation needs the file, which does not exist yet
  | 'vault_closed';

/**
 * The operation is not possible in the vault's state. The file is unchanged. See `Vault.status`.
 *
 * @example
 * import { VaultError } from 'tokenkeep';
 *
 * try {
 *   await vault.update((cache) => cache.signOutAll());
 * } catch (error) {
 *   if (error instanceof VaultError && error.code === 'vault_locked') await vault.retry();
 * }
 */
export class VaultError extends CodedError<VaultErrorCode> {}

/** Why the file system refused. */
export type StorageErrorCode =
  | 'disk_full'
  | 'no_permission'
  | 'read_only_disk'
  | 'path_invalid' // no file is in a file's place, or the path leads through a file, a loop of links or where no folder can be
  | 'name_too_long' // longer than this file system allows for a file's name or path
  | 'storage_failed';

/**
 * The file system refused a read or a write. The file is unchanged.
 *
 * @example
 * import { StorageError } from 'tokenkeep';
 *
 * try {
 *   await vault.exportTo('/media/stick/backup.age', passphrase);
 * } catch (error) {
 *   if (error instanceof StorageError && error.code === 'disk_full') console.error('The disk is full.');
 * }
 */
export class StorageError extends CodedError<StorageErrorCode> {}

/** Why a lock could not be acquired. If another program holds it, the code is `vault_busy`. */
export type LockErrorCode =
  | 'lock_unsupported' // this file system has no locks, or always refuses them
  | 'lock_timeout' // the file system did not answer in time
  | 'lock_file_invalid' // a link, a folder, a pipe or a device is in the lock file's place
  | 'lock_module_missing' // the native module for locks is not part of this program
  | 'lock_module_failed'; // that module is there and can't be loaded on this system

/**
 * The lock that prevents concurrent writes could not be acquired. Nothing was written.
 *
 * @example
 * import { LockError } from 'tokenkeep/errors';
 *
 * try {
 *   await vault.compact();
 * } catch (error) {
 *   if (error instanceof LockError) console.error(`${error.path} can't be locked: ${error.code}`);
 * }
 */
export class LockError extends CodedError<LockErrorCode> {
  /** Absolute path of the lock file. */
  readonly path: string;

  constructor(code: LockErrorCode, path: string, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.path = path;
  }
}

/**
 * A native module is missing, or differs from the one that the app was built with, so it was not loaded. See `tokenkeep/native-code`.
 *
 * @example
 * import { NativeCodeError } from 'tokenkeep/errors';
 * import { assertNativeCode, type PinnedHashes } from 'tokenkeep/native-code';
 *
 * const pinned: PinnedHashes = { 'keytar/prebuilds/linux-x64/keytar.node': '0f5c…' };
 * try {
 *   assertNativeCode(pinned, '/opt/my-app/resources/app.asar/node_modules');
 * } catch (error) {
 *   if (error instanceof NativeCodeError) console.error(error.message);
 * }
 */
export class NativeCodeError extends CodedError<'native_code_changed'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('native_code_changed', message, options);
  }
}

/**
 * An internal error of Tokenkeep, or of code that was passed to it. See `cause`.
 *
 * @example
 * import { UnexpectedError } from 'tokenkeep/errors';
 *
 * try {
 *   await vault.verify();
 * } catch (error) {
 *   if (error instanceof UnexpectedError) console.error('Please report this:', error.cause);
 * }
 */
export class UnexpectedError extends CodedError<'unexpected'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('unexpected', message, options);
  }
}

/** Why a partition cannot be read or written. */
export type PartitionErrorCode =
  | 'partition_foreign' // its key holds something that Tokenkeep did not write
  | 'partition_newer' // written by a newer version
  | 'partition_damaged' // truncated, changed, or copied from another partition
  | 'partition_unknown_key' // sealed with a key that is not among the sealing keys
  | 'partition_plain_text' // not sealed although sealing is configured, or the other way round
  | 'partition_other_user' // it holds, or would hold, another user's credentials
  | 'partition_too_large' // larger than the store allows, such as a cookie or the memory store; or a user's partitions are too many to list
  | 'partition_busy' // other writers won every race, or another process kept the lock
  | 'partition_turn_expired'; // the task ran longer than one turn may last

/**
 * One partition cannot be read or written. The stored entry is unchanged and is never overwritten because of it.
 *
 * @example
 * import { type Partition, PartitionError } from 'tokenkeep/partitions';
 *
 * async function accountsIn(partition: Partition) {
 *   try {
 *     return await partition.read((cache) => cache.accounts());
 *   } catch (error) {
 *     if (error instanceof PartitionError) console.error(`${error.partition}: ${error.code}`);
 *     throw error;
 *   }
 * }
 */
export class PartitionError extends CodedError<PartitionErrorCode> {
  /** The partition's key in its store. It is a hash, because an id may name the user. "" if no single partition is meant. */
  readonly partition: string;

  constructor(code: PartitionErrorCode, partition: string, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.partition = partition;
  }
}

/** Why the store failed. The first three may be temporary; the others need a change of configuration. */
export type PartitionStoreErrorCode =
  | 'store_unavailable' // the store refused, or the connection was lost
  | 'store_timeout' // no answer within the timeout
  | 'store_full' // out of memory or disk space
  | 'store_newer' // a newer version of Tokenkeep made its table
  | 'store_forbidden' // the credentials lack a permission, or the server does not allow a command
  | 'store_read_only' // a replica, or a read-only connection
  | 'store_table_missing' // the PostgreSQL or SQLite table does not exist
  | 'store_wrong_type' // a Redis key has another type, or a table other columns, than Tokenkeep's, or a SQLite file is damaged
  | 'store_client' // the client is from a library that is not supported, closed, or set up in a way that can't work: too few connections, or TLS
  | 'store_mismatch'; // the value that was read back differs from the one written

/**
 * An operation of the partition store failed. A write happened completely or not at all.
 *
 * @example
 * import { type PartitionedCaches, PartitionStoreError } from 'tokenkeep/partitions';
 *
 * async function start(caches: PartitionedCaches): Promise<void> {
 *   try {
 *     await caches.check();
 *   } catch (error) {
 *     if (error instanceof PartitionStoreError && error.code === 'store_table_missing') console.error('Migrate first.');
 *     throw error;
 *   }
 * }
 */
export class PartitionStoreError extends CodedError<PartitionStoreErrorCode> {}

/**
 * The web session has ended (destroyed, regenerated, or gone from its store), or belongs to another request. Nothing was
 * saved, because saving would have restored the session.
 *
 * @example
 * import { type Partition, SessionEndedError } from 'tokenkeep/partitions';
 *
 * async function signOut(partition: Partition): Promise<void> {
 *   try {
 *     await partition.update((cache) => cache.signOutAll());
 *   } catch (error) {
 *     if (!(error instanceof SessionEndedError)) throw error; // otherwise the session is gone, and its tokens with it
 *   }
 * }
 */
export class SessionEndedError extends CodedError<'session_ended'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('session_ended', message, options);
  }
}

/** Why a logout token was rejected. */
export type LogoutTokenErrorCode =
  | 'logout_token_invalid' // malformed, badly signed, or its claims break OpenID Connect Back-Channel Logout 1.0 §2.6
  | 'logout_token_keys_unavailable'; // the provider's keys could not be fetched

/**
 * A back-channel logout request cannot be trusted. Nobody was signed out.
 *
 * @example
 * import { LogoutTokenError } from 'tokenkeep/partitions';
 *
 * // The status of the answer to a back-channel logout request.
 * function statusFor(error: unknown): number {
 *   if (!(error instanceof LogoutTokenError)) return 500;
 *   return error.code === 'logout_token_invalid' ? 400 : 503;
 * }
 */
export class LogoutTokenError extends CodedError<LogoutTokenErrorCode> {}

/** Why a sign-in or sign-out of a web app failed. */
export type WebSignInErrorCode =
  | 'sign_in_unknown' // not begun in this browser, answered before, or too old: sign in again
  | 'sign_in_refused' // refused by the provider; see `provider`
  | 'sign_in_answer_invalid' // the ID token is not valid for this sign-in
  | 'sign_in_no_token' // signed in, but without a token for the scopes that a page requires
  | 'session_not_kept' // the browser does not return the session's cookie, or the store does not keep the tokens
  | 'provider_unreachable' // or its answer is invalid: try again later
  | 'cross_site_request'; // a page of another site tried to sign the user out

const STATUS: Readonly<Record<WebSignInErrorCode, number>> = {
  sign_in_unknown: 400,
  sign_in_refused: 403,
  sign_in_answer_invalid: 502,
  sign_in_no_token: 502,
  session_not_kept: 500,
  provider_unreachable: 502,
  cross_site_request: 403,
};

/**
 * A sign-in or sign-out of a web app failed. `tokenkeep/express` passes it to the error handler of Express, which uses its `status`.
 *
 * @example
 * import { WebSignInError } from 'tokenkeep/express';
 *
 * const textFor = (error: unknown): string =>
 *   error instanceof WebSignInError && error.code === 'sign_in_refused' ? `Refused: ${error.provider?.error}` : 'Try again later.';
 */
export class WebSignInError extends CodedError<WebSignInErrorCode> {
  /** The HTTP status of the response. */
  readonly status: number;
  /** The provider's error response (RFC 6749 §4.1.2.1, §5.2). It is untrusted text: escape it. */
  readonly provider: { readonly error: string; readonly description: string } | undefined;

  constructor(
    code: WebSignInErrorCode,
    message: string,
    { provider, ...options }: { cause?: unknown; provider?: { error: string; description: string } } = {},
  ) {
    super(code, message, options);
    this.status = STATUS[code];
    this.provider = provider;
  }
}

/**
 * The cache of the current request was accessed while no request is running. Nothing was read or written.
 *
 * @example
 * import { NoRequestError, type PerRequest } from 'tokenkeep/partitions';
 *
 * function isInRequest(msal: PerRequest<object>): boolean {
 *   try {
 *     return Boolean(msal.client);
 *   } catch (error) {
 *     if (error instanceof NoRequestError) return false;
 *     throw error;
 *   }
 * }
 */
export class NoRequestError extends CodedError<'no_request'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('no_request', message, options);
  }
}

/** Why a source could not be changed. */
export type SourceErrorCode =
  | 'source_busy' // another program holds its lock
  | 'source_no_permission' // this user may not write the cache
  | 'source_locked' // the cache is in a locked keyring
  | 'source_view_only' // only its own program can change it
  | 'source_unreadable' // the cache was removed, is incomplete or sealed, or has an unknown format
  | 'source_failed'; // the system refused the write

/**
 * The cache of another program could not be changed, and is as it was.
 *
 * @example
 * import { SourceError } from 'tokenkeep/errors';
 * import { findSources, readSource, signOutAtSource } from 'tokenkeep/sources';
 *
 * for (const source of await findSources()) {
 *   const [account] = (await readSource(source)).accounts;
 *   if (account === undefined) continue;
 *   try {
 *     (await signOutAtSource(source, account)).done();
 *   } catch (error) {
 *     if (!(error instanceof SourceError)) throw error;
 *     console.error(`${source.name}: ${error.message}`);
 *   }
 * }
 */
export class SourceError extends CodedError<SourceErrorCode> {}
