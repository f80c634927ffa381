/** From an answer of the token endpoint to the cache. */
import { type TokenCache, type TokenResponseEvent } from 'tokenkeep';
import type { AccountName, SignInProfile } from './contract.ts';
import type { Provider } from './provider.ts';

/** The response's own fields, as `TokenCache.add` takes them. */
export function fieldsOf(response: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(response)) if (typeof value !== 'function') fields[name] = value;
  // openid-client makes it lower-case, since it is compared in any case; the libraries write it as RFC 6750 does.
  if (fields['token_type'] === 'bearer') fields['token_type'] = 'Bearer';
  return fields;
}

export function eventOf(
  { metadata, client_id }: Provider,
  profile: SignInProfile,
  answer: object,
): TokenResponseEvent {
  const response = fieldsOf(answer);
  const granted = response['scope'];
  return {
    client_id,
    scope: typeof granted === 'string' && granted !== '' ? granted.split(' ') : wantedScopes(profile),
    token_endpoint: metadata.token_endpoint ?? '',
    response,
    grant_type: 'authorization_code',
    // A generic provider’s path names no tenant. MSAL Node leaves it empty as well.
    ...(profile.kind === 'oidc' ? { realm: tenantOf(response), authority_type: 'Generic' } : {}),
  };
}

function tenantOf(response: Readonly<Record<string, unknown>>): string {
  const { id_token } = response;
  if (typeof id_token !== 'string') return '';
  try {
    const claims: unknown = JSON.parse(Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString());
    const tenant: unknown = Reflect.get(Object(claims), 'tid');
    return typeof tenant === 'string' ? tenant : '';
  } catch {
    return '';
  }
}

/** OpenID Connect asks for `openid`; what else the profile names comes as it stands. */
export function wantedScopes({ scopes }: Pick<SignInProfile, 'scopes'>): string[] {
  return [...new Set(['openid', ...scopes])];
}

/** Puts the tokens in, and tells whose they are. */
export function addTokens(cache: TokenCache, event: TokenResponseEvent): AccountName | null {
  cache.add(event);
  const secret = event.response['access_token'];
  const token = cache
    .find('AccessToken', { query: { client_id: event.client_id } })
    .find((each) => each.secret === secret);
  if (token === undefined || typeof token.home_account_id !== 'string') return null;
  return { home_account_id: token.home_account_id, environment: token.environment };
}
