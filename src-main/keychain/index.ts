/**
 * `tokenkeep/keychain`: keychains that store the key of a vault. Re-exports only.
 *
 * @module tokenkeep/keychain
 */

export { type FirstOfOptions, firstOf } from './first-of.ts';
export { type EnvironmentKeyOptions, environmentKey, type KeyFileOptions, keyFile } from './key-file.ts';
export {
  checkedKeychain,
  type Keychain,
  type KeychainGetOptions,
  memoryKeychain,
  type Timers,
} from './keychain.ts';
export { type Keytar } from './keytar.ts';
export { type PassphraseKeychainOptions, type PassphraseSource, passphrase } from './passphrase-keychain.ts';
export { type ElectronSafeStorage, type SafeStorageOptions, safeStorage } from './safe-storage.ts';
export { type SystemKeychainOptions, systemKeychain } from './system-keychain.ts';
