import * as oidc from 'openid-client';
import type { Provider } from './provider.ts';

/**
 * Whether the provider knows the client, asked with a code that was never given: it answers `invalid_grant` to a client
 * that it knows, and `invalid_client` or `unauthorized_client` to another (RFC 6749 §5.2). True where it can't be told.
 */
export async function knowsClient({ config }: Provider): Promise<boolean> {
  const parameters = {
    code: 'not-a-code',
    redirect_uri: 'http://localhost',
    code_verifier: oidc.randomPKCECodeVerifier(),
  };
  try {
    await oidc.genericGrantRequest(config, 'authorization_code', parameters);
    return true;
  } catch (error) {
    const name = error instanceof oidc.ResponseBodyError ? error.error : '';
    return name !== 'invalid_client' && name !== 'unauthorized_client';
  }
}
