/** The demo's activity: the events that the app would have recorded for the sample accounts. */
import type { TokenCache } from 'tokenkeep';
import { activityAccount, cachedAccounts, recordActivity } from 'tokenkeep/ipc';
import { ADA, GRAPH, LIN, MAIL, ORDERS, type Person, TOMAS } from './people.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MICROSOFT = 'login.microsoftonline.com';

/** @param now seconds since the epoch; every time is relative to it, as in the document */
export function recordDemoActivity(cache: TokenCache, now: number): void {
  const accounts = [...cachedAccounts(cache).byId.values()].map(activityAccount);
  const add = (age: number, person: Person | null, activity: Parameters<typeof recordActivity>[3]): void => {
    const about = accounts.filter(({ name }) => name === person?.name);
    recordActivity(cache, now - age, about, activity);
  };
  const signIn = { kind: 'sign-in', way: 'browser', provider: MICROSOFT } as const;
  const refresh = { kind: 'refresh', automatic: true, tokens: 1 } as const;

  add(9 * DAY, LIN, { ...signIn, client_id: MAIL.client_id });
  add(5 * DAY, TOMAS, { ...signIn, client_id: ORDERS.client_id });
  add(3 * DAY, ADA, { ...signIn, client_id: MAIL.client_id });
  add(2 * DAY, TOMAS, {
    kind: 'copy',
    token: 'AccessToken',
    api: GRAPH,
    client_id: MAIL.client_id,
    form: 'header',
  });
  add(DAY, null, { kind: 'rotation' });
  for (const age of [167.5 * MINUTE, 107.5 * MINUTE, 47.5 * MINUTE])
    add(age, ADA, {
      ...refresh,
      client_ids: [MAIL.client_id],
      apis: [GRAPH],
      realms: [ADA.home],
      until: now - age + HOUR,
    });
  add(8 * MINUTE, ADA, {
    ...refresh,
    automatic: false,
    client_ids: [ORDERS.client_id],
    apis: ['api://api.contoso.example'],
    until: now + 52 * MINUTE,
  });
  add(4 * MINUTE, ADA, {
    kind: 'reveal',
    token: 'AccessToken',
    api: 'api://api.contoso.example',
    client_id: ORDERS.client_id,
  });
}
