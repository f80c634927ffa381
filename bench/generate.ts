/**
 * Generates cache documents of any size, and token responses for their accounts. They are synthetic and
 * deterministic. Sizes are those of real tokens: about 9 kB per account, with an account, an ID token (1.3 kB), a
 * refresh token (1.2 kB) and two access tokens (1.9 kB each), in the dialect of MSAL Node 5 and later.
 */

const CLIENT = '4f0d8e6a-53c1-4b7e-9d2f-6a1c0b9e8d71';
const TENANT = '9c2b7d1e-0f4a-4e8b-8a6d-3b5f7e9d1c20';
const HOST = 'login.microsoftonline.com';
const ENVIRONMENT = 'login.windows.net';
const SCOPES = ['User.Read', 'Mail.Read'];
const OTHER_SCOPES = ['api://orders.contoso.example/Orders.Read'];

/** Far from now in both directions, so that every token is fresh whenever the bench runs. */
const CACHED_AT = 1760000000;
const EXPIRES_ON = 4102444800;

export const app = { client_id: CLIENT, tenant: TENANT, host: HOST, environment: ENVIRONMENT };

export interface Person {
  home_account_id: string;
  local_account_id: string;
  username: string;
  name: string;
  client_info: string;
  scopes: readonly string[];
  /** Returns the secret of the access token for `scopes`. */
  secret: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A megabyte of letters, generated once: tokens are slices of it, so that 10,000 accounts take seconds. */
const noise = ((): string => {
  let state = 0x2545f491;
  const letters: string[] = [];
  for (let index = 0; index < 1 << 20; index++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    letters.push(ALPHABET.charAt(state & 63));
  }
  return letters.join('');
})();

const LONGEST = 1200;

/** Returns `length` letters that depend on `seed`. */
function letters(seed: number, length: number): string {
  const at = Math.imul(seed, 0x9e3779b1) >>> 0;
  return noise.slice(at % (noise.length - LONGEST), (at % (noise.length - LONGEST)) + length);
}

function guid(index: number): string {
  return `${index.toString(16).padStart(8, '0')}-7a3d-4f5e-9c2b-${(index * 7919).toString(16).padStart(12, '0')}`;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = part({ typ: 'JWT', alg: 'RS256', kid: 'synthetic-signing-key' });

function jwt(claims: object, seed: number): string {
  return `${HEADER}.${part(claims)}.${letters(seed, 342)}`;
}

const uidOf = (index: number): string => guid(index + 1);
const usernameOf = (index: number): string => `person${String(index)}@contoso.example`;

function idToken(index: number, seed: number): string {
  const oid = uidOf(index);
  const claims = { aud: CLIENT, iss: `https://${HOST}/${TENANT}/v2.0`, iat: CACHED_AT, exp: EXPIRES_ON };
  const name = `Person ${String(index)}`;
  const names = {
    name,
    preferred_username: usernameOf(index),
    oid,
    sub: letters(index + 11, 43),
    tid: TENANT,
  };
  return jwt(
    { ...claims, ...names, aio: letters(seed, 130), uti: `${String(index)}-${String(seed)}`, ver: '2.0' },
    seed,
  );
}

function accessToken(index: number, scopes: readonly string[], seed: number): string {
  const times = { iat: CACHED_AT, nbf: CACHED_AT, exp: EXPIRES_ON };
  const application = { app_displayname: 'Contoso Desk', appid: CLIENT, appidacr: '0', idtyp: 'user' };
  const user = { oid: uidOf(index), upn: usernameOf(index), name: `Person ${String(index)}`, tid: TENANT };
  const more = { aio: letters(seed, 300), rh: letters(seed + 1, 200), ipaddr: '203.0.113.7', ver: '1.0' };
  const claims = { aud: 'https://graph.microsoft.com', iss: `https://sts.windows.net/${TENANT}/`, ...times };
  const unique = { scp: scopes.join(' '), uti: `${String(index)}-${String(seed)}` };
  return jwt({ ...claims, ...application, ...user, ...more, ...unique }, seed);
}

export function person(index: number): Person {
  const uid = uidOf(index);
  return {
    home_account_id: `${uid}.${TENANT}`,
    local_account_id: uid,
    username: usernameOf(index),
    name: `Person ${String(index)}`,
    client_info: part({ uid, utid: TENANT }),
    scopes: SCOPES,
    secret: accessToken(index, SCOPES, index * 4 + 1),
  };
}

const key = (...parts: readonly string[]): string => parts.join('-').toLowerCase();

/** Returns the text of a document with `accounts` accounts, each with four tokens. */
export function documentOf(accounts: number): string {
  const root: Record<string, Record<string, unknown>> = {
    Account: {},
    IdToken: {},
    AccessToken: {},
    RefreshToken: {},
    AppMetadata: {},
  };
  const put = (section: string, name: string, entity: object): void => {
    root[section]![name] = entity;
  };
  for (let index = 0; index < accounts; index++) {
    const { home_account_id, local_account_id, username, name, client_info, secret } = person(index);
    const seed = index * 4;
    const owner = { home_account_id, environment: ENVIRONMENT };
    const profile = {
      tenantId: TENANT,
      localAccountId: local_account_id,
      name,
      username,
      isHomeTenant: true,
    };
    put('Account', key(home_account_id, ENVIRONMENT, TENANT), {
      ...owner,
      realm: TENANT,
      local_account_id,
      username,
      authority_type: 'MSSTS',
      name,
      client_info,
      tenantProfiles: [JSON.stringify(profile)],
    });
    put('IdToken', key(home_account_id, ENVIRONMENT, 'idtoken', CLIENT, TENANT, '', ''), {
      ...owner,
      credential_type: 'IdToken',
      client_id: CLIENT,
      secret: idToken(index, seed),
      realm: TENANT,
    });
    const times = { cached_at: String(CACHED_AT), expires_on: String(EXPIRES_ON) };
    const tokens = [
      [SCOPES.join(' '), secret],
      [OTHER_SCOPES.join(' '), accessToken(index, OTHER_SCOPES, seed + 2)],
    ] as const;
    for (const [target, value] of tokens) {
      put('AccessToken', key(home_account_id, ENVIRONMENT, 'accesstoken', CLIENT, TENANT, target, ''), {
        ...owner,
        credential_type: 'AccessToken',
        client_id: CLIENT,
        secret: value,
        realm: TENANT,
        target,
        ...times,
        extended_expires_on: String(EXPIRES_ON),
        token_type: 'Bearer',
      });
    }
    put('RefreshToken', key(home_account_id, ENVIRONMENT, 'refreshtoken', CLIENT, '', '', ''), {
      ...owner,
      credential_type: 'RefreshToken',
      client_id: CLIENT,
      secret: `1.ASYNTHETIC${String(index)}.${letters(seed + 3, LONGEST)}`,
    });
  }
  return JSON.stringify(root);
}

export type TokenResponse = Readonly<Record<string, string | number>>;

/**
 * Returns the token endpoint's response to the refresh token of an account; a different `salt` gives a different
 * response.
 */
export function tokenResponse(index: number, salt: number): TokenResponse {
  const seed = index * 4 + salt * 7717;
  return {
    token_type: 'Bearer',
    scope: SCOPES.join(' '),
    expires_in: 86399,
    ext_expires_in: 86399,
    access_token: accessToken(index, SCOPES, seed),
    refresh_token: `1.ASYNTHETIC${String(index)}.${letters(seed + 3, LONGEST)}`,
    id_token: idToken(index, seed),
    client_info: person(index).client_info,
  };
}
