import * as oidc from 'openid-client';
import type { Browser, Person } from './browser.ts';
import { callback } from './callback.ts';

export interface Wanted {
  person: Person;
  scope: string;
  prompt?: string;
}

/** Signs a user in with the authorization code flow, PKCE and a loopback redirect (RFC 8252), as an app does. */
export async function signInWithCode(
  config: oidc.Configuration,
  at: Browser,
  { person, scope, prompt }: Wanted,
): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers> {
  const { uri, called } = await callback();
  const [pkceCodeVerifier, expectedState] = [oidc.randomPKCECodeVerifier(), oidc.randomState()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: uri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...(prompt === undefined ? {} : { prompt }),
  });
  const [, back] = await Promise.all([at.visit(url.href, person), called]);
  return oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState });
}
