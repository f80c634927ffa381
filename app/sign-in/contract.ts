/** What the window may ask about signing in, refreshing and signing out. Types only. No token, code or secret. */
import type { PlainError, SignOutReceipt } from 'tokenkeep/ipc';

export interface ProfileDraft {
  /** `microsoft`: work, school and personal accounts. `oidc`: any OpenID Connect provider. */
  kind: 'microsoft' | 'oidc';
  name: string;
  /** microsoft: common, organizations, consumers, or a tenant's id or domain. oidc: the issuer, an https URL. */
  authority: string;
  client_id: string;
  scopes: readonly string[];
  /** As it is registered: http on loopback. Without a port, any free port is used. */
  redirect_uri: string;
}

export interface SignInProfile extends ProfileDraft {
  id: string;
}

export type SignInWay = 'browser' | 'device';

/** How far the current sign-in is, or how the last one ended. */
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
  /** `accountId`: the account in the token cache's list; null where the answer named nobody. */
  | { step: 'done'; profile: SignInProfile; accountId: string | null }
  | { step: 'failed'; profile: SignInProfile; way: SignInWay; error: PlainError };

/** What “Sign in again” starts with. */
export interface SignInAgain {
  /** A saved profile for the account's provider and app; null where there is none yet. */
  profileId: string | null;
  /** The profile to save first, filled in from the account as far as it is known. */
  draft: ProfileDraft;
  /** Prefills the provider's page (OpenID Connect Core §3.1.2.1); null where the account has no user name. */
  loginHint: string | null;
}

/** Whether an account can be refreshed without its user, and whether it is. */
export interface RefreshStatus {
  /** It has a refresh token whose issuer is known, so “Refresh now” can be offered. */
  refreshable: boolean;
  autoRefresh: boolean;
  /**
   * Its tokens were imported, and the program that they came from may still use them: refreshing rotates the refresh
   * token, which may sign that program out. “Refresh now” asks once; auto-refresh stays off until then.
   */
  shared: boolean;
  /** Seconds since the epoch: the next automatic try; null where none is planned. */
  nextTry: number | null;
  /** Why the last try failed. */
  problem: PlainError | null;
}

export interface RefreshReport {
  /** How many access tokens were refreshed. */
  refreshed: number;
  /** Why others were not. What was cached is still there. */
  problem: PlainError | null;
}

/** `offered`: there is an endpoint. `none`: the provider has none. `unknown`: who the provider is, or what it can do. */
export type Offer = 'offered' | 'none' | 'unknown';

/** What a sign-out can do at the provider. */
export interface SignOutOffers {
  revoke: Offer;
  endSession: Offer;
  /** The provider's host; null where it is not known, or where there are several. */
  provider: string | null;
}

/** What a sign-out does at the provider besides removing the accounts here. */
export interface SignOutWishes {
  revoke: boolean;
  endSession: boolean;
}

/** A receipt as it is kept: without the account's id, so that nothing is found by it. */
export interface KeptReceipt extends Omit<SignOutReceipt, 'home_account_id'> {
  /** The account's user name, or the name of an app. */
  account: string;
  /** The file that the account was imported from, which keeps its own copy; null where it was signed in here. */
  source: string | null;
}

/** A sign-out from the click to its end. Kept, sealed in the vault. */
export interface SignOutReport {
  id: string;
  /** Seconds since the epoch. */
  at: number;
  /** One for each account. */
  receipts: readonly KeptReceipt[];
  /**
   * Revocation at the providers; null: not asked for. `pending`: refresh tokens whose provider could not be reached; it is
   * tried again until it can.
   */
  revoked: { count: number; pending: number; problem: PlainError | null } | null;
  /** The session in the browser; null: not asked for. */
  session: { opened: boolean; problem: PlainError | null } | null;
}

export interface SignInRequests {
  profiles(): readonly SignInProfile[];
  /** Asks the user where its issuer is new. */
  saveProfile(draft: ProfileDraft, id: string | null): SignInProfile;
  removeProfile(id: string): void;
  /** Starts; `signIn` events tell how it goes. `loginHint` prefills the provider's page. */
  signIn(profileId: string, way: SignInWay, loginHint: string | null): void;
  signInAgain(accountId: string): SignInAgain;
  signInProgress(): SignInProgress;
  cancelSignIn(): void;
  /** Opens the provider's page once more. */
  openSignInPage(): void;
  copyDeviceCode(): void;

  refreshStatus(accountId: string): RefreshStatus;
  refreshNow(accountId: string): RefreshReport;
  setAutoRefresh(accountId: string, on: boolean): RefreshStatus;

  /** @param accountIds null: all */
  signOutOffers(accountIds: readonly string[] | null): SignOutOffers;
  /**
   * Signs accounts out: one request, from the click to the receipt. The main process writes down what is to be done,
   * removes the accounts, revokes their refresh tokens and opens the provider's sign-out page. Where it is interrupted,
   * the next start completes it.
   *
   * @param accountIds null: all accounts and apps
   */
  signOut(accountIds: readonly string[] | null, wishes: SignOutWishes): SignOutReport;
  /** Receipts of past sign-outs, newest first. */
  signOuts(): readonly SignOutReport[];
}

export interface SignInEvents {
  signIn: SignInProgress;
  /** Something about refreshing accounts has changed: ask again. */
  refreshStatus: null;
  profiles: null;
  /** A sign-out that was pending at a provider has come further: ask `signOuts` again. */
  signOuts: null;
}
