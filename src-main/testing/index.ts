/**
 * `tokenkeep/testing`: helpers for the tests of your program: a vault in each state, token responses of made-up users, a clock that you
 * set, and a keychain in memory. Re-exports only.
 *
 * @module tokenkeep/testing
 */
export { type TestClock, testClock } from './test-clock.ts';
export { type TestKeychain, testKeychain, type TestKeychainMode } from './test-keychain.ts';
export { type TestVault, testVault, type TestVaultOptions } from './test-vault.ts';
export { tokenResponse, type TokenResponseOptions } from './token-response.ts';
