import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InvalidArgumentError, PassphraseError } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import { checkOptions } from '../options.ts';
import { type Keychain, keychainError } from './keychain.ts';
import { keySealer } from './key-file.ts';
import { assertStrong } from './passphrase-strength.ts';
import { scrypt } from './scrypt.ts';
import { assertItems, createItem, readSmallFile, sealedItems, type Sealer } from './sealed-items.ts';

/**
 * Options for `passphrase`.
 *
 * @example
 * import { homedir } from 'node:os';
 * import { join } from 'node:path';
 * import type { PassphraseKeychainOptions } from 'tokenkeep/keychain';
 *
 * const options: PassphraseKeychainOptions = { items: join(homedir(), '.local/state/my-app/keys') };
 */
export interface PassphraseKeychainOptions {
  /** Absolute path of the folder for the encrypted secrets. */
  readonly items: string;
  /** The cost of one guess, as a power of two: 17 (the default) takes 128 MB and about half a second. */
  readonly work?: number;
}

/** A passphrase, or a function that asks for it; `null`: the user did not enter one. */
export type PassphraseSource = string | (() => string | null | Promise<string | null>);

const SALT = 16;

/**
 * Returns a keychain whose secrets are encrypted with a key derived from a passphrase (scrypt), for terminals and machines
 * without a keyring. It protects as much as the passphrase is strong. The function is called when the key is first needed, and again after
 * a wrong passphrase; the key then stays in memory as long as the keychain.
 *
 * @example
 * import { createInterface } from 'node:readline/promises';
 * import { passphrase } from 'tokenkeep/keychain';
 *
 * const terminal = createInterface(process.stdin, process.stdout);
 * const keychain = passphrase(() => terminal.question('Passphrase: '), { items: '/home/ada/.local/state/my-app/keys' });
 */
export function passphrase(source: PassphraseSource, options: PassphraseKeychainOptions): Keychain {
  const { items, work = 17 } = checkOptions(
    'passphrase',
    options,
    { items: true, work: true },
    'Nothing was read.',
  );
  assertItems('passphrase', items);
  if (typeof source !== 'string' && typeof source !== 'function') {
    throw new InvalidArgumentError(
      'passphrase: pass the passphrase or a function that asks for it. Nothing was read.',
      { field: 'passphrase' },
    );
  }
  if (!Number.isInteger(work) || work < 10 || work > 20) {
    throw new InvalidArgumentError(
      'passphrase: `work` must be a whole number from 10 to 20. Nothing was read.',
      { field: 'work' },
    );
  }
  let known: Sealer | null = null;
  return sealedItems({
    label: 'Passphrase',
    folder: items,
    sealer: async (isNew, purpose) => {
      if (known !== null) return known;
      if (isNew && purpose === 'read') return null;
      const words = typeof source === 'string' ? source : await source();
      if (words === null || words === '') {
        throw keychainError(
          'keychain_locked',
          'No passphrase was entered.',
          'Enter the passphrase, then try again.',
        );
      }
      if (isNew) assertAcceptable(words);
      const salt = await saltIn(items, isNew);
      return (known = keySealer(await scrypt({ passphrase: words.normalize('NFC'), salt, work })));
    },
    wrong: () => {
      known = null; // Ask again.
      return keychainError(
        'keychain_locked',
        `The passphrase does not open the secrets in “${items}”.`,
        'Check how it is written, then try again.',
      );
    },
  });
}

function assertAcceptable(words: string): void {
  try {
    assertStrong(words);
  } catch (error) {
    if (!(error instanceof PassphraseError)) throw error;
    throw keychainError('keychain_refused', 'The new passphrase is too weak.', error.message);
  }
}

/** Not secret; gives equal passphrases different keys. Beside secrets, no new one is created: it would open none of them. */
async function saltIn(folder: string, isNew: boolean): Promise<Buffer> {
  const file = join(folder, 'salt');
  if (isNew) {
    await makeFolders(folder);
    await createItem(file, randomBytes(SALT));
  }
  const salt = await readSmallFile(file);
  if (salt?.length === SALT) return salt;
  throw keychainError(
    'keychain_wrong_key',
    `“${file}” is missing or was changed, so no passphrase opens the secrets beside it.`,
    'Restore it from a backup.',
  );
}
