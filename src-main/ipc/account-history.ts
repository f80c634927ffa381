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
import type { Refusal, SignatureCheck } from './contract.ts';

/** The history of an account, stored beside its entries. */
export interface AccountHistory {
  /** The provider refused to refresh it, and nothing has succeeded since. */
  refusal: Refusal | null;
  /** The file that the account was imported from; null if the user signed in here, or if unknown. */
  source: string | null;
  /** The program that `source` belongs to may still use the account's refresh tokens. */
  shared: boolean;
  /** By client id: the issuer that the user signed in at, or agreed to send the refresh token to. */
  issuers: Readonly<Record<string, string>>;
  /** ID tokens whose signature was verified, by a hash of the token. See signatures.ts. */
  signatures: Readonly<Record<string, SignatureCheck>>;
}

const NAME = 'accounts';
const NOTHING: AccountHistory = { refusal: null, source: null, shared: false, issuers: {}, signatures: {} };

/**
 * Returns the history of an account; an empty one if none is stored.
 *
 * @example
 * import { cachedAccounts, historyOf } from 'tokenkeep/ipc';
 *
 * const shared = await vault.read((cache) =>
 *   [...cachedAccounts(cache).byId.keys()].filter((id) => historyOf(cache, id).shared),
 * );
 */
export function historyOf(cache: TokenCache, id: AccountId): AccountHistory {
  const all = appData(cache, NAME);
  const known = isRecord(all) && Object.hasOwn(all, id) ? all[id] : undefined;
  return isRecord(known) ? { ...NOTHING, ...(known as Partial<AccountHistory>) } : NOTHING;
}

/**
 * Changes the history of an account, inside an update. Also drops the histories of removed accounts.
 *
 * @example
 * import { type AccountId, changeHistory } from 'tokenkeep/ipc';
 *
 * async function keepForThisAppOnly(id: AccountId): Promise<void> {
 *   await vault.update((cache) => changeHistory(cache, id, { shared: false }));
 * }
 */
export function changeHistory(cache: TokenCache, id: AccountId, changes: Partial<AccountHistory>): void {
  changeHistories(cache, new Map([[id, changes]]));
}

/** Changes the histories of many accounts at once, because each call has to go through all accounts. */
function changeHistories(cache: TokenCache, changes: ReadonlyMap<AccountId, Partial<AccountHistory>>): void {
  const all = appData(cache, NAME);
  const there = cachedAccounts(cache).byId;
  const known = isRecord(all) ? Object.entries(all).filter(([id]) => there.has(id)) : [];
  const next = new Map<string, unknown>(known);
  for (const [id, change] of changes) {
    const before = next.get(id);
    if (there.has(id)) next.set(id, { ...NOTHING, ...(isRecord(before) ? before : {}), ...change });
  }
  setAppData(cache, NAME, Object.fromEntries(next));
}

/**
 * Returns why a provider refused a refresh token, which Entra ID says; `invalid_grant` alone does not (RFC 6749 §5.2).
 *
 * @param code the provider's error code; Entra's own number may follow, as in `invalid_grant, AADSTS50173`
 * @example
 * import { changeHistory, refusalReason } from 'tokenkeep/ipc';
 *
 * async function noteRefusal(id: string, code: string, at: number): Promise<void> {
 *   await vault.update((cache) => changeHistory(cache, id, { refusal: { reason: refusalReason(code), at, code } }));
 * }
 */
export function refusalReason(code: string | null): Refusal['reason'] {
  if (/AADSTS(?:70008|70043|700082|700084)\b/.test(code ?? '')) return 'expired';
  return /AADSTS(?:50173|70000)\b/.test(code ?? '') ? 'revoked' : 'refused';
}

/**
 * Runs the merge of an imported document, inside an update, and marks the accounts that got a refresh or ID token from it:
 * another program may still use the refresh token, and the ID token's word for its issuer is anybody's.
 *
 * @param source the file's path
 */
export function mergeAsImport<T>(cache: TokenCache, document: TokenCache, source: string, merge: () => T): T {
  const brought = [...cachedAccounts(document).byId.values()];
  const was = cachedAccounts(cache).byId;
  const before = new Set(brought.flatMap(({ id }) => secretsOf(was.get(id))));
  const merged = merge();
  const is = cachedAccounts(cache).byId;
  const offered = new Set(brought.flatMap(secretsOf));
  const taken = brought.filter(({ id }) =>
    secretsOf(is.get(id)).some((secret) => offered.has(secret) && !before.has(secret)),
  );
  if (taken.length > 0)
    changeHistories(cache, new Map(taken.map(({ id }) => [id, { source, shared: true, refusal: null }])));
  return merged;
}

/** Returns the secrets of an account's refresh and ID tokens, without those whose seal is damaged. */
function secretsOf(account: CachedAccount | undefined): string[] {
  return [...(account?.refreshTokens ?? []), ...(account?.idTokens ?? [])].flatMap((token) => {
    try {
      return [token.secret];
    } catch {
      return [];
    }
  });
}
