import { KeychainError, KeychainTimeoutError } from '../errors.ts';
import { checkArgument, oneOf } from '../options.ts';
import { type Keychain, memoryKeychain } from '../keychain/keychain.ts';

/**
 * `open`: it answers. `locked`, `unavailable`: it refuses. `silent`: it does not answer in time; the answer comes when the mode is set to
 * another one.
 *
 * @example
 * import type { TestKeychainMode } from 'tokenkeep/testing';
 *
 * const modes: readonly TestKeychainMode[] = ['open', 'locked'];
 */
export type TestKeychainMode = 'open' | 'locked' | 'unavailable' | 'silent';

/**
 * A keychain in memory that a test locks and unlocks.
 *
 * @example
 * import { type TestKeychain, testKeychain } from 'tokenkeep/testing';
 *
 * const keychain: TestKeychain = testKeychain();
 * keychain.mode = 'locked';
 */
export interface TestKeychain extends Keychain {
  /** What it does from now on. */
  mode: TestKeychainMode;
  /** How often it was asked, whatever it answered. */
  readonly calls: number;
}

/**
 * Returns a keychain in memory, open at first. It lasts as long as the process and protects nothing.
 *
 * @example
 * import { openVault } from 'tokenkeep';
 * import { testKeychain } from 'tokenkeep/testing';
 *
 * const keychain = testKeychain();
 * keychain.mode = 'locked';
 * const vault = await openVault({ file: '/tmp/test.vault', keychain });
 */
export function testKeychain(): TestKeychain {
  const memory = memoryKeychain();
  let mode: TestKeychainMode = 'open';
  let calls = 0;
  let waiting: (() => void)[] = [];
  const answer = <T>(act: () => Promise<T>): Promise<T> => {
    if (mode === 'open') return act();
    if (mode === 'locked') {
      return Promise.reject(new KeychainError('keychain_locked', 'The test’s keychain is locked.'));
    }
    if (mode === 'unavailable') {
      return Promise.reject(new KeychainError('keychain_unavailable', 'The test has no keychain.'));
    }
    const later = new Promise<T>((resolve, reject) => {
      waiting.push(() => {
        answer(act).then(resolve, reject);
      });
    });
    later.catch(() => undefined);
    return Promise.reject(new KeychainTimeoutError('The test’s keychain does not answer.', later));
  };
  const ask = async <T>(act: () => Promise<T>): Promise<T> => {
    calls += 1;
    return answer(act);
  };
  return {
    label: 'Test keychain',
    get mode() {
      return mode;
    },
    set mode(next) {
      checkArgument('testKeychain', 'mode', next, oneOf('open', 'locked', 'unavailable', 'silent'));
      mode = next;
      if (mode === 'silent') return;
      const answers = waiting;
      waiting = [];
      for (const each of answers) each();
    },
    get calls() {
      return calls;
    },
    get: (service, account) => ask(() => memory.get(service, account)),
    set: (service, account, secret) => ask(() => memory.set(service, account, secret)),
    delete: (service, account) => ask(() => memory.delete(service, account)),
  };
}
