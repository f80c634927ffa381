/**
 * The cases: in each, apps that share one cache acquire tokens one after the other. A step says by which route a
 * library acquires them and what the token endpoint answers; `users` and `app_only` say what must be in the cache
 * then, so that a library that did something else is noticed when the vectors are made, not when they are used.
 */
import { APPS, CLOUDS, PEOPLE, PROVIDERS } from './cast.mjs';
import { adfs, appOnly, b2c, entra, GRAPH, generic, homeAccountId } from './responses.mjs';

/** 2026-06-01T12:00:00Z. The clock stands still within a step. */
export const START = 1780315200;

const { avery, zoe, kenji, morgan, priya, dana, lee, sam } = PEOPLE;
const { desk, mail, notes, shop, api, nightly } = APPS;

const READ_USER = [`${GRAPH}/User.Read`];
const ORDERS = 'api://orders.contoso.example';

/** Steps of one user signing in. `route` is `code` (authorization code) or `device` (device code). */
const signIn = (minute, app, provider, person, { route = 'code', scopes = READ_USER, ...options } = {}) => ({
  at: START + minute * 60,
  route,
  app,
  provider,
  scopes,
  response: entra(person, app, START + minute * 60, options),
});

/** A token for another resource, tenant or app, by a refresh token that is in the cache. */
const silent = (minute, app, provider, person, { scopes = READ_USER, ...options } = {}) => ({
  at: START + minute * 60,
  route: 'silent',
  app,
  provider,
  scopes,
  home_account_id: homeAccountId(person),
  response: entra(person, app, START + minute * 60, options),
});

const forApp = (minute, app, provider, { scopes = [`${GRAPH}/.default`], request, ...options } = {}) => ({
  at: START + minute * 60,
  route: 'app',
  app,
  provider,
  scopes,
  request,
  response: appOnly(app, provider, START + minute * 60, options),
});

const other = (minute, app, provider, scopes, response) => ({
  at: START + minute * 60,
  route: 'code',
  app,
  provider,
  scopes,
  response: response(START + minute * 60),
});

const forOrders = {
  scopes: [`${ORDERS}/Orders.Read`, `${ORDERS}/Orders.Write`],
  scope: `${ORDERS}/Orders.Write ${ORDERS}/Orders.Read`,
  audience: ORDERS,
  scp: 'Orders.Write Orders.Read',
};

const single = [
  signIn(0, desk, 'contoso', avery, { seconds: 86399, refresh_in: 43199 }),
  silent(1, desk, 'contoso', avery, forOrders),
];

const several = [
  signIn(2, desk, 'organizations', avery),
  signIn(3, desk, 'organizations', zoe),
  signIn(4, desk, 'organizations', kenji, { route: 'device' }),
  signIn(5, desk, 'common', morgan, { scope: `${GRAPH}/User.Read openid profile` }),
  signIn(6, desk, 'agency', priya, {
    host: 'login.microsoftonline.us',
    audience: 'https://graph.microsoft.us',
    scopes: ['https://graph.microsoft.us/User.Read'],
    scope: 'https://graph.microsoft.us/User.Read profile openid email',
  }),
];

const twoTenants = [
  signIn(7, desk, 'contoso', avery),
  silent(8, desk, 'fabrikam', avery, { tenant: 'fabrikam' }),
];

const twoSignIns = [
  signIn(7, desk, 'contoso', avery),
  signIn(8, desk, 'fabrikam', avery, { tenant: 'fabrikam' }),
];

const b2cPolicies = [
  other(9, shop, 'b2cSignIn', ['https://fabrikam.example/orders/Orders.Read'], (at) =>
    b2c(dana, shop, at, 'B2C_1A_SIGNUP_SIGNIN'),
  ),
  other(10, shop, 'b2cProfile', ['https://fabrikam.example/orders/Orders.Read'], (at) =>
    b2c(dana, shop, at, 'B2C_1A_PROFILE_EDIT'),
  ),
];

const federation = [
  other(11, desk, 'adfs', ['https://orders.contoso.example/Orders.Read'], (at) => adfs(lee, desk, at)),
];

const openId = [other(12, desk, 'generic', ['orders.read'], (at) => generic(sam, desk, at))];

/** Another app of the family: a library that can do so signs in with the first one's refresh token. */
const secondOfFamily = { ...silent(14, notes, 'contoso', avery, { foci: '1' }), route: 'family' };

const family = [signIn(13, mail, 'contoso', avery, { foci: '1' }), secondOfFamily];

const appTokens = [
  forApp(15, nightly, 'contoso'),
  forApp(16, nightly, 'contoso', {
    scopes: [`${ORDERS}/.default`],
    audience: ORDERS,
    roles: ['Orders.Export'],
  }),
  forApp(17, nightly, 'fabrikam'),
];

const onBehalfOf = [
  {
    ...signIn(18, api, 'contoso', avery, { scope: `${GRAPH}/User.Read ${GRAPH}/Mail.Read` }),
    route: 'on-behalf-of',
    assertion: entra(avery, desk, START, forOrders).access_token,
  },
];

const sshKey = {
  kty: 'RSA',
  n: 'AQAB-synthetic-modulus',
  e: 'AQAB',
  kid: 'synthetic-ssh-key-1',
};

const bound = [
  signIn(19, desk, 'contoso', avery),
  {
    ...silent(20, desk, 'contoso', avery, {
      token_type: 'ssh-cert',
      scope: 'https://ssh.contoso.example/.default',
      audience: 'https://ssh.contoso.example',
    }),
    scopes: ['https://ssh.contoso.example/.default'],
    sshKey,
  },
];

const extended = [
  forApp(21, nightly, 'contoso'),
  forApp(22, nightly, 'contoso', {
    scopes: [`${ORDERS}/.default`],
    audience: ORDERS,
    request: { fmiPath: 'agent-app-id' },
  }),
];

const CASES = [
  { name: 'aad-single', users: 1, app_only: 0, steps: single, note: 'One user, two resources, refresh_on' },
  {
    name: 'aad-several',
    users: 5,
    app_only: 0,
    steps: several,
    note: 'Names beyond ASCII, device code, a personal account with an opaque token, a national cloud',
  },
  {
    name: 'aad-two-tenants',
    users: 1,
    app_only: 0,
    steps: twoTenants,
    note: 'At home in one tenant, guest in another',
  },
  {
    name: 'aad-two-sign-ins',
    users: 1,
    app_only: 0,
    steps: twoSignIns,
    note: 'The same user signs in once in each of two tenants',
  },
  { name: 'b2c', users: 2, app_only: 0, steps: b2cPolicies, note: 'Two policies, ids in upper case' },
  { name: 'adfs', users: 1, app_only: 0, steps: federation, note: 'No client_info, no tenant' },
  { name: 'oidc', users: 1, app_only: 0, steps: openId, note: 'Generic OpenID Connect, opaque access token' },
  {
    name: 'family',
    users: 1,
    app_only: 0,
    steps: family,
    note: "Two apps of family 1, the second by the first one's refresh token",
  },
  {
    name: 'app-only',
    users: 0,
    app_only: 3,
    steps: appTokens,
    note: 'Client credentials, two resources, two tenants',
  },
  { name: 'on-behalf-of', users: 1, app_only: 0, steps: onBehalfOf, note: 'An API that acts for its caller' },
  {
    name: 'ssh-cert',
    users: 1,
    app_only: 0,
    steps: bound,
    note: 'A token that is bound to a key, beside one that is not',
  },
  {
    name: 'extended',
    users: 0,
    app_only: 2,
    steps: extended,
    only: ['msal-node-5', 'msal-node-7'],
    note: 'Key components beyond the schema (fmi_path)',
  },
  {
    name: 'kitchen-sink',
    users: 9,
    app_only: 3,
    steps: [
      ...single,
      ...several.slice(1),
      silent(8, desk, 'fabrikam', avery, { tenant: 'fabrikam' }),
      ...b2cPolicies,
      ...federation,
      ...openId,
      ...family,
      ...appTokens,
      ...onBehalfOf,
      bound[1],
    ],
    note: 'All of the above in one cache',
  },
];

/**
 * Documents that two libraries wrote one after the other, the second on what the first left. These are where round
 * trips break, so what they hold is whatever the libraries made of it; `first` and `second` name them.
 */
export const HANDOVERS = [
  { first: 'msal-python', second: 'msal-node-7', note: 'Two environments and two key forms of one user' },
  { first: 'msal-node-7', second: 'msal-python', note: 'Two environments and two key forms of one user' },
  { first: 'msal-python-1.32', second: 'msal-node-7', note: 'Two environments and two key forms of one user' },
  { first: 'msal-node-7', second: 'msal-python-1.32', note: 'Two environments and two key forms of one user' },
  {
    first: 'msal-node-3',
    second: 'msal-node-5',
    note: "The older one's refresh token beside the newer one's",
  },
  {
    first: 'msal-node-5',
    second: 'msal-node-3',
    note: "The newer one's refresh token beside the older one's",
  },
];

/** What both libraries of a handover do: the same user signs in, an hour later in the second. */
export const handoverCase = (after) => ({
  name: 'handover',
  steps: [signIn(after ? 60 : 0, desk, 'organizations', avery, { foci: '1' })],
  document: after,
  clouds: CLOUDS,
  providers: PROVIDERS,
});

/** The cases that `library` (such as `msal-node-7`) can play, with all it needs to play them without a network. */
export function casesFor(library) {
  return CASES.filter(({ only }) => only === undefined || only.includes(library)).map((one) => ({
    ...one,
    clouds: CLOUDS,
    providers: PROVIDERS,
  }));
}
