/** The window's requests for sign-in, refresh and sign-out. Types only. No token, code or secret. */
import type { Claim, PlainError, SignOutReceipt } from 'tokenkeep/ipc';
import type { OwnCopy, PlaceOffer, PlaceReceipt } from '../sources/contract.ts';

export interface ProfileDraft {
  /** `microsoft`: work, school and personal accounts. `oidc`: any OpenID Connect provider. */
  kind: 'microsoft' | 'oidc';
  name: string;
  /** microsoft: common, organizations, consumers, or a tenant's id or domain. oidc: the issuer, an https URL. */
  authority: string;
  client_id: string;
  scopes: readonly string[];
  /** As registered: http on a loopback address. Without a port, any free port is used. */
  redirect_uri: string;
}

export interface SignInProfile extends ProfileDraft {
  id: string;
}

export type SignInWay = 'browser' | 'device';

/** The progress of the current sign-in, or the result of the last one. */
export type SignInProgress =
  | { step: 'none' }
  | { step: 'starting'; profile: SignInProfile; way: SignInWay }
  | { step: 'browser'; profile: SignInProfile }
  /** Times in seconds since the epoch. `link` is where the code is entered, `direct` the same with the code filled in. */
  | {
      step: 'device';
      profile: SignInProfile;
      userCode: string;
      link: string;
      direct: string;
      expiresAt: number;
    }
  | { step: 'finishing'; profile: SignInProfile; way: SignInWay }
  /** `accountId`: the account in the token cache's list; null if the response identified no user. */
  | { step: 'done'; profile: SignInProfile; accountId: string | null }
  | { step: 'failed'; profile: SignInProfile; way: SignInWay; error: PlainError };

/** The data that “Sign in again” starts with. */
export interface SignInAgain {
  /** A saved profile for the account's provider and app; null if there is none yet. */
  profileId: string | null;
  /** The profile to save first, filled in from the account as far as possible. */
  draft: ProfileDraft;
  /** Prefills the provider's page (OpenID Connect Core §3.1.2.1); null where the account has no user name. */
  loginHint: string | null;
}

/** Whether an account can be refreshed without its user, and its auto-refresh state. */
export interface RefreshStatus {
  /** It has a refresh token whose issuer is known, so “Refresh now” can be offered. */
  refreshable: boolean;
  autoRefresh: boolean;
  /**
   * Its tokens were imported, and the program that they came from may still use them: refreshing rotates the refresh
   * token, which may sign that program out. “Refresh now” asks once; auto-refresh stays off until then.
   */
  shared: boolean;
  /** Seconds since the epoch: the next automatic attempt; null if none is planned. */
  nextTry: number | null;
  /** Why the last attempt failed. */
  problem: PlainError | null;
  /** Number of expiring access tokens that a refresh did not replace, although it succeeded: auto-refresh leaves them. */
  unreplaced: number;
}

export interface RefreshReport {
  /** How many access tokens were refreshed. */
  refreshed: number;
  /** Why others were not refreshed. Cached tokens are kept. */
  problem: PlainError | null;
}

/** `offered`: there is an endpoint. `none`: the provider has none. `unknown`: the provider or its metadata is not known. */
export type Offer = 'offered' | 'none' | 'unknown';

/** What a sign-out can do at the provider. */
export interface SignOutOffers {
  revoke: Offer;
  endSession: Offer;
  /** The provider's host; null if unknown, or if there are several. */
  provider: string | null;
}

/** What a sign-out does: where the accounts are removed, and what is asked of the provider. */
export interface SignOutWishes {
  /** The vault. `revoke` and `endSession` use its tokens. */
  vault: boolean;
  revoke: boolean;
  endSession: boolean;
  /** Ids of opened caches of other programs, and of pages to open in the browser. */
  places: readonly string[];
  /**
   * Accounts that stay signed in at one of the chosen places: `vault`, `provider` (its refresh token is not revoked), or the id of a cache.
   */
  except?: readonly SignOutExcept[];
}

export interface SignOutExcept {
  accountId: string;
  place: string;
}

/** A stored receipt, without the account's id. */
export interface KeptReceipt extends Omit<SignOutReceipt, 'home_account_id'> {
  /** The account's user name, or the name of an app. */
  account: string;
}

/** The report of a sign-out, stored encrypted in the vault. */
export interface SignOutReport {
  id: string;
  /** Seconds since the epoch. */
  at: number;
  /** The name of each account, in whatever places it was. Receipts of older versions have each name once. */
  names: readonly string[];
  /** One for each account that was removed from the vault. */
  receipts: readonly KeptReceipt[];
  /**
   * Revocation at the providers; null: not requested. `pending`: refresh tokens whose provider could not be reached; it is tried again
   * until it can.
   */
  revoked: { count: number; pending: number; problem: PlainError | null } | null;
  /** The browser session; null: not requested. */
  session: { opened: boolean; problem: PlainError | null } | null;
  /** Opened caches of other programs that had some of these accounts, those still signed in first, and pages that were opened. */
  places: readonly PlaceReceipt[];
  /** Whether the accounts stay in the vault, because it was not chosen. */
  keptInVault: boolean;
  /** The files that accounts were imported from and that were still there. Not in receipts of older versions. */
  copies?: readonly OwnCopy[];
}

/** A token to check: its text, or the id of one in the list. */
export type TokenToCheck = { text: string } | { tokenId: string };

/**
 * The result of checking a signature. `uncheckable`: only the API, the issuer, or a holder of the client secret can check it. `keysFrom`:
 * the URL of the keys. `at`: seconds since the epoch.
 */
export type SignatureResult =
  | {
      result: 'valid' | 'invalid' | 'key-not-found';
      /** The `kid` in the token's header. */
      key_id: string | null;
      algorithm: string;
      keysFrom: string;
      at: number;
    }
  | {
      result: 'uncheckable';
      why:
        | 'opaque'
        | 'encrypted'
        | 'unsigned'
        | 'shared-secret'
        | 'no-issuer'
        | 'graph'
        | 'algorithm'
        | 'sample';
    };

/** What a provider's UserInfo endpoint says of a user (OpenID Connect Core §5.3). */
export interface UserInfo {
  claims: readonly Claim[];
  /** The host that answered. */
  host: string;
  /** Seconds since the epoch. */
  at: number;
}

export interface SignInRequests {
  /**
   * Asks the provider who the account is, after a dialog of the main process, and sends an access token to the issuer that it came from.
   * null if the user declined.
   */
  userInfo(accountId: string): UserInfo | null;
  /**
   * Checks a token's signature with the public keys of the issuer that it names, after a dialog of the main process. null if
   * the user declined.
   */
  checkSignature(token: TokenToCheck): SignatureResult | null;
  profiles(): readonly SignInProfile[];
  /** Asks the user to allow the issuer if it is new. */
  saveProfile(draft: ProfileDraft, id: string | null): SignInProfile;
  removeProfile(id: string): void;
  /** Starts a sign-in; `signIn` events report its progress. `loginHint` prefills the provider's page. */
  signIn(profileId: string, way: SignInWay, loginHint: string | null): void;
  signInAgain(accountId: string): SignInAgain;
  signInProgress(): SignInProgress;
  cancelSignIn(): void;
  /** Opens the provider's page again. */
  openSignInPage(): void;
  copyDeviceCode(): void;

  refreshStatus(accountId: string): RefreshStatus;
  /** @param tokenId the access token to refresh; null: all of the account's */
  refreshNow(accountId: string, tokenId: string | null): RefreshReport;
  /** Refreshes one of several accounts: anything that needs a question, such as an imported refresh token, is refused without asking. */
  refreshUnasked(accountId: string): RefreshReport;
  setAutoRefresh(accountId: string, on: boolean): RefreshStatus;

  /** @param accountIds null: all */
  signOutOffers(accountIds: readonly string[] | null): SignOutOffers;
  /** The opened caches of other programs that have some of these accounts, and the pages that sign them out on all devices. */
  signOutPlaces(accountIds: readonly string[]): readonly PlaceOffer[];
  /**
   * The files that these accounts were imported from and that are still there: a sign-out leaves them as they are.
   *
   * @param accountIds null: all
   */
  signOutCopies(accountIds: readonly string[] | null): readonly OwnCopy[];
  /**
   * Signs accounts out: one request, from the click to the receipt. The main process writes down what is to be done,
   * removes the accounts, revokes their refresh tokens and opens the provider's sign-out page. Where it is interrupted,
   * the next start completes it.
   *
   * @param accountIds null: all accounts and apps
   */
  signOut(accountIds: readonly string[] | null, wishes: SignOutWishes): SignOutReport;
  /** Puts back what a sign-out removed from caches of other programs, until `signOutDone` or the app quits. */
  undoSignOut(reportId: string): SignOutReport;
  /** Rereads the places where an account was still signed in. Possible until `signOutDone`. Needs a click. */
  checkSignOut(reportId: string): SignOutReport;
  /** Discards the undo data. */
  signOutDone(reportId: string): void;
  /** Receipts of the last 90 days, newest first. */
  signOuts(): readonly SignOutReport[];
  /**
   * Removes the activity and the receipts after a dialog of the main process. Pending work at providers stays. false if the user declined.
   */
  clearActivity(): boolean;
}

export interface SignInEvents {
  signIn: SignInProgress;
  /** A refresh status has changed: request it again. */
  refreshStatus: null;
  profiles: null;
  /** A pending sign-out has progressed: request `signOuts` again. */
  signOuts: null;
}
