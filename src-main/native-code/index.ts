/**
 * `tokenkeep/native-code`: pins the native modules of an Electron app by their SHA-256. Re-exports only.
 *
 * @module tokenkeep/native-code
 */
export {
  assertNativeCode,
  guardNativeCode,
  type NativeCodeLoader,
  nativeHashes,
  type PinnedHashes,
} from './pinned-hashes.ts';
