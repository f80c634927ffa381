/**
 * What the token endpoint answers (RFC 6749 §5.1, with the fields that Entra ID, ADFS and B2C add), for a person or
 * an app at a moment. Times inside the tokens follow the clock of the case, so nothing depends on today.
 */
import { TENANTS } from './cast.mjs';
import { guid, jwt, letters, opaqueToken, part, refreshToken } from './synthetic.mjs';

export const GRAPH = 'https://graph.microsoft.com';

const lifetimes = (at, seconds) => ({ iat: at - 300, nbf: at - 300, exp: at + seconds });

function names(person) {
  const [given_name, ...family] = person.name.split(' ');
  return { name: person.name, given_name, family_name: family.join(' ') };
}

/** The `oid` of a person in a tenant: a guest has one of its own. */
export const oidIn = (person, tenant) =>
  tenant === person.tenant ? person.oid : guid(`${person.sub} in ${tenant}`);

export const homeAccountId = (person) => `${person.oid}.${TENANTS[person.tenant]}`;

function entraIdToken(person, app, tenant, host, at) {
  return jwt({
    aud: app.client_id,
    iss: `https://${host}/${TENANTS[tenant]}/v2.0`,
    ...lifetimes(at, 3600),
    name: person.name,
    oid: oidIn(person, tenant),
    preferred_username: person.username,
    rh: `1.${letters(`rh ${person.sub} ${app.name}`, 40)}.`,
    sid: guid(`session ${person.sub}`),
    sub: letters(`sub ${person.sub} ${app.name} ${tenant}`, 43),
    tid: TENANTS[tenant],
    uti: letters(`uti id ${person.sub} ${at}`, 22),
    ver: '2.0',
  });
}

function entraAccessToken(person, app, tenant, { audience, scp, at, seconds }) {
  return jwt({
    aud: audience,
    iss: `https://sts.windows.net/${TENANTS[tenant]}/`,
    ...lifetimes(at, seconds),
    acct: tenant === person.tenant ? 0 : 1,
    acr: '1',
    amr: ['pwd', 'mfa'],
    app_displayname: app.name,
    appid: app.client_id,
    appidacr: app.secret ? '1' : '0',
    ...names(person),
    idtyp: 'user',
    ipaddr: '203.0.113.7',
    oid: oidIn(person, tenant),
    scp,
    sub: letters(`sub ${person.sub} ${audience} ${tenant}`, 43),
    tid: TENANTS[tenant],
    unique_name: person.username,
    upn: person.username,
    uti: letters(`uti at ${person.sub} ${at} ${audience}`, 22),
    ver: '1.0',
  });
}

/**
 * A person signs in to, or refreshes, an app of Entra ID.
 * `scope` is what the server says it granted; `audience` whom the access token is for; `tenant` where the person is.
 */
export function entra(person, app, at, options = {}) {
  const {
    tenant = person.tenant,
    host = 'login.microsoftonline.com',
    audience = GRAPH,
    scope = `${GRAPH}/User.Read profile openid email`,
    scp = 'User.Read profile openid email',
    seconds = 4527,
    ext = seconds,
    ...fields
  } = options;
  const personal = tenant === 'personal';
  return {
    token_type: 'Bearer',
    scope,
    expires_in: seconds,
    ext_expires_in: ext,
    access_token: personal
      ? opaqueToken(`${person.sub} ${app.name} ${at}`)
      : entraAccessToken(person, app, tenant, { audience, scp, at, seconds }),
    refresh_token: refreshToken(`${person.sub} ${app.name} ${at}`),
    id_token: entraIdToken(person, app, tenant, host, at),
    client_info: part({ uid: person.oid, utid: TENANTS[person.tenant] }),
    ...fields,
  };
}

/** An app gets a token for itself: no user, no refresh token (RFC 6749 §4.4.3). */
export function appOnly(
  app,
  tenant,
  at,
  { audience = GRAPH, roles = ['User.Read.All'], seconds = 86399, ...fields } = {},
) {
  return {
    token_type: 'Bearer',
    expires_in: seconds,
    ext_expires_in: seconds,
    refresh_in: Math.floor(seconds / 2),
    access_token: jwt({
      aud: audience,
      iss: `https://sts.windows.net/${TENANTS[tenant]}/`,
      ...lifetimes(at, seconds),
      app_displayname: app.name,
      appid: app.client_id,
      appidacr: '1',
      idtyp: 'app',
      oid: guid(`service principal ${app.name} ${tenant}`),
      roles,
      sub: guid(`service principal ${app.name} ${tenant}`),
      tid: TENANTS[tenant],
      uti: letters(`uti app ${app.name} ${audience} ${at}`, 22),
      ver: '1.0',
    }),
    ...fields,
  };
}

/**
 * B2C: the policy is part of the user's id. Ids are in upper case here, which B2C allows: they keep their case in the
 * fields and lose it in the keys.
 */
export function b2c(person, app, at, policy) {
  const scope = 'https://fabrikam.example/orders/Orders.Read';
  const claims = {
    aud: app.client_id,
    iss: `https://login.fabrikam.example/${TENANTS.fabrikam}/v2.0/`,
    ...lifetimes(at, 3600),
    auth_time: at - 300,
    emails: [person.username],
    name: person.name,
    oid: person.oid.toUpperCase(),
    sub: person.oid.toUpperCase(),
    tfp: policy,
    ver: '1.0',
  };
  return {
    token_type: 'Bearer',
    scope: `${scope} openid offline_access`,
    expires_in: 3600,
    not_before: at - 300,
    access_token: jwt({ ...claims, aud: guid('app orders'), azp: app.client_id, scp: 'Orders.Read' }),
    refresh_token: refreshToken(`b2c ${person.sub} ${policy}`),
    refresh_token_expires_in: 1209600,
    id_token: jwt(claims),
    client_info: part({ uid: `${person.oid.toUpperCase()}-${policy}`, utid: TENANTS.fabrikam.toUpperCase() }),
  };
}

/** ADFS: no `client_info`, no tenant; the account is the ID token's `sub`. */
export function adfs(person, app, at) {
  const claims = {
    iss: 'https://fs.contoso.example/adfs',
    ...lifetimes(at, 3600),
    auth_time: at - 300,
    sub: letters(`adfs ${person.sub}`, 43),
    upn: person.username,
    unique_name: `CONTOSO\\${person.sub}`,
    sid: 'S-1-5-21-1000000000-2000000000-3000000000-1104',
  };
  return {
    token_type: 'bearer',
    scope: 'openid https://orders.contoso.example/Orders.Read',
    expires_in: 3600,
    access_token: jwt({
      ...claims,
      aud: 'https://orders.contoso.example',
      appid: app.client_id,
      scp: 'Orders.Read',
    }),
    refresh_token: refreshToken(`adfs ${person.sub}`),
    refresh_token_expires_in: 28799,
    id_token: jwt({ ...claims, aud: app.client_id }),
  };
}

/** Any other OpenID Connect provider: opaque access token, no `client_info`, no tenant. */
export function generic(person, app, at) {
  return {
    token_type: 'Bearer',
    scope: 'openid profile orders.read',
    expires_in: 1800,
    access_token: letters(`generic ${person.sub} ${at}`, 43),
    refresh_token: letters(`generic rt ${person.sub} ${at}`, 43),
    id_token: jwt({
      iss: 'https://id.example.org/realms/staff',
      aud: app.client_id,
      ...lifetimes(at, 1800),
      sub: `user:${person.sub}`,
      name: person.name,
      preferred_username: person.username,
      email: person.username,
      email_verified: true,
    }),
  };
}
