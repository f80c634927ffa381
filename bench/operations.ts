/**
 * The operations that are measured. `run` is timed; `prepare` and `check` are not. An operation that changes the
 * cache uses a different account each time, so that earlier runs don't affect it; one that only reads may be run in
 * batches.
 */
import { person, type Person, tokenResponse, type TokenResponse } from './generate.ts';
import type { Subject } from './subject.ts';

export interface Operation {
  /** How often it can be run on one cache of this size. */
  rounds(accounts: number): number;
  batches: boolean;
  /** Whether it starts with an empty cache. */
  empty?: true;
  run(round: Round): unknown;
  /** Throws if the result is wrong. */
  check(result: unknown, round: Round): void | Promise<void>;
  /** Throws if the state after all runs is wrong. */
  checkAll?(subject: Subject, indexes: readonly number[]): void;
}

/** One run of an operation: its cache and its prepared inputs. */
export interface Round {
  subject: Subject;
  text: string;
  accounts: number;
  index: number;
  response: TokenResponse;
}

/** Indexes of requested accounts: far apart, and few enough to prepare them all. */
const CHOSEN = 64;

export function indexOf(round: number, accounts: number): number {
  const chosen = Math.min(CHOSEN, accounts);
  return Math.floor(((round % chosen) * accounts) / chosen);
}

/** Account ids are prepared: making them is not measured. */
export function memory(): (index: number) => Person {
  const people = new Map<number, Person>();
  return (index) => {
    const known = people.get(index) ?? person(index);
    people.set(index, known);
    return known;
  };
}

export const responseFor = (index: number): TokenResponse => tokenResponse(index, 1);

function same(actual: unknown, expected: unknown, what: string): void {
  // The values are not printed: they may be tokens, or documents of several megabytes.
  if (actual !== expected) throw new Error(`Wrong result: ${what}`);
}

const endless = (): number => Number.POSITIVE_INFINITY;
const everyAccountOnce = (accounts: number): number => Math.min(CHOSEN, accounts);

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: {
    rounds: everyAccountOnce,
    batches: false,
    run: ({ subject, index, response }) => subject.add(index, response),
    async check(_, { subject, index, response }) {
      same(await subject.find(index), response['access_token'], 'the token that was added is not found');
    },
  },
  find: {
    rounds: endless,
    batches: true,
    run: ({ subject, index }) => subject.find(index),
    check: (found, { index }) => same(found, person(index).secret, 'not the token of this account'),
  },
  'find by account': {
    rounds: endless,
    batches: true,
    run: ({ subject, index }) => subject.findByAccount(index),
    check: (found, { index }) => same(found, person(index).username, 'not this account'),
  },
  accounts: {
    rounds: endless,
    batches: true,
    run: ({ subject }) => subject.accounts(),
    check: (found, { accounts }) => same(found, accounts, 'not all accounts'),
  },
  'sign out': {
    rounds: (accounts) => Math.min(CHOSEN, Math.floor(accounts / 2)),
    batches: false,
    run: ({ subject, index }) => subject.signOut(index),
    check: () => undefined,
    checkAll(subject, indexes) {
      const text = subject.serialize();
      for (const index of indexes) {
        same(text.includes(person(index).home_account_id), false, 'the document still names the account');
      }
    },
  },
  serialize: {
    rounds: endless,
    batches: false,
    run: ({ subject }) => subject.serialize(),
    check(text, { text: given }) {
      same(Object.keys(JSON.parse(String(text))).length, 5, 'not five sections');
      same(String(text).length, given.length, 'not as long as the document it came from');
    },
  },
  deserialize: {
    rounds: endless,
    batches: false,
    empty: true,
    run: ({ subject, text }) => {
      subject.deserialize(text);
    },
    async check(_, { subject, index }) {
      same(await subject.find(index), person(index).secret, 'a token of the document is not found');
    },
  },
};
