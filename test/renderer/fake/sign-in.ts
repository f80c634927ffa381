import type {
  AppBridge,
  OwnCopy,
  PlaceOffer,
  RefreshStatus,
  SignatureResult,
  SignInProfile,
  SignInProgress,
  SignOutOffers,
  SignOutReport,
  UserInfo,
} from '../../../app/contract.ts';
import type { Outcome } from '../../../src-main/ipc/contract.ts';

/** A provider that the user has set up. */
export const PROFILE: SignInProfile = {
  id: 'p1',
  kind: 'oidc',
  name: 'Example',
  authority: 'https://id.example.org/realms/a',
  client_id: 'app',
  scopes: ['profile'],
  redirect_uri: 'http://127.0.0.1/',
};

/** State behind the sign-in part of a fake bridge. */
export interface SignInWorld {
  profiles: SignInProfile[];
  progress: SignInProgress;
  refreshStatus: RefreshStatus;
  offers: SignOutOffers;
  report: Pick<SignOutReport, 'revoked' | 'session'>;
  /** Places of the next sign-out, and their receipts. */
  places: PlaceOffer[];
  /** Files that accounts were imported from. */
  copies: OwnCopy[];
  /** Receipts of earlier sign-outs. */
  receipts: SignOutReport[];
  /** The result of the next check; null: the user declines. */
  signature: SignatureResult | null;
  /** The provider's next answer; null: the user declines. */
  userInfo: UserInfo | null;
}

type Answer = <T>(name: string, args: unknown[], make: () => T) => Promise<Outcome<T>>;
type Half = Omit<
  AppBridge,
  | 'info'
  | 'openDemo'
  | 'leaveDemo'
  | 'showFile'
  | 'menuState'
  | 'update'
  | 'downloadUpdate'
  | 'installUpdate'
  | 'signOut'
  | 'undoSignOut'
  | 'checkSignOut'
  | 'signOutDone'
  | 'sources'
  | 'findSources'
  | 'openSource'
  | 'openAllSources'
  | 'closeSource'
  | 'addSource'
  | 'importSource'
  | 'showSource'
  | 'openProgram'
  | 'settings'
  | 'setTimes'
  | 'setStartAtLogin'
  | 'setUpdates'
  | 'setCloseWhenAway'
  | 'setMenuBar'
  | 'setNotify'
  | 'setAsksRarely'
  | 'saveList'
  | 'saveReceipt'
  | 'openHomepage'
  | 'showLicenses'
  | 'unlock'
  | 'clearActivity'
  | 'on'
>;

export function signInWorld(changes: Partial<SignInWorld> = {}): SignInWorld {
  return {
    profiles: [],
    progress: { step: 'none' },
    refreshStatus: {
      refreshable: true,
      autoRefresh: false,
      shared: false,
      nextTry: null,
      problem: null,
      unreplaced: 0,
    },
    offers: { revoke: 'offered', endSession: 'offered', provider: 'id.example.org' },
    report: { revoked: { count: 1, pending: 0, problem: null }, session: { opened: true, problem: null } },
    places: [],
    copies: [],
    receipts: [],
    signature: null,
    userInfo: null,
    ...changes,
  };
}

export function signInHalf(
  world: SignInWorld,
  answer: Answer,
  tell: (name: string, event: unknown) => void,
): Half {
  const move = (progress: SignInProgress) => {
    world.progress = progress;
    tell('signIn', progress);
  };
  return {
    profiles: () => answer('profiles', [], () => world.profiles),
    saveProfile: (draft, id) =>
      answer('saveProfile', [draft, id], () => {
        const saved = { ...draft, id: id ?? `profile-${world.profiles.length + 1}` };
        world.profiles = [...world.profiles.filter((profile) => profile.id !== id), saved];
        tell('profiles', null);
        return saved;
      }),
    removeProfile: (id) =>
      answer('removeProfile', [id], () => {
        world.profiles = world.profiles.filter((profile) => profile.id !== id);
        tell('profiles', null);
      }),
    signIn: (id, way, hint) =>
      answer('signIn', [id, way, hint], () => {
        const profile = world.profiles.find((each) => each.id === id);
        if (profile === undefined) throw new Error(`The fake has no profile ${id}.`);
        move({ step: 'starting', profile, way });
      }),
    signInProgress: () => answer('signInProgress', [], () => world.progress),
    cancelSignIn: () => answer('cancelSignIn', [], () => move({ step: 'none' })),
    openSignInPage: () => answer('openSignInPage', [], () => undefined),
    copyDeviceCode: () => answer('copyDeviceCode', [], () => undefined),
    signInAgain: (id) =>
      answer('signInAgain', [id], () => {
        const [saved] = world.profiles;
        return {
          profileId: saved?.id ?? null,
          draft: {
            kind: 'microsoft',
            name: 'login.microsoftonline.com',
            authority: 'contoso.example',
            client_id: '9f0c1b2a-3344-4556-8778-99aabbccc11e',
            scopes: ['User.Read'],
            redirect_uri: 'http://localhost/',
          },
          loginHint: 'rosa@example.org',
        };
      }),
    refreshStatus: (id) => answer('refreshStatus', [id], () => world.refreshStatus),
    refreshNow: (id, tokenId) => answer('refreshNow', [id, tokenId], () => ({ refreshed: 1, problem: null })),
    refreshUnasked: (id) => answer('refreshUnasked', [id], () => ({ refreshed: 1, problem: null })),
    setAutoRefresh: (id, on) =>
      answer('setAutoRefresh', [id, on], () => {
        world.refreshStatus = { ...world.refreshStatus, autoRefresh: on };
        return world.refreshStatus;
      }),
    signOutCopies: (ids) => answer('signOutCopies', [ids], () => world.copies),
    signOutPlaces: (ids) => answer('signOutPlaces', [ids], () => world.places),
    signOutOffers: (ids) => answer('signOutOffers', [ids], () => world.offers),
    checkSignature: (token) => answer('checkSignature', [token], () => world.signature),
    userInfo: (id) => answer('userInfo', [id], () => world.userInfo),
    signOuts: () => answer('signOuts', [], () => world.receipts),
  };
}
