/**
 * 'tokenkeep/electron': the token cache for an Electron app's windows, from its main process. The preload script's
 * half is 'tokenkeep/preload'; the types of the contract are in both.
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
