/**
 * `tokenkeep/keychain`: where the key of a vault is kept. Re-exports only.
 *
 * @module tokenkeep/keychain
 */
export { type Timers } from './deadline.ts';
export { type Keychain, type KeychainGetOptions, memoryKeychain } from './keychain.ts';
export { type Keytar } from './keytar.ts';
export { systemKeychain, type SystemKeychainOptions } from './system-keychain.ts';
