/** The tokens of one account, as a window shows them: what each is for and how long it lives, and no secret. */
import { stringClaim } from '../cache/schema/claims.ts';
import { secondsOf } from '../cache/schema/expiry.ts';
import { extensionOf } from '../cache/schema/extension.ts';
import { scopesOf } from '../cache/schema/scopes.ts';
import type { TokenItem } from './contract.ts';
import type { Holding, Token } from './holdings.ts';
import { idOf, type TokenId, tokenId } from './ids.ts';
import { claimsOf, reading } from './reading.ts';

export interface IdentifiedToken {
  id: TokenId;
  type: TokenItem['type'];
  token: Token;
}

/** Access tokens first, then refresh and ID tokens, each with its id. */
export function identify(holding: Holding): IdentifiedToken[] {
  const taken = new Map<string, number>();
  return [
    ...holding.accessTokens.map((token) => ({ type: 'AccessToken' as const, token })),
    ...holding.refreshTokens.map((token) => ({ type: 'RefreshToken' as const, token })),
    ...holding.idTokens.map((token) => ({ type: 'IdToken' as const, token })),
  ].map(({ type, token }) => {
    const own = idOf(type, ...identity(token));
    // Two libraries may have stored one credential under a key each; both are there, so both are shown.
    const before = taken.get(own) ?? 0;
    taken.set(own, before + 1);
    return { id: tokenId(holding.id, before === 0 ? own : `${own}-${before}`), type, token };
  });
}

/** What makes a credential this one and no other, whatever its secret is today. */
function identity(token: Token): string[] {
  const fields = ['environment', 'client_id', 'realm', 'target', 'token_type', 'key_id', 'family_id'];
  return [...fields.map((field) => text(token, field) ?? ''), extensionOf(token)];
}

export function tokenItems(holding: Holding): TokenItem[] {
  const names = clientNames(holding);
  return identify(holding).map(({ id, type, token }) => ({
    id,
    type,
    environment: token.environment,
    realm: text(token, 'realm'),
    client_id: token.client_id,
    client_name: names.get(token.client_id.toLowerCase()) ?? null,
    scopes: scopesOf(text(token, 'target') ?? ''),
    audience: audienceOf(type, token),
    token_type: text(token, 'token_type'),
    key_id: text(token, 'key_id'),
    family_id: text(token, 'family_id'),
    format: reading(token)?.format ?? 'opaque',
    cached_at: seconds(token['cached_at']),
    expires_on: type === 'IdToken' ? numberClaim(token, 'exp') : seconds(token['expires_on']),
    extended_expires_on: seconds(token['extended_expires_on']),
    refresh_on: seconds(token['refresh_on']),
    last_modification_time: seconds(token['last_modification_time']),
  }));
}

/** Names of apps, by client id, from the access tokens that say one (Microsoft's v1 tokens do). */
export function clientNames(holding: Holding): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const token of holding.accessTokens) {
    const name = stringClaim(claimsOf(token), 'app_displayname');
    if (name !== undefined) names.set(token.client_id.toLowerCase(), name);
  }
  return names;
}

/** A time in seconds; null where the field is missing or holds none. */
export function seconds(field: unknown): number | null {
  const value = secondsOf(field);
  return Number.isFinite(value) ? value : null;
}

function audienceOf(type: TokenItem['type'], token: Token): string | null {
  if (type === 'RefreshToken') return null;
  if (type === 'IdToken') return token.client_id;
  const audience = claimsOf(token)['aud'];
  if (typeof audience === 'string' && audience !== '') return audience;
  if (Array.isArray(audience)) {
    const named = audience.filter((entry) => typeof entry === 'string');
    if (named.length > 0) return named.join(' ');
  }
  return resourceOf(scopesOf(text(token, 'target') ?? ''));
}

/** `https://graph.microsoft.com/User.Read` → `https://graph.microsoft.com`; null where no scope names a resource. */
function resourceOf(scopes: readonly string[]): string | null {
  for (const scope of scopes) {
    const end = scope.lastIndexOf('/');
    if (/^[a-z][a-z\d+.-]*:\/\/[^/]/i.test(scope) && end > scope.indexOf('//') + 1)
      return scope.slice(0, end);
  }
  return null;
}

function numberClaim(token: Token, name: string): number | null {
  const value = claimsOf(token)[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(token: Token, field: string): string | null {
  const value = token[field];
  return typeof value === 'string' && value !== '' ? value : null;
}
