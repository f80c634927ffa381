/** Runs in the window before its page, sandboxed: the two bridges that the page has, and no more. */
import { exposeRequests, exposeTokenCache } from 'tokenkeep/preload';
import type { AppEvents, AppRequests } from './contract.ts';

exposeTokenCache();
exposeRequests<AppRequests, AppEvents>({
  name: 'app',
  prefix: 'app',
  requests: {
    info: true,
    openDemo: true,
    leaveDemo: true,
    showFile: true,
    update: true,
    downloadUpdate: true,
    installUpdate: true,
    profiles: true,
    saveProfile: true,
    removeProfile: true,
    signIn: true,
    signInProgress: true,
    cancelSignIn: true,
    openSignInPage: true,
    copyDeviceCode: true,
    care: true,
    refreshNow: true,
    keepFresh: true,
    leaveOffers: true,
    prepareLeaving: true,
    finishLeaving: true,
  },
  events: { command: true, update: true, signIn: true, care: true, profiles: true },
});
