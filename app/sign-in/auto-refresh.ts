/** Auto-refresh: refreshes the accounts that the user chose shortly before their tokens expire, while the app runs. */
import { createHash, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { AccessToken } from 'tokenkeep';
import { expiryOf } from 'tokenkeep/cache';
import { type CachedAccount, type PlainError, smallFileError } from 'tokenkeep/ipc';
import { readJson, writeJson } from '../data-folder.ts';
import type { RefreshReport } from './contract.ts';
import { isRenewable } from './refresh.ts';

export interface AutoRefreshPorts {
  /** The chosen accounts that are cached, by id, and what of them can be refreshed. */
  due: () => Promise<readonly { account: string; tokens: readonly DueToken[] }[]>;
  refresh: (account: string) => Promise<RefreshReport>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Calls `work` once after the given milliseconds; returns a function that cancels it. */
  after: (milliseconds: number, work: () => void) => () => void;
  /** Called when a result of `stateOf` has changed. */
  onChange: () => void;
  onUnexpected: (error: unknown) => void;
}

export interface AutoRefreshState {
  /** Seconds since the epoch; null if no retry is planned. */
  nextTry: number | null;
  problem: PlainError | null;
  /** Number of expiring tokens that a refresh did not replace, although it succeeded. They lead to no further refresh. */
  unreplaced: number;
}

export interface AutoRefresh {
  stateOf(account: string): AutoRefreshState;
  /** Checks which refreshes are due: at the start, after a change of the cache or the choice, and when the computer wakes up. */
  look(): Promise<void>;
  /** Reports a manual refresh: a success ends the wait after failures. */
  heard(account: string, report: RefreshReport): void;
  /** Tries again what was paused until the user does something, because the user did something that may help. */
  goOn(): Promise<void>;
  stop(): void;
}

/** Seconds: the wait after the first failure or after a success, and the longest wait. */
const FIRST_WAIT = 30;
const LONGEST_WAIT = 1800;
/** Seconds: the longest wait after a success, after which an account was due still. */
const LONGEST_WAIT_WORKING = 240;
/** Seconds: the longest timer, because timers stand still while a computer sleeps and clocks can be set. */
const LONGEST_SLEEP = 600;
/** Errors that a retry can't fix. */
const FINAL = new Set([
  'sign_in_again',
  'sign_in_required',
  'client_unknown',
  'scope_refused',
  'consent_refused',
  'profile_unknown',
  'host_refused',
  'consent_unanswered',
  'refresh_declined',
]);

interface Wait {
  /** In a row, that failed, or after which the account was due still. */
  readonly tries: number;
  /** Seconds since the epoch; Infinity: until the user does something, or the account has other tokens than `mark`. */
  readonly until: number;
  readonly problem: PlainError | null;
  readonly mark: string | undefined;
}

/** Whether a refresh did what it could: what it could not renew, it won't renew the next time either. */
const isDone = ({ refreshed, problem }: RefreshReport): boolean =>
  problem === null || (refreshed > 0 && FINAL.has(problem.code));

export function autoRefresh(ports: AutoRefreshPorts): AutoRefresh {
  const waits = new Map<string, Wait>();
  /** Tokens by account that a refresh did not replace, although it succeeded. */
  const unreplaced = new Map<string, ReadonlySet<string>>();
  /** What the accounts had when they were last due. */
  const marks = new Map<string, string>();
  let planned = new Map<string, number>();
  let cancel = (): void => {};
  let looking: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  function wait(name: string, tries: number, problem: PlainError | null): void {
    const longest = problem === null ? LONGEST_WAIT_WORKING : LONGEST_WAIT;
    const pause =
      problem !== null && FINAL.has(problem.code)
        ? Infinity
        : Math.min(longest, FIRST_WAIT * 2 ** Math.max(0, tries - 1));
    waits.set(name, { tries, until: ports.now() + pause, problem, mark: marks.get(name) });
  }

  function heard(name: string, report: RefreshReport): void {
    if (isDone(report)) waits.delete(name);
    else wait(name, (waits.get(name)?.tries ?? 0) + 1, report.problem);
    ports.onChange();
  }

  /** Ends a pause once the account has other tokens: of a sign-in, an import or a refresh elsewhere. */
  function endPause(name: string, mark: string): void {
    const paused = waits.get(name);
    if (paused?.until !== Infinity) return;
    if (paused.mark !== undefined && paused.mark !== mark) waits.delete(name);
    else waits.set(name, { ...paused, mark });
  }

  /** @param tried the tokens, by account, that were due when a refresh that succeeded began */
  async function dueNow(
    tried: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
  ): Promise<{ account: string; at: number; due: ReadonlySet<string> }[]> {
    const accounts = await ports.due();
    const left = new Map<string, ReadonlySet<string>>();
    const all = accounts.flatMap(({ account, tokens }) => {
      const isLeft = (token: string) =>
        unreplaced.get(account)?.has(token) === true || tried.get(account)?.has(token) === true;
      const its = new Set(tokens.flatMap(({ token }) => (isLeft(token) ? [token] : [])));
      if (its.size > 0) left.set(account, its);
      const others = tokens.filter(({ token }) => !its.has(token));
      const due = new Set(others.flatMap(({ token, at }) => (at <= ports.now() ? [token] : [])));
      const at = Math.min(...others.map((token) => token.at));
      const mark = JSON.stringify(tokens.map(({ token }) => token).toSorted());
      marks.set(account, mark);
      if (others.length === 0) return [];
      endPause(account, mark);
      return [{ account, at, due }];
    });
    unreplaced.clear();
    for (const [account, tokens] of left) unreplaced.set(account, tokens);
    return all;
  }

  async function lookOnce(): Promise<void> {
    const accounts = await dueNow();
    const whenFor = (account: string, at: number): number => Math.max(at, waits.get(account)?.until ?? 0);
    // What is refreshed right now is planned still.
    planned = new Map(accounts.map(({ account, at }) => [account, whenFor(account, at)]));
    const plan = new Map<string, number>();
    let next = ports.now() + LONGEST_SLEEP;
    const refreshed = new Map<string, number>();
    const tried = new Map<string, ReadonlySet<string>>();
    for (const { account, at, due } of accounts) {
      const before = waits.get(account);
      if (Math.max(at, before?.until ?? 0) > ports.now() || stopped) continue;
      const report = await ports.refresh(account);
      heard(account, report);
      if (!isDone(report)) continue;
      refreshed.set(account, before?.problem === null ? before.tries : 0);
      tried.set(account, due);
    }
    for (const { account, at } of accounts.length === 0 ? [] : await dueNow(tried)) {
      const tries = refreshed.get(account);
      // A provider may answer with a token that is due at once.
      if (tries !== undefined) wait(account, at <= ports.now() ? tries + 1 : 0, null);
      const when = Math.max(whenFor(account, at), ports.now() + 1);
      plan.set(account, when);
      next = Math.min(next, when);
    }
    planned = plan;
    lookIn(next - ports.now());
    ports.onChange();
  }

  function lookIn(seconds: number): void {
    cancel();
    if (!stopped) cancel = ports.after(seconds * 1000, () => void look());
  }

  async function look(): Promise<void> {
    if (looking !== undefined) {
      again = true; // the checked state may have changed since
      return looking;
    }
    looking = (async () => {
      do {
        again = false;
        await lookOnce().catch((error: unknown) => {
          planned.clear();
          lookIn(LONGEST_SLEEP); // A vault that can't be read now may be readable then.
          ports.onUnexpected(error);
        });
      } while (again as boolean);
      looking = undefined;
    })();
    return looking;
  }

  return {
    stateOf(account) {
      const at = planned.get(account);
      return {
        nextTry: at === undefined || !Number.isFinite(at) ? null : at,
        problem: waits.get(account)?.problem ?? null,
        unreplaced: unreplaced.get(account)?.size ?? 0,
      };
    },
    look,
    heard,
    goOn() {
      for (const [name, { until }] of waits) if (until === Infinity) waits.delete(name);
      return look();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** What leads to a refresh. */
export interface DueToken {
  /** Identifies a token; the one that replaces it has another. Not secret. */
  token: string;
  /** Seconds since the epoch. */
  at: number;
}

/**
 * When an account's tokens are due: six minutes before a token expires, one minute before the libraries stop using it, or a quarter of its
 * lifetime if that is shorter; earlier where the provider asks for it. An account with a refresh token alone is due.
 *
 * @returns nothing where there is nothing to refresh
 */
export function dueTokens({
  accessTokens,
  refreshTokens,
}: Pick<CachedAccount, 'accessTokens' | 'refreshTokens'>): DueToken[] {
  const apps = new Set(refreshTokens.map(({ client_id }) => client_id));
  const tokens = accessTokens.filter(({ client_id }) => apps.has(client_id));
  if (apps.size > 0 && tokens.length === 0) return [{ token: '', at: 0 }];
  return tokens.filter(isRenewable).flatMap((token) => {
    const { client_id, realm, target, token_type, cached_at, expires_on } = token;
    const at = momentOf(token);
    const mark = [client_id, realm, token['issuer'], target, token_type, cached_at, expires_on];
    return Number.isFinite(at) ? [{ token: JSON.stringify(mark), at }] : [];
  });
}

function momentOf(token: AccessToken): number {
  const [expires, cached] = [expiryOf(token), Number(token.cached_at ?? Number.NaN)];
  const life = Number.isFinite(cached) ? Math.max(0, expires - cached) : 3600;
  const asked = Number(token.refresh_on ?? Number.NaN);
  return Math.min(expires - Math.min(360, life / 4), Number.isFinite(asked) ? asked : Infinity);
}

/** The account fields that identify a stored choice. */
type Named = Pick<CachedAccount, 'home_account_id' | 'environment'> & Partial<Pick<CachedAccount, 'issuer'>>;

/** The accounts for which the user enabled auto-refresh. */
export interface AutoRefreshChoice {
  has(account: Named): boolean;
  set(account: Named, on: boolean): void;
  /** Removes accounts that are not in the list, so that a sign-out leaves no trace. */
  retain(accounts: readonly Named[]): void;
}

const mark = v.pipe(v.string(), v.regex(/^[\w-]{43}$/));
const contents = v.strictObject({ version: v.literal(1), salt: mark, accounts: v.array(mark) });

/**
 * Keeps the choice in a file. The file is not encrypted, so it contains no names: each account is stored as a hash
 * with a salt.
 */
export function choiceAt(file: string, now: () => number): AutoRefreshChoice {
  let known: v.InferOutput<typeof contents> | undefined;
  const read = (): v.InferOutput<typeof contents> =>
    (known ??= readJson(file, (value) => v.parse(contents, value), now) ?? {
      version: 1,
      salt: randomBytes(32).toString('base64url'),
      accounts: [],
    });
  const markOf = ({ home_account_id, environment, issuer = '' }: Named): string => {
    const host = [read().salt, (home_account_id ?? '').toLowerCase(), environment.toLowerCase()];
    const who = issuer === '' ? host : [...host, issuer.replace(/\/+$/, '')];
    return createHash('sha256').update(JSON.stringify(who)).digest('base64url');
  };
  const keep = (accounts: readonly string[]): void => {
    const next = { ...read(), accounts: [...accounts] };
    try {
      writeJson(file, next);
    } catch (cause) {
      throw smallFileError('The setting could not be saved and is unchanged.', file, cause);
    }
    known = next;
  };
  return {
    has: (account) => read().accounts.includes(markOf(account)),
    set(account, on) {
      const its = markOf(account);
      if (read().accounts.includes(its) === on) return;
      const others = read().accounts.filter((other) => other !== its);
      keep(on ? [...others, its] : others);
    },
    retain(accounts) {
      if (read().accounts.length === 0) return;
      const there = new Set(accounts.map(markOf));
      const left = read().accounts.filter((its) => there.has(its));
      if (left.length < read().accounts.length) keep(left);
    },
  };
}
