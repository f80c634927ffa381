/**
 * `tokenkeep/express`: sign-in, sign-out and access tokens for web apps with `express` and `express-session`. Re-exports only.
 *
 * @module tokenkeep/express
 */
export {
  InvalidArgumentError,
  NoRequestError,
  PartitionError,
  PartitionStoreError,
  SessionEndedError,
  TokenkeepError,
  WebSignInError,
  type WebSignInErrorCode,
} from '../errors.ts';
export { type WebMiddleware, type WebRequest } from './http.ts';
export {
  type RequireUserOptions,
  type SignInOptions,
  type WebSignIn,
  type WebSignInOptions,
  type WebSignInPaths,
  type WebSignOut,
  type WebUser,
} from './options.ts';
export { webSignIn } from './web-sign-in.ts';
