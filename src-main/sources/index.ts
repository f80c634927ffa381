/**
 * `tokenkeep/sources`: finds the token caches of other programs on this computer. `findSources` looks at file names only, `readSource`
 * reads a cache, `watchSource` follows it, and only `signOutAtSource` changes it. `removeLeftovers` deletes the files of a sign-out whose
 * process was killed. Nothing is sent over the network.
 *
 * @module tokenkeep/sources
 */
export {
  displayPath,
  findSources,
  type FoundSource,
  isGone,
  knownPrograms,
  programAt,
  sourceFromFile,
  type SourcesOptions,
} from './find.ts';
export type { NamedSignIn } from './names.ts';
export type { OwnCopy } from './own-copy.ts';
export type { Leaving, Locking, Place, Sealing } from './programs.ts';
export { removeLeftovers } from './program-lock.ts';
export { type EverywherePage, everywherePage } from './everywhere.ts';
export { commandToLeave, howToLeave, readSource, type ReadOptions, type SourceReading } from './read.ts';
export type { Dpapi } from './dpapi.ts';
export type { PasswordStore, SecretReaders } from './sealed.ts';
export { type SecretItem, type SecretService, secretService } from './secret-service.ts';
export { signOutAtSource, type SourceReceipt, type SourceSignOutOptions } from './sign-out.ts';
export type { SourceState } from './source-state.ts';
export type { OpenVault } from './vault-source.ts';
export { watchSource } from './watch.ts';
