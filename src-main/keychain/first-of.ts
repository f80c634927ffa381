import { dirname, isAbsolute } from 'node:path';
import { InvalidArgumentError, KeychainError } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import { checkArgument, checkOptions, KEYCHAIN, TEXT } from '../options.ts';
import { type Keychain, keychainError, type KeychainGetOptions } from './keychain.ts';
import { createItem, fileError, readSmallFile } from './sealed-items.ts';

/**
 * Options for `firstOf`.
 *
 * @example
 * import type { FirstOfOptions } from 'tokenkeep/keychain';
 *
 * const options: FirstOfOptions = { remember: '/home/ada/.config/my-app/keychain' };
 */
export interface FirstOfOptions {
  /** Absolute path of a small file that remembers which keychain was chosen. Holds no secret. */
  readonly remember: string;
}

const KEYCHAINS = {
  is: (value: unknown): boolean => Array.isArray(value) && value.every(KEYCHAIN.is),
  what: 'a list of keychains',
};

/**
 * Returns the first of several keychains that works on this machine, chosen once: at the first write. From then on, only
 * this one is used. A keyring that is temporarily unavailable, for example over SSH, is therefore never mistaken for "no key", and a key
 * never moves silently to a weaker keychain. To choose again, delete the file `remember`.
 *
 * Until the first write, an unavailable keychain is skipped; a locked one is not. If the file `remember` is lost, the keychain that has the
 * secret stays the chosen one.
 *
 * @example
 * import { systemKeychain } from 'tokenkeep';
 * import { firstOf, keyFile } from 'tokenkeep/keychain';
 *
 * const keychain = firstOf([systemKeychain(), keyFile('/home/ada/.config/my-app/key')], {
 *   remember: '/home/ada/.config/my-app/keychain',
 * });
 */
export function firstOf(keychains: readonly Keychain[], options: FirstOfOptions): Keychain {
  const { remember } = checkOptions('firstOf', options, { remember: TEXT }, 'Nothing was read.');
  checkArgument('firstOf', 'keychains', keychains, KEYCHAINS);
  const labels = keychains.map(({ label = '' }) => label);
  if (keychains.length === 0 || labels.includes('') || new Set(labels).size < labels.length) {
    throw new InvalidArgumentError('firstOf: pass keychains whose `label`s differ. Nothing was read.');
  }
  if (typeof remember !== 'string' || !isAbsolute(remember)) {
    throw new InvalidArgumentError('firstOf: `remember` must be an absolute path. Nothing was read.');
  }
  let current = labels.join(' or ');
  /** Without the file `remember`: the keychain in which a secret was found. */
  let found: Keychain | null = null;
  const chosen = async (): Promise<Keychain | null> => {
    const label = (await readSmallFile(remember).catch(failed))?.toString('utf8').trim();
    if (label === undefined) return null;
    const keychain = keychains.find((one) => one.label === label);
    if (keychain !== undefined) {
      current = label;
      return keychain;
    }
    throw keychainError(
      'keychain_unavailable',
      `The key is kept in “${label}”, which is not among the keychains of this program.`,
      `Add that keychain, or delete “${remember}” to choose again.`,
    );
  };
  const failed = (error: unknown): never => {
    throw fileError(remember, error);
  };
  const choose = async (keychain: Keychain): Promise<void> => {
    try {
      await makeFolders(dirname(remember));
      await createItem(remember, Buffer.from(`${keychain.label ?? ''}\n`));
    } catch (error) {
      failed(error);
    }
  };
  /**
   * Asks the keychains in order. Returns the first that is available, with its answer, or the first whose answer is `final`.
   *
   * @throws KeychainError if one is locked, or none is available
   */
  const firstAvailable = async <T>(
    ask: (keychain: Keychain) => Promise<T>,
    final: (answer: T) => boolean = () => true,
  ): Promise<[Keychain, T]> => {
    const errors: KeychainError[] = [];
    let first: [Keychain, T] | null = null;
    for (const keychain of keychains) {
      try {
        const answer = await ask(keychain);
        if (final(answer)) return [keychain, answer];
        first ??= [keychain, answer];
      } catch (error) {
        if (!(error instanceof KeychainError) || error.outcome === 'locked') throw error;
        errors.push(error);
      }
    }
    if (first !== null) return first;
    throw new KeychainError(
      errors[0]?.code ?? 'keychain_unavailable',
      errors.map(({ message }, index) => `${labels[index] ?? ''}: ${message}`).join('\n'),
      { cause: errors[0] },
    );
  };

  /** Returns the keychain that has the secret, or the first available one, with `null`. */
  const locate = async (
    service: string,
    account: string,
    options?: KeychainGetOptions,
  ): Promise<[Keychain, string | null]> =>
    firstAvailable(
      (one) => one.get(service, account, options),
      (secret) => secret !== null,
    );

  return {
    get label() {
      return current;
    },
    get: async (service, account, options) => {
      const keychain = (await chosen()) ?? found;
      if (keychain !== null) return keychain.get(service, account, options);
      // The file may have been deleted, and the secret be in another keychain than the first.
      const [holder, secret] = await locate(service, account, options);
      if (secret !== null) found = holder;
      return secret;
    },
    set: async (service, account, secret) => {
      let keychain = await chosen();
      if (keychain === null) {
        const next = found ?? (await locate(service, account))[0];
        await choose(next); // Before the secret is stored, which would not be found again without the choice.
        keychain = (await chosen()) ?? next; // Another program may have chosen first.
      }
      await keychain.set(service, account, secret);
    },
    delete: async (service, account) => {
      const keychain = (await chosen()) ?? found;
      if (keychain !== null) return keychain.delete(service, account);
      await firstAvailable(
        (one) => one.delete(service, account),
        () => false, // Any of them may have the secret.
      );
    },
  };
}
