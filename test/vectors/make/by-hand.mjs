/**
 * Documents of MSAL.NET, composed here field by field because the library can't run where these vectors are made:
 * field names, field order, key forms and root order follow its cache items (ToJObject, InitCacheKey). MSAL.NET keeps
 * the tokens of apps in a cache of their own, so there are two documents.
 */
import { createHash } from 'node:crypto';
import { APPS, PEOPLE, TENANTS } from './cast.mjs';
import { START } from './cases.mjs';
import { appOnly, entra, GRAPH, homeAccountId } from './responses.mjs';

const ENVIRONMENT = 'login.windows.net';

const key = (...parts) => parts.join('-').toLowerCase();

/** A field that is null is not written. */
const written = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));

/** MSAL.NET sorts scopes without regard to case. */
const ordered = (scope) =>
  scope
    .split(' ')
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .join(' ');

/** The components of an extended token, each with its length in UTF-8 in front, hashed. */
function extensionHash(components) {
  const measured = (text) => `${Buffer.byteLength(text)}:${text}`;
  const parts = Object.keys(components)
    .sort()
    .map((name) => measured(name) + measured(components[name]));
  return createHash('sha256').update(parts.join('')).digest('base64url');
}

function accessToken(H, app, realm, scope, response, at, { kid, ext, userAssertionHash } = {}) {
  const type = response.token_type === 'Bearer' ? undefined : response.token_type;
  const target = ordered(scope);
  const seconds = (after) => (after === undefined ? undefined : String(at + after));
  const kind = ext ? 'atext' : type ? 'accesstoken_with_authscheme' : 'accesstoken';
  const tail = [type, ext && extensionHash(ext)].filter(Boolean);
  return [
    key(H ?? '', ENVIRONMENT, kind, app.client_id, realm, target, ...tail),
    written({
      home_account_id: H,
      environment: ENVIRONMENT,
      client_info: response.client_info,
      client_id: app.client_id,
      secret: response.access_token,
      credential_type: ext ? 'atext' : 'AccessToken',
      realm,
      target,
      user_assertion_hash: userAssertionHash,
      cached_at: String(at),
      expires_on: seconds(response.expires_in),
      extended_expires_on: seconds(response.ext_expires_in),
      kid,
      token_type: type,
      refresh_on: seconds(response.refresh_in),
      ext,
      ext_expires_on: seconds(response.ext_expires_in),
    }),
  ];
}

function signedIn(person, app, at, response, scope) {
  const H = homeAccountId(person);
  const realm = TENANTS[person.tenant];
  const credential = (secret, credential_type) => ({
    home_account_id: H,
    environment: ENVIRONMENT,
    client_info: response.client_info,
    client_id: app.client_id,
    secret,
    credential_type,
  });
  const [given_name, family_name] = person.name.split(' ');
  return {
    AccessToken: [accessToken(H, app, realm, scope, response, at)],
    RefreshToken: [
      [
        key(H, ENVIRONMENT, 'refreshtoken', response.foci ?? app.client_id, '', ''),
        { ...credential(response.refresh_token, 'RefreshToken'), ...written({ family_id: response.foci }) },
      ],
    ],
    IdToken: [
      [
        key(H, ENVIRONMENT, 'idtoken', app.client_id, realm, ''),
        { ...credential(response.id_token, 'IdToken'), realm },
      ],
    ],
    Account: [
      [
        `${H}-${ENVIRONMENT}-${realm}`,
        {
          home_account_id: H,
          environment: ENVIRONMENT,
          client_info: response.client_info,
          username: person.username,
          name: person.name,
          given_name,
          family_name,
          local_account_id: person.oid,
          authority_type: 'MSSTS',
          realm,
          account_source: 'authorization_code',
          wam_account_ids: { [app.client_id]: `synthetic-wam-${person.sub}` },
        },
      ],
    ],
    AppMetadata: [
      [
        key('appmetadata', ENVIRONMENT, app.client_id),
        { environment: ENVIRONMENT, client_id: app.client_id, family_id: response.foci ?? '' },
      ],
    ],
  };
}

function document(...parts) {
  const root = { AccessToken: {}, RefreshToken: {}, IdToken: {}, Account: {}, AppMetadata: {} };
  for (const part of parts) {
    for (const [section, entries] of Object.entries(part))
      Object.assign(root[section], Object.fromEntries(entries));
  }
  return JSON.stringify(root);
}

const { avery, zoe } = PEOPLE;
const { desk, notes, nightly } = APPS;
const READ = `${GRAPH}/User.Read profile openid email`;
const first = entra(avery, desk, START, { seconds: 86399, refresh_in: 43199 });
const second = entra(zoe, notes, START + 60, { foci: '1' });
const bound = entra(avery, desk, START + 120, { token_type: 'pop' });
const forApp = appOnly(nightly, 'contoso', START);
const forAgent = appOnly(nightly, 'contoso', START + 60);

/** @returns {Record<string, string>} name → text */
export function byHand() {
  return {
    'hand-written-users': document(
      signedIn(avery, desk, START, first, READ),
      signedIn(zoe, notes, START + 60, second, READ),
      {
        AccessToken: [
          accessToken(homeAccountId(avery), desk, TENANTS.contoso, READ, bound, START + 120, {
            kid: 'synthetic-pop-key-1',
          }),
        ],
      },
    ),
    'hand-written-apps': document({
      AccessToken: [
        accessToken(undefined, nightly, TENANTS.contoso, `${GRAPH}/.default`, forApp, START),
        accessToken(undefined, nightly, TENANTS.contoso, `${GRAPH}/.default`, forAgent, START + 60, {
          ext: { fmi_path: 'agent-app-id' },
        }),
      ],
    }),
  };
}
