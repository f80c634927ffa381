/** Context that a refresh passes to the cache plugin, which MSAL calls during the refresh. */
import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * `epoch` of the handle when the refresh began. What MSAL writes at its end must not be added to a sign-in that came after a
 * sign-out in between; MSAL itself only looks whether the account is there.
 */
export const flight = new AsyncLocalStorage<number | undefined>();
