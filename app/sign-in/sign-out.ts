/**
 * Sign-out, from the request to the receipt. The main process records what is wanted, sealed in the vault, before it removes anything
 * from another program's cache, and the pending work in the same durable change that removes the accounts; then it revokes refresh
 * tokens (RFC 7009), opens the provider's own sign-out page, and stores the receipt. After an interruption, the next start completes
 * the work. Steps that the next start can't complete are in the receipt from the moment that it is first written.
 */
import { randomUUID } from 'node:crypto';
import * as oidc from 'openid-client';
import * as v from 'valibot';
import { InvalidArgumentError, type SignOutReceipt, type TokenCache, type Vault } from 'tokenkeep';
import {
  ACTIVITY_KEPT,
  type AllowedIssuers,
  appData,
  type CachedAccount,
  cachedAccounts,
  findAccount,
  historyOf,
  isMicrosoftCloud,
  nameOf,
  plainError,
  type PlainError,
  setAppData,
  signOutAccounts,
  nameWithRealm,
  usernameOf,
} from 'tokenkeep/ipc';
import { displayPath, isGone, programAt } from 'tokenkeep/sources';
import type { OwnCopy, PlaceOffer, PlaceReceipt } from '../sources/contract.ts';
import { listed, type SourcePlace, type SourceSignOuts } from '../sources/source-sign-out.ts';
import type { Ask, Consent } from './consent.ts';
import { hasPage, openPages, pageOffers } from './everywhere.ts';
import type { Offer, SignInProfile, SignOutOffers, SignOutReport, SignOutWishes } from './contract.ts';
import {
  type Circumstance,
  failureAfterRemoval,
  plainErrorOf,
  SignInError,
  signInError,
  type SignInErrorCode,
} from './failures.ts';
import { lookUpIssuer } from './issuer-lookup.ts';
import { ask as converse, type Provider } from './provider.ts';
import { trackedWork } from './tracked-work.ts';

export interface SignOutPorts {
  /** The cache that the window shows. */
  vault: () => Promise<Vault>;
  /** The user's own vault, once it is open. What is pending is in it. */
  ownVault: () => Promise<Vault>;
  /** Whether the window shows the demo's accounts, which are never sent to a provider. */
  isDemo: () => boolean;
  profiles: { list: () => readonly SignInProfile[] };
  allowed: Pick<AllowedIssuers, 'hostsOf'>;
  consent: Consent;
  /** Opened caches of other programs. */
  sources: SourceSignOuts;
  openBrowser: (url: string) => Promise<void>;
  /** Seconds since the epoch. */
  now: () => number;
  after: (milliseconds: number, work: () => void) => () => void;
  /** Called when a pending sign-out has progressed. */
  onProgress: () => void;
  onUnexpected: (error: unknown) => void;
  /** See `ErrorPorts.explain`. */
  explain?: (error: unknown) => unknown;
}

export interface SignOuts {
  /** @param ids null: all */
  offers(ids: readonly string[] | null): Promise<SignOutOffers>;
  /** The opened places that have some of these accounts, and the pages that sign them out on all devices. */
  places(ids: readonly string[]): Promise<readonly PlaceOffer[]>;
  /** The files that these accounts were imported from and that are still there. @param ids null: all */
  copies(ids: readonly string[] | null): Promise<readonly OwnCopy[]>;
  signOut(ids: readonly string[] | null, wishes: SignOutWishes, ask: Ask): Promise<SignOutReport>;
  /** @throws InvalidArgumentError if there is nothing left to undo */
  undo(reportId: string): Promise<SignOutReport>;
  /** Rereads the places where an account was still signed in. @throws InvalidArgumentError if the sign-out is not known any more */
  check(reportId: string): Promise<SignOutReport>;
  /** Discards the undo data. */
  done(reportId: string): void;
  /** Receipts, newest first. */
  reports(): Promise<readonly SignOutReport[]>;
  /** Resumes sign-outs that an earlier run of the app did not complete. */
  resume(vault: Vault): Promise<void>;
  /** Resolves when no provider is being notified any more, or when the time limit has passed. */
  idle(): Promise<void>;
  stop(): void;
}

/** A refresh token to be revoked, or an ID token to end a session with, and the one issuer that may get it. */
interface Task {
  issuer: string;
  client_id: string;
  secret: string;
}

/**
 * A stored sign-out. `revoke`: the remaining revocations; empty when done. `tried`: on how many days they were tried when the sign-out was
 * already old enough to be given up, and the last one, in days since the epoch. `wish`: the removal is still to be done.
 */
interface Kept {
  report: SignOutReport;
  revoke: readonly Task[];
  tried?: { days: number; last: number } | undefined;
  wish?: Wish | undefined;
}

/** What the user asked for and agreed to. */
interface Wish {
  /** Accounts to be removed from the vault; null: all. */
  ids: readonly string[] | null;
  wishes: SignOutWishes;
  /** Issuers that must not be contacted, and why. */
  refused: readonly (readonly [string, SignInErrorCode])[];
}

/** The name under which sign-outs are stored in the vault. */
const NAME = 'sign-outs';
/** The maximum number of stored receipts. */
const MOST_KEPT = 1_000;
/** The maximum number of providers whose metadata is fetched for the offers. */
const MOST_ASKED = 8;
/** The maximum number of accounts that the window lists one by one, each with its tokens at each place. */
const MOST_LISTED = 100;
/** Milliseconds that a sign-out waits for all providers together, before the removal and again after it. */
const FINDING = 4000;
const TELLING = 4000;
/** Milliseconds that a check of the files that accounts were imported from may take. */
const LOOKING = 4000;
/** Milliseconds that a question may stay unanswered before the accounts are removed without it. The provider is then not notified. */
const ANSWERING = 60_000;
/** Milliseconds until a provider that did not respond is retried. */
const TRY_AGAIN = 10 * 60_000;
const DAY = 86_400;
/** Seconds after which an unresponsive provider is given up; refresh tokens rarely live longer. */
const GIVEN_UP = 90 * DAY;
/** On how many days it must have been tried after that: a clock that was wrong at the sign-out, or is once, gives up nothing. */
const DAYS_TRIED = 7;

export function signOuts(ports: SignOutPorts): SignOuts {
  const { track, within, ended } = trackedWork(ports.after);
  /** Ids of sign-outs in progress, so that no provider is notified twice at once. */
  const underWay = new Set<string>();
  /** Sign-outs, by id, of which the vault says something else, because it could not be written. */
  const unsaved = new Map<string, Kept>();
  let cancelTry = (): void => {};
  let stopped = false;
  /** Its receipt may be in no vault. */
  let last: SignOutReport | undefined;

  /** Returns the tokens of an account, each with its issuer; undefined if the issuer is not certain. */
  const tasksOf = (
    cache: TokenCache,
    account: CachedAccount,
  ): { revoke: (Task | undefined)[]; sessions: Task[] } => {
    const history = historyOf(cache, account.id);
    const list = ports.profiles.list();
    const realms = new Map(account.idTokens.map((token) => [token.client_id, token.realm ?? undefined]));
    const issuerFor = (client_id: string, own: unknown, realm: string | undefined): string | undefined => {
      const found = lookUpIssuer(account, history, list, { client_id, own, realm });
      return found === undefined || found.certainty === 'guessed' ? undefined : found.issuer;
    };
    return {
      revoke: account.refreshTokens.map((token) => {
        const { client_id, secret } = token;
        const issuer = issuerFor(client_id, token['issuer'], realms.get(client_id));
        return issuer === undefined ? undefined : { issuer, client_id, secret };
      }),
      sessions: account.idTokens.flatMap((token) => {
        const { client_id, secret } = token;
        const issuer = issuerFor(client_id, token['issuer'], token.realm ?? undefined);
        return issuer === undefined ? [] : [{ issuer, client_id, secret }];
      }),
    };
  };

  const take = (
    cache: TokenCache,
    ids: readonly string[] | null,
    mayRevoke: (accountId: string) => boolean = () => true,
  ) => {
    const accounts =
      ids === null ? [...cachedAccounts(cache).byId.values()] : ids.map((id) => findAccount(cache, id));
    const all = accounts.map((account) => tasksOf(cache, account));
    const revoke = all.flatMap((each, index) => (mayRevoke(accounts[index]?.id ?? '') ? each.revoke : []));
    const known = new Map(revoke.flatMap((task) => (task === undefined ? [] : [[task.secret, task]])));
    const sessions = all.flatMap((each) => each.sessions.slice(0, 1));
    // Only one page is opened: with several providers, each would have its own session to end.
    const isOne = new Set(sessions.map(({ issuer }) => issuer)).size === 1;
    return {
      names: accounts.map((account) => nameFor(cache, account)),
      revoke: [...known.values()],
      unknown: revoke.includes(undefined),
      session: isOne ? sessions[0] : undefined,
    };
  };

  const offers: SignOuts['offers'] = async (ids) => {
    if (ports.isDemo()) return { revoke: 'none', endSession: 'none', provider: null };
    const vault = await ports.vault();
    const { revoke, session } = await vault.read((cache) => take(cache, inVault(cache, ids)));
    const places = new Map(revoke.map((task) => [task.issuer, task]));
    // Providers that the user has not allowed are not contacted; the sign-out itself asks first.
    const find = (task: Task): Promise<Provider | undefined> =>
      ports.consent.findAllowed(task.issuer, task.client_id, null, '').catch(() => undefined);
    const asked = await Promise.all(
      [...places.values()]
        .slice(0, MOST_ASKED)
        .map(async (task) => offer(await find(task), 'revocation_endpoint', task)),
    );
    const issuers = new Set([...places.keys(), ...(session === undefined ? [] : [session.issuer])]);
    const [host, ...others] = new Set([...issuers].map((issuer) => new URL(issuer).host));
    return {
      revoke: best(asked),
      endSession:
        session === undefined ? 'unknown' : offer(await find(session), 'end_session_endpoint', session),
      provider: host === undefined || others.length > 0 ? null : host,
    };
  };

  const offer = (
    provider: Provider | undefined,
    endpoint: 'revocation_endpoint' | 'end_session_endpoint',
    { issuer }: Task,
  ): Offer => {
    // An issuer that is not allowed yet may offer it; the sign-out asks the user. One that needs no permission did not answer.
    if (provider === undefined)
      return isMicrosoftCloud(issuer) || ports.allowed.hostsOf(issuer) !== undefined ? 'unknown' : 'offered';
    return provider.metadata[endpoint] === undefined ? 'none' : 'offered';
  };

  async function signOut(
    ids: readonly string[] | null,
    asked: SignOutWishes,
    ask: Ask,
  ): Promise<SignOutReport> {
    const vault = await ports.vault();
    const wishes = ports.isDemo() ? { ...asked, revoke: false, endSession: false } : asked;
    const chosen = chooserOf(wishes);
    const all = await vault.read((cache) => inVault(cache, ids));
    const there = all?.filter(chosen('vault')) ?? null;
    const id = randomUUID();
    const at = ports.now();
    const elsewhere = ids === null ? new Map<string, string>() : ports.sources.names(ids);
    // An account that was left out everywhere is not in the receipt.
    const names =
      ids === null
        ? elsewhere
        : ports.sources.names(ids, (place, one) => wishes.places.includes(place) && chosen(place)(one));
    const leaving = ids === null ? [] : await accountsIn(vault, ids);
    // A cache may have disappeared while the question was open. The receipt has a row for it.
    if (ids !== null && !ids.some((one) => all?.includes(one) === true || elsewhere.has(one))) throw gone();
    if (there?.length === 0 || !wishes.vault) {
      if (elsewhere.size === 0 && !hasPage(leaving, wishes.places)) throw nothingChosen();
      return signOutElsewhere(vault, {
        leaving,
        id,
        at,
        ids: ids ?? [],
        there: all ?? [],
        wishes,
        names,
      });
    }
    const before = await vault.read((cache) => take(cache, there, chosen('provider')));
    // Before the removal, ask which issuers may be contacted. Tokens of a refused one are not revoked; the receipt says so.
    const tasks = [...(wishes.revoke ? before.revoke : []), ...(wishes.endSession ? [before.session] : [])];
    const refused = await askWhichMayBeContacted(
      tasks.filter((task) => task !== undefined),
      ask,
    );

    const wish: Wish = { ids: there, wishes, refused: [...refused] };
    const named = new Set(there);
    const draft: SignOutReport = {
      ...{ id, at, receipts: [], revoked: null, session: null, keptInVault: false },
      names: [
        ...before.names.map(({ account }) => account),
        ...[...names].flatMap(([one, name]) => (named.has(one) ? [] : [name])),
      ],
      places: await vault.read((cache) => keptNames(cache, all, there)),
      copies: await copiesOf(before.names),
    };
    underWay.add(id);
    let places: readonly PlaceReceipt[] = [];
    let telling: ReturnType<typeof tellProviders>;
    let ending: Promise<SignOutReport['session']>;
    try {
      if (ids !== null) places = await signOutPlaces(vault, ids, { report: draft, revoke: [], wish }, wishes);
      places = [...places, ...(await openPages(leaving, wishes.places, ports.openBrowser))];
      const written = await removeAndWriteDown(
        vault,
        { ...draft, places: [...draft.places, ...places] },
        wish,
      );
      ending = wishes.endSession ? endSession(written.session) : Promise.resolve(null);
      telling = tellProviders(vault, written.kept, ending);
    } catch (error) {
      try {
        throw places.length > 0 ? await notRemoved(vault, { ...draft, places }, error) : error;
      } finally {
        underWay.delete(id); // not before: a run in the background would carry out what is still stored
      }
    }
    const inTime = await within(
      TELLING,
      telling.done.then(() => true),
      () => false,
    );
    if (!inTime) {
      // Unfinished work continues in the background; the receipt marks it as pending.
      await ending;
      await telling.save();
      void telling.done.then(ports.onProgress);
    }
    return telling.soFar().report;
  }

  const copiesOf = async (names: readonly { source: string | null }[]): Promise<OwnCopy[]> => {
    const files = [...new Set(names.flatMap(({ source }) => source ?? []))];
    const copies = files.map(async (file): Promise<OwnCopy[]> => {
      // If a server does not respond, the file may still be there, so it is listed.
      const [gone, program] = await Promise.all([
        within(LOOKING, isGone(file), () => false),
        within(LOOKING, programAt(file), () => null),
      ]);
      return gone ? [] : [{ program, file: displayPath(file) }];
    });
    return (await Promise.all(copies)).flat();
  };

  /** Other programs' caches were signed out of, but not the vault. @returns the error for the user */
  function notRemoved(vault: Vault, report: SignOutReport, error: unknown): Promise<unknown> {
    const row = vaultRow(plainErrorOf(error, ports).message);
    return endWish(vault, { report: { ...report, places: [row, ...report.places] }, revoke: [] }, error);
  }

  /**
   * Stores a sign-out that failed, or is done, in place of what was wished and planned: the user is told now, and nothing must go on by
   * itself. If that fails, it is tried again.
   *
   * @returns the error for the user: what is still stored would be done at the next start
   */
  async function endWish(vault: Vault, kept: Kept, error?: unknown): Promise<unknown> {
    const { id } = kept.report;
    if (unsaved.has(id)) unsaved.set(id, kept); // what is tried meanwhile is the newest
    try {
      await vault.update((cache) => store(cache, kept));
      if (unsaved.get(id) === kept) unsaved.delete(id);
      return error;
    } catch (cause) {
      ports.onUnexpected(cause);
      if (ports.isDemo()) return error; // nothing of the sample data outlives this process
      unsaved.set(id, kept);
      tryLater();
      const isWished = await vault.read((cache) => storedAs(cache, id)?.wish !== undefined).catch(() => true);
      return isWished ? signInError('sign_out_unsaved', { issuer: '', client_id: '' }, error) : error;
    }
  }

  /**
   * Signs out of the chosen caches of other programs. If there are any, the request is stored first, with rows that say that the app was
   * interrupted; they stay only if that happens.
   */
  async function signOutPlaces(
    vault: Vault,
    ids: readonly string[],
    kept: Kept,
    { places, except }: SignOutWishes,
  ): Promise<PlaceReceipt[]> {
    const { id } = kept.report;
    const usernames = await vault.read((cache) => usernamesIn(cache, ids));
    const rows = ports.sources
      .offers(ids, usernames)
      .map(({ id: place, name, file, viewOnly, leave }): PlaceReceipt => {
        const says = places.includes(place) ? INTERRUPTED : viewOnly ? leave : 'Not chosen.';
        return { id: place, name, file, result: 'still', says };
      });
    if (rows.every(({ says }) => says !== INTERRUPTED))
      return ports.sources.signOut(ids, places, id, except, usernames);
    const planned = { ...kept.report, places: [...kept.report.places, ...rows] };
    await vault.update((cache) => store(cache, { ...kept, report: planned }));
    try {
      return await ports.sources.signOut(ids, places, id, except, usernames);
    } catch (error) {
      throw await endWish(vault, { report: planned, revoke: [] }, error);
    }
  }

  /**
   * Removes accounts from the vault. The receipt and the pending work are in the same durable change. Until a later step is done, the
   * receipt says that it was not.
   */
  async function removeAndWriteDown(
    vault: Vault,
    draft: SignOutReport,
    { ids, wishes, refused: refusals }: Wish,
  ): Promise<{ kept: Kept; session: Task | undefined }> {
    const refused = new Map(refusals);
    const may = ({ issuer }: Task): boolean => !refused.has(issuer);
    let before: ReturnType<typeof take> | undefined;
    let written: { kept: Kept; session: Task | undefined } | undefined;
    const writeDown = (cache: TokenCache, removed: readonly SignOutReceipt[]): void => {
      if (before === undefined) return;
      const revoke = wishes.revoke ? before.revoke.filter(may) : [];
      const skipped = wishes.revoke && (before.unknown || refused.size > 0);
      const problem = skipped ? plainErrorOf(notSent(refused), ports) : null;
      const session = before.session !== undefined && may(before.session) ? before.session : undefined;
      const interrupted = signInError('sign_out_interrupted', session ?? { issuer: '', client_id: '' });
      const report: SignOutReport = {
        ...draft,
        // The accounts are known before, unless all of them were asked for.
        names: ids === null ? before.names.map(({ account }) => account) : draft.names,
        receipts: namedReceipts(removed, before.names),
        revoked: wishes.revoke ? { count: 0, pending: revoke.length, problem } : null,
        session: wishes.endSession ? { opened: false, problem: plainError(interrupted) } : null,
      };
      written = { kept: { report, revoke }, session };
      store(cache, written.kept);
    };
    // Collected again in the change that removes them, because a refresh may have replaced tokens meanwhile.
    const collect = (cache: TokenCache): void =>
      void (before = take(cache, ids, chooserOf(wishes)('provider')));
    const receipts = await signOutAccounts(vault, ids, collect, writeDown);
    if (written === undefined) throw new Error('The change was not made.');
    // Adds the state of the old key, which is destroyed after the change.
    const { report, revoke } = written.kept;
    const named = report.receipts.map((receipt, index) => ({ ...receipt, ...keyOfReceipt(receipts[index]) }));
    return { ...written, kept: { report: { ...report, receipts: named }, revoke } };
  }

  /** Signs out of other programs only: the accounts are not in the vault, or stay there. */
  async function signOutElsewhere(
    vault: Vault,
    {
      id,
      at,
      ids,
      there,
      wishes,
      names,
      leaving,
    }: {
      leaving: readonly CachedAccount[];
      id: string;
      at: number;
      ids: readonly string[];
      there: readonly string[];
      wishes: SignOutWishes;
      names: ReadonlyMap<string, string>;
    },
  ): Promise<SignOutReport> {
    const report: SignOutReport = {
      ...{ id, at, receipts: [], revoked: null, session: null, places: [] },
      names:
        names.size > 0
          ? [...names.values()]
          : leaving.map((account) => nameWithRealm(usernameOf(account), account)),
      keptInVault: there.length > 0,
    };
    const { state, bytes } = vault.status;
    const isStored = state === 'ready' && bytes !== null;
    // No vault is created just to sign out of other programs. An existing one records from now on what may be half done.
    const places = isStored
      ? await signOutPlaces(vault, ids, { report, revoke: [], wish: undefined }, wishes)
      : await ports.sources.signOut(
          ids,
          wishes.places,
          id,
          wishes.except,
          await vault.read((cache) => usernamesIn(cache, ids)),
        );
    const pages = await openPages(leaving, wishes.places, ports.openBrowser);
    const done = { ...report, places: [...places, ...pages] };
    await keep(vault, done);
    return done;
  }

  /** Returns the accounts in the vault and in opened places. */
  async function accountsIn(vault: Vault, ids: readonly string[]): Promise<CachedAccount[]> {
    const own = await vault.read((cache) => {
      const { byId } = cachedAccounts(cache);
      return ids.flatMap((id) => byId.get(id) ?? []);
    });
    return [...own, ...ports.sources.accounts(ids)];
  }

  /** Replaces rows of a receipt, found by their ids, and stores it. */
  async function withRows(
    id: string,
    rows: readonly PlaceReceipt[],
    isReplaced: (row: PlaceReceipt) => boolean,
  ): Promise<SignOutReport> {
    const vault = await ports.vault();
    const stored = (await vault.read(all)).find(({ report }) => report.id === id);
    const before = (unsaved.get(id) ?? stored)?.report ?? last;
    if (before?.id !== id || rows.length === 0)
      throw new InvalidArgumentError(
        'What this sign-out removed is not kept any more. Nothing was put back or checked.',
      );
    const now = new Map(rows.map((row) => [row.id, row]));
    const report: SignOutReport = {
      ...before,
      places: before.places.map((row) => (isReplaced(row) ? (now.get(row.id) ?? row) : row)),
    };
    last = report;
    if (unsaved.has(id)) unsaved.set(id, { report, revoke: [] });
    if (stored === undefined || unsaved.has(id)) await keep(vault, report);
    else await vault.update((cache) => storeRows(cache, report)).catch(ports.onUnexpected);
    return report;
  }

  /** Stores a receipt, unless that would create the vault: signing out of other programs leaves no trace. */
  async function keep(vault: Vault, report: SignOutReport): Promise<void> {
    const { state, bytes } = vault.status;
    if (state !== 'ready' || bytes === null) return;
    await endWish(vault, { report, revoke: [] });
  }

  /**
   * Looks up the providers in parallel and asks the user, one question at a time. A provider that is not found in time
   * is skipped. Returns the issuers that must not be contacted.
   */
  async function askWhichMayBeContacted(
    tasks: readonly Task[],
    ask: Ask,
  ): Promise<ReadonlyMap<string, SignInErrorCode>> {
    const refused = new Map<string, SignInErrorCode>();
    let over = false;
    let end = (): void => {};
    const timeIsOver = new Promise<void>((resolve) => (end = resolve));
    let cancel = (): void => {};
    // The limit applies to providers, not to the user, who has longer: each answer restarts it.
    const wait = (): void => {
      cancel = ports.after(FINDING, () => {
        over = true;
        end();
      });
    };
    let line: Promise<boolean | null> = Promise.resolve(null);
    const askInTurn: Ask = (question) => {
      const answer = async (): Promise<boolean | null> => {
        // The sign-out continues without this answer. It would come too late.
        if (over || ask === null) return null;
        cancel();
        const unanswered = new AbortController();
        const limit = ports.after(ANSWERING, () => {
          over = true; // the user is away, so no further question is asked
          unanswered.abort();
          end();
        });
        try {
          return await Promise.race([ask(question, unanswered.signal), abortedAs(null, unanswered.signal)]);
        } finally {
          limit();
          wait();
        }
      };
      line = line.then(answer, answer);
      return line;
    };
    const why = 'The account is about to be signed out there, which sends its token to this provider.';
    const find = async (issuer: string, clients: ReadonlySet<string>): Promise<void> => {
      try {
        for (const client_id of clients) await ports.consent.findAllowed(issuer, client_id, askInTurn, why);
      } catch (error) {
        if (error instanceof SignInError && NOT_ALLOWED.includes(error.code)) refused.set(issuer, error.code);
      }
    };
    wait();
    const clientsAt = grouped(tasks, ({ issuer }) => issuer);
    const found = [...clientsAt].map(([issuer, its]) =>
      find(issuer, new Set(its.map(({ client_id }) => client_id))),
    );
    await Promise.race([Promise.all(found), timeIsOver]);
    cancel();
    return new Map(refused); // later results are ignored
  }

  /** Revokes the remaining tokens in parallel and stores the receipt with the results. */
  function tellProviders(
    vault: Pick<Vault, 'update'>,
    { report, revoke, tried }: Kept,
    ending: Promise<SignOutReport['session']>,
  ): { soFar: () => Kept; save: () => Promise<unknown>; done: Promise<void> } {
    const before = report.revoked ?? { count: 0, problem: null };
    let { session } = report;
    /** The outcome by token that was sent; null: revoked. */
    const outcomes = new Map<Task, PlainError | null>();

    const failed = (tasks: readonly Task[], error: unknown): PlainError => {
      const problem = plainErrorOf(error, ports);
      for (const each of tasks) outcomes.set(each, problem);
      return problem;
    };
    /** @param tasks of one issuer and client */
    const revokeAt = async (tasks: readonly Task[]): Promise<void> => {
      const [first] = tasks;
      if (first === undefined) return;
      let provider: Provider;
      try {
        provider = await revoking(first);
      } catch (error) {
        failed(tasks, error);
        return;
      }
      for (const [index, task] of tasks.entries()) {
        if (stopped) return;
        try {
          await revokeOne(provider, task);
          outcomes.set(task, null);
        } catch (error) {
          // A token that the provider refuses says nothing of the others. If it did not respond for one, it is not asked again.
          if (OF_PROVIDER.includes(failed([task], error).code)) {
            failed(tasks.slice(index), error);
            return;
          }
        }
      }
    };
    const soFar = (): Kept => {
      const today = Math.floor(ports.now() / DAY);
      const isOld = ports.now() - report.at >= GIVEN_UP;
      const triedOld = isOld && tried?.last !== today ? { days: (tried?.days ?? 0) + 1, last: today } : tried;
      const isGivenUp = isOld && triedOld !== undefined && triedOld.days >= DAYS_TRIED;
      const waiting = revoke.find((task) => !outcomes.has(task));
      const isLeft = (task: Task): boolean => {
        const outcome = outcomes.get(task);
        return outcome === undefined || (outcome?.code === UNREACHABLE && !isGivenUp);
      };
      const left = revoke.filter(isLeft);
      const count = before.count + revoke.filter((task) => outcomes.get(task) === null).length;
      // An earlier network error is obsolete once a request succeeded.
      const earlier = before.problem?.code === UNREACHABLE ? null : before.problem;
      const problem =
        waiting === undefined
          ? (revoke.flatMap((task) => outcomes.get(task) ?? []).at(-1) ?? earlier)
          : unreachable(waiting);
      const revoked = report.revoked === null ? null : { count, pending: left.length, problem };
      return { report: { ...report, session, revoked }, revoke: left, tried: triedOld };
    };
    // Computed at the time of writing, because a later save has more results.
    const save = (): Promise<unknown> =>
      vault
        .update((cache) => {
          const kept = soFar();
          // Rows may have been checked again or undone meanwhile.
          const places = storedAs(cache, report.id)?.report.places ?? kept.report.places;
          store(cache, { ...kept, report: { ...kept.report, places } });
        })
        .catch(ports.onUnexpected);
    const work = async (): Promise<void> => {
      underWay.add(report.id);
      try {
        const places = grouped(revoke, ({ issuer, client_id }) => `${issuer} ${client_id}`);
        const ended = ending.then((result) => (session = result));
        await Promise.all([ended, ...[...places.values()].map(revokeAt)]);
        await save();
      } finally {
        underWay.delete(report.id);
      }
      if (soFar().revoke.length > 0) tryLater();
    };
    return { soFar, save, done: track(work()) };
  }

  /** Finds a provider after the accounts were removed. */
  async function found(about: Circumstance): Promise<Provider> {
    try {
      return await ports.consent.findAllowed(about.issuer, about.client_id, null, '');
    } catch (error) {
      throw failureAfterRemoval(error, about);
    }
  }

  /** Finds the provider of a token that it can revoke. */
  async function revoking({ issuer, client_id }: Task): Promise<Provider> {
    const provider = await found({ issuer, client_id, leaving: true });
    if (provider.metadata.revocation_endpoint === undefined) throw signInError('no_revocation', provider);
    return provider;
  }

  async function revokeOne(provider: Provider, { secret }: Task): Promise<void> {
    await converse({ ...provider, leaving: true }, () =>
      oidc.tokenRevocation(provider.config, secret, { token_type_hint: 'refresh_token' }),
    );
  }

  async function endSession(session: Task | undefined): Promise<SignOutReport['session']> {
    let late = false;
    const open = async ({ issuer, client_id, secret }: Task): Promise<void> => {
      const about = { issuer, client_id, ending: true };
      const provider = await found(about);
      const { config, metadata } = provider;
      if (metadata.end_session_endpoint === undefined) throw signInError('no_session_end', provider);
      if (late) return; // a page that opens after the receipt would be unexpected
      // OpenID Connect RP-Initiated Logout §2. The hint identifies the session.
      const page = oidc.buildEndSessionUrl(config, { id_token_hint: secret });
      await ports.openBrowser(page.href).catch((cause: unknown) => {
        throw signInError('no_browser', about, cause);
      });
    };
    try {
      if (session === undefined) throw signInError('profile_unknown', { issuer: '', client_id: '' });
      await within(TELLING, open(session), () => {
        late = true;
        throw signInError(UNREACHABLE, { ...session, ending: true });
      });
      return { opened: true, problem: null };
    } catch (error) {
      return { opened: false, problem: plainErrorOf(error, ports) };
    }
  }

  function tryLater(): void {
    cancelTry();
    if (stopped) return;
    cancelTry = ports.after(TRY_AGAIN, () => {
      void ports
        .ownVault()
        .then((vault) => resume(vault))
        .catch((error: unknown) => {
          ports.onUnexpected(error);
          tryLater(); // A vault that can't be read now may be readable then.
        });
    });
  }

  async function resume(vault: Vault): Promise<void> {
    for (const id of [...unsaved.keys()]) await saveAgain(vault, id);
    const tried = new Set<string>();
    while (!stopped) {
      // Read again each time, because another run may have completed the next one.
      const next = (await vault.read(all)).find(
        (kept) =>
          isPending(kept) &&
          !tried.has(kept.report.id) &&
          !underWay.has(kept.report.id) &&
          !unsaved.has(kept.report.id), // the user was told that it failed
      );
      if (next === undefined) return;
      tried.add(next.report.id);
      const kept = next.wish === undefined ? next : await complete(vault, next.report, next.wish);
      await tellProviders(vault, kept, Promise.resolve(kept.report.session)).done;
      ports.onProgress();
    }
  }

  /** Stores the newest receipt of a sign-out that could not be stored before. Other sign-outs don't wait for it. */
  async function saveAgain(vault: Vault, id: string): Promise<void> {
    let kept: Kept | undefined;
    try {
      await vault.update((cache) => {
        kept = unsaved.get(id);
        if (kept !== undefined) store(cache, kept);
      });
      if (unsaved.get(id) === kept) unsaved.delete(id);
    } catch (error) {
      ports.onUnexpected(error);
      tryLater();
    }
  }

  /** Completes the removal that an earlier run began. Accounts that were used since then stay, and the receipt says so. */
  async function complete(vault: Vault, report: SignOutReport, wish: Wish): Promise<Kept> {
    const { leaving, staying } = await vault.read((cache) => {
      const { byId } = cachedAccounts(cache);
      const wanted = wish.ids === null ? [...byId.values()] : wish.ids.flatMap((id) => byId.get(id) ?? []);
      const isUsed = ({ accessTokens }: CachedAccount): boolean =>
        accessTokens.some(({ cached_at }) => Number(cached_at) > report.at);
      return {
        leaving: wanted.filter((account) => !isUsed(account)).map(({ id }) => id),
        staying: wanted.filter(isUsed).map((account) => nameFor(cache, account).account),
      };
    });
    const says = `Tokenkeep was closed during this sign-out. Used since then, and therefore still here: ${listed(staying)}.`;
    const row = vaultRow(says);
    const draft = staying.length === 0 ? report : { ...report, places: [row, ...report.places] };
    if (leaving.length > 0) return (await removeAndWriteDown(vault, draft, { ...wish, ids: leaving })).kept;
    const kept: Kept = { report: draft, revoke: [] };
    await vault.update((cache) => store(cache, kept));
    return kept;
  }

  return {
    offers,
    async places(ids) {
      const vault = await ports.vault();
      const usernames = await vault.read((cache) => usernamesIn(cache, ids));
      // Sample data has no pages.
      const pages = ports.isDemo() ? [] : pageOffers(await accountsIn(vault, ids));
      const offers = [...ports.sources.offers(ids, usernames), ...pages];
      return ids.length > MOST_LISTED ? offers.map((offer) => ({ ...offer, tokensOf: {} })) : offers;
    },
    async copies(ids) {
      const names = await (await ports.vault()).read((cache) => {
        const { byId } = cachedAccounts(cache);
        const accounts = (ids ?? [...byId.keys()]).flatMap((id) => byId.get(id) ?? []);
        return accounts.map((account) => nameFor(cache, account));
      });
      return copiesOf(names);
    },
    signOut: (ids, wishes, ask) =>
      track(
        signOut(ids, wishes, ask).then((report) => {
          last = report;
          return report;
        }),
      ),
    async reports() {
      const oldest = ports.now() - ACTIVITY_KEPT;
      const stored = await (await ports.vault()).read(all);
      return stored.filter((kept) => isKept(kept, oldest)).map(({ report }) => report);
    },
    async undo(id) {
      const rowOf = ({ id: place, name, file }: SourcePlace, says: string): PlaceReceipt => ({
        id: place,
        name,
        file,
        result: 'still',
        says,
      });
      try {
        const back = await ports.sources.undo(id);
        return await withRows(
          id,
          back.map((row) => rowOf(row, UNDONE)),
          () => true,
        );
      } catch (error) {
        // The stored receipt must not say of what is back that it is signed out.
        const half = ports.sources.undone(id).map((row) => rowOf(row, row.isWhole ? UNDONE : UNDONE_IN_PART));
        if (half.length > 0) await withRows(id, half, () => true).catch(ports.onUnexpected);
        throw error;
      }
    },
    check: async (id) => withRows(id, await ports.sources.check(id), ({ result }) => result === 'still'),
    done: (id) => ports.sources.done(id),
    resume: (vault) => track(resume(vault)),
    idle: () => ended(FINDING + TELLING),
    stop() {
      stopped = true;
      cancelTry();
    },
  };
}

const UNDONE = 'Undone: what was removed is back.';
const UNDONE_IN_PART =
  'The undo failed, and some of what was removed may not be back. Check again, or undo again.';

/** What the receipt says of a cache whose sign-out had begun when the app ended. */
const INTERRUPTED =
  'Tokenkeep was closed before this was done. Open the cache again and sign out of the accounts that are still there.';

function namedReceipts(
  receipts: readonly SignOutReceipt[],
  names: readonly { account: string }[],
): SignOutReport['receipts'] {
  return receipts.map(({ home_account_id, ...receipt }, index) => {
    const name = receipts.length === names.length ? names[index] : undefined;
    return { ...receipt, account: name?.account ?? home_account_id };
  });
}

const keyOfReceipt = (receipt: SignOutReceipt | undefined): Pick<SignOutReceipt, 'oldKey'> =>
  receipt?.oldKey === undefined ? {} : { oldKey: receipt.oldKey };

function nameFor(cache: TokenCache, account: CachedAccount): { account: string; source: string | null } {
  const name = usernameOf(account) || nameOf(account) || account.home_account_id;
  return {
    account: nameWithRealm(name ?? account.refreshTokens[0]?.client_id ?? 'An app', account),
    source: historyOf(cache, account.id).source,
  };
}

/** Returns, for a place, whether an account was chosen there. */
function chooserOf({ except = [] }: SignOutWishes): (place: string) => (accountId: string) => boolean {
  const left = new Set(except.map(({ accountId, place }) => `${accountId} ${place}`));
  return (place) => (accountId) => !left.has(`${accountId} ${place}`);
}

/** The row of a receipt for the vault where accounts are still signed in. */
const vaultRow = (says: string): PlaceReceipt => ({
  id: 'vault',
  name: 'This vault',
  file: '',
  result: 'still',
  says,
});

/** Returns a row of the receipt for the accounts that stay in the vault because they were not chosen there. */
function keptNames(
  cache: TokenCache,
  all: readonly string[] | null,
  leaving: readonly string[] | null,
): PlaceReceipt[] {
  const left = new Set(leaving);
  const kept = (all ?? []).filter((id) => !left.has(id));
  if (kept.length === 0) return [];
  const names = kept.map((id) => nameFor(cache, findAccount(cache, id)).account);
  return [vaultRow(`Not chosen: ${listed(names)}.`)];
}

/** Returns the accounts that are in the vault; null: all. */
function inVault(cache: TokenCache, ids: readonly string[] | null): readonly string[] | null {
  if (ids === null) return null;
  const { byId } = cachedAccounts(cache);
  return ids.filter((id) => byId.has(id));
}

/** Returns the user names of those of the accounts that are in the vault. */
function usernamesIn(cache: TokenCache, ids: readonly string[]): string[] {
  const { byId } = cachedAccounts(cache);
  return ids.flatMap((id) => {
    const account = byId.get(id);
    return account === undefined ? [] : [usernameOf(account)];
  });
}

function gone(): InvalidArgumentError {
  return new InvalidArgumentError('This account is no longer in the cache. Nothing was done.');
}

function nothingChosen(): InvalidArgumentError {
  return new InvalidArgumentError('No place was chosen. Nothing was signed out.');
}

function abortedAs<T>(value: T, signal: AbortSignal): Promise<T> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(value), { once: true }));
}

function notSent(refused: ReadonlyMap<string, SignInErrorCode>): SignInError {
  const [first] = refused;
  if (first === undefined) return signInError('profile_unknown', { issuer: '', client_id: '' });
  const [issuer, code] = first;
  return signInError(code, { issuer, client_id: '' });
}

const NOT_ALLOWED: readonly string[] = ['host_refused', 'consent_unanswered'] satisfies SignInErrorCode[];

const UNREACHABLE = 'provider_unreachable';

/** Failures of a revocation that the next token of the same app would have, too. */
const OF_PROVIDER: readonly string[] = [
  UNREACHABLE,
  'provider_untrusted',
  'provider_redirects',
  'client_unknown',
] satisfies SignInErrorCode[];

/** Returns the error for a token that was removed locally but not yet revoked. */
function unreachable({ issuer, client_id }: Task): PlainError {
  return plainError(signInError(UNREACHABLE, { issuer, client_id, leaving: true }));
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

function best(all: readonly Offer[]): Offer {
  if (all.includes('offered')) return 'offered';
  return all.length > 0 && all.every((each) => each === 'none') ? 'none' : 'unknown';
}

const task = v.object({ issuer: v.string(), client_id: v.string(), secret: v.string() });
const wishShape = v.object({
  ids: v.nullable(v.array(v.string())),
  wishes: v.looseObject({ revoke: v.boolean(), endSession: v.boolean() }),
  refused: v.array(v.tuple([v.string(), v.string()])),
});
const keptShape = v.object({
  report: v.looseObject({ id: v.string(), at: v.number() }),
  revoke: v.pipe(
    v.array(v.unknown()),
    v.transform((tasks) => validIn(task, tasks)),
  ),
  tried: v.fallback(v.optional(v.object({ days: v.number(), last: v.number() })), undefined),
  // A wish that can't be read is not carried out; its accounts are then still in the list.
  wish: v.fallback(v.optional(wishShape), undefined),
});

/** Returns the valid items of a stored list: an invalid one loses only itself. */
function validIn<T>(shape: v.GenericSchema<unknown, T>, list: unknown): T[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const result = v.safeParse(shape, item);
    return result.success ? [result.output] : [];
  });
}

/** Values of fields that receipts of earlier versions lack. */
const EARLIER = { names: [], places: [], keptInVault: false };

/** Returns the stored sign-outs, newest first. Invalid ones, such as after damage, are skipped. */
function all(cache: TokenCache): readonly Kept[] {
  const stored = validIn(keptShape, appData(cache, NAME)) as unknown as readonly Kept[];
  return stored.map(({ report, ...kept }) => ({ ...kept, report: { ...EARLIER, ...report } }));
}

/** Stores a sign-out in place of its earlier version; inside an update. */
function store(cache: TokenCache, kept: Kept): void {
  const others = all(cache).filter(({ report }) => report.id !== kept.report.id);
  const newest = [kept, ...others].sort((a, b) => b.report.at - a.report.at);
  // As with other activity, a clock that is ahead removes nothing: a receipt is too old if one of an earlier day than this one says so.
  const agreed = newest.find(({ report }) => report.at <= kept.report.at - DAY)?.report.at ?? 0;
  const oldest = agreed - ACTIVITY_KEPT;
  // Old receipts may be dropped, but not pending work.
  setAppData(
    cache,
    NAME,
    newest.filter((each, index) => (index < MOST_KEPT && isKept(each, oldest)) || each.revoke.length > 0),
  );
}

const storedAs = (cache: TokenCache, id: string): Kept | undefined =>
  all(cache).find(({ report }) => report.id === id);

/** Stores the rows of a receipt, and keeps what else is stored of it: revocations may have been made meanwhile. */
function storeRows(cache: TokenCache, { id, places }: SignOutReport): void {
  const kept = storedAs(cache, id);
  if (kept !== undefined) store(cache, { ...kept, report: { ...kept.report, places } });
}

/** Whether a receipt is not too old. One with pending work is always kept. */
const isKept = (kept: Kept, oldest: number): boolean => kept.report.at > oldest || isPending(kept);

/** Whether work is pending. */
const isPending = ({ revoke, wish }: Kept): boolean => revoke.length > 0 || wish !== undefined;

/** Removes the receipts, but not pending work; inside an update. */
export function clearReceipts(cache: TokenCache): void {
  setAppData(cache, NAME, all(cache).filter(isPending));
}
