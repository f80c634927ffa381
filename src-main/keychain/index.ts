/**
 * `tokenkeep/keychain`: where the key of a vault is kept. Re-exports only.
 *
 * @module tokenkeep/keychain
 */
export { type Keychain } from './keychain.ts';
export { type Keytar } from './keytar.ts';
export { type Timers } from './line.ts';
export { memoryKeychain } from './memory.ts';
export { systemKeychain, type SystemKeychainOptions } from './system.ts';
