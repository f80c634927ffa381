/**
 * `tokenkeep/testing`: what the tests of an embedding program need. A vault in each of its states, token responses of made-up users, a
 * clock that is set by hand, and a keychain in memory. Re-exports only.
 *
 * @module tokenkeep/testing
 */
export { type TestClock, testClock } from './test-clock.ts';
export { type TestKeychain, testKeychain, type TestKeychainMode } from './test-keychain.ts';
export { type TestVault, testVault, type TestVaultOptions } from './test-vault.ts';
export { tokenResponse, type TokenResponseOptions } from './token-response.ts';
