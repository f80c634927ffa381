/**
 * `tokenkeep/keychain/conformance`: the contract of a keychain as test cases for any runner.
 *
 * @module tokenkeep/keychain/conformance
 */
import { match, rejects, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { KeychainError } from '../errors.ts';
import { checkOptions, FUNCTION } from '../options.ts';
import type { Keychain } from './keychain.ts';

/**
 * Opens the keychains that the suite tests.
 *
 * @example
 * import { keyFile } from 'tokenkeep/keychain';
 * import type { KeychainConformanceOptions } from 'tokenkeep/keychain/conformance';
 *
 * const options: KeychainConformanceOptions = { open: () => ({ keychain: keyFile('/tmp/key'), another: keyFile('/tmp/key') }) };
 */
export interface KeychainConformanceOptions {
  /** Called once for each case. Each case uses new services, so stored secrets may stay. */
  readonly open: () => OpenedKeychain | Promise<OpenedKeychain>;
  /** Makes a keychain that holds something and is locked. Absent: it can't be locked. */
  readonly locked?: () => OpenedKeychain | Promise<OpenedKeychain>;
  /** Makes a keychain that can't be reached. Absent: it can always be reached. */
  readonly unavailable?: () => OpenedKeychain | Promise<OpenedKeychain>;
}

/**
 * One keychain, opened for one case.
 *
 * @example
 * import { keyFile } from 'tokenkeep/keychain';
 * import type { OpenedKeychain } from 'tokenkeep/keychain/conformance';
 *
 * const opened: OpenedKeychain = { keychain: keyFile('/tmp/key'), another: keyFile('/tmp/key') };
 */
export interface OpenedKeychain {
  readonly keychain: Keychain;
  /** The same store, as another program opens it. Default: the same keychain. */
  readonly another?: Keychain;
  /** Called after the case. */
  readonly close?: () => void | Promise<void>;
}

/**
 * One test, for any runner.
 *
 * @example
 * import { test } from 'node:test';
 * import type { KeychainConformanceCase } from 'tokenkeep/keychain/conformance';
 *
 * const register = ({ name, run }: KeychainConformanceCase) => test(name, run);
 */
export interface KeychainConformanceCase {
  readonly name: string;
  /** Rejects with an AssertionError if the keychain breaks the contract. */
  readonly run: () => Promise<void>;
}

type Check = (keychain: Keychain, another: Keychain, service: string) => Promise<void>;

/** A secret of the maximum length, with all allowed characters. */
const LONGEST = Array.from({ length: 2560 }, (_, index) => String.fromCharCode(33 + (index % 94))).join('');

const CASES: Readonly<Record<string, Check>> = {
  'a secret that was never set is absent: null': async (keychain, _another, service) => {
    strictEqual(await keychain.get(service, 'a'), null);
    strictEqual(await keychain.get(service, 'a'), null);
  },
  'a secret that was set is there, for another program too': async (keychain, another, service) => {
    await keychain.set(service, 'a', 'one');
    strictEqual(await keychain.get(service, 'a'), 'one');
    strictEqual(await another.get(service, 'a'), 'one');
  },
  'a secret replaces the one before': async (keychain, another, service) => {
    await keychain.set(service, 'a', 'one');
    await another.set(service, 'a', 'two');
    strictEqual(await keychain.get(service, 'a'), 'two');
  },
  'a deleted secret is absent, and can be set again': async (keychain, another, service) => {
    await keychain.set(service, 'a', 'one');
    await another.delete(service, 'a');
    strictEqual(await keychain.get(service, 'a'), null);
    await keychain.set(service, 'a', 'two');
    strictEqual(await another.get(service, 'a'), 'two');
  },
  'deleting what is absent resolves, and deletes nothing else': async (keychain, _another, service) => {
    await keychain.set(service, 'b', 'one');
    await keychain.delete(service, 'a');
    strictEqual(await keychain.get(service, 'a'), null);
    strictEqual(await keychain.get(service, 'b'), 'one');
  },
  'services and accounts don’t mix, whatever their names look like': async (keychain, another, service) => {
    const names: [string, string][] = [
      [service, 'a'],
      [service, 'a/b'],
      [`${service}/a`, 'b'],
      [service, 'aa'],
      [`${service}a`, ''.padEnd(40, 'a')],
      [service, 'ä ☃ 钥匙'],
      [service, '../a'],
      [service, 'a*'],
      [service, '0123456789abcdef0123456789abcdef/a'],
    ];
    for (const [index, [name, account]] of names.entries())
      await keychain.set(name, account, `secret-${index}`);
    for (const [index, [name, account]] of names.entries()) {
      strictEqual(await another.get(name, account), `secret-${index}`);
    }
    await keychain.delete(service, 'a');
    for (const [index, [name, account]] of names.slice(1).entries()) {
      strictEqual(await another.get(name, account), `secret-${index + 1}`);
    }
  },
  'the longest secret comes back whole': async (keychain, another, service) => {
    await keychain.set(service, 'a', LONGEST);
    strictEqual(await another.get(service, 'a'), LONGEST);
  },
  'calls at the same time each do their own': async (keychain, another, service) => {
    const accounts = Array.from({ length: 8 }, (_, index) => `account-${index}`);
    await Promise.all(
      accounts.map((account, index) => (index % 2 ? keychain : another).set(service, account, account)),
    );
    const secrets = await Promise.all(accounts.map((account) => keychain.get(service, account)));
    strictEqual(secrets.join(), accounts.join());
  },
  'of two secrets set at the same time, one is there whole': async (keychain, another, service) => {
    const [one, two] = ['1'.repeat(500), '2'.repeat(500)];
    // Each call reads back what it wrote, so the one that was overwritten may reject.
    await Promise.allSettled([keychain.set(service, 'a', one), another.set(service, 'a', two)]);
    match((await keychain.get(service, 'a')) ?? '', /^(1{500}|2{500})$/);
  },
  'a question that decides nothing is answered as well': async (keychain, _another, service) => {
    await keychain.set(service, 'a', 'one');
    strictEqual(await keychain.get(service, 'a', { certain: false }), 'one');
    strictEqual(await keychain.get(service, 'b', { certain: false }), null);
  },
};

/** Checks that each method rejects with the given outcome, as the contract says. */
const failing =
  (outcome: KeychainError['outcome']): Check =>
  async (keychain, _another, service) => {
    const said = (error: unknown): boolean => {
      strictEqual(error instanceof KeychainError, true, 'rejects with a KeychainError');
      strictEqual((error as KeychainError).outcome, outcome);
      match((error as KeychainError).message, /\S/);
      return true;
    };
    await rejects(keychain.get(service, 'a'), said);
    await rejects(keychain.set(service, 'a', 'one'), said);
  };

/**
 * Returns the contract of a keychain as test cases for any runner.
 *
 * @example
 * import { test } from 'node:test';
 * import { keyFile } from 'tokenkeep/keychain';
 * import { keychainConformance } from 'tokenkeep/keychain/conformance';
 *
 * const open = () => ({ keychain: keyFile('/tmp/key') });
 * for (const { name, run } of keychainConformance({ open })) void test(name, run);
 */
export function keychainConformance(options: KeychainConformanceOptions): KeychainConformanceCase[] {
  const { open, locked, unavailable } = checkOptions('keychainConformance', options, {
    open: FUNCTION,
    locked: FUNCTION,
    unavailable: FUNCTION,
  });
  const caseOf = (
    name: string,
    check: Check,
    opening: KeychainConformanceOptions['open'],
  ): KeychainConformanceCase => ({
    name,
    run: async () => {
      const { keychain, another = keychain, close } = await opening();
      try {
        await check(keychain, another, `conformance-${randomBytes(8).toString('hex')}`);
      } finally {
        await close?.();
      }
    },
  });
  return [
    ...Object.entries(CASES).map(([name, check]) => caseOf(name, check, open)),
    ...(locked === undefined
      ? []
      : [caseOf('locked: rejects, and never says absent', failing('locked'), locked)]),
    ...(unavailable === undefined
      ? []
      : [caseOf('unavailable: rejects, and never says absent', failing('unavailable'), unavailable)]),
  ];
}
