/** The list at the left of a window: users, apps without a user, and tokens whose account is not in the cache. */
import { stringClaim } from '../cache/schema/claims.ts';
import type { AccountItem, AccountList } from './contract.ts';
import type { Holding, Holdings, Token } from './holdings.ts';
import { claimsOf } from './reading.ts';
import { inSlices } from './slices.ts';
import { clientNames, seconds } from './token-items.ts';

/** @param now seconds since the epoch. */
export async function accountList(holdings: Holdings, now: number): Promise<AccountList> {
  const accounts: AccountItem[] = [];
  // The first time, names are read from ID tokens that have to be opened: with many accounts, long work.
  await inSlices(holdings.byId.values(), (holding) => accounts.push(accountItem(holding, now)));
  const apps = accounts.filter(({ kind }) => kind === 'app').length;
  const tokens = [...holdings.byId.values()].reduce((sum, holding) => sum + tokensOf(holding).length, 0);
  return {
    accounts,
    totals: { accounts: accounts.length - apps, apps, tokens, notUnderstood: holdings.notUnderstood },
  };
}

function accountItem(holding: Holding, now: number): AccountItem {
  const { id, kind, home_account_id, environment, summary } = holding;
  const tokens = tokensOf(holding);
  return {
    id,
    kind,
    home_account_id,
    environment,
    username: usernameOf(holding),
    name: nameOf(holding),
    authority_type: summary?.authority_type ?? null,
    tenants: summary?.tenants ?? tenantsOf(tokens),
    clients: distinct(tokens.map((token) => token.client_id)),
    tokens: {
      AccessToken: holding.accessTokens.length,
      RefreshToken: holding.refreshTokens.length,
      IdToken: holding.idTokens.length,
    },
    ...timesOf(tokens, now),
  };
}

function timesOf(
  tokens: readonly Token[],
  now: number,
): Pick<AccountItem, 'nextExpiry' | 'lastExpiry' | 'since'> {
  let [nextExpiry, lastExpiry, since] = [Infinity, -Infinity, Infinity];
  for (const token of tokens) {
    const expiry = token.credential_type === 'IdToken' ? null : seconds(token['expires_on']);
    if (expiry !== null && expiry > now) nextExpiry = Math.min(nextExpiry, expiry);
    if (expiry !== null) lastExpiry = Math.max(lastExpiry, expiry);
    since = Math.min(
      since,
      seconds(token['cached_at']) ?? since,
      seconds(token['last_modification_time']) ?? since,
    );
  }
  const known = (time: number): number | null => (Number.isFinite(time) ? time : null);
  return { nextExpiry: known(nextExpiry), lastExpiry: known(lastExpiry), since: known(since) };
}

export function tokensOf(holding: Holding): Token[] {
  return [...holding.accessTokens, ...holding.refreshTokens, ...holding.idTokens];
}

export function nameOf(holding: Holding): string | null {
  if (holding.kind === 'app') return [...clientNames(holding).values()][0] ?? null;
  return holding.summary?.name ?? fromIdTokens(holding, ['name']) ?? null;
}

/** As the account has it; where it has none, as its ID tokens have it (OpenID Connect Core §5.1). */
export function usernameOf(holding: Holding): string {
  if (holding.kind === 'app') return '';
  const stored = holding.summary?.username ?? '';
  return stored !== '' ? stored : (fromIdTokens(holding, ['preferred_username', 'upn', 'email']) ?? '');
}

function fromIdTokens(holding: Holding, claims: readonly string[]): string | undefined {
  for (const token of holding.idTokens) {
    for (const claim of claims) {
      const value = stringClaim(claimsOf(token), claim);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

function tenantsOf(tokens: readonly Token[]): AccountItem['tenants'] {
  const realms = distinct(tokens.map((token) => ('realm' in token ? String(token.realm) : '')));
  return realms.filter((realm) => realm !== '').map((realm) => ({ realm, local_account_id: '' }));
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
