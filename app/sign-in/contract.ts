/** What the window may ask about signing in, staying signed in and leaving. Types only. No token, code or secret. */
import type { PlainError } from 'tokenkeep/electron';

export interface ProfileDraft {
  /** `microsoft`: work, school and personal accounts. `oidc`: any OpenID Connect provider. */
  kind: 'microsoft' | 'oidc';
  name: string;
  /** microsoft: common, organizations, consumers, or a tenant's id or domain. oidc: the issuer, an https URL. */
  authority: string;
  client_id: string;
  scopes: readonly string[];
  /** As it is registered: http on loopback. Any free port is used where it names none. */
  redirect_uri: string;
}

export interface SignInProfile extends ProfileDraft {
  id: string;
}

/** An account, as the token cache's list names it. */
export interface AccountName {
  home_account_id: string;
  environment: string;
}

export type SignInWay = 'browser' | 'device';

/** How far the sign-in is that is under way, or how the last one ended. */
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
  | { step: 'done'; profile: SignInProfile; account: AccountName | null }
  | { step: 'failed'; profile: SignInProfile; way: SignInWay; error: PlainError };

/** What can be done for an account without asking its user. */
export interface AccountCare {
  /** Its refresh tokens can be redeemed: a provider is known for one of them. */
  refreshable: boolean;
  keepFresh: boolean;
  /** Seconds since the epoch: when keeping it fresh will try next; null where it will not. */
  nextTry: number | null;
  /** What the last try came to. */
  problem: PlainError | null;
}

export interface RefreshReport {
  refreshed: number;
  /** Of those that could not be refreshed; what was cached is still there. */
  problem: PlainError | null;
}

/** `offered`: there is an endpoint. `none`: the provider has none. `unknown`: who the provider is, or what it can do. */
export type Offer = 'offered' | 'none' | 'unknown';

export interface LeaveOffers {
  revoke: Offer;
  endSession: Offer;
  /** The provider's host; null where it is not known, or where there are several. */
  provider: string | null;
}

export interface LeaveWishes {
  revoke: boolean;
  endSession: boolean;
}

/** What became of what was wished beyond the removal from this computer. null: not wished. */
export interface LeaveReport {
  revoked: { count: number; problem: PlainError | null } | null;
  session: { opened: boolean; problem: PlainError | null } | null;
}

export interface SignInRequests {
  profiles(): readonly SignInProfile[];
  /** @param id of the profile that it replaces; null for a new one. */
  saveProfile(draft: ProfileDraft, id: string | null): SignInProfile;
  removeProfile(id: string): void;

  /** Begins; what happens is told by `signIn`. One at a time: another one ends the first. */
  signIn(profileId: string, way: SignInWay): void;
  signInProgress(): SignInProgress;
  cancelSignIn(): void;
  /** The page on which one signs in, once more in the browser. */
  openSignInPage(): void;
  copyDeviceCode(): void;

  care(account: AccountName): AccountCare;
  refreshNow(account: AccountName): RefreshReport;
  keepFresh(account: AccountName, on: boolean): AccountCare;

  /** @param account null: everyone */
  leaveOffers(account: AccountName | null): LeaveOffers;
  /** Before the removal: takes along what it needs afterwards. The id is good for one `finishLeaving`, and a minute. */
  prepareLeaving(account: AccountName | null, wishes: LeaveWishes): string;
  /** After the removal. */
  finishLeaving(id: string): LeaveReport;
}

export interface SignInEvents {
  signIn: SignInProgress;
  /** Something about keeping accounts fresh has changed: ask again. */
  care: null;
  profiles: null;
}
