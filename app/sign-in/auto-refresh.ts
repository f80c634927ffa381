/** Refreshes the accounts that the user marked, shortly before their tokens expire, for as long as the app runs. */
import type { AccessToken, TokenCache } from 'tokenkeep';
import type { PlainError } from 'tokenkeep/electron';
import type { AccountName, RefreshReport } from './contract.ts';

export interface FreshDoors {
  /** The marked accounts that are cached, with when their tokens are due; seconds since the epoch. */
  due: () => Promise<readonly { account: AccountName; at: number }[]>;
  refresh: (account: AccountName) => Promise<RefreshReport>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Calls once after that many milliseconds; gives what calls it off. */
  after: (milliseconds: number, work: () => void) => () => void;
  /** Something that `stateOf` tells has changed. */
  onChange: () => void;
  onUnexpected: (error: unknown) => void;
}

export interface FreshState {
  /** Seconds since the epoch; null where no further try is planned. */
  nextTry: number | null;
  problem: PlainError | null;
}

export interface KeepFresh {
  stateOf(account: AccountName): FreshState;
  /** Looks again at what is due: at the start, when the cache or the marks have changed, when the computer woke up. */
  look(): Promise<void>;
  /** A refresh by hand came to this: a success ends the waiting after failures. */
  heard(account: AccountName, report: RefreshReport): void;
  stop(): void;
}

/** Seconds to wait after the first failure, and the longest wait. */
const FIRST_WAIT = 30;
const LONGEST_WAIT = 1800;
/** Timers stand still while a computer sleeps, and a clock can be set: never sleep on one for longer. Seconds. */
const LONGEST_SLEEP = 600;
/** What no further try can mend. */
const FINAL = new Set([
  'sign_in_again',
  'sign_in_required',
  'client_unknown',
  'consent_refused',
  'profile_unknown',
]);

export function keepFresh(doors: FreshDoors): KeepFresh {
  const trouble = new Map<string, { failures: number; until: number; problem: PlainError }>();
  const planned = new Map<string, number>();
  let callOff = (): void => {};
  let looking: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const nameOf = ({ home_account_id, environment }: AccountName): string =>
    JSON.stringify([home_account_id, environment]);

  function heard(account: AccountName, { problem }: RefreshReport): void {
    const name = nameOf(account);
    if (problem === null) trouble.delete(name);
    else {
      const failures = (trouble.get(name)?.failures ?? 0) + 1;
      const wait = FINAL.has(problem.code)
        ? Infinity
        : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
      trouble.set(name, { failures, until: doors.now() + wait, problem });
    }
    doors.onChange();
  }

  async function lookOnce(): Promise<void> {
    const accounts = await doors.due();
    planned.clear();
    let next = doors.now() + LONGEST_SLEEP;
    for (const { account, at } of accounts) {
      const when = Math.max(at, trouble.get(nameOf(account))?.until ?? 0);
      if (when <= doors.now() && !stopped) heard(account, await doors.refresh(account));
    }
    for (const { account, at } of accounts.length === 0 ? [] : await doors.due()) {
      const when = Math.max(at, trouble.get(nameOf(account))?.until ?? 0, doors.now() + 1);
      planned.set(nameOf(account), when);
      next = Math.min(next, when);
    }
    callOff();
    if (!stopped) callOff = doors.after((next - doors.now()) * 1000, () => void look());
    doors.onChange();
  }

  async function look(): Promise<void> {
    if (looking !== undefined) {
      again = true; // what it looked at may have changed since
      return looking;
    }
    looking = (async () => {
      do {
        again = false;
        await lookOnce().catch(doors.onUnexpected);
      } while (again as boolean);
      looking = undefined;
    })();
    return looking;
  }

  return {
    stateOf(account) {
      const at = planned.get(nameOf(account));
      return {
        nextTry: at === undefined || !Number.isFinite(at) ? null : at,
        problem: trouble.get(nameOf(account))?.problem ?? null,
      };
    },
    look,
    heard,
    stop() {
      stopped = true;
      callOff();
    },
  };
}

/**
 * When an account's tokens want to be refreshed: six minutes before the first of them expires, one before the libraries
 * stop using it, or a quarter of its life where that is shorter; sooner where the provider asked for it.
 *
 * @returns seconds since the epoch; undefined where there is nothing to refresh
 */
export function dueAt(cache: TokenCache, { home_account_id, environment }: AccountName): number | undefined {
  const query = { home_account_id, environment };
  const apps = new Set(cache.find('RefreshToken', { query }).map(({ client_id }) => client_id));
  const tokens = cache.find('AccessToken', { query }).filter(({ client_id }) => apps.has(client_id));
  const times = tokens.map(momentOf).filter(Number.isFinite);
  if (times.length > 0) return Math.min(...times);
  return apps.size > 0 && tokens.length === 0 ? 0 : undefined;
}

function momentOf({ expires_on, cached_at, refresh_on }: AccessToken): number {
  const [expires, cached] = [Number(expires_on), Number(cached_at)];
  const life = Number.isFinite(cached) ? Math.max(0, expires - cached) : 3600;
  const asked = Number(refresh_on ?? Number.NaN);
  return Math.min(expires - Math.min(360, life / 4), Number.isFinite(asked) ? asked : Infinity);
}
