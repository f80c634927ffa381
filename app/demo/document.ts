/**
 * The demo's cache document: what a few invented people and apps would have after some days of use. It contains every kind of token that
 * the window can show, at every age.
 */
import { SerializableTokenCache, type TokenResponseEvent } from 'tokenkeep';
import { jwt, madeUp } from './jwt.ts';
import {
  ADA,
  CONTOSO,
  type DemoApp,
  FABRIKAM,
  GRAPH,
  LIN,
  MAIL,
  ORDERS,
  type Person,
  REPORT,
  TOMAS,
} from './people.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param now seconds since the epoch; every time in the document is relative to it. */
export function demoDocument(now: number): string {
  let clock = now;
  const cache = new SerializableTokenCache({ now: () => clock });
  const add = (age: number, event: TokenResponseEvent): void => {
    clock = now - age;
    cache.add(event);
  };

  add(3 * DAY, { ...request(MAIL, CONTOSO, ['offline_access']), response: { ...family(ADA), ...info(ADA) } });
  add(8 * MINUTE, idToken(MAIL, ADA, CONTOSO, now - 8 * MINUTE));
  add(
    47.5 * MINUTE,
    access(MAIL, ADA, CONTOSO, ['User.Read', 'Mail.Read', 'Calendars.Read'], GRAPH, now - 47.5 * MINUTE),
  );
  add(
    8 * MINUTE,
    access(
      ORDERS,
      ADA,
      CONTOSO,
      ['Orders.Read', 'Orders.Write'],
      'api://api.contoso.example',
      now - 8 * MINUTE,
    ),
  );
  add(19 * MINUTE, access(MAIL, ADA, FABRIKAM, ['User.Read'], GRAPH, now - 19 * MINUTE));
  add(3 * HOUR, opaque(ORDERS, ADA, CONTOSO, ['https://vault.contoso.example/user_impersonation']));

  add(5 * DAY, {
    ...request(ORDERS, CONTOSO, ['offline_access']),
    response: { ...refresh(TOMAS), ...info(TOMAS) },
  });
  add(56 * MINUTE, idToken(ORDERS, TOMAS, CONTOSO, now - 56 * MINUTE));
  add(
    56 * MINUTE,
    access(ORDERS, TOMAS, CONTOSO, ['Orders.Read'], 'api://api.contoso.example', now - 56 * MINUTE),
  );
  add(2 * DAY, access(MAIL, TOMAS, CONTOSO, ['User.Read'], GRAPH, now - 2 * DAY));

  add(9 * DAY, {
    ...request(MAIL, FABRIKAM, ['offline_access']),
    response: { ...family(LIN), ...info(LIN) },
  });
  add(25 * MINUTE, idToken(MAIL, LIN, FABRIKAM, now - 25 * MINUTE));
  add(25 * MINUTE, access(MAIL, LIN, FABRIKAM, ['User.Read', 'Files.Read.All'], GRAPH, now - 25 * MINUTE));
  add(12 * MINUTE, idToken(ORDERS, LIN, CONTOSO, now - 12 * MINUTE));
  add(
    12 * MINUTE,
    access(ORDERS, LIN, CONTOSO, ['Orders.Read'], 'api://api.contoso.example', now - 12 * MINUTE),
  );

  add(30 * HOUR, rosa(now - 30 * HOUR));

  add(22 * MINUTE, appOnly(REPORT, CONTOSO, now - 22 * MINUTE));
  return cache.serialize();
}

function request(app: DemoApp, tenant: string, scope: string[]): Omit<TokenResponseEvent, 'response'> {
  return {
    client_id: app.client_id,
    scope,
    token_endpoint: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
  };
}

function info({ oid, home }: Person): { client_info: string } {
  return { client_info: Buffer.from(JSON.stringify({ uid: oid, utid: home })).toString('base64url') };
}

function refresh({ username }: Person): { refresh_token: string } {
  return { refresh_token: `0.A${madeUp(`refresh token of ${username}`, 600)}` };
}

/** Returns a refresh token that every app of the family may use. */
function family(person: Person): { refresh_token: string; foci: string } {
  return { ...refresh(person), foci: '1' };
}

function idToken(app: DemoApp, person: Person, tenant: string, at: number): TokenResponseEvent {
  const id_token = jwt({
    aud: app.client_id,
    iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
    iat: at,
    nbf: at,
    exp: at + HOUR,
    name: person.name,
    oid: person.oid,
    preferred_username: person.username,
    sub: madeUp(`${person.username} at ${app.name}`, 32),
    tid: tenant,
    ver: '2.0',
  });
  return { ...request(app, tenant, ['openid', 'profile']), response: { id_token, ...info(person) } };
}

function access(
  app: DemoApp,
  person: Person,
  tenant: string,
  scope: string[],
  audience: string,
  at: number,
): TokenResponseEvent {
  const access_token = jwt({
    aud: audience === GRAPH ? '00000003-0000-0000-c000-000000000000' : audience,
    iss: `https://sts.windows.net/${tenant}/`,
    iat: at,
    nbf: at,
    exp: at + HOUR,
    acr: '1',
    amr: ['pwd', 'mfa'],
    app_displayname: app.name,
    appid: app.client_id,
    name: person.name,
    oid: person.oid,
    scp: scope.join(' '),
    sub: madeUp(`${person.username} at ${audience}`, 32),
    tid: tenant,
    unique_name: person.username,
    upn: person.username,
    ver: '1.0',
  });
  const response = {
    access_token,
    token_type: 'Bearer',
    expires_in: HOUR,
    ext_expires_in: HOUR,
    ...info(person),
  };
  return { ...request(app, tenant, scope), response };
}

/** Returns an access token that only its API can read. */
function opaque(app: DemoApp, person: Person, tenant: string, scope: string[]): TokenResponseEvent {
  const access_token = madeUp(`opaque token of ${person.username}`, 96);
  return {
    ...request(app, tenant, scope),
    response: { access_token, token_type: 'Bearer', expires_in: HOUR, ...info(person) },
  };
}

/** Has no refresh token and only expired tokens, so the user must sign in again. */
function rosa(at: number): TokenResponseEvent {
  const id_token = jwt({
    iss: 'https://id.example.org',
    aud: 'garden-planner',
    sub: 'rosa-40127',
    iat: at,
    exp: at + 10 * MINUTE,
    name: 'Rosa Stein',
    preferred_username: 'rosa@example.org',
    email: 'rosa@example.org',
    email_verified: true,
  });
  return {
    client_id: 'garden-planner',
    scope: ['plants.read', 'plants.write'],
    token_endpoint: 'https://id.example.org/oauth2/token',
    response: {
      access_token: madeUp('opaque token of rosa', 32),
      id_token,
      token_type: 'Bearer',
      expires_in: 2 * HOUR,
    },
  };
}

function appOnly(app: DemoApp, tenant: string, at: number): TokenResponseEvent {
  const access_token = jwt({
    aud: GRAPH,
    iss: `https://sts.windows.net/${tenant}/`,
    iat: at,
    nbf: at,
    exp: at + HOUR,
    app_displayname: app.name,
    appid: app.client_id,
    idtyp: 'app',
    oid: '0f7c19d4-b3e2-4a60-95cf-826ad07e4b91',
    roles: ['Reports.Read.All'],
    tid: tenant,
    ver: '1.0',
  });
  return {
    ...request(app, tenant, [`${GRAPH}/.default`]),
    response: { access_token, token_type: 'Bearer', expires_in: HOUR },
  };
}
