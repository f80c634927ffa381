/**
 * `tokenkeep/keychain`: where the key of a vault is kept. Re-exports only.
 *
 * @module tokenkeep/keychain
 */
export { type Timers } from './deadline.ts';
export { firstOf, type FirstOfOptions } from './first-of.ts';
export { environmentKey, type EnvironmentKeyOptions, keyFile, type KeyFileOptions } from './key-file.ts';
export { checkedKeychain, type Keychain, type KeychainGetOptions, memoryKeychain } from './keychain.ts';
export { type Keytar } from './keytar.ts';
export { passphrase, type PassphraseKeychainOptions, type PassphraseSource } from './passphrase-keychain.ts';
export { type ElectronSafeStorage, safeStorage, type SafeStorageOptions } from './safe-storage.ts';
export { systemKeychain, type SystemKeychainOptions } from './system-keychain.ts';
