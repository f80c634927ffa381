/** Adds token responses to the cache. */
import { InvalidArgumentError, type TokenCache, type TokenResponseEvent } from 'tokenkeep';
import { type CachedAccount, cachedAccounts, changeHistory, historyOf, withSignature } from 'tokenkeep/ipc';
import type { SignInProfile } from './contract.ts';
import { signInError } from './failures.ts';
import type { Provider } from './provider.ts';
import { payloadOf, type VerifiedToken } from './received.ts';

/** Returns the response's own fields, as `TokenCache.add` takes them. */
export function fieldsOf(response: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(response)) if (typeof value !== 'function') fields[name] = value;
  // openid-client lower-cases it, because it is case-insensitive; the libraries write it as RFC 6750 does.
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
    // A generic provider’s path contains no tenant. MSAL Node also leaves it empty.
    ...(profile.kind === 'oidc'
      ? { issuer: metadata.issuer, realm: tenantOf(response), authority_type: 'Generic' }
      : {}),
  };
}

function tenantOf(response: Readonly<Record<string, unknown>>): string {
  const { id_token } = response;
  const tenant = typeof id_token === 'string' ? payloadOf(id_token)?.['tid'] : undefined;
  return typeof tenant === 'string' ? tenant : '';
}

/** Returns the profile's scopes and `openid`, which OpenID Connect requires. */
export function wantedScopes({ scopes }: Pick<SignInProfile, 'scopes'>): string[] {
  return [...new Set(['openid', ...scopes])];
}

/**
 * Adds a token response inside an update, and stores its issuer and the verified signature.
 *
 * @param at seconds since the epoch
 * @returns the account; null if the response identified no user
 * @throws SignInError `answer_invalid` if the response can't be stored
 */
export function addTokens(
  cache: TokenCache,
  event: TokenResponseEvent,
  { issuer, client_id }: Provider,
  verified: VerifiedToken | null,
  at: number,
): CachedAccount | null {
  try {
    cache.add(event);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw signInError('answer_invalid', { issuer, client_id }, error);
  }
  const secret = event.response['access_token'];
  const account = [...cachedAccounts(cache).byId.values()].find(({ accessTokens }) =>
    accessTokens.some((token) => token.client_id === event.client_id && token.secret === secret),
  );
  if (account === undefined || account.kind === 'app') return null;
  const history = historyOf(cache, account.id);
  // The tokens that the user got here are the app's own. Those that another app's sign-in left in the account are not.
  const ownClients = history.shared ? ownClientsIn(account, event, history.ownClients) : [];
  const shared =
    history.shared &&
    [...account.refreshTokens, ...account.idTokens].some((token) => !ownClients.includes(token.client_id));
  changeHistory(cache, account.id, {
    refusal: null,
    shared,
    ownClients: shared ? ownClients : [],
    source: shared || history.sharedGrants.length > 0 ? history.source : null,
    issuers: { ...history.issuers, [event.client_id]: issuer },
    ...(verified === null ? {} : { signatures: withSignature(account, history, { ...verified, at }) }),
  });
  return account;
}

/** Returns the clients of which an account has nothing that was imported, after this response was added. */
function ownClientsIn(
  { refreshTokens }: CachedAccount,
  { client_id, response }: TokenResponseEvent,
  before: readonly string[],
): readonly string[] {
  const isImported = (token: CachedAccount['refreshTokens'][number]): boolean =>
    token.client_id === client_id && secretOf(token) !== response['refresh_token'];
  return before.includes(client_id) || refreshTokens.some(isImported) ? before : [...before, client_id];
}

/** Returns the secret of a token; null if it is damaged. */
export function secretOf(token: { readonly secret: string }): string | null {
  try {
    return token.secret;
  } catch {
    return null;
  }
}
