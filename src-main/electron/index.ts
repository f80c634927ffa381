/**
 * `tokenkeep/electron`: serves the token cache to the windows of an Electron app, in its main process. `tokenkeep/preload` is the
 * counterpart for preload scripts. Both export the types of the contract. Re-exports only.
 *
 * @module tokenkeep/electron
 */
export type * from '../ipc/contract.ts';
export type { PlaceCache } from '../ipc/places.ts';
export type { Question } from '../ipc/questions.ts';
export {
  type ArgumentCheck,
  type ArgumentChecks,
  type Handlers,
  noArguments,
  type Requests,
} from '../ipc/requests.ts';
export { confirm, noteGesture, useGesture } from './dialogs.ts';
export { type RequestOptions, type ServedRequests, serveRequests } from './requests.ts';
export type { ServedWindow, Trusted } from './sender.ts';
export { type ServedTokenCache, type ServeOptions, serveTokenCache } from './serve.ts';
