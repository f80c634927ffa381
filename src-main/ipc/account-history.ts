/**
 * What has happened to accounts, kept beside their entries in the cache and sealed with it: where they were imported from,
 * which provider issued their tokens, and what that provider refused.
 *
 * [Note: app data in the cache] It stands in a root of its own in the cache document, which no MSAL library touches, so
 * it is durable in the same change as the entries that it is about. A document that is imported can't bring its own.
 */
import { isRecord } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { appData, setAppData } from './app-data.ts';
import { type AccountId, type CachedAccount, cachedAccounts } from './cached-accounts.ts';
import type { Refusal } from './contract.ts';

export interface AccountHistory {
  /** The provider refused to refresh it, and nothing has succeeded since. */
  refusal: Refusal | null;
  /** The file that it was imported from; null where it was signed in here, or nobody knows. */
  source: string | null;
  /** The program that `source` belongs to may still use the account's refresh tokens. */
  shared: boolean;
  /** By client id: the issuer that the user signed in at, or agreed to send the refresh token to. */
  issuers: Readonly<Record<string, string>>;
}

const NAME = 'accounts';
const NOTHING: AccountHistory = { refusal: null, source: null, shared: false, issuers: {} };

/** What is known of an account; of one that nothing is known of, nothing. */
export function historyOf(cache: TokenCache, id: AccountId): AccountHistory {
  const all = appData(cache, NAME);
  const known = isRecord(all) && Object.hasOwn(all, id) ? all[id] : undefined;
  return isRecord(known) ? { ...NOTHING, ...(known as Partial<AccountHistory>) } : NOTHING;
}

/** Changes what is known of an account, inside an update. Accounts that are gone are forgotten on the way. */
export function changeHistory(cache: TokenCache, id: AccountId, changes: Partial<AccountHistory>): void {
  const all = appData(cache, NAME);
  const there = cachedAccounts(cache).byId;
  const kept = isRecord(all) ? Object.entries(all).filter(([each]) => there.has(each) && each !== id) : [];
  const next = there.has(id) ? [[id, { ...historyOf(cache, id), ...changes }] as const] : [];
  setAppData(cache, NAME, Object.fromEntries([...kept, ...next]));
}

/**
 * Marks the accounts that got a refresh token from an imported document, after the merge and in the same update. Another
 * program may still use these tokens.
 *
 * @param before `refreshSecrets` before the merge
 */
export function markImported(
  cache: TokenCache,
  document: TokenCache,
  before: ReadonlySet<string>,
  source: string,
): void {
  const brought = refreshSecrets(document);
  for (const account of cachedAccounts(cache).byId.values()) {
    const taken = secretsOf(account).some((secret) => brought.has(secret) && !before.has(secret));
    if (taken) changeHistory(cache, account.id, { source, shared: true, refusal: null });
  }
}

/** The refresh tokens of a cache. */
export function refreshSecrets(cache: TokenCache): Set<string> {
  return new Set([...cachedAccounts(cache).byId.values()].flatMap(secretsOf));
}

function secretsOf({ refreshTokens }: CachedAccount): string[] {
  return refreshTokens.flatMap((token) => {
    try {
      return [token.secret];
    } catch {
      return []; // a damaged seal
    }
  });
}
