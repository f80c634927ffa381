/**
 * Sign-out, from one request to the receipt. The main process owns it: it writes down what is to be done, sealed in the
 * vault and in the same durable change that removes the accounts; then revokes refresh tokens (RFC 7009), opens the
 * provider's own sign-out page, and keeps the receipt. What an interruption leaves undone, the next start does.
 */
import { randomUUID } from 'node:crypto';
import * as oidc from 'openid-client';
import * as v from 'valibot';
import type { SignOutReceipt, TokenCache, Vault } from 'tokenkeep';
import {
  appData,
  type CachedAccount,
  cachedAccounts,
  findAccount,
  historyOf,
  nameOf,
  setAppData,
  signOutAccounts,
  usernameOf,
} from 'tokenkeep/ipc';
import type { Ask, Consent } from './consent.ts';
import type { Offer, SignInProfile, SignOutOffers, SignOutReport, SignOutWishes } from './contract.ts';
import { plainErrorOf, SignInError, signInError } from './failures.ts';
import { lookUpIssuer } from './issuer-lookup.ts';
import { ask as converse, type Provider } from './provider.ts';

export interface SignOutPorts {
  /** The cache that the window shows. */
  vault: () => Promise<Vault>;
  /** The accounts that are shown are made up: no provider is told. */
  isDemo: () => boolean;
  profiles: { list: () => readonly SignInProfile[]; allowed: (issuer: string) => unknown };
  consent: Consent;
  openBrowser: (url: string) => Promise<void>;
  /** Seconds since the epoch. */
  now: () => number;
  after: (milliseconds: number, work: () => void) => () => void;
  /** Called when a sign-out that was pending has come further. */
  onProgress: () => void;
  onUnexpected: (error: unknown) => void;
}

export interface SignOuts {
  /** @param ids null: all */
  offers(ids: readonly string[] | null): Promise<SignOutOffers>;
  signOut(ids: readonly string[] | null, wishes: SignOutWishes, ask: Ask): Promise<SignOutReport>;
  /** Receipts, newest first. */
  reports(): Promise<readonly SignOutReport[]>;
  /** Goes on with what an earlier run of the app left undone. */
  resume(vault: Vault): Promise<void>;
  /** Resolves when no provider is being told any more. */
  idle(): Promise<void>;
  stop(): void;
}

/** A refresh token to be revoked, or an ID token to end a session with, and the one issuer that may get it. */
interface Task {
  issuer: string;
  client_id: string;
  secret: string;
}

/** A sign-out as it is kept. `revoke`: what is still to be done; empty once it is done. */
interface Kept {
  report: SignOutReport;
  revoke: readonly Task[];
}

/** The name under which sign-outs are kept in the vault. */
const NAME = 'sign-outs';
/** The most receipts that are kept. */
const MOST_KEPT = 200;
/** The most providers that are asked what they offer: nobody waits for the answers of hundreds. */
const MOST_ASKED = 8;
/** Milliseconds until a provider that did not answer is asked again. */
const TRY_AGAIN = 10 * 60_000;
/** Seconds after which a provider that never answers is given up: a refresh token rarely lives longer. */
const GIVEN_UP = 90 * 86_400;

export function signOuts(ports: SignOutPorts): SignOuts {
  const running = new Set<Promise<unknown>>();
  let cancelTry = (): void => {};
  let stopped = false;

  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    void work.catch(() => undefined).finally(() => running.delete(work));
    return work;
  };

  /** The tokens of an account, each with the issuer that it goes to; undefined where nothing tells it for certain. */
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

  const take = (cache: TokenCache, ids: readonly string[] | null) => {
    const accounts =
      ids === null ? [...cachedAccounts(cache).byId.values()] : ids.map((id) => findAccount(cache, id));
    const all = accounts.map((account) => tasksOf(cache, account));
    const revoke = all.flatMap((each) => each.revoke);
    const known = new Map(revoke.flatMap((task) => (task === undefined ? [] : [[task.secret, task]])));
    const sessions = all.flatMap((each) => each.sessions.slice(0, 1));
    // A browser shows one page: where several providers are left, each has a session of its own to end.
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
    const { revoke, session } = await (await ports.vault()).read((cache) => take(cache, ids));
    const places = new Map(revoke.map((task) => [task.issuer, task]));
    // What the user has not allowed is not asked either: the sign-out itself asks the user first.
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
    // An issuer that is not allowed yet may offer it; the sign-out asks.
    if (provider === undefined) return ports.profiles.allowed(issuer) === undefined ? 'offered' : 'unknown';
    return provider.metadata[endpoint] === undefined ? 'none' : 'offered';
  };

  async function signOut(
    ids: readonly string[] | null,
    asked: SignOutWishes,
    ask: Ask,
  ): Promise<SignOutReport> {
    const vault = await ports.vault();
    const wishes = ports.isDemo() ? { revoke: false, endSession: false } : asked;
    const before = await vault.read((cache) => take(cache, ids));
    // Before anything is removed: which issuers may be told. A no to one leaves its tokens unrevoked, and the receipt says so.
    const refused = new Set<string>();
    for (const task of [
      ...(wishes.revoke ? before.revoke : []),
      ...(wishes.endSession ? [before.session] : []),
    ]) {
      if (task === undefined || refused.has(task.issuer)) continue;
      const why = 'The account is about to be signed out there, which sends its token to this provider.';
      await ports.consent.findAllowed(task.issuer, task.client_id, ask, why).catch((error: unknown) => {
        if (error instanceof SignInError && error.code === 'host_refused') refused.add(task.issuer);
      });
    }

    const id = randomUUID();
    const at = ports.now();
    const { receipts, kept, session } = await removeAndWriteDown(vault, ids, (cache) => {
      // Taken anew in the very change that removes them: a refresh may have replaced tokens meanwhile.
      const now = take(cache, ids);
      const may = ({ issuer }: Task): boolean => !refused.has(issuer);
      const revoke = wishes.revoke ? now.revoke.filter(may) : [];
      const skipped = wishes.revoke && (now.unknown || refused.size > 0);
      const problem = skipped ? plainErrorOf(notSent(refused), ports.onUnexpected) : null;
      const report: SignOutReport = {
        id,
        at,
        receipts: now.names.map(({ account, source }) => ({ ...NOTHING_REMOVED, at, account, source })),
        revoked: wishes.revoke ? { count: 0, pending: revoke.length, problem } : null,
        session: wishes.endSession ? { opened: false, problem: null } : null,
      };
      store(cache, { report, revoke });
      return {
        kept: { report, revoke },
        session: now.session !== undefined && may(now.session) ? now.session : undefined,
      };
    });
    const names = kept.report.receipts;
    const report: SignOutReport = {
      ...kept.report,
      receipts: receipts.map(({ home_account_id, ...receipt }, index) => {
        const name = receipts.length === names.length ? names[index] : undefined;
        return { ...receipt, account: name?.account ?? home_account_id, source: name?.source ?? null };
      }),
      session: wishes.endSession ? await endSession(session) : null,
    };
    return tellProviders(vault, { report, revoke: kept.revoke });
  }

  /** Revokes what is left to revoke, and keeps the receipt with what came of it. */
  async function tellProviders(
    vault: Pick<Vault, 'update'>,
    { report, revoke }: Kept,
  ): Promise<SignOutReport> {
    let { count, problem } = report.revoked ?? { count: 0, problem: null };
    const left: Task[] = [];
    // A provider that did not answer for one token is not waited for again for each of the others.
    const failed = new Map<string, unknown>();
    for (const task of revoke) {
      const place = `${task.issuer} ${task.client_id}`;
      try {
        if (failed.has(place)) throw failed.get(place);
        await revokeOne(task);
        count += 1;
      } catch (error) {
        failed.set(place, error);
        problem = plainErrorOf(error, ports.onUnexpected);
        if (problem.code === 'provider_unreachable' && ports.now() - report.at < GIVEN_UP) left.push(task);
      }
    }
    // What stood in the way before is gone, once it went through.
    if (failed.size === 0 && problem?.code === 'provider_unreachable') problem = null;
    const done: SignOutReport = {
      ...report,
      revoked: report.revoked === null ? null : { count, pending: left.length, problem },
    };
    await vault.update((cache) => store(cache, { report: done, revoke: left })).catch(ports.onUnexpected);
    if (left.length > 0) tryLater();
    return done;
  }

  async function revokeOne({ issuer, client_id, secret }: Task): Promise<void> {
    const provider = await ports.consent.findAllowed(issuer, client_id, null, '');
    if (provider.metadata.revocation_endpoint === undefined) throw signInError('no_revocation', provider);
    await converse({ ...provider, leaving: true }, () =>
      oidc.tokenRevocation(provider.config, secret, { token_type_hint: 'refresh_token' }),
    );
  }

  async function endSession(session: Task | undefined): Promise<SignOutReport['session']> {
    try {
      if (session === undefined) throw signInError('profile_unknown', { issuer: '', client_id: '' });
      const { issuer, client_id, secret } = session;
      const { config } = await ports.consent.findAllowed(issuer, client_id, null, '');
      // OpenID Connect RP-Initiated Logout §2. The hint tells whose session is meant.
      const page = oidc.buildEndSessionUrl(config, { id_token_hint: secret });
      await ports.openBrowser(page.href);
      return { opened: true, problem: null };
    } catch (error) {
      return { opened: false, problem: plainErrorOf(error, ports.onUnexpected) };
    }
  }

  function tryLater(): void {
    cancelTry();
    if (stopped) return;
    cancelTry = ports.after(TRY_AGAIN, () => {
      void ports
        .vault()
        .then((vault) => resume(vault))
        .catch(ports.onUnexpected);
    });
  }

  async function resume(vault: Vault): Promise<void> {
    const pending = (await vault.read(all)).filter(({ revoke }) => revoke.length > 0);
    for (const kept of pending) {
      if (stopped) return;
      await track(tellProviders(vault, kept));
      ports.onProgress();
    }
  }

  return {
    offers,
    signOut: (ids, wishes, ask) => track(signOut(ids, wishes, ask)),
    reports: async () => (await (await ports.vault()).read(all)).map(({ report }) => report),
    resume,
    async idle() {
      await Promise.allSettled([...running]);
    },
    stop() {
      stopped = true;
      cancelTry();
    },
  };
}

/** Signs the accounts out and, in the same durable change and before it, runs what writes down what is to be done. */
async function removeAndWriteDown<T>(
  vault: Vault,
  ids: readonly string[] | null,
  writeDown: (cache: TokenCache) => T,
): Promise<T & { receipts: readonly SignOutReceipt[] }> {
  const written: T[] = [];
  const receipts = await signOutAccounts(vault, ids, (cache) => {
    written.splice(0, 1, writeDown(cache)); // a change that has to be made again writes it anew
  });
  const [last] = written;
  if (last === undefined) throw new Error('The change was not made.');
  return { ...last, receipts };
}

const NOTHING_REMOVED = {
  removed: { AccessToken: 0, RefreshToken: 0, IdToken: 0, Account: 0, AppMetadata: 0 },
  remaining: 0,
};

function nameFor(cache: TokenCache, account: CachedAccount): { account: string; source: string | null } {
  const name = usernameOf(account) || nameOf(account) || account.home_account_id;
  return {
    account: name ?? account.refreshTokens[0]?.client_id ?? 'An app',
    source: historyOf(cache, account.id).source,
  };
}

function notSent(refused: ReadonlySet<string>): SignInError {
  const [issuer] = refused;
  return issuer === undefined
    ? signInError('profile_unknown', { issuer: '', client_id: '' })
    : signInError('host_refused', { issuer, client_id: '' });
}

function best(all: readonly Offer[]): Offer {
  if (all.includes('offered')) return 'offered';
  return all.length > 0 && all.every((each) => each === 'none') ? 'none' : 'unknown';
}

const task = v.object({ issuer: v.string(), client_id: v.string(), secret: v.string() });
const keptShape = v.array(
  v.object({ report: v.looseObject({ id: v.string(), at: v.number() }), revoke: v.array(task) }),
);

/** Newest first. What is not as it was written, as after damage, is passed over. */
function all(cache: TokenCache): readonly Kept[] {
  const result = v.safeParse(keptShape, appData(cache, NAME) ?? []);
  return result.success ? (result.output as unknown as readonly Kept[]) : [];
}

/** Keeps a sign-out, in place of the same one as it was before; inside an update. */
function store(cache: TokenCache, kept: Kept): void {
  const others = all(cache).filter(({ report }) => report.id !== kept.report.id);
  const newest = [kept, ...others].sort((a, b) => b.report.at - a.report.at);
  // A receipt may be forgotten; what is still to be done is not.
  setAppData(
    cache,
    NAME,
    newest.filter(({ revoke }, index) => index < MOST_KEPT || revoke.length > 0),
  );
}
