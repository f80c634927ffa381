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

/** The beginning of the message of a deletion that was not possible everywhere. */
const LEFT =
  'The secret may still be in a keychain that can’t be asked. It was deleted from the others. Delete it again once that keychain can be asked.';

/**
 * Returns the first of several keychains that works on this machine, chosen once: at the first write. From then on, only
 * this one is used. A keyring that is temporarily unavailable, for example over SSH, is therefore never mistaken for "no key", and a key
 * never moves silently to a weaker keychain. To choose again, delete the file `remember` while no program uses it.
 *
 * Until the first write, an unavailable keychain is skipped; a locked one is not. If the file `remember` is lost, a running program stays with
 * the keychain that it used, and the next one with the keychain that has the secret. A deletion then rejects if one of them can't be asked,
 * and so does `get` with `stored`. Without `stored`, `get` can't tell a lost file from a machine that never had one: it resolves with `null`
 * if no keychain that can be asked has the secret.
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
    throw new InvalidArgumentError('firstOf: pass keychains whose `label`s differ. Nothing was read.', {
      field: 'keychains',
    });
  }
  if (typeof remember !== 'string' || !isAbsolute(remember)) {
    throw new InvalidArgumentError('firstOf: `remember` must be an absolute path. Nothing was read.', {
      field: 'remember',
    });
  }
  let current = labels.join(' or ');
  /** Without the file `remember`: the keychain that it named before, or in which a secret was found. */
  let found: Keychain | null = null;
  const chosen = async (): Promise<Keychain | null> => {
    const label = (await readSmallFile(remember).catch(failed))?.toString('utf8').trim();
    if (label === undefined) return null;
    const keychain = keychains.find((one) => one.label === label);
    if (keychain !== undefined) {
      current = label;
      found = keychain;
      return keychain;
    }
    throw keychainError(
      'keychain_unavailable',
      `The key is kept in “${label}”, which is not among the keychains of this program.`,
      `Add that keychain. To choose again, close the programs that use it and delete “${remember}”.`,
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
  /** Returns one error for all of these. */
  const failedIn = (failures: readonly [Keychain, KeychainError][], what = ''): KeychainError => {
    const [, cause] = failures.find(([, { outcome }]) => outcome === 'locked') ?? failures[0] ?? [];
    const lines = failures.map(([{ label = '' }, { message }]) => `${label}: ${message}`);
    const message = (what === '' ? lines : [what, ...lines]).join('\n');
    return new KeychainError(cause?.code ?? 'keychain_unavailable', message, { cause });
  };

  /**
   * Returns the keychain that has the secret, or the first available one, with `null`.
   *
   * @throws KeychainError if one is locked, none is available, or a stored secret may be in one that is unavailable
   */
  const locate = async (
    service: string,
    account: string,
    options?: KeychainGetOptions,
  ): Promise<[Keychain, string | null]> => {
    const failures: [Keychain, KeychainError][] = [];
    let first: Keychain | null = null;
    for (const keychain of keychains) {
      try {
        const secret = await keychain.get(service, account, options);
        if (secret !== null) return [keychain, secret];
        first ??= keychain;
      } catch (error) {
        if (!(error instanceof KeychainError) || error.outcome === 'locked') throw error;
        failures.push([keychain, error]);
      }
    }
    if (first === null || (options?.stored === true && failures.length > 0)) throw failedIn(failures);
    return [first, null];
  };

  /** Any of them may have the secret: deletes it from all, also if one is locked or unavailable. */
  const deleteFromAll = async (service: string, account: string): Promise<void> => {
    const failures: [Keychain, KeychainError][] = [];
    for (const keychain of keychains) {
      try {
        await keychain.delete(service, account);
      } catch (error) {
        if (!(error instanceof KeychainError)) throw error;
        failures.push([keychain, error]);
      }
    }
    if (failures.length > 0) throw failedIn(failures, LEFT);
  };

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
      await deleteFromAll(service, account);
    },
  };
}
