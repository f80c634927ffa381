import { InvalidArgumentError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { type Keychain, keychainError } from './keychain.ts';
import { assertItems, sealedItems } from './sealed-items.ts';

/**
 * The part of Electron's `safeStorage` that is used. It is passed in, because this module does not import Electron.
 *
 * @example
 * import { join } from 'node:path';
 * import { app, safeStorage as electronSafeStorage } from 'electron';
 * import { type ElectronSafeStorage, safeStorage } from 'tokenkeep/keychain';
 *
 * const storage: ElectronSafeStorage = electronSafeStorage;
 * const keychain = safeStorage(storage, { items: join(app.getPath('userData'), 'keys') });
 */
export interface ElectronSafeStorage {
  /** Whether the system offers a key to encrypt with. */
  isEncryptionAvailable(): boolean;
  /** Encrypts for this user of this computer. */
  encryptString(plainText: string): Buffer;
  /** Decrypts what `encryptString` returned. */
  decryptString(encrypted: Buffer): string;
  /** Linux only: `basic_text` means that the key is in Electron's source code. */
  getSelectedStorageBackend?(): string;
}

/**
 * Options for `safeStorage`.
 *
 * @example
 * import { join } from 'node:path';
 * import { app } from 'electron';
 * import type { SafeStorageOptions } from 'tokenkeep/keychain';
 *
 * const options: SafeStorageOptions = { items: join(app.getPath('userData'), 'keys') };
 */
export interface SafeStorageOptions {
  /** Absolute path of the folder for the encrypted secrets. */
  readonly items: string;
}

/**
 * Returns a keychain whose secrets Electron's `safeStorage` encrypts. Use it in an app that can't ship keytar. The whole app shares one
 * key: on macOS in the Keychain, on Windows under DPAPI, on Linux in the keyring. Where Electron has no keyring and would use a publicly
 * known key, the keychain is unavailable.
 *
 * Call it after Electron's `ready` event.
 *
 * @example
 * import { join } from 'node:path';
 * import * as electron from 'electron';
 * import { safeStorage } from 'tokenkeep/keychain';
 *
 * const keychain = safeStorage(electron.safeStorage, { items: join(electron.app.getPath('userData'), 'keys') });
 */
export function safeStorage(electron: ElectronSafeStorage, options: SafeStorageOptions): Keychain {
  const { items } = checkOptions('safeStorage', options, { items: true }, 'Nothing was read.');
  assertItems('safeStorage', items);
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- callers without types
  if (typeof electron?.encryptString !== 'function') {
    throw new InvalidArgumentError(
      'safeStorage: pass the `safeStorage` of Electron’s main process. Nothing was read.',
    );
  }
  const assertAvailable = (): void => {
    if (!electron.isEncryptionAvailable()) {
      throw keychainError(
        'keychain_unavailable',
        'Electron’s safeStorage can’t encrypt: the app is not ready yet, or the system’s keyring can’t be reached.',
        'Unlock or enable the keyring, then restart the app.',
      );
    }
    if (electron.getSelectedStorageBackend?.() === 'basic_text') {
      throw keychainError(
        'keychain_unavailable',
        'Electron found no keyring and would encrypt with a key that everybody knows.',
        'Enable GNOME Keyring or KWallet, then restart the app.',
      );
    }
  };
  return sealedItems({
    label: 'Electron safeStorage',
    folder: items,
    sealer: () => {
      assertAvailable();
      return Promise.resolve({
        seal: (plain, context) => electron.encryptString(JSON.stringify([context, plain])),
        open: (sealed, context) => opened(electron, sealed, context),
      });
    },
    wrong: () =>
      keychainError(
        'keychain_wrong_key',
        `Electron’s safeStorage does not open the secrets in “${items}”: its own key was replaced, or they were changed since.`,
        'Restore the system’s keyring of that time.',
      ),
  });
}

function opened(electron: ElectronSafeStorage, sealed: Buffer, context: string): string | null {
  try {
    const parts: unknown = JSON.parse(electron.decryptString(sealed));
    if (!Array.isArray(parts) || parts[0] !== context || typeof parts[1] !== 'string') return null;
    return parts[1];
  } catch {
    return null;
  }
}
