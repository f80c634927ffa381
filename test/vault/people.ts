import type { TokenCache } from '../../src-main/cache/token-cache.ts';

/** Signs a made-up user in, as the response of a token endpoint would. */
export function signIn(cache: TokenCache, user: string, secret = `secret of ${user}`): void {
  const client_info = encode({ uid: user, utid: 'tenant' });
  const claims = { oid: user, preferred_username: `${user}@contoso.example`, tid: 'tenant', sub: user };
  cache.add({
    client_id: 'app',
    scope: ['read'],
    token_endpoint: 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token',
    response: {
      access_token: `access ${secret}`,
      refresh_token: `refresh ${secret}`,
      id_token: `${encode({ alg: 'none' })}.${encode(claims)}.`,
      client_info,
      expires_in: 3600,
      token_type: 'Bearer',
    },
  });
}

export function homeOf(user: string): string {
  return `${user}.tenant`;
}

/** Returns every account that is signed in, and the secrets of its access tokens. */
export function usersIn(cache: TokenCache): Record<string, string> {
  return Object.fromEntries(cache.find('AccessToken').map((token) => [token.home_account_id, token.secret]));
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
