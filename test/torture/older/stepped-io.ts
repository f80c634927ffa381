import { KeychainError } from '../../../src-main/errors.ts';
import type { Keychain } from '../../../src-main/keychain/keychain.ts';
import { type Call, FaultyIo } from '../inject/faulty-io.ts';

/** The real file system and a keychain; a given action happens before one of the calls that write or use the keychain. */
export class SteppedIo extends FaultyIo {
  #calls = 0;
  #at = -1;
  #happens: () => void = () => undefined;
  /** From then on, nothing works: the process has ended. */
  hasEnded = false;

  /** Counts the calls from now on; `happens` is called before call `at`. */
  expect(at: number, happens: () => void): void {
    this.#calls = 0;
    this.#at = at;
    this.#happens = happens;
  }

  get count(): number {
    return this.#calls;
  }

  override async call<T>(name: Call, act: () => Promise<T>, actHalf: () => Promise<T> = act): Promise<T> {
    if (this.#calls++ === this.#at) this.#happens();
    if (this.hasEnded && name.startsWith('close')) await act(); // The system closes what a process had open.
    if (this.hasEnded) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    return super.call(name, act, actHalf);
  }

  asking(keychain: Keychain): Keychain {
    const call = <T>(name: string, act: () => Promise<T>): Promise<T> =>
      this.call(`keychain ${name}`, act).catch((error: unknown) => {
        throw new KeychainError('keychain_locked', 'locked', { cause: error });
      });
    return {
      get: (service, account) => call('get', () => keychain.get(service, account)),
      set: (service, account, secret) => call('set', () => keychain.set(service, account, secret)),
      delete: (service, account) => call('delete', () => keychain.delete(service, account)),
    };
  }
}
