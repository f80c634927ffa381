/**
 * Determines the issuer of a refresh or ID token, which is sent nowhere else. The source is the data stored with the token,
 * the user's earlier consent, or an ID token of the same app; never a host alone.
 */
import {
  configuredEnvironment,
  isCloudHost,
  isCustomerHost,
  plainIssuer,
} from '../cache/schema/authorities.ts';
import { claimsIn, stringClaim } from '../cache/schema/claims.ts';
import { isIssuerAt } from '../cache/shown-names.ts';
import type { AccountHistory } from './account-history.ts';
import type { CachedAccount } from './cached-accounts.ts';

/**
 * Returns the issuer of a token, and how it is known. `known`: stored with the token, agreed to before, or one of Microsoft's clouds.
 * `claimed`: an imported ID token says so; ask the user before the token is sent there. undefined if it can't be determined.
 *
 * @param token `client_id`: the app that the token was issued to; `own`: its `issuer` field, if it has one; `realm`: its tenant, if known
 * @example
 * import { cachedAccounts, historyOf, issuerOfToken } from 'tokenkeep/ipc';
 *
 * const issuers = await vault.read((cache) =>
 *   [...cachedAccounts(cache).byId.values()].map((account) =>
 *     issuerOfToken(account, historyOf(cache, account.id), { client_id: 'my-app' }),
 *   ),
 * ); // [{ issuer: 'https://id.example', certainty: 'known' }]
 */
export function issuerOfToken(
  account: CachedAccount,
  { issuers, shared }: Pick<AccountHistory, 'issuers' | 'shared'>,
  { client_id, own, realm }: { client_id: string; own?: unknown; realm?: string | undefined },
): { issuer: string; certainty: 'known' | 'claimed' } | undefined {
  const { environment } = account;
  if (isCloudHost(environment)) {
    const tenant = encodeURIComponent(realm || 'organizations');
    return { issuer: `https://${configuredEnvironment(environment)}/${tenant}/v2.0`, certainty: 'known' };
  }
  // B2C and External ID name the policy in the path, which no token contains.
  const customers = isCustomerHost(environment);
  const stored = typeof own === 'string' ? plainIssuer(own) : undefined;
  if (stored !== undefined && !customers) return { issuer: stored, certainty: 'known' };
  const agreed = Object.hasOwn(issuers, client_id) ? issuers[client_id] : undefined;
  if (agreed !== undefined) return { issuer: agreed, certainty: 'known' };
  const claimed = customers ? undefined : claimedIssuer(account, client_id, environment);
  return claimed === undefined ? undefined : { issuer: claimed, certainty: shared ? 'claimed' : 'known' };
}

/**
 * The `iss` that all ID tokens of an app agree on or, if it has none, those of all apps of the account. It must be on the account's own
 * host, because a forged document can claim anything.
 */
function claimedIssuer(account: CachedAccount, client_id: string, environment: string): string | undefined {
  const claims = account.idTokens.map((token) => ({ client_id: token.client_id, iss: issuerIn(token) }));
  const own = distinct(claims.filter((claim) => claim.client_id === client_id));
  const all = own.length > 0 ? own : distinct(claims);
  const [only] = all;
  const issuer = all.length === 1 && only !== undefined ? plainIssuer(only) : undefined;
  return issuer !== undefined && isIssuerAt(environment, issuer) ? issuer : undefined;
}

const distinct = (claims: readonly { iss: string | undefined }[]): string[] => [
  ...new Set(claims.flatMap(({ iss }) => iss ?? [])),
];

function issuerIn(token: CachedAccount['idTokens'][number]): string | undefined {
  const stored = token['issuer'];
  if (typeof stored === 'string' && stored !== '') return stored;
  try {
    return stringClaim(claimsIn(token.secret), 'iss');
  } catch {
    return undefined; // The seal is damaged, which the vault reports by itself.
  }
}
