/** The applications that are registered with the provider. */
import type { ClientMetadata } from 'oidc-provider';

/** The audience of the access tokens, as a JWT's `aud`, and the resource that they are for (RFC 8707). */
export const API = 'https://api.example';
export const API_SCOPES = ['orders.read', 'orders.write'] as const;

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Any port of the loopback interface (RFC 8252 §7.3), with and without the slash that a URL parser adds. */
const LOOPBACK = ['http://127.0.0.1', 'http://127.0.0.1/', 'http://localhost', 'http://localhost/'];

/** A public client: a program on a user's machine, which can't keep a secret. */
export const DESKTOP_APP = {
  client_id: 'desktop-app',
  client_name: 'Tokenkeep',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: LOOPBACK,
  post_logout_redirect_uris: LOOPBACK,
  grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
  response_types: ['code'],
} satisfies ClientMetadata;

/** Like DESKTOP_APP, but not allowed to use the device code flow. */
export const BROWSER_ONLY_APP = {
  ...DESKTOP_APP,
  client_id: 'browser-only-app',
  client_name: 'Another app',
  grant_types: ['authorization_code', 'refresh_token'],
} satisfies ClientMetadata;

/** A confidential client without a user. Its secret protects nothing: the provider listens on this machine only. */
export const SERVICE = {
  client_id: 'service',
  client_secret: 'service-secret-of-the-example',
  client_name: 'Nightly report',
  token_endpoint_auth_method: 'client_secret_post',
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
} satisfies ClientMetadata;

/** A confidential client whose users sign in with a browser: a web application. */
export function webApp(
  redirectUris: readonly string[],
  postLogoutRedirectUris: readonly string[] = [],
  backChannelLogoutUri?: string,
) {
  return {
    client_id: 'web-app',
    client_secret: 'web-app-secret-of-the-example',
    client_name: 'Order desk',
    token_endpoint_auth_method: 'client_secret_post',
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [...postLogoutRedirectUris],
    ...(backChannelLogoutUri === undefined ? {} : { backchannel_logout_uri: backChannelLogoutUri }),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  } satisfies ClientMetadata;
}

export const CLIENTS: readonly ClientMetadata[] = [DESKTOP_APP, BROWSER_ONLY_APP, SERVICE];
