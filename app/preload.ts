/** Runs in the window before its page, sandboxed: the two bridges that the page has, and no more. */
import { exposeRequests, exposeTokenCache } from 'tokenkeep/preload';
import type { AppEvents, AppRequests } from './contract.ts';

exposeTokenCache();
exposeRequests<AppRequests, AppEvents>({
  name: 'app',
  prefix: 'app',
  requests: { info: true, openDemo: true, leaveDemo: true, showFile: true },
  events: { command: true },
});
