/**
 * `tokenkeep/native-code`: pins the native modules of an Electron app by their SHA-256, and copies them into a packaged app. Re-exports
 * only.
 *
 * @module tokenkeep/native-code
 */
export { copyNativeCode } from './copy-native-code.ts';
export {
  assertNativeCode,
  guardNativeCode,
  type NativeCodeLoader,
  nativeHashes,
  type PinnedHashes,
} from './pinned-hashes.ts';
