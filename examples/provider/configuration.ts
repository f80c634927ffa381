import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { atprotoFeatures } from './atproto.ts';
import { API, API_SCOPES } from './clients.ts';
import { DEVICE_ENDPOINT } from './dialects.ts';
import { prompts } from './interactions.ts';
import { inMemory } from './memory.ts';
import { escaped, page } from './pages.ts';
import type { User } from './users.ts';

/** In seconds. */
export interface Lifetimes {
  accessToken: number;
  refreshToken: number;
  idToken: number;
  deviceCode: number;
}

export function configuration(
  clients: readonly ClientMetadata[],
  users: readonly User[],
  lifetimes: Lifetimes,
  { registers, atproto, api }: { registers: boolean; atproto: boolean; api: boolean },
): Configuration {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const more = atproto ? ['atproto'] : [];
  const html = (ctx: KoaContextWithOIDC, title: string, body: string): void => {
    ctx.type = 'html';
    ctx.body = page(title, body);
  };
  return {
    adapter: inMemory(),
    clients: [...clients],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'signing', use: 'sig', alg: 'RS256' }] },
    // oidc-provider refuses to connect to loopback addresses, but the apps of this provider have no others.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    // A client that registers itself names the scopes that it may ask for.
    scopes: ['openid', 'offline_access', 'profile', 'email', ...(registers ? API_SCOPES : []), ...more],
    claims: { openid: ['sub', 'oid', 'tid'], profile: ['name', 'preferred_username'], email: ['email'] },
    // MSAL, like most programs, looks for the user's name only in the ID token.
    conformIdTokenClaims: false,
    findAccount: (_ctx, id) => {
      const user = users.find((each) => each.id === id);
      return user && { accountId: id, claims: () => claimsOf(user) };
    },
    interactions: { policy: prompts(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    discovery: { prompt_values_supported: ['none', 'login', 'consent', 'select_account'] },
    pkce: { required: () => true },
    // Every client that may have a refresh token gets one, and keeps it when the browser's session ends: apps sign out by revoking it.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    routes: { device_authorization: DEVICE_ENDPOINT, revocation: '/token/revocation' },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // RFC 7009 §2.1: a token is revoked by the client that it was issued to.
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: { enabled: false },
      registration: { enabled: registers },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _out, error) =>
          html(
            ctx,
            'Sign in on another device',
            `<p>${error === undefined ? 'Enter the code that your device shows.' : 'That code is not known. Enter it once more.'}</p>
${form}<button class="main" form="op.deviceInputForm">Continue</button>`,
          ),
        userCodeConfirmSource: (ctx, form, client, _device, code) =>
          html(
            ctx,
            `Sign in to ${client.clientName ?? client.clientId}?`,
            `<p>Go on only if your device shows this code: <code>${escaped(code)}</code></p>${form}
<button class="main" form="op.deviceConfirmForm">Continue</button>
<button class="plain" form="op.deviceConfirmForm" name="abort" value="yes">Cancel</button>`,
          ),
        successSource: (ctx) =>
          html(ctx, 'You are signed in', '<p>Your device goes on by itself. You can close this page.</p>'),
      },
      ...(atproto ? atprotoFeatures : {}),
      // Posts a logout token to apps that register a backchannel_logout_uri.
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) =>
          html(
            ctx,
            'Sign out here as well?',
            `<p>This ends your session with the provider in this browser.</p>${form}
<button class="main" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="plain" form="op.logoutForm">Stay signed in</button>`,
          ),
        postLogoutSuccessSource: (ctx) => html(ctx, 'Done', '<p>You can close this page.</p>'),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (api ? API : []),
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: [...API_SCOPES, ...more].join(' '),
          audience: resource,
          accessTokenTTL: lifetimes.accessToken,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: {
      AccessToken: lifetimes.accessToken,
      ClientCredentials: lifetimes.accessToken,
      RefreshToken: lifetimes.refreshToken,
      IdToken: lifetimes.idToken,
      DeviceCode: lifetimes.deviceCode,
      Interaction: 600,
      Grant: 86_400,
      Session: 86_400,
    },
    renderError: (ctx, out) =>
      html(
        ctx,
        'That did not work',
        `<p><code>${escaped(out.error)}</code></p><p>${escaped(out.error_description ?? '')}</p>`,
      ),
  };
}

function claimsOf({ id, name, username, oid, tid }: User) {
  return { sub: id, name, preferred_username: username, email: username, oid, tid };
}
