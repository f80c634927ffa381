/** The answers of an OpenID Connect issuer that exists only in tests: `https://sso.example/employer`. */
import type { SignInPorts } from '../../../app/sign-in/sign-in.ts';
import type { Vault } from '../../../src-main/index.ts';
import type { ProfileDraft } from '../../../app/contract.ts';
import type { TokenResponseEvent } from '../../../src-main/cache/response.ts';
import { jwt } from '../../cache/events.ts';

/** An HTTP response with a JSON body. */
export const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });

/** The issuer's metadata, all endpoints below the issuer (OpenID Connect Discovery §3). */
export const metadataOf = (issuer: string): object => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  end_session_endpoint: `${issuer}/logout`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
});

/** A sign-in profile for the issuer. */
export const draftOf = (authority: string, client_id = 'app'): ProfileDraft => ({
  kind: 'oidc',
  name: 'x',
  authority,
  client_id,
  scopes: ['openid'],
  redirect_uri: 'http://127.0.0.1/',
});

/** A sign-in of `sub` at the issuer. `label` is in the secrets: `access of …` and `refresh of …`. */
export const signInOf = (issuer: string, sub: string, label: string): TokenResponseEvent => ({
  client_id: 'app',
  scope: ['openid'],
  token_endpoint: `${issuer}/token`,
  issuer,
  realm: '',
  authority_type: 'Generic',
  response: {
    token_type: 'Bearer',
    expires_in: 3600,
    access_token: `access of ${label}`,
    refresh_token: `refresh of ${label}`,
    id_token: jwt({ sub, iss: issuer, aud: 'app' }),
  },
});

export const quietEmit: SignInPorts<null>['emit'] = {
  signIn: () => undefined,
  refreshStatus: () => undefined,
  profiles: () => undefined,
  signOuts: () => undefined,
};

/** The ports of a sign-in without a provider, a window or a timer; a test adds how it asks and fetches. */
export const quietPorts = (folder: string, vault: () => Vault) => ({
  folder,
  vault: () => Promise.resolve(vault()),
  ownVault: () => Promise.resolve(vault()),
  isDemo: () => false,
  tokenText: () => Promise.reject(new Error('This test has no tokens to check.')),
  useGesture: () => undefined,
  copyText: () => undefined,
  now: () => Date.now(),
  after: () => () => undefined,
  emit: quietEmit,
  onUnexpected(error: unknown) {
    throw error;
  },
});
