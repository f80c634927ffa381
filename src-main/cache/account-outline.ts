/** A summary of an account's tokens for lists. A vault keeps it in its index, so that a list need not open the account. */
import { isRefusedForGood } from './acquire.ts';
import { type Claims, readToken, stringClaim } from './schema/claims.ts';
import type {
  AccessToken,
  AccountOutline,
  AccountSummary,
  CredentialType,
  Entity,
  IdToken,
  RefreshToken,
  TokenOutline,
} from './schema/entities.ts';
import { canonicalEnvironment, hostOf } from './schema/environments.ts';
import { expiryOf, secondsOf } from './schema/expiry.ts';
import { grantFields, type GrantItem, GRANT } from './schema/grants.ts';
import { issuerIn, sameIssuer } from './schema/issuers.ts';
import { usersOf } from './accounts.ts';
import type { Store } from './store.ts';

/** The tokens of an account by type. */
export interface TokensByType {
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
}

/**
 * Returns the outline of an account. Opens the secrets of ID tokens only if the user's name or the issuer is in no field.
 *
 * @param tokens all of its tokens, those of grants included
 * @param idTokens the ID tokens whose claims may name the user
 */
export function accountOutline(
  summary: AccountSummary | null,
  tokens: TokensByType,
  idTokens: readonly IdToken[],
  claimsOf: (token: IdToken) => Claims = claimsIn,
): AccountOutline {
  const all = [...tokens.accessTokens, ...tokens.refreshTokens, ...tokens.idTokens];
  const stored = distinct([summary, ...all].map((entity) => issuerIn(entity as Entity | null)));
  const issuers =
    stored.length > 0 ? stored : distinct(idTokens.map((token) => stringClaim(claimsOf(token), 'iss') ?? ''));
  const said = (...claims: string[]): string | undefined =>
    idTokens
      .flatMap((token) => claims.map((claim) => stringClaim(claimsOf(token), claim)))
      .find((text) => text !== undefined);
  const username = summary?.username ?? '';
  return {
    issuer: issuers.length === 1 ? (issuers[0] ?? null) : null,
    username: username === '' ? (said('preferred_username', 'upn', 'email') ?? '') : username,
    name: summary?.name ?? said('name') ?? null,
    clients: [...new Set(all.map(({ client_id }) => client_id))],
    tokens: tokenOutlines(tokens),
  };
}

/** Returns the outlines of tokens: access tokens first, then refresh and ID tokens. */
export function tokenOutlines({ accessTokens, refreshTokens, idTokens }: TokensByType): TokenOutline[] {
  return [
    ...accessTokens.map((token) => tokenOutline('AccessToken', token, expiryOf(token))),
    ...refreshTokens.map((token) => ({
      ...tokenOutline('RefreshToken', token, secondsOf(token['expires_on'])),
      isRefused: isRefusedForGood(token),
    })),
    ...idTokens.map((token) => tokenOutline('IdToken', token, NaN)),
  ];
}

function tokenOutline(type: CredentialType, token: Entity, expiry: number): TokenOutline {
  return {
    type,
    cachedAt: timeOf(secondsOf(token['cached_at'])),
    modifiedAt: timeOf(secondsOf(token['last_modification_time'])),
    expiresAt: timeOf(expiry),
    isRefused: false,
  };
}

/**
 * Returns the outline of an account for a vault's index; null if a list has to read its entries: several users have the
 * id, the account entity is missing, tokens are of another cloud or issuer, or a grant was refused.
 */
export function outlineForIndex(store: Store, account: string): AccountOutline | null {
  const [user, ...others] = usersOf(store, account);
  if (user === undefined || others.length > 0) return null;
  if (user.tenants.length === 0 && user.authority_type !== 'OAuth') return null;
  const own: { [Type in CredentialType]: Entity[] } = { AccessToken: [], RefreshToken: [], IdToken: [] };
  const granted: typeof own = { AccessToken: [], RefreshToken: [], IdToken: [] };
  for (const { section, entity } of store.ofAccount(account)) {
    if (entity === null || section === 'Account' || section === 'AppMetadata') continue;
    if (!isOfUser(entity, user)) return null;
    if (section !== GRANT) own[section].push(entity);
    else {
      const item = entity as GrantItem;
      if ((item.refused_at ?? null) !== null) return null; // Only the grant itself shows whether the refusal still applies.
      for (const [type, fields] of grantFields(item)) granted[type].push(fields);
    }
  }
  const all = {
    accessTokens: [...own.AccessToken, ...granted.AccessToken] as unknown as AccessToken[],
    refreshTokens: [...own.RefreshToken, ...granted.RefreshToken] as unknown as RefreshToken[],
    idTokens: [...own.IdToken, ...granted.IdToken] as unknown as IdToken[],
  };
  return accountOutline(user, all, own.IdToken as unknown as IdToken[]);
}

function isOfUser(entity: Entity, user: AccountSummary): boolean {
  const issuer = issuerIn(entity);
  const own = user.issuer ?? '';
  return (
    cloudOf(entity['environment']) === cloudOf(user.environment) &&
    (issuer === '' || own === '' || sameIssuer(issuer, own))
  );
}

function cloudOf(environment: unknown): string {
  return hostOf(canonicalEnvironment(typeof environment === 'string' ? environment : ''));
}

function claimsIn(token: IdToken): Claims {
  try {
    const read = readToken(token.secret);
    return read?.format === 'jwt' ? read.payload : {};
  } catch {
    return {}; // The secret can't be decrypted; the vault reports that itself.
  }
}

function timeOf(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ''))];
}
