/** Runs sandboxed before the window's page and exposes the page's two bridges, nothing else. */
import { exposeRequests, exposeTokenCache } from 'tokenkeep/preload';
import { APP_EVENTS, APP_REQUESTS, type AppEvents, type AppRequests, WINDOW_REQUESTS } from './contract.ts';

exposeTokenCache({ only: WINDOW_REQUESTS });
exposeRequests<AppRequests, AppEvents>({
  name: 'app',
  prefix: 'app',
  requests: APP_REQUESTS,
  events: APP_EVENTS,
});
