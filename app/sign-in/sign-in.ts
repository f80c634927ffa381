/** Connects sign-in, refresh and sign-out: request handlers for the window, and background tasks. */
import { join } from 'node:path';
import { InvalidArgumentError, type Vault } from 'tokenkeep';
import {
  allowedIssuersAt,
  cachedAccounts,
  changeHistory,
  CLEAR_ACTIVITY,
  clearActivity,
  findAccount,
  type Handlers,
  historyOf,
  type Question,
  usernameOf,
} from 'tokenkeep/ipc';
import { attempts } from './attempts.ts';
import { autoRefresh, choiceAt, dueTokens } from './auto-refresh.ts';
import { type Ask, consent as consentFor } from './consent.ts';
import type { RefreshStatus, SignInAgain, SignInEvents, SignInProfile, SignInRequests } from './contract.ts';
import { lookUpIssuer } from './issuer-lookup.ts';
import { sharedBy, whoIs } from './names.ts';
import {
  fitsIssuer,
  isSameIssuer,
  issuerOfProfile,
  profilesAt,
  tenantOf,
  withRegistration,
} from './profiles.ts';
import { discovered } from './provider.ts';
import { type Refresh, refreshing, sendable, UNASKED } from './refresh.ts';
import { NO_SOURCES, type SourceSignOuts } from '../sources/source-sign-out.ts';
import { clearReceipts, signOuts } from './sign-out.ts';
import { checkSignature } from './signature-check.ts';
import { trackedWork } from './tracked-work.ts';
import { userInfo } from './user-info.ts';

export interface SignInPorts<Caller> {
  /** The folder of profiles and settings. */
  folder: string;
  /** The cache that the window shows. */
  vault: () => Promise<Vault>;
  /** The user's own vault, once it is open. Auto-refresh uses it. */
  ownVault: () => Promise<Vault>;
  /** Whether the window shows the demo's accounts, which are never sent to a provider. */
  isDemo: () => boolean;
  /** The client ID of the build's own app registration with Microsoft. Default: none. */
  registration?: string;
  /** Returns the text of a token in the list. */
  tokenText: (tokenId: string) => Promise<string>;
  /** Opened caches of other programs. Default: none. */
  sources?: SourceSignOuts;
  /** Verifies certificates, as the system does. */
  fetch: typeof fetch;
  openBrowser: (url: string) => Promise<void>;
  /** @throws QuestionError if there was no recent user input in the window */
  useGesture: (caller: Caller) => void;
  /**
   * Asks the user in a dialog that no script of the window can answer.
   *
   * @param options.follows it goes on from a gesture that was used, or from a question that was answered with yes
   * @param options.signal closes the dialog unanswered, which counts as no
   * @returns null if it was not answered because the user left
   */
  confirm: (
    caller: Caller,
    question: Question,
    options: { follows: boolean; signal?: AbortSignal },
  ) => Promise<boolean | null>;
  copyText: (text: string) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  after: (milliseconds: number, work: () => void) => () => void;
  /** Sends the contract's events to all windows. */
  emit: {
    [Name in keyof SignInEvents]: (event: SignInEvents[Name]) => void;
  };
  onUnexpected: (error: unknown) => void;
  /** See `ErrorPorts.explain`. */
  explain?: (error: unknown) => unknown;
}

export interface SignIn<Caller> {
  handlers: Handlers<SignInRequests, Caller>;
  /** Starts auto-refresh, and completes sign-outs that an earlier run left pending. */
  start: () => Promise<void>;
  /** Whether auto-refresh plans to renew an account before this time, in seconds since the epoch. */
  isRenewed: (accountId: string, before: number) => boolean;
  /** Call it when the computer wakes up or is online again. */
  wake: () => void;
  /** Resolves when no sign-out and no refresh is in progress, or when their time is over. */
  idle: () => Promise<void>;
  /** Ends a sign-in in progress and auto-refresh, until the next `start`. */
  pause: () => void;
  stop: () => void;
}

/** Milliseconds for the user to sign in: enough to find a phone, but the port does not stay open. */
const DEADLINE = 10 * 60_000;
/** Milliseconds that a quit or a lock waits for a provider's answer to a refresh. */
const REFRESHING = 4_000;

export function signIn<Caller>(ports: SignInPorts<Caller>): SignIn<Caller> {
  const { vault, emit, after, onUnexpected, openBrowser } = ports;
  const explained = ports.explain === undefined ? {} : { explain: ports.explain };
  const seconds = (): number => Math.floor(ports.now() / 1000);
  const saved = profilesAt(join(ports.folder, 'sign-in-profiles.json'), ports.now);
  const profiles = withRegistration(saved, ports.registration ?? '');
  const choice = choiceAt(join(ports.folder, 'keep-fresh.json'), ports.now);
  const findProvider = discovered(ports.fetch, ports.now);
  const allowed = allowedIssuersAt(ports.folder);
  const consent = consentFor(allowed, findProvider);
  const attempt = attempts({
    vault: ports.ownVault, // the sample data is gone when it is left
    consent,
    openBrowser,
    now: seconds,
    deadline: DEADLINE,
    emit(progress) {
      // After a sign-in, the account has a working refresh token, so earlier failures no longer matter.
      if (progress.step === 'done' && progress.accountId !== null) {
        auto.heard(progress.accountId, { refreshed: 1, problem: null });
      }
      emit.signIn(progress);
    },
    onUnexpected,
    ...explained,
  });
  let stopped = false;
  const refreshes = trackedWork(after);
  const refreshed = refreshing({
    profiles,
    consent,
    now: seconds,
    onUnexpected,
    ...explained,
    isEnding: () => stopped,
  });
  const refresh: Refresh = (...of) => refreshes.track(refreshed(...of));
  const auto = autoRefresh({
    async due() {
      const own = await ports.ownVault();
      return own.read((cache) => {
        const accounts = [...cachedAccounts(cache).byId.values()];
        try {
          if (own.status.state === 'ready') choice.retain(accounts); // in other states, accounts may exist that can't be read
        } catch (error) {
          onUnexpected(error); // The choice of the accounts that are there counts still.
        }
        return accounts.flatMap((account) => {
          // An imported refresh token may belong to another program until the user confirms its use. No other account is opened.
          if (!choice.has(account) || historyOf(cache, account.id).shared) return [];
          try {
            const isRefused =
              account.refreshTokens.length > 0 && sendable(cache, account, seconds()).length === 0;
            // Of one that was refused, a refresh sends nothing, and tells that its user has to sign in.
            const tokens = isRefused ? [{ token: 'refused', at: 0 }] : dueTokens(account);
            return tokens.length === 0 ? [] : [{ account: account.id, tokens }];
          } catch (error) {
            onUnexpected(error); // An account that can't be read keeps no other one from being renewed.
            return [];
          }
        });
      });
    },
    refresh: async (accountId) => refresh(await ports.ownVault(), accountId, null, null),
    now: seconds,
    after,
    onChange: () => emit.refreshStatus(null),
    onUnexpected,
  });
  const out = signOuts({
    vault,
    ownVault: ports.ownVault,
    isDemo: ports.isDemo,
    profiles,
    allowed,
    consent,
    sources: ports.sources ?? NO_SOURCES,
    openBrowser,
    now: seconds,
    after,
    onProgress: () => emit.signOuts(null),
    onUnexpected,
    ...explained,
  });

  /** Asks the questions of one request. The request's user gesture counts for the first. */
  const asking = (caller: Caller): Ask => {
    let follows = false;
    return async (question, signal) => {
      const agreed = await ports.confirm(caller, question, { follows, ...(signal && { signal }) });
      follows = agreed === true;
      return agreed;
    };
  };
  /** Asks the questions of a request whose gesture was already used, such as to open the browser. */
  const askingOn =
    (caller: Caller): Ask =>
    (question, signal) =>
      ports.confirm(caller, question, { follows: true, ...(signal && { signal }) });

  /** What the demo's accounts have is never sent to a provider, whatever a script of the window asks for. */
  function assertNoDemo(): void {
    if (ports.isDemo())
      throw new InvalidArgumentError(
        'The window shows sample data, which you can’t sign in to. Nothing was done. Leave the sample data first.',
      );
  }

  /** Withdraws the consent to an issuer that no other profile names. Call it before the change: if it fails, nothing was changed. */
  function withdrawUnlessShared({ id, ...profile }: SignInProfile): void {
    const issuer = issuerOfProfile(profile);
    const isShared = saved
      .list()
      .some((other) => other.id !== id && isSameIssuer(issuerOfProfile(other), issuer));
    if (!isShared) allowed.withdraw(issuer);
  }

  async function refreshStatus(accountId: string): Promise<RefreshStatus> {
    return (await vault()).read((cache) => {
      const account = findAccount(cache, accountId);
      const history = historyOf(cache, accountId);
      const refreshable = account.refreshTokens.some(
        (token) =>
          lookUpIssuer(account, history, profiles.list(), {
            client_id: token.client_id,
            own: token['issuer'],
          }) !== undefined,
      );
      const on = choice.has(account) && !history.shared;
      return { refreshable, autoRefresh: on, shared: history.shared, ...auto.stateOf(accountId) };
    });
  }

  async function signInAgain(accountId: string): Promise<SignInAgain> {
    return (await vault()).read((cache) => {
      const account = findAccount(cache, accountId);
      const history = historyOf(cache, accountId);
      const [token] = [...account.refreshTokens, ...account.idTokens, ...account.accessTokens];
      const client_id = token?.client_id ?? '';
      const realm = account.summary?.tenants[0]?.realm;
      const found = lookUpIssuer(account, history, profiles.list(), {
        client_id,
        own: token?.['issuer'],
        realm,
      });
      const fitting = profiles.list().flatMap((profile) => {
        const fits =
          found === undefined || profile.client_id !== client_id ? null : fitsIssuer(profile, found.issuer);
        return fits === null ? [] : [{ profile, ...fits }];
      });
      const saved = (fitting.find(({ exact }) => exact) ?? fitting[0])?.profile;
      // A sovereign cloud, and anybody else's issuer of this form, is asked by its address.
      const tenant = found === undefined ? undefined : tenantOf(found.issuer);
      const host = found === undefined ? account.environment : new URL(found.issuer).host;
      const scopes = new Set(
        account.accessTokens
          .filter((each) => each.client_id === client_id)
          .flatMap((each) => each.target.split(' ').filter((scope) => scope !== '' && scope !== 'openid')),
      );
      return {
        profileId: saved?.id ?? null,
        draft: saved ?? {
          kind: tenant === undefined ? 'oidc' : 'microsoft',
          name: host,
          authority: tenant === undefined ? (found?.issuer ?? '') : decodeURIComponent(tenant),
          client_id,
          scopes: [...scopes],
          redirect_uri: 'http://localhost/',
        },
        loginHint: usernameOf(account) || null,
      };
    });
  }

  let started = false;
  let endChanges = (): void => {};
  return {
    handlers: {
      profiles: () => profiles.list(),
      async saveProfile(caller, draft, id) {
        await consent.allowProfile(draft, asking(caller));
        const before = saved.list().find((profile) => profile.id === id);
        if (before !== undefined && !isSameIssuer(issuerOfProfile(before), issuerOfProfile(draft)))
          withdrawUnlessShared(before);
        const profile = profiles.save(draft, id);
        emit.profiles(null);
        if (started) void auto.goOn();
        return profile;
      },
      removeProfile(_caller, id) {
        const removed = saved.list().find((profile) => profile.id === id);
        if (removed !== undefined) withdrawUnlessShared(removed);
        profiles.remove(id);
        emit.profiles(null);
      },
      signIn(caller, id, way, loginHint) {
        ports.useGesture(caller);
        assertNoDemo();
        attempt.begin({ profile: profiles.find(id), way, loginHint, ask: askingOn(caller) });
      },
      signInAgain: (_caller, accountId) => signInAgain(accountId),
      signInProgress: () => attempt.progress,
      cancelSignIn: () => attempt.cancel(),
      openSignInPage(caller) {
        ports.useGesture(caller);
        return attempt.openPage();
      },
      copyDeviceCode() {
        if (attempt.progress.step === 'device') ports.copyText(attempt.progress.userCode);
      },
      refreshStatus: (_caller, accountId) => refreshStatus(accountId),
      async refreshNow(caller, accountId, tokenId) {
        assertNoDemo();
        const report = await refresh(await vault(), accountId, asking(caller), tokenId);
        // What was refused for one token says nothing about the others.
        if (tokenId === null || report.problem === null) auto.heard(accountId, report);
        return report;
      },
      async refreshUnasked(_caller, accountId) {
        assertNoDemo();
        const report = await refresh(await vault(), accountId, UNASKED, null);
        auto.heard(accountId, report);
        return report;
      },
      async setAutoRefresh(caller, accountId, on) {
        assertNoDemo();
        const shown = await vault();
        const { account, history } = await shown.read((cache) => ({
          account: findAccount(cache, accountId),
          history: historyOf(cache, accountId),
        }));
        if (on && history.shared) {
          const agreed = await ports.confirm(caller, ownQuestion(whoIs(account), history.source), {
            follows: false,
          });
          if (!agreed) return refreshStatus(accountId);
          await shown.update((cache) => changeHistory(cache, accountId, { shared: false }));
        }
        choice.set(account, on);
        await (on ? auto.goOn() : auto.look());
        return refreshStatus(accountId);
      },
      signOutOffers: (_caller, ids) => out.offers(ids),
      signOutPlaces: (_caller, ids) => out.places(ids),
      signOutCopies: (_caller, ids) => out.copies(ids),
      signOut(caller, ids, wishes) {
        // Another program's file is not changed, and no page is opened, without a click.
        const clicked = wishes.endSession || wishes.places.length > 0;
        if (clicked) ports.useGesture(caller);
        return out.signOut(ids, wishes, clicked ? askingOn(caller) : asking(caller));
      },
      undoSignOut(caller, id) {
        ports.useGesture(caller);
        return out.undo(id);
      },
      checkSignOut(caller, id) {
        ports.useGesture(caller);
        return out.check(id);
      },
      signOutDone: (_caller, id) => out.done(id),
      signOuts: () => out.reports(),
      async checkSignature(caller, token) {
        if ('tokenId' in token && ports.isDemo()) return { result: 'uncheckable', why: 'sample' };
        const text = 'text' in token ? token.text : await ports.tokenText(token.tokenId);
        return checkSignature(text, { fetch: ports.fetch, ask: asking(caller), now: seconds });
      },
      async userInfo(caller, accountId) {
        assertNoDemo();
        const ask = asking(caller);
        return userInfo(await vault(), accountId, { profiles, consent, ask, now: seconds });
      },
      async clearActivity(caller) {
        if (!(await ports.confirm(caller, CLEAR_ACTIVITY, { follows: false }))) return false;
        await (await vault()).update((cache) => {
          clearReceipts(cache);
          clearActivity(cache, seconds());
        });
        emit.signOuts(null);
        return true;
      },
    },
    async start() {
      if (started) return;
      started = true;
      const own = await ports.ownVault().catch((error: unknown) => {
        started = false; // its cause may be gone the next time
        throw error;
      });
      if (!(started as boolean)) return; // paused meanwhile
      // Another sign-in, refresh or sign-out, here or in another process, changes what is due.
      endChanges = own.on('change', () => void auto.look());
      void out.resume(own).catch(onUnexpected);
      await auto.look();
    },
    isRenewed(accountId, before) {
      const { nextTry, problem } = auto.stateOf(accountId);
      return problem === null && nextTry !== null && nextTry < before;
    },
    wake() {
      void auto.look();
      void ports
        .ownVault()
        .then((own) => out.resume(own))
        .catch(onUnexpected);
    },
    async idle() {
      await Promise.all([out.idle(), refreshes.ended(REFRESHING)]);
    },
    pause() {
      attempt.cancel();
      endChanges();
      started = false;
    },
    stop() {
      stopped = true;
      attempt.cancel();
      auto.stop();
      out.stop();
      endChanges();
    },
  };
}

function ownQuestion(who: string, source: string | null): Question {
  return {
    message: `Let Tokenkeep refresh ${who} by itself?`,
    detail: sharedBy(who, source),
    yes: 'Allow',
  };
}
