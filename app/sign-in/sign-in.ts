/** Signing in, staying signed in and leaving, put together: what answers the window, and what runs beside it. */
import { join } from 'node:path';
import type { AccountSummary, Vault } from 'tokenkeep';
import type { Handlers, Question } from 'tokenkeep/electron';
import { allowHost } from './consent.ts';
import { attempts } from './attempts.ts';
import type { AccountCare, AccountName, SignInEvents, SignInRequests } from './contract.ts';
import { dueAt, keepFresh } from './auto-refresh.ts';
import { keptAt } from './kept.ts';
import { leaving } from './provider-sign-out.ts';
import { profilesAt } from './profiles.ts';
import { discovered } from './provider.ts';
import { refreshing } from './refresh.ts';
import { issuerFor } from './issuer-lookup.ts';

export interface SignInDoors<Caller> {
  /** Where profiles and marks are kept. */
  folder: string;
  /** The cache that the window shows. */
  vault: () => Promise<Vault>;
  /** The user's own, once it is open; what is kept fresh is kept there. */
  ownVault: () => Promise<Vault>;
  /** Verifies certificates, as the system does. */
  fetch: typeof fetch;
  openBrowser: (url: string) => Promise<void>;
  /** Asks the user in a dialog that no script of the window can answer. */
  confirm: (caller: Caller, question: Question) => Promise<boolean>;
  copyText: (text: string) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  after: (milliseconds: number, work: () => void) => () => void;
  /** To all windows: the events of the contract. */
  tell: {
    [Name in keyof SignInEvents]: (event: SignInEvents[Name]) => void;
  };
  onUnexpected: (error: unknown) => void;
}

export interface SignIn<Caller> {
  handlers: Handlers<SignInRequests, Caller>;
  /** Begins to keep accounts fresh. */
  start: () => Promise<void>;
  /** The computer woke up, or is online again. */
  wake: () => void;
  stop: () => void;
}

/** Milliseconds for the user to sign in: long enough to find the phone, short enough that no port stays open. */
const PATIENCE = 10 * 60_000;

export function signIn<Caller>(doors: SignInDoors<Caller>): SignIn<Caller> {
  const { vault, tell, after, onUnexpected, openBrowser } = doors;
  const seconds = (): number => Math.floor(doors.now() / 1000);
  const profiles = profilesAt(join(doors.folder, 'sign-in-profiles.json'), doors.now);
  const kept = keptAt(join(doors.folder, 'keep-fresh.json'), doors.now);
  const findProvider = discovered(doors.fetch, doors.now);
  const attempt = attempts({
    vault,
    findProvider,
    openBrowser,
    now: seconds,
    patience: PATIENCE,
    tell(progress) {
      // Whoever just signed in has a refresh token that works, whatever became of the one before.
      if (progress.step === 'done' && progress.account !== null) {
        fresh.heard(progress.account, { refreshed: 1, problem: null });
      }
      tell.signIn(progress);
    },
    onUnexpected,
  });
  const refresh = refreshing({ profiles, findProvider, now: seconds, onUnexpected });
  const fresh = keepFresh({
    async due() {
      const own = await doors.ownVault();
      return own.read((cache) => {
        const accounts = cache.accounts().map(nameOf);
        if (own.status.state === 'ready') kept.retain(accounts); // in other states they may be there unseen
        return accounts.flatMap((account) => {
          const at = kept.has(account) ? dueAt(cache, account) : undefined;
          return at === undefined ? [] : [{ account, at }];
        });
      });
    },
    refresh: async (account) => refresh(await doors.ownVault(), account),
    now: seconds,
    after,
    onChange: () => tell.care(null),
    onUnexpected,
  });
  const leave = leaving({
    read: async (fn) => (await vault()).read(fn),
    profiles,
    findProvider,
    openBrowser,
    after,
    onUnexpected,
  });

  async function care(account: AccountName): Promise<AccountCare> {
    const { home_account_id, environment } = account;
    const known = await (await vault()).read((cache) =>
      cache
        .find('RefreshToken', { query: { home_account_id, environment } })
        .some(({ client_id }) => issuerFor(profiles.list(), environment, client_id, undefined) !== undefined),
    );
    return { refreshable: known, keepFresh: kept.has(account), ...fresh.stateOf(account) };
  }

  let started = false;
  let endChanges = (): void => {};
  return {
    handlers: {
      profiles: () => profiles.list(),
      async saveProfile(caller, draft, id) {
        await allowHost(draft, profiles.list(), (question) => doors.confirm(caller, question));
        const saved = profiles.save(draft, id);
        tell.profiles(null);
        return saved;
      },
      removeProfile(_caller, id) {
        profiles.remove(id);
        tell.profiles(null);
      },
      signIn: (_caller, id, way) => attempt.begin(profiles.find(id), way),
      signInProgress: () => attempt.progress,
      cancelSignIn: () => attempt.cancel(),
      openSignInPage: () => attempt.openPage(),
      copyDeviceCode() {
        if (attempt.progress.step === 'device') doors.copyText(attempt.progress.userCode);
      },
      care: (_caller, account) => care(account),
      async refreshNow(_caller, account) {
        const report = await refresh(await vault(), account);
        fresh.heard(account, report);
        return report;
      },
      async keepFresh(_caller, account, on) {
        kept.set(account, on);
        await fresh.look();
        return care(account);
      },
      leaveOffers: (_caller, account) => leave.offers(account),
      prepareLeaving: (_caller, account, wishes) => leave.prepare(account, wishes),
      finishLeaving: (_caller, id) => leave.finish(id),
    },
    async start() {
      if (started) return;
      started = true;
      const own = await doors.ownVault();
      // Another sign-in, refresh or sign-out, here or in another process, changes what is due.
      endChanges = own.on('change', () => void fresh.look());
      await fresh.look();
    },
    wake: () => void fresh.look(),
    stop() {
      attempt.cancel();
      fresh.stop();
      endChanges();
    },
  };
}

const nameOf = ({ home_account_id, environment }: AccountSummary): AccountName => ({
  home_account_id,
  environment,
});
