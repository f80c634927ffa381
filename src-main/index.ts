/**
 * `tokenkeep`: the API that most programs use. Re-exports only.
 *
 * Everything else has its own entry point:
 *
 * - the token cache: `tokenkeep/cache` (all types of the schema, merging), `tokenkeep/doctor`, `tokenkeep/errors`
 * - vaults: `tokenkeep/vault`, `tokenkeep/keychain`, `tokenkeep/sources`
 * - Electron apps: `tokenkeep/electron`, `tokenkeep/preload`, `tokenkeep/ipc`, `tokenkeep/native-code`
 * - libraries: `tokenkeep/msal`, `tokenkeep/azure-identity`, `tokenkeep/oauth`, `tokenkeep/mcp`
 * - web apps: `tokenkeep/partitions`, `tokenkeep/express`
 * - tests: `tokenkeep/testing`
 *
 * @module tokenkeep
 */
export { acquireTokenSilent, type TokenRequest } from './cache/acquire.ts';
export { SerializableTokenCache } from './cache/document/serializable-token-cache.ts';
export { type CacheHandle, inMemory, type Synchronous } from './cache/handle.ts';
export { type TokenResponseEvent } from './cache/response.ts';
export {
  type AccessToken,
  type AccountSummary,
  type CacheChange,
  type RefreshToken,
  type SignOutReceipt,
} from './cache/schema/entities.ts';
export { TokenCache } from './cache/token-cache.ts';
export {
  AmbiguousAccountError,
  DocumentError,
  InvalidArgumentError,
  KeychainError,
  PassphraseError,
  SignInRequiredError,
  StorageError,
  TokenkeepError,
  type TokenkeepErrorCode,
  VaultError,
} from './errors.ts';
export { type Keychain } from './keychain/keychain.ts';
export { memoryKeychain } from './keychain/keychain.ts';
export { systemKeychain } from './keychain/system-keychain.ts';
export { adopt } from './vault/adopt.ts';
export { openVault } from './vault/vault.ts';
export { type VaultStatus } from './vault/state.ts';
export { type Vault, type VaultOptions } from './vault/api.ts';
