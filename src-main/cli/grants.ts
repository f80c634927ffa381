/**
 * Access tokens of grants (`tokenkeep/oauth`) for `get`: found by account, client and scopes, and refreshed once for all programs that use
 * the vault.
 */
import type { AllowedIssuers } from '../accounts/allowed-issuers.ts';
import { codeThatAsksUser, isInvalidGrant } from '../cache/acquire.ts';
import { isRecord } from '../cache/json.ts';
import { sameIssuer } from '../cache/schema/authorities.ts';
import type { AccountSummary } from '../cache/schema/entities.ts';
import { expiryOf, isExpiryUnknown, isRefusedForGood, isUsable, secondsOf } from '../cache/schema/expiry.ts';
import type { GrantItem } from '../cache/schema/grants.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { type Grant, storedIn } from '../oauth/grant.ts';
import { tokensOfGrant } from '../oauth/grant-tokens.ts';
import { openGrants, type RefreshGrant } from '../oauth/grants.ts';
import { authenticate } from '../oauth/mcp/client-authentication.ts';
import type { Vault } from '../vault/api.ts';
import { allowedBeside } from './host-consent.ts';
import { grantsOfAccount } from './people.ts';
import { askToken, endpointOf, errorCodeOf, noToken, notKept, untilKept } from './refresh.ts';
import { printable } from './text.ts';
import { EXIT, Stop, type World } from './world.ts';

/** The grants of an account that hold a token. */
export function grantsOf(cache: TokenCache, account: AccountSummary): GrantItem[] {
  return grantsOfAccount(cache, account)
    .filter(([, { accessTokens, refreshTokens }]) => accessTokens.length + refreshTokens.length > 0)
    .map(([grant]) => grant);
}

/** @returns the grants that include the scopes. A grant without scopes was granted what its client asked for, so it matches. */
export function grantsWith(grants: readonly GrantItem[], scopes: readonly string[]): GrantItem[] {
  return grants.filter(({ target }) => {
    const held = new Set((target ?? '').toLowerCase().split(/\s+/));
    return (target ?? '') === '' || scopes.every((scope) => held.has(scope.toLowerCase()));
  });
}

/**
 * Returns the grants of which each client has one: programs keep several under their own labels, which a user does not know. It is the one
 * whose access token is valid for longest; without one, a grant that can be refreshed; then the newest of those that don't say how long they
 * are valid.
 *
 * @param forceRefresh whether a token is wanted that is not cached
 */
export function oneForEachClient(
  grants: readonly GrantItem[],
  now: number,
  { forceRefresh = false } = {},
): GrantItem[] {
  const validUntil = (grant: GrantItem): number => {
    const { accessTokens, refreshTokens } = tokensOfGrant(grant);
    const isRenewable = refreshTokens.some((token) => !isRefusedForGood(token));
    if (isRenewable && forceRefresh) return Infinity;
    const ends = accessTokens
      .filter((token) => isUsable(token, now))
      .map((token) => (isExpiryUnknown(token) ? secondsOf(token.cached_at) : expiryOf(token)));
    return Math.max(isRenewable ? now : -Infinity, ...ends);
  };
  const best = new Map<string, GrantItem>();
  for (const grant of grants) {
    const before = best.get(grant.client_id);
    if (before === undefined || validUntil(grant) > validUntil(before)) best.set(grant.client_id, grant);
  }
  return [...best.values()];
}

/** The access token of a grant, refreshed if it is due. */
export interface GrantToken {
  readonly secret: string;
  readonly target: string;
  readonly token_type: string;
  /** Seconds since the epoch; null if unknown. */
  readonly expiresOn: number | null;
  readonly isRefreshed: boolean;
}

/** Milliseconds. Each request has its own deadline, and an answer to the last one must be kept. */
const NEVER = 2 ** 31 - 1;

/**
 * @param assertAsked throws if the user has to be asked before the refresh token is sent
 * @param onRefused is called with the provider's error code if it refuses the refresh token
 */
export async function freshGrant(
  vault: Vault,
  world: World,
  { authority, client_id, label }: GrantItem,
  {
    forceRefresh,
    assertAsked,
    onRefused,
  }: { forceRefresh: boolean; assertAsked: () => void; onRefused: (code: string | null) => void },
): Promise<GrantToken> {
  const now = (): number => world.now();
  const grants = openGrants(vault, { issuer: authority, client_id, now });
  let isRefreshed = false;
  const { held, done } = untilKept(world);
  const before = forceRefresh ? await grants.get(label) : undefined;
  const { tokens } = await grants
    .fresh(
      label,
      async (grant) => {
        assertAsked();
        const answer = await refreshGrant(held, allowedBeside(vault), grant);
        if (isInvalidGrant(answer)) onRefused(isRecord(answer) ? (errorCodeOf(answer) ?? null) : null);
        else isRefreshed = true;
        return answer;
      },
      {
        timeout: NEVER,
        ...(before?.tokens?.access_token === undefined ? {} : { rejected: before.tokens.access_token }),
      },
    )
    .finally(done)
    .catch((error: unknown) => {
      throw isRefreshed ? notKept(error) : error;
    });
  const kept = (await grants.list()).find((one) => one.label === label);
  return {
    secret: tokens?.access_token ?? '',
    target: kept?.scope ?? '',
    token_type: tokens?.token_type ?? 'Bearer',
    expiresOn: kept?.expires_at ?? null,
    isRefreshed,
  };
}

/**
 * Returns the issuer that the refresh token of a grant is sent to; undefined if the grant does not tell. `tokenkeep/mcp` keeps a grant under
 * the MCP server that it is for, which must not get that token: its issuer is the authorization server, if both the tokens and the discovery
 * name the same.
 */
export function issuerOfGrant(item: GrantItem): string | undefined {
  const grant = storedIn(item)?.grant;
  return grant && authorizationServerOf(grant, item.authority);
}

function authorizationServerOf({ tokens, discovery, data }: Grant, filed: string): string | undefined {
  const [told, server] = [tokens?.['issuer'], discovery?.['authorizationServerUrl']];
  if (typeof server === 'string') {
    if (typeof told !== 'string' || !sameIssuer(told, server)) return undefined;
    const metadata = discovery?.['authorizationServerMetadata'];
    const exact = isRecord(metadata) ? metadata['issuer'] : undefined; // the discovery's may lack its final slash
    return typeof exact === 'string' && sameIssuer(exact, server) ? exact : server;
  }
  const isResource = data !== undefined && Object.hasOwn(data, 'tokenEndpoint');
  const isOther = typeof told === 'string' && !sameIssuer(told, filed);
  return isResource || isOther ? undefined : filed;
}

/** Redeems the refresh token of a grant at the token endpoint that its issuer publishes. */
async function refreshGrant(
  world: World,
  allowed: AllowedIssuers,
  grant: Parameters<RefreshGrant>[0],
): ReturnType<RefreshGrant> {
  const { client_id, client, keys, tokens, discovery } = grant;
  if (keys !== undefined)
    throw new Stop(
      EXIT.failed,
      'This grant is bound to a key (DPoP, RFC 9449) of the program that signed in, so it was not refreshed. The cached tokens are as they were. Get the token in that program.',
    );
  const issuer = authorizationServerOf(grant, grant.issuer);
  if (issuer === undefined)
    throw new Stop(
      EXIT.failed,
      printable(
        `This sign-in at ${new URL(grant.issuer).host} does not say which authorization server its refresh token came from, so the token was not sent. The cached tokens are as they were. Get the token in the program that signed in.`,
      ),
    );
  const { host, pathname } = new URL(issuer);
  const realm = pathname.split('/')[1] || 'organizations';
  const { token_endpoint, metadata } = await endpointOf(
    world.fetch,
    { environment: host, realm },
    issuer,
    allowed,
  );
  const resource = isRecord(discovery?.['resourceMetadata'])
    ? discovery['resourceMetadata']['resource']
    : undefined;
  const { client_id: registered, client_secret } = client ?? {};
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  if (typeof resource === 'string') body.set('resource', resource);
  const headers = new Headers();
  const own = {
    ...client,
    client_id: typeof registered === 'string' ? registered : client_id,
    client_secret: typeof client_secret === 'string' ? client_secret : undefined,
  };
  authenticate(own, headers, body, metadata);
  const { status, json } = await askToken(world.fetch, token_endpoint, body, headers);
  if (json === null || (typeof json['access_token'] !== 'string' && codeThatAsksUser(json) === undefined))
    throw noToken(token_endpoint, status, json);
  // `tokenkeep/mcp` sends the next refresh token to the issuer that it finds in the tokens.
  const told = tokens['issuer'];
  return typeof told === 'string' ? { issuer: told, ...json } : json;
}
