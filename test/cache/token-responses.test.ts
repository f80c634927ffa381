/**
 * Token responses of real providers. Every token is kept under an account of its own issuer, and a request for the same scopes finds it.
 */
import { describe, expect, test } from 'vitest';
import { lookup } from '../../src-main/cache/acquire.ts';
import type { TokenResponseEvent } from '../../src-main/cache/response.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { AddReceipt } from '../../src-main/cache/schema/entities.ts';
import { base64url, jwt } from './events.ts';

const NOW = 1_795_832_400;
const LATER = NOW + 3600;

interface Shape {
  readonly endpoint: string;
  readonly response: Record<string, unknown>;
  readonly asked?: string;
  readonly grant?: string;
  /** `app`, `unnamed`, or the account's id. */
  readonly account: string;
  readonly issuer?: string;
  readonly expiry: AddReceipt['expiry'];
}

const idToken = (iss: string, sub: string, more: object = {}): string =>
  jwt({ iss, sub, aud: 'app', exp: LATER, ...more });
const entraInfo = base64url({ uid: 'oid', utid: 'tid' });
const entraId = idToken('https://login.microsoftonline.com/tid/v2.0', 'pairwise', { oid: 'oid', tid: 'tid' });

const SHAPES: Record<string, Shape> = {
  'Entra ID, v2.0': {
    endpoint: 'https://login.microsoftonline.com/tid/oauth2/v2.0/token',
    asked: 'User.Read offline_access',
    response: {
      token_type: 'Bearer',
      scope: 'User.Read profile openid email',
      expires_in: 4799,
      ext_expires_in: 4799,
      access_token: 'a',
      refresh_token: 'r',
      id_token: entraId,
      client_info: entraInfo,
      foci: '1',
    },
    account: 'oid.tid',
    expiry: 'given',
  },
  'Entra ID, v1.0: numbers as strings': {
    endpoint: 'https://login.microsoftonline.com/tid/oauth2/token',
    asked: 'https://graph.microsoft.com/.default',
    response: {
      token_type: 'Bearer',
      scope: 'User.Read',
      expires_in: '3599',
      ext_expires_in: '3599',
      expires_on: String(LATER),
      not_before: String(NOW),
      resource: 'https://graph.microsoft.com',
      access_token: 'a',
      refresh_token: 'r',
      id_token: entraId,
      client_info: entraInfo,
    },
    account: 'oid.tid',
    expiry: 'given',
  },
  'Entra ID, client credentials': {
    endpoint: 'https://login.microsoftonline.com/tid/oauth2/v2.0/token',
    grant: 'client_credentials',
    asked: 'https://graph.microsoft.com/.default',
    response: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: 'a' },
    account: 'app',
    expiry: 'given',
  },
  'Azure managed identity': {
    endpoint: 'http://169.254.169.254/metadata/identity/oauth2/token',
    grant: 'client_credentials',
    asked: 'https://vault.azure.net',
    response: {
      access_token: 'a',
      client_id: 'x',
      expires_in: '86399',
      expires_on: String(LATER),
      ext_expires_in: '86399',
      not_before: '1',
      resource: 'https://vault.azure.net',
      token_type: 'Bearer',
    },
    account: 'app',
    expiry: 'given',
  },
  'Azure App Service managed identity: a date': {
    endpoint: 'http://127.0.0.1:41741/msi/token',
    grant: 'client_credentials',
    asked: 'https://vault.azure.net',
    response: {
      access_token: 'a',
      expires_on: '11/28/2026 05:20:00 +00:00',
      resource: 'https://vault.azure.net',
      token_type: 'Bearer',
    },
    account: 'app',
    expiry: 'given',
  },
  'Azure AD B2C': {
    endpoint: 'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi/oauth2/v2.0/token',
    asked: 'https://contoso.onmicrosoft.com/api/read',
    response: {
      access_token: 'a',
      id_token: idToken('https://contoso.b2clogin.com/tid/v2.0/', 'sub', { emails: ['ada@example.org'] }),
      token_type: 'Bearer',
      not_before: NOW,
      expires_in: 3600,
      expires_on: LATER,
      resource: 'x',
      client_info: base64url({ uid: 'oid-b2c_1_susi', utid: 'tid' }),
      scope: 'https://contoso.onmicrosoft.com/api/read',
      refresh_token: 'r',
      refresh_token_expires_in: 1209600,
    },
    account: 'oid-b2c_1_susi.tid',
    expiry: 'given',
  },
  'AD FS: openid for everything': {
    endpoint: 'https://fs.contoso.example/adfs/oauth2/token',
    asked: 'api://orders/read',
    response: {
      access_token: 'a',
      token_type: 'bearer',
      expires_in: 3600,
      resource: 'api://orders',
      refresh_token: 'r',
      refresh_token_expires_in: 28799,
      scope: 'openid',
      id_token: idToken('https://fs.contoso.example/adfs', 'adfs-sub', { upn: 'ada@contoso.example' }),
    },
    account: 'adfs-sub',
    expiry: 'given',
  },
  Keycloak: {
    endpoint: 'https://id.example:8443/realms/main/protocol/openid-connect/token',
    asked: 'openid email',
    response: {
      access_token: jwt({ exp: NOW + 300 }),
      expires_in: 300,
      refresh_expires_in: 1800,
      refresh_token: 'r',
      token_type: 'Bearer',
      id_token: idToken('https://id.example:8443/realms/main', 'sub'),
      'not-before-policy': 0,
      session_state: 's',
      scope: 'openid email profile',
    },
    account: 'sub',
    issuer: 'https://id.example:8443/realms/main',
    expiry: 'given',
  },
  'Keycloak, a refresh token that does not expire': {
    endpoint: 'https://id.example/realms/main/protocol/openid-connect/token',
    asked: 'offline_access',
    response: {
      access_token: 'a',
      expires_in: 60,
      refresh_expires_in: 0,
      refresh_token: 'r',
      token_type: 'Bearer',
      scope: 'offline_access',
    },
    account: 'unnamed',
    issuer: 'https://id.example/realms/main',
    expiry: 'given',
  },
  Auth0: {
    endpoint: 'https://contoso.auth0.com/oauth/token',
    asked: 'openid read:orders offline_access',
    response: {
      access_token: 'a',
      refresh_token: 'r',
      id_token: idToken('https://contoso.auth0.com/', 'auth0|5'),
      scope: 'openid read:orders offline_access',
      expires_in: 86400,
      token_type: 'Bearer',
    },
    account: 'auth0|5',
    issuer: 'https://contoso.auth0.com/',
    expiry: 'given',
  },
  'Okta, a custom authorization server': {
    endpoint: 'https://contoso.okta.com/oauth2/default/v1/token',
    asked: 'openid orders',
    response: {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: 'a',
      scope: 'orders openid',
      refresh_token: 'r',
      id_token: idToken('https://contoso.okta.com/oauth2/default', '00u5'),
    },
    account: '00u5',
    issuer: 'https://contoso.okta.com/oauth2/default',
    expiry: 'given',
  },
  'an encrypted ID token and nothing else that names the user': {
    endpoint: 'https://id.example/oauth/token',
    asked: 'openid orders',
    response: { access_token: 'a', expires_in: 300, id_token: 'a.b.c.d.e', token_type: 'Bearer' },
    account: 'unnamed',
    issuer: 'https://id.example',
    expiry: 'given',
  },
  'an ID token that no one can read': {
    endpoint: 'https://id.example/oauth/token',
    asked: 'openid orders',
    response: { access_token: 'a', expires_in: 300, id_token: 'opaque', token_type: 'Bearer' },
    account: 'unnamed',
    issuer: 'https://id.example',
    expiry: 'given',
  },
  'a subject that is a number': {
    endpoint: 'https://id.example/oauth/token',
    asked: 'openid orders',
    response: {
      access_token: 'a',
      expires_in: 300,
      id_token: jwt({ iss: 'https://id.example', sub: 5 }),
      token_type: 'Bearer',
    },
    account: '5',
    issuer: 'https://id.example',
    expiry: 'given',
  },
  'Okta, without an ID token': {
    endpoint: 'https://contoso.okta.com/oauth2/default/v1/token',
    asked: 'orders',
    response: {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: 'a',
      scope: 'orders',
      refresh_token: 'r',
    },
    account: 'unnamed',
    issuer: 'https://contoso.okta.com/oauth2/default',
    expiry: 'given',
  },
  'Google, sign-in': {
    endpoint: 'https://oauth2.googleapis.com/token',
    asked: 'openid https://www.googleapis.com/auth/drive.readonly',
    response: {
      access_token: 'ya29.a',
      expires_in: 3599,
      refresh_token: '1//r',
      scope: 'openid https://www.googleapis.com/auth/drive.readonly',
      token_type: 'Bearer',
      id_token: idToken('https://accounts.google.com', '1049'),
    },
    account: '1049',
    issuer: 'https://accounts.google.com',
    expiry: 'given',
  },
  'Google, an incremental grant without the user': {
    endpoint: 'https://oauth2.googleapis.com/token',
    grant: 'authorization_code',
    asked: 'https://www.googleapis.com/auth/calendar',
    response: {
      access_token: 'ya29.a',
      expires_in: 3599,
      scope: 'https://www.googleapis.com/auth/calendar',
      token_type: 'Bearer',
    },
    account: 'unnamed',
    issuer: 'https://oauth2.googleapis.com',
    expiry: 'given',
  },
  'GitHub OAuth app: no lifetime, no refresh token': {
    endpoint: 'https://github.com/login/oauth/access_token',
    grant: 'authorization_code',
    asked: 'repo gist',
    response: { access_token: 'gho_a', scope: 'repo,gist', token_type: 'bearer' },
    account: 'unnamed',
    issuer: 'https://github.com',
    expiry: 'unknown',
  },
  'GitHub App: no scopes': {
    endpoint: 'https://github.com/login/oauth/access_token',
    asked: '',
    response: {
      access_token: 'ghu_a',
      expires_in: 28800,
      refresh_token: 'ghr_r',
      refresh_token_expires_in: 15811200,
      scope: '',
      token_type: 'bearer',
    },
    account: 'unnamed',
    issuer: 'https://github.com',
    expiry: 'given',
  },
  'GitLab: created_at': {
    endpoint: 'https://gitlab.example/oauth/token',
    asked: 'api',
    response: {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 7200,
      refresh_token: 'r',
      scope: 'api',
      created_at: NOW,
    },
    account: 'unnamed',
    issuer: 'https://gitlab.example',
    expiry: 'given',
  },
  'Slack, a bot': {
    endpoint: 'https://slack.com/api/oauth.v2.access',
    grant: 'authorization_code',
    asked: 'commands,incoming-webhook',
    response: {
      ok: true,
      access_token: 'xoxb-a',
      token_type: 'bot',
      scope: 'commands,incoming-webhook',
      bot_user_id: 'U0',
      app_id: 'A0',
      team: { name: 'T', id: 'T0' },
      enterprise: null,
      authed_user: { id: 'U1' },
    },
    account: 'unnamed',
    issuer: 'https://slack.com/api',
    expiry: 'unknown',
  },
  'Slack, with token rotation': {
    endpoint: 'https://slack.com/api/oauth.v2.access',
    asked: 'commands',
    response: {
      ok: true,
      access_token: 'xoxe.xoxb-a',
      token_type: 'bot',
      scope: 'commands',
      expires_in: 43200,
      refresh_token: 'xoxe-1-r',
      team: { id: 'T0' },
    },
    account: 'unnamed',
    issuer: 'https://slack.com/api',
    expiry: 'given',
  },
  Spotify: {
    endpoint: 'https://accounts.spotify.com/api/token',
    asked: 'user-read-private',
    response: {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'r',
      scope: 'user-read-private',
    },
    account: 'unnamed',
    issuer: 'https://accounts.spotify.com/api',
    expiry: 'given',
  },
  Dropbox: {
    endpoint: 'https://api.dropboxapi.com/oauth2/token',
    asked: 'files.content.read',
    response: {
      access_token: 'sl.a',
      token_type: 'bearer',
      expires_in: 14400,
      refresh_token: 'r',
      scope: 'account_info.read files.content.read',
      uid: '12345',
      account_id: 'dbid:x',
    },
    account: 'unnamed',
    issuer: 'https://api.dropboxapi.com',
    expiry: 'given',
  },
  Atlassian: {
    endpoint: 'https://auth.atlassian.com/oauth/token',
    asked: 'read:jira-work offline_access',
    response: {
      access_token: jwt({ exp: LATER }),
      expires_in: 3600,
      token_type: 'Bearer',
      refresh_token: 'r',
      scope: 'read:jira-work offline_access',
    },
    account: 'unnamed',
    issuer: 'https://auth.atlassian.com',
    expiry: 'given',
  },
  Discord: {
    endpoint: 'https://discord.com/api/oauth2/token',
    asked: 'identify',
    response: {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 604800,
      refresh_token: 'r',
      scope: 'identify',
    },
    account: 'unnamed',
    issuer: 'https://discord.com/api',
    expiry: 'given',
  },
  'Notion: null for a refresh token': {
    endpoint: 'https://api.notion.com/v1/oauth/token',
    grant: 'authorization_code',
    asked: '',
    response: {
      access_token: 'ntn_a',
      token_type: 'bearer',
      refresh_token: null,
      bot_id: 'b',
      workspace_id: 'w',
      owner: { type: 'user', user: { object: 'user', id: 'u' } },
      duplicated_template_id: null,
    },
    account: 'unnamed',
    issuer: 'https://api.notion.com/v1',
    expiry: 'unknown',
  },
  'Salesforce: issued_at and no lifetime': {
    endpoint: 'https://login.salesforce.com/services/oauth2/token',
    asked: 'api refresh_token',
    response: {
      access_token: '00D!a',
      refresh_token: '5Ar',
      signature: 's',
      scope: 'refresh_token api',
      instance_url: 'https://x.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00D/005',
      token_type: 'Bearer',
      issued_at: '1795832400000',
    },
    account: 'unnamed',
    issuer: 'https://login.salesforce.com/services',
    expiry: 'unknown',
  },
  'Salesforce, with an ID token': {
    endpoint: 'https://login.salesforce.com/services/oauth2/token',
    asked: 'api openid',
    response: {
      access_token: '00D!a',
      refresh_token: '5Ar',
      scope: 'api openid',
      token_type: 'Bearer',
      issued_at: '1795832400000',
      id_token: idToken('https://login.salesforce.com', 'https://login.salesforce.com/id/00D/005'),
    },
    account: 'https://login.salesforce.com/id/00D/005',
    issuer: 'https://login.salesforce.com',
    expiry: 'unknown',
  },
  Zoom: {
    endpoint: 'https://zoom.us/oauth/token',
    asked: 'meeting:read',
    response: {
      access_token: jwt({ exp: LATER }),
      token_type: 'bearer',
      refresh_token: 'r',
      expires_in: 3599,
      scope: 'meeting:read',
      api_url: 'https://api.zoom.us',
    },
    account: 'unnamed',
    issuer: 'https://zoom.us',
    expiry: 'given',
  },
  'Twitch: scope is a list': {
    endpoint: 'https://id.twitch.tv/oauth2/token',
    asked: 'channel:read:polls',
    response: {
      access_token: 'a',
      expires_in: 14124,
      refresh_token: 'r',
      scope: ['channel:read:polls'],
      token_type: 'bearer',
    },
    account: 'unnamed',
    issuer: 'https://id.twitch.tv',
    expiry: 'given',
  },
  'Facebook: no scope at all': {
    endpoint: 'https://graph.facebook.com/v19.0/oauth/access_token',
    grant: 'authorization_code',
    asked: 'email',
    response: { access_token: 'EAA', token_type: 'bearer', expires_in: 5183944 },
    account: 'unnamed',
    issuer: 'https://graph.facebook.com/v19.0',
    expiry: 'given',
  },
  'LinkedIn: scopes with commas': {
    endpoint: 'https://www.linkedin.com/oauth/v2/accessToken',
    grant: 'authorization_code',
    asked: 'email profile w_member_social',
    response: {
      access_token: 'a',
      expires_in: 5184000,
      scope: 'email,profile,w_member_social',
      token_type: 'Bearer',
    },
    account: 'unnamed',
    expiry: 'given',
  },
  'Cognito: no new refresh token': {
    endpoint: 'https://contoso.auth.eu-west-1.amazoncognito.com/oauth2/token',
    grant: 'refresh_token',
    asked: 'openid',
    response: {
      id_token: idToken('https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x', 'sub'),
      access_token: jwt({ exp: LATER }),
      expires_in: 3600,
      token_type: 'Bearer',
    },
    account: 'sub',
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x',
    expiry: 'given',
  },
  'Ping: JWT as a token type': {
    endpoint: 'https://auth.pingone.eu/env/as/token',
    asked: 'orders',
    response: {
      access_token: jwt({ exp: NOW + 120 }),
      token_type: 'JWT',
      scope: 'orders',
      refresh_token: 'r',
    },
    account: 'unnamed',
    issuer: 'https://auth.pingone.eu/env/as',
    expiry: 'derived',
  },
  'Apigee: BearerToken, times as strings': {
    endpoint: 'https://api.example/oauth/client_credential/accesstoken',
    grant: 'client_credentials',
    asked: '',
    response: {
      issued_at: '1795832400000',
      application_name: 'x',
      scope: '',
      status: 'approved',
      expires_in: '1799',
      token_type: 'BearerToken',
      access_token: 'a',
      client_id: 'c',
    },
    account: 'app',
    expiry: 'given',
  },
  'Token exchange: N_A': {
    endpoint: 'https://sts.example/token',
    grant: 'urn:ietf:params:oauth:grant-type:token-exchange',
    asked: 'orders',
    response: {
      access_token: 'a',
      issued_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_type: 'N_A',
      expires_in: 60,
    },
    account: 'app',
    expiry: 'given',
  },
  'An MCP server: a refresh token and a resource': {
    endpoint: 'https://mcp.example/oauth/token',
    asked: 'tools',
    response: {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'r',
      scope: 'tools',
    },
    account: 'unnamed',
    issuer: 'https://mcp.example',
    expiry: 'given',
  },
  'X: a space in the type, null for an ID token': {
    endpoint: 'https://api.x.com/2/oauth2/token',
    asked: 'tweet.read offline.access',
    response: {
      token_type: 'bearer ',
      expires_in: 7200,
      access_token: 'a',
      scope: 'tweet.read offline.access',
      refresh_token: 'r',
      id_token: null,
    },
    account: 'unnamed',
    issuer: 'https://api.x.com/2',
    expiry: 'given',
  },
};

function eventOf({
  endpoint,
  response,
  asked = '',
  grant = 'authorization_code',
}: Shape): TokenResponseEvent {
  return { client_id: 'app', scope: asked, token_endpoint: endpoint, grant_type: grant, response };
}

describe.each(Object.entries(SHAPES))('%s', (_, shape) => {
  const cache = new SerializableTokenCache({ now: () => NOW });
  const receipt = cache.add(eventOf(shape));

  test('is filed under its account', () => {
    const id = receipt.account?.home_account_id ?? 'app';
    if (shape.account === 'unnamed') expect(id).toMatch(/^unnamed:[\w-]{22}$/);
    else expect(id).toBe(shape.account);
    if (shape.issuer !== undefined) expect(receipt.account?.issuer).toBe(shape.issuer);
    expect(receipt.expiry).toBe(shape.expiry);
    expect(cache.accounts()).toHaveLength(shape.account === 'app' ? 0 : 1);
  });

  test('loses no token', () => {
    const { access_token, refresh_token, id_token } = shape.response;
    const secrets = (['AccessToken', 'RefreshToken', 'IdToken'] as const).map(
      (type) => cache.find(type)[0]?.secret,
    );
    expect(secrets).toEqual([access_token, refresh_token ?? undefined, id_token ?? undefined]);
  });

  test('answers the request that was made, now and in another process', () => {
    const read = new SerializableTokenCache({ now: () => NOW });
    read.deserialize(cache.serialize());
    const [token] = cache.find('AccessToken');
    const request = {
      client_id: 'app',
      home_account_id: receipt.account?.home_account_id ?? null,
      environment: token?.environment ?? '',
      scopes: shape.asked ?? '',
      ...(receipt.account?.issuer === undefined ? {} : { issuer: receipt.account.issuer }),
    };
    for (const place of [cache, read]) {
      const found = lookup(place, request, NOW + 10);
      expect(found.accessToken?.secret).toBe(shape.response['access_token']);
      const refresh = shape.response['refresh_token'] ?? undefined;
      expect(found.refreshTokens.map(({ secret }) => secret)).toEqual(refresh === undefined ? [] : [refresh]);
    }
  });

  test('leaves nothing when its account is signed out', () => {
    const gone = new SerializableTokenCache({ now: () => NOW });
    gone.deserialize(cache.serialize());
    for (const account of gone.accounts()) expect(gone.signOut(account).remaining).toBe(0);
    gone.removeAppTokens();
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const)
      expect(gone.find(type)).toEqual([]);
  });
});

test('scopes separated by commas are split', () => {
  const cache = new SerializableTokenCache({ now: () => NOW });
  const receipt = cache.add(eventOf(SHAPES['GitHub OAuth app: no lifetime, no refresh token']!));
  expect(receipt).toMatchObject({ granted: ['repo', 'gist'], notGranted: [] });
});

test('there are more than 32 of them', () => {
  expect(Object.keys(SHAPES).length).toBeGreaterThan(32);
});

test('two unnamed users are two accounts; with an id of the caller’s, they are one', () => {
  const cache = new SerializableTokenCache({ now: () => NOW });
  const spotify = SHAPES['Spotify']!;
  const first = cache.add(eventOf(spotify));
  const second = cache.add(
    eventOf({ ...spotify, response: { ...spotify.response, refresh_token: 'another' } }),
  );
  expect(first.account).not.toEqual(second.account);
  expect(cache.accounts()).toHaveLength(2);
  cache.add({ ...eventOf(spotify), home_account_id: 'ada' });
  cache.add({
    ...eventOf({ ...spotify, response: { ...spotify.response, refresh_token: 'rotated' } }),
    home_account_id: 'ada',
  });
  expect(cache.accounts({ home_account_id: 'ada' })).toHaveLength(1);
  expect(
    cache.find('RefreshToken', { query: { home_account_id: 'ada' } }).map(({ secret }) => secret),
  ).toEqual(['rotated']);
});

test.each([
  ['GitHub’s', { error: 'bad_verification_code', error_description: 'x', error_uri: 'y' }],
  ['Slack’s', { ok: false, error: 'invalid_code' }],
  ['OAuth’s', { error: 'invalid_grant' }],
])('%s error is refused', (_, response) => {
  const cache = new SerializableTokenCache();
  expect(() => cache.add(eventOf({ ...SHAPES['Spotify']!, response }))).toThrow(/refused/);
  expect(cache.serialize()).toBe('{}');
});
