import type {
  AccountCare,
  AppBridge,
  LeaveOffers,
  LeaveReport,
  SignInProfile,
  SignInProgress,
} from '../../../app/contract.ts';
import type { Outcome } from '../../../src-main/ipc/contract.ts';

/** State behind the sign-in part of a fake bridge. */
export interface SignInWorld {
  profiles: SignInProfile[];
  progress: SignInProgress;
  care: AccountCare;
  offers: LeaveOffers;
  report: LeaveReport;
}

type Answer = <T>(name: string, args: unknown[], make: () => T) => Promise<Outcome<T>>;
type Half = Omit<
  AppBridge,
  'info' | 'openDemo' | 'leaveDemo' | 'showFile' | 'update' | 'downloadUpdate' | 'installUpdate' | 'on'
>;

export function signInWorld(changes: Partial<SignInWorld> = {}): SignInWorld {
  return {
    profiles: [],
    progress: { step: 'none' },
    care: { refreshable: true, keepFresh: false, nextTry: null, problem: null },
    offers: { revoke: 'offered', endSession: 'offered', provider: 'id.example.org' },
    report: { revoked: { count: 1, problem: null }, session: { opened: true, problem: null } },
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
    signIn: (id, way) =>
      answer('signIn', [id, way], () => {
        const profile = world.profiles.find((each) => each.id === id);
        if (profile === undefined) throw new Error(`The fake has no profile ${id}.`);
        move({ step: 'starting', profile, way });
      }),
    signInProgress: () => answer('signInProgress', [], () => world.progress),
    cancelSignIn: () => answer('cancelSignIn', [], () => move({ step: 'none' })),
    openSignInPage: () => answer('openSignInPage', [], () => undefined),
    copyDeviceCode: () => answer('copyDeviceCode', [], () => undefined),
    care: (account) => answer('care', [account], () => world.care),
    refreshNow: (account) => answer('refreshNow', [account], () => ({ refreshed: 1, problem: null })),
    keepFresh: (account, on) =>
      answer('keepFresh', [account, on], () => {
        world.care = { ...world.care, keepFresh: on };
        return world.care;
      }),
    leaveOffers: (account) => answer('leaveOffers', [account], () => world.offers),
    prepareLeaving: (account, wishes) => answer('prepareLeaving', [account, wishes], () => 'leaving-1'),
    finishLeaving: (id) => answer('finishLeaving', [id], () => world.report),
  };
}
