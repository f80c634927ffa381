/** Signing accounts out, and counting beforehand what that removes by the same rule. */
import { appRemovalCount, removalCount } from '../cache/removal.ts';
import { ENTITY_TYPES, type SignOutReceipt } from '../cache/schema/entities.ts';
import type { RemovalCount } from '../cache/sign-out.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { type AccountId, type CachedAccount, cachedAccounts, findAccount } from './cached-accounts.ts';
import type { ServedVault } from './ports.ts';

/**
 * Counts what `signOutAccounts` would remove.
 *
 * @param ids null: all accounts and apps
 */
export function removalCountOf(cache: TokenCache, ids: readonly AccountId[] | null): RemovalCount {
  if (ids !== null) return sum(ids.map((id) => countOf(cache, findAccount(cache, id))));
  const all = [...accountIdsIn(cache)].map((home) => removalCount(cache, home));
  return sum([...all, appRemovalCount(cache)]);
}

/**
 * Removes accounts with everything that belongs to them, in one durable change, and destroys the key under which the
 * file was written until now, so that older copies can't be opened either.
 *
 * @param ids null: all accounts and apps
 * @param alongside runs in the same change, before the removal: both are durable, or neither is
 * @returns one receipt for each account
 * @throws InvalidArgumentError where one of them is no longer there; nothing is removed then
 */
export async function signOutAccounts(
  vault: ServedVault,
  ids: readonly AccountId[] | null,
  alongside: (cache: TokenCache) => void = () => undefined,
): Promise<SignOutReceipt[]> {
  return erase(vault, (cache) => {
    const remove = ids === null ? removeAll : removeThese(cache, ids);
    alongside(cache);
    return remove(cache);
  });
}

/** All are looked up before the first is removed: the removal of one may change how another is named. */
function removeThese(cache: TokenCache, ids: readonly AccountId[]): (cache: TokenCache) => SignOutReceipt[] {
  const removals = [...new Set(ids)].map((id) => {
    const account = findAccount(cache, id);
    const filter = filterFor(cache, account, ids);
    return { account, filter };
  });
  return (changed) =>
    removals.map(({ account, filter }) =>
      account.home_account_id === null
        ? changed.removeAppTokens(appOf(account))
        : changed.signOut(account.home_account_id, filter),
    );
}

function removeAll(cache: TokenCache): SignOutReceipt[] {
  const users = [...accountIdsIn(cache)].map((home) => ({ home, removed: removalCount(cache, home) }));
  const apps = cache.removeAppTokens();
  // Each sign-out ends with a look at all that is left, which for ten thousand accounts would take minutes. So what is
  // understood goes first; then each sign-out finds what else there is, and counts, at little cost.
  for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const) {
    for (const entity of cache.find(type)) cache.modify(type, entity, null);
  }
  const receipts = users.map(({ home, removed }) => ({ ...cache.signOut(home), removed }));
  return apps.removed.AccessToken > 0 ? [...receipts, apps] : receipts;
}

async function erase(
  vault: ServedVault,
  remove: (cache: TokenCache) => SignOutReceipt[],
): Promise<SignOutReceipt[]> {
  // Without a file there is no older copy and no key to destroy: everything is in memory, and removed from there.
  if (vault.status.state !== 'ready' && vault.status.bytes === null) return vault.update(remove);
  const { value, oldKey } = await vault.erase(remove);
  return oldKey === undefined ? value : value.map((receipt) => ({ ...receipt, oldKey }));
}

function countOf(cache: TokenCache, account: CachedAccount): RemovalCount {
  return account.home_account_id === null
    ? appRemovalCount(cache, appOf(account))
    : removalCount(cache, account.home_account_id, filterFor(cache, account, [account.id]));
}

/**
 * Empty, so that everything that names the account goes; only where another provider has a user with the same id who
 * stays, the one environment that is meant.
 */
function filterFor(
  cache: TokenCache,
  { id, home_account_id, environment }: CachedAccount,
  leaving: readonly AccountId[],
): { environment?: string } {
  for (const other of cachedAccounts(cache).byId.values()) {
    const isSame = sameText(other.home_account_id, home_account_id);
    if (other.id !== id && isSame && !leaving.includes(other.id)) return { environment };
  }
  return {};
}

const sameText = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && a.toLowerCase() === b.toLowerCase();

/** Every account that an entry of the cache belongs to, understood or not. */
function accountIdsIn(cache: TokenCache): Set<string> {
  return new Set(storeOf(cache).accounts);
}

/** The tokens of one app agree in client, tenant and cloud. */
function appOf({ accessTokens: [token] }: CachedAccount): {
  client_id: string;
  realm: string;
  environment: string;
} {
  return {
    client_id: token?.client_id ?? '',
    realm: token?.realm ?? '',
    environment: token?.environment ?? '',
  };
}

function sum(counts: readonly RemovalCount[]): RemovalCount {
  const total: RemovalCount = { AccessToken: 0, RefreshToken: 0, IdToken: 0, Account: 0, AppMetadata: 0 };
  for (const count of counts) for (const type of ENTITY_TYPES) total[type] += count[type];
  return total;
}
