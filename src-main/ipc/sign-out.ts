/** Signs accounts out, and counts beforehand what that removes, by the same rule. */
import { type AccountReference, ENTITY_TYPES, type SignOutReceipt } from '../cache/schema/entities.ts';
import type { RemovalCount } from '../cache/sign-out.ts';
import { appRemovalCount, removalCount, removalCountOfAll, type TokenCache } from '../cache/token-cache.ts';
import { type AccountId, type CachedAccount, findAccount } from '../accounts/cached-accounts.ts';
import type { ServedVault } from './ports.ts';
import { forgettingTenants } from './tenant-names.ts';

/**
 * Counts the entries that `signOutAccounts` would remove.
 *
 * @param ids null: all accounts and apps
 */
export function removalCountOf(cache: TokenCache, ids: readonly AccountId[] | null): RemovalCount {
  if (ids !== null) return sum(ids.map((id) => countOf(cache, findAccount(cache, id))));
  return removalCountOfAll(cache);
}

/**
 * Removes accounts with all their entries in one durable change, and destroys the previous key of the file, so that older copies can't be
 * opened either.
 *
 * @param ids null: all accounts and apps
 * @param alongside runs in the same change, before the removal: both are durable, or neither is
 * @param afterwards runs in the same change, after the removal
 * @returns one receipt for each account
 * @throws InvalidArgumentError if one of them no longer exists; nothing is removed then
 *
 * @example
 * import { type AccountId, signOutAccounts } from 'tokenkeep/ipc';
 *
 * async function signOut(ids: readonly AccountId[]): Promise<number> {
 *   const receipts = await signOutAccounts(vault, ids);
 *   return receipts.filter(({ oldKey }) => oldKey === 'pending').length;
 * }
 */
export async function signOutAccounts(
  vault: ServedVault,
  ids: readonly AccountId[] | null,
  alongside: (cache: TokenCache) => void = () => undefined,
  afterwards: (cache: TokenCache, receipts: readonly SignOutReceipt[]) => void = () => undefined,
): Promise<SignOutReceipt[]> {
  return eraseAccounts(vault, (cache) => {
    const remove = ids === null ? (all: TokenCache) => all.signOutAll() : removeThese(cache, ids);
    alongside(cache);
    const receipts = forgettingTenants(cache, () => remove(cache));
    afterwards(cache, receipts);
    return receipts;
  });
}

/** Looks up all accounts before removing any, because a removal may change another account's id. */
function removeThese(cache: TokenCache, ids: readonly AccountId[]): (cache: TokenCache) => SignOutReceipt[] {
  const accounts = [...new Set(ids)].map((id) => findAccount(cache, id));
  return (changed) =>
    accounts.map((account) =>
      account.home_account_id === null
        ? changed.removeAppTokens(appOf(account))
        : changed.signOut(referenceTo(account)),
    );
}

async function eraseAccounts(
  vault: ServedVault,
  remove: (cache: TokenCache) => SignOutReceipt[],
): Promise<SignOutReceipt[]> {
  if (isOnlyInMemory(vault)) return vault.update(remove);
  const { value, oldKey } = await vault.erase(remove);
  return oldKey === undefined ? value : value.map((receipt) => ({ ...receipt, oldKey }));
}

/** Removes entries so that older copies of the file can't be opened either. */
export async function erase(vault: ServedVault, remove: (cache: TokenCache) => number): Promise<number> {
  return isOnlyInMemory(vault) ? vault.update(remove) : (await vault.erase(remove)).value;
}

/** Without a file, there is no older copy and no key to destroy: all entries are in memory and removed there. */
function isOnlyInMemory({ status }: ServedVault): boolean {
  return status.state !== 'ready' && status.bytes === null;
}

function countOf(cache: TokenCache, account: CachedAccount): RemovalCount {
  return account.home_account_id === null
    ? appRemovalCount(cache, appOf(account))
    : removalCount(cache, referenceTo(account));
}

function referenceTo({ home_account_id, environment, issuer }: CachedAccount): AccountReference {
  return { home_account_id: home_account_id ?? '', environment, ...(issuer === '' ? {} : { issuer }) };
}

/** All tokens of one app have the same client, tenant and cloud. */
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
  const grants = counts.reduce((all, count) => all + (count.grants ?? 0), 0);
  return grants === 0 ? total : { ...total, grants };
}
